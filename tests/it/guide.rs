//! The authors' guide, run as it stands: its files are written, its changes made, its commands typed, and what they
//! answer is compared (`UPDATE_GOLDEN=1` writes the answers anew). Tests no command beyond that.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::source::package;

const PAGE: &str = "src/docs/authors.md";

/// What stands for text that differs from time to time.
const ANYTHING: &str = "...";

/// A step of the page.
#[derive(Debug)]
enum Step {
    /// A file of the bundle, or lines at the end of one.
    Write {
        path: String,
        text: String,
        append: bool,
    },
    /// Another text in a file.
    Change {
        path: String,
        from: String,
        to: String,
    },
    Remove {
        path: String,
    },
    /// A service that is started and runs on.
    Serve,
    /// A command that the page does not show, because it shows others like it.
    TypeUnseen {
        command: String,
    },
    /// A command, with the lines of the page on which its answer stands.
    Type {
        command: String,
        answer: std::ops::Range<usize>,
    },
}

/// The steps of the page, in order. What the reader does by hand stands in comments for the test.
fn steps(page: &[&str]) -> Vec<Step> {
    let (mut steps, mut appended, mut at) = (Vec::new(), None, 0);
    while at < page.len() {
        let line = page[at];
        at += 1;
        if let Some(told) = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->")) {
            let (what, rest) = told.split_once(' ').unwrap();
            match what {
                "append" => appended = Some(rest.to_owned()),
                "type" => steps.push(Step::TypeUnseen { command: rest.to_owned() }),
                "remove" => steps.push(Step::Remove { path: rest.to_owned() }),
                "change" => {
                    let (path, change) = rest.split_once(": ").unwrap();
                    let (from, to) = change.split_once(" => ").unwrap();
                    steps.push(Step::Change { path: path.into(), from: from.into(), to: to.replace("\\n", "\n") });
                }
                _ => panic!("{line}"),
            }
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let end = at + page[at..].iter().position(|line| *line == "```").unwrap();
        let block = &page[at..end];
        match language {
            "yaml" => {
                let append = appended.take();
                let named = || block[0].strip_prefix("# ").expect("a file begins with its name").to_owned();
                let (append, path) = (append.is_some(), append.unwrap_or_else(named));
                steps.push(Step::Write { path, text: block.join("\n") + "\n", append });
            }
            "console" => {
                let starts: Vec<usize> = (at..end).filter(|line| page[*line].starts_with("$ ")).collect();
                for (start, next) in starts.iter().zip(starts.iter().skip(1).chain([&end])) {
                    steps.push(Step::Type { command: page[*start][2..].to_owned(), answer: start + 1..*next });
                }
            }
            "sh" => {
                assert!(block[0].starts_with("proffer serve"), "{block:?}");
                steps.push(Step::Serve);
            }
            other => panic!("no reader knows what to do with a block of `{other}`"),
        }
        at = end + 1;
    }
    steps
}

/// Whether an answer is as the page says, where `...` is any text.
fn fits(page: &str, came: &str) -> bool {
    let mut parts = page.split(ANYTHING);
    let Some(mut rest) = came.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    for (at, part) in parts.iter().enumerate() {
        let found =
            if at + 1 == parts.len() { rest.ends_with(part).then(|| rest.len() - part.len()) } else { rest.find(part) };
        let Some(found) = found else { return false };
        rest = &rest[found + part.len()..];
    }
    rest.is_empty()
}

/// A service, ended with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command without what the machine sets for somebody's own Proffer, and with Proffer where it is looked for.
fn command(program: &str, folder: &Path) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_proffer"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path).env("LC_ALL", "C").current_dir(folder).stdin(Stdio::null());
    command
}

fn serve(folder: &Path) -> (Serving, String) {
    let mut serving = command("proffer", folder);
    serving.args(["serve", "--listen", "127.0.0.1:0", "--policies", "policies"]);
    let mut serving = Serving(serving.stderr(Stdio::piped()).spawn().unwrap());
    let mut said = BufReader::new(serving.0.stderr.take().unwrap()).lines();
    let address = loop {
        let line = said.next().expect("the service says where it listens").unwrap();
        if let Some((_, address)) = line.split_once("listens on ") {
            break address.to_owned();
        }
    };
    // The rest of what it says is read too, so that it never waits for a reader.
    std::thread::spawn(move || said.for_each(drop));
    (serving, address)
}

#[test]
fn every_command_of_the_guide_answers_as_the_page_says() {
    let text = std::fs::read_to_string(package().join(PAGE)).unwrap();
    let page: Vec<&str> = text.lines().collect();
    let folder = tempfile::tempdir().unwrap();
    // What the catalogue takes in stands beside the bundle.
    let within = |path: &str| if path == "offers.yaml" { "" } else { "policies" };
    let file = |path: &str| folder.path().join(within(path)).join(path);
    let (mut serving, mut wrong, mut answers) = (None, Vec::new(), Vec::new());
    for step in steps(&page) {
        match step {
            Step::Write { path, text, append } => {
                let before = if append { std::fs::read_to_string(file(&path)).unwrap() + "\n" } else { String::new() };
                std::fs::write(file(&path), before + &text).unwrap();
            }
            Step::Change { path, from, to } => {
                let text = std::fs::read_to_string(file(&path)).unwrap();
                assert!(text.contains(&from), "{path} has no `{from}`");
                std::fs::write(file(&path), text.replacen(&from, &to, 1)).unwrap();
            }
            Step::Remove { path } => std::fs::remove_file(file(&path)).unwrap(),
            Step::TypeUnseen { command: typed } => {
                let ran = command("bash", folder.path()).args(["-c", &typed]).output().unwrap();
                assert!(ran.status.success(), "$ {typed}\n{}", String::from_utf8_lossy(&ran.stderr));
            }
            Step::Serve => serving = Some(serve(folder.path())),
            Step::Type { command: typed, answer } => {
                let here = serving.as_ref().map_or("http://localhost:8080", |(_, address)| address.as_str());
                let script = format!("{{ {}; }} 2>&1", typed.replace("http://localhost:8080", here));
                let ran = command("bash", folder.path()).args(["-c", &script]).output().unwrap();
                let came = String::from_utf8(ran.stdout).unwrap().trim_end().to_owned();
                let told = page[answer.clone()].join("\n");
                if !fits(&told, &came) {
                    wrong.push(format!("$ {typed}\nexpected:\n{told}\ncame:\n{came}"));
                }
                answers.push((answer, came, told));
            }
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let mut lines: Vec<String> = page.iter().map(|line| (*line).to_owned()).collect();
        for (answer, came, _) in answers.into_iter().rev().filter(|(_, came, told)| !fits(told, came)) {
            drop(lines.splice(answer, came.lines().map(str::to_owned)));
        }
        std::fs::write(package().join(PAGE), lines.join("\n") + "\n").unwrap();
    }
    assert!(wrong.is_empty(), "{}\n`UPDATE_GOLDEN=1` writes what came", wrong.join("\n\n"));
}
