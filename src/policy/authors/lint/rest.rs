//! Warnings about what surrounds a rule: its tests, its time, the regions it names. Looks at no condition and no limit.

use super::{ENDS_SOON, Found, Ground, OVER, REGIONS_UNSEEN, UNMEASURED, UNTESTED, written};
use crate::domain::Span;
use crate::policy::kinds::availability::Availability;
use crate::policy::rules::{Rule, RuleKind};

/// So long before its end a rule is told to end soon.
const SOON: Span = Span(14 * 86_400_000);

/// The same for what never holds longer than two weeks.
const SOON_OVERRIDE: Span = Span(2 * 86_400_000);

pub(super) fn find(ground: &Ground<'_>, found: &mut Found<'_>) {
    let places_said =
        ground.tests.cases.is_empty() || ground.tests.cases.iter().any(|case| case.jurisdiction.is_some());
    for rule in written(ground.bundle) {
        let id = &rule.id;
        if let Some((_, gap)) = ground.gaps.iter().find(|(untested, _)| untested == id) {
            let help = "in tests/*.test.yaml, write a case that expects the rule and one about the same offers that \
                        does not"
                .to_owned();
            found.add(UNTESTED, rule, format!("rule `{id}` is not shown by its tests: {gap}"), "untested", help);
        }
        if !places_said && let Some(regions) = regions(rule) {
            let message =
                format!("rule `{id}` is for `{}`, and no case says from where a request comes", regions.join("`, `"));
            let help =
                "where a request has no jurisdiction the rule holds as if it came from there: let the shop send \
                        one, and write `jurisdiction: US-NY` in a case"
                    .to_owned();
            found.add(REGIONS_UNSEEN, rule, message, "for some regions only", help);
        }
        if rule.is_measured() && rule.blocks() && ground.bundle.report.is_none() {
            let message = format!("rule `{id}` asks for a measure, and the bundle names no report");
            let help = "until `proffer policy measure` has measured it the bundle cannot be put in force".to_owned();
            found.add(UNMEASURED, rule, message, "not measured", help);
        }
        if let Some(until) = rule.effective.until {
            if until <= ground.now {
                let help = "remove it, or give it a later `until`".to_owned();
                found.add(OVER, rule, format!("rule `{id}` is over since {until}"), "over", help);
            } else if until <= ground.now.plus(soon(rule)) {
                let help = "say so to who answers for it; give it a later `until` if it is to stay".to_owned();
                found.add(ENDS_SOON, rule, format!("rule `{id}` ends at {until}"), "ends soon", help);
            }
        }
        closed(ground, rule, found);
    }
}

/// Warns of offers whose dates are over, or soon: from then on the rule leaves out everything it applies to.
fn closed(ground: &Ground<'_>, rule: &Rule, found: &mut Found<'_>) {
    let RuleKind::Availability(Availability { dates: Some(dates), .. }) = &rule.kind else { return };
    let (Some(until), id) = (dates.until, &rule.id) else { return };
    let help = "give `dates` a later `until` if its offers are to be shown longer; otherwise take them out of the \
                catalogue, and then the rule"
        .to_owned();
    if until <= ground.now {
        let message = format!("rule `{id}` leaves out everything it applies to since {until}: its dates are over");
        found.add(OVER, rule, message, "over", help);
    } else if until <= ground.now.plus(soon(rule)) {
        let message = format!("rule `{id}` leaves out everything it applies to from {until} on: its dates end");
        found.add(ENDS_SOON, rule, message, "ends soon", help);
    }
}

/// The regions that a rule is limited to.
fn regions(rule: &Rule) -> Option<&[String]> {
    let own = match &rule.kind {
        RuleKind::Availability(availability) => availability.regions.as_deref(),
        _ => None,
    };
    own.or(rule.applies_to.regions.as_deref())
}

fn soon(rule: &Rule) -> Span {
    match &rule.kind {
        RuleKind::Override(_) | RuleKind::KillSwitch(_) => SOON_OVERRIDE,
        _ => SOON,
    }
}
