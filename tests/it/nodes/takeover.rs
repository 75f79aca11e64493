//! Takeover: the learner is paused for longer than its lease, at any moment or at a step of its own, killed, or asked
//! to stop. Another one learns within ten seconds, the old term writes nothing more, and the integers are those of an
//! undisturbed run.

use super::pair::{Pair, load_wires, work_ms};
use crate::crash::siege::{progress, seed};
use crate::harness::server::{Server, until};

/// Until another one learns, whatever happened to the one before.
const TAKEOVER_MS_MAX: i64 = 10_000;

/// Everything written under a term was written by its holder. Says by how many.
fn holders(pair: &Pair, what: &str) -> usize {
    let witnessed = pair.witnessed();
    let strange: Vec<_> = witnessed.iter().filter(|(writer, holder, ..)| writer != holder).collect();
    assert!(strange.is_empty(), "{what}: written by one who was not the learner (who, learner, term): {strange:?}");
    witnessed.len()
}

/// Pauses the learner, by a signal from outside or at a step, until another one has learned, and wakes it up.
fn paused(lease_seconds: u64, at_step: Option<&str>) {
    let (seed, what) = (seed(), format!("paused {}", at_step.unwrap_or("from outside")));
    let pair = Pair::new(lease_seconds);
    let variables: Vec<(&str, &str)> = at_step.iter().map(|step| ("PROFFER_PAUSE_AT", *step)).collect();
    let old = pair.start("old", &variables);
    pair.until_learner("old");
    pair.witness();
    pair.siege.furnish(&old);
    let new = pair.start("new", &[]);
    let took = pair.load([&old, &new], seed, || {
        if at_step.is_none() {
            pair.until_it_learns("old");
            work_ms(500);
            old.signal("STOP");
        }
        until("the learner to stand still", || old.stands_still().then_some(()));
        let took = pair.until_learner("new");
        pair.until_it_learns("new");
        old.signal("CONT");
        // It wakes in the middle of its work, with more of it coming.
        work_ms(1_500);
        took
    });
    assert!(took < TAKEOVER_MS_MAX, "{what}: it took {took} ms until another one learned");
    let terms = holders(&pair, &what);
    progress(&format!("{what}, lease {lease_seconds} s: another one was elected after {took} ms; {terms} terms wrote"));
    pair.settle(&what, [new, old], seed);
}

/// A debug build that writes under any term, or these tests would prove nothing.
#[test]
fn a_learner_that_ignores_the_fence_is_caught() {
    let pair = Pair::new(2);
    let old = pair.start("old", &[("PROFFER_PLANT", "ignore-fence")]);
    pair.until_learner("old");
    pair.witness();
    pair.siege.furnish(&old);
    let new = pair.start("new", &[]);
    pair.load([&old, &new], seed(), || {
        pair.until_it_learns("old");
        old.signal("STOP");
        pair.until_learner("new");
        pair.until_it_learns("new");
        old.signal("CONT");
        until("the stale learner to be caught writing", || {
            pair.witnessed().iter().any(|(writer, holder, ..)| writer == "old" && holder == "new").then_some(())
        });
    });
    drop(old);
    pair.siege.end(new);
}

#[test]
fn a_learner_paused_beyond_its_lease_writes_nothing_when_it_wakes() {
    paused(5, None);
}

#[test]
fn a_learner_paused_just_before_its_write_does_not_write_it() {
    paused(2, Some("learn-begin:12"));
}

#[test]
fn a_learner_paused_within_its_transaction_keeps_nobody_waiting() {
    paused(2, Some("learn-written:12"));
}

#[test]
fn a_learner_paused_when_its_write_was_durable_follows_and_writes_nothing_twice() {
    paused(2, Some("learn-durable:12"));
}

/// Ends the learner under load and starts it again; the other one has taken over.
fn ended(what: &str, lease_seconds: u64, took_ms_max: i64, end: impl FnOnce(Server)) {
    let seed = seed();
    let pair = Pair::new(lease_seconds);
    let old = pair.start("old", &[]);
    pair.until_learner("old");
    pair.witness();
    pair.siege.furnish(&old);
    let new = pair.start("new", &[]);
    let said = old.hearing();
    let mut old = Some(old);
    let wires = [pair.siege.wire(old.as_ref().unwrap()), pair.siege.wire(&new)];
    let took = load_wires(&wires, seed, || {
        pair.until_it_learns("old");
        work_ms(1_000);
        end(old.take().unwrap());
        let took = pair.until_learner("new");
        pair.until_it_learns("new");
        took
    });
    drop(wires);
    assert!(took < took_ms_max, "{what}: it took {took} ms until another one learned; the first one said:\n{}", said());
    // What was not answered is sent again, and the one that comes back follows.
    let old = pair.start("old", &[]);
    let terms = holders(&pair, what);
    progress(&format!("{what}, lease {lease_seconds} s: another one was elected after {took} ms; {terms} terms wrote"));
    pair.settle(what, [new, old], seed);
}

#[test]
fn when_the_learner_is_killed_another_one_learns_within_ten_seconds() {
    ended("killed", 5, TAKEOVER_MS_MAX, Server::kill);
}

#[test]
fn a_learner_that_is_asked_to_stop_gives_its_lease_up_at_once() {
    // Much longer than the test waits for another one.
    ended("stopped", 60, 3_000, |old| assert!(old.terminate().success()));
}
