//! A model: the integers of all arms of one placement, and the view of it that decisions read. Stores nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::beta::Memo;
use super::posterior::Posterior;
use super::rules::DISTRIBUTION_RULE;
use super::statistics::{ArmStatistics, Increment};
use super::strategies::{Score, distribution_of};
use crate::domain::decision::ModelVersion;
use crate::domain::{Day, Digest, Malformed, ModelId, OfferId, Placement, Strategy, VariantId};

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
        self.sequence = sequence;
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

#[derive(Debug, Clone)]
struct ArmView {
    statistics: Arc<ArmStatistics>,
    posterior: Arc<Posterior>,
}

/// What decisions read of a model: posteriors derived for one day.
#[derive(Debug, Clone)]
pub struct ModelView {
    /// Which state it was derived from.
    pub version: ModelVersion,
    /// Arms that fell back to their prior because their statistics gave no posterior.
    pub alarms: Vec<String>,
    day: Day,
    lambda: f64,
    arms: BTreeMap<ArmKey, ArmView>,
    prior: Arc<Posterior>,
    memo: Memo,
}

impl ModelView {
    /// The view of a model that has absorbed nothing.
    pub fn prior(placement: &Placement) -> Self {
        let id = placement.model_id();
        let empty = Model::new(id, placement.dimensions());
        Self {
            version: ModelVersion { id, sequence: 0, digest: empty.digest() },
            alarms: Vec::new(),
            day: Day(0),
            lambda: placement.lambda,
            arms: BTreeMap::new(),
            prior: Arc::new(Posterior::prior(placement.dimensions(), placement.lambda)),
            memo: Memo::default(),
        }
    }

    /// Derives the posterior of every arm for a day. Arms whose integers, day and prior are those of `before` are
    /// taken over from it.
    pub fn derive(model: &Model, placement: &Placement, day: Day, before: Option<&Self>) -> Self {
        let before = before.filter(|view| {
            view.version.id == model.id && view.day == day && view.lambda.to_bits() == placement.lambda.to_bits()
        });
        let mut alarms = Vec::new();
        let mut arms = BTreeMap::new();
        for (key, arm) in &model.arms {
            let same =
                before.and_then(|view| view.arms.get(key)).filter(|old| Arc::ptr_eq(&old.statistics, &arm.statistics));
            let posterior = if let Some(old) = same {
                old.posterior.clone()
            } else {
                let (dimensions, half_life) = (model.dimensions, placement.half_life_days);
                let derived = Posterior::derive(&arm.statistics, dimensions, day, half_life, placement.lambda);
                if let Some(alarm) = derived.alarm {
                    alarms.push(format!("{}/{}: {alarm}", key.offer, key.variant));
                }
                Arc::new(derived.posterior)
            };
            arms.insert(key.clone(), ArmView { statistics: arm.statistics.clone(), posterior });
        }
        let prior = match before {
            Some(view) => view.prior.clone(),
            None => Arc::new(Posterior::prior(model.dimensions, placement.lambda)),
        };
        let version = ModelVersion { id: model.id, sequence: model.sequence, digest: model.digest() };
        // What is remembered stays right: it is found again by posteriors and margins, not by the view.
        let memo = before.map(|view| view.memo.clone()).unwrap_or_default();
        Self { version, alarms, day, lambda: placement.lambda, arms, prior, memo }
    }

    /// The posterior of an arm; the prior for one that has learned nothing.
    pub fn posterior(&self, arm: &ArmKey) -> &Posterior {
        self.arms.get(arm).map_or(&self.prior, |arm| &arm.posterior)
    }

    /// [`distribution_of`] by the rule in force, without computing again what takes long and was asked for before.
    pub fn distribution(&self, strategy: &Strategy, scores: &[Score], nothing: bool) -> Vec<f64> {
        match strategy {
            Strategy::ThompsonBeta => self.memo.distribution(scores, nothing),
            _ => distribution_of(strategy, DISTRIBUTION_RULE, scores, nothing),
        }
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
    fn events_out_of_order_or_of_another_shape_are_refused() {
        let mut model = Model::new(ModelId([1; 16]), 2);
        let error = model.apply(2, &arm("a"), &event(0, 1)).unwrap_err().to_string();
        assert!(error.starts_with("event 2 does not follow event 0"), "{error}");
        let mut narrow = Model::new(ModelId([1; 16]), 3);
        let error = narrow.apply(1, &arm("a"), &event(0, 1)).unwrap_err().to_string();
        assert!(error.contains("has 2 features; the model has 3"), "{error}");
    }
}
