//! Siege: one store, its site, and all that clients know of it, from kill to kill. Judges nothing but what was lost.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use proffer::domain::DecisionId;
use proffer::store::Store;
use tokio::runtime::Runtime;

use super::ledger::{Findings, Ledger};
use super::load::{Chance, Worker, plan_import};
use super::wire::Wire;
use crate::harness::client::{Source, now_ms};
use crate::harness::database::{Database, Kind};
use crate::harness::server::{Server, Site};
use crate::harness::source::package;

/// Client threads.
const THREADS: u64 = 8;
/// Acknowledged requests that are sent again after each kill; at the end all of them are.
const SAMPLE: usize = 20;
/// Decisions read from the store at once.
pub const PIECE: usize = 500;

/// One store under attack.
pub struct Siege {
    pub site: Site,
    pub source: Source,
    pub ledger: Mutex<Ledger>,
    pub runtime: Runtime,
    database: Database,
}

impl Siege {
    /// An empty store with keys and one source of outcomes, and no service yet.
    pub fn new(kind: Kind) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = runtime.block_on(Database::create(kind));
        let site = Site::new(&database.url, &policies());
        let source = site.create_source("checkout");
        Self { site, source, ledger: Mutex::default(), runtime, database }
    }

    /// A client for any number of threads.
    pub fn wire(&self, server: &Server) -> Wire<'_> {
        Wire::new(server.client(&self.site.admin_key()), &self.source, &self.ledger)
    }

    /// The address of the store.
    pub fn url(&self) -> &str {
        &self.database.url
    }

    /// A handle on the store beside the service's own.
    pub fn open(&self) -> Arc<dyn Store> {
        self.runtime.block_on(self.database.open())
    }

    /// Imports the first offers.
    pub fn furnish(&self, server: &Server) {
        let name = plan_import(&mut self.ledger.lock().unwrap());
        let wire = self.wire(server);
        Wire::insist("the first import", || wire.import(name));
    }

    /// Lets clients work until `end` returns, which has to end the service.
    pub fn load(&self, server: Server, seed: u64, end: impl FnOnce(Server, &Wire<'_>)) {
        let wire = self.wire(&server);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let worker = Worker::new(&wire, seed ^ (thread << 56));
                scope.spawn(move || worker.run());
            }
            end(server, &wire);
        });
    }

    /// After a restart: nothing acknowledged may be gone. Then sends again what nobody answered, and a sample of what
    /// was answered. Says how much was unanswered.
    pub fn recover(&self, server: &Server, seed: u64) -> usize {
        self.find_lost();
        let wire = self.wire(server);
        let unanswered = wire.ledger().unanswered();
        for id in &unanswered.decisions {
            Wire::insist("an unanswered decision", || wire.ask(*id));
        }
        for events in unanswered.events.chunks(50) {
            Wire::insist("unanswered outcomes", || wire.tell(events));
        }
        for evidence in &unanswered.consents {
            Wire::insist("an unanswered consent", || wire.put(evidence));
        }
        for name in &unanswered.imports {
            Wire::insist("an unanswered import", || wire.import(*name));
        }
        let mut chance = Chance(seed);
        let (ids, events): (Vec<DecisionId>, Vec<String>) = {
            let ledger = wire.ledger();
            (ledger.decisions.keys().copied().collect(), ledger.events.keys().cloned().collect())
        };
        for _ in 0..SAMPLE {
            if let Some(id) = chance.pick(&ids) {
                Wire::insist("a decision asked for again", || wire.ask(*id));
            }
            if let Some(event) = chance.pick(&events) {
                Wire::insist("an outcome sent again", || wire.tell(std::slice::from_ref(event)));
            }
        }
        unanswered.count()
    }

    /// Looks for the decisions that were acknowledged before the kill, before anything is sent again.
    fn find_lost(&self) {
        let store = self.open();
        let mut ledger = self.ledger.lock().unwrap();
        let looked_for = ledger.decisions.iter().filter(|(_, asked)| asked.answer.is_some() && !asked.found);
        let ids: Vec<DecisionId> = looked_for.map(|(id, _)| *id).collect();
        for piece in ids.chunks(PIECE) {
            let stored = self.runtime.block_on(store.decisions(piece)).unwrap();
            for id in piece {
                ledger.decisions.get_mut(id).unwrap().found = true;
                if !stored.iter().any(|decision| decision.decision_id == *id) {
                    ledger.findings.lost(&format!("decision {id} was acknowledged and is not in the store"));
                }
            }
        }
    }

    /// Asks the service to stop, removes the store and returns all that was found.
    pub fn end(self, server: Server) -> Findings {
        let status = server.terminate();
        let mut findings = self.ledger.into_inner().unwrap().findings;
        if !status.success() {
            findings.wrong(&format!("asked to stop, the service ended with {status}"));
        }
        self.runtime.block_on(self.database.remove());
        findings
    }
}

/// The bundle of the crash tests.
pub fn policies() -> std::path::PathBuf {
    Path::new(package()).join("tests/it/crash/policies")
}

/// The seed of a run: `PROFFER_SEED`, or a new one.
pub fn seed() -> u64 {
    match std::env::var("PROFFER_SEED") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("PROFFER_SEED is `{text}`: expected a whole number")),
        Err(_) => Chance(now_ms().cast_unsigned()).next() >> 32,
    }
}

/// Tells how far a long test is. Not by `eprintln!`, which test runners keep back until the end.
pub fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "crash: {line}");
}

/// Fails with the first findings, unless there are none.
pub fn accept(what: &str, findings: &Findings) {
    let first: Vec<&str> = findings.told.iter().take(20).map(String::as_str).collect();
    assert!(first.is_empty(), "{what}: {} findings, the first are\n{}", findings.told.len(), first.join("\n"));
}
