//! Moments: kills at random moments, under load and now and then in the middle of a start, one after another on the
//! same store. The moments come from a seed that is printed; what the machine does in them does not.

use std::time::Duration;

use super::check::check;
use super::load::Chance;
use super::siege::{Siege, accept, progress, seed};
use crate::harness::database::Kind;
use crate::harness::server::pause;

/// The longest that a service lives under load, in milliseconds.
const LIFE_MS_MAX: u64 = 2_000;
/// The longest that a service lives which is killed while it starts.
const START_MS_MAX: u64 = 150;

fn kills() -> u64 {
    match std::env::var("PROFFER_KILLS") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("PROFFER_KILLS is `{text}`: expected a whole number")),
        Err(_) => 5,
    }
}

fn random_moments(kind: Kind) {
    let (kills, seed) = (kills(), seed());
    progress(&format!("{kind:?}, {kills} random moments, seed {seed}"));
    let mut chance = Chance(seed);
    let siege = Siege::new(kind);
    let mut server = siege.site.start(&[]);
    siege.furnish(&server);
    for kill in 1..=kills {
        let life = Duration::from_millis(chance.below(LIFE_MS_MAX));
        siege.load(server, chance.next(), |server, wire| {
            pause(life);
            assert!(!wire.is_broken(), "a connection broke before the kill:\n{}", server.said());
            server.kill();
        });
        if chance.one_in(4) {
            let starting = siege.site.spawn(&[]);
            pause(Duration::from_millis(chance.below(START_MS_MAX)));
            starting.kill();
        }
        server = siege.site.start(&[]);
        let (decisions, outcomes) = siege.ledger.lock().unwrap().acknowledged();
        let unanswered = siege.recover(&server, chance.next());
        progress(&format!(
            "{kind:?} kill {kill} of {kills} after {life:?}: {decisions} decisions and {outcomes} outcomes \
             acknowledged so far, {unanswered} unanswered"
        ));
        accept(&format!("{kind:?} kill {kill}, seed {seed}"), &siege.ledger.lock().unwrap().findings);
    }
    let (decisions, outcomes) = siege.ledger.lock().unwrap().acknowledged();
    let checked = check(&siege, &server);
    let findings = siege.end(server);
    progress(&format!(
        "{kind:?}: {kills} kills, {decisions} decisions and {outcomes} outcomes acknowledged, {} lost, {} doubled; \
         {} models rebuilt from a checkpoint",
        findings.lost, findings.doubled, checked.checkpoints
    ));
    accept(&format!("{kind:?}, seed {seed}"), &findings);
}

#[test]
fn kills_at_random_moments_lose_and_double_nothing_on_sqlite() {
    random_moments(Kind::Sqlite);
}

#[test]
fn kills_at_random_moments_lose_and_double_nothing_on_postgres() {
    random_moments(Kind::Postgres);
}
