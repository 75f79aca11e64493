//! One play: every decision of a course made by one strategy, through the code that serves decisions. Compares nothing.

use super::Trial;
use super::course::{Course, Moment};
use super::learner::{Learner, Taken};
use crate::bandit::draw::{self, DrawPurpose};
use crate::bandit::{self, Arm, Candidate, Inputs, InvalidDistribution, ModelView, Score};
use crate::decision::money;
use crate::domain::key::GeneratorKey;
use crate::domain::{Belongs, Campaign, CampaignBudget, Placement};
use crate::simulation::chance;
use crate::simulation::compare::{Played, Spending};
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
        let open = Open::of(trial, learner, moment);
        if open.positions.is_empty() {
            played.rewards.push(Some(0.0));
            played.realised.push(0.0);
            played.money.push(Spending::default());
            progress();
            continue;
        }
        let (terms, costs) = (learner.terms(moment.placement, moment.day), open.costs(trial, moment));
        let scores = view.scores(&arms(trial, view, moment, &open));
        let by = |scores: &[Score], nothing: bool| view.distribution(scores, nothing);
        let distributed = money::distribute(&contender.strategy, terms.as_ref(), (&costs, &scores), by);
        let exploration = money::exploration(view, terms.as_ref());
        let p = bandit::explore(&distributed.w, exploration);
        let invalid = |why| PlayError { strategy: contender.strategy.name().to_owned(), seed, event: number + 1, why };
        bandit::check(&p, exploration).map_err(invalid)?;
        let u = draw::uniform(&generator, "trial", &moment.decision, 0, DrawPurpose::Served);
        let drawn = draw::pick(&p, u).ok_or_else(|| invalid(InvalidDistribution::Empty))?;
        let kept = distributed.kept(terms.as_ref(), &open.positions, drawn);
        let explored = kept.and_then(|kept| kept.explored);
        played.money.push(Spending {
            explored: trial.part(explored.unwrap_or(0.0)),
            over: terms.is_some_and(|terms| terms.exploring.is_some_and(|exploring| exploring.over())),
            reached: kept.and_then(|kept| kept.cheapest).map(|cheapest| cheapest.reached),
            intervention: trial.money(costs.get(drawn).copied().unwrap_or(0)),
        });
        let picked = open.positions.get(drawn).copied().unwrap_or_default();
        let (expected, realised) = show(trial, learner, moment, (number, picked), explored);
        played.rewards.push(Some(expected));
        played.realised.push(realised);
        progress();
    }
    played.alarms = learner.alarms;
    Ok(played)
}

/// What may be shown at a moment, by positions among its candidates: all but what would spend of a spent budget.
struct Open {
    positions: Vec<usize>,
    /// By position of the campaign in the catalogue.
    budgets: Vec<Option<CampaignBudget>>,
}

impl Open {
    fn of(trial: &Trial, learner: &Learner<'_>, moment: &Moment) -> Self {
        let of_campaign = |campaign: &Campaign| {
            let spent = learner.spend.of_campaign(&campaign.campaign_id);
            campaign.budget_at(spent, moment.step.at)
        };
        let budgets = trial.catalogue.campaigns().values().map(of_campaign).collect();
        let mut open = Self { positions: Vec::new(), budgets };
        let lasts = |candidate: usize| {
            let offer = trial.catalogue.at(candidate).map(|(offer, _)| offer);
            let spends = offer.is_some_and(|offer| offer.discount_minor() + offer.cost_of_showing_minor() > 0);
            !spends || open.budget(trial, candidate).is_none_or(|budget| budget.spent_minor < budget.budget_minor)
        };
        let candidates = moment.candidates.iter().enumerate();
        open.positions = candidates.filter(|(_, candidate)| lasts(**candidate)).map(|(at, _)| at).collect();
        open
    }

    /// What showing each of them costs whoever makes the offer: its discount and its cost of showing, in minor units.
    fn costs(&self, trial: &Trial, moment: &Moment) -> Vec<i64> {
        let offers = self.positions.iter().filter_map(|at| trial.catalogue.at(*moment.candidates.get(*at)?));
        offers.map(|(offer, _)| offer.cost_of_showing_minor().saturating_add(offer.discount_minor())).collect()
    }

    /// The budget of the campaign that a candidate of the catalogue belongs to.
    fn budget(&self, trial: &Trial, candidate: usize) -> Option<&CampaignBudget> {
        match trial.catalogue.belongs(trial.catalogue.candidates().get(candidate)?.offer) {
            Belongs::To(campaign) => self.budgets.get(campaign)?.as_ref(),
            Belongs::Alone | Belongs::Unknown => None,
        }
    }
}

/// What the strategy sees of the candidates.
fn arms(trial: &Trial, view: &ModelView, moment: &Moment, open: &Open) -> Vec<Arm> {
    let vectors: Vec<Vec<f64>> = moment.features.iter().map(|features| features.to_f64()).collect();
    let arm = |at: &usize| {
        let x = vectors.get(*at).or(vectors.first())?;
        let candidate = *moment.candidates.get(*at)?;
        let (offer, _) = trial.catalogue.at(candidate)?;
        let margin = minor(offer.margin_minor());
        let margin = view.learned_margin(candidate, margin).map_or(margin, |learned| learned.margin);
        let worth = (margin, minor(offer.cost_of_showing_minor()));
        let budget = open.budget(trial, candidate);
        let (margin, cost) = budget.map_or(worth, |budget| budget.paced(offer.discount_minor(), worth));
        Some((Candidate { at: candidate, margin, cost }, x.as_slice()))
    };
    let (candidates, xs): (Vec<Candidate>, Vec<&[f64]>) = open.positions.iter().filter_map(arm).unzip();
    match vectors.as_slice() {
        [shared] => view.arms(&candidates, Inputs::Shared(shared)),
        _ => view.arms(&candidates, Inputs::Each(&xs)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "margins are small")]
fn minor(minor: i64) -> f64 {
    minor as f64
}

/// Shows a candidate: what it earns in the mean and with the luck that there is, and what the learner will hear of it.
fn show(
    trial: &Trial,
    learner: &mut Learner<'_>,
    moment: &Moment,
    (number, picked): (usize, usize),
    explored: Option<f64>,
) -> (f64, f64) {
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
        explored,
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
