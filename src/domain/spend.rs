//! Spending: sums of what campaigns and exploration have cost, plans, and the multiplier that paces a budget. Counts
//! nothing by itself.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::{CampaignId, Day, Percent, PlacementId, Timestamp};

/// What a placement sets about money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoneySettings {
    /// Among candidates that reach this share of the best expected score, what is spent least is taken.
    pub cheapest: Option<Percent>,
    /// What exploring may cost on one UTC day, in millionths of the objective's unit.
    pub exploration_budget_micros: Option<i64>,
}

/// Millionths in one: costs of exploring are counted in whole millionths of the objective's unit.
pub const MICROS: i64 = 1_000_000;

/// A sum that is kept for every day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpendKey {
    /// Discounts and costs of showing that a campaign paid, in minor units of its budget, by the day of the decision.
    Campaign(CampaignId, Day),
    /// Expected score that a placement gave up by exploring, in millionths of the objective's unit, by the day of the
    /// decision.
    Exploration(PlacementId, Day),
}

/// The sums as decisions read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Of each campaign, over all days; minor units.
    pub campaigns: BTreeMap<CampaignId, i64>,
    /// Of each placement, on [`Spend::day`]; millionths of the objective's unit.
    pub explored: BTreeMap<PlacementId, i64>,
    /// The UTC day that exploration is of.
    pub day: Day,
}

impl Spend {
    /// Nothing spent.
    pub fn none(day: Day) -> Self {
        Self { campaigns: BTreeMap::new(), explored: BTreeMap::new(), day }
    }

    /// What a campaign has spent.
    pub fn of_campaign(&self, id: &CampaignId) -> i64 {
        self.campaigns.get(id).copied().unwrap_or(0)
    }

    /// What exploration at a placement has cost on a day; nothing yet on a day that was not read.
    pub fn explored_on(&self, id: &PlacementId, day: Day) -> i64 {
        if day == self.day { self.explored.get(id).copied().unwrap_or(0) } else { 0 }
    }

    /// Adds a sum, as the store does.
    pub fn add(&mut self, key: &SpendKey, amount: i64) {
        let sum = match key {
            SpendKey::Campaign(id, _) => self.campaigns.entry(id.clone()).or_default(),
            SpendKey::Exploration(id, day) if *day == self.day => self.explored.entry(id.clone()).or_default(),
            SpendKey::Exploration(..) => return,
        };
        *sum = sum.saturating_add(amount);
    }
}

/// How strongly a budget is paced: the multiplier of one period's plan spent too early.
pub const PACING_GAIN: f64 = 2.0;

/// The longest period that spending ahead of plan is counted in: a day.
const PERIOD_MS_MAX: i64 = 86_400_000;

/// The least number of periods of a plan; those of a campaign of less than twenty days are shorter than a day.
const PERIODS_MIN: i64 = 20;

/// A budget spent evenly between two instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// All of it, in minor units.
    pub budget_minor: i64,
    /// From when on.
    pub start: Timestamp,
    /// By when all of it.
    pub end: Timestamp,
}

impl Plan {
    /// What should be spent by an instant: linear between start and end; minor units, rounded down.
    pub fn planned_minor(&self, at: Timestamp) -> i64 {
        let (from, to) = (i128::from(self.start.0), i128::from(self.end.0));
        let whole = (to - from).max(1);
        let passed = (i128::from(at.0) - from).clamp(0, whole);
        i64::try_from(i128::from(self.budget_minor) * passed / whole).unwrap_or(self.budget_minor)
    }

    /// The multiplier of what is spent: how much a unit spent counts beside what it costs.
    ///
    /// `lambda = [gain (spent - planned) / planned per period]+`, a period being a day, or a twentieth of a plan that
    /// is shorter than twenty days. Dual averaging: a function of sums and time alone, whatever the order of spending.
    #[expect(clippy::cast_precision_loss, reason = "budgets are bounded far below 2^53 at the door")]
    pub fn multiplier(&self, spent_minor: i64, at: Timestamp) -> f64 {
        let ahead = spent_minor.saturating_sub(self.planned_minor(at));
        let length = self.end.0.saturating_sub(self.start.0).max(1);
        let period = (length / PERIODS_MIN).clamp(1, PERIOD_MS_MAX);
        let per_period = self.budget_minor as f64 * (period as f64 / length as f64);
        if ahead <= 0 || per_period <= 0.0 {
            return 0.0;
        }
        PACING_GAIN * (ahead as f64 / per_period)
    }
}

/// What stands in a record of a campaign's budget, as it was when the decision was made.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct CampaignBudget {
    /// Which campaign.
    #[n(0)]
    pub campaign: CampaignId,
    /// All of it, in minor units.
    #[n(1)]
    pub budget_minor: i64,
    /// What had been counted as spent.
    #[n(2)]
    pub spent_minor: i64,
    /// What should have been spent; nothing where the campaign has no start or no end, and so no plan.
    #[n(3)]
    pub planned_minor: Option<i64>,
    /// The multiplier in force; 0 where nothing is paced.
    #[n(4)]
    pub multiplier: f64,
}

impl CampaignBudget {
    /// `m' = m - lambda s` and `c' = (1 + lambda) c` of a candidate that costs the discount `s` if accepted and `c` to
    /// show.
    #[expect(clippy::cast_precision_loss, reason = "bounded far below 2^53 at the door")]
    pub fn paced(&self, discount_minor: i64, (margin, cost): (f64, f64)) -> (f64, f64) {
        (margin - self.multiplier * discount_minor as f64, cost + self.multiplier * cost)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000;

    fn plan(budget_minor: i64, days: i64) -> Plan {
        Plan { budget_minor, start: Timestamp(0), end: Timestamp(days * DAY) }
    }

    #[test]
    fn a_plan_is_a_line_and_the_multiplier_counts_periods_ahead_of_it() {
        let plan = plan(3_000, 30);
        let planned = |day: i64| plan.planned_minor(Timestamp(day * DAY));
        assert_eq!([-1, 0, 1, 15, 30, 31].map(planned), [0, 0, 100, 1_500, 3_000, 3_000]);
        let multiplier = |spent, day: i64| plan.multiplier(spent, Timestamp(day * DAY));
        assert_eq!([1_500, 1_499, 0].map(|spent| multiplier(spent, 15).to_bits()), [0; 3]);
        assert!((multiplier(1_600, 15) - PACING_GAIN).abs() < 1e-12, "a day ahead");
        assert!((multiplier(1_750, 15) - 2.5 * PACING_GAIN).abs() < 1e-12);
        let short = Plan { budget_minor: 2_000, start: Timestamp(0), end: Timestamp(DAY) };
        assert!((short.multiplier(100, Timestamp(0)) - PACING_GAIN).abs() < 1e-12, "a twentieth of a day ahead");
        assert_eq!(Plan { budget_minor: 0, ..short }.multiplier(100, Timestamp(0)).to_bits(), 0);
    }

    proptest! {
        #[test]
        fn the_multiplier_never_falls_with_spending_and_never_rises_with_time(
            budget in 0..1_000_000_000_000_i64, days in 1..400_i64,
            spent in 0..1_000_000_000_000_i64, more in 0..1_000_000_000_i64,
            at in 0..400 * DAY, later in 0..DAY,
        ) {
            let plan = plan(budget, days);
            let now = plan.multiplier(spent, Timestamp(at));
            prop_assert!(now >= 0.0 && now.is_finite());
            prop_assert!(plan.multiplier(spent + more, Timestamp(at)) >= now);
            prop_assert!(plan.multiplier(spent, Timestamp(at + later)) <= now);
        }
    }
}
