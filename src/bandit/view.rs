//! What decisions read of a model: the posteriors of one contender for one day, by position in the catalogue. Learns
//! nothing.

use std::sync::Arc;

use super::belief::Belief;
use super::beta::Memo;
use super::posterior::Posterior;
use super::rules::DISTRIBUTION_RULE;
use super::statistics::ArmStatistics;
use super::strategies::{self, Arm, Score};
use crate::domain::decision::ModelVersion;
use crate::domain::{Contender, Day, Placement, Strategy};

/// The integers of every candidate of a catalogue, by position; nothing where nothing was learned.
pub type Lineup = Vec<Option<Arc<ArmStatistics>>>;

/// What decisions read of a model: posteriors derived for one contender and one day.
#[derive(Debug, Clone)]
pub struct ModelView {
    /// Which state it was derived from.
    pub version: ModelVersion,
    /// Arms that fell back to their prior because their statistics gave no posterior, by position.
    pub alarms: Vec<(usize, String)>,
    day: Day,
    contender: Contender,
    belief: Belief,
    lineup: Lineup,
    posteriors: Vec<Option<Arc<Posterior>>>,
    prior: Arc<Posterior>,
    memo: Memo,
}

impl ModelView {
    /// Derives the posterior of every arm for a day. Arms whose integers, day and prior are those of `before` are
    /// taken over from it.
    pub fn derive(
        version: ModelVersion,
        placement: &Placement,
        contender: &Contender,
        lineup: Lineup,
        day: Day,
        before: Option<&Self>,
    ) -> Self {
        let belief = Belief::of(contender, placement, &lineup, day);
        let before = before.filter(|view| view.version.id == version.id && view.day == day && view.belief == belief);
        let mut alarms = Vec::new();
        let mut posterior = |(at, statistics): (usize, &Option<Arc<ArmStatistics>>)| {
            let statistics = statistics.as_ref()?;
            let old = before.and_then(|view| {
                let same = view.lineup.get(at)?.as_ref().is_some_and(|old| Arc::ptr_eq(old, statistics));
                view.posteriors.get(at)?.as_ref().filter(|_| same)
            });
            if let Some(old) = old {
                return Some(old.clone());
            }
            let derived = belief.about(statistics, day);
            alarms.extend(derived.alarm.map(|alarm| (at, alarm.to_string())));
            Some(Arc::new(derived.posterior))
        };
        let posteriors = lineup.iter().enumerate().map(&mut posterior).collect();
        let prior = match before {
            Some(view) => view.prior.clone(),
            None => Arc::new(belief.prior()),
        };
        // What is remembered stays right: it is found again by posteriors and margins, not by the view.
        let memo = before.map(|view| view.memo.clone()).unwrap_or_default();
        Self { version, alarms, day, contender: *contender, belief, lineup, posteriors, prior, memo }
    }

    /// The view of a model that has absorbed nothing.
    pub fn prior(placement: &Placement, contender: &Contender) -> Self {
        let version = super::Model::new(placement.model_id(), placement.dimensions()).version();
        Self::derive(version, placement, contender, Lineup::new(), Day(0), None)
    }

    /// The day it was derived for.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Who decides by it.
    pub fn contender(&self) -> &Contender {
        &self.contender
    }

    /// The posterior of the arm at a position of the catalogue; the prior for one that has learned nothing.
    pub fn posterior(&self, at: usize) -> &Posterior {
        self.posteriors.get(at).and_then(Option::as_deref).unwrap_or(&self.prior)
    }

    /// What the arm at a position is worth for these features.
    pub fn arm(&self, at: usize, x: &[f64], margin: f64, cost: f64) -> Arm {
        Arm::new(self.posterior(at), x, margin, cost)
    }

    /// The scores of arms, in their order.
    pub fn scores(&self, arms: &[Arm]) -> Vec<Score> {
        strategies::scores(&self.contender.strategy, arms)
    }

    /// The distribution of scores by the rule in force, exploration not yet mixed in, without computing again what
    /// takes long and was asked for before.
    pub fn distribution(&self, scores: &[Score], nothing: bool) -> Vec<f64> {
        match self.contender.strategy {
            Strategy::ThompsonBeta => self.memo.distribution(scores, nothing),
            _ => strategies::distribution_of(&self.contender.strategy, DISTRIBUTION_RULE, scores, nothing),
        }
    }
}
