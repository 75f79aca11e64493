//! The real binary as its users start it: `proffer serve` on a free port, stopped, killed, started again. Sends no
//! request but `/readyz`.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proffer::config::keyfile::{self, Keys};
use tempfile::TempDir;

use super::client::{Client, Source};

/// The longest a start, an answer or an end may take; reached only where something hangs.
const WAIT_SECONDS_MAX: u64 = 60;

/// What stays when a service ends: its store, its policies, its keys.
pub struct Site {
    store: String,
    policies: String,
    folder: TempDir,
}

impl Site {
    /// A site with keys of its own on a store that may be empty.
    pub fn new(store: &str, policies: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: store.to_owned(), policies: policies.to_str().unwrap().to_owned(), folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The binary with this site's settings and none of the caller's own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_proffer"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PROFFER_") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env("PROFFER_STORE", &self.store)
            .env("PROFFER_POLICIES", &self.policies)
            .env("PROFFER_KEY_FILE", self.path("keys.toml"))
            .env("PROFFER_ADMIN_KEY_FILE", self.path("admin-key"));
        command
    }

    /// Makes a source of outcomes with `proffer keys`.
    pub fn create_source(&self, name: &str) -> Source {
        let output = self.command(&["keys", "create-source", name]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Source::new(name, String::from_utf8(output.stdout).unwrap().trim())
    }

    /// The key that the first start made.
    pub fn admin_key(&self) -> String {
        std::fs::read_to_string(self.path("admin-key")).unwrap().trim().to_owned()
    }

    /// Master and generator keys, to open what is stored.
    pub fn keys(&self) -> Keys {
        keyfile::load_or_create(Path::new(&self.path("keys.toml"))).unwrap().0
    }

    /// Starts the service with variables of its own and waits until it is ready.
    pub fn start(&self, variables: &[(&str, &str)]) -> Server {
        self.spawn(variables).ready()
    }

    /// Starts the service and does not wait: it has no address yet.
    pub fn spawn(&self, variables: &[(&str, &str)]) -> Server {
        self.spawn_with(&[], variables)
    }

    /// The same with flags of its own.
    pub fn spawn_with(&self, flags: &[&str], variables: &[(&str, &str)]) -> Server {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, stderr) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
        let (announce, announced) = channel();
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once(" listens on ") {
                    let _ = announce.send(url.to_owned());
                }
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Server { child, url: String::new(), announced, said }
    }
}

/// A service that was started; killed when dropped.
pub struct Server {
    child: Child,
    url: String,
    announced: Receiver<String>,
    said: Arc<Mutex<String>>,
}

impl Server {
    /// Waits until it answers.
    pub fn ready(mut self) -> Self {
        let Ok(url) = self.announced.recv_timeout(Duration::from_secs(WAIT_SECONDS_MAX)) else {
            panic!("the service did not come to listen:\n{}", self.said());
        };
        self.url = url;
        let client = self.client("");
        until("the service to be ready", || client.get("/readyz").ok().filter(|ready| ready.status() == 200));
        self
    }

    /// A client with this key.
    pub fn client(&self, key: &str) -> Client {
        Client::new(&self.url, key)
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has written to standard error.
    pub fn said(&self) -> String {
        self.hearing()()
    }

    /// Tells what it has written to standard error, also when it has ended.
    pub fn hearing(&self) -> impl Fn() -> String + use<> {
        let said = self.said.clone();
        move || said.lock().unwrap().clone()
    }

    /// Ends it as a power switch would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.wait();
        assert_eq!(status.signal(), Some(9), "it had ended by itself, with {status}:\n{}", self.said());
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Sends it a signal, such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Whether it was stopped by a signal that it can be woken from.
    pub fn stands_still(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// Whether and how it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    fn wait(&mut self) -> ExitStatus {
        until("the service to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer; fails where that takes longer than anything may.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..WAIT_SECONDS_MAX * 100 {
        if let Some(answer) = ask() {
            return answer;
        }
        pause(Duration::from_millis(10));
    }
    panic!("waited {WAIT_SECONDS_MAX} seconds for {what}");
}

/// Lets time pass: between two looks at another process, or up to a moment drawn by chance.
pub fn pause(span: Duration) {
    #[expect(clippy::disallowed_methods, reason = "another process announces nothing that could be waited for")]
    std::thread::sleep(span);
}
