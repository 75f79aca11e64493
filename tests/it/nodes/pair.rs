//! Pair: two services over one PostgreSQL under the load of the crash tests, and a witness within the database of who
//! wrote what was learned. Judges nothing.

use std::time::Duration;

use proffer::store::Lease;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::town::models;
use crate::crash::check::{self, check};
use crate::crash::load::Worker;
use crate::crash::siege::{Siege, accept};
use crate::crash::wire::Wire;
use crate::harness::client::now_ms;
use crate::harness::database::Kind;
use crate::harness::server::{Server, pause, until};

/// Client threads of each service.
const THREADS: u64 = 4;

/// What the learner writes to, and which of its writes count.
const WITNESSED: [&str; 3] = ["learning_event", "applied", "checkpoint"];

/// One store with the two that are started on it.
pub struct Pair {
    pub siege: Siege,
    lease_seconds: u64,
}

impl Pair {
    /// An empty store.
    pub fn new(lease_seconds: u64) -> Self {
        Self { siege: Siege::new(Kind::Postgres), lease_seconds }
    }

    /// Starts a service under a name, which its connections bear too.
    pub fn start(&self, node: &str, variables: &[(&str, &str)]) -> Server {
        let store = format!("{}&application_name={node}", self.siege.url());
        let lease = self.lease_seconds.to_string();
        let own = [("PROFFER_NODE", node), ("PROFFER_STORE", &store), ("PROFFER_LEARNER_LEASE_SECONDS", &lease)];
        self.siege.site.start(&own.into_iter().chain(variables.iter().copied()).collect::<Vec<_>>())
    }

    fn connect<T>(&self, work: impl AsyncFnOnce(PgConnection) -> T) -> T {
        self.siege.runtime.block_on(async { work(PgConnection::connect(self.siege.url()).await.unwrap()).await })
    }

    /// From now on the database writes down who writes what is learned, and who is the learner then.
    pub fn witness(&self) {
        let mut sql = "create table witnessed (writer text, holder text, term int8); \
            create function witness() returns trigger language plpgsql as $$ begin \
                insert into witnessed select current_setting('application_name'), holder, term from learner; \
                return null; \
            end $$;"
            .to_owned();
        for table in WITNESSED {
            sql += &format!("create trigger witness after insert or update on {table} execute function witness();");
        }
        self.connect(async |mut connection| {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        });
    }

    /// How often each wrote, by (writer, the learner then, its term).
    pub fn witnessed(&self) -> Vec<(String, String, i64, i64)> {
        self.connect(async |mut connection| {
            let sql = "select writer, holder, term, count(*) from witnessed group by 1, 2, 3 order by 3, 1";
            sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
        })
    }

    /// Who learns.
    pub fn lease(&self) -> Lease {
        let store = self.siege.open();
        self.siege.runtime.block_on(store.lease()).unwrap()
    }

    /// Waits until a node learns; the milliseconds that took.
    pub fn until_learner(&self, node: &str) -> i64 {
        let (began, store) = (now_ms(), self.siege.open());
        until(&format!("`{node}` to be the learner"), || {
            let lease = self.siege.runtime.block_on(store.lease()).unwrap();
            (lease.held && lease.holder.node == node).then_some(())
        });
        now_ms() - began
    }

    /// Waits until a node has written under the newest term, which is its own.
    pub fn until_it_learns(&self, node: &str) {
        until(&format!("`{node}` to learn something"), || {
            let lease = self.lease();
            let newest = i64::try_from(lease.term).unwrap();
            self.witnessed().iter().any(|(writer, _, term, _)| writer == node && *term == newest).then_some(())
        });
    }

    /// Lets clients of both work until `events` returns.
    pub fn load<T>(&self, servers: [&Server; 2], seed: u64, events: impl FnOnce() -> T) -> T {
        self.load_wires(&servers.map(|server| self.siege.wire(server)), seed, events)
    }

    /// The same for a service that goes away meanwhile: its clients end with it.
    pub fn load_wires<T>(&self, wires: &[Wire<'_>; 2], seed: u64, events: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            for (wire, salt) in wires.iter().zip([1, 2]) {
                for thread in 0..THREADS {
                    let worker = Worker::new(wire, seed ^ (thread << 56) ^ (salt << 48));
                    scope.spawn(move || worker.run());
                }
            }
            let ended = EndsAll(wires);
            let told = events();
            drop(ended);
            told
        })
    }

    /// Sends again what nobody answered, checks everything, and compares the models of both.
    pub fn settle(self, what: &str, servers: [Server; 2], seed: u64) {
        let siege = &self.siege;
        siege.recover(&servers[0], seed);
        let checked = check(siege, &servers[0]);
        assert!(checked.traded > 0, "{what}: nothing was earned");
        let digests = servers.each_ref().map(|server| check::learned(siege, &siege.wire(server)));
        assert_eq!(digests[0], digests[1], "{what}: the models of the two differ");
        let terms = servers.each_ref().map(|server| models(&siege.wire(server).client)["this"]["term"].clone());
        assert_eq!(terms.iter().filter(|term| term.is_null()).count(), 1, "{what}: one learns, one follows: {terms:?}");
        let [first, second] = servers;
        assert!(first.terminate().success());
        let findings = self.siege.end(second);
        accept(what, &findings);
    }
}

/// Ends the clients even where an assertion fails, or the test would wait for them for ever.
struct EndsAll<'a, 'b>(&'a [Wire<'b>; 2]);

impl Drop for EndsAll<'_, '_> {
    fn drop(&mut self) {
        self.0.iter().for_each(Wire::end);
    }
}

/// Lets the clients work for a while.
pub fn work_ms(span: u64) {
    pause(Duration::from_millis(span));
}
