//! The command line as people meet it: the real binary, its help, its exit codes and its words.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::server::{Site, until};
use crate::http::service::{Answer, send};
use crate::http::shop;

fn proffer(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proffer"));
    command.args(args).current_dir(folder).env_clear().env("PROFFER_LOG", "off");
    command
}

/// Exit code, standard output and standard error of a command, without the folder of this test.
pub fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = proffer(folder, args).output().unwrap();
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap().replace(&folder.display().to_string(), "FOLDER").trim_end().to_owned()
    };
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A folder with a bundle in `policies`.
fn folder_with(old: &str, new: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    shop::write_policies(&folder.path().join("policies"), &shop::policies_with(old, new));
    folder
}

fn folder() -> TempDir {
    folder_with("schema: 1", "schema: 1")
}

/// The names under `Commands:` of a help text.
fn commands(help: &str) -> Vec<String> {
    let listed = help.split("Commands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
    let names = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn the_help_of_every_command_has_an_example() {
    let folder = tempfile::tempdir().unwrap();
    let mut waiting = vec![Vec::new()];
    let mut seen = Vec::new();
    while let Some(path) = waiting.pop() {
        let args: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let (code, help, _) = run(folder.path(), &args);
        assert_eq!(code, 0, "{args:?}");
        let example = help.split("Example").nth(1).unwrap_or_else(|| panic!("no example: proffer {args:?}\n{help}"));
        let command = format!("proffer {}", path.join(" "));
        assert!(example.contains(command.trim_end()), "the example of `{command}` shows another command:\n{help}");
        waiting.extend(commands(&help).into_iter().map(|name| [path.clone(), vec![name]].concat()));
        seen.push(path.join(" "));
    }
    for known in ["serve", "keys create", "keys create-source", "keys list", "keys revoke", "policy check", "simulate"]
    {
        assert!(seen.iter().any(|name| name == known), "`{known}` is not in the help: {seen:?}");
    }
}

#[test]
fn log_lines_that_go_into_a_file_carry_no_colours() {
    let folder = folder();
    let site = Site::new("sqlite:proffer.sqlite", &folder.path().join("policies"));
    let server = site.start(&[("PROFFER_LOG", "debug")]);
    let logged = "answered method=\"GET\" route=\"/readyz\" status=200";
    until("the request to be logged", || server.said().contains(logged).then_some(()));
    let said = server.said();
    assert!(said.contains("made the first admin key"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn policy_check_says_by_its_exit_code_whether_anything_is_wrong() {
    let good = folder();
    let (code, out, err) = run(good.path(), &["policy", "check"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("policies: 5 files, 2 placements, "), "{out}");
    let (code, out, _) = run(good.path(), &["policy", "check", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &told["ok"], &told["findings"]), (0, &json!(true), &json!([])));

    let bad = folder_with("max: 5", "max: 0");
    assert_eq!(run(bad.path(), &["policy", "check"]).0, 1);
    let (code, out, _) = run(bad.path(), &["policy", "check", "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    let found = &told["findings"][0];
    assert_eq!((code, &told["ok"], &found["line"]), (1, &json!(false), &json!(20)));
    assert_eq!(found["path"], "policies/rules/shop.yaml");

    let (code, _, err) = run(good.path(), &["policy", "check", "--strict"]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = run(good.path(), &["policy", "check", "nowhere"]);
    assert_eq!(code, 2);
    insta::assert_snapshot!(err, @r"
    error: `nowhere` cannot be read: No such file or directory (os error 2); name the folder of a bundle
    ");
}

#[test]
fn mistakes_in_rules_are_told_with_place_and_mend() {
    let check = |old: &str, new: &str| run(folder_with(old, new).path(), &["policy", "check"]).2;
    insta::assert_snapshot!(check("features: [customer.tier, ", "features: [customer.teir, "), @r"
    error[P0107]: placement `home`: unknown attribute `customer.teir`; did you mean `customer.tier`?
      --> policies/placements.yaml:10:16
       |
    10 |     features: [customer.teir, context.device_type]
       |                ^^^^^^^^^^^^^ not in catalog/attributes.yaml
       = help: a feature is a declared attribute, `hour_of_day`, `day_of_week`, `weekend`, `season`,
               `holiday.us` (`gb`, `de`, `fr`, a calendar of your own), or a product such as `customer.tier *
               offer.category`

    1 mistake in policies
    ");
    insta::assert_snapshot!(check("max: 5", "max: 0"), @r"
    error[P0207]: rule `cap.all.week`: a cap of 0 would exclude everything
      --> policies/rules/shop.yaml:20:10
       |
    20 |     max: 0
       |          ^ at least 1
       = help: use `max: 1` or more; to stop offers altogether, pause them in the catalogue

    1 mistake in policies
    ");
    insta::assert_snapshot!(check("min_margin: 10%", "min_margin: 10%\n    applies_to: {categories: [shoos]}"), @r"
    error[P0110]: rule `margin.floor`: applies_to: unknown category `shoos`; did you mean `shoes`?
      --> policies/rules/shop.yaml:10:31
       |
    10 |     applies_to: {categories: [shoos]}
       |                               ^^^^^ not declared
       = help: categories are the names of `offer.category` in catalog/attributes.yaml: add it there, or
               correct it here

    1 mistake in policies
    ");
}

#[test]
fn serve_with_a_broken_bundle_prints_what_is_wrong_and_makes_nothing() {
    let folder = folder_with("max: 2", "max: two");
    let (code, out, err) = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!((code, out.as_str()), (1, ""));
    insta::assert_snapshot!(err, @r"
    error[P0103]: rule `cap.offer.day`: expected a whole number, found text
      --> policies/rules/shop.yaml:14:10
       |
    14 |     max: two
       |          ^^^ this is text
       = help: write it in digits, such as `5`

    error: the policies have 1 mistake; `proffer policy check` lists them
    ");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["policies"]);
}

#[test]
fn the_settings_in_force_are_printed_without_the_password() {
    let folder = folder();
    let mut command = proffer(folder.path(), &["serve", "--print-config", "--listen", "0.0.0.0:9000"]);
    command.env("DATABASE_URL", "postgres://shop:secret@db/shop").env("PROFFER_ENGINES", "3");
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !printed.contains("secret"), "{printed}");
    let settings: toml::Table = printed.parse().unwrap();
    assert_eq!(settings["listen"].as_str(), Some("0.0.0.0:9000"));
    assert_eq!(settings["store"].as_str(), Some("postgres://shop@db/shop"));
    assert_eq!(settings["engines"].as_integer(), Some(3));
    // What is printed can be read again.
    std::fs::write(folder.path().join("proffer.toml"), &printed).unwrap();
    let (code, again, _) = run(folder.path(), &["serve", "--print-config", "--config", "proffer.toml"]);
    assert_eq!((code, again.trim_end()), (0, printed.trim_end()));
}

#[test]
fn wrong_words_are_answered_with_the_right_ones() {
    let folder = folder();
    let check = |args: &[&str], expected: i32| {
        let (code, out, err) = run(folder.path(), args);
        assert_eq!((code, out.as_str()), (expected, ""), "{args:?}: {err}");
        err
    };
    insta::assert_snapshot!(check(&["keys", "create", "shop", "--role", "boss"], 2), @r"
    error: invalid value 'boss' for '--role <ROLE>': `boss` is not a role: expected one of decide, outcomes, catalogue, author, approve:privacy, approve:business, operate, audit, privacy, admin

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(check(&["keys", "create", "", "--role", "decide"], 2), @r"
    error: invalid value '' for '<NAME>': expected 1 to 64 letters, digits, `.`, `_`, `:` or `-`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(check(&["keys", "revoke", "nobody"], 1), @r"
    error: no key in force is called `nobody`; `proffer keys list` shows them
    ");
    insta::assert_snapshot!(check(&["serve", "--store", "mysql://shop"], 1), @r"
    error: `mysql:...` is not the address of a store: expected `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`
    ");
    insta::assert_snapshot!(check(&["serve", "--listen", "8080"], 1), @r"
    error: `8080` is not an address: expected ADDRESS:PORT, such as `127.0.0.1:8080`
    ");
    insta::assert_snapshot!(check(&["serve", "--policies", "nowhere"], 1), @r"
    error: the policies in `nowhere` cannot be read; name their folder with --policies
      because: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(check(&["server"], 2), @r"
    error: unrecognized subcommand 'server'

      tip: a similar subcommand exists: 'serve'

    Usage: proffer <COMMAND>

    For more information, try '--help'.
    ");
}

/// A service run by the binary.
struct Served {
    child: Child,
    url: String,
    admin: String,
    told: BufReader<std::process::ChildStderr>,
}

impl Served {
    fn start(folder: &Path) -> Self {
        let mut command = proffer(folder, &["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        told.read_line(&mut line).unwrap();
        let url = line.trim_end().split(" listens on ").nth(1).unwrap_or_else(|| panic!("{line}")).to_owned();
        let admin = std::fs::read_to_string(folder.join("proffer.sqlite.admin-key")).unwrap().trim_end().to_owned();
        Self { child, url, admin, told }
    }

    fn call(&self, key: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let body = body.map(|body| body.to_string().into_bytes());
        let bearer = format!("Bearer {key}");
        send(&agent, &format!("{}{path}", self.url), method, &[("authorization", &bearer)], body.as_deref())
    }

    /// Asks it to stop and waits for the line that says it heard.
    fn terminate(&mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let mut line = String::new();
        while !line.starts_with("stopping") {
            line.clear();
            assert!(self.told.read_line(&mut line).unwrap() > 0, "it ended without a word");
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for something that another process does within two seconds.
fn within_two_seconds(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..100 {
        if happened() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    panic!("not within two seconds: {what}");
}

#[test]
fn a_catalogue_imported_beside_a_running_service_is_in_force_within_two_seconds() {
    let folder = folder();
    let served = Served::start(folder.path());
    std::fs::write(folder.path().join("new.csv"), "offer_id,price,variant_id\nkite,12.00 USD,a\n").unwrap();
    let there = || served.call(&served.admin, "GET", "/v1/offers/kite", None).status;
    assert_eq!(there(), 404);
    let imported = run(folder.path(), &["catalog", "import", "new.csv"]);
    assert_eq!(imported, (0, "1 new, 0 changed, 0 unchanged, revision 1".to_owned(), String::new()));
    within_two_seconds("the offer is there", || there() == 200);
}

#[test]
fn keys_made_and_revoked_beside_a_running_service_take_effect_within_two_seconds() {
    let folder = folder();
    let served = Served::start(folder.path());
    let keys = |args: &[&str]| run(folder.path(), &[&["keys"], args].concat());
    let (code, key, err) = keys(&["create", "shop-front", "--role", "decide"]);
    assert_eq!((code, err.as_str()), (0, "made key `shop-front`; this is the only time it is shown"));
    let status = || served.call(&key, "GET", "/v1/models", None).status;
    within_two_seconds("the key counts", || status() == 200);
    assert_eq!(served.call(&key, "POST", "/v1/offers:import", Some(&json!([]))).status, 403);

    let (code, _, err) = keys(&["create", "shop-front", "--role", "decide"]);
    assert_eq!(
        (code, err.as_str()),
        (1, "error: key `shop-front` exists already: revoke it first or choose another name")
    );
    let (_, listed, _) = keys(&["list"]);
    assert!(listed.contains("shop-front") && listed.contains("in force") && !listed.contains(&key), "{listed}");

    assert_eq!(keys(&["revoke", "shop-front"]).0, 0);
    within_two_seconds("the key is refused", || status() == 401);
    let (_, listed, _) = keys(&["list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed["keys"][1]["name"], listed["keys"][1]["revoked_at"].is_string()), (&json!("shop-front"), true));
}

/// The head of a request and the part of its body that are sent first, and the rest.
fn slow_request(served: &Served, customer: usize) -> (TcpStream, Vec<u8>) {
    let body = shop::ask(&format!("c-{customer}")).to_string().into_bytes();
    let host = served.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "POST /v1/decisions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         expect: 100-continue\r\n\r\n",
        served.admin,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The service has read the head and waits for the body.
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.read_exact(&mut go_on).unwrap();
    stream.write_all(&body[..10]).unwrap();
    (stream, body[10..].to_vec())
}

#[test]
fn a_service_told_to_stop_answers_the_requests_it_has_begun() {
    let folder = folder();
    let mut served = Served::start(folder.path());
    let admin = served.admin.clone();
    served.call(&admin, "POST", "/v1/offers:import", Some(&shop::offers())).ok();
    let mut begun: Vec<(TcpStream, Vec<u8>)> = (0..20).map(|customer| slow_request(&served, customer)).collect();
    served.terminate();
    for (stream, rest) in &mut begun {
        stream.write_all(rest).unwrap();
    }
    let mut ids = Vec::new();
    for (mut stream, _) in begun {
        let mut answer = String::new();
        // The service closes the connection behind the answer.
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        ids.push(body["decision_id"].as_str().unwrap().to_owned());
    }
    assert!(served.child.wait().unwrap().success());
    let served = Served::start(folder.path());
    for id in ids {
        served.call(&admin, "GET", &format!("/v1/decisions/{id}"), None).ok();
    }
}

#[test]
fn a_key_file_of_another_store_is_refused_and_a_missing_one_is_not_replaced() {
    let folder = folder();
    let file = |name: &str| folder.path().join(name);
    assert_eq!(run(folder.path(), &["keys", "create-source", "checkout"]).0, 0);
    assert_eq!(run(folder.path(), &["keys", "list", "--store", "sqlite:other.sqlite"]).0, 0);
    let kept = std::fs::read_to_string(file("proffer.sqlite.keys.toml")).unwrap();

    std::fs::copy(file("other.sqlite.keys.toml"), file("proffer.sqlite.keys.toml")).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "list"]] {
        let (code, _, err) = run(folder.path(), command);
        assert_eq!(code, 1, "{command:?}");
        insta::allow_duplicates! { insta::assert_snapshot!(err, @r"
        error: the key file `proffer.sqlite.keys.toml` does not open this store: it belongs to another one; restore the right file or name it with PROFFER_MASTER_KEY_FILE
        "); }
    }
    std::fs::remove_file(file("proffer.sqlite.keys.toml")).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "create-source", "email"]] {
        let (code, _, err) = run(folder.path(), command);
        assert_eq!(code, 1, "{command:?}");
        insta::allow_duplicates! { insta::assert_snapshot!(err, @r"
        error: the key file `proffer.sqlite.keys.toml` is missing, and the store holds data sealed under its keys; restore it from its backup or name it with PROFFER_MASTER_KEY_FILE
        "); }
        assert!(!file("proffer.sqlite.keys.toml").exists());
    }
    std::fs::write(file("proffer.sqlite.keys.toml"), kept).unwrap();
    let (_, _, err) = run(folder.path(), &["keys", "list"]);
    assert!(err.contains("run `chmod 600"), "{err}");
}

#[test]
fn a_port_in_use_is_said_plainly_before_anything_is_started() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, err) = run(folder.path(), &["serve", "--listen", &address]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(err.replace(&address, "ADDRESS"), @r"
    error: `ADDRESS` is in use by another program: stop that one, or choose another address with --listen
    ");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["policies"]);
}
