//! A request for a decision, parsed and bounded. Whether its attributes are declared is checked when deciding.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    CategoryId, DecisionId, Digest, Money, OfferId, PlacementId, StoreId, SubjectKind, SubjectKinds, SubjectRef, Value,
};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
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
    /// That it carried the signal of Global Privacy Control (`Sec-GPC: 1`); nothing where it did not, so that the
    /// digest is as it was before signals were read.
    #[n(10)]
    pub privacy_signal: Option<bool>,
}

impl DecisionRequest {
    /// SHA-256 of the canonical form without the decision id: what the id promises to name.
    pub fn digest(&self) -> Digest {
        let unnamed = Self { decision_id: None, ..self.clone() };
        let bytes = minicbor::to_vec(&unnamed).unwrap_or_default();
        Digest(Sha256::digest(&bytes).into())
    }

    /// The subject that the decision is for: the customer, else the session, else nobody.
    pub fn subject(&self) -> Option<SubjectRef> {
        self.named(SubjectKind::Customer).or_else(|| self.named(SubjectKind::Session))
    }

    /// Who of a kind is asked for.
    pub fn named(&self, kind: SubjectKind) -> Option<SubjectRef> {
        let id = match kind {
            SubjectKind::Customer => &self.customer.id,
            SubjectKind::Session => &self.customer.session,
            SubjectKind::Household => &self.customer.household,
            SubjectKind::Device => &self.customer.device,
        };
        id.clone().map(|outside_id| SubjectRef { kind, outside_id })
    }

    /// Every subject whose state the decision reads, where rules count for these kinds, each with what it stands for;
    /// first the one that the decision is for.
    pub fn subjects(&self, counted: SubjectKinds) -> Vec<(SubjectRef, SubjectKinds)> {
        let mut session = SubjectKinds::of(SubjectKind::Session);
        let mut found = Vec::new();
        for kind in [SubjectKind::Customer, SubjectKind::Household, SubjectKind::Device] {
            let asked = kind == SubjectKind::Customer || counted.has(kind);
            match self.named(kind).filter(|_| asked) {
                Some(subject) => found.push((subject, SubjectKinds::of(kind))),
                None if asked => session = session.and(kind),
                None => {}
            }
        }
        let wanted = session != session.own() || counted.has(SubjectKind::Session);
        if let Some(subject) = self.named(SubjectKind::Session).filter(|_| wanted) {
            let first = if session.has(SubjectKind::Customer) { 0 } else { found.len() };
            found.insert(first, (subject, session));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Currency;

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
            privacy_signal: None,
        }
    }

    #[test]
    fn a_session_stands_for_whomever_the_request_does_not_name_and_nobody_is_read_whom_no_rule_counts_for() {
        let kinds = |kinds: &[SubjectKind]| kinds.iter().fold(SubjectKinds::NONE, |all, kind| all.and(*kind));
        let told = |ids: [Option<&str>; 4], counted: &[SubjectKind]| {
            let [id, session, device, household] = ids.map(|id| id.map(str::to_owned));
            let customer = Customer { id, session, device, household, ..Customer::default() };
            let read = DecisionRequest { customer, ..request() }.subjects(kinds(counted));
            let all = |stands: SubjectKinds| SubjectKind::ALL.into_iter().filter(move |kind| stands.has(*kind));
            let one = |(subject, stands): (SubjectRef, SubjectKinds)| {
                format!("{}: {}", subject.outside_id, all(stands).map(SubjectKind::name).collect::<Vec<_>>().join("+"))
            };
            read.into_iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let everybody = [Some("c"), Some("s"), Some("d"), Some("h")];
        let (household, all) = (&[SubjectKind::Household][..], &SubjectKind::ALL[..]);
        assert_eq!(told(everybody, &[]), "c: customer");
        assert_eq!(told(everybody, household), "c: customer, h: household");
        assert_eq!(told(everybody, all), "c: customer, h: household, d: device, s: session");
        assert_eq!(told([Some("c"), Some("s"), None, None], household), "c: customer, s: session+household");
        assert_eq!(told([None, Some("s"), None, None], &[]), "s: customer+session");
        assert_eq!(told([None, Some("s"), Some("d"), None], all), "s: customer+session+household, d: device");
        assert_eq!(told([None, None, Some("d"), None], all), "d: device");
    }

    #[test]
    fn the_digest_names_the_request_and_not_its_id() {
        let request = request();
        let named = DecisionRequest { decision_id: Some(DecisionId::from_parts(1, [0; 10])), ..request.clone() };
        let other = DecisionRequest { jurisdiction: Some("DE".into()), ..request.clone() };
        assert_eq!(request.digest(), named.digest());
        assert_ne!(request.digest(), other.digest());
        let signalled = DecisionRequest { privacy_signal: Some(true), ..request.clone() };
        assert_ne!(request.digest(), signalled.digest());
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

    /// A line as it was before it could say what it earns.
    #[derive(Encode)]
    struct Earlier(#[n(0)] String, #[n(1)] Option<CategoryId>, #[n(2)] u32, #[n(3)] Option<Money>);

    #[test]
    fn a_line_of_the_basket_without_a_margin_is_written_as_it_was_before_there_were_any() {
        let dollars = |minor| Money { minor, currency: Currency::parse("USD").unwrap() };
        let socks = CategoryId::new("socks").unwrap();
        let line = |category: Option<&CategoryId>, price: Option<Money>, margin: Option<Money>| BasketLine {
            sku: "a".into(),
            category: category.cloned(),
            quantity: 2,
            price,
            margin,
        };
        let bare = minicbor::to_vec(line(None, None, None)).unwrap();
        assert_eq!(bare, [0x83, 0x61, b'a', 0xf6, 0x02]);
        for (category, price) in [(None, None), (Some(&socks), None), (None, Some(dollars(500)))] {
            let earlier = Earlier("a".into(), category.cloned(), 2, price);
            let written = minicbor::to_vec(line(category, price, None)).unwrap();
            assert_eq!(written, minicbor::to_vec(earlier).unwrap(), "{category:?} {price:?}");
            for margin in [None, Some(dollars(-120))] {
                let line = line(category, price, margin);
                assert_eq!(minicbor::decode::<BasketLine>(&minicbor::to_vec(&line).unwrap()).unwrap(), line);
            }
        }
    }
}
