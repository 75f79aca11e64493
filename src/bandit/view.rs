//! What decisions read of a model: the posteriors of one contender for one day, by position in the catalogue. Learns
//! nothing.

use std::sync::Arc;

use super::bags::Bags;
use super::beta::Memo;
use super::derivation::Derivation;
use super::kernel::{Belief, Inputs, Packed};
use super::lineup::Lineup;
use super::posterior::Posterior;
use super::recorded::RecordedScores;
use super::rules::DISTRIBUTION_RULE;
use super::sharing::Sharing;
use super::statistics::ArmStatistics;
use super::strategies::{self, Arm, Score};
use crate::domain::decision::{LearnedMargin, ModelVersion};
use crate::domain::{Contender, Day, Placement, Strategy, ValueSource};

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
    value: ValueSource,
    derivation: Derivation,
    lineup: Lineup,
    packed: Packed,
    /// The models of a bag, where the strategy has one.
    bags: Vec<Option<Arc<Bags>>>,
    sharing: Sharing,
    memo: Memo,
    /// Scores that a record holds, where they stand in the place of the model's.
    recorded: Option<Arc<RecordedScores>>,
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
        let derivation = Derivation::of(contender, placement, &lineup, day);
        let before = before.filter(|view| {
            view.version.id == version.id
                && view.day == day
                && view.derivation == derivation
                && view.contender.strategy.bags() == contender.strategy.bags()
        });
        let prior = match before {
            Some(view) => view.packed.prior().clone(),
            None => Arc::new(derivation.prior()),
        };
        // What is remembered stays right: it is found again by posteriors and margins, not by the view.
        let memo = before.map(|view| view.memo.clone()).unwrap_or_default();
        let sharing = Sharing::derive(placement, contender, &lineup, day, before.map(|view| &view.sharing));
        // The view before, if the integers at a position are still those that it was derived from.
        let same = |at: usize, statistics: &Arc<ArmStatistics>| {
            before.filter(|view| view.lineup.get(at).is_some_and(|old| Arc::ptr_eq(old, statistics)))
        };
        let mut alarms = Vec::new();
        let mut alone = |(at, statistics): (usize, &Option<Arc<ArmStatistics>>)| {
            let Some(statistics) = statistics else { return prior.clone() };
            if let Some(old) = same(at, statistics).filter(|view| matches!(view.sharing, Sharing::Alone)) {
                return old.packed.posterior(at).clone();
            }
            let derived = derivation.about(statistics, day);
            alarms.extend(derived.alarm.map(|alarm| (at, alarm.to_string())));
            Arc::new(derived.posterior)
        };
        // The one place where posteriors are made, by position; whatever made them, they are packed and read alike.
        let posteriors = match sharing.beliefs() {
            Some((posteriors, told)) => {
                alarms = told.to_vec();
                posteriors.to_vec()
            }
            None => lineup.arms.iter().enumerate().map(&mut alone).collect(),
        };
        let packed = Packed::new(posteriors, prior, before.map(|view| &view.packed));
        let bags = |(at, statistics): (usize, &Option<Arc<ArmStatistics>>)| {
            let statistics = statistics.as_ref()?;
            let old = same(at, statistics).and_then(|view| view.bags.get(at)?.clone());
            let derive = || Bags::derive(statistics, placement.dimensions(), day, placement.half_life_days, contender);
            Some(old.unwrap_or_else(|| Arc::new(derive())))
        };
        let bagged = contender.strategy.bags() > 0;
        let bags = if bagged { lineup.arms.iter().enumerate().map(bags).collect() } else { Vec::new() };
        let value = placement.objective.value;
        let contender = *contender;
        let recorded = None;
        Self { version, alarms, day, contender, value, derivation, lineup, packed, bags, sharing, memo, recorded }
    }

    /// The view of a model that has absorbed nothing.
    pub fn prior(placement: &Placement, contender: &Contender) -> Self {
        let version = super::Model::new(placement.model_id(), placement.dimensions()).version();
        Self::derive(version, placement, contender, Lineup::default(), Day(0), None)
    }

    /// A view that gives the scores which a record holds, and so can be decided by again without the model.
    pub fn recorded(
        version: ModelVersion,
        placement: &Placement,
        contender: &Contender,
        scores: Arc<RecordedScores>,
    ) -> Self {
        Self { version, recorded: Some(scores), ..Self::prior(placement, contender) }
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

    /// The margin that the arm at a position is ranked by where values are learned, in place of the catalogue's
    /// `margin`; nothing where that one counts.
    pub fn learned_margin(&self, at: usize, margin: f64) -> Option<LearnedMargin> {
        if let Some(recorded) = &self.recorded {
            return recorded.learned.get(&at).copied();
        }
        let ValueSource::Learned { orders } = self.value else { return None };
        let posterior = self.posterior(at);
        let margin = posterior.value(margin, f64::from(orders));
        Some(LearnedMargin { margin, orders: posterior.accepted() })
    }

    /// What the arm at a position is worth for these features.
    pub fn arm(&self, at: usize, x: &[f64], margin: f64, cost: f64) -> Arm {
        Arm { bags: self.bags_of(at, x), ..Arm::new(self.posterior(at), x, margin, cost) }
    }

    /// The means of the models of a bag, where the strategy has one.
    fn bags_of(&self, at: usize, x: &[f64]) -> Option<Arc<[f64]>> {
        let count = Some(self.contender.strategy.bags()).filter(|count| *count > 0)?;
        let bags = self.bags.get(at).and_then(Option::as_ref);
        Some(bags.map_or_else(|| vec![0.0; count.into()].into(), |bags| bags.means(x)))
    }

    /// What every candidate is worth, in their order, in one pass if their positions rise. The same as [`Self::arm`]
    /// for each, to the bit.
    pub fn arms(&self, candidates: &[Candidate], inputs: Inputs<'_>) -> Vec<Arm> {
        let positions: Vec<usize> = candidates.iter().map(|candidate| candidate.at).collect();
        let beliefs = self.packed.beliefs(&positions, inputs);
        let x = |at: usize| match inputs {
            Inputs::Shared(x) => x,
            Inputs::Each(xs) => xs.get(at).copied().unwrap_or_default(),
        };
        let arm = |(at, (candidate, belief)): (usize, (&Candidate, &Belief))| Arm {
            bags: self.bags_of(candidate.at, x(at)),
            ..Arm::believing(belief, candidate.margin, candidate.cost)
        };
        candidates.iter().zip(&beliefs).enumerate().map(arm).collect()
    }

    /// The scores of arms, in their order.
    pub fn scores(&self, arms: &[Arm]) -> Vec<Score> {
        strategies::scores(&self.contender.strategy, arms)
    }

    /// The scores of candidates for one who has a seat, in their order.
    pub fn scores_of(&self, seat: usize, candidates: &[Candidate], inputs: Inputs<'_>) -> Vec<Score> {
        match &self.recorded {
            Some(recorded) => recorded.scores(seat, candidates),
            None => self.scores(&self.arms(candidates, inputs)),
        }
    }

    /// The rule that distributions are computed by: the one in force, or the one that a record names.
    pub fn rule(&self) -> u16 {
        self.recorded.as_ref().map_or(DISTRIBUTION_RULE, |recorded| recorded.rule)
    }

    /// The distribution of scores by its rule, exploration not yet mixed in, without computing again what takes long
    /// and was asked for before.
    pub fn distribution(&self, scores: &[Score], nothing: bool) -> Vec<f64> {
        match self.contender.strategy {
            Strategy::ThompsonBeta if self.recorded.is_none() => self.memo.distribution(scores, nothing),
            _ => strategies::distribution_of(&self.contender.strategy, self.rule(), scores, nothing),
        }
    }
}
