//! What a record says of money: budgets as they stood, what a candidate spends, what became of a slot. Computes no
//! distribution.
//!
//! Together with the scores this is all that settings of money read, so that a record can be replayed without sums.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::domain::{CampaignBudget, Percent};

/// Budgets and settings of money that a decision was made under.
#[derive(Debug, Clone, PartialEq, Serialize, Encode, Decode)]
pub struct MoneyTerms {
    /// Budgets of the campaigns that eligible candidates belong to; rows name them by position.
    #[n(0)]
    pub campaigns: Vec<CampaignBudget>,
    /// The placement's exploration budget.
    #[n(1)]
    pub exploring: Option<Exploring>,
    /// The share of the best that the cheapest intervention has to reach.
    #[n(2)]
    pub cheapest: Option<Percent>,
}

/// An exploration budget as it stood; millionths of the objective's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct Exploring {
    /// What exploring may cost on the decision's UTC day.
    #[n(0)]
    pub budget_micros: i64,
    /// What had been counted on that day.
    #[n(1)]
    pub spent_micros: i64,
}

impl Exploring {
    /// Whether it was spent, so that the highest expected score was taken and nothing explored.
    pub fn over(&self) -> bool {
        self.spent_micros >= self.budget_micros
    }
}

/// What a candidate spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct RowMoney {
    /// Its discount: spent if it is accepted. Its cost of showing stands beside it.
    #[n(0)]
    pub discount_minor: i64,
    /// Whose budget pays: a position in [`MoneyTerms::campaigns`].
    #[n(1)]
    pub campaign: Option<u16>,
}

/// What settings of money made of the distribution of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Encode, Decode)]
pub struct SlotMoney {
    /// The cheapest intervention that reached the share.
    #[n(0)]
    pub cheapest: Option<CheapestTaken>,
    /// What exploring cost: the expected score of what would have been taken without exploring, less that of what was
    /// drawn, in the objective's unit; never below zero. Nothing without an exploration budget.
    #[n(1)]
    pub explored: Option<f64>,
}

/// The cheapest intervention that reached a share of the best.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Encode, Decode)]
pub struct CheapestTaken {
    /// Row of the best.
    #[n(0)]
    pub best: u32,
    /// Row of the cheapest, which may be the best itself.
    #[n(1)]
    pub to: u32,
    /// Its expected score as a share of the best one; 1 where the best is not above zero.
    #[n(2)]
    pub reached: f64,
}
