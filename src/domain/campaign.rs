//! Campaigns: named groups of offers with dates, a budget and an owner. Holds no offer: offers name their campaign.

use serde::{Deserialize, Serialize};

use super::schedule::{self, Pause, Standing};
use super::{CampaignBudget, CampaignId, Money, OfferStatus, Plan, Timestamp};

/// A named group of offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a campaign as a JSON object")]
pub struct Campaign {
    /// Unique within the tenant.
    pub campaign_id: CampaignId,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// Who answers for it, such as a team.
    pub owner: String,
    /// Active unless said otherwise; its offers are not shown while it is paused.
    #[serde(default)]
    pub status: OfferStatus,
    /// Its offers are not shown before; at once where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// Its offers are not shown from then on; never ends where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Announced times in which its offers are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// What discounts and costs of showing of its offers may come to. Once it is spent they are not shown; where the
    /// campaign has a start and an end it is paced, to be spent evenly between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Money>,
}

impl Campaign {
    /// Whether its schedule lets its offers be shown at an instant.
    pub fn standing(&self, at: Timestamp) -> Standing {
        schedule::standing(self.status, (self.starts_at, self.ends_at), &self.pauses, at)
    }

    /// Its plan, where it has a budget, a start and an end.
    pub fn plan(&self) -> Option<Plan> {
        let (start, end) = self.starts_at.zip(self.ends_at)?;
        Some(Plan { budget_minor: self.budget?.minor, start, end })
    }

    /// How its budget stands at an instant, given what was counted as spent; nothing without a budget.
    pub fn budget_at(&self, spent_minor: i64, at: Timestamp) -> Option<CampaignBudget> {
        let (budget, plan) = (self.budget?, self.plan());
        Some(CampaignBudget {
            campaign: self.campaign_id.clone(),
            budget_minor: budget.minor,
            spent_minor,
            planned_minor: plan.map(|plan| plan.planned_minor(at)),
            multiplier: plan.map_or(0.0, |plan| plan.multiplier(spent_minor, at)),
        })
    }

    /// Everything wrong with the campaign by itself, each with a JSON pointer below it.
    pub fn problems(&self) -> Vec<(String, String)> {
        let mut found = schedule::problems((self.starts_at, self.ends_at), &self.pauses);
        if self.owner.trim().is_empty() {
            found.push(("/owner".into(), "nobody owns the campaign: name a team or a person".into()));
        }
        if let Some(budget) = self.budget.filter(|budget| budget.minor < 0) {
            let message = format!("budget `{}` is negative: expected 0.00 or more", budget.amount());
            found.push(("/budget/amount".into(), message));
        }
        found
    }
}
