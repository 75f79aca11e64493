//! Sharing: which arms learn from which, as a contender has it: each alone, along the categories of the catalogue, or
//! by the offer's attributes. Derives no belief itself.

use std::sync::Arc;

use super::hybrid::{Hybrid, Shared};
use super::lineup::Lineup;
use super::posterior::Posterior;
use super::prior::Hierarchy;
use crate::domain::{Contender, Day, Placement, Prior, Strategy};

/// A position, and why its statistics gave no belief.
type Alarm = (usize, String);

/// What beliefs are derived for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scope {
    pub(super) dimensions: usize,
    pub(super) day: Day,
    pub(super) half_life_days: Option<u32>,
    pub(super) lambda: f64,
}

/// What arms that share have in common; kept, so that the next derivation repeats only what changed.
#[derive(Debug, Clone)]
pub(super) enum Sharing {
    /// Nothing.
    Alone,
    /// Hierarchical priors.
    Hierarchy(Arc<Hierarchy>),
    /// Shared coefficients.
    Hybrid(Arc<Hybrid>),
}

impl Sharing {
    /// The sharing of a contender's arms on a day; of a model that has absorbed nothing there is none.
    pub(super) fn derive(
        placement: &Placement,
        contender: &Contender,
        lineup: &Lineup,
        day: Day,
        before: Option<&Self>,
    ) -> Self {
        if lineup.arms.iter().all(Option::is_none) {
            return Self::Alone;
        }
        let (dimensions, half_life_days) = (placement.dimensions(), placement.half_life_days);
        let scope = Scope { dimensions, day, half_life_days, lambda: contender.lambda };
        match (contender.strategy, contender.prior, before) {
            (Strategy::LinucbHybrid { .. }, _, before) => {
                let old = if let Some(Self::Hybrid(old)) = before { Some(old.as_ref()) } else { None };
                Self::Hybrid(Arc::new(Hybrid::derive(scope, Shared::of(placement), lineup, old)))
            }
            // The hierarchy is one of shares.
            (_, Prior::None, _) | (Strategy::ThompsonLogistic, _, _) => Self::Alone,
            (_, Prior::Category, before) => {
                let old = if let Some(Self::Hierarchy(old)) = before { Some(old.as_ref()) } else { None };
                Self::Hierarchy(Arc::new(Hierarchy::derive(scope, lineup, old)))
            }
        }
    }

    /// The beliefs of all arms by position, and those left out because their statistics gave none; nothing where every
    /// arm stands alone.
    pub(super) fn beliefs(&self) -> Option<(&[Arc<Posterior>], &[Alarm])> {
        match self {
            Self::Alone => None,
            Self::Hierarchy(of) => Some((&of.posteriors, &of.alarms)),
            Self::Hybrid(of) => Some((&of.posteriors, &of.alarms)),
        }
    }
}
