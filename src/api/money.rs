//! Money of records as JSON: budgets and settings as they stood, and what they made of a slot. Decides nothing.

use serde_json::{Value, json};

use super::render::named;
use crate::domain::decision::{CandidateRow, Skeleton, Slot};
use crate::domain::spend::MICROS;
use crate::domain::{CampaignId, Catalogue, Money};

/// The campaign whose budget pays what a candidate spends, where one does.
pub(super) fn paid_by<'a>(skeleton: &'a Skeleton, row: &CandidateRow) -> Option<&'a CampaignId> {
    let budgets = &skeleton.money.as_ref()?.campaigns;
    budgets.get(usize::from(row.money?.campaign?)).map(|budget| &budget.campaign)
}

/// Budgets and settings of money that a decision was made under; nothing where there were none.
pub(super) fn terms(skeleton: &Skeleton) -> Option<Value> {
    let terms = skeleton.money.as_ref()?;
    let currency = skeleton.terms.currency;
    let money = |minor: i64| Money { minor, currency };
    let campaigns = terms.campaigns.iter().map(|budget| {
        json!({
            "campaign_id": budget.campaign, "budget": money(budget.budget_minor), "spent": money(budget.spent_minor),
            "planned": budget.planned_minor.map(money), "multiplier": budget.multiplier,
        })
    });
    Some(json!({
        "campaigns": campaigns.collect::<Vec<_>>(),
        "exploration_budget": terms.exploring.map(|exploring| json!({
            "budget": units(exploring.budget_micros), "spent": units(exploring.spent_micros),
            "over": exploring.over(),
        })),
        "cheapest": terms.cheapest.map(|share| share.to_string()),
    }))
}

/// Millionths of the objective's unit as a number of that unit.
#[expect(clippy::cast_precision_loss, reason = "for people")]
fn units(micros: i64) -> f64 {
    micros as f64 / MICROS as f64
}

/// What settings of money made of a slot; nothing without such settings.
pub(super) fn slot(skeleton: &Skeleton, slot: &Slot, catalogue: &Catalogue) -> Option<Value> {
    let kept = slot.money?;
    let named = |row: u32| {
        let row = skeleton.candidates.get(row as usize)?;
        let named = named(row, catalogue);
        Some(json!({
            "nothing": row.candidate.is_none(),
            "offer_id": named.map(|(offer, _)| offer),
            "variant_id": named.map(|(_, variant)| variant),
        }))
    };
    Some(json!({
        "cheapest": kept.cheapest.map(|taken| json!({
            "best": named(taken.best), "taken": named(taken.to), "reached": taken.reached,
        })),
        "explored": kept.explored,
    }))
}
