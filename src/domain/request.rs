//! A request for a decision, parsed and bounded. Whether its attributes are declared is checked when deciding.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::{CategoryId, DecisionId, Digest, Money, OfferId, PlacementId, StoreId, SubjectKind, SubjectRef, Value};

/// Who is asked for, by outside ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Customer {
    /// The customer, where known.
    #[n(0)]
    pub id: Option<String>,
    /// The session, where known.
    #[n(1)]
    pub session: Option<String>,
    /// The device, where known.
    #[n(2)]
    pub device: Option<String>,
    /// The household, where known.
    #[n(3)]
    pub household: Option<String>,
    /// Declared customer attributes, by the name behind `customer.`.
    #[n(4)]
    pub attributes: BTreeMap<String, Value>,
    /// Tastes that share the account, where it has several: the slots of an answer are shared out among them.
    #[n(5)]
    pub personas: Option<Vec<Persona>>,
}

/// One taste of an account that has several.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Persona {
    /// Its part of the slots, against those of the others; at least one.
    #[n(0)]
    pub weight: u32,
    /// Declared customer attributes, by the name behind `customer.`; for its slots they win over the account's.
    #[n(1)]
    pub attributes: BTreeMap<String, Value>,
}

/// One line of the basket.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BasketLine {
    /// The article.
    #[n(0)]
    pub sku: String,
    /// Its category.
    #[n(1)]
    pub category: Option<CategoryId>,
    /// How many, at least one.
    #[n(2)]
    pub quantity: u32,
    /// Price of one.
    #[n(3)]
    pub price: Option<Money>,
    /// What one earns, where the shop says it.
    #[n(4)]
    pub margin: Option<Money>,
}

/// A request for one decision.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DecisionRequest {
    /// Named by the caller, which makes the call idempotent; otherwise minted by the server.
    #[n(0)]
    pub decision_id: Option<DecisionId>,
    /// Who.
    #[n(1)]
    pub customer: Customer,
    /// Where.
    #[n(2)]
    pub placement: PlacementId,
    /// Slots asked for; all that the placement has where none is given.
    #[n(3)]
    pub count: Option<u16>,
    /// Such as `US-NY` or `DE`.
    #[n(4)]
    pub jurisdiction: Option<String>,
    /// An IANA name; UTC where absent.
    #[n(5)]
    pub time_zone: Option<String>,
    /// Declared context attributes, by the name behind `context.`.
    #[n(6)]
    pub context: BTreeMap<String, Value>,
    /// What lies in the basket.
    #[n(7)]
    pub basket: Vec<BasketLine>,
    /// Restricts the candidates to these offers, sorted and without repetition.
    #[n(8)]
    pub candidates: Option<Vec<OfferId>>,
    /// The store asked in, where it is asked in one.
    #[n(9)]
    pub store: Option<StoreId>,
}

impl DecisionRequest {
    /// SHA-256 of the canonical form without the decision id: what the id promises to name.
    pub fn digest(&self) -> Digest {
        let unnamed = Self { decision_id: None, ..self.clone() };
        let bytes = minicbor::to_vec(&unnamed).unwrap_or_default();
        Digest(Sha256::digest(&bytes).into())
    }

    /// The subject whose state the decision reads: the customer, else the session, else nobody.
    pub fn subject(&self) -> Option<SubjectRef> {
        let named = |kind, id: &Option<String>| id.clone().map(|outside_id| SubjectRef { kind, outside_id });
        named(SubjectKind::Customer, &self.customer.id).or_else(|| named(SubjectKind::Session, &self.customer.session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> DecisionRequest {
        DecisionRequest {
            decision_id: None,
            customer: Customer::default(),
            placement: PlacementId::new("home").unwrap(),
            count: Some(1),
            jurisdiction: None,
            time_zone: None,
            context: BTreeMap::new(),
            basket: Vec::new(),
            candidates: None,
            store: None,
        }
    }

    #[test]
    fn the_digest_names_the_request_and_not_its_id() {
        let request = request();
        let named = DecisionRequest { decision_id: Some(DecisionId::from_parts(1, [0; 10])), ..request.clone() };
        let other = DecisionRequest { jurisdiction: Some("DE".into()), ..request.clone() };
        assert_eq!(request.digest(), named.digest());
        assert_ne!(request.digest(), other.digest());
    }

    #[test]
    fn a_request_without_a_store_has_the_digest_it_had_before_there_were_stores() {
        let least = request();
        let most = DecisionRequest {
            customer: Customer {
                id: Some("ann".into()),
                attributes: BTreeMap::from([("tier".into(), Value::Text("gold".into()))]),
                ..Customer::default()
            },
            jurisdiction: Some("US-NY".into()),
            time_zone: Some("America/New_York".into()),
            candidates: Some(vec![OfferId::new("boots").unwrap()]),
            ..request()
        };
        assert_eq!(
            [least.digest().hex(), most.digest().hex()],
            [
                "3b589ef29d267dc9f2d1e8e64320b5aa522b02a2408f9cb253377ca79c42c3fe",
                "6cb436e14119b0c4143616999ab2274131a50a0c6550763de0371aebe380b5be",
            ]
        );
        let elsewhere = DecisionRequest { store: Some(StoreId::new("s-12").unwrap()), ..request() };
        assert_ne!(elsewhere.digest(), least.digest());
    }
}
