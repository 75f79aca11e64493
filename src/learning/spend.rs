//! Spending: what one slot of a decision adds to the sums of campaigns and of exploration, or takes back from them.
//! Keeps no sum.
//!
//! Sums are whole numbers of differences, each counted in the step that learns of it, so that the order in which
//! outcomes arrive, and how often the learner looks, change nothing.

use super::event::Applied;
use crate::domain::decision::Skeleton;
use crate::domain::spend::MICROS;
use crate::domain::{CampaignId, Day, PlacementId, SpendKey};

/// The most that exploring in one slot counts for, in millionths: sums of any day stay far below overflow.
const EXPLORED_MICROS_MAX: f64 = 1e15;

/// What one slot of a decision spends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Costs {
    /// Which slot, from 0.
    pub slot: u16,
    /// The UTC day of the decision.
    pub day: Day,
    /// The campaign whose budget pays, with the cost of showing and the discount, in minor units.
    pub campaign: Option<(CampaignId, i64, i64)>,
    /// The placement whose exploration budget is counted, with what exploring cost in millionths of the objective's
    /// unit.
    pub explored: Option<(PlacementId, i64)>,
}

impl Costs {
    /// Reads a record: costs of each of its slots, those of *nothing* among them.
    pub fn read(skeleton: &Skeleton) -> Vec<Self> {
        let costs = |(slot, filled): (u16, &crate::domain::decision::Slot)| {
            let row = skeleton.candidates.get(filled.draw.chosen as usize);
            let campaign = row.and_then(|row| {
                let money = row.money?;
                let budget = skeleton.money.as_ref()?.campaigns.get(usize::from(money.campaign?))?;
                Some((budget.campaign.clone(), row.cost_minor, money.discount_minor))
            });
            let explored = filled.money.and_then(|money| money.explored);
            let explored = explored.map(|cost| (skeleton.placement.clone(), micros(cost)));
            Self { slot, day: skeleton.at.day(), campaign, explored }
        };
        (0..).zip(&skeleton.slots).map(costs).collect()
    }

    /// What to add to the sums when what is applied of the slot goes from `before` (nothing where the learner looks for
    /// the first time) to `now`: the cost of showing once it was exposed, the discount while it counts as accepted,
    /// and what exploring cost once.
    pub fn since(&self, before: Option<Applied>, now: Applied) -> Vec<(SpendKey, i64)> {
        let spent = |applied: Applied, (showing, discount): (i64, i64)| {
            (if applied.exposed { showing } else { 0 }) + if applied.accepted { discount } else { 0 }
        };
        let campaign = self.campaign.iter().map(|(id, showing, discount)| {
            let costs = (*showing, *discount);
            let amount = spent(now, costs) - spent(before.unwrap_or_default(), costs);
            (SpendKey::Campaign(id.clone(), self.day), amount)
        });
        let explored = self.explored.iter().filter(|_| before.is_none());
        let explored = explored.map(|(id, micros)| (SpendKey::Exploration(id.clone(), self.day), *micros));
        campaign.chain(explored).filter(|(_, amount)| *amount != 0).collect()
    }
}

/// A cost of exploring in whole millionths, at least 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "clamped before, and a small constant"
)]
pub fn micros(cost: f64) -> i64 {
    // A cost that is not a number is cast to none.
    (cost * MICROS as f64).round().clamp(0.0, EXPLORED_MICROS_MAX) as i64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn costs() -> Costs {
        let campaign = Some((CampaignId::new("spring").unwrap(), 5, 300));
        let explored = Some((PlacementId::new("home").unwrap(), 2_500_000));
        Costs { slot: 0, day: Day(9), campaign, explored }
    }

    fn applied(exposed: bool, accepted: bool) -> Applied {
        Applied { exposed, accepted, ..Applied::default() }
    }

    #[test]
    fn showing_is_paid_once_a_discount_while_it_is_accepted_and_exploring_at_the_first_look() {
        let of = |before: Option<Applied>, now: Applied| costs().since(before, now);
        let campaign = |amount| (SpendKey::Campaign(CampaignId::new("spring").unwrap(), Day(9)), amount);
        let exploring = (SpendKey::Exploration(PlacementId::new("home").unwrap(), Day(9)), 2_500_000);
        let (shown, bought) = (applied(true, false), applied(true, true));
        assert_eq!(of(None, shown), [campaign(5), exploring.clone()]);
        assert_eq!(of(None, Applied::default()), [exploring]);
        assert_eq!(of(Some(shown), bought), [campaign(300)]);
        assert_eq!(of(Some(bought), shown), [campaign(-300)], "a refund gives back");
        assert_eq!(of(Some(bought), bought), []);
    }

    #[test]
    fn a_cost_of_exploring_is_rounded_once_and_bounded() {
        assert_eq!([0.0, 1.25, 1e-7, 6e-7, -1.0].map(micros), [0, 1_250_000, 0, 1, 0]);
        assert_eq!([f64::NAN, 1e300].map(micros), [0, 1_000_000_000_000_000]);
    }

    proptest! {
        #[test]
        fn however_often_the_learner_looks_the_sums_are_the_same(
            looks in proptest::collection::vec(any::<(bool, bool)>(), 1..9),
        ) {
            let mut sums: BTreeMap<SpendKey, i64> = BTreeMap::new();
            let mut before = None;
            for (exposed, accepted) in &looks {
                let now = applied(*exposed, *accepted);
                for (key, amount) in costs().since(before, now) {
                    *sums.entry(key).or_default() += amount;
                }
                before = Some(now);
            }
            let at_once: BTreeMap<SpendKey, i64> = costs().since(None, before.unwrap()).into_iter().collect();
            sums.retain(|_, sum| *sum != 0);
            prop_assert_eq!(sums, at_once);
        }
    }
}
