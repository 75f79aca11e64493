//! Kinds of rules: for each what its authors write, how it is read, and what it holds. Asks no rule about an offer.

pub(in crate::policy) mod availability;
pub(in crate::policy) mod caps;
pub(in crate::policy) mod category_exclusions;
pub(in crate::policy) mod cool_downs;
pub(in crate::policy) mod daypart;
pub(in crate::policy) mod diversity;
pub(in crate::policy) mod fairness;
pub(in crate::policy) mod floors;
pub(in crate::policy) mod gate;
pub(in crate::policy) mod guards;
pub(in crate::policy) mod loyalty;
pub(in crate::policy) mod measures;
pub(in crate::policy) mod overrides;
pub(in crate::policy) mod pools;
pub(in crate::policy) mod price_limits;
pub(in crate::policy) mod price_personalisation;
pub(in crate::policy) mod stackability;
pub(in crate::policy) mod switches;

#[cfg(test)]
mod cool_downs_tests;
#[cfg(test)]
mod everyday_tests;
#[cfg(test)]
mod gate_tests;
#[cfg(test)]
mod prices_tests;
