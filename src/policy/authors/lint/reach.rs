//! Warnings about where rules reach: a rule that where it applies can leave out nothing, or leaves out everything, and
//! rules of one place that leave nothing together or undo each other. Compares no amounts and looks at no condition.

use super::{ALWAYS, CONTRADICTING, Found, Ground, NEVER, place, scope, written};
use crate::domain::{OfferId, Placement, PurposeId};
use crate::policy::bundle::Bundle;
use crate::policy::declared::jurisdiction;
use crate::policy::interval::Interval;
use crate::policy::kinds::availability::Availability;
use crate::policy::kinds::diversity::Diversity;
use crate::policy::kinds::floors::FloorLimit;
use crate::policy::kinds::gate::Gate;
use crate::policy::kinds::price_limits::PriceLimit;
use crate::policy::kinds::stackability::Stackability;
use crate::policy::kinds::switches::Stop;
use crate::policy::rules::{Rule, RuleKind};

pub(super) fn find(ground: &Ground<'_>, found: &mut Found<'_>) {
    let rules: Vec<&Rule> = written(ground.bundle).collect();
    for rule in &rules {
        never(ground.bundle, rule, found);
        if let RuleKind::Availability(availability) = &rule.kind {
            nowhere(rule, availability, found);
        }
    }
    for (at, a) in rules.iter().enumerate() {
        for b in rules.iter().skip(at + 1).filter(|b| a.blocks() && b.blocks()) {
            let (first, second) = if a.place <= b.place { (a, b) } else { (b, a) };
            if let (RuleKind::Availability(one), RuleKind::Availability(other)) = (&first.kind, &second.kind) {
                apart((first, one), (second, other), found);
            }
            undone(a, b, found);
            undone(b, a, found);
        }
    }
}

/// The placements at which a rule is asked.
fn placements<'a>(bundle: &'a Bundle, rule: &'a Rule) -> impl Iterator<Item = &'a Placement> {
    bundle.placements.values().filter(|placement| rule.applies_to.covers_placement(placement))
}

/// Warns of a rule that nothing can come to, where it applies.
fn never(bundle: &Bundle, rule: &Rule, found: &mut Found<'_>) {
    let id = &rule.id;
    let slots = || placements(bundle, rule).map(|placement| u32::from(placement.slots)).max().unwrap_or(0);
    let told = match &rule.kind {
        RuleKind::Stackability(Stackability::Group { at_most, offers, categories }) => {
            let members = u32::try_from(offers.len()).unwrap_or(u32::MAX);
            if categories.is_empty() && members <= *at_most {
                Some((format!("its group has no more than {at_most} offers"), "lower `at_most`, or name more of them"))
            } else {
                roomy(*at_most, slots())
            }
        }
        RuleKind::Diversity(Diversity { at_most, .. }) => roomy(*at_most, slots()),
        RuleKind::Stackability(Stackability::Pairs(_)) => roomy(1, slots()),
        RuleKind::FrequencyCap(_) if placements(bundle, rule).all(|placement| !placement.obeys_caps) => Some((
            "no placement where it applies obeys caps".to_owned(),
            "let it apply to others, or remove `obeys_caps: false` there",
        )),
        RuleKind::PurposeGate(gate) if !asked(bundle, rule, gate) => Some((
            format!("no placement where it applies decides for `{}`, or falls back to it", gate.purpose),
            "correct `purpose` or `applies_to`, or remove the gate",
        )),
        RuleKind::PriceLimit(PriceLimit::MaxDiscount(FloorLimit::Percent(most))) if most.0 >= 10_000 => {
            Some(("no discount is larger than the price".to_owned(), "lower `max_discount`"))
        }
        RuleKind::PriceLimit(PriceLimit::MinPrice(least)) if least.minor <= 0 => {
            Some(("no price is under it".to_owned(), "raise `min_price`"))
        }
        RuleKind::Availability(availability) => everywhere(bundle, rule, availability),
        _ => None,
    };
    if let Some((why, mend)) = told {
        let message = format!("rule `{id}` never leaves anything out: {why}");
        found.add(NEVER, rule, message, "never", format!("{mend}; otherwise remove it"));
    }
}

fn roomy(at_most: u32, slots: u32) -> Option<(String, &'static str)> {
    let holds = if slots == 1 { "1 offer".to_owned() } else { format!("{slots} offers") };
    (at_most >= slots).then(|| {
        (
            format!("where it applies an answer holds {holds} at most"),
            "lower `at_most`, or raise `slots` of a placement",
        )
    })
}

/// Purposes that are asked for by name, wherever.
const NAMED: [&str; 4] = ["service", "model_training", "price_personalisation", "measurement"];

/// Whether a decision may ask for the purpose of a gate where that applies.
fn asked(bundle: &Bundle, rule: &Rule, gate: &Gate) -> bool {
    let reached = |placement: &Placement| {
        let mut at: Option<&PurposeId> = Some(&placement.purpose);
        // A bundle with a circle of fallbacks does not compile; the bound is for what reads on all the same.
        for _ in 0..=bundle.purposes.len() {
            match at {
                Some(purpose) if *purpose == gate.purpose => return true,
                Some(purpose) => at = bundle.purposes.get(purpose).and_then(|spec| spec.fallback.as_ref()),
                None => return false,
            }
        }
        false
    };
    NAMED.contains(&gate.purpose.as_str()) || placements(bundle, rule).any(reached)
}

/// That a rule of availability lets everything through: each channel where it applies is one of its own.
fn everywhere(bundle: &Bundle, rule: &Rule, availability: &Availability) -> Option<(String, &'static str)> {
    let Availability { regions: None, channels: Some(channels), dates: None, dayparts: None, stores: None } =
        availability
    else {
        return None;
    };
    let all = placements(bundle, rule).all(|placement| channels.contains(&placement.channel));
    all.then(|| ("every placement where it applies is on one of its `channels`".to_owned(), "name fewer channels"))
}

/// Warns of a rule of availability that leaves out everything it applies to: it is available elsewhere only.
fn nowhere(rule: &Rule, availability: &Availability, found: &mut Found<'_>) {
    let applies_to = &rule.applies_to;
    let names = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let elsewhere = match (&applies_to.channels, &availability.channels) {
        (Some(asked), Some(open)) if asked.iter().all(|channel| !open.contains(channel)) => {
            Some(("on", names(asked), names(open)))
        }
        _ => None,
    };
    let elsewhere = elsewhere.or_else(|| match (&applies_to.regions, &availability.regions) {
        (Some(asked), Some(open)) if !jurisdiction::meet(asked, open) => Some(("in", names(asked), names(open))),
        _ => None,
    });
    if let Some((word, asked, open)) = elsewhere {
        let id = &rule.id;
        let message = format!("rule `{id}` leaves out everything it applies to");
        let help = format!(
            "it applies {word} {asked}, and lets through {word} {open}: leave one of the two lists out, or correct it"
        );
        found.add(ALWAYS, rule, message, "always", help);
    }
}

/// Warns of two rules of availability that are open at no common place or time.
fn apart((a, one): (&Rule, &Availability), (b, other): (&Rule, &Availability), found: &mut Found<'_>) {
    if !scope::contains(a, b) && !scope::contains(b, a) {
        return;
    }
    let disjoint = [
        ("channels", none_in_common(one.channels.as_deref(), other.channels.as_deref())),
        ("stores", none_in_common(one.stores.as_deref(), other.stores.as_deref())),
        ("regions", matches!((&one.regions, &other.regions), (Some(a), Some(b)) if !jurisdiction::meet(a, b))),
        ("dates", matches!((&one.dates, &other.dates), (Some(a), Some(b)) if !overlap(a, b))),
    ];
    let Some((field, _)) = disjoint.into_iter().find(|(_, disjoint)| *disjoint) else { return };
    let (wide, narrow) = if scope::contains(a, b) { (a, b) } else { (b, a) };
    let (id, at) = (&narrow.id, place(wide));
    let message = format!("rules `{id}` and `{}` leave nothing of what `{id}` applies to", wide.id);
    let help = format!(
        "`{}` stands at {at}, and their `{field}` have nothing in common, where both must hold: write one rule, or let \
         each apply to other offers",
        wide.id
    );
    found.add(CONTRADICTING, narrow, message, "nothing is left", help);
}

fn none_in_common<T: PartialEq>(a: Option<&[T]>, b: Option<&[T]>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.iter().all(|one| !b.contains(one)))
}

fn overlap(a: &Interval, b: &Interval) -> bool {
    let begins_before = |a: &Interval, b: &Interval| a.from.zip(b.until).is_none_or(|(from, until)| from < until);
    begins_before(a, b) && begins_before(b, a)
}

/// Warns of an override that puts in what something else stops all the same.
fn undone(rule: &Rule, by: &Rule, found: &mut Found<'_>) {
    let RuleKind::Override(favour) = &rule.kind else { return };
    if !rule.favours() || !overlap(&rule.effective, &by.effective) || !scope::reaches(by, rule) {
        return;
    }
    let stopped: Vec<&OfferId> = favour.offers.iter().filter(|offer| stops(by, offer)).collect();
    let Some(offer) = stopped.first() else { return };
    let id = &rule.id;
    let does = if rule.lifts() { "puts in" } else { "pins" };
    let message = format!("override `{id}` {does} `{offer}`, which `{}` keeps out", by.id);
    let help = format!(
        "`{}` stands at {} and no override lifts it: take `{offer}` out of `{id}`, or end one of them before the \
         other begins",
        by.id,
        place(by)
    );
    found.add(CONTRADICTING, rule, message, "undone", help);
}

/// Whether a rule that nothing lifts names an offer and keeps it out, whatever else is so.
fn stops(rule: &Rule, offer: &OfferId) -> bool {
    match &rule.kind {
        RuleKind::KillSwitch(switch) => match &switch.stop {
            Stop::All => true,
            Stop::Named { offers, .. } => offers.contains(offer),
        },
        _ => false,
    }
}
