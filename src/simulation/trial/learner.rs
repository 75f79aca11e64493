//! The learner of one play: a decision counts as not accepted until its order arrives, and a refund takes it back, as
//! in [`crate::learning`]. Decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bandit::{ArmKey, ArmStatistics, Features, Posterior};
use crate::domain::decision::Terms;
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{Catalogue, Day, DecisionId, Digest, Placement, Strategy, Timestamp};
use crate::learning::{Applied, Exposed, Lesson};
use crate::simulation::orders::{Happened, Happening};

/// A decision that was made, as its learner sees it.
pub(super) struct Taken<'a> {
    /// Its number among all.
    pub(super) number: usize,
    /// Its name.
    pub(super) decision: DecisionId,
    /// Position of its placement.
    pub(super) placement: usize,
    /// Position in the catalogue of what was shown.
    pub(super) candidate: usize,
    /// Its features.
    pub(super) features: &'a Arc<Features>,
    /// When.
    pub(super) at: Timestamp,
}

/// One arm of one placement: integers, and the posterior that was derived from them when last published.
struct Learned {
    statistics: ArmStatistics,
    posterior: Posterior,
    changed: bool,
}

/// A decision whose outcomes are under way.
struct Pending {
    placement: usize,
    candidate: usize,
    lesson: Lesson,
    facts: Vec<OutcomeFact>,
    applied: Applied,
}

/// Everything that one strategy has learned, placement by placement.
pub(super) struct Learner<'a> {
    placements: &'a [Placement],
    catalogue: &'a Catalogue,
    priors: Vec<Posterior>,
    arms: Vec<BTreeMap<usize, Learned>>,
    pending: BTreeMap<usize, Pending>,
    /// What will be told, by its instant; the number tells equals apart.
    messages: BTreeMap<(Timestamp, usize), (usize, OutcomeFact)>,
    sent: usize,
    published_for: Option<Day>,
    /// How often the statistics of an arm made no posterior.
    pub(super) alarms: usize,
}

impl<'a> Learner<'a> {
    /// One that has learned nothing.
    pub(super) fn new(placements: &'a [Placement], catalogue: &'a Catalogue) -> Self {
        let prior = |placement: &Placement| Posterior::prior(placement.dimensions(), placement.lambda);
        Self {
            placements,
            catalogue,
            priors: placements.iter().map(prior).collect(),
            arms: placements.iter().map(|_| BTreeMap::new()).collect(),
            pending: BTreeMap::new(),
            messages: BTreeMap::new(),
            sent: 0,
            published_for: None,
            alarms: 0,
        }
    }

    /// The posterior that was published last.
    pub(super) fn posterior(&self, placement: usize, candidate: usize) -> Option<&Posterior> {
        let learned = self.arms.get(placement).and_then(|arms| arms.get(&candidate));
        learned.map(|learned| &learned.posterior).or(self.priors.get(placement))
    }

    /// Takes in a decision as one that was not accepted; what will come of it is told when it arrives.
    pub(super) fn take(&mut self, taken: &Taken<'_>, coming: &[Happening]) {
        let Some(lesson) = self.lesson(taken) else { return };
        let (applied, _) = lesson.earned(&[]);
        self.apply(taken.placement, taken.candidate, &lesson, Applied::default(), applied);
        if coming.is_empty() {
            return;
        }
        for happening in coming {
            let fact = fact(taken.decision, happening);
            self.messages.insert((happening.arrives_at, self.sent), (taken.number, fact));
            self.sent += 1;
        }
        let (placement, candidate) = (taken.placement, taken.candidate);
        let pending = Pending { placement, candidate, lesson, facts: Vec::new(), applied };
        self.pending.insert(taken.number, pending);
    }

    /// Takes in everything that has arrived by an instant.
    pub(super) fn hear(&mut self, until: Timestamp) {
        while let Some(entry) = self.messages.first_entry().filter(|entry| entry.key().0 <= until) {
            let (number, fact) = entry.remove();
            let Some(mut pending) = self.pending.remove(&number) else { continue };
            pending.facts.push(fact);
            let (now, _) = pending.lesson.earned(&pending.facts);
            self.apply(pending.placement, pending.candidate, &pending.lesson, pending.applied, now);
            pending.applied = now;
            self.pending.insert(number, pending);
        }
    }

    /// Derives the posteriors of all arms that have changed, and of all where the day has and what was learned fades.
    pub(super) fn publish(&mut self, day: Day) {
        let same_day = self.published_for == Some(day);
        for (placement, arms) in self.placements.iter().zip(&mut self.arms) {
            let half_life = placement.half_life_days;
            let fades = half_life.is_some() && !same_day;
            for learned in arms.values_mut().filter(|learned| learned.changed || fades) {
                let dimensions = placement.dimensions();
                let derived = Posterior::derive(&learned.statistics, dimensions, day, half_life, placement.lambda);
                self.alarms += usize::from(derived.alarm.is_some());
                (learned.posterior, learned.changed) = (derived.posterior, false);
            }
        }
        self.published_for = Some(day);
    }

    fn lesson(&self, taken: &Taken<'_>) -> Option<Lesson> {
        let placement = self.placements.get(taken.placement)?;
        // Uniform reads no posterior, so that its play needs none.
        if placement.strategy == Strategy::Uniform {
            return None;
        }
        let (offer, variant) = self.catalogue.at(taken.candidate)?;
        let terms = Terms {
            window: placement.objective.window,
            reward_cap_minor: placement.objective.reward_cap_minor,
            half_life_days: placement.half_life_days,
            currency: placement.currency,
            accepted_by: None,
            exposed_by: None,
        };
        let (margin_minor, cost_minor) = (offer.margin_minor(), offer.cost_of_showing_minor());
        Some(Lesson {
            decision_id: taken.decision,
            slot: 0,
            model: crate::domain::ModelId([0; 16]),
            arm: ArmKey { offer: offer.offer_id.clone(), variant: variant.variant_id.clone() },
            features: Features::clone(taken.features),
            exposed: Exposed { at: taken.at, margin_minor, cost_minor, terms },
        })
    }

    fn apply(&mut self, placement: usize, candidate: usize, lesson: &Lesson, before: Applied, now: Applied) {
        let Some((arms, prior)) = self.arms.get_mut(placement).zip(self.priors.get(placement)) else { return };
        let Some(event) = lesson.event(before, now) else { return };
        let learned = arms.entry(candidate).or_insert_with(|| Learned {
            statistics: ArmStatistics::default(),
            posterior: prior.clone(),
            changed: false,
        });
        learned.statistics.apply(&event.increment);
        learned.changed = true;
    }

    /// What is known of every arm, as integers.
    #[cfg(test)]
    pub(super) fn digests(&self) -> Vec<((usize, usize), Digest)> {
        let arms = self.arms.iter().enumerate();
        arms.flat_map(|(placement, arms)| arms.iter().map(move |(at, arm)| ((placement, *at), arm.statistics.digest())))
            .collect()
    }
}

/// A message as the fold reads it: the same event has the same key, however often it is told.
fn fact(decision: DecisionId, happening: &Happening) -> OutcomeFact {
    let key = |what: Happened| {
        let mut key = [0; 32];
        key.iter_mut().zip(decision.as_bytes()).for_each(|(byte, of)| *byte = *of);
        if let Some(last) = key.last_mut() {
            *last = what as u8;
        }
        Digest(key)
    };
    OutcomeFact {
        key: key(happening.what),
        kind: match happening.what {
            Happened::Order => OutcomeKind::Order,
            Happened::Refund => OutcomeKind::Refund,
        },
        occurred_at: happening.occurred_at,
        refers_to: (happening.what == Happened::Refund).then(|| key(Happened::Order)),
        revenue_minor: Some(happening.revenue_minor),
        margin_minor: Some(happening.margin_minor),
        slot: 0,
    }
}
