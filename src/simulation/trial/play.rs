//! One play: every decision of a course made by one strategy, through the code that serves decisions. Compares nothing.

use super::Trial;
use super::course::{Course, Moment};
use super::learner::{Learner, Taken};
use crate::bandit::draw::{self, DrawPurpose};
use crate::bandit::{self, Arm, InvalidDistribution, ModelView};
use crate::domain::Placement;
use crate::domain::key::GeneratorKey;
use crate::simulation::chance;
use crate::simulation::compare::Played;
use crate::simulation::orders::{Happened, Happening};
use crate::simulation::replay::PlayError;

/// Plays all decisions of a course in their order. `progress` is told of every one.
pub(super) fn play(
    trial: &Trial,
    placements: &[Placement],
    course: &Course,
    seed: u64,
    progress: &mut dyn FnMut(),
) -> Result<Played, PlayError> {
    let mut learner = Learner::new(placements, &trial.catalogue);
    play_with(trial, &mut learner, course, seed, progress)
}

/// The same with a learner that is looked at afterwards.
pub(super) fn play_with(
    trial: &Trial,
    learner: &mut Learner<'_>,
    course: &Course,
    seed: u64,
    progress: &mut dyn FnMut(),
) -> Result<Played, PlayError> {
    let generator = GeneratorKey { period: 1, key: chance::key(seed, "trial", 0) };
    let mut played = Played::default();
    let mut published = None;
    for (number, moment) in course.moments.iter().enumerate() {
        let at = moment.step.at;
        let publication = at.0.div_euclid(trial.publish.0.max(1));
        if published != Some(publication) {
            learner.hear(at);
            learner.publish(moment.day);
            published = Some(publication);
        }
        let Some(view) = learner.view(moment.placement) else { continue };
        let contender = view.contender();
        let scores = view.scores(&arms(trial, view, moment));
        let p = bandit::explore(&view.distribution(&scores, false), contender.exploration);
        let invalid = |why| PlayError { strategy: contender.strategy.name().to_owned(), seed, event: number + 1, why };
        bandit::check(&p, contender.exploration).map_err(invalid)?;
        let u = draw::uniform(&generator, "trial", &moment.decision, 0, DrawPurpose::Served);
        let picked = draw::pick(&p, u).ok_or_else(|| invalid(InvalidDistribution::Empty))?;
        let (expected, realised) = show(trial, learner, moment, number, picked);
        played.rewards.push(Some(expected));
        played.realised.push(realised);
        progress();
    }
    played.alarms = learner.alarms;
    Ok(played)
}

/// What the strategy sees of the candidates.
fn arms(trial: &Trial, view: &ModelView, moment: &Moment) -> Vec<Arm> {
    let vectors: Vec<Vec<f64>> = moment.features.iter().map(|features| features.to_f64()).collect();
    let arm = |(at, candidate): (usize, &usize)| {
        let x = vectors.get(at).or(vectors.first())?;
        let (offer, _) = trial.catalogue.at(*candidate)?;
        Some(view.arm(*candidate, x, minor(offer.margin_minor()), minor(offer.cost_of_showing_minor())))
    };
    moment.candidates.iter().enumerate().filter_map(arm).collect()
}

#[expect(clippy::cast_precision_loss, reason = "margins are small")]
fn minor(minor: i64) -> f64 {
    minor as f64
}

/// Shows a candidate: what it earns in the mean and with the luck that there is, and what the learner will hear of it.
fn show(trial: &Trial, learner: &mut Learner<'_>, moment: &Moment, number: usize, picked: usize) -> (f64, f64) {
    let expected = moment.values(trial).nth(picked).unwrap_or(0.0);
    let candidate = moment.candidates.get(picked).copied().unwrap_or_default();
    let Some(((offer, _), features)) = trial.catalogue.at(candidate).zip(moment.features_of(picked)) else {
        return (0.0, 0.0);
    };
    let accepts = moment.truth.get(picked).is_some_and(|probability| moment.step.luck.accept < *probability);
    let coming = if accepts { trial.world.happenings(offer, &moment.step) } else { Vec::new() };
    let taken = Taken {
        number,
        decision: moment.decision,
        placement: moment.placement,
        candidate,
        features,
        at: moment.step.at,
    };
    learner.take(&taken, &coming);
    let kept: i64 = coming.iter().map(kept).sum();
    (expected, trial.money(kept - offer.cost_of_showing_minor()))
}

/// What an event adds to what is kept.
fn kept(happening: &Happening) -> i64 {
    match happening.what {
        Happened::Order if happening.again => 0,
        Happened::Order => happening.margin_minor,
        Happened::Refund => -happening.margin_minor,
    }
}
