//! Whether a request fits the active bundle: every problem at once, each with its place. Decides nothing.

use crate::domain::{AttributeScope, DecisionRequest, Placement, PlacementId};
use crate::policy::{Bundle, did_you_mean};

/// Something in a request that cannot be, with a JSON pointer to it and a way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// RFC 6901 pointer into the request.
    pub pointer: String,
    /// What was wrong, what was expected, how to mend it.
    pub message: String,
}

impl Problem {
    /// A problem at a place.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// The placement asked for, or everything that is wrong with the request.
pub fn check<'a>(bundle: &'a Bundle, request: &DecisionRequest) -> Result<&'a Placement, Vec<Problem>> {
    let mut problems = Vec::new();
    let placement = bundle.placement(request.placement.as_str());
    if placement.is_none() {
        let known: Vec<&str> = bundle.placements.keys().map(PlacementId::as_str).collect();
        let meant = did_you_mean(request.placement.as_str(), known.iter().copied());
        problems.push(Problem::new(
            "/placement",
            format!("unknown placement `{}`: expected one of {}{meant}", request.placement, listed(&known)),
        ));
    }
    if let (Some(count), Some(placement)) = (request.count, placement)
        && !(1..=placement.slots).contains(&count)
    {
        let slots = if placement.slots == 1 { "1 slot".to_owned() } else { format!("{} slots", placement.slots) };
        let message = format!(
            "`{count}` offers were asked for: placement `{}` has {slots}; ask for that many at most",
            placement.id
        );
        problems.push(Problem::new("/count", message));
    }
    for (scope, values, at) in [
        (AttributeScope::Customer, &request.customer.attributes, "/customer/attributes"),
        (AttributeScope::Context, &request.context, "/context"),
    ] {
        for (name, message) in bundle.check_attributes(scope, values) {
            problems.push(Problem::new(format!("{at}/{name}"), message));
        }
    }
    for (at, persona) in request.customer.personas.iter().flatten().enumerate() {
        for (name, message) in bundle.check_attributes(AttributeScope::Customer, &persona.attributes) {
            problems.push(Problem::new(format!("/customer/personas/{at}/attributes/{name}"), message));
        }
    }
    match placement {
        Some(placement) if problems.is_empty() => Ok(placement),
        _ => Err(problems),
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
