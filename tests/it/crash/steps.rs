//! Steps: a kill at every step of persistence that the stores name, with work before it, and everything checked after.

use std::os::unix::process::ExitStatusExt as _;

use proffer::store::steps::Step;

use super::check::{Checked, check};
use super::siege::{Siege, accept, progress, seed};
use crate::harness::database::Kind;
use crate::harness::server::{Server, until};

/// Which arrivals at a step are the last thing a process does: late enough that it has worked before, and more than
/// one, since not every batch holds what a fault would lose. None of what no load does.
fn arrivals(step: Step) -> Option<[u32; 2]> {
    Some(match step {
        Step::CommitBegin | Step::CommitWritten | Step::CommitDurable => [20, 60],
        Step::SubjectsWritten | Step::SubjectsDurable | Step::ConsentsWritten | Step::ConsentsDurable => [4, 10],
        Step::OutcomesBegin
        | Step::OutcomesWritten
        | Step::OutcomesDurable
        | Step::LearnBegin
        | Step::LearnWritten
        | Step::LearnDurable => [10, 30],
        // Reached by orders that come before their decisions.
        Step::MatchesWritten | Step::MatchesDurable => [2, 6],
        // The first fills the empty catalogue; the log is appended to once a second.
        Step::ImportWritten | Step::ImportDurable | Step::LogWritten | Step::LogDurable => [2, 3],
        Step::ErasureBegun | Step::ErasureWritten | Step::ErasureDurable => return None,
    })
}

/// Runs a service under load until it dies at a step, and starts it again. Fails if the step is never reached.
pub fn die_at(siege: &Siege, stop: &str, variables: &[(&str, &str)], seed: u64) -> Server {
    let variables: Vec<(&str, &str)> = variables.iter().copied().chain([("PROFFER_STOP_AT", stop)]).collect();
    let server = siege.site.start(&variables);
    siege.furnish(&server);
    siege.load(server, seed, |mut server, _| {
        let status = until(&format!("a service under load to reach {stop}"), || server.ended());
        assert_eq!(status.signal(), Some(9), "{stop}: it ended with {status}:\n{}", server.said());
    });
    siege.site.start(&[])
}

fn every_step(kind: Kind) {
    let seed = seed();
    progress(&format!("{kind:?}, every step, seed {seed}"));
    let mut all = Checked::default();
    for (step, name) in Step::ALL {
        let Some(arrivals) = arrivals(step) else { continue };
        let mut worked = 0;
        for arrival in arrivals {
            let (checked, decisions) = one_step(kind, &format!("{name}:{arrival}"), seed.wrapping_add(arrival.into()));
            all.capped += checked.capped;
            all.traded += checked.traded;
            worked += decisions;
        }
        // One kill may come before the first answer; not both, or the step was tried on a service that did nothing.
        assert!(worked > 0, "{name}: nothing was acknowledged before any kill");
    }
    assert!(all.capped > 0 && all.traded > 0, "the load reached no cap or earned nothing: {all:?}");
}

/// One kill and what was found after it, with the number of decisions acknowledged before.
fn one_step(kind: Kind, stop: &str, seed: u64) -> (Checked, usize) {
    let siege = Siege::new(kind);
    let server = die_at(&siege, stop, &[], seed);
    let (decisions, outcomes) = siege.ledger.lock().unwrap().acknowledged();
    let unanswered = siege.recover(&server, seed);
    let checked = check(&siege, &server);
    let findings = siege.end(server);
    progress(&format!(
        "{kind:?} {stop}: {decisions} decisions and {outcomes} outcomes acknowledged, {unanswered} unanswered, \
         {} lost, {} doubled",
        findings.lost, findings.doubled
    ));
    accept(&format!("{kind:?} {stop}, seed {seed}"), &findings);
    (checked, decisions)
}

#[test]
fn a_kill_at_any_step_loses_and_doubles_nothing_on_sqlite() {
    every_step(Kind::Sqlite);
}

#[test]
fn a_kill_at_any_step_loses_and_doubles_nothing_on_postgres() {
    every_step(Kind::Postgres);
}
