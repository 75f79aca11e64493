//! Warm start: the rows of a logged-feedback file as learning events of a placement. Stores nothing, and takes nothing
//! from the propensities: whoever chose, what was shown was accepted or not.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::replay::feedback::LoggedEvent;
use crate::bandit::{self, ArmKey, Features};
use crate::domain::decision::Terms;
use crate::domain::placement::Encoder;
use crate::domain::{
    AttributeId, AttributeScope, Catalogue, DecisionId, LocalTime, ObjectiveKind, Offer, Placement, Timestamp, Value,
};
use crate::learning::{Applied, Exposed, LearningEvent, Lesson};

/// Where the attributes of a placement's features are in the file's `context`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    keys: BTreeMap<AttributeId, String>,
}

/// Why a file cannot be learned from at a placement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarmStartError {
    /// `--map` names an attribute that is not among the features.
    #[error("the features of `{placement}` read no `{attribute}`: expected one of {expected}")]
    NotAFeature {
        /// The placement.
        placement: String,
        /// What was named.
        attribute: String,
        /// What could have been.
        expected: String,
    },
    /// No key of the file's context holds an attribute.
    #[error(
        "the features of `{placement}` read `{attribute}`, and no row has it: looked for {looked_for} in `context`; \
         name its key with `--map {attribute}=KEY`, or learn without it with `--without {attribute}`"
    )]
    Missing {
        /// The placement.
        placement: String,
        /// The attribute.
        attribute: String,
        /// The keys looked for.
        looked_for: String,
    },
    /// A row.
    #[error("line {line}: {what}")]
    Row {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it and what was expected.
        what: String,
    },
}

/// One row to be learned.
#[derive(Debug, Clone, PartialEq)]
pub struct WarmRow {
    /// Whose.
    pub customer_id: String,
    /// Its name in the store: the same row of the same placement always has the same.
    pub decision_id: DecisionId,
    /// What the model will have absorbed of it.
    pub applied: Applied,
    /// What it adds.
    pub event: LearningEvent,
}

/// What would be learned of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WarmTally {
    /// Rows that showed it.
    pub shown: u64,
    /// Of those, rows in which it was accepted.
    pub accepted: u64,
}

/// Everything that a file teaches a placement.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WarmStart {
    /// In the order of the file.
    pub rows: Vec<WarmRow>,
    /// By offer.
    pub offers: BTreeMap<String, WarmTally>,
    /// Where each attribute was found.
    pub keys: BTreeMap<String, String>,
    /// Values that are none of their attribute's names, which count as missing: how often each was met.
    pub unseen: BTreeMap<String, u64>,
}

impl Mapping {
    /// Finds the key of every attribute that the features of a placement read of customers and contexts: the one that
    /// was `named`, otherwise the attribute's whole name, otherwise its name without the scope.
    pub fn find(
        placement: &Placement,
        log: &[LoggedEvent],
        named: &BTreeMap<String, String>,
        without: &BTreeSet<String>,
    ) -> Result<Self, WarmStartError> {
        let atoms = placement.features.iter().flat_map(|feature| &feature.atoms);
        let read: BTreeSet<&AttributeId> = atoms
            .filter_map(|atom| atom.attribute.as_ref())
            .filter(|attribute| attribute.scope() != AttributeScope::Offer)
            .collect();
        for attribute in named.keys().chain(without) {
            if !read.iter().any(|read| read.as_str() == attribute) {
                let expected: Vec<String> = read.iter().map(|attribute| format!("`{attribute}`")).collect();
                return Err(WarmStartError::NotAFeature {
                    placement: placement.id.to_string(),
                    attribute: attribute.clone(),
                    expected: expected.join(", "),
                });
            }
        }
        let present: BTreeSet<&str> = log.iter().flat_map(|row| row.context.keys().map(String::as_str)).collect();
        let mut keys = BTreeMap::new();
        for attribute in read.into_iter().filter(|attribute| !without.contains(attribute.as_str())) {
            let looked_for: Vec<&str> = match named.get(attribute.as_str()) {
                Some(key) => vec![key],
                None => vec![attribute.as_str(), attribute.name()],
            };
            let Some(key) = looked_for.iter().find(|key| present.contains(**key)) else {
                let looked_for: Vec<String> = looked_for.iter().map(|key| format!("`{key}`")).collect();
                return Err(WarmStartError::Missing {
                    placement: placement.id.to_string(),
                    attribute: attribute.to_string(),
                    looked_for: looked_for.join(" and "),
                });
            };
            keys.insert(attribute.clone(), (*key).to_owned());
        }
        Ok(Self { keys })
    }
}

impl WarmStart {
    /// Reads what a file teaches a placement, given the offers in force, up to an instant; or says what is wrong with
    /// the first row that cannot be learned.
    pub fn read(
        placement: &Placement,
        catalogue: &Catalogue,
        log: &[LoggedEvent],
        mapping: &Mapping,
        now: Timestamp,
    ) -> Result<Self, WarmStartError> {
        let keys = mapping.keys.iter().map(|(attribute, key)| (attribute.to_string(), key.clone())).collect();
        let mut read = Self { keys, ..Self::default() };
        for row in log {
            let learned = read.row(placement, catalogue, row, mapping, now);
            let learned = learned.map_err(|what| WarmStartError::Row { line: row.line, what })?;
            read.rows.extend(learned);
        }
        Ok(read)
    }

    fn row(
        &mut self,
        placement: &Placement,
        catalogue: &Catalogue,
        row: &LoggedEvent,
        mapping: &Mapping,
        now: Timestamp,
    ) -> Result<Option<WarmRow>, String> {
        let Some(offer) = catalogue.offer(row.chosen.as_str()) else {
            return Err(format!(
                "the catalogue has no offer `{}`: import it first, as ended if it is over, or leave the row out",
                row.chosen
            ));
        };
        if row.at > now {
            return Err(format!("{} has not come yet: it is {now}", row.at));
        }
        if row.reward < 0.0 || !row.reward.is_finite() {
            return Err(format!(
                "reward {}: expected 0 where nothing was accepted, and more where something was",
                row.reward
            ));
        }
        let features = self.features(placement, offer, row, mapping)?;
        let decision_id = name(placement, row);
        let accepted = row.reward > 0.0;
        let tally = self.offers.entry(offer.offer_id.to_string()).or_default();
        tally.shown += 1;
        tally.accepted += u64::from(accepted);
        // What the file says of a row is all that will come of it.
        let terms =
            Terms { accepted_by: None, exposed_by: None, delay: None, ..Terms::of(placement, &[&offer.offer_id]) };
        // The file names no variant: its rows are shared out among those of the offer, the same row always alike.
        let at = decision_id.as_bytes().last().map_or(0, |byte| usize::from(*byte));
        let Some(variant) = offer.variants.get(at % offer.variants.len().max(1)) else {
            return Err(format!("offer `{}` has no variant", offer.offer_id));
        };
        // Only where margins are maximised is a reward money.
        let money = if placement.objective.kind == ObjectiveKind::Margin { row.reward } else { 0.0 };
        let reward_minor = minor(placement, money).min(placement.objective.reward_cap_minor);
        let applied = Applied { exposed: true, accepted, reward_minor, steps: 0 };
        let lesson = Lesson {
            decision_id,
            slot: 0,
            model: placement.model_id(),
            arm: ArmKey { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() },
            features,
            exposed: Exposed { at: row.at, margin_minor: 0, cost_minor: 0, terms },
        };
        let event = lesson.event(Applied::default(), applied);
        let customer_id = row.customer_id.clone();
        Ok(event.map(|event| WarmRow { customer_id, decision_id, applied, event }))
    }

    fn features(
        &mut self,
        placement: &Placement,
        offer: &Offer,
        row: &LoggedEvent,
        mapping: &Mapping,
    ) -> Result<Features, String> {
        let told = |id: &AttributeId| row.context.get(mapping.keys.get(id)?);
        for atom in placement.features.iter().flat_map(|feature| &feature.atoms) {
            let Some((id, value)) = atom.attribute.as_ref().and_then(|id| Some((id, told(id)?))) else { continue };
            let expected = match (&atom.encoder, value) {
                (Encoder::OneHot(names), Value::Text(text)) => {
                    if !names.contains(text) {
                        *self.unseen.entry(format!("{id} {text}")).or_default() += 1;
                    }
                    continue;
                }
                (Encoder::Standardised { .. }, Value::Number(_)) | (Encoder::Flag, Value::Bool(_)) => continue,
                (Encoder::OneHot(_), _) => "text",
                (Encoder::Standardised { .. }, _) => "a number",
                (Encoder::Flag, _) => "true or false",
                // What clock and calendar say is read from no attribute.
                _ => continue,
            };
            return Err(format!("`{id}` is {} `{value}`: expected {expected}", value.kind()));
        }
        let value = |id: &AttributeId| match id.scope() {
            AttributeScope::Offer => offer.attribute(id.name()),
            _ => told(id).cloned(),
        };
        Ok(bandit::features(placement, LocalTime::utc(row.at), &value))
    }
}

/// The name of a row: what it is called in its file, and the model that learns it.
fn name(placement: &Placement, row: &LoggedEvent) -> DecisionId {
    let hash = Sha256::new()
        .chain_update(b"proffer/warm-start/1")
        .chain_update(placement.model_id().0)
        .chain_update(row.id.as_bytes())
        .finalize();
    let mut bits = [0; 10];
    bits.iter_mut().zip(hash).for_each(|(bit, of)| *bit = of);
    DecisionId::from_parts(row.at.0, bits)
}

/// An amount in major units as minor units, to the nearest.
fn minor(placement: &Placement, amount: f64) -> i64 {
    let scaled = libm::round(amount * libm::pow(10.0, f64::from(placement.currency.exponent())));
    #[expect(clippy::cast_possible_truncation, reason = "casting saturates, and the cap of the placement follows")]
    let minor = scaled as i64;
    minor
}
