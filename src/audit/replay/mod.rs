//! Replay: a recorded decision made again, and whether the same record came of it. Reads no store and keeps no model.
//!
//! Nothing is decided here: the record's facts are handed to [`decide`] as if somebody asked again, so that a rule that
//! comes later is replayed without a line of its own. First the scores stand in for the model as the record holds them.
//! Where the model is still known as it was, everything is decided a second time from its integers. Both times the
//! record is sealed anew, and compared byte for byte.

mod compare;

mod facts;

mod text;

#[cfg(test)]
mod corpus;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use compare::Difference;
pub use text::told;

use crate::bandit::{KNOWN_RULES, Model, ModelView, RecordedScores};
use crate::decision::{Ask, Snapshot, decide};
use crate::domain::decision::{ENCODING, Private, Record, Skeleton, leaf};
use crate::domain::key::{GeneratorKey, SubjectKey};
use crate::domain::{Catalogue, Contender, Malformed, Placement, PlacementId};
use crate::policy::Bundle;
use compare::{compare, differences};
use facts::Facts;

/// What became of a decision that was to be made again.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The same bytes, from the recorded scores and from the model.
    Identical,
    /// The same bytes from the recorded scores; what the model was is known no more.
    IdenticalFromScores {
        /// What is gone.
        missing: String,
    },
    /// Another record.
    Differs {
        /// Where, as far as that can be named.
        fields: Vec<Difference>,
    },
    /// The customer's key is gone, and with it what was read of them.
    Erased,
    /// It cannot be decided again.
    Unavailable {
        /// What there is not.
        missing: String,
    },
}

impl Verdict {
    /// That something is missing.
    pub fn unavailable(missing: impl Into<String>) -> Self {
        Self::Unavailable { missing: missing.into() }
    }

    /// Whether the same record came of it.
    pub fn is_identical(&self) -> bool {
        matches!(self, Self::Identical | Self::IdenticalFromScores { .. })
    }

    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::IdenticalFromScores { .. } => "identical_from_scores",
            Self::Differs { .. } => "differs",
            Self::Erased => "erased",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

/// The versions that a record names, and the keys that it was made under.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// The bundle, with its switches.
    pub bundle: &'a Arc<Bundle>,
    /// The catalogue revision.
    pub catalogue: &'a Arc<Catalogue>,
    /// The generator of the key period.
    pub generator: &'a GeneratorKey,
    /// What the private part is sealed under.
    pub key: &'a SubjectKey,
}

/// The model that a record names, where it is still known.
#[derive(Debug, Clone, Copy)]
pub enum ModelAt<'a> {
    /// It is gone, and why.
    Gone(&'a str),
    /// Its integers at the sequence of the record.
    Known(&'a Model),
}

/// Decides a recorded decision again, from its scores and then from its model.
pub fn replay(record: &Record, versions: &Versions<'_>, model: ModelAt<'_>) -> Verdict {
    let (skeleton, private) = match opened(record, versions.key) {
        Ok(opened) => opened,
        Err(malformed) => return Verdict::Differs { fields: vec![Difference::of_bytes(&malformed.to_string())] },
    };
    if let Some(missing) = lacks(&skeleton, &private, versions) {
        return Verdict::unavailable(missing);
    }
    let Some(placement) = versions.bundle.placement(skeleton.placement.as_str()) else {
        return Verdict::unavailable(format!("placement `{}`: the bundle does not have it", skeleton.placement));
    };
    let recorded = Recorded { record, skeleton: &skeleton, private: &private, versions, placement };
    let scores = Arc::new(recorded.scores());
    // What a later build takes for granted where the bundle says nothing is not what that one took.
    let as_then = |contender: &Contender| Contender { prior: skeleton.prior.unwrap_or(contender.prior), ..*contender };
    let by_scores =
        |contender: &Contender| ModelView::recorded(skeleton.model, placement, &as_then(contender), scores.clone());
    let fields = recorded.decide_by(by_scores);
    if !fields.is_empty() {
        return Verdict::Differs { fields };
    }
    let model = match model {
        ModelAt::Gone(missing) => return Verdict::IdenticalFromScores { missing: missing.to_owned() },
        ModelAt::Known(model) => model,
    };
    let (version, lineup) = (model.version(), model.lineup(versions.catalogue));
    // What learned nothing is read as its prior, whatever the day.
    let by_model = |contender: &Contender| match model.sequence() {
        0 => ModelView::prior(placement, &as_then(contender)),
        _ => ModelView::derive(version, placement, &as_then(contender), lineup.clone(), skeleton.day, None),
    };
    let fields = recorded.decide_by(by_model);
    if fields.is_empty() { Verdict::Identical } else { Verdict::Differs { fields } }
}

fn opened(record: &Record, key: &SubjectKey) -> Result<(Skeleton, Private), Malformed> {
    if record.leaf != leaf(&record.skeleton) {
        return Err(Malformed::new("the leaf is not the hash of the public part"));
    }
    Ok((record.skeleton()?, record.private(key)?))
}

/// What has to be there for a record to be decided again and is not.
fn lacks(skeleton: &Skeleton, private: &Private, versions: &Versions<'_>) -> Option<String> {
    let Versions { bundle, catalogue, generator, .. } = versions;
    if skeleton.encoding != ENCODING {
        return Some(format!("encoding {}: this build writes {ENCODING}", skeleton.encoding));
    }
    if private.context.asked.is_none() {
        return Some("what else was asked for: the record is from before that was kept".to_owned());
    }
    if bundle.hash != skeleton.bundle || bundle.switches != skeleton.switches {
        return Some(format!("bundle b3:{} with its switches", skeleton.bundle.hex()));
    }
    if catalogue.revision != skeleton.catalogue_revision {
        return Some(format!("catalogue revision {}", skeleton.catalogue_revision));
    }
    if let Some(slot) = skeleton.slots.iter().find(|slot| slot.draw.key_period != generator.period) {
        return Some(format!("the generator key of period {}", slot.draw.key_period));
    }
    let rule = skeleton.distribution_rule;
    (!KNOWN_RULES.contains(&rule)).then(|| format!("distribution rule {rule}: this build does not know it"))
}

/// A record opened, with what it names.
struct Recorded<'a> {
    record: &'a Record,
    skeleton: &'a Skeleton,
    private: &'a Private,
    versions: &'a Versions<'a>,
    placement: &'a Placement,
}

impl Recorded<'_> {
    /// Decides again by what each contender reads, and tells where another record comes of it.
    fn decide_by(&self, view: impl Fn(&Contender) -> ModelView) -> Vec<Difference> {
        let Self { record, skeleton, private, versions, placement } = self;
        let facts = Facts::of((skeleton, private), versions, placement);
        let views: Vec<Arc<ModelView>> = placement.contenders().map(|by| Arc::new(view(by))).collect();
        let snapshot = Snapshot {
            tenant: skeleton.tenant.clone(),
            build: skeleton.build.clone(),
            control_sequence: skeleton.control_sequence,
            bundle: versions.bundle.clone(),
            catalogue: versions.catalogue.clone(),
            models: BTreeMap::<PlacementId, _>::from([(placement.id.clone(), views)]),
            day: skeleton.day,
            spend: Arc::new(facts.spend.clone()),
            approved: Arc::new(facts.approved.clone()),
        };
        let ask = Ask { purse: &facts.purse, ..facts.ask(skeleton) };
        let mut again = match decide(&snapshot, &ask, facts.subjects(), versions.generator, skeleton.at) {
            Ok(again) => again,
            Err(problems) => return problems.iter().map(Difference::of_problem).collect(),
        };
        let sealed = Record::seal(&mut again.skeleton, &again.private, versions.key);
        if sealed == **record {
            return Vec::new();
        }
        let mut fields = compare((skeleton, private), (&again.skeleton, &again.private));
        if fields.is_empty() {
            fields = differences("bytes", &"as stored", &"encoded anew");
        }
        fields
    }

    /// The scores and learned margins of the record, by positions in the catalogue.
    fn scores(&self) -> RecordedScores {
        let rows = &self.skeleton.candidates;
        let by_position = |scored: &mut dyn Iterator<Item = Option<&crate::domain::decision::Scored>>| {
            let both = rows.iter().zip(scored);
            both.filter_map(|(row, scored)| Some((row.candidate? as usize, scored?.clone()))).collect()
        };
        let first = by_position(&mut rows.iter().map(|row| row.scored.as_ref()));
        let personas = self.private.context.personas.iter().flatten().skip(1);
        let others = personas.map(|seen| {
            let mut slots = self.skeleton.slots.iter().filter_map(|slot| slot.persona.as_ref());
            let scores = slots.find(|persona| persona.at == seen.at).and_then(|persona| persona.scores.as_ref());
            scores.map(|scores| by_position(&mut scores.iter().map(Option::as_ref))).unwrap_or_default()
        });
        let learned = rows.iter().filter_map(|row| Some((row.candidate? as usize, row.learned?)));
        RecordedScores {
            seats: std::iter::once(first).chain(others).collect(),
            learned: learned.collect(),
            rule: self.skeleton.distribution_rule,
        }
    }
}
