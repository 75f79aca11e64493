//! What a changed rule does otherwise: stricter, looser, or both, with witnesses where it has a condition. Looks at no
//! recorded decision.

use super::super::lint::{Hit, WORLDS_MAX, condition, contains, covers, hit};
use crate::policy::condition::{World, Worlds};
use crate::policy::rules::Rule;

/// The effect in sentences. Nothing where only words about the rule changed.
pub(super) fn effect(then: &Rule, now: &Rule) -> Vec<String> {
    if same(then, now) {
        let said = then.why == now.why && then.owner == now.owner;
        return said.then(|| "it means the same as before".to_owned()).into_iter().collect();
    }
    let mut told = Vec::new();
    match (then.blocks(), now.blocks()) {
        (true, false) => told.push("it no longer leaves anything out: it only notes what it would say".to_owned()),
        (false, true) => told.push("it leaves offers out now, and did not before".to_owned()),
        _ => {}
    }
    if let Some(witnesses) = by_condition(then, now) {
        told.extend(witnesses);
        return told;
    }
    // What puts offers in is neither.
    if then.favours() || now.favours() {
        return told;
    }
    let stricter = contains(now, then) && covers(now, then);
    let looser = contains(then, now) && covers(then, now);
    told.extend(match (stricter, looser) {
        (true, false) => Some("it is stricter: it leaves out all that it left out before, and more".to_owned()),
        (false, true) => Some("it is looser: it leaves out nothing that it did not leave out before".to_owned()),
        _ => None,
    });
    told
}

/// Whether both check the same, whatever is written about them.
fn same(then: &Rule, now: &Rule) -> bool {
    (then.effective.from, then.effective.until) == (now.effective.from, now.effective.until)
        && then.applies_to == now.applies_to
        && then.severity == now.severity
        && then.on_missing == now.on_missing
        && then.overridable == now.overridable
        && alike(then, now)
}

fn alike(then: &Rule, now: &Rule) -> bool {
    match (condition(then), condition(now)) {
        // The text of a condition may differ where it says the same.
        (Some(then), Some(now)) => then == now,
        _ => then.kind == now.kind,
    }
}

/// What a condition newly leaves out and no longer leaves out, of what the rule applied to and applies to.
fn by_condition(then: &Rule, now: &Rule) -> Option<Vec<String>> {
    let ((old, old_excludes), (new, new_excludes)) = (condition(then)?, condition(now)?);
    let worlds = Worlds::of(&[old, new]);
    if worlds.count() > WORLDS_MAX {
        return Some(vec!["too many cases to look through for what it leaves out now and did not before".to_owned()]);
    }
    let was = |world: &World<'_>| hit(world, old, old_excludes, then.on_missing) != Hit::No;
    let is = |world: &World<'_>| hit(world, new, new_excludes, now.on_missing) != Hit::No;
    let more = worlds.find(|world| is(world) && !was(world)).as_ref().map(World::told);
    let less = worlds.find(|world| was(world) && !is(world)).as_ref().map(World::told);
    let mut told = Vec::new();
    if more.is_none() && less.is_none() && (old, old_excludes) != (new, new_excludes) {
        told.push("its condition leaves out the same as before".to_owned());
    }
    told.extend(more.map(|world| format!("it leaves out {world}, and did not before")));
    told.extend(less.map(|world| format!("it no longer leaves out {world}")));
    Some(told)
}
