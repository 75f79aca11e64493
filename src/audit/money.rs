//! What a record says of money, in sentences: budgets, exploration and the cheapest intervention. Recomputes nothing.

use super::{named, percent};
use crate::domain::decision::{CandidateRow, CheapestTaken, Exploring, Skeleton};
use crate::domain::spend::MICROS;
use crate::domain::{CampaignBudget, Catalogue, Currency, Money, ObjectiveKind};
use crate::policy::Bundle;

/// What budgets and settings of money did to a decision; nothing where there were none.
pub(super) fn told(skeleton: &Skeleton, bundle: &Bundle, catalogue: &Catalogue) -> Vec<String> {
    let Some(terms) = skeleton.money.as_ref().filter(|_| !skeleton.slots.is_empty()) else { return Vec::new() };
    let currency = skeleton.terms.currency;
    let mut told: Vec<String> = terms.campaigns.iter().map(|budget| of_budget(budget, currency)).collect();
    told.extend(terms.exploring.map(|exploring| of_exploring(exploring, skeleton, bundle)));
    for (number, slot) in (1..).zip(&skeleton.slots) {
        let Some(kept) = slot.money else { continue };
        let at = if skeleton.slots.len() > 1 { format!("Slot {number}: ") } else { String::new() };
        let cheapest = kept.cheapest.and_then(|taken| of_cheapest(taken, skeleton, catalogue));
        told.extend(cheapest.map(|sentence| format!("{at}{sentence}")));
        if let Some(cost) = kept.explored.filter(|cost| *cost > 0.0) {
            told.push(format!("{at}Exploring cost {} of what was expected.", amount(cost, skeleton, bundle)));
        }
    }
    told
}

fn of_budget(budget: &CampaignBudget, currency: Currency) -> String {
    let money = |minor: i64| Money { minor, currency };
    let CampaignBudget { campaign, budget_minor, spent_minor, planned_minor, multiplier } = budget;
    let spent = format!("Campaign `{campaign}` had spent {} of {}", money(*spent_minor), money(*budget_minor));
    match planned_minor.map(money) {
        Some(planned) if *multiplier > 0.0 => {
            format!("{spent}, more than the {planned} planned by then, and was paced: {multiplier:.2} per unit spent.")
        }
        Some(planned) => format!("{spent}, not more than the {planned} planned by then, and was not paced."),
        None => format!("{spent}; without a start and an end it is not paced."),
    }
}

/// An amount in the objective's unit: money where margin is maximised.
fn amount(units: f64, skeleton: &Skeleton, bundle: &Bundle) -> String {
    let kind = bundle.placement(skeleton.placement.as_str()).map(|placement| placement.objective.kind);
    match kind {
        Some(ObjectiveKind::Conversion) => return format!("{units:.2} acceptances"),
        Some(ObjectiveKind::Click) => return format!("{units:.2} clicks"),
        Some(ObjectiveKind::Margin) | None => {}
    }
    #[expect(clippy::cast_possible_truncation, reason = "casting saturates, and margins are bounded at the door")]
    let minor = units.round() as i64;
    Money { minor, currency: skeleton.terms.currency }.to_string()
}

fn of_exploring(exploring: Exploring, skeleton: &Skeleton, bundle: &Bundle) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let units = |micros: i64| amount(micros as f64 / MICROS as f64, skeleton, bundle);
    let (spent, budget) = (units(exploring.spent_micros), units(exploring.budget_micros));
    let then =
        if exploring.over() { ", so that the highest expected score was taken and nothing was explored" } else { "" };
    format!("Exploring had cost {spent} of the day's {budget}{then}.")
}

fn of_cheapest(taken: CheapestTaken, skeleton: &Skeleton, catalogue: &Catalogue) -> Option<String> {
    let row = |at: u32| skeleton.candidates.get(at as usize);
    let (best, to) = (row(taken.best)?, row(taken.to)?);
    let cost = |row: &CandidateRow| row.cost_minor.saturating_add(row.money.map_or(0, |money| money.discount_minor));
    let less = cost(best).saturating_sub(cost(to));
    if taken.best == taken.to || less <= 0 {
        return None;
    }
    let (best, to) = (named(best, catalogue), named(to, catalogue));
    let less = Money { minor: less, currency: skeleton.terms.currency };
    Some(format!("{to} reaches {} of the best, {best}, for {less} less.", percent(taken.reached)))
}
