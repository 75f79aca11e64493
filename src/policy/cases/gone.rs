//! What is gone of what may run out, as a case gives it. Expects nothing.

use std::collections::BTreeMap;

use super::super::finding::Report;
use super::super::read;
use super::super::syntax::{Node, Yaml};
use super::case::known_rule;
use super::{Ground, offer};
use crate::domain::RuleId;

/// Reads rules of stock and budgets, each with what is gone of every pool of it: units, or an amount in minor units.
pub(super) fn read(
    report: &mut Report<'_>,
    what: &str,
    node: &Node,
    ground: Ground<'_>,
) -> Option<BTreeMap<RuleId, i64>> {
    let what = format!("{what}: gone");
    let Yaml::Map(entries) = &node.value else {
        let wanted = "rules with what is gone, such as `{proffer.stock: 3, budget.vouchers: 480.00 USD}`";
        read::expected(report, &what, node, wanted);
        return None;
    };
    let mut gone = BTreeMap::new();
    let mut whole = true;
    for (key, node) in entries {
        let known = known_rule(report, &what, (key.place, key.text.as_str()), ground);
        let units = matches!(&node.value, Yaml::Scalar { text, .. } if text.bytes().all(|byte| byte.is_ascii_digit()));
        let amount = if units {
            read::whole(report, &what, node, 0, u32::MAX).map(i64::from)
        } else {
            offer::amount(report, &what, node).map(|money| money.minor)
        };
        match (RuleId::new(key.text.as_str()), amount) {
            (Ok(rule), Some(amount)) if known => drop(gone.insert(rule, amount)),
            _ => whole = false,
        }
    }
    whole.then_some(gone)
}
