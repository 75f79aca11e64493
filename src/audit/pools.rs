//! What a record says of what may run out, in sentences. Knows no pool but what the record read of it.

use crate::domain::decision::Skeleton;
use crate::domain::{Money, PoolReading};
use crate::policy::{Bundle, PoolAmount, RuleKind};

/// A sentence for each pool that left something out or that was taken from.
pub(super) fn told(skeleton: &Skeleton, bundle: &Bundle) -> Vec<String> {
    let told = |reading: &PoolReading| {
        let amount = |amount: i64| match bundle.rule(reading.rule).map(|rule| &rule.kind) {
            Some(RuleKind::Stock) => units(amount),
            Some(RuleKind::Budgeted(pool) | RuleKind::Stocked(pool)) if matches!(pool.amount, PoolAmount::Units(_)) => {
                units(amount)
            }
            _ => Money { minor: amount, currency: skeleton.terms.currency }.to_string(),
        };
        let PoolReading { name, total, gone, taken, .. } = reading;
        let took = if *taken > 0 { format!("{} more reserved", amount(*taken)) } else { "nothing taken".to_owned() };
        format!("Of `{name}` {} of {} were ordered or reserved before, and {took}.", amount(*gone), amount(*total))
    };
    skeleton.pools.iter().flatten().map(told).collect()
}

fn units(amount: i64) -> String {
    if amount == 1 { "1 unit".to_owned() } else { format!("{amount} units") }
}
