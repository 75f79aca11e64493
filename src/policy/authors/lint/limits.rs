//! Warnings about limits: a floor under a higher one, a cap that a wider cap keeps from its limit, and the like.
//! Compares two rules of one kind by what they allow, and looks at no condition.

use super::{CAP_LOOSER, DUPLICATE, Found, Ground, SHADOWED, place, scope, written};
use crate::policy::kinds::caps::{CalendarUnit, Cap, CapBy, CapWindow, WithoutIdentifier};
use crate::policy::kinds::cool_downs::CoolDown;
use crate::policy::kinds::diversity::Diversity;
use crate::policy::kinds::floors::FloorLimit;
use crate::policy::kinds::stackability::Stackability;
use crate::policy::rules::{OnMissing, Rule, RuleKind};

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

pub(super) fn find(ground: &Ground<'_>, found: &mut Found<'_>) {
    let rules: Vec<&Rule> = written(ground.bundle).filter(|rule| rule.blocks()).collect();
    for (at, a) in rules.iter().enumerate() {
        for b in rules.iter().skip(at + 1) {
            let (first, second) = if a.place <= b.place { (a, b) } else { (b, a) };
            let wider = |wide: &Rule, narrow: &Rule| scope::contains(wide, narrow) && covers(wide, narrow);
            let id = |rule: &Rule| format!("`{}`", rule.id);
            match (wider(first, second), wider(second, first)) {
                (false, false) => {}
                (true, true) => {
                    let message = format!("rule {} says the same as {}", id(second), id(first));
                    let help = format!("{} stands at {}: keep one of them", id(first), place(first));
                    found.add(DUPLICATE, second, message, "again", help);
                }
                (over, _) => {
                    let (wide, narrow) = if over { (first, second) } else { (second, first) };
                    tell(wide, narrow, found);
                }
            }
        }
    }
}

fn tell(wide: &Rule, narrow: &Rule, found: &mut Found<'_>) {
    let (id, other, at) = (&narrow.id, &wide.id, place(wide));
    if let (RuleKind::FrequencyCap(wider), RuleKind::FrequencyCap(cap)) = (&wide.kind, &narrow.kind) {
        let message = format!(
            "cap `{id}` of {} in {} never comes to its limit: `{other}` allows {} in {}",
            cap.max, cap.window, wider.max, wider.window
        );
        let help = format!("`{other}` stands at {at}: lower `max` of `{id}`, or remove it");
        found.add(CAP_LOOSER, narrow, message, "looser than a wider cap", help);
        return;
    }
    let message = format!("rule `{id}` changes nothing: what it leaves out, `{other}` leaves out as well");
    let help = format!("`{other}` stands at {at} and is stricter everywhere that `{id}` applies: remove one of them");
    found.add(SHADOWED, narrow, message, "changes nothing", help);
}

/// Whether a rule leaves out all that another of its kind leaves out, where both apply. Conditions are compared
/// elsewhere, by cases.
pub(in crate::policy) fn covers(wide: &Rule, narrow: &Rule) -> bool {
    match (&wide.kind, &narrow.kind) {
        (RuleKind::MarginFloor { min, over }, RuleKind::MarginFloor { min: other, over: of }) => {
            over == of && floors(*min, *other)
        }
        (RuleKind::PurposeGate(a), RuleKind::PurposeGate(b)) => a == b,
        (RuleKind::PriceLimit(a), RuleKind::PriceLimit(b)) => a == b && missing(wide, narrow),
        (RuleKind::PricePersonalisation(a), RuleKind::PricePersonalisation(b)) => a == b && missing(wide, narrow),
        (RuleKind::Budgeted(a), RuleKind::Budgeted(b)) | (RuleKind::Stocked(a), RuleKind::Stocked(b)) => a == b,
        (RuleKind::FrequencyCap(a), RuleKind::FrequencyCap(b)) => caps(a, b),
        (RuleKind::CoolDown(a), RuleKind::CoolDown(b)) => cool_downs(a, b),
        (RuleKind::Stackability(a), RuleKind::Stackability(b)) => stackability(a, b),
        (RuleKind::Diversity(a), RuleKind::Diversity(b)) => {
            let Diversity { per, at_most } = a;
            *per == b.per && *at_most <= b.at_most && missing(wide, narrow)
        }
        (RuleKind::Availability(a), RuleKind::Availability(b)) => a == b && missing(wide, narrow),
        (
            RuleKind::Currency
            | RuleKind::PurposeGate(_)
            | RuleKind::PriceLimit(_)
            | RuleKind::PricePersonalisation(_)
            | RuleKind::AudienceGuard(_)
            | RuleKind::Budgeted(_)
            | RuleKind::Stocked(_)
            | RuleKind::CategoryExclusion(_)
            | RuleKind::FairnessGate(_)
            | RuleKind::Override(_)
            | RuleKind::KillSwitch(_)
            | RuleKind::MarginFloor { .. }
            | RuleKind::FrequencyCap(_)
            | RuleKind::Availability(_)
            | RuleKind::Exclusion { .. }
            | RuleKind::Requirement { .. }
            | RuleKind::Stackability(_)
            | RuleKind::Diversity(_)
            | RuleKind::LoyaltyEligibility(_)
            | RuleKind::Schedule
            | RuleKind::Campaign
            | RuleKind::Stock
            | RuleKind::CoolDown(_)
            | RuleKind::Budget,
            _,
        ) => false,
    }
}

fn floors(wide: FloorLimit, narrow: FloorLimit) -> bool {
    match (wide, narrow) {
        (FloorLimit::Percent(a), FloorLimit::Percent(b)) => a.0 >= b.0,
        (FloorLimit::Amount(a), FloorLimit::Amount(b)) => a.currency == b.currency && a.minor >= b.minor,
        _ => false,
    }
}

fn missing(wide: &Rule, narrow: &Rule) -> bool {
    wide.on_missing == OnMissing::Exclude || narrow.on_missing == OnMissing::Allow
}

/// Whether what one cap counts is always at least what another counts, and it allows no more of it.
fn caps(wide: &Cap, narrow: &Cap) -> bool {
    let by = match (wide.by, narrow.by) {
        (CapBy::All, _) | (CapBy::Category | CapBy::Campaign, CapBy::Offer) => true,
        (a, b) => a == b,
    };
    by && wide.max <= narrow.max
        && wide.whose == narrow.whose
        && wide.counts == narrow.counts
        && lasts(wide.window, narrow.window)
        && (wide.without_identifier == narrow.without_identifier
            || narrow.without_identifier == WithoutIdentifier::Allow)
}

/// Whether a window always holds all of another.
fn lasts(wide: CapWindow, narrow: CapWindow) -> bool {
    match (wide, narrow) {
        (CapWindow::Lifetime, _) | (CapWindow::Session, CapWindow::Session) => true,
        (CapWindow::Rolling(a), CapWindow::Rolling(b)) => a.0 >= b.0,
        // The longest that a period lasts: an hour more where clocks are set back.
        (CapWindow::Rolling(a), CapWindow::Calendar(unit, _)) => {
            let days = match unit {
                CalendarUnit::Day => 1,
                CalendarUnit::Week(_) => 7,
                CalendarUnit::Month => 31,
            };
            a.0 >= days * 24 * HOUR + HOUR
        }
        (CapWindow::Calendar(a, zone), CapWindow::Calendar(b, other)) => {
            let within = match (a, b) {
                (CalendarUnit::Week(_) | CalendarUnit::Month, CalendarUnit::Day) => true,
                (a, b) => a == b,
            };
            zone == other && within
        }
        (CapWindow::Calendar(..) | CapWindow::Session, _)
        | (CapWindow::Rolling(_), CapWindow::Lifetime | CapWindow::Session) => false,
    }
}

fn cool_downs(wide: &CoolDown, narrow: &CoolDown) -> bool {
    let sooner = wide.times == 1 || wide.times <= narrow.times && wide.within.0 >= narrow.within.0;
    wide.by == narrow.by
        && wide.event == narrow.event
        && wide.unless == narrow.unless
        && sooner
        && wide.suppress_for.0 >= narrow.suppress_for.0
        && (!wide.allow_unidentified || narrow.allow_unidentified)
}

fn stackability(wide: &Stackability, narrow: &Stackability) -> bool {
    match (wide, narrow) {
        (
            Stackability::Group { offers, categories, at_most },
            Stackability::Group { offers: few, categories: of, at_most: more },
        ) => {
            few.iter().all(|offer| offers.contains(offer))
                && of.iter().all(|category| categories.contains(category))
                && at_most <= more
        }
        (Stackability::Pairs(all), Stackability::Pairs(some)) => {
            some.iter().all(|(a, b)| all.iter().any(|(x, y)| (a, b) == (x, y) || (a, b) == (y, x)))
        }
        _ => false,
    }
}
