//! Personalised prices in sentences. Says nothing of others.

use crate::domain::AttributeId;
use crate::domain::decision::Skeleton;
use crate::policy::Bundle;

/// What moved the price in a slot, counted from 0, and what is said beside it.
pub(super) fn told(number: u16, skeleton: &Skeleton, bundle: &Bundle) -> Option<String> {
    let price = skeleton.slots.get(usize::from(number))?.price.as_ref()?;
    let offer = &skeleton.shown.get(usize::from(number))?.offer;
    let ids: Vec<&str> = price.attributes.iter().map(AttributeId::as_str).collect();
    let beside = price.rule.and_then(|rule| bundle.disclosure(rule));
    let beside = beside.map(|text| format!("; beside it stands \"{text}\"")).unwrap_or_default();
    let slot = if skeleton.slots.len() > 1 { format!("Slot {}: the", number + 1) } else { "The".to_owned() };
    Some(format!("{slot} price of `{offer}` is personalised by {}{beside}.", ids.join(", ")))
}
