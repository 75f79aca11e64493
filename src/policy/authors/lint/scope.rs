//! Scopes: whether one rule applies wherever and whenever another does. Says nothing of what they check.

use crate::policy::applies::AppliesTo;
use crate::policy::declared::jurisdiction;
use crate::policy::interval::Interval;
use crate::policy::rules::Rule;

/// Whether `wide` applies to everything that `narrow` applies to, at all its times. A rule that an override may lift
/// applies less than one that none may.
pub(in crate::policy) fn contains(wide: &Rule, narrow: &Rule) -> bool {
    applies(&wide.applies_to, &narrow.applies_to)
        && lasts(&wide.effective, &narrow.effective)
        && (narrow.overridable || !wide.overridable)
}

/// Whether `wide` reaches every place that `narrow` reaches, whenever that is.
pub(super) fn reaches(wide: &Rule, narrow: &Rule) -> bool {
    applies(&wide.applies_to, &narrow.applies_to)
}

fn applies(wide: &AppliesTo, narrow: &AppliesTo) -> bool {
    let AppliesTo { placements, offers, categories, channels, regions } = wide;
    let in_regions = match (regions, &narrow.regions) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => {
            narrow.iter().all(|region| jurisdiction::covered(wide, Some(region)) == Some(true))
        }
    };
    list(placements.as_deref(), narrow.placements.as_deref())
        && list(offers.as_deref(), narrow.offers.as_deref())
        && list(categories.as_deref(), narrow.categories.as_deref())
        && list(channels.as_deref(), narrow.channels.as_deref())
        && in_regions
}

fn list<T: PartialEq>(wide: Option<&[T]>, narrow: Option<&[T]>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.iter().all(|one| wide.contains(one)),
    }
}

/// Whether an interval holds all of another.
pub(super) fn lasts(wide: &Interval, narrow: &Interval) -> bool {
    let begins = wide.from.is_none_or(|from| narrow.from.is_some_and(|later| from <= later));
    let ends = wide.until.is_none_or(|until| narrow.until.is_some_and(|sooner| sooner <= until));
    begins && ends
}
