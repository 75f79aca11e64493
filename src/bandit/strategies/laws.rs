//! Laws of every strategy, over many random and adversarial candidates. Knows no strategy's formula.
//!
//! `PROFFER_TEST_SEEDS` plays more rounds: 100,000 are the whole trial.

use super::tests::{STRATEGIES, bag};
use super::*;

/// Numbers from a seed.
struct Chance(u64);

impl Chance {
    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((z ^ z >> 31) >> 32).unwrap();
        f64::from(top) / f64::from(u32::MAX)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position")]
        let at = (self.unit() * count(of.len())) as usize;
        of[at.min(of.len() - 1)].clone()
    }
}

/// A candidate: margins of either sign and zero, deviations over seven decades, counts from none to many.
fn arm(chance: &mut Chance) -> Arm {
    let free = chance.between(-500.0, 50_000.0);
    let margin = chance.one_of(&[free, 1.0, 0.0, -40.0, 50_000.0]);
    let cost = chance.one_of(&[0.0, 0.0, 12.5, 300.0]);
    let mean = chance.between(-0.2, 1.2);
    let bonus = libm::exp10(chance.between(-7.0, 0.0));
    let variance = libm::exp10(chance.between(-3.0, 0.0));
    let counts = [0.0, chance.between(0.0, 9.0), chance.between(0.0, 9_000.0), libm::exp10(chance.between(0.0, 7.0))];
    let (accepted, declined) = (chance.one_of(&counts), chance.one_of(&counts));
    let bags = Some(bag(mean, bonus));
    Arm { margin, cost, estimate: Estimate { mean, bonus }, variance, accepted, declined, bags }
}

/// Candidates: alone, in pairs, in dozens; some of them the same but for nothing, some all alike.
fn arms(chance: &mut Chance) -> Vec<Arm> {
    let many = chance.one_of(&[1, 2, 3, 5, 8, 13]);
    let mut arms: Vec<Arm> = (0..many).map(|_| arm(chance)).collect();
    match chance.one_of(&[0, 1, 2]) {
        0 => arms.extend(arms.last().cloned()),
        1 => arms = arms.first().map(|first| vec![first.clone(); many]).unwrap_or_default(),
        _ => {}
    }
    arms
}

/// How many rounds had what a strategy may stumble over.
#[derive(Debug, Clone, Copy, Default)]
struct Kinds {
    alone: u64,
    tied: u64,
    alike: u64,
    /// Variances of the scores over seven decades.
    wide: u64,
}

impl Kinds {
    fn add(&mut self, scores: &[Score], nothing: bool) {
        let bits = |score: &Score| (score.mean.to_bits(), score.deviation.to_bits());
        let highest = scores.iter().map(|score| score.mean).fold(f64::NEG_INFINITY, f64::max);
        let deviations = || scores.iter().map(|score| score.deviation).filter(|deviation| *deviation > 0.0);
        let ratio = deviations().fold(0.0, f64::max) / deviations().fold(f64::INFINITY, f64::min);
        self.alone += u64::from(scores.len() == 1 && !nothing);
        self.tied += u64::from(scores.iter().filter(|score| score.mean >= highest).count() > 1);
        self.alike += u64::from(scores.len() > 1 && scores.iter().all(|score| bits(score) == bits(&scores[0])));
        self.wide += u64::from(ratio * ratio >= 1e7);
    }
}

fn rounds() -> u64 {
    std::env::var("PROFFER_TEST_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(400)
}

#[test]
fn every_distribution_sums_to_one_keeps_the_floor_and_comes_again_from_its_scores() {
    let chance = &mut Chance(1);
    let mut kinds = STRATEGIES.map(|_| Kinds::default());
    for round in 0..rounds() {
        let (arms, nothing) = (arms(chance), chance.unit() < 0.5);
        let free = chance.unit();
        let exploration = chance.one_of(&[0.0, 0.05, 1.0, free]);
        for (strategy, kinds) in STRATEGIES.iter().zip(&mut kinds) {
            let (scores, w) = distribution(strategy, &arms, nothing);
            kinds.add(&scores, nothing);
            let told = || format!("round {round}, {strategy:?}, nothing {nothing}: {arms:?}: {w:?}");
            assert_eq!((scores.len(), w.len()), (arms.len(), arms.len() + usize::from(nothing)), "{}", told());
            let p = explore(&w, exploration);
            assert_eq!(check(&p, exploration), Ok(()), "{}", told());
            let floor = exploration / count(p.len()) * (1.0 - 1e-12);
            assert!(p.iter().all(|p| *p >= floor && *p <= 1.0 + 1e-9), "{}", told());
            let again = distribution_of(strategy, rules::DISTRIBUTION_RULE, &scores, nothing);
            let bits = |w: &[f64]| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&again), bits(&w), "{}", told());
        }
    }
    for (strategy, kinds) in STRATEGIES.iter().zip(kinds) {
        eprintln!("of {} rounds of {strategy:?} {kinds:?}", rounds());
        let Kinds { alone, tied, alike, mut wide } = kinds;
        // By inverse-gap weighting all candidates have the same deviation.
        wide = if matches!(strategy, Strategy::Squarecb { .. }) { u64::MAX } else { wide };
        assert!([alone, tied, alike, wide].into_iter().all(|kind| kind >= rounds() / 100), "{strategy:?}: {kinds:?}");
    }
}

#[test]
fn the_best_has_the_most_where_a_strategy_says_so() {
    let chance = &mut Chance(2);
    for round in 0..rounds() {
        let (arms, nothing) = (arms(chance), chance.unit() < 0.5);
        for strategy in &STRATEGIES {
            // Thompson and a bag give the most to who wins most often, which need not have the highest mean.
            let by_mean = matches!(
                strategy,
                Strategy::Linucb { .. } | Strategy::Squarecb { .. } | Strategy::Greedy | Strategy::EpsilonGreedy
            );
            if !by_mean {
                continue;
            }
            let (scores, w) = distribution(strategy, &arms, nothing);
            let means = scores.iter().map(|score| score.mean).chain(nothing.then_some(0.0));
            let highest = means.clone().fold(f64::NEG_INFINITY, f64::max);
            let most = w.iter().copied().fold(0.0, f64::max);
            let best = means.clone().position(|mean| mean >= highest).unwrap();
            // The best of inverse-gap weighting has the rest, which is rounded.
            assert!(w[best] >= most - 1e-12, "round {round}, {strategy:?}: {scores:?}: {w:?}");
            // And the higher of two has at least as much.
            for (a, mean_a) in means.clone().enumerate() {
                for (b, mean_b) in means.clone().enumerate().filter(|(b, _)| *b != best) {
                    assert!(mean_a < mean_b || w[a] >= w[b] - 1e-12, "round {round}, {strategy:?}: {scores:?}: {w:?}");
                }
            }
        }
    }
}

#[test]
fn reordered_candidates_keep_their_probabilities_up_to_ties() {
    let chance = &mut Chance(3);
    for round in 0..rounds() {
        let nothing = chance.unit() < 0.5;
        // No two alike: of equals some strategies take the first.
        let many = chance.one_of(&[2, 3, 5, 8]);
        let mut arms: Vec<Arm> = (0..many).map(|_| arm(chance)).collect();
        arms.iter_mut().zip(1_u8..).for_each(|(arm, at)| {
            arm.margin += f64::from(at);
            arm.cost += 0.001 * f64::from(at);
        });
        let turn = chance.one_of(&[1, many / 2, many - 1]);
        for strategy in &STRATEGIES {
            let (_, mut w) = distribution(strategy, &arms, nothing);
            let mut moved = arms.clone();
            moved.rotate_left(turn);
            w[..many].rotate_left(turn);
            let (_, other) = distribution(strategy, &moved, nothing);
            // The hot rules multiply in the order of the candidates, sums are added in it; that is all.
            let same = w.iter().zip(&other).all(|(a, b)| (a - b).abs() <= 2e-5);
            assert!(same, "round {round}, {strategy:?}, turned by {turn}: {arms:?}: {w:?} is not {other:?}");
        }
    }
}

#[test]
fn what_is_not_a_number_is_refused_and_never_drawn_from() {
    let chance = &mut Chance(4);
    let mut refusals = STRATEGIES.map(|_| 0);
    for round in 0..rounds() {
        let (mut arms, nothing) = (arms(chance), chance.unit() < 0.5);
        let odd = chance.one_of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
        let at = chance.one_of(&(0..arms.len()).collect::<Vec<_>>());
        arms[at].margin = 7.0;
        let spoilt = chance.one_of(&[Part::Margin, Part::Cost, Part::Mean, Part::Width, Part::Counts]);
        match spoilt {
            Part::Margin => arms[at].margin = odd,
            Part::Cost => arms[at].cost = odd,
            Part::Mean => {
                arms[at].estimate.mean = odd;
                arms[at].bags = Some(bag(odd, 0.1));
            }
            Part::Width => {
                arms[at].estimate.bonus = odd;
                arms[at].bags = Some(bag(0.1, odd));
            }
            Part::Counts => arms[at].accepted = odd,
        }
        for (strategy, refusals) in
            STRATEGIES.iter().zip(&mut refusals).filter(|(strategy, _)| spoilt.reaches(strategy))
        {
            let (_, w) = distribution(strategy, &arms, nothing);
            let refused = check(&explore(&w, 0.05), 0.05);
            let told = || format!("round {round}, {strategy:?}, {odd} at {at}: {arms:?}: {w:?}");
            assert!(matches!(refused, Err(InvalidDistribution::NotFinite { .. })), "{}", told());
            *refusals += 1;
        }
    }
    for (strategy, refusals) in STRATEGIES.iter().zip(refusals) {
        assert!(refusals > rounds() / 2 || matches!(strategy, Strategy::Uniform), "{strategy:?}: {refusals}");
    }
}

/// What of a candidate is spoilt.
#[derive(Debug, Clone, Copy)]
enum Part {
    Margin,
    Cost,
    Mean,
    Width,
    Counts,
}

impl Part {
    /// Whether a strategy computes its distribution from it.
    fn reaches(self, strategy: &Strategy) -> bool {
        match (strategy, self) {
            (Strategy::Uniform, _)
            | (Strategy::ThompsonBeta, Self::Mean | Self::Width)
            | (Strategy::Greedy | Strategy::EpsilonGreedy | Strategy::Squarecb { .. }, Self::Width) => false,
            (Strategy::ThompsonBeta | Strategy::Squarecb { .. }, Self::Counts) => true,
            (_, part) => !matches!(part, Self::Counts),
        }
    }
}
