//! Derivation: which prior the arms of a contender begin with, and whether they are believed about in shares or in
//! logits. Reads no context.

use super::Lineup;
use super::decay::{live_generations, weight_on};
use super::posterior::{Derived, Posterior};
use super::statistics::ArmStatistics;
use crate::domain::{Contender, Day, Placement, Strategy};

/// The share that an arm of a placement without history is taken to accept: one of twenty, as if twenty had been asked.
const PRIOR_ACCEPTED: f64 = 1.0;
const PRIOR_ASKED: f64 = 20.0;

/// Centres are told in quarters of a logit, so that a share that moves a little moves no arm.
const QUARTERS: f64 = 4.0;

/// What the posteriors of all arms of a contender have in common on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Derivation {
    lambda: f64,
    centre: Option<f64>, // prior mean of the intercept, where the belief is about logits
    half_life_days: Option<u32>,
    dimensions: usize,
}

impl Derivation {
    /// The belief of a contender on a day. In logits the intercept's prior mean is that of the share that all arms of
    /// the placement together have accepted, so that a new arm is expected to do as the others do.
    pub fn of(contender: &Contender, placement: &Placement, lineup: &Lineup, day: Day) -> Self {
        let logits = contender.strategy == Strategy::ThompsonLogistic;
        Self {
            lambda: contender.lambda,
            centre: logits.then(|| centre(lineup, day, placement.half_life_days)),
            half_life_days: placement.half_life_days,
            dimensions: placement.dimensions(),
        }
    }

    /// The belief about an arm that has learned nothing.
    pub fn prior(&self) -> Posterior {
        match self.centre {
            Some(centre) => Posterior::prior_logits(self.dimensions, self.lambda, centre),
            None => Posterior::prior(self.dimensions, self.lambda),
        }
    }

    /// The belief about an arm on a day.
    pub fn about(&self, arm: &ArmStatistics, day: Day) -> Derived {
        let (dimensions, half_life) = (self.dimensions, self.half_life_days);
        match self.centre {
            Some(centre) => Posterior::derive_logits(arm, dimensions, day, half_life, (self.lambda, centre)),
            None => Posterior::derive(arm, dimensions, day, half_life, self.lambda),
        }
    }
}

/// The logit of the share that all arms accepted together, in quarters.
fn centre(lineup: &Lineup, day: Day, half_life_days: Option<u32>) -> f64 {
    let (mut accepted, mut asked) = (PRIOR_ACCEPTED, PRIOR_ASKED);
    for (generation, sums) in
        lineup.arms.iter().flatten().flat_map(|arm| arm.generations().range(live_generations(day, half_life_days)))
    {
        let unit = weight_on(day, *generation, half_life_days);
        #[expect(clippy::cast_precision_loss, reason = "rounded to quarters of a logit in the end")]
        let (r, w) = (sums.r() as f64, sums.w() as f64);
        accepted += r / unit;
        asked += w / unit;
    }
    // More taken back than given, or rewards above one, must not leave the open interval.
    let share = (accepted / asked).clamp(1e-4, 1.0 - 1e-4);
    libm::round(QUARTERS * libm::log(share / (1.0 - share))) / QUARTERS
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bandit::sample::{self, increment};

    fn lineup(accepted: u32, asked: u32) -> Lineup {
        let mut arm = ArmStatistics::default();
        for n in 0..asked {
            arm.apply(&increment(Day(10), None, &[1.0, 0.5], 1, i8::from(n < accepted)));
        }
        Lineup { arms: vec![None, Some(Arc::new(arm))], ..Lineup::of_offers(2) }
    }

    #[test]
    fn a_new_arm_is_expected_to_do_as_the_others_do_in_quarters_of_a_logit() {
        let check =
            |accepted, asked, expected: f64| assert_eq!(centre(&lineup(accepted, asked), Day(10), None), expected);
        check(0, 0, -3.0); // logit of 1/20 is -2.94
        check(0, 5, -3.25);
        check(30, 1_000, -3.5);
        check(31, 1_000, -3.5);
        check(999, 1_980, 0.0);
        check(10_000, 10_000, 6.25);
    }

    #[test]
    fn only_logistic_contenders_believe_in_logits() {
        let mut placement = sample::placement();
        placement.features.clear();
        let lineup = lineup(0, 0);
        let mut contender = placement.champion;
        contender.strategy = Strategy::ThompsonLinear;
        let linear = Derivation::of(&contender, &placement, &lineup, Day(10));
        assert_eq!(linear.prior(), Posterior::prior(1, contender.lambda));
        contender.strategy = Strategy::ThompsonLogistic;
        let logistic = Derivation::of(&contender, &placement, &lineup, Day(10));
        assert_eq!(logistic.prior().theta(), [-3.0]);
        assert_ne!(linear, logistic);
    }
}
