//! What a record tells of what may run out, as the document shows it. Holds no value.

#![expect(dead_code, reason = "schemas are made from these types; nothing is ever kept in one")]

use utoipa::ToSchema;

use super::shapes::Instant;

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
