//! What came of the rounds of a trial: its yardsticks handed to the comparison, in all and placement by placement.
//! Plays nothing.

use super::{Facts, Round, Trial};
use crate::domain::MoneySettings;
use crate::domain::spend::MICROS;
use crate::simulation::compare::{
    self, AtPlacement, Delays, Marks, MoneyAt, Played, Settings, Sides, Summary, Tally, WorldFacts, WorldPlacement,
    compare, float, share_of_gain, share_of_oracle,
};

/// Sums up the rounds of a trial, one for each seed.
pub fn summarise(trial: &Trial, settings: &Settings, rounds: &[Round]) -> Summary {
    let marks: Vec<&[Marks]> = rounds.iter().map(|round| round.facts.marks.as_slice()).collect();
    let of_strategy = |at: usize| rounds.iter().filter_map(|round| round.plays.get(at).cloned()).collect();
    let plays: Vec<Vec<Played>> = (0..trial.strategies()).map(of_strategy).collect();
    let placements: Vec<_> = trial.placements.iter().filter_map(|placements| placements.first()).collect();
    let dimensions = placements.first().map_or(0, |placement| placement.dimensions());
    let sides =
        Sides { events: trial.decisions, settings, placements, marks: &marks, uniform: None, tally: &Tally::of };
    let mean = Marks::mean(marks.iter().copied().flatten());
    let world = facts(trial, settings, rounds);
    let without = Summary {
        feedback: "world",
        events: trial.decisions,
        offers: trial.catalogue.offers().len(),
        candidates: over(rounds, &|round| round.facts.candidates),
        uniform: Some(mean.uniform),
        best_fixed: Some(mean.best_fixed),
        best_fixed_first: world.placements.first().map(|place| place.best_fixed_first.clone()),
        oracle: Some(mean.oracle),
        features: trial.features.clone(),
        dimensions,
        ..Summary::default()
    };
    let mut summary = compare(without, &sides, &plays);
    for (strategy, plays) in summary.strategies.iter_mut().zip(&plays) {
        let at = |placement: usize| at_placement(trial, rounds, plays, placement);
        strategy.placements = (0..trial.world.placements.len()).map(at).collect();
    }
    summary.notes = compare::world_notes(&world);
    summary.world = Some(world);
    summary.found = compare::found(&summary);
    summary
}

fn facts(trial: &Trial, settings: &Settings, rounds: &[Round]) -> WorldFacts {
    let world = &trial.world;
    // All strategies have the same settings of money.
    let settings_at = |at: usize| money_at(trial, at);
    let placements = world.placements.iter().enumerate().map(|(at, place)| {
        let mean = marks_at(rounds, at);
        let first = rounds.first().and_then(|round| round.facts.best_fixed.get(at));
        WorldPlacement {
            placement: place.id.to_string(),
            decisions: decisions(rounds, at),
            uniform: mean.uniform,
            best_fixed: mean.best_fixed,
            best_fixed_first: first.cloned().unwrap_or_default(),
            oracle: mean.oracle,
            exploration_budget: settings_at(at).exploration_budget_micros.map(|micros| trial.money(micros / MICROS)),
            cheapest: settings_at(at).cheapest.map(|share| f64::from(share.0) / 10_000.0),
        }
    });
    WorldFacts {
        name: world.name.clone(),
        customers: world.population.customers,
        days: over(rounds, &|round| round.facts.days),
        currency: world.offers.first().map_or_else(String::new, |offer| offer.offer.currency().to_string()),
        publish: settings.publish.to_string(),
        delays_known: settings.delay == Delays::Known,
        placements: placements.collect(),
    }
}

/// The numbers of one placement, by leaving out all other decisions.
fn at_placement(trial: &Trial, rounds: &[Round], plays: &[Played], placement: usize) -> AtPlacement {
    let there = |(round, play): (&Round, &Played)| {
        let here = |at: &usize| *at == placement;
        let rewards = play.rewards.iter().zip(&round.facts.placements).filter(|(_, at)| here(at));
        let realised = play.realised.iter().zip(&round.facts.placements).filter(|(_, at)| here(at));
        let of = |rewards: Vec<Option<f64>>| Played { rewards, ..Played::default() };
        (of(rewards.map(|(reward, _)| *reward).collect()), of(realised.map(|(reward, _)| Some(*reward)).collect()))
    };
    let (expected, realised): (Vec<Played>, Vec<Played>) = rounds.iter().zip(plays).map(there).unzip();
    let (tally, mean) = (Tally::of(&expected), marks_at(rounds, placement));
    AtPlacement {
        placement: trial.world.placements.get(placement).map_or_else(String::new, |place| place.id.to_string()),
        decisions: decisions(rounds, placement),
        mean_reward: tally.mean,
        se: tally.se,
        mean_realised: Tally::of(&realised).mean,
        regret_per_decision: tally.mean.map(|own| mean.oracle - own),
        share_of_oracle: tally.mean.and_then(|own| share_of_oracle(own, &mean)),
        share_of_gain: tally.mean.and_then(|own| share_of_gain(own, &mean)),
        money: (money_at(trial, placement) != MoneySettings::default()).then(|| {
            let of_seed = |(round, play): (&Round, &Played)| {
                let Facts { placements, on, .. } = &round.facts;
                let all = play.money.iter().zip(on).zip(placements);
                all.filter(|(_, at)| **at == placement).map(|((money, day), _)| (*day, *money)).collect()
            };
            MoneyAt::of(&rounds.iter().zip(plays).map(of_seed).collect::<Vec<Vec<_>>>())
        }),
    }
}

/// What a placement sets about money.
fn money_at(trial: &Trial, placement: usize) -> MoneySettings {
    let of_first = trial.placements.first().and_then(|placements| placements.get(placement));
    of_first.map(|placement| placement.money).unwrap_or_default()
}

fn marks_at(rounds: &[Round], placement: usize) -> Marks {
    let marks = rounds.iter().flat_map(|round| round.facts.marks.iter().zip(&round.facts.placements));
    Marks::mean(marks.filter(|(_, at)| **at == placement).map(|(mark, _)| mark))
}

fn decisions(rounds: &[Round], placement: usize) -> f64 {
    over(rounds, &|round| float(round.facts.placements.iter().filter(|at| **at == placement).count()))
}

fn over(rounds: &[Round], value: &dyn Fn(&Round) -> f64) -> f64 {
    rounds.iter().map(value).sum::<f64>() / float(rounds.len()).max(1.0)
}
