//! The private groups of a record: who, context, consent, contacts. Stored sealed, each under a commitment of its own.
//! Nothing here is read by anybody who does not hold the subject's key.

use minicbor::{Decode, Encode};
use serde::Serialize;

use super::personas::PersonaSeen;
use crate::domain::{
    AttributeId, Basis, BasketLine, ConsentState, LocalTime, PurposeId, StoreId, SubjectId, SubjectKind, Timestamp,
    Value,
};

/// Private group *subject*: who.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Encode, Decode)]
pub struct SubjectGroup {
    /// The subject read, with the version of its state.
    #[n(0)]
    pub read: Option<SubjectRead>,
    /// Those beside whose counters were read: household, device, the customer's session.
    #[n(1)]
    pub beside: Option<Vec<SubjectRead>>,
}

/// A subject state as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct SubjectRead {
    /// What kind.
    #[n(0)]
    pub kind: SubjectKind,
    /// Internal id.
    #[n(1)]
    pub subject: SubjectId,
    /// Version read; the decision made the next one.
    #[n(2)]
    pub version: u64,
}

/// Why an attribute was never seen by a rule or a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Withheld {
    /// The purpose decided under may not use personal attributes.
    #[n(0)]
    PurposeNotConsented,
    /// No feature or rule of the placement reads it.
    #[n(1)]
    NotUsed,
    /// It was kept of the customer and no longer holds.
    #[n(2)]
    Expired,
    /// It was kept of the customer, and the active bundle declares no such attribute or no such value of it.
    #[n(3)]
    Undeclared,
    /// Nobody approved any of its uses here, or not any more.
    #[n(4)]
    NotApproved,
    /// Guards of audiences see it, and they alone.
    #[n(5)]
    GuardsOnly,
    /// Nobody approved that features read it; rules do.
    #[n(6)]
    FeatureNotApproved,
    /// Nobody approved that rules read it; features do.
    #[n(7)]
    RuleNotApproved,
    /// Nobody approved that guards of audiences read it.
    #[n(8)]
    GuardNotApproved,
    /// Nobody approved that it moves prices.
    #[n(9)]
    PriceNotApproved,
}

/// Private group *context*: attributes, features, basket.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Encode, Decode)]
pub struct ContextGroup {
    /// Attributes that rules and features could see; with personas, for the one whose seat is the first.
    #[n(0)]
    pub used: Vec<(AttributeId, Value)>,
    /// Attributes kept from them, with the reason.
    #[n(1)]
    pub withheld: Vec<(AttributeId, Withheld)>,
    /// As the request said.
    #[n(2)]
    pub jurisdiction: Option<String>,
    /// Local hour of the request's time zone.
    #[n(3)]
    pub hour: u8,
    /// As the request said.
    #[n(4)]
    pub basket: Vec<BasketLine>,
    /// Number of feature components, the intercept included.
    #[n(5)]
    pub dimensions: u16,
    /// Quantised features (Q20) of what was chosen for the first slot, as (component, value) without the zeros.
    #[n(6)]
    pub features: Vec<(u16, i32)>,
    /// Those of the slots behind it, in order, where they may differ from slot to slot; otherwise empty.
    #[n(7)]
    #[cbor(default)]
    pub features_later: Vec<Vec<(u16, i32)>>,
    /// As the request said.
    #[n(8)]
    pub store: Option<StoreId>,
    /// The time where the customer is, where a rule of the placement reads it.
    #[n(9)]
    pub local: Option<LocalTime>,
    /// What was seen for each persona that has a seat, in the order of first seats; nothing without personas.
    #[n(10)]
    pub personas: Option<Vec<PersonaSeen>>,
    /// What guards of audiences saw, and nothing else did; nothing where no guard was asked.
    #[n(11)]
    pub guarded: Option<Vec<(AttributeId, Value)>>,
    /// What else was asked; nothing in records from before it was kept, which cannot be decided again.
    #[n(12)]
    pub asked: Option<Asked>,
}

/// What a request asked for that nothing else in the record says, so that it can be decided again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct Asked {
    /// How many slots.
    #[n(0)]
    pub count: u16,
    /// Whether it named the offers to choose from, which then are those of the rows.
    #[n(1)]
    pub restricted: bool,
    /// The time zone that it named.
    #[n(2)]
    pub time_zone: Option<String>,
    /// The weights of the personas that it named.
    #[n(3)]
    pub weights: Option<Vec<u32>>,
}

impl ContextGroup {
    /// The features of what was chosen for a slot, counted from 0.
    pub fn features_of(&self, slot: u16) -> &[(u16, i32)] {
        let later = usize::from(slot).checked_sub(1).and_then(|at| self.features_later.get(at));
        later.unwrap_or(&self.features)
    }
}

/// A consent as it was read for one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct ConsentReading {
    /// What for.
    #[n(0)]
    pub purpose: PurposeId,
    /// What counted; nothing if there was no record.
    #[n(1)]
    pub state: Option<ConsentState>,
    /// Its basis.
    #[n(2)]
    pub basis: Option<Basis>,
    /// From when it counted.
    #[n(3)]
    pub valid_from: Option<Timestamp>,
    /// Until when it counted.
    #[n(4)]
    pub valid_until: Option<Timestamp>,
    /// The channel it was about; nothing where it was about every one.
    #[n(5)]
    pub channel: Option<String>,
    /// The jurisdiction that a yes counted for; nothing where it counted everywhere.
    #[n(6)]
    pub jurisdiction: Option<String>,
}

/// Private group *consent*: records and states.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Encode, Decode)]
pub struct ConsentGroup {
    /// One per gate that was asked.
    #[n(0)]
    pub readings: Vec<ConsentReading>,
    /// That the request carried the signal of Global Privacy Control; nothing where it did not.
    #[n(1)]
    pub signal: Option<bool>,
}

/// A counter of a cap or a cool-down as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct CapReading {
    /// Position of the candidate in [`Skeleton::candidates`](super::Skeleton::candidates).
    #[n(0)]
    pub candidate: u32,
    /// Position of the cap in the bundle.
    #[n(1)]
    pub rule: u16,
    /// Contacts, or events, counted.
    #[n(2)]
    pub used: u32,
    /// Contacts allowed; for a cool-down, the events that start it.
    #[n(3)]
    pub limit: u32,
    /// The slot it was read for, from 0: what stands in the slots before counts too.
    #[n(4)]
    #[cbor(default)]
    pub slot: u16,
    /// Until when a cool-down leaves the candidate out, if it does.
    #[n(5)]
    #[cbor(default)]
    pub until: Option<Timestamp>,
    /// Of those counted by a cap, how many were decided or reserved of what the candidate counts as: one more joins
    /// these, and the newest of them are kept. Nothing where nothing more is counted once the cap is reached, so that
    /// it does not matter.
    #[n(6)]
    pub joined: Option<u32>,
}

/// Private group *contacts*: cap readings above zero.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Encode, Decode)]
pub struct ContactsGroup {
    /// Readings above zero; an absent one was zero.
    #[n(0)]
    pub readings: Vec<CapReading>,
}

/// The private part of a record.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Private {
    /// Who.
    pub subject: SubjectGroup,
    /// Attributes, features, basket.
    pub context: ContextGroup,
    /// Consents read.
    pub consent: ConsentGroup,
    /// Cap readings.
    pub contacts: ContactsGroup,
}

/// The private groups, in the order of their commitments.
pub const GROUPS: [&str; 4] = ["subject", "context", "consent", "contacts"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Day;

    #[test]
    fn a_decision_of_one_subject_is_written_as_it_was_before_there_were_others() {
        let read = |kind| SubjectRead { kind, subject: SubjectId([1; 16]), version: 2 };
        let old = (Some(read(SubjectKind::Customer)),);
        let group = SubjectGroup { read: old.0, beside: None };
        assert_eq!(minicbor::to_vec(&group).unwrap(), minicbor::to_vec(old).unwrap());
        let group = SubjectGroup { beside: Some(vec![read(SubjectKind::Household)]), ..group };
        assert_eq!(minicbor::decode::<SubjectGroup>(&minicbor::to_vec(&group).unwrap()).unwrap(), group);
    }

    #[test]
    fn a_context_without_store_and_local_time_is_written_as_it_was_before_they_were_known_and_reads() {
        let context = ContextGroup { hour: 9, dimensions: 4, features: vec![(0, 1)], ..ContextGroup::default() };
        // used, withheld, jurisdiction, hour, basket, dimensions, features, features_later.
        let old = [0x88, 0x80, 0x80, 0xf6, 0x09, 0x80, 0x04, 0x81, 0x82, 0x00, 0x01, 0x80];
        assert_eq!(minicbor::to_vec(&context).unwrap(), old);
        assert_eq!(minicbor::decode::<ContextGroup>(&old).unwrap(), context);
        // Before several slots had features of their own, the last one was not there either.
        let older = [0x87, 0x80, 0x80, 0xf6, 0x09, 0x80, 0x04, 0x81, 0x82, 0x00, 0x01];
        assert_eq!(minicbor::decode::<ContextGroup>(&older).unwrap(), context);
        let local = Some(LocalTime { day: Day(20_513), minute: 570, zone_named: true });
        for store in [None, Some(StoreId::new("s-12").unwrap())] {
            let context = ContextGroup { store, local, ..context.clone() };
            assert_eq!(minicbor::decode::<ContextGroup>(&minicbor::to_vec(&context).unwrap()).unwrap(), context);
        }
    }
}
