//! What decisions read of a model: the posteriors of one contender for one day, by position in the catalogue. Learns
//! nothing.

use std::sync::Arc;

use super::beta::Memo;
use super::kernel::{Inputs, Packed};
use super::posterior::Posterior;
use super::rules::DISTRIBUTION_RULE;
use super::statistics::ArmStatistics;
use super::strategies::{self, Arm, Score};
use crate::domain::decision::ModelVersion;
use crate::domain::{Contender, Day, Placement, Strategy};

/// The integers of every candidate of a catalogue, by position; nothing where nothing was learned.
pub type Lineup = Vec<Option<Arc<ArmStatistics>>>;

/// A candidate to be scored: its position in the catalogue, its margin and its cost of showing, as [`Arm`] has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Position in the catalogue.
    pub at: usize,
    /// `m_a`.
    pub margin: f64,
    /// `c_a`.
    pub cost: f64,
}

/// What decisions read of a model: posteriors derived for one contender and one day.
#[derive(Debug, Clone)]
pub struct ModelView {
    /// Which state it was derived from.
    pub version: ModelVersion,
    /// Arms that fell back to their prior because their statistics gave no posterior, by position.
    pub alarms: Vec<(usize, String)>,
    day: Day,
    contender: Contender,
    lineup: Lineup,
    packed: Packed,
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
        let before = before.filter(|view| {
            view.version.id == version.id
                && view.day == day
                && view.contender.lambda.to_bits() == contender.lambda.to_bits()
        });
        let dimensions = placement.dimensions();
        let prior = match before {
            Some(view) => view.packed.prior().clone(),
            None => Arc::new(Posterior::prior(dimensions, contender.lambda)),
        };
        let mut alarms = Vec::new();
        // The one place where posteriors are made, by position; whatever made them, they are packed and read alike.
        let mut posterior = |(at, statistics): (usize, &Option<Arc<ArmStatistics>>)| {
            let Some(statistics) = statistics else { return prior.clone() };
            let old = before.filter(|view| {
                let old = view.lineup.get(at).and_then(Option::as_ref);
                old.is_some_and(|old| Arc::ptr_eq(old, statistics))
            });
            if let Some(view) = old {
                return view.packed.posterior(at).clone();
            }
            let derived = Posterior::derive(statistics, dimensions, day, placement.half_life_days, contender.lambda);
            alarms.extend(derived.alarm.map(|alarm| (at, alarm.to_string())));
            Arc::new(derived.posterior)
        };
        let posteriors = lineup.iter().enumerate().map(&mut posterior).collect();
        let packed = Packed::new(posteriors, prior, before.map(|view| &view.packed));
        // What is remembered stays right: it is found again by posteriors and margins, not by the view.
        let memo = before.map(|view| view.memo.clone()).unwrap_or_default();
        Self { version, alarms, day, contender: *contender, lineup, packed, memo }
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
        self.packed.posterior(at)
    }

    /// What the arm at a position is worth for these features.
    pub fn arm(&self, at: usize, x: &[f64], margin: f64, cost: f64) -> Arm {
        Arm::new(self.posterior(at), x, margin, cost)
    }

    /// What every candidate is worth, in their order, in one pass if their positions rise. The same as [`Self::arm`]
    /// for each, to the bit.
    pub fn arms(&self, candidates: &[Candidate], inputs: Inputs<'_>) -> Vec<Arm> {
        let positions: Vec<usize> = candidates.iter().map(|candidate| candidate.at).collect();
        let beliefs = self.packed.beliefs(&positions, inputs);
        let arms = candidates.iter().zip(&beliefs);
        arms.map(|(candidate, belief)| Arm::believing(belief, candidate.margin, candidate.cost)).collect()
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
