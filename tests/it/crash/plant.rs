//! Plant: a service that acknowledges before it commits, to show that these tests would find it. Tests no real service.

use super::siege::{Siege, progress};
use super::steps::die_at;
use crate::harness::database::Kind;

/// How many decisions were acknowledged and are gone, by one kill.
fn lost(kind: Kind, stop: &str, seed: u64) -> usize {
    let siege = Siege::new(kind);
    let server = die_at(&siege, stop, &[("PROFFER_PLANT", "acknowledge-before-commit")], seed);
    siege.recover(&server, seed);
    let lost = siege.ledger.lock().unwrap().findings.lost;
    siege.end(server);
    progress(&format!("{kind:?} {stop}, planted acknowledge-before-commit: {lost} decisions lost"));
    lost
}

#[test]
fn a_service_that_acknowledges_before_it_commits_is_caught() {
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for stop in ["commit-begin:30", "commit-written:30"] {
            // An answer may be on its way still when the process dies; or the batch held only what was stored before.
            let caught = (1..=5).any(|seed| lost(kind, stop, seed) > 0);
            assert!(caught, "{kind:?} {stop}: the planted fault was not caught");
        }
    }
}
