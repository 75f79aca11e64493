//! Minimisation: which attributes rules and features may see at all. What is withheld is recorded, never read.
//!
//! A promise of types: rules read attributes from [`Facts`](super::Facts) and features from [`Seen`], and the one way
//! to a `Seen` with something in it is [`minimise`]. So no code can hand them a request as it came.

use std::collections::BTreeMap;

use super::bundle::Bundle;
use super::declared::attributes::AttributeClass;
use super::kinds::guards;
use crate::domain::decision::Withheld;
use crate::domain::{AttributeId, AttributeScope, DecisionRequest, Placement, Timestamp, Value};

/// The attributes of one request, split into what may be seen and what may not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    used: BTreeMap<AttributeId, Value>,
    guarded: BTreeMap<AttributeId, Value>,
    withheld: Vec<(AttributeId, Withheld)>,
}

/// What the gates let be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Whether rules and features may see what is personal.
    pub personal: bool,
    /// Whether guards of audiences may see what they read.
    pub guards: bool,
}

impl Seen {
    /// An attribute that rules and features may see.
    pub fn get(&self, id: &AttributeId) -> Option<&Value> {
        self.used.get(id)
    }

    /// All that rules and features may see, for the record.
    pub fn used(&self) -> &BTreeMap<AttributeId, Value> {
        &self.used
    }

    /// What guards of audiences see and nobody else, for the record.
    pub fn guarded(&self) -> &BTreeMap<AttributeId, Value> {
        &self.guarded
    }

    /// What rules and features never see, and why.
    pub fn withheld(&self) -> &[(AttributeId, Withheld)] {
        &self.withheld
    }

    /// The same request as if an attribute had another value: for what is asked about everybody.
    pub(super) fn supposing(&self, id: &AttributeId, value: &Value) -> Self {
        let mut supposed = self.clone();
        supposed.used.insert(id.clone(), value.clone());
        supposed
    }

    /// The same request as guards see it.
    pub(super) fn for_guards(&self) -> Self {
        Self { used: self.guarded.clone(), ..Self::default() }
    }

    /// What a test says that rules see.
    #[cfg(test)]
    pub fn of(used: BTreeMap<AttributeId, Value>) -> Self {
        Self { guarded: used.clone(), used, withheld: Vec::new() }
    }
}

/// Keeps the attributes that a feature or a rule of the placement reads and, unless what is personal may be seen, only
/// public ones about the request. What guards in force read is kept apart for them. `unseen` was withheld before.
pub fn minimise(
    bundle: &Bundle,
    placement: &Placement,
    request: &DecisionRequest,
    (allowed, now): (Allowed, Timestamp),
    unseen: Vec<(AttributeId, Withheld)>,
) -> Seen {
    let read = |id: &AttributeId| {
        placement.features.iter().flat_map(|f| &f.atoms).any(|atom| atom.attribute.as_ref() == Some(id))
            || bundle.reads(placement, id)
    };
    let asking = if allowed.guards {
        let region = bundle.region(request.jurisdiction.as_deref(), request.store.as_ref());
        guards::asking(bundle, placement, now, region).collect()
    } else {
        Vec::new()
    };
    let given = [(AttributeScope::Customer, &request.customer.attributes), (AttributeScope::Context, &request.context)];
    let mut seen = Seen::default();
    for (scope, values) in given {
        for (name, value) in values {
            let Ok(id) = AttributeId::of(scope, name) else { continue };
            let public = scope != AttributeScope::Customer
                && bundle.attributes.get(&id).is_some_and(|spec| spec.class == AttributeClass::Public);
            let guarded = asking.iter().any(|(_, guard)| guard.reads(&id));
            if guarded {
                seen.guarded.insert(id.clone(), value.clone());
            }
            let may_see = allowed.personal || public;
            if may_see && read(&id) {
                seen.used.insert(id, value.clone());
            } else if guarded {
                seen.withheld.push((id, Withheld::GuardsOnly));
            } else if may_see {
                seen.withheld.push((id, Withheld::NotUsed));
            } else {
                seen.withheld.push((id, Withheld::PurposeNotConsented));
            }
        }
    }
    seen.withheld.extend(unseen);
    seen
}
