//! One crowd's way through a world: every decision that will be asked for, with its truth. Chooses and learns nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::Trial;
use crate::bandit::{self, Features};
use crate::domain::{
    AttributeId, AttributeScope, Day, DecisionId, LocalTime, Offer, Placement, Standing, Timestamp, Value,
};
use crate::simulation::compare::{Marks, float};
use crate::simulation::crowd::{Crowd, Step, Visit};

/// One decision that is asked for.
#[derive(Debug)]
pub(super) struct Moment {
    /// Its UTC day.
    pub(super) day: Day,
    /// Position of its placement in the world's file.
    pub(super) placement: usize,
    /// What its draw is keyed with, besides the seed.
    pub(super) decision: DecisionId,
    /// What is known, encoded: for all candidates, or for each of them where features read offers.
    pub(super) features: Vec<Arc<Features>>,
    /// Positions in the catalogue, rising.
    pub(super) candidates: Arc<[usize]>,
    /// For each candidate the true probability that it is accepted.
    pub(super) truth: Vec<f64>,
    /// When, and with what luck.
    pub(super) step: Step,
}

/// What is kept of a course when its plays are over.
#[derive(Debug)]
pub(in crate::simulation) struct Facts {
    /// What needs no learning, decision by decision.
    pub(in crate::simulation) marks: Vec<Marks>,
    /// Positions of the placements, decision by decision.
    pub(in crate::simulation) placements: Vec<usize>,
    /// UTC days, decision by decision.
    pub(in crate::simulation) on: Vec<Day>,
    /// The best candidate for everybody, placement by placement.
    pub(in crate::simulation) best_fixed: Vec<String>,
    /// Mean number of candidates.
    pub(in crate::simulation) candidates: f64,
    /// Days from the first decision to the last.
    pub(in crate::simulation) days: f64,
}

/// All decisions of a seed, in the order of their instants.
pub(super) struct Course {
    pub(super) moments: Vec<Moment>,
    pub(super) facts: Facts,
}

impl Course {
    /// Sends the crowd of a seed through the world.
    pub(super) fn walk(trial: &Trial, seed: u64) -> Self {
        let world = &trial.world;
        let crowd = Crowd::new(world, seed);
        let mut visits: Vec<Visit> = Vec::new();
        let mut decisions = 0;
        for number in 0.. {
            if decisions >= trial.decisions {
                break;
            }
            let visit = crowd.visit(world, number);
            decisions += visit.steps.len();
            visits.push(visit);
        }
        let steps = visits.iter().flat_map(|visit| (0..visit.steps.len()).map(move |step| (visit, step)));
        let mut steps: Vec<(&Visit, &Step, usize)> =
            steps.filter_map(|(visit, at)| visit.steps.get(at).map(|step| (visit, step, at))).collect();
        steps.sort_by_key(|(visit, step, at)| (step.at, visit.number, *at));
        steps.truncate(trial.decisions);
        let mut shared = Shared { every: (0..trial.catalogue.candidates().len()).collect() };
        let moments = steps.into_iter().map(|(visit, step, at)| shared.moment(trial, &crowd, visit, step, at));
        let moments: Vec<Moment> = moments.collect();
        let facts = Facts::of(trial, &moments);
        Self { moments, facts }
    }
}

/// What most decisions have in common.
struct Shared {
    every: Arc<[usize]>,
}

impl Shared {
    fn moment(&mut self, trial: &Trial, crowd: &Crowd, visit: &Visit, step: &Step, number: usize) -> Moment {
        let world = &trial.world;
        let runs = |at: &usize| trial.catalogue.at(*at).is_some_and(|(offer, _)| runs(trial, offer, step.at));
        let candidates = if self.every.iter().all(runs) {
            self.every.clone()
        } else {
            self.every.iter().copied().filter(runs).collect()
        };
        let probability = |at: &usize| {
            let variant = trial.catalogue.at(*at).map_or("", |(_, variant)| variant.variant_id.as_str());
            trial.positions.get(*at).map_or(0.0, |offer| crowd.acceptance_at(world, visit, step, *offer, variant))
        };
        let placement = world.placements.iter().position(|place| place.id == step.placement).unwrap_or(0);
        Moment {
            day: step.at.day(),
            placement,
            decision: decision_id(visit.number, number, step.at),
            features: features(trial, placement, crowd, visit, step, &candidates),
            truth: candidates.iter().map(probability).collect(),
            candidates,
            step: step.clone(),
        }
    }
}

/// Whether the catalogue lets an offer be shown at an instant: its own schedule and that of its campaign.
fn runs(trial: &Trial, offer: &Offer, at: Timestamp) -> bool {
    let campaign = offer.campaign.as_ref().and_then(|id| trial.catalogue.campaigns().get(id));
    offer.standing(at) == Standing::Running
        && campaign.is_none_or(|campaign| campaign.standing(at) == Standing::Running)
}

/// What is known of customer and context: without consent nothing of the customer.
fn features(
    trial: &Trial,
    placement: usize,
    crowd: &Crowd,
    visit: &Visit,
    step: &Step,
    candidates: &[usize],
) -> Vec<Arc<Features>> {
    // All strategies have the same features, so that those of the first are those of all.
    let Some(placement) = trial.placements.first().and_then(|of_strategy| of_strategy.get(placement)) else {
        return Vec::new();
    };
    let day = trial.world.calendar.day(step.at);
    let customer = crowd.customers.get(visit.customer).filter(|customer| customer.consents_on(day));
    let now = LocalTime::utc(step.at);
    let of = |offer: Option<&Offer>| {
        let value = |id: &AttributeId| -> Option<Value> {
            match id.scope() {
                AttributeScope::Offer => offer?.attribute(id.name()),
                AttributeScope::Customer => customer?.attributes.get(id).cloned(),
                AttributeScope::Context => visit.context.get(id).cloned(),
            }
        };
        Arc::new(bandit::features(placement, now, &value))
    };
    if reads_offers(placement) {
        candidates.iter().map(|at| of(trial.catalogue.at(*at).map(|(offer, _)| offer))).collect()
    } else {
        vec![of(None)]
    }
}

fn reads_offers(placement: &Placement) -> bool {
    let mut atoms = placement.features.iter().flat_map(|feature| &feature.atoms);
    atoms.any(|atom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer))
}

impl Moment {
    /// The features of a candidate by its position among the candidates.
    pub(super) fn features_of(&self, at: usize) -> Option<&Arc<Features>> {
        self.features.get(at).or(self.features.first())
    }

    /// What each candidate earns in the mean of all luck: `p m kept - c`, in money of the reports.
    pub(super) fn values<'a>(&'a self, trial: &'a Trial) -> impl Iterator<Item = f64> + 'a {
        let kept = trial.world.margin_kept();
        self.candidates.iter().zip(&self.truth).map(move |(at, probability)| {
            trial.catalogue.at(*at).map_or(0.0, |(offer, _)| {
                probability * kept * trial.money(offer.margin_minor()) - trial.money(offer.cost_of_showing_minor())
            })
        })
    }
}

impl Facts {
    fn of(trial: &Trial, moments: &[Moment]) -> Self {
        let mut sums: BTreeMap<(usize, usize), (f64, f64)> = BTreeMap::new();
        for moment in moments {
            for (candidate, value) in moment.candidates.iter().zip(moment.values(trial)) {
                let (sum, times) = sums.entry((moment.placement, *candidate)).or_default();
                *sum += value;
                *times += 1.0;
            }
        }
        // By its own mean where it runs; where the best does not run, the next one does.
        let rank = |placement: usize, candidate: usize| {
            sums.get(&(placement, candidate)).map_or(f64::NEG_INFINITY, |(sum, times)| sum / times)
        };
        let mark = |moment: &Moment| {
            let values: Vec<f64> = moment.values(trial).collect();
            let ranked = moment.candidates.iter().map(|candidate| rank(moment.placement, *candidate));
            let best = ranked.zip(&values).reduce(|best, next| if next.0 > best.0 { next } else { best });
            Marks {
                uniform: values.iter().sum::<f64>() / float(values.len()).max(1.0),
                best_fixed: best.map_or(0.0, |(_, value)| *value),
                oracle: values.iter().copied().reduce(f64::max).unwrap_or(0.0),
            }
        };
        let best_fixed = |placement: usize| {
            let candidates = (0..trial.catalogue.candidates().len()).map(|at| (rank(placement, at), at));
            let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
            let named = best.and_then(|(_, at)| trial.catalogue.at(at));
            named.map_or_else(String::new, |(offer, variant)| format!("{}/{}", offer.offer_id, variant.variant_id))
        };
        let ends = moments.first().zip(moments.last()).map_or(0, |(first, last)| last.step.at.0 - first.step.at.0);
        let candidates: usize = moments.iter().map(|moment| moment.candidates.len()).sum();
        Self {
            marks: moments.iter().map(mark).collect(),
            placements: moments.iter().map(|moment| moment.placement).collect(),
            on: moments.iter().map(|moment| moment.day).collect(),
            best_fixed: (0..trial.world.placements.len()).map(best_fixed).collect(),
            candidates: float(candidates) / float(moments.len()).max(1.0),
            days: float(usize::try_from(ends / 60_000).unwrap_or(0)) / 1_440.0,
        }
    }
}

/// The step's own place among all visits: another step, another number drawn.
fn decision_id(visit: usize, step: usize, at: Timestamp) -> DecisionId {
    let named = Sha256::new()
        .chain_update("proffer/trial/1")
        .chain_update((visit as u64).to_be_bytes())
        .chain_update((step as u64).to_be_bytes())
        .finalize();
    let mut bits = [0; 10];
    bits.iter_mut().zip(named).for_each(|(bit, byte)| *bit = byte);
    DecisionId::from_parts(at.0, bits)
}
