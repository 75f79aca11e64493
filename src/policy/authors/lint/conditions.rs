//! Warnings about conditions: never, always, only by what is missing, the same as another, shadowed, contradicting.
//! Looks at every case that they tell apart, within bounds, and at no real customer.

use super::{ALWAYS, CONTRADICTING, DUPLICATE, NEVER, ONLY_MISSING, SHADOWED};
use super::{Found, Ground, place, scope, written};
use crate::policy::condition::{Term, World, Worlds};
use crate::policy::rules::{OnMissing, Rule, RuleKind};

/// What a rule does to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) enum Hit {
    /// Lets it be.
    No,
    /// Leaves it out, by what is known.
    Yes,
    /// Leaves it out because something is missing.
    Missing,
}

/// The condition of a rule, and whether it leaves out where that holds (`true`) or where it does not.
pub(in crate::policy) fn condition(rule: &Rule) -> Option<(&Term, bool)> {
    match &rule.kind {
        RuleKind::Exclusion { when } => Some((when.term(), true)),
        RuleKind::Requirement { when } => Some((when.term(), false)),
        RuleKind::LoyaltyEligibility(loyalty) => Some((loyalty.term(), false)),
        RuleKind::AudienceGuard(guard) => Some((guard.when.term(), true)),
        RuleKind::Currency
        | RuleKind::PurposeGate(_)
        | RuleKind::MarginFloor { .. }
        | RuleKind::FrequencyCap(_)
        | RuleKind::Availability(_)
        | RuleKind::Stackability(_)
        | RuleKind::Diversity(_)
        | RuleKind::Schedule
        | RuleKind::Campaign
        | RuleKind::Stock
        | RuleKind::CoolDown(_)
        | RuleKind::Budget
        | RuleKind::Approval
        | RuleKind::PriceLimit(_)
        | RuleKind::PricePersonalisation(_)
        | RuleKind::Budgeted(_)
        | RuleKind::Stocked(_)
        | RuleKind::CategoryExclusion(_)
        | RuleKind::FairnessGate(_)
        | RuleKind::Override(_)
        | RuleKind::KillSwitch(_) => None,
    }
}

/// What a rule with a condition does in one case.
pub(in crate::policy) fn hit(world: &World<'_>, term: &Term, excludes: bool, on_missing: OnMissing) -> Hit {
    match (world.truth(term), on_missing) {
        (Some(truth), _) if truth == excludes => Hit::Yes,
        (None, OnMissing::Exclude) => Hit::Missing,
        _ => Hit::No,
    }
}

/// A rule with its condition.
#[derive(Clone, Copy)]
struct Asked<'a> {
    rule: &'a Rule,
    term: &'a Term,
    excludes: bool,
}

impl Asked<'_> {
    fn hit(self, world: &World<'_>) -> Hit {
        hit(world, self.term, self.excludes, self.rule.on_missing)
    }

    fn leaves_out(self, world: &World<'_>) -> bool {
        self.hit(world) != Hit::No
    }

    /// Whether it can be set beside another: both leave offers out, and both see the same. A guard sees attributes
    /// that other rules do not see without consent.
    fn compares(self, other: Self) -> bool {
        let guards = |asked: Self| matches!(asked.rule.kind, RuleKind::AudienceGuard(_));
        self.rule.blocks() && other.rule.blocks() && guards(self) == guards(other)
    }
}

pub(super) fn find(ground: &Ground<'_>, found: &mut Found<'_>) {
    // A rule that stands out by itself is not compared: what it does to others follows from it.
    let mut plain: Vec<Asked<'_>> = Vec::new();
    for rule in written(ground.bundle) {
        let Some((term, excludes)) = condition(rule) else { continue };
        let asked = Asked { rule, term, excludes };
        let worlds = Worlds::of(&[term]);
        if !found.may(worlds.count(), &|| format!("whether `{}` ever leaves anything out", rule.id)) {
            plain.push(asked);
            continue;
        }
        if !alone(asked, &worlds, found) {
            plain.push(asked);
        }
    }
    for (at, a) in plain.iter().enumerate() {
        for b in plain.iter().skip(at + 1) {
            if a.compares(*b) && share(a.term, b.term) {
                pair(*a, *b, found);
            }
        }
    }
    together(&plain, found);
}

/// Warns of a rule that is odd by itself.
fn alone(asked: Asked<'_>, worlds: &Worlds, found: &mut Found<'_>) -> bool {
    let rule = asked.rule;
    let id = &rule.id;
    if let Some(spared) = worlds.find(|world| asked.hit(world) != Hit::Yes) {
        let hits = worlds.find(|world| asked.hit(world) == Hit::Yes);
        let missing = worlds.find(|world| asked.hit(world) == Hit::Missing);
        match (hits, missing) {
            (None, None) => {
                let message = format!("rule `{id}` never leaves anything out");
                let help = format!("it lets everything pass, such as {}: correct it or remove it", spared.told());
                found.add(NEVER, rule, message, "never", help);
                return true;
            }
            (None, Some(missing)) => {
                let names = missing.missing().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let message = format!("rule `{id}` leaves something out only where {names} is missing");
                let help =
                    "whatever the value is, it passes: correct the condition; if the value is only to be there, \
                            write `has(...)`"
                        .to_owned();
                found.add(ONLY_MISSING, rule, message, "only what is missing", help);
                return true;
            }
            _ => {}
        }
    }
    if worlds.find(|world| asked.hit(world) == Hit::No).is_none() {
        let witness = worlds.find(|world| asked.hit(world) == Hit::Yes).as_ref().map(World::told);
        let message = format!("rule `{id}` leaves out everything it applies to");
        let help = format!(
            "this hits {} too: correct the condition; to stop offers altogether, pause them in the catalogue",
            witness.unwrap_or_default()
        );
        found.add(ALWAYS, rule, message, "always", help);
        return true;
    }
    false
}

/// Whether two conditions read something in common; others have nothing to do with each other.
fn share(a: &Term, b: &Term) -> bool {
    let mut reads = Vec::new();
    a.reads(&mut |read| reads.push(read.clone()));
    let mut shared = false;
    b.reads(&mut |read| shared |= reads.contains(read));
    shared
}

fn pair(a: Asked<'_>, b: Asked<'_>, found: &mut Found<'_>) {
    let (over, under) = (scope::contains(a.rule, b.rule), scope::contains(b.rule, a.rule));
    if !over && !under {
        return;
    }
    let worlds = Worlds::of(&[a.term, b.term]);
    if !found.may(worlds.count(), &|| format!("whether `{}` and `{}` agree", a.rule.id, b.rule.id)) {
        return;
    }
    let hits = |asked: Asked<'_>, world: &World<'_>| asked.leaves_out(world);
    let covers = |wide, narrow| worlds.find(|world| hits(narrow, world) && !hits(wide, world)).is_none();
    let (a_covers, b_covers) = (over && covers(a, b), under && covers(b, a));
    // The one further down is the one to remove.
    let (first, second) = if a.rule.place <= b.rule.place { (a, b) } else { (b, a) };
    if a_covers && b_covers {
        let message = format!("rule `{}` says the same as `{}`", second.rule.id, first.rule.id);
        let help = format!("`{}` stands at {}: keep one of them", first.rule.id, place(first.rule));
        found.add(DUPLICATE, second.rule, message, "again", help);
        return;
    }
    if a_covers || b_covers {
        let (wide, narrow) = if a_covers { (a, b) } else { (b, a) };
        let shared = worlds.find(|world| narrow.hit(world) == Hit::Yes && wide.hit(world) == Hit::Yes);
        let more = worlds.find(|world| !hits(narrow, world) && wide.hit(world) == Hit::Yes);
        let (id, other) = (&narrow.rule.id, &wide.rule.id);
        let message = format!("rule `{id}` changes nothing: what it leaves out, `{other}` leaves out as well");
        let shared = shared.map_or_else(String::new, |world| format!(" and hits {} too", world.told()));
        let more = more.map_or_else(String::new, |world| format!("; it also hits {}", world.told()));
        let help =
            format!("`{other}` stands at {}{shared}{more}: remove `{id}`, or narrow `{other}`", place(wide.rule));
        found.add(SHADOWED, narrow.rule, message, "changes nothing", help);
        return;
    }
    if worlds.find(|world| !hits(a, world) && !hits(b, world)).is_none() {
        let (wide, narrow) = if over && under {
            (first, second)
        } else if over {
            (a, b)
        } else {
            (b, a)
        };
        let (id, other) = (&narrow.rule.id, &wide.rule.id);
        let left_by = |kept: Asked<'_>, by: Asked<'_>| {
            let world = worlds.find(|world| !hits(kept, world));
            world.map_or_else(String::new, |world| format!("{} is left out by `{}`", world.told(), by.rule.id))
        };
        let message = format!("rules `{id}` and `{other}` leave nothing of what `{id}` applies to");
        let help = format!(
            "`{other}` stands at {}; {}, and {}: correct one of them, or let each apply to other offers",
            place(wide.rule),
            left_by(narrow, wide),
            left_by(wide, narrow)
        );
        found.add(CONTRADICTING, narrow.rule, message, "nothing is left", help);
    }
}

/// Warns of three rules and more that leave nothing together, where no two of them do.
fn together(plain: &[Asked<'_>], found: &mut Found<'_>) {
    let mut told: Vec<Vec<&str>> = Vec::new();
    for narrow in plain.iter().rev() {
        let mut set = vec![*narrow];
        // Whatever applies wherever this one does, and has to do with what is there already.
        while let Some(more) = plain.iter().find(|asked| {
            narrow.compares(**asked)
                && set.iter().all(|known| known.rule.id != asked.rule.id)
                && scope::contains(asked.rule, narrow.rule)
                && set.iter().any(|known| share(known.term, asked.term))
        }) {
            set.push(*more);
        }
        if set.len() < 3 {
            continue;
        }
        let terms: Vec<&Term> = set.iter().map(|asked| asked.term).collect();
        let worlds = Worlds::of(&terms);
        let names = |set: &[Asked<'_>]| set.iter().map(|asked| format!("`{}`", asked.rule.id)).collect::<Vec<_>>();
        if !found.may(worlds.count(), &|| format!("whether {} leave anything together", names(&set).join(", "))) {
            continue;
        }
        let nothing_left =
            |set: &[Asked<'_>]| worlds.find(|world| set.iter().all(|asked| !asked.leaves_out(world))).is_none();
        if !nothing_left(&set) {
            continue;
        }
        for at in (1..set.len()).rev() {
            let mut fewer = set.clone();
            fewer.remove(at);
            if nothing_left(&fewer) {
                set = fewer;
            }
        }
        let mut ids: Vec<&str> = set.iter().map(|asked| asked.rule.id.as_str()).collect();
        ids.sort_unstable();
        // Two are told as two.
        if set.len() < 3 || told.contains(&ids) {
            continue;
        }
        told.push(ids);
        let alone = set.iter().filter_map(|asked| {
            let others =
                |world: &World<'_>| set.iter().all(|other| other.rule.id == asked.rule.id || !other.leaves_out(world));
            let world = worlds.find(others)?;
            Some(format!("{} is left out by `{}` ({})", world.told(), asked.rule.id, place(asked.rule)))
        });
        let id = &narrow.rule.id;
        let message = format!("rules {} leave nothing of what `{id}` applies to", names(&set).join(", "));
        let help =
            format!("{}: correct one of them, or let one apply to other offers", alone.collect::<Vec<_>>().join("; "));
        found.add(CONTRADICTING, narrow.rule, message, "nothing is left", help);
    }
}
