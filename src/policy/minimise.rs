//! Minimisation: which attributes rules and features may see at all. What is withheld is recorded, never read.
//!
//! A promise of types: rules read attributes from [`Facts`](super::Facts) and features from [`Seen`], and the one way
//! to a `Seen` with something in it is [`minimise`]. So no code can hand them a request as it came.

use std::collections::{BTreeMap, BTreeSet};

use super::authority::{Approved, UseCase};
use super::bundle::Bundle;
use super::declared::attributes::AttributeClass;
use super::kinds::guards;
use crate::domain::decision::Withheld;
use crate::domain::{AttributeId, AttributeScope, DecisionRequest, Placement, Timestamp, Value};

/// The attributes of one request, split into what may be seen and what may not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    used: BTreeMap<AttributeId, Value>,
    /// Of these what is not approved for something that others of them are.
    kept_from: BTreeSet<(AttributeId, UseCase)>,
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
    /// An attribute as rules may see it.
    pub fn get(&self, id: &AttributeId) -> Option<&Value> {
        self.used.get(id).filter(|_| self.may(id, UseCase::Rule))
    }

    /// An attribute as features may see it.
    pub fn feature(&self, id: &AttributeId) -> Option<&Value> {
        self.used.get(id).filter(|_| self.may(id, UseCase::Feature))
    }

    /// Whether what was seen of an attribute may move the price that somebody is shown.
    pub fn may_move_prices(&self, id: &AttributeId) -> bool {
        self.may(id, UseCase::Price)
    }

    fn may(&self, id: &AttributeId, use_case: UseCase) -> bool {
        self.kept_from.is_empty() || !self.kept_from.contains(&(id.clone(), use_case))
    }

    /// All that rules or features may see, for the record.
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

    /// The same request as if rules saw another value of an attribute: for what is asked about everybody, whose own
    /// value nobody reads for that.
    pub(super) fn supposing(&self, id: &AttributeId, value: &Value) -> Self {
        let mut supposed = self.clone();
        supposed.kept_from.remove(&(id.clone(), UseCase::Rule));
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
        Self { guarded: used.clone(), used, ..Self::default() }
    }
}

/// What each use of an attribute at a placement may have of it.
struct Uses<'a> {
    bundle: &'a Bundle,
    placement: &'a Placement,
    approved: &'a Approved,
    now: Timestamp,
}

impl Uses<'_> {
    /// Whether nobody has to approve a use of an attribute here, or it is approved at the decision's own time.
    fn approved(&self, id: &AttributeId, use_case: UseCase) -> bool {
        let demanded = self.bundle.uses.at(&self.placement.id, id);
        let mut of = demanded.iter().filter(|of| of.use_case == use_case);
        of.all(|of| self.approved.allows(of, self.now))
    }

    /// The uses that rules and features of the placement make of an attribute.
    fn wanted(&self, id: &AttributeId) -> Vec<UseCase> {
        let mut atoms = self.placement.features.iter().flat_map(|feature| &feature.atoms);
        let feature = atoms.any(|atom| atom.attribute.as_ref() == Some(id)).then_some(UseCase::Feature);
        let rule = self.bundle.reads(self.placement, id).then_some(UseCase::Rule);
        feature.into_iter().chain(rule).collect()
    }
}

/// Keeps the attributes that a feature or a rule of the placement reads, as far as people have approved that at the
/// decision's time and, unless what is personal may be seen, only public ones about the request. What guards in force
/// read is kept apart for them. `unseen` was withheld before.
pub fn minimise(
    (bundle, approved): (&Bundle, &Approved),
    placement: &Placement,
    request: &DecisionRequest,
    (allowed, now): (Allowed, Timestamp),
    unseen: Vec<(AttributeId, Withheld)>,
) -> Seen {
    let uses = Uses { bundle, placement, approved, now };
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
            let asked = asking.iter().any(|(_, guard)| guard.reads(&id));
            let guarded = asked && uses.approved(&id, UseCase::Guard);
            if guarded {
                seen.guarded.insert(id.clone(), value.clone());
            } else if asked {
                seen.withheld.push((id.clone(), Withheld::GuardNotApproved));
            }
            if !(allowed.personal || public) {
                let why = if guarded { Withheld::GuardsOnly } else { Withheld::PurposeNotConsented };
                seen.withheld.push((id, why));
                continue;
            }
            let wanted = uses.wanted(&id);
            let barred: Vec<UseCase> = wanted.iter().copied().filter(|of| !uses.approved(&id, *of)).collect();
            if !wanted.is_empty() && barred.len() == wanted.len() {
                seen.withheld.push((id, Withheld::NotApproved));
            } else if !wanted.is_empty() {
                seen.keep_from(&id, &barred, !uses.approved(&id, UseCase::Price));
                seen.used.insert(id, value.clone());
            } else if guarded {
                seen.withheld.push((id, Withheld::GuardsOnly));
            } else if !asked {
                seen.withheld.push((id, Withheld::NotUsed));
            }
        }
    }
    seen.withheld.extend(unseen);
    seen
}

impl Seen {
    /// Keeps an attribute that some may see from others.
    fn keep_from(&mut self, id: &AttributeId, barred: &[UseCase], from_prices: bool) {
        for use_case in barred.iter().copied().chain(from_prices.then_some(UseCase::Price)) {
            let why = match use_case {
                UseCase::Feature => Withheld::FeatureNotApproved,
                UseCase::Price => Withheld::PriceNotApproved,
                _ => Withheld::RuleNotApproved,
            };
            self.kept_from.insert((id.clone(), use_case));
            self.withheld.push((id.clone(), why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_supposed_of_everybody_is_seen_by_rules_whatever_was_approved_and_by_nobody_else() {
        let tier = AttributeId::parse("customer.tier").unwrap();
        let [gold, bronze] = ["gold", "bronze"].map(|tier| Value::Text(tier.to_owned()));
        let all = [UseCase::Rule, UseCase::Feature, UseCase::Price];
        for known in [true, false] {
            let kept_from = all.iter().filter(|_| known).map(|of| (tier.clone(), *of)).collect();
            let used = known.then(|| (tier.clone(), gold.clone())).into_iter().collect();
            let seen = Seen { used, kept_from, ..Seen::default() };
            assert_eq!((seen.get(&tier), seen.feature(&tier)), (None, None));
            assert_eq!(seen.supposing(&tier, &bronze).get(&tier), Some(&bronze), "known: {known}");
            assert_eq!(seen.get(&tier), None, "the customer's own value stays unread");
        }
    }
}
