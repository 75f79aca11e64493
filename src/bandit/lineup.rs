//! A lineup: the integers of every candidate of a catalogue by position, and which of them belong together. Learns
//! nothing and derives nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::statistics::ArmStatistics;
use crate::domain::Catalogue;

/// Where an arm belongs: to an offer, and with it to a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Number of its offer.
    pub offer: usize,
    /// Number of its category; offers without one are together in one.
    pub category: usize,
}

/// The integers of every candidate, by position; nothing where nothing was learned.
#[derive(Debug, Clone, Default)]
pub struct Lineup {
    /// By position.
    pub arms: Vec<Option<Arc<ArmStatistics>>>,
    /// By position.
    pub groups: Arc<[Group]>,
}

impl Lineup {
    /// One of a catalogue in which nothing was learned.
    pub fn empty(catalogue: &Catalogue) -> Self {
        let names = catalogue.offers().iter().map(|offer| &offer.category);
        let names: BTreeSet<_> = names.collect();
        let numbers: BTreeMap<_, usize> = names.into_iter().zip(0..).collect();
        let group = |candidate: &crate::domain::Candidate| {
            let offer = catalogue.offers().get(candidate.offer);
            let category = offer.and_then(|offer| numbers.get(&offer.category)).copied().unwrap_or_default();
            Group { offer: candidate.offer, category }
        };
        let groups: Arc<[Group]> = catalogue.candidates().iter().map(group).collect();
        Self { arms: vec![None; groups.len()], groups }
    }

    /// One of so many offers with a variant each and no category.
    pub fn of_offers(count: usize) -> Self {
        let groups = (0..count).map(|offer| Group { offer, category: 0 }).collect();
        Self { arms: vec![None; count], groups }
    }

    /// The integers at a position.
    pub fn get(&self, at: usize) -> Option<&Arc<ArmStatistics>> {
        self.arms.get(at)?.as_ref()
    }

    /// The integers at a position, to be added to; nothing where the catalogue has no such position.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut ArmStatistics> {
        Some(Arc::make_mut(self.arms.get_mut(at)?.get_or_insert_default()))
    }
}
