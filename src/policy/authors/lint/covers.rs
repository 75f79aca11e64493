//! Which of two rules of one kind leaves out all that the other leaves out, where both apply. Warns of nothing, and
//! looks at no condition: those are compared by cases.

use super::scope;
use crate::policy::declared::jurisdiction;
use crate::policy::kinds::availability::Availability;
use crate::policy::kinds::caps::{CalendarUnit, Cap, CapBy, CapWindow, WithoutIdentifier, Zone};
use crate::policy::kinds::category_exclusions::CategoryExclusion;
use crate::policy::kinds::cool_downs::CoolDown;
use crate::policy::kinds::diversity::Diversity;
use crate::policy::kinds::floors::FloorLimit;
use crate::policy::kinds::gate::Gate;
use crate::policy::kinds::overrides::{Override, OverrideAction};
use crate::policy::kinds::pools::{Pool, PoolAmount, PoolBy, PoolWindow};
use crate::policy::kinds::price_limits::PriceLimit;
use crate::policy::kinds::price_personalisation::PricePersonalisation;
use crate::policy::kinds::stackability::Stackability;
use crate::policy::kinds::switches::{Stop, Switch};
use crate::policy::rules::{OnMissing, Rule, RuleKind};

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// Whether a rule leaves out all that another of its kind leaves out, where both apply. Conditions are compared
/// elsewhere, by cases.
pub(in crate::policy) fn covers(wide: &Rule, narrow: &Rule) -> bool {
    match (&wide.kind, &narrow.kind) {
        (RuleKind::MarginFloor { min, over }, RuleKind::MarginFloor { min: other, over: of }) => {
            over == of && floors(*min, *other)
        }
        (RuleKind::PurposeGate(a), RuleKind::PurposeGate(b)) => gates(a, b),
        (RuleKind::PriceLimit(a), RuleKind::PriceLimit(b)) => price_limits(*a, *b) && missing(wide, narrow),
        (RuleKind::PricePersonalisation(a), RuleKind::PricePersonalisation(b)) => {
            personalisation(a, b) && missing(wide, narrow)
        }
        (RuleKind::Budgeted(a) | RuleKind::Stocked(a), RuleKind::Budgeted(b) | RuleKind::Stocked(b)) => {
            pools(a, b) && (a.by == b.by || b.by != PoolBy::OfferInStore || narrow.on_missing == OnMissing::Allow)
        }
        (RuleKind::CategoryExclusion(a), RuleKind::CategoryExclusion(b)) => category_exclusions(a, b),
        (RuleKind::FairnessGate(a), RuleKind::FairnessGate(b)) => a == b,
        (RuleKind::Override(a), RuleKind::Override(b)) => overrides(a, b),
        (RuleKind::KillSwitch(a), RuleKind::KillSwitch(b)) => switches(a, b),
        (RuleKind::FrequencyCap(a), RuleKind::FrequencyCap(b)) => caps(a, b),
        (RuleKind::CoolDown(a), RuleKind::CoolDown(b)) => cool_downs(a, b),
        (RuleKind::Stackability(a), RuleKind::Stackability(b)) => stackability(a, b),
        (RuleKind::Diversity(a), RuleKind::Diversity(b)) => {
            let Diversity { per, at_most } = a;
            *per == b.per && *at_most <= b.at_most && missing(wide, narrow)
        }
        (RuleKind::Availability(a), RuleKind::Availability(b)) => availability(a, b) && missing(wide, narrow),
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
            | RuleKind::Budget
            | RuleKind::Approval,
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
    let alike = match (wide.by, narrow.by) {
        // What is counted together is undone together too, by what would not undo the part.
        (a, b) if a == b => wide.unless.is_none() || wide.unless == narrow.unless,
        (CapBy::All, _) | (CapBy::Category | CapBy::Campaign, CapBy::Offer) => wide.unless.is_none(),
        _ => false,
    };
    alike
        && wide.event == narrow.event
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

/// Whether every one of the second list is in the first.
fn holds_all<T: PartialEq>(all: &[T], some: &[T]) -> bool {
    some.iter().all(|one| all.contains(one))
}

fn gates(wide: &Gate, narrow: &Gate) -> bool {
    let bases = match (&wide.bases, &narrow.bases) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(few), Some(more)) => holds_all(more, few),
    };
    let age = match (wide.consent_age, narrow.consent_age) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(younger), Some(older)) => younger.0 <= older.0,
    };
    wide.purpose == narrow.purpose && bases && age && (wide.channel_opt_in || !narrow.channel_opt_in)
}

fn price_limits(wide: PriceLimit, narrow: PriceLimit) -> bool {
    match (wide, narrow) {
        (PriceLimit::MinPrice(a), PriceLimit::MinPrice(b)) => a.currency == b.currency && a.minor >= b.minor,
        // A share or an amount that is larger is the looser one: `floors` with the sides exchanged.
        (PriceLimit::MaxDiscount(a), PriceLimit::MaxDiscount(b)) => floors(b, a),
        (a, b) => a == b,
    }
}

fn personalisation(wide: &PricePersonalisation, narrow: &PricePersonalisation) -> bool {
    let allowed = match (&wide.allowed, &narrow.allowed) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(few), Some(more)) => holds_all(more, few),
    };
    let spread = match (wide.max_spread, narrow.max_spread) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(less), Some(more)) => wide.same_as == narrow.same_as && less.0 <= more.0,
    };
    // A product named tells what is special, for the bases of `allowed` too.
    let product = narrow.same_as.is_none() || wide.same_as == narrow.same_as;
    let banned = |region: &String| jurisdiction::covered(&wide.banned_in, Some(region)) == Some(true);
    // The first rule with a text is the one that is read out.
    let said = narrow.disclosure.is_none() || wide.disclosure == narrow.disclosure;
    allowed && spread && product && said && narrow.banned_in.iter().all(banned)
}

/// Whether one pool is always empty when another is: it holds all that the other holds, and has no more to give.
fn pools(wide: &Pool, narrow: &Pool) -> bool {
    let by = match (wide.by, narrow.by) {
        (PoolBy::All, _) | (PoolBy::Category | PoolBy::Campaign, PoolBy::Offer | PoolBy::OfferInStore) => true,
        (a, b) => a == b || (a, b) == (PoolBy::Offer, PoolBy::OfferInStore),
    };
    let no_more = match (wide.amount, narrow.amount) {
        (PoolAmount::Units(a), PoolAmount::Units(b)) => a <= b,
        (PoolAmount::Money(a), PoolAmount::Money(b)) => a.currency == b.currency && a.minor <= b.minor,
        _ => false,
    };
    let window = match (wide.window, narrow.window) {
        (PoolWindow::Lifetime, _) => true,
        (PoolWindow::Calendar(a, zone), PoolWindow::Calendar(b, other)) => {
            lasts(CapWindow::Calendar(a, Zone::Named(zone)), CapWindow::Calendar(b, Zone::Named(other)))
        }
        (PoolWindow::Calendar(..), PoolWindow::Lifetime) => false,
    };
    // What is given out evenly may be held back long before the pool is empty.
    let paced = !narrow.even || wide.even && wide.window == narrow.window;
    by && no_more && window && paced
}

fn category_exclusions(wide: &CategoryExclusion, narrow: &CategoryExclusion) -> bool {
    (!wide.is_about_persons() || narrow.is_about_persons())
        && holds_all(&wide.categories, &narrow.categories)
        && holds_all(&wide.brands, &narrow.brands)
}

fn overrides(wide: &Override, narrow: &Override) -> bool {
    // Of two that pin, the offers named by one alone are what it adds.
    let more = |a: &Override, b: &Override| holds_all(&a.offers, &b.offers);
    wide.action == narrow.action && more(wide, narrow) && (wide.action != OverrideAction::Pin || more(narrow, wide))
}

fn switches(wide: &Switch, narrow: &Switch) -> bool {
    match (&wide.stop, &narrow.stop) {
        (Stop::All, _) => true,
        (Stop::Named { .. }, Stop::All) => false,
        (
            Stop::Named { offers, categories, campaigns },
            Stop::Named { offers: some, categories: of, campaigns: within },
        ) => holds_all(offers, some) && holds_all(categories, of) && holds_all(campaigns, within),
    }
}

fn availability(wide: &Availability, narrow: &Availability) -> bool {
    let regions = match (&wide.regions, &narrow.regions) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(few), Some(more)) => few.iter().all(|one| jurisdiction::covered(more, Some(one)) == Some(true)),
    };
    let dates = match (&wide.dates, &narrow.dates) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(short), Some(long)) => scope::lasts(long, short),
    };
    regions
        && dates
        && fewer(wide.channels.as_deref(), narrow.channels.as_deref())
        && fewer(wide.stores.as_deref(), narrow.stores.as_deref())
        && (narrow.dayparts.is_none() || wide.dayparts == narrow.dayparts)
}

/// Whether a list names some of another and nothing else; one left out names everything.
fn fewer<T: PartialEq>(few: Option<&[T]>, more: Option<&[T]>) -> bool {
    match (few, more) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(few), Some(more)) => holds_all(more, few),
    }
}
