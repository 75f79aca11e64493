//! What is known of a customer besides what a request says: attributes kept that still hold. Minimises nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::decision::Withheld;
use crate::domain::{AttributeId, AttributeScope, DecisionRequest, SubjectState, Timestamp};
use crate::policy::Bundle;

/// The request with the attributes kept of its customer, and those kept that cannot be used. What the request itself
/// says wins, and then what is kept does not matter.
pub fn complete<'a>(
    bundle: &Bundle,
    request: &'a DecisionRequest,
    state: Option<&SubjectState>,
    now: Timestamp,
) -> (Cow<'a, DecisionRequest>, Vec<(AttributeId, Withheld)>) {
    let (mut request, mut unseen) = (Cow::Borrowed(request), Vec::new());
    for kept in state.iter().flat_map(|state| &state.known) {
        if request.customer.attributes.contains_key(&kept.name) {
            continue;
        }
        let Ok(id) = AttributeId::of(AttributeScope::Customer, &kept.name) else { continue };
        let value = BTreeMap::from([(kept.name.clone(), kept.value.clone())]);
        // A bundle that has come since may let values live for a shorter time than they were taken in for.
        let lives = bundle.attributes.get(&id).and_then(|spec| spec.time_to_live);
        if !kept.holds(now) || lives.is_some_and(|lives| kept.at.plus(lives) <= now) {
            unseen.push((id, Withheld::Expired));
        } else if !bundle.check_attributes(AttributeScope::Customer, &value).is_empty() {
            // Declared when it was taken in; the bundle has changed since.
            unseen.push((id, Withheld::Undeclared));
        } else {
            request.to_mut().customer.attributes.extend(value);
        }
    }
    (request, unseen)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Customer, KnownAttribute, PlacementId, Value};
    use crate::policy::{Source, compile};

    const NAMES: [&str; 4] = ["tier", "age", "vip", "gone"];

    fn bundle() -> Bundle {
        let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
        let attributes = "attributes:\n  - {id: customer.tier, type: {enum: [bronze, gold]}, class: personal}\n  \
                          - {id: customer.age, type: text, class: personal}\n  \
                          - {id: customer.vip, type: text, class: personal, time_to_live: 1m}\n";
        let placements = "placements:\n  - {id: home, channel: web, purpose: p, currency: USD, objective: {kind: \
                          margin, window: 7d, reward_cap: 200.00}, strategy: {name: uniform, exploration: 1.0}, \
                          features: [], holdout: 0%, fallback: {offer: house, variant: a}}\n";
        let purposes = "purposes:\n  - {id: p, dpv: Marketing, bases: {US: [consent]}}\n";
        compile(&[
            file("bundle.yaml", "name: sample\nschema: 1\n"),
            file("catalog/attributes.yaml", attributes),
            file("catalog/purposes.yaml", purposes),
            file("placements.yaml", placements),
        ])
        .unwrap_or_else(|findings| panic!("{}", findings.iter().map(ToString::to_string).collect::<String>()))
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    fn request(given: &[(&str, &str)]) -> DecisionRequest {
        let attributes = given.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        DecisionRequest {
            decision_id: None,
            customer: Customer { id: Some("ann".into()), attributes, ..Customer::default() },
            placement: PlacementId::new("home").unwrap(),
            count: None,
            jurisdiction: None,
            time_zone: None,
            context: BTreeMap::new(),
            basket: Vec::new(),
            candidates: None,
            store: None,
            privacy_signal: None,
        }
    }

    fn kept(name: &str, value: &str, until: Option<i64>) -> KnownAttribute {
        let (name, value) = (name.to_owned(), text(value));
        KnownAttribute { name, value, at: Timestamp(0), until: until.map(Timestamp) }
    }

    /// What a decision at instant 10 would see and what it would not.
    fn check(given: &[(&str, &str)], known: Vec<KnownAttribute>) -> (String, String) {
        let state = SubjectState { known, ..SubjectState::default() };
        let request = request(given);
        let (seen, unseen) = complete(&bundle(), &request, Some(&state), Timestamp(10));
        let seen = seen.customer.attributes.iter().map(|(name, value)| format!("{name}={value}"));
        let unseen = unseen.iter().map(|(id, why)| format!("{id} {why:?}"));
        (seen.collect::<Vec<_>>().join(", "), unseen.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_is_kept_completes_a_request_unless_it_has_expired_or_is_no_longer_declared() {
        let told = |seen: &str, unseen: &str| (seen.to_owned(), unseen.to_owned());
        assert_eq!(check(&[], vec![kept("tier", "gold", None)]), told("tier=gold", ""));
        assert_eq!(check(&[("tier", "bronze")], vec![kept("tier", "gold", None)]), told("tier=bronze", ""));
        assert_eq!(check(&[], vec![kept("tier", "gold", Some(11))]), told("tier=gold", ""));
        assert_eq!(check(&[], vec![kept("tier", "gold", Some(10))]), told("", "customer.tier Expired"));
        assert_eq!(check(&[], vec![kept("tier", "silver", None)]), told("", "customer.tier Undeclared"));
        assert_eq!(check(&[], vec![kept("gone", "x", None)]), told("", "customer.gone Undeclared"));
        assert_eq!(check(&[("tier", "bronze")], vec![kept("tier", "gold", Some(9))]), told("tier=bronze", ""));
    }

    #[test]
    fn a_bundle_that_lets_values_live_shorter_ends_those_kept_before_it() {
        let minute = Timestamp(60_000);
        let state = SubjectState { known: vec![kept("vip", "yes", Some(3_600_000))], ..SubjectState::default() };
        let asked = request(&[]);
        let seen = |at: Timestamp| complete(&bundle(), &asked, Some(&state), at).0.customer.attributes.len();
        assert_eq!((seen(Timestamp(minute.0 - 1)), seen(minute)), (1, 0));
        let (_, unseen) = complete(&bundle(), &asked, Some(&state), minute);
        assert_eq!(unseen.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [Withheld::Expired]);
    }

    proptest! {
        /// Every attribute is seen with the request's own value, else with the one kept where that holds and is
        /// declared, else not at all; and each one kept in vain is told once.
        #[test]
        fn the_request_wins_then_what_holds_then_nothing(
            given in prop::collection::btree_set(0_usize..3, 0..3),
            known in prop::collection::btree_map(0_usize..4, prop::option::of(5_i64..15), 0..4),
        ) {
            let given: Vec<(&str, &str)> = given.iter().map(|at| (NAMES[*at], "gold")).collect();
            let state = SubjectState {
                known: known.iter().map(|(at, until)| kept(NAMES[*at], "bronze", *until)).collect(),
                ..SubjectState::default()
            };
            let request = request(&given);
            let (seen, unseen) = complete(&bundle(), &request, Some(&state), Timestamp(10));
            for name in NAMES {
                let sent = given.iter().any(|(sent, _)| *sent == name);
                let kept = state.known.iter().find(|kept| kept.name == name);
                let usable = kept.is_some_and(|kept| kept.until.is_none_or(|until| until.0 > 10) && name != "gone");
                let expected = if sent { Some(text("gold")) } else { usable.then(|| text("bronze")) };
                prop_assert_eq!(seen.customer.attributes.get(name), expected.as_ref());
                let told = unseen.iter().filter(|(id, _)| id.name() == name).count();
                prop_assert_eq!(told, usize::from(kept.is_some() && !sent && !usable));
            }
        }
    }
}
