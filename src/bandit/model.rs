//! A model: the integers of all arms of one placement. Derives no posterior and stores nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::lineup::Lineup;
use super::statistics::{ArmStatistics, Increment};
use crate::domain::decision::ModelVersion;
use crate::domain::{Catalogue, Digest, Malformed, ModelId, OfferId, VariantId};

/// Names an arm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ArmKey {
    /// The offer.
    #[n(0)]
    pub offer: OfferId,
    /// Its variant.
    #[n(1)]
    pub variant: VariantId,
}

#[derive(Debug, Clone)]
struct ArmState {
    statistics: Arc<ArmStatistics>,
    digest: Digest,
}

/// The integer state of one model: what it has absorbed, never a prior and never a rounding.
#[derive(Debug, Clone)]
pub struct Model {
    id: ModelId,
    dimensions: usize,
    sequence: u64,
    arms: BTreeMap<ArmKey, ArmState>,
}

impl Model {
    /// A model that has absorbed nothing.
    pub fn new(id: ModelId, dimensions: usize) -> Self {
        Self { id, dimensions, sequence: 0, arms: BTreeMap::new() }
    }

    /// How many learning events it has absorbed.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Number of feature components.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Names this state.
    pub fn version(&self) -> ModelVersion {
        ModelVersion { id: self.id, sequence: self.sequence, digest: self.digest() }
    }

    /// The integers of every candidate of a catalogue, by position; nothing where nothing was learned.
    pub fn lineup(&self, catalogue: &Catalogue) -> Lineup {
        let named = (0..catalogue.candidates().len()).map(|at| catalogue.at(at));
        let key = |(offer, variant): (&crate::domain::Offer, &crate::domain::Variant)| ArmKey {
            offer: offer.offer_id.clone(),
            variant: variant.variant_id.clone(),
        };
        let arms = named.map(|named| Some(self.arms.get(&key(named?))?.statistics.clone())).collect();
        Lineup { arms, ..Lineup::empty(catalogue) }
    }

    /// Every arm that holds something, by id.
    pub fn arms(&self) -> impl Iterator<Item = (&ArmKey, &ArmStatistics)> {
        self.arms.iter().map(|(key, arm)| (key, arm.statistics.as_ref()))
    }

    /// Absorbs the next event of its stream. An arm that holds nothing any more is as if it had never been.
    pub fn apply(&mut self, sequence: u64, arm: &ArmKey, increment: &Increment) -> Result<(), Malformed> {
        if sequence != self.sequence + 1 {
            return Err(Malformed(format!(
                "event {sequence} does not follow event {} of model {}",
                self.sequence,
                self.id.hex()
            )));
        }
        self.change(sequence, arm, increment)?;
        self.sequence = sequence;
        Ok(())
    }

    /// Takes an event back that was absorbed before: afterwards the integers are those of all others. The sequence
    /// stays: it counts what the stream holds, not what is left of it.
    pub fn forget(&mut self, sequence: u64, arm: &ArmKey, increment: &Increment) -> Result<(), Malformed> {
        if sequence > self.sequence {
            return Err(Malformed(format!(
                "event {sequence} cannot be taken back: model {} has absorbed {} events",
                self.id.hex(),
                self.sequence
            )));
        }
        self.change(sequence, arm, &increment.opposite())
    }

    fn change(&mut self, sequence: u64, arm: &ArmKey, increment: &Increment) -> Result<(), Malformed> {
        if increment.features.dimensions() != self.dimensions {
            return Err(Malformed(format!(
                "event {sequence} of model {} has {} features; the model has {}",
                self.id.hex(),
                increment.features.dimensions(),
                self.dimensions
            )));
        }
        let mut statistics = match self.arms.remove(arm) {
            Some(state) => state.statistics,
            None => Arc::new(ArmStatistics::default()),
        };
        Arc::make_mut(&mut statistics).apply(increment);
        if !statistics.is_empty() {
            let digest = statistics.digest();
            self.arms.insert(arm.clone(), ArmState { statistics, digest });
        }
        Ok(())
    }

    /// SHA-256 over the id and every arm's key and digest: names the integers, whatever order they came in.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new().chain_update(b"proffer/model/1").chain_update(self.id.0);
        for (key, arm) in &self.arms {
            hash.update(minicbor::to_vec(key).unwrap_or_default());
            hash.update(arm.digest.0);
        }
        Digest(hash.finalize().into())
    }

    /// The whole state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let arms: Vec<(&ArmKey, minicbor::bytes::ByteVec)> =
            self.arms.iter().map(|(key, arm)| (key, arm.statistics.to_bytes().into())).collect();
        let dimensions = u32::try_from(self.dimensions).unwrap_or(u32::MAX);
        minicbor::to_vec((1_u8, self.id, dimensions, self.sequence, arms)).unwrap_or_default()
    }

    /// The state back from its bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        type Encoded = (u8, ModelId, u32, u64, Vec<(ArmKey, minicbor::bytes::ByteVec)>);
        let wrong = |what: String| Malformed(format!("a model checkpoint does not decode: {what}"));
        let (encoding, id, dimensions, sequence, encoded): Encoded =
            minicbor::decode(bytes).map_err(|error| wrong(error.to_string()))?;
        if encoding != 1 {
            return Err(wrong(format!("encoding {encoding} is not 1")));
        }
        let mut arms = BTreeMap::new();
        for (key, bytes) in encoded {
            let statistics = Arc::new(ArmStatistics::from_bytes(&bytes)?);
            let digest = statistics.digest();
            arms.insert(key, ArmState { statistics, digest });
        }
        Ok(Self { id, dimensions: dimensions as usize, sequence, arms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Features;

    fn event(accepted: i8, exposure: i8) -> Increment {
        Increment {
            generation: 0,
            weight: 1 << 16,
            features: Features::from_sparse(2, &[(0, 1 << 20), (1, 1 << 19)]).unwrap(),
            exposure,
            accepted,
            reward: i64::from(accepted) * 900,
            reward_squared: i128::from(accepted) * 810_000,
            matured: None,
            value: 0,
            bags: Vec::new(),
        }
    }

    fn arm(variant: &str) -> ArmKey {
        ArmKey { offer: OfferId::new("o").unwrap(), variant: VariantId::new(variant).unwrap() }
    }

    #[test]
    fn the_digest_names_the_integers_and_not_the_way_to_them() {
        let id = ModelId([1; 16]);
        let (mut straight, mut detour) = (Model::new(id, 2), Model::new(id, 2));
        straight.apply(1, &arm("a"), &event(0, 1)).unwrap();
        let path = [("b", event(0, 1)), ("a", event(1, 1)), ("a", event(-1, 0)), ("b", event(0, -1))];
        for (sequence, (variant, increment)) in (1..).zip(&path) {
            detour.apply(sequence, &arm(variant), increment).unwrap();
        }
        assert_eq!(straight.digest(), detour.digest());
        assert_eq!(detour.sequence(), 4);
        let decoded = Model::decode(&detour.encode()).unwrap();
        assert_eq!((decoded.digest(), decoded.sequence()), (detour.digest(), 4));
    }

    #[test]
    fn what_is_taken_back_leaves_the_integers_of_all_others_and_the_sequence() {
        let id = ModelId([1; 16]);
        let (mut all, mut others) = (Model::new(id, 2), Model::new(id, 2));
        for (sequence, (variant, increment)) in (1..).zip([("a", event(0, 1)), ("b", event(1, 1)), ("a", event(1, 0))])
        {
            all.apply(sequence, &arm(variant), &increment).unwrap();
        }
        others.apply(1, &arm("a"), &event(0, 1)).unwrap();
        all.forget(2, &arm("b"), &event(1, 1)).unwrap();
        all.forget(3, &arm("a"), &event(1, 0)).unwrap();
        assert_eq!((all.digest(), all.sequence()), (others.digest(), 3));
        let early = all.forget(4, &arm("a"), &event(0, 1)).unwrap_err().to_string();
        assert!(early.starts_with("event 4 cannot be taken back"), "{early}");
    }

    #[test]
    fn events_out_of_order_or_of_another_shape_are_refused() {
        let mut model = Model::new(ModelId([1; 16]), 2);
        let error = model.apply(2, &arm("a"), &event(0, 1)).unwrap_err().to_string();
        assert!(error.starts_with("event 2 does not follow event 0"), "{error}");
        let mut narrow = Model::new(ModelId([1; 16]), 3);
        let error = narrow.apply(1, &arm("a"), &event(0, 1)).unwrap_err().to_string();
        assert!(error.contains("has 2 features; the model has 3"), "{error}");
    }
}
