//! What budgets, the cheapest intervention and exploration budgets promise of every decision. Commits nothing.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::money::{distribute, intervention_minor};
use super::recorded;
use super::tests::{NOW, PLACEMENTS, RULES, ask_purse, ask_with, granted, learned, request, snapshot_of};
use super::{Decision, Snapshot};
use crate::bandit::{self, Score};
use crate::domain::decision::{CandidateRow, Skeleton};
use crate::domain::spend::{MICROS, PACING_GAIN};
use crate::domain::{
    Campaign, CampaignId, Catalogue, Day, Offer, PlacementId, PoolKey, PoolReading, Purse, Spend, SpendKey, Take,
    Timestamp,
};
use crate::policy::describe;

const DAY: i64 = 86_400_000;
const STRATEGIES: [&str; 6] = ["thompson_linear", "thompson_beta", "linucb", "greedy", "epsilon_greedy", "uniform"];

/// An offer of this margin with this discount and cost of showing, in whole units of money.
pub(super) fn offer(at: usize, margin: i64, discount: i64, showing: i64, campaign: Option<&str>) -> Offer {
    let money = |units: i64| json!({"amount": format!("{units}.00"), "currency": "USD"});
    serde_json::from_value(json!({
        "offer_id": format!("o{at}"), "price": money(100), "discount": money(discount),
        "cost_of_goods": money(100 - margin - discount), "cost_of_showing": money(showing), "campaign": campaign,
        "variants": [{"variant_id": "a"}],
    }))
    .unwrap()
}

/// A campaign with a budget of 1,000.00 over twenty days, of which ten have passed.
pub(super) fn campaign(id: &str, planned: bool) -> Campaign {
    let at = |days: i64| planned.then(|| Timestamp(NOW.0 + days * DAY));
    serde_json::from_value(json!({
        "campaign_id": id, "owner": "toys", "budget": {"amount": "1000.00", "currency": "USD"},
        "starts_at": at(-10), "ends_at": at(10),
    }))
    .unwrap()
}

pub(super) fn shop(strategy: &str, added: &str, offers: Vec<Offer>, campaigns: Vec<Campaign>) -> Snapshot {
    let placements = PLACEMENTS.replace("STRATEGY", strategy).replace("HOLDOUT", "0%");
    let placements = placements.replace("    currency: USD\n", &format!("    currency: USD\n{added}"));
    let mut snapshot = snapshot_of(&placements, RULES, &[]);
    let house = snapshot.catalogue.offers().to_vec();
    snapshot.catalogue = Arc::new(Catalogue::new(1, offers.into_iter().chain(house).collect(), campaigns));
    snapshot
}

/// What campaigns have spent, in minor units, and what exploring has cost.
pub(super) fn spend(snapshot: &mut Snapshot, campaigns: &[(&str, i64)], explored_micros: i64) {
    let mut spend = Spend::none(NOW.day());
    for (id, minor) in campaigns {
        spend.add(&SpendKey::Campaign(CampaignId::new(*id).unwrap(), Day(0)), *minor);
    }
    spend.add(&SpendKey::Exploration(PlacementId::new("home").unwrap(), NOW.day()), explored_micros);
    snapshot.spend = Arc::new(spend);
}

fn decide(snapshot: &Snapshot, seed: u64) -> Decision {
    let mut asked = request(Some("gold"));
    asked.count = None;
    ask_with(snapshot, &asked, &granted(), seed).unwrap()
}

/// The whole distribution of every slot, computed from the record and the strategy's settings alone.
fn replayed(snapshot: &Snapshot, skeleton: &Skeleton) -> Vec<Vec<f64>> {
    let placement = snapshot.bundle.placement("home").unwrap();
    let (strategy, terms) = (&placement.champion.strategy, skeleton.money.as_ref());
    let of_slot = |slot: &crate::domain::decision::Slot| {
        let open = skeleton.candidates.iter().zip(&slot.probabilities).filter(|(_, p)| p.is_some());
        let open: Vec<&CandidateRow> = open.map(|(row, _)| row).collect();
        let costs: Vec<i64> = open.iter().map(|row| intervention_minor(row)).collect();
        let scores: Vec<Score> = open.iter().filter_map(|row| recorded::score(placement, row, terms)).collect();
        let by =
            |scores: &[Score], nothing| bandit::distribution_of(strategy, skeleton.distribution_rule, scores, nothing);
        bandit::explore(&distribute(strategy, terms, (&costs, &scores), by).w, skeleton.exploration)
    };
    skeleton.slots.iter().map(of_slot).collect()
}

#[test]
fn what_would_spend_more_than_is_left_of_a_budget_is_left_out_and_what_spends_nothing_stays() {
    let offers = vec![offer(0, 40, 5, 1, Some("sale")), offer(1, 40, 0, 0, Some("sale")), offer(2, 40, 5, 0, None)];
    let mut snapshot = shop("uniform", "", offers, vec![campaign("sale", true)]);
    // What the learner counted paces; what the store gave out leaves out.
    spend(&mut snapshot, &[("sale", 100_001)], 0);
    let mut asked = request(Some("gold"));
    asked.count = None;
    let pool = PoolKey { name: "proffer.budget/sale".into(), period: Timestamp(0) };
    let decide = |gone: i64| {
        let mut purse = Purse::default();
        purse.set(&pool, gone);
        ask_purse(&snapshot, &asked, &granted(), (1, &purse)).unwrap()
    };
    let left_out = |gone: i64| -> Vec<String> {
        let rows = decide(gone).skeleton.candidates;
        let failed = rows.iter().flat_map(|row| &row.failed);
        let currency = snapshot.bundle.placement("home").unwrap().currency;
        failed.map(|f| describe(&snapshot.bundle, f.rule, f.observed, f.limit, currency)).collect()
    };
    assert_eq!(left_out(99_400), Vec::<String>::new());
    let told = "`proffer.budget` (an offer is shown only while its campaign's budget lasts): of the campaign's budget \
                of 1000.00 USD 994.01 USD is spent or reserved";
    assert_eq!(left_out(99_401), [told]);
    let decision = decide(99_401);
    let reading = PoolReading {
        rule: decision.skeleton.candidates[0].failed[0].rule,
        name: pool.name.clone(),
        total: 100_000,
        gone: 99_401,
        taken: 0,
        since: None,
    };
    assert_eq!((decision.skeleton.pools, decision.takes), (Some(vec![reading]), vec![]));
}

#[test]
fn what_is_chosen_takes_what_it_may_spend() {
    let offers = vec![offer(0, 40, 5, 1, Some("sale"))];
    let snapshot = shop("uniform", "", offers, vec![campaign("sale", true)]);
    let taken = decide(&snapshot, 1);
    let pool = PoolKey { name: "proffer.budget/sale".into(), period: Timestamp(0) };
    let until = taken.skeleton.reserved_until.unwrap();
    let take = Take { slot: 0, pool, amount: 600, sunk: 100, total: Some(100_000), until, units: false };
    assert_eq!(taken.takes, [take]);
}

#[test]
fn a_campaign_ahead_of_its_plan_is_paced_by_a_recorded_multiplier() {
    let offers = || vec![offer(0, 40, 5, 2, Some("sale")), offer(1, 40, 5, 2, None)];
    let mut snapshot = shop("thompson_linear", "", offers(), vec![campaign("sale", true)]);
    learned(&mut snapshot, &[(0, true), (0, true), (1, true), (1, true)]);
    let means = |snapshot: &Snapshot| {
        let skeleton = decide(snapshot, 1).skeleton;
        let [paced, free] = skeleton.candidates.as_slice() else { panic!("two offers") };
        let budget = skeleton.money.unwrap().campaigns.remove(0);
        assert_eq!((budget.planned_minor, free.money), (Some(50_000), None));
        (paced.scored.as_ref().unwrap().mean, free.scored.as_ref().unwrap().mean, budget.multiplier)
    };
    spend(&mut snapshot, &[("sale", 50_000)], 0);
    let (paced, free, multiplier) = means(&snapshot);
    assert_eq!((paced.to_bits(), multiplier.to_bits()), (free.to_bits(), 0), "on its plan");
    // A day's plan is 50.00.
    spend(&mut snapshot, &[("sale", 57_500)], 0);
    let (paced, free, multiplier) = means(&snapshot);
    assert!((multiplier - 1.5 * PACING_GAIN).abs() < 1e-12, "{multiplier}");
    let theta = (free + 200.0) / 4_000.0;
    let expected = (4_000.0 - multiplier * 500.0) * theta - (1.0 + multiplier) * 200.0;
    assert!((paced - expected).abs() < 1e-9, "{paced} is not {expected}");

    let mut unplanned = shop("thompson_linear", "", offers(), vec![campaign("sale", false)]);
    spend(&mut unplanned, &[("sale", 57_500)], 0);
    let budget = decide(&unplanned, 1).skeleton.money.unwrap().campaigns.remove(0);
    assert_eq!((budget.spent_minor, budget.planned_minor, budget.multiplier.to_bits()), (57_500, None, 0));
}

#[test]
fn each_offer_is_paced_by_the_multiplier_of_its_own_campaign() {
    let of = ["early", "late", "none"];
    let offers = of.iter().enumerate().map(|(at, id)| offer(at, 40, 5, 2, (*id != "none").then_some(*id))).collect();
    let mut snapshot = shop("thompson_linear", "", offers, vec![campaign("early", true), campaign("late", true)]);
    learned(&mut snapshot, &[0, 1, 2].map(|at| (at, true)));
    // A day's plan is 50.00.
    for (spent, multipliers) in [([55_000, 0], [2.0, 0.0]), ([0, 60_000], [0.0, 4.0]), ([55_000, 60_000], [2.0, 4.0])] {
        spend(&mut snapshot, &[("early", spent[0]), ("late", spent[1])], 0);
        let skeleton = decide(&snapshot, 1).skeleton;
        let mean = |at: usize| skeleton.candidates[at].scored.as_ref().unwrap().mean;
        let theta = (mean(2) + 200.0) / 4_000.0;
        for (at, multiplier) in multipliers.iter().enumerate() {
            let expected = (4_000.0 - multiplier * 500.0) * theta - (1.0 + multiplier) * 200.0;
            assert!((mean(at) - expected).abs() < 1e-9, "{} spent {spent:?}: {} is not {expected}", of[at], mean(at));
        }
        let campaigns = skeleton.money.unwrap().campaigns;
        assert_eq!(campaigns.iter().map(|budget| budget.multiplier).collect::<Vec<_>>(), multipliers);
    }
}

#[test]
fn acceptances_are_not_weighed_against_money() {
    let offers = vec![offer(0, 40, 5, 2, Some("sale")), offer(1, 40, 5, 2, None)];
    let mut snapshot = shop("thompson_linear", "", offers, vec![campaign("sale", true)]);
    let mut bundle = (*snapshot.bundle).clone();
    let home = bundle.placements.get_mut(&PlacementId::new("home").unwrap()).unwrap();
    home.objective.kind = crate::domain::ObjectiveKind::Conversion;
    snapshot.bundle = Arc::new(bundle);
    spend(&mut snapshot, &[("sale", 90_000)], 0);
    let skeleton = decide(&snapshot, 1).skeleton;
    let mean = |at: usize| skeleton.candidates[at].scored.as_ref().unwrap().mean.to_bits();
    assert_eq!(mean(0), mean(1));
}

/// Three offers of which the first is the best by far, and its bound the lowest: the others have learned little.
fn taught(strategy: &str, added: &str) -> Snapshot {
    let offers = vec![offer(0, 40, 9, 0, None), offer(1, 38, 1, 0, None), offer(2, 80, 0, 0, None)];
    // With what the other two have earned, the third would be thought the best of all.
    let mut snapshot = shop(&format!("{strategy}, prior: none"), added, offers, vec![campaign("sale", true)]);
    let outcomes: Vec<(usize, bool)> = (0..200).map(|n| (n % 2, n % 4 < 2)).chain([(2, false); 4]).collect();
    learned(&mut snapshot, &outcomes);
    snapshot
}

#[test]
fn a_spent_exploration_budget_takes_the_highest_expected_score_for_the_rest_of_the_day() {
    for strategy in STRATEGIES {
        let mut snapshot = taught(strategy, "    exploration_budget: 3.00\n    nothing_allowed: true\n");
        let budget = 300 * MICROS;
        for (explored, over) in [(0, false), (budget - 1, false), (budget, true), (budget + 1, true)] {
            spend(&mut snapshot, &[("sale", 0)], explored);
            let skeleton = decide(&snapshot, 3).skeleton;
            let exploring = skeleton.money.as_ref().unwrap().exploring.unwrap();
            assert_eq!((exploring.over(), exploring.spent_micros), (over, explored));
            if over {
                assert_eq!(skeleton.slots[0].probabilities, [1.0, 0.0, 0.0, 0.0].map(Some), "{strategy}");
                assert_eq!((skeleton.exploration.to_bits(), skeleton.slots[0].draw.propensity.get()), (0, 1.0));
                assert_eq!(skeleton.slots[0].money.unwrap().explored.unwrap().to_bits(), 0);
            }
        }
        // Another day begins with nothing spent.
        let mut tomorrow = snapshot.clone();
        let mut yesterday = Spend::none(Day(NOW.day().0 - 1));
        yesterday.add(&SpendKey::Exploration(PlacementId::new("home").unwrap(), yesterday.day), budget);
        tomorrow.spend = Arc::new(yesterday);
        assert!(!decide(&tomorrow, 3).skeleton.money.unwrap().exploring.unwrap().over());
    }
}

#[test]
fn exploring_costs_what_the_best_was_expected_to_bring_more_than_what_was_drawn() {
    for strategy in STRATEGIES {
        let snapshot = taught(strategy, "    exploration_budget: 3.00\n    nothing_allowed: true\n");
        let by = snapshot.bundle.placement("home").unwrap().champion.strategy;
        let mut costs = std::collections::BTreeSet::new();
        for seed in 0..60 {
            let skeleton = decide(&snapshot, seed).skeleton;
            let expected = |row: &CandidateRow| {
                let scored = row.scored.as_ref();
                scored.map_or(0.0, |scored| bandit::expected(&by, &Score::gaussian(scored.mean, scored.deviation)))
            };
            let best = skeleton.candidates.iter().map(expected).fold(f64::NEG_INFINITY, f64::max);
            let slot = &skeleton.slots[0];
            let drawn = expected(&skeleton.candidates[slot.draw.chosen as usize]);
            assert_eq!(slot.money.unwrap().explored.unwrap().to_bits(), (best - drawn).to_bits(), "{strategy}");
            costs.insert((best - drawn).to_bits());
        }
        assert!(costs.contains(&0), "{strategy}");
        assert!(costs.len() > 1, "{strategy} explores");
    }
}

#[test]
fn the_cheapest_intervention_that_reaches_the_share_is_drawn_for_the_dearer_ones_that_do() {
    for strategy in STRATEGIES {
        let skeleton = decide(&taught(strategy, "    cheapest: {share: 90%}\n"), 1).skeleton;
        let plain = decide(&taught(strategy, ""), 1).skeleton;
        let taken = skeleton.slots[0].money.unwrap().cheapest.unwrap();
        assert_eq!((taken.best, taken.to), (0, 1), "{strategy}");
        assert!((0.9..1.0).contains(&taken.reached), "{strategy} {}", taken.reached);
        let costs: Vec<i64> = skeleton.candidates.iter().map(intervention_minor).collect();
        assert_eq!(costs, [900, 100, 0]);
        let [before, after] = [plain, skeleton]
            .map(|skeleton| skeleton.slots[0].probabilities.iter().map(|p| p.unwrap()).collect::<Vec<f64>>());
        assert!((after[0] - 0.1 / 3.0).abs() < 1e-12, "{strategy} {after:?}");
        assert!((after[0] + after[1] - before[0] - before[1]).abs() < 1e-12, "{strategy} {before:?} {after:?}");
        assert_eq!(after[2].to_bits(), before[2].to_bits(), "{strategy}: outside nothing changes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn a_record_with_money_gives_its_distribution_again_bit_for_bit(
        offers in proptest::collection::vec((15..60_i64, 0..20_i64, 0..4_i64, any::<bool>()), 1..6),
        outcomes in proptest::collection::vec((0..5_usize, any::<bool>()), 0..40),
        strategy in proptest::sample::select(STRATEGIES.to_vec()),
        share in proptest::option::of(1..=100_u32),
        budget in any::<bool>(),
        nothing in any::<bool>(),
        slots in 1..4_u16,
        (spent, explored) in (0..110_000_i64, 0..400_i64),
        seed in any::<u64>(),
    ) {
        let share = share.map_or(String::new(), |share| format!("    cheapest: {{share: {share}%}}\n"));
        let budget = if budget { "    exploration_budget: 3.00\n" } else { "" };
        let added = format!("{share}{budget}    nothing_allowed: {nothing}\n    slots: {slots}\n");
        let offers = offers.iter().enumerate().map(|(at, (margin, discount, showing, of))| {
            offer(at, *margin, *discount, *showing, of.then_some("sale"))
        });
        let mut snapshot = shop(strategy, &added, offers.collect(), vec![campaign("sale", true)]);
        learned(&mut snapshot, &outcomes);
        spend(&mut snapshot, &[("sale", spent)], explored * MICROS);
        let skeleton = decide(&snapshot, seed).skeleton;
        let decoded: Skeleton = minicbor::decode(&minicbor::to_vec(&skeleton).unwrap()).unwrap();
        prop_assert_eq!(&decoded, &skeleton);
        let recorded: Vec<Vec<f64>> =
            skeleton.slots.iter().map(|slot| slot.probabilities.iter().copied().flatten().collect()).collect();
        prop_assert_eq!(replayed(&snapshot, &decoded), recorded);
    }
}
