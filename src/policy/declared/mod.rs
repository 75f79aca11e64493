//! What rules and placements may name: attributes, purposes, placements, calendars, shops. Asks no rule.

pub(in crate::policy) mod attributes;
pub(in crate::policy) mod calendars;
pub(in crate::policy) mod contenders;
pub(in crate::policy) mod delay;
pub(in crate::policy) mod dpv;
pub(in crate::policy) mod features;
pub(in crate::policy) mod jurisdiction;
pub(in crate::policy) mod lineage;
pub(in crate::policy) mod measured;
pub(in crate::policy) mod money;
pub(in crate::policy) mod observed;
pub(in crate::policy) mod placements;
pub(in crate::policy) mod purposes;
pub(in crate::policy) mod stores;
pub(in crate::policy) mod subjects;
