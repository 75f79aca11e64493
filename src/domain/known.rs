//! Attributes kept of a customer between requests, each until an instant. Whether one may be seen is minimisation.

use minicbor::{Decode, Encode};

use super::{SubjectState, Timestamp, Value};

/// Attributes kept of one customer at most.
pub const KNOWN_MAX: usize = 32;
/// Bytes that all attributes of one customer take at most: a subject state is read and sealed with every decision.
pub const KNOWN_BYTES_MAX: usize = 1_024;

/// One attribute as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KnownAttribute {
    /// The name behind `customer.`.
    #[n(0)]
    pub name: String,
    /// What it is.
    #[n(1)]
    pub value: Value,
    /// When that was so, by the word of whoever sent it.
    #[n(2)]
    pub at: Timestamp,
    /// Until when it holds; nothing where it holds until it is replaced or removed.
    #[n(3)]
    pub until: Option<Timestamp>,
}

impl KnownAttribute {
    /// Whether it still holds: an instant reached is one passed.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What becomes of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeChange {
    /// The name behind `customer.`.
    pub name: String,
    /// What it is from now on; nothing removes it.
    pub value: Option<Value>,
    /// When that was so.
    pub at: Timestamp,
    /// Until when it holds.
    pub until: Option<Timestamp>,
}

/// More than is kept of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchKnown {
    /// Attributes there would be.
    pub count: usize,
    /// Bytes they would take.
    pub bytes: usize,
}

impl std::fmt::Display for TooMuchKnown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} attributes of {} bytes would be kept of this customer: at most {KNOWN_MAX} and {KNOWN_BYTES_MAX} \
             bytes; remove some with `null`",
            self.count, self.bytes
        )
    }
}

impl SubjectState {
    /// Takes in changes, all or none. What no longer holds is dropped; older news than what is kept change nothing.
    pub fn change_attributes(&mut self, changes: &[AttributeChange], now: Timestamp) -> Result<(), TooMuchKnown> {
        let mut known = self.known.clone();
        known.retain(|attribute| attribute.holds(now));
        for change in changes {
            let at = known.iter().position(|attribute| attribute.name == change.name);
            if at.and_then(|at| known.get(at)).is_some_and(|kept| kept.at > change.at) {
                continue;
            }
            if let Some(at) = at {
                known.remove(at);
            }
            if let Some(value) = &change.value {
                let (name, value) = (change.name.clone(), value.clone());
                known.push(KnownAttribute { name, value, at: change.at, until: change.until });
            }
        }
        known.sort_by(|a, b| a.name.cmp(&b.name));
        let bytes = minicbor::to_vec(&known).unwrap_or_default().len();
        if known.len() > KNOWN_MAX || bytes > KNOWN_BYTES_MAX {
            return Err(TooMuchKnown { count: known.len(), bytes });
        }
        self.known = known;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::Number;

    fn change(name: &str, value: Option<i64>, at: i64, until: Option<i64>) -> AttributeChange {
        let value = value.map(|value| Value::Number(Number(value)));
        AttributeChange { name: name.to_owned(), value, at: Timestamp(at), until: until.map(Timestamp) }
    }

    fn kept(state: &SubjectState) -> BTreeMap<&str, &Value> {
        state.known.iter().map(|known| (known.name.as_str(), &known.value)).collect()
    }

    #[test]
    fn an_attribute_is_set_replaced_removed_and_dropped_once_it_no_longer_holds() {
        let mut state = SubjectState::default();
        let mut step = |changes: &[AttributeChange], now: i64| {
            state.change_attributes(changes, Timestamp(now)).unwrap();
            format!("{:?}", kept(&state))
        };
        assert_eq!(step(&[change("b", Some(1), 5, Some(9)), change("a", Some(2), 5, None)], 5).matches(':').count(), 2);
        assert!(step(&[change("a", Some(3), 4, None)], 6).contains("\"a\": Number(Number(2))"), "older news");
        assert!(
            step(&[change("a", Some(3), 5, None)], 6).contains("\"a\": Number(Number(3))"),
            "of equal age the later"
        );
        assert!(!step(&[], 9).contains("\"b\""), "an instant reached is one passed");
        assert_eq!(step(&[change("a", None, 9, None)], 9), "{}");
    }

    #[test]
    fn more_than_is_kept_changes_nothing_and_says_how_much_it_would_be() {
        let mut state = SubjectState::default();
        let many: Vec<_> = (0..33).map(|at| change(&format!("a{at}"), Some(1), 1, None)).collect();
        let error = state.change_attributes(&many, Timestamp(1)).unwrap_err();
        assert_eq!((error.count, state.known.len()), (33, 0));
        assert!(error.to_string().starts_with("33 attributes of "), "{error}");
        let text =
            |name: &str| AttributeChange { value: Some(Value::Text("x".repeat(250))), ..change(name, None, 1, None) };
        state.change_attributes(&[text("a"), text("b"), text("c")], Timestamp(1)).unwrap();
        let error = state.change_attributes(&[text("d")], Timestamp(1)).unwrap_err();
        assert_eq!((error.count, error.bytes > KNOWN_BYTES_MAX, state.known.len()), (4, true, 3));
    }

    #[test]
    fn a_state_written_before_attributes_were_kept_still_reads() {
        // last_at, consents, cap_set, caps: what encoding wrote then.
        let old = [0x84, 0x01, 0x80, 0xf6, 0x80];
        let state: SubjectState = minicbor::decode(&old).unwrap();
        assert_eq!(state, SubjectState { last_at: Some(Timestamp(1)), ..SubjectState::default() });
        assert_eq!(minicbor::decode::<SubjectState>(&minicbor::to_vec(&state).unwrap()).unwrap(), state);
    }

    proptest! {
        /// Whatever the order in which news of different ages arrive, the newest of each name is what is kept.
        #[test]
        fn any_order_of_arrival_keeps_the_newest(
            news in prop::collection::vec((0_u8..4, 0_i64..100), 0..12).prop_map(|news| {
                let mut seen = std::collections::BTreeSet::new();
                news.into_iter().filter(|one| seen.insert(*one)).collect::<Vec<_>>()
            }),
            turn in 0_usize..12,
        ) {
            let changes: Vec<_> =
                news.iter().map(|(name, at)| change(&format!("a{name}"), Some(at + 1), *at, None)).collect();
            let mut turned = changes.clone();
            turned.rotate_left(turn % changes.len().max(1));
            let (mut one, mut other) = (SubjectState::default(), SubjectState::default());
            for change in &changes {
                one.change_attributes(std::slice::from_ref(change), Timestamp(200)).unwrap();
            }
            other.change_attributes(&turned, Timestamp(200)).unwrap();
            prop_assert_eq!(&one.known, &other.known);
            for known in &one.known {
                let newest = changes.iter().filter(|change| change.name == known.name).map(|change| change.at).max();
                prop_assert_eq!(newest, Some(known.at));
            }
        }
    }
}
