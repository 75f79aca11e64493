//! What settings of money came to at a placement of a world: means over its days and decisions. Spends nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::marks::float;
use crate::domain::Day;

/// What one decision had to do with money, in money of the reports.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spending {
    /// What exploring cost: what was expected of the best, less what was expected of what was shown. 0 without a budget
    /// for it.
    pub explored: f64,
    /// Whether the day's budget for exploring was spent before.
    pub over: bool,
    /// What was expected of the cheapest intervention, as a share of the best; nothing where nobody looks for it.
    pub reached: Option<f64>,
    /// Discount and cost of showing of what was shown.
    pub intervention: f64,
}

/// What the settings of money of a placement came to, in money of the reports.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MoneyAt {
    /// What exploring cost on a day; mean over all days that had decisions.
    pub explored_a_day: f64,
    /// The most that it cost on a day, over all seeds: above the budget by what was decided before its end was known.
    pub explored_most: f64,
    /// Share of the decisions that came after the day's budget was spent.
    pub over: f64,
    /// What was expected of the cheapest intervention, as a share of the best; mean over decisions. Nothing where it is
    /// not looked for.
    pub reached: Option<f64>,
    /// Discount and cost of showing of what was shown; mean over decisions.
    pub intervention: f64,
}

impl MoneyAt {
    /// Sums up the decisions of a placement, for each seed in turn.
    pub(in crate::simulation) fn of(seeds: &[Vec<(Day, Spending)>]) -> Self {
        let mut days: BTreeMap<(usize, Day), f64> = BTreeMap::new();
        for (seed, decisions) in seeds.iter().enumerate() {
            for (day, spending) in decisions {
                *days.entry((seed, *day)).or_default() += spending.explored;
            }
        }
        let all = || seeds.iter().flatten().map(|(_, spending)| spending);
        let number = float(all().count()).max(1.0);
        let reached: Vec<f64> = all().filter_map(|spending| spending.reached).collect();
        Self {
            explored_a_day: days.values().sum::<f64>() / float(days.len()).max(1.0),
            explored_most: days.values().copied().fold(0.0, f64::max),
            over: float(all().filter(|spending| spending.over).count()) / number,
            reached: (!reached.is_empty()).then(|| reached.iter().sum::<f64>() / float(reached.len())),
            intervention: all().map(|spending| spending.intervention).sum::<f64>() / number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_summed_seed_by_seed_and_decisions_are_averaged() {
        let spending = |explored, over, reached, intervention| Spending { explored, over, reached, intervention };
        let seeds = [
            vec![
                (Day(1), spending(2.0, false, Some(0.5), 4.0)),
                (Day(1), spending(4.0, false, None, 0.0)),
                (Day(2), spending(0.0, true, Some(1.0), 0.0)),
            ],
            vec![(Day(1), spending(3.0, true, None, 8.0))],
        ];
        let expected =
            MoneyAt { explored_a_day: 3.0, explored_most: 6.0, over: 0.5, reached: Some(0.75), intervention: 3.0 };
        assert_eq!(MoneyAt::of(&seeds), expected);
        let nothing = MoneyAt::of(&[]);
        assert_eq!((nothing.explored_a_day, nothing.reached), (0.0, None));
    }
}
