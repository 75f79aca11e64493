//! The walk-through of the README, run as it stands: its shell blocks, against a service of the same build.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::harness::source::package;

const BINARY: &str = env!("CARGO_BIN_EXE_proffer");

/// The service, ended with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The shell blocks of one section.
fn shell_blocks(section: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(package().join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|text| text.starts_with(section)).unwrap();
    let blocks = section.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default());
    blocks.map(str::to_owned).collect()
}

/// A command without what the machine sets for somebody's own Proffer.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::vars().filter(|(name, _)| ["PATH", "TMPDIR"].contains(&name.as_str())));
    command
}

#[test]
fn the_walk_through_by_hand_works_as_it_stands() {
    for tool in ["curl", "openssl"] {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(found.is_ok(), "`{tool}` is missing, which the README uses: install it and run again");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut serving = command(BINARY);
    serving.args(["serve", "--listen", "127.0.0.1:0", "--policies"]).arg(package().join("policies"));
    let mut serving = Serving(serving.current_dir(&folder).stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(serving.0.stderr.take().unwrap()).lines();
    let address = loop {
        let line = said.next().expect("the service says where it listens").unwrap();
        if let Some((_, address)) = line.split_once("listens on ") {
            break address.to_owned();
        }
    };
    // The rest of what it says is read too, so that it never waits for a reader.
    std::thread::spawn(move || said.for_each(drop));

    let blocks = shell_blocks("By hand");
    assert!(blocks[0].contains("proffer serve"), "the first block starts the service");
    // A person is no faster, and a running service looks for new secrets once a second.
    let script = blocks[1..].join("\nsleep 0.4\n");
    for words in ["./target/release/proffer", "http://localhost:8080"] {
        assert_eq!(script.matches(words).count(), 1, "{words}");
    }
    let script = script.replace("./target/release/proffer", BINARY).replace("http://localhost:8080", &address);
    let mut bash = command("bash");
    bash.args(["-euo", "pipefail", "-c", &script]);
    let ran = bash.current_dir(&folder).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}");
    for expected in [
        r#""catalogue":1"#,
        r#""state":"granted""#,
        r#""fallback":false"#,
        "`clearance/a` was left out: `margin.floor.default`",
        "Consent read for `offer_personalisation`: granted on the basis of consent",
        r#""status":"accepted""#,
        "seen once, accepted once",
        "customer.region = north",
        "offer,currency,decisions,shown,exposed,accepted,",
    ] {
        assert!(out.contains(expected), "the walk-through does not print {expected}:\n{out}\n{err}");
    }
}
