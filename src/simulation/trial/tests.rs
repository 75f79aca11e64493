//! Tests of trials: yardsticks, learning, and what delays and refunds leave behind. The binary is tested elsewhere.

use super::course::Course;
use super::learner::Learner;
use super::play::play_with;
use super::*;
use crate::domain::Timestamp;
use crate::simulation::compare::{Kind, Marks, float};

const KIOSK: &str = include_str!("../../../tests/data/worlds/kiosk.yaml");
const LATE: &str = include_str!("../../../tests/data/worlds/late.yaml");
const SHOP: &str = include_str!("../../../simulators/shop.yaml");

fn trial(text: &str, strategies: &str, settings: &str, decisions: usize) -> Trial {
    let settings = Settings::read(Kind::World, Some(strategies), Some(settings)).unwrap();
    Trial::prepare(World::parse(text).unwrap(), &settings, decisions, None).unwrap()
}

fn mean(play: &Played) -> f64 {
    play.rewards.iter().flatten().sum::<f64>() / float(play.rewards.len())
}

#[test]
fn a_seed_is_a_round_and_two_seeds_are_two() {
    let trial = trial(KIOSK, "thompson_linear,greedy", "publish=1h", 300);
    let (first, again, other) = [1, 1, 2].map(|seed| trial.round(seed, &mut || ()).unwrap()).into();
    assert_eq!((&first.plays, &first.facts.marks), (&again.plays, &again.facts.marks));
    assert_ne!(first.plays, other.plays);
    assert_ne!(first.facts.marks, other.facts.marks);
}

#[test]
fn uniform_earns_its_analytical_mean_and_nobody_more_than_the_oracle() {
    let trial = trial(KIOSK, "uniform,thompson_linear,greedy", "publish=1h", 3_000);
    let round = trial.round(1, &mut || ()).unwrap();
    let marks = Marks::mean(&round.facts.marks);
    let uniform = round.plays[0].rewards.iter().flatten();
    let squares: f64 =
        uniform.zip(&round.facts.marks).map(|(reward, mark)| (reward - mark.uniform) * (reward - mark.uniform)).sum();
    let error = squares.sqrt() / 3_000.0;
    assert!((mean(&round.plays[0]) - marks.uniform).abs() < 3.0 * error, "{} {marks:?}", mean(&round.plays[0]));
    let realised = round.plays[0].realised.iter().sum::<f64>() / 3_000.0;
    assert!((realised - marks.uniform).abs() < 0.15, "{realised} {marks:?}");
    for play in &round.plays {
        let pairs = play.rewards.iter().flatten().zip(&round.facts.marks);
        assert!(pairs.clone().all(|(reward, mark)| *reward <= mark.oracle));
    }
    assert!(marks.uniform < marks.best_fixed && marks.best_fixed < marks.oracle, "{marks:?}");
}

#[test]
fn the_yardsticks_of_a_kiosk_follow_by_hand() {
    let trial = trial(KIOSK, "uniform", "publish=1h", 300);
    let round = trial.round(1, &mut || ()).unwrap();
    assert_eq!(trial.catalogue.candidates().len(), 3, "house content is no candidate");
    assert_eq!(round.facts.best_fixed, ["tea/a", "tea/a"]);
    // Of twenty refunds in a hundred orders ten give back half.
    let of = |log_odds: f64, margin: f64| 0.85 * margin / (1.0 + libm::exp(-log_odds));
    let bronze = |place: f64| (of(place, 4.0), of(place - 1.0, 4.0), of(place - 2.0, 6.0));
    let gold = |place: f64| (of(place - 1.0, 4.0), of(place - 2.0, 4.0), of(place - 0.5, 6.0));
    for (mark, placement) in round.facts.marks.iter().zip(&round.facts.placements) {
        let place = if *placement == 1 { 0.7 } else { 0.0 };
        let fits = |(a, b, cake): (f64, f64, f64)| {
            (mark.uniform - (a + b + cake) / 3.0).abs() < 1e-9
                && (mark.oracle - a.max(cake)).abs() < 1e-9
                && (mark.best_fixed - a).abs() < 1e-9
        };
        assert!(fits(bronze(place)) || fits(gold(place)), "{mark:?}");
    }
}

#[test]
fn learning_beats_chance_in_the_shop() {
    let names = "thompson_linear,linucb,greedy,epsilon_greedy";
    let trial = trial(SHOP, names, "publish=1h", 2_500);
    let round = trial.round(1, &mut || ()).unwrap();
    let uniform = Marks::mean(&round.facts.marks).uniform;
    for (name, play) in names.split(',').zip(&round.plays) {
        assert!(mean(play) > 1.1 * uniform, "{name}: {} against {uniform}", mean(play));
    }
}

#[test]
fn what_the_weekend_changes_is_learned_where_it_is_a_feature() {
    let text = changed(
        KIOSK,
        &[
            ("response: {base: -1,", "response: {weekdays: {sat: -4, sun: -4}, base: -1,"),
            ("response: {base: -2,", "response: {weekdays: {sat: 3, sun: 3}, base: -2,"),
        ],
    );
    let names = "thompson_linear,thompson_logistic";
    let earned = |features: &str| {
        let settings = Settings::read(Kind::World, Some(names), Some("publish=4h")).unwrap();
        let trial = Trial::prepare(World::parse(&text).unwrap(), &settings, 3_000, Some(features)).unwrap();
        let round = trial.round(1, &mut || ()).unwrap();
        round.plays.iter().map(mean).collect::<Vec<_>>()
    };
    let blind = earned("customer.tier");
    for features in ["customer.tier,weekend", "customer.tier,day_of_week"] {
        for (name, (seeing, blind)) in names.split(',').zip(earned(features).iter().zip(&blind)) {
            assert!(*seeing > 1.1 * blind, "{name} with {features}: {seeing} against {blind}");
        }
    }
}

/// What is known of every arm once everything has arrived, by a strategy that picks at random and learns all the same.
fn learned(text: &str) -> Vec<((usize, usize), crate::domain::Digest)> {
    learned_by(text, Timestamp(i64::MAX))
}

fn learned_by(text: &str, until: Timestamp) -> Vec<((usize, usize), crate::domain::Digest)> {
    let trial = trial(text, "epsilon_greedy", "exploration=1,publish=5m", 600);
    let course = Course::walk(&trial, 1);
    let mut learner = Learner::new(&trial.placements[0], &trial.catalogue);
    play_with(&trial, &mut learner, &course, 1, &mut || ()).unwrap();
    learner.hear(until);
    learner.digests()
}

fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the world has no `{from}`");
        text.replace(from, to)
    })
}

#[test]
fn orders_that_come_late_twice_or_behind_their_refund_end_in_the_same_integers() {
    let prompt = changed(
        KIOSK,
        &[
            ("at_once: 0.5", "at_once: 1"),
            ("delay: {at_once: 0, median_hours: 24", "delay: {at_once: 1, median_hours: 24"),
            ("sent_twice: 0.1", "sent_twice: 0"),
            ("out_of_order: 0.1", "out_of_order: 0"),
        ],
    );
    assert_eq!(learned(KIOSK), learned(&prompt));
}

#[test]
fn orders_that_are_all_sent_back_leave_what_nothing_bought_leaves() {
    let refunded = changed(KIOSK, &[("refunded: 0.2", "refunded: 1"), ("partial: 0.5", "partial: 0")]);
    let unwanted = changed(KIOSK, &[("base: -1,", "base: -40,"), ("base: -2,", "base: -40,")]);
    assert_eq!(learned(&refunded), learned(&unwanted));
    assert_ne!(learned(&refunded), learned(KIOSK));
}

#[test]
fn nothing_is_learned_of_an_order_before_it_arrives() {
    let late =
        changed(KIOSK, &[("at_once: 0.5, median_hours: 6, spread: 1", "at_once: 0, median_hours: 600, spread: 0")]);
    let unwanted = changed(KIOSK, &[("base: -1,", "base: -40,"), ("base: -2,", "base: -40,")]);
    assert_eq!(learned_by(&late, Timestamp(0)), learned(&unwanted));
    assert_ne!(learned(&late), learned(&unwanted));
}

#[test]
fn without_consent_nothing_of_the_customer_is_known() {
    let seen = |share: &str| {
        let text = changed(KIOSK, &[("consent_refused: 0.1", &format!("consent_refused: {share}"))]);
        let trial = trial(&text, "uniform", "publish=1h", 50);
        let course = Course::walk(&trial, 1);
        let told = |features: &crate::bandit::Features| features.sparse().len() - 1;
        course.moments.iter().map(|moment| told(&moment.features[0])).sum::<usize>()
    };
    assert_eq!((seen("0"), seen("1")), (50, 0));
}

#[test]
fn an_offer_that_is_over_is_no_candidate() {
    let over = "offer_id: cake, ends_at: 2026-03-03T00:00:00Z,";
    let trial = trial(&changed(KIOSK, &[("offer_id: cake,", over)]), "uniform", "publish=1h", 400);
    let course = Course::walk(&trial, 1);
    let candidates: Vec<usize> = course.moments.iter().map(|moment| moment.candidates.len()).collect();
    assert_eq!((candidates[0], candidates[399]), (3, 2));
}

#[test]
fn a_grown_play_has_the_integers_of_one_without_delays() {
    let grown = |settings: &str| {
        let trial = trial(KIOSK, "epsilon_greedy", &format!("exploration=1,publish=5m,{settings}"), 600);
        let course = Course::walk(&trial, 1);
        let mut learner = Learner::new(&trial.placements[0], &trial.catalogue);
        play_with(&trial, &mut learner, &course, 1, &mut || ()).unwrap();
        let young = learner.digests();
        learner.hear(Timestamp(i64::MAX));
        (young, learner.digests())
    };
    let (with, without) = (grown("delay=known"), grown("delay=ignore"));
    assert_eq!(with.1, without.1);
    assert_ne!(with.0, without.0);
}

#[test]
fn what_is_watched_of_a_world_is_fitted_to_its_delays() {
    let trial = trial(LATE, "uniform", "publish=1h", 30_000);
    let window = Span(30 * 86_400_000);
    let watched = trial.watch(1, window);
    let of = |name: &str| {
        let own = watched.iter().filter(|one| one.offer.as_str().starts_with(name)).map(|one| one.watched);
        crate::learning::DelayFit::of(&own.collect::<Vec<_>>(), window).unwrap()
    };
    let check = |name: &str, hours: i64, truth: f64| {
        let (share, deviation) = of(name).share(Span(hours * 3_600_000));
        assert!((share - truth).abs() < 4.0 * deviation + 0.02, "{name}: {share} +- {deviation}");
    };
    check("sofa", 48, 0.5);
    check("sofa", 24, 0.161);
    check("socks", 1, 0.994);
}

#[test]
fn what_is_ordered_late_is_shown_more_where_delays_are_known() {
    let earned = |settings: &str| {
        let trial = trial(LATE, "thompson_beta", &format!("publish=1h,{settings}"), 8_000);
        (1..4).map(|seed| mean(&trial.round(seed, &mut || ()).unwrap().plays[0])).sum::<f64>() / 3.0
    };
    let (with, without) = (earned("delay=known"), earned("delay=ignore"));
    assert!(with > 1.05 * without, "{with} against {without}");
}
