//! A file made ready: attributes declared, events encoded once, rewards with their range. Chooses and learns nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::bundle::{self, Asked, Made, UnknownFeature};
use super::feedback::{Event, Feedback, LoggedEvent, Mistake, Offers};
use super::yardstick;
use crate::bandit::{self, Features};
use crate::domain::{AttributeId, Day, DecisionId, LocalTime, OfferId, Placement, Timestamp, Value};
use crate::policy;
use crate::simulation::compare::{Marks, Named, Settings, SettingsError, Slots, float};

/// Why a file cannot be made ready.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// A feature is asked for that it does not have.
    #[error(transparent)]
    Feature(#[from] UnknownFeature),
    /// Its lines and the settings do not fit together.
    #[error(transparent)]
    Mistake(#[from] Mistake),
    /// A setting has a value that no placement could have.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// The range of rewards, which is mapped to [0, 1] for learning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Learned as 0.
    pub low: f64,
    /// Learned as 1; above `low`.
    pub high: f64,
    /// Both ends were declared; otherwise one was found in the file, which looks ahead.
    pub declared: bool,
}

impl Range {
    /// High less low: an arm's margin.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Where a reward lies in the range: 0 at its low end, 1 at its high end.
    pub fn share(&self, reward: f64) -> f64 {
        ((reward - self.low) / self.width()).clamp(0.0, 1.0)
    }
}

/// One event, ready to be decided.
#[derive(Debug)]
pub struct Step {
    /// Its UTC day.
    pub day: Day,
    /// What its draw is keyed with, besides the seed.
    pub decision: DecisionId,
    /// The context, encoded.
    pub features: Features,
    /// Positions in [`Replay::offers`], rising.
    pub candidates: Arc<[usize]>,
    /// What is known of rewards.
    pub known: Known,
}

/// What is known of rewards.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// That of every candidate.
    All(Vec<f64>),
    /// That of the candidate at this position.
    Logged {
        /// Among the candidates.
        at: usize,
        /// What it earned.
        reward: f64,
    },
}

/// Where the events come from, with what can be said of them without any strategy.
#[derive(Debug)]
pub enum Source {
    /// Full feedback.
    Full {
        /// What three choices earn in each event.
        marks: Vec<Marks>,
        /// The best fixed order of offers.
        best_fixed: Vec<OfferId>,
    },
    /// Logged feedback.
    Logged {
        /// Mean reward of what was logged.
        value: f64,
        /// Deviation of these rewards.
        deviation: f64,
        /// Least and largest propensity times number of candidates; both 1 where logging was uniform.
        evenness: (f64, f64),
        /// What became of slots; nothing where there are none.
        slots: Option<Slots>,
    },
}

/// A file, ready to be played by every strategy and seed.
#[derive(Debug)]
pub struct Replay {
    /// All offers, by id: each is an arm.
    pub offers: Vec<OfferId>,
    /// In the order of the file.
    pub steps: Vec<Step>,
    /// Of rewards.
    pub range: Range,
    /// The attributes learned from, those left out, and the number of components.
    pub made: Made,
    /// One for each strategy asked for, in that order.
    pub placements: Vec<Placement>,
    /// Where it all comes from.
    pub source: Source,
}

impl Replay {
    /// Makes a file ready for strategies; learns from the keys of the context asked for, otherwise from all that fit.
    pub fn prepare(
        feedback: Feedback,
        offers: &Offers,
        settings: &Settings,
        features: Option<&str>,
    ) -> Result<Self, PrepareError> {
        match feedback {
            Feedback::Full(events) => full(&events, offers, settings, features),
            Feedback::Logged(events) => logged(events, offers, settings, features),
        }
    }

    /// Mean number of candidates.
    pub fn candidates(&self) -> f64 {
        self.steps.iter().map(|step| float(step.candidates.len())).sum::<f64>() / float(self.steps.len()).max(1.0)
    }
}

fn full(
    events: &[Event],
    offers: &Offers,
    settings: &Settings,
    features: Option<&str>,
) -> Result<Replay, PrepareError> {
    let rewards = events.iter().flat_map(|event| event.rewards.iter().map(|(id, reward)| (event.line, id, *reward)));
    let range = range(settings, rewards)?;
    let (made, placements) = placements(events.iter().map(|event| &event.context), offers, settings, features)?;
    let positions = positions(offers);
    let declared = first(&placements)?;
    let steps = events.iter().map(|event| Step {
        day: event.at.day(),
        decision: decision_id(&event.id, event.at),
        features: encode(declared, &event.context),
        candidates: event.rewards.keys().filter_map(|id| positions.get(id).copied()).collect(),
        known: Known::All(event.rewards.values().copied().collect()),
    });
    let steps: Vec<Step> = steps.collect();
    let best_fixed = yardstick::best_fixed(events);
    let source = Source::Full { marks: yardstick::marks(events, &best_fixed), best_fixed };
    Ok(Replay { offers: offers.keys().cloned().collect(), steps, range, made, placements, source })
}

fn logged(
    mut events: Vec<LoggedEvent>,
    offers: &Offers,
    settings: &Settings,
    features: Option<&str>,
) -> Result<Replay, PrepareError> {
    let range = range(settings, events.iter().map(|event| (event.line, &event.chosen, event.reward)))?;
    let slots = events.iter().any(|event| event.slot.is_some()).then_some(settings.slots);
    if slots == Some(Slots::Context) {
        for event in &mut events {
            let Some(slot) = event.slot else { continue };
            if event.context.insert("slot".to_owned(), Value::Text(slot.to_string())).is_some() {
                let what = "the context has a `slot` of its own beside the slot of the event: add `slots=ignore` to \
                            the settings, or rename the one in the context";
                return Err(Mistake::Line { line: event.line, what: what.to_owned() }.into());
            }
        }
    }
    let (made, placements) = placements(events.iter().map(|event| &event.context), offers, settings, features)?;
    let positions = positions(offers);
    let declared = first(&placements)?;
    let every: Arc<[usize]> = (0..offers.len()).collect();
    let mut evenness = (f64::INFINITY, 0.0_f64);
    let steps = events.iter().map(|event| {
        let position = |id: &OfferId| positions.get(id).copied().unwrap_or_default();
        let candidates = match &event.candidates {
            Some(listed) => listed.iter().map(position).collect(),
            None => every.clone(),
        };
        let even = event.propensity.get() * float(candidates.len());
        evenness = (evenness.0.min(even), evenness.1.max(even));
        let chosen = position(&event.chosen);
        let at = candidates.iter().position(|candidate| *candidate == chosen).unwrap_or_default();
        let known = Known::Logged { at, reward: event.reward };
        let decision = decision_id(&event.id, event.at);
        Step { day: event.at.day(), decision, features: encode(declared, &event.context), candidates, known }
    });
    let steps: Vec<Step> = steps.collect();
    let value = events.iter().map(|event| event.reward).sum::<f64>() / float(events.len()).max(1.0);
    let squares = events.iter().map(|event| (event.reward - value) * (event.reward - value)).sum::<f64>();
    let deviation = (squares / float(events.len()).max(1.0)).sqrt();
    let source = Source::Logged { value, deviation, evenness, slots };
    Ok(Replay { offers: offers.keys().cloned().collect(), steps, range, made, placements, source })
}

/// The declared range, or the one found. A reward outside the declared one is a mistake in its line.
fn range<'a>(
    settings: &Settings,
    rewards: impl Iterator<Item = (usize, &'a OfferId, f64)>,
) -> Result<Range, PrepareError> {
    let (low, high) = (settings.reward_min, settings.reward_max);
    let mut found = (f64::INFINITY, f64::NEG_INFINITY);
    for (line, offer, reward) in rewards {
        if low.is_some_and(|low| reward < low) || high.is_some_and(|high| reward > high) {
            let end = |end: Option<f64>| end.map_or("any".to_owned(), |end| end.to_string());
            let what = format!(
                "the reward {reward} of `{offer}` lies outside the declared range, {} to {}: widen `reward_min` and \
                 `reward_max`, or leave them out to use the range of the file",
                end(low),
                end(high)
            );
            return Err(Mistake::Line { line, what }.into());
        }
        found = (found.0.min(reward), found.1.max(reward));
    }
    let (low, high) = (low.unwrap_or(found.0), high.unwrap_or(found.1));
    let declared = settings.reward_min.is_some() && settings.reward_max.is_some();
    // Where all rewards are one, any width will do.
    Ok(Range { low, high: if high > low { high } else { low + 1.0 }, declared })
}

/// The placements of the bundle made for a file, one for each strategy.
fn placements<'a>(
    contexts: impl Iterator<Item = &'a BTreeMap<String, Value>>,
    offers: &Offers,
    settings: &Settings,
    features: Option<&str>,
) -> Result<(Made, Vec<Placement>), PrepareError> {
    let yaml: Vec<String> = settings.strategies.iter().map(Named::yaml).collect();
    let asked: Vec<Asked<'_>> = (settings.strategies.iter().zip(&yaml))
        .map(|(strategy, yaml)| Asked { placement: strategy.name, strategy: yaml })
        .collect();
    let made = bundle::make(contexts, &asked, features, &bundle::fallback_id(offers))?;
    let compiled = policy::compile(&made.policies).map_err(|findings| {
        let told: BTreeSet<String> = findings.iter().map(told).collect();
        SettingsError(told.into_iter().collect::<Vec<_>>().join("; "))
    })?;
    let placements = settings.strategies.iter().filter_map(|strategy| compiled.placement(strategy.name).cloned());
    Ok((made, placements.collect()))
}

/// A mistake of the compiler as one about settings: its place is in a file that nobody wrote, so what stands there is
/// told instead.
pub(in crate::simulation) fn told(finding: &policy::Finding) -> String {
    let there: String =
        finding.source_line.chars().skip(finding.column.saturating_sub(1)).take(finding.length).collect();
    let help = finding.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default();
    format!("setting `{there}`: {}{help}", finding.message)
}

fn positions(offers: &Offers) -> BTreeMap<&OfferId, usize> {
    offers.keys().zip(0..).collect()
}

/// The placement by which contexts are encoded: all of a file declare the same attributes and features.
fn first(placements: &[Placement]) -> Result<&Placement, PrepareError> {
    Ok(placements.first().ok_or_else(|| SettingsError("there is no strategy: name one".to_owned()))?)
}

fn encode(placement: &Placement, context: &BTreeMap<String, Value>) -> Features {
    bandit::features(placement, LocalTime::utc(Timestamp(0)), &|id: &AttributeId| context.get(id.name()).cloned())
}

/// The event's own time and name: another event, another number drawn.
fn decision_id(id: &str, at: Timestamp) -> DecisionId {
    let named = Sha256::new().chain_update("proffer/simulate/1").chain_update(id).finalize();
    let mut bits = [0; 10];
    bits.iter_mut().zip(named).for_each(|(bit, byte)| *bit = byte);
    DecisionId::from_parts(at.0, bits)
}
