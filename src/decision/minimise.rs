//! Minimisation: which attributes rules and features may see at all. What is withheld is recorded, never read.

use std::collections::BTreeMap;

use crate::domain::decision::Withheld;
use crate::domain::{AttributeId, AttributeScope, DecisionRequest, Placement, Value};
use crate::policy::{AttributeClass, Bundle};

/// The attributes of one request, split into what may be seen and what may not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Minimised {
    /// What rules and features see.
    pub used: BTreeMap<AttributeId, Value>,
    /// What they never see, and why.
    pub withheld: Vec<(AttributeId, Withheld)>,
}

/// Keeps the attributes that a feature or a rule of the placement reads and, unless `personal`, only public ones about
/// the request.
pub fn minimise(bundle: &Bundle, placement: &Placement, request: &DecisionRequest, personal: bool) -> Minimised {
    let read = |id: &AttributeId| {
        placement.features.iter().flat_map(|f| &f.atoms).any(|atom| atom.attribute.as_ref() == Some(id))
            || bundle.reads(placement, id)
    };
    let given = [(AttributeScope::Customer, &request.customer.attributes), (AttributeScope::Context, &request.context)];
    let mut result = Minimised::default();
    for (scope, values) in given {
        for (name, value) in values {
            let Ok(id) = AttributeId::of(scope, name) else { continue };
            let public = scope != AttributeScope::Customer
                && bundle.attributes.get(&id).is_some_and(|spec| spec.class == AttributeClass::Public);
            if !personal && !public {
                result.withheld.push((id, Withheld::PurposeNotConsented));
            } else if !read(&id) {
                result.withheld.push((id, Withheld::NotUsed));
            } else {
                result.used.insert(id, value.clone());
            }
        }
    }
    result
}
