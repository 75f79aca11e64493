//! The learner of one play: a decision counts as not accepted until its order arrives, by the share of its weight that
//! its delay curve gives its age, and a refund takes it back, as in [`crate::learning`]. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::bandit::{ArmKey, Features, Lineup, Model, ModelView};
use crate::decision::money;
use crate::domain::decision::{MoneyTerms, Terms};
use crate::domain::outcome::{OutcomeFact, OutcomeKind};
use crate::domain::{Catalogue, Day, DecisionId, Digest, MoneySettings, Placement, Spend, Strategy, Timestamp};
use crate::engine::learner::Spent;
use crate::learning::{Applied, Costs, Exposed, Lesson, micros};
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
    /// What exploring cost, in minor units, where its placement has a budget for it.
    pub(super) explored: Option<f64>,
}

/// One placement: the integers of its arms by position, and what was derived from them when last published.
struct Learned {
    lineup: Lineup,
    view: ModelView,
    changed: bool,
}

/// A decision whose outcomes are under way.
struct Pending {
    placement: usize,
    candidate: usize,
    lesson: Lesson,
    costs: Option<Costs>,
    facts: Vec<OutcomeFact>,
    applied: Applied,
}

/// Everything that one strategy has learned, placement by placement.
pub(super) struct Learner<'a> {
    placements: &'a [Placement],
    catalogue: &'a Catalogue,
    learned: Vec<Learned>,
    pending: BTreeMap<usize, Pending>,
    /// What will be told, by its instant; the number tells equals apart.
    messages: BTreeMap<(Timestamp, usize), (usize, OutcomeFact)>,
    sent: usize,
    /// What gains weight though nothing is told, by its instant.
    due: BTreeSet<(Timestamp, usize)>,
    published_for: Option<Day>,
    /// What campaigns have spent, by day of the decision.
    pub(super) spent: Spent,
    /// What decisions read of it: as it was when last published.
    pub(super) spend: Spend,
    /// How often the statistics of an arm made no posterior.
    pub(super) alarms: usize,
}

impl<'a> Learner<'a> {
    /// One that has learned nothing.
    pub(super) fn new(placements: &'a [Placement], catalogue: &'a Catalogue) -> Self {
        let learned = |placement: &Placement| {
            let (lineup, none) = (Lineup::empty(catalogue), Lineup::default());
            let version = Model::new(placement.model_id(), placement.dimensions()).version();
            let view = ModelView::derive(version, placement, &placement.champion, none, Day(0), None);
            Learned { lineup, view, changed: false }
        };
        Self {
            placements,
            catalogue,
            learned: placements.iter().map(learned).collect(),
            pending: BTreeMap::new(),
            messages: BTreeMap::new(),
            sent: 0,
            due: BTreeSet::new(),
            published_for: None,
            spent: Spent::new(),
            spend: Spend::none(Day(0)),
            alarms: 0,
        }
    }

    /// What was published last.
    pub(super) fn view(&self, placement: usize) -> Option<&ModelView> {
        self.learned.get(placement).map(|learned| &learned.view)
    }

    /// Settings of money in force at a placement on a day; nothing where it has none.
    pub(super) fn terms(&self, placement: usize, day: Day) -> Option<MoneyTerms> {
        money::terms(&self.spend, self.placements.get(placement)?, Vec::new(), day)
    }

    /// Takes in a decision as one that was not accepted; what will come of it is told when it arrives.
    pub(super) fn take(&mut self, taken: &Taken<'_>, coming: &[Happening]) {
        let Some(lesson) = self.lesson(taken) else { return };
        let (applied, _) = lesson.earned(&[], taken.at);
        let costs = self.costs(taken);
        self.count(costs.as_ref(), None, applied);
        self.apply(taken.placement, taken.candidate, &lesson, Applied::default(), applied);
        let due = lesson.due(applied);
        self.due.extend(due.map(|due| (due, taken.number)));
        if coming.is_empty() && due.is_none() {
            return;
        }
        for happening in coming {
            let fact = fact(taken.decision, happening);
            self.messages.insert((happening.arrives_at, self.sent), (taken.number, fact));
            self.sent += 1;
        }
        let (placement, candidate) = (taken.placement, taken.candidate);
        let pending = Pending { placement, candidate, lesson, costs, facts: Vec::new(), applied };
        self.pending.insert(taken.number, pending);
    }

    /// Takes in everything that has arrived by an instant, and what has grown by it.
    pub(super) fn hear(&mut self, until: Timestamp) {
        while let Some(entry) = self.messages.first_entry().filter(|entry| entry.key().0 <= until) {
            let (number, fact) = entry.remove();
            self.look(number, Some(fact), until);
        }
        while let Some((_, number)) = self.due.first().copied().filter(|(due, _)| *due <= until) {
            self.due.pop_first();
            self.look(number, None, until);
        }
    }

    fn look(&mut self, number: usize, fact: Option<OutcomeFact>, now: Timestamp) {
        let Some(mut pending) = self.pending.remove(&number) else { return };
        pending.facts.extend(fact);
        let (applied, _) = pending.lesson.earned(&pending.facts, now);
        self.apply(pending.placement, pending.candidate, &pending.lesson, pending.applied, applied);
        self.count(pending.costs.as_ref(), Some(pending.applied), applied);
        pending.applied = applied;
        if fact.is_none() {
            self.due.extend(pending.lesson.due(applied).map(|due| (due, number)));
        }
        self.pending.insert(number, pending);
    }

    /// Derives the posteriors of all arms that have changed, and of all where the day has and what was learned fades.
    pub(super) fn publish(&mut self, day: Day) {
        let same_day = self.published_for == Some(day);
        for (placement, learned) in self.placements.iter().zip(&mut self.learned) {
            let fades = placement.half_life_days.is_some() && !same_day;
            if learned.changed || fades {
                // Without decay no day differs from another.
                let day = placement.half_life_days.map_or(Day(0), |_| day);
                let (version, lineup) = (learned.view.version, learned.lineup.clone());
                let before = Some(&learned.view);
                let view = ModelView::derive(version, placement, &placement.champion, lineup, day, before);
                self.alarms += view.alarms.len();
                (learned.view, learned.changed) = (view, false);
            }
        }
        self.published_for = Some(day);
        if !self.spent.is_empty() {
            self.spend = Spend::none(day);
            self.spent.iter().for_each(|(key, amount)| self.spend.add(key, *amount));
        }
    }

    /// What a decision spends of its campaign's budget and of that for exploring, as a record would say it.
    fn costs(&self, taken: &Taken<'_>) -> Option<Costs> {
        let (offer, _) = self.catalogue.at(taken.candidate)?;
        let campaign = offer.campaign.as_ref().filter(|id| self.catalogue.has_budget(id));
        let campaign = campaign.map(|id| (id.clone(), offer.cost_of_showing_minor(), offer.discount_minor()));
        let placement = self.placements.get(taken.placement)?;
        let explored = taken.explored.map(|cost| (placement.id.clone(), micros(cost)));
        let any = campaign.is_some() || explored.is_some();
        any.then(|| Costs { slot: 0, day: taken.at.day(), campaign, explored })
    }

    fn count(&mut self, costs: Option<&Costs>, before: Option<Applied>, now: Applied) {
        for (key, amount) in costs.into_iter().flat_map(|costs| costs.since(before, now)) {
            *self.spent.entry(key).or_default() += amount;
        }
    }

    fn lesson(&self, taken: &Taken<'_>) -> Option<Lesson> {
        let placement = self.placements.get(taken.placement)?;
        let (offer, variant) = self.catalogue.at(taken.candidate)?;
        // Uniform reads no posterior, so that its play needs none, unless budgets and settings of money read one.
        let spends = offer.campaign.as_ref().is_some_and(|id| self.catalogue.has_budget(id))
            || placement.money != MoneySettings::default();
        if placement.champion.strategy == Strategy::Uniform && !spends {
            return None;
        }
        let terms = Terms::of(placement, &[&offer.offer_id]);
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
        let Some(learned) = self.learned.get_mut(placement) else { return };
        let Some(event) = lesson.event(before, now) else { return };
        let Some(arm) = learned.lineup.get_mut(candidate) else { return };
        arm.apply(&event.increment);
        learned.changed = true;
    }

    /// What is known of every arm, as integers.
    #[cfg(test)]
    pub(super) fn digests(&self) -> Vec<((usize, usize), Digest)> {
        let placements = self.learned.iter().enumerate();
        let arms = placements.flat_map(|(placement, learned)| {
            learned.lineup.arms.iter().enumerate().map(move |(at, arm)| ((placement, at), arm))
        });
        arms.filter_map(|(at, arm)| Some((at, arm.as_ref()?.digest()))).collect()
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
