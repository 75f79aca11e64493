//! What a record tells of budgets and of what may run out, as the document shows it. Holds no value.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;

use super::shapes::{Instant, Money};

/// A pool, of stock or of a budget, that left something out or that was taken from.
#[derive(ToSchema)]
pub struct RecordPool {
    /// The rule that limits it.
    #[schema(required = true)]
    rule: Option<String>,
    /// The rule with what it counts apart.
    #[schema(example = "proffer.stock/red-boots")]
    pool: String,
    /// When its window began; `null` where it has none.
    #[schema(required = true)]
    since: Option<Instant>,
    /// What may be given out of it; units, or minor units of the placement's currency.
    total: i64,
    /// What was known to be ordered or reserved before, in the same unit.
    gone: i64,
    /// What this decision reserved.
    taken: i64,
}

/// A campaign's budget as it stood.
#[derive(ToSchema)]
pub struct RecordBudget {
    campaign_id: String,
    budget: Money,
    spent: Money,
    /// `null` where the campaign has no start or no end.
    #[schema(required = true)]
    planned: Option<Money>,
    /// How much a unit spent counted beside what it costs.
    multiplier: f64,
}
