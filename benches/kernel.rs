//! The kernel: many arms scored at once, by arms, dimensions and instruction set, as a share of what this run could
//! read of as many bytes; and what it costs to publish. Times no whole decision.
//!
//! The limit is measured beside each figure: a sum over a buffer of the same size in lines of 64 bytes, on the same
//! instruction set. Each figure is the smallest of many medians, taken in turns with its limit, so that other work on
//! the machine disturbs both alike and the least disturbed round counts.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use proffer::bandit::hot_rule::instruction_sets;
use proffer::bandit::{ArmStatistics, Features, Group, Increment, Inputs, Lineup, Model, ModelView, Packed, Posterior};
use proffer::domain::{Contender, Day, Placement, Prior};
use proffer::policy::{Source, compile};
use pulp::{Arch, NullaryFnOnce};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// One line of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line([f64; 8]);

/// Reads lines as fast as it can: eight sums at a time, so that none waits for another.
struct Read<'a>(&'a [Line]);

impl NullaryFnOnce for Read<'_> {
    type Output = f64;

    #[expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]
    #[inline(always)]
    fn call(self) -> f64 {
        let mut sums = [[0.0_f64; 8]; 8];
        for lines in self.0.chunks_exact(8) {
            for (sum, line) in sums.iter_mut().zip(lines) {
                for (sum, x) in sum.iter_mut().zip(line.0) {
                    *sum += x;
                }
            }
        }
        sums.iter().flatten().sum()
    }
}

/// Nanoseconds of one call: the median of some rounds of `calls`.
fn median(calls: u32, run: &mut dyn FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| run());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[4]
}

/// The smallest medians of several things that take turns.
fn least<const N: usize>(runs: [&mut dyn FnMut(); N]) -> [f64; N] {
    let mut runs = runs;
    let calls = runs.each_mut().map(|run| {
        let once = median(1, run);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casting saturates")]
        let calls = (100_000.0 / once) as u32;
        calls.max(1)
    });
    let mut least = [f64::INFINITY; N];
    for _ in 0..40 {
        for ((least, run), calls) in least.iter_mut().zip(&mut runs).zip(calls) {
            *least = least.min(median(calls, run));
        }
    }
    least
}

fn statistics(chance: &mut ChaCha8Rng, dimensions: usize) -> ArmStatistics {
    let mut statistics = ArmStatistics::default();
    for _ in 0..20 {
        let component = |at: usize| if at == 0 { 1 << 20 } else { chance.random_range(1..1 << 21) };
        let sparse: Vec<(u16, i32)> = (0..).zip((0..dimensions).map(component)).collect();
        statistics.apply(&Increment {
            generation: 0,
            weight: 1 << 16,
            features: Features::from_sparse(dimensions, &sparse).unwrap(),
            exposure: 1,
            accepted: i8::from(chance.random::<f64>() < 0.2),
            reward: 0,
            reward_squared: 0,
            matured: None,
            value: 0,
            bags: Vec::new(),
        });
    }
    statistics
}

fn kernel(dimensions: usize, arms: usize) {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let prior = Arc::new(Posterior::prior(dimensions, 1.0));
    let derive =
        |statistics: &ArmStatistics| Arc::new(Posterior::derive(statistics, dimensions, Day(0), None, 1.0).posterior);
    let posteriors: Vec<_> = (0..arms).map(|_| derive(&statistics(&mut chance, dimensions))).collect();
    let packed = Packed::new(posteriors, prior, None);
    let positions: Vec<usize> = (0..arms).collect();
    let dense: Vec<f64> = (0..dimensions).map(|_| 0.1 + chance.random::<f64>()).collect();
    // The intercept and three features of one component each.
    let one_hot: Vec<f64> =
        (0..dimensions).map(|at| f64::from(u8::from([0, 3, dimensions / 2, dimensions - 1].contains(&at)))).collect();
    let each: Vec<&[f64]> = (0..arms).map(|_| dense.as_slice()).collect();
    let lines = arms.div_ceil(8) * (dimensions + dimensions * (dimensions + 1) / 2);
    let buffer = vec![Line([1.0; 8]); lines];
    for (name, arch) in instruction_sets() {
        let run = |arch: Arch, inputs: Inputs<'_>| {
            black_box(packed.beliefs_on(arch, black_box(&positions), inputs));
        };
        let [limit, shared, own, hot] = least([
            &mut || {
                black_box(arch.dispatch(Read(black_box(&buffer))));
            },
            &mut || run(arch, Inputs::Shared(black_box(&dense))),
            &mut || run(arch, Inputs::Each(black_box(&each))),
            &mut || run(arch, Inputs::Shared(black_box(&one_hot))),
        ]);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let (kib, bandwidth) = (lines as f64 / 16.0, lines as f64 * 64.0 / limit);
        println!(
            "| {dimensions} | {arms} | {name} | {kib:.0} | {bandwidth:.0} | {:.2} | {:.2} | {:.0} % | {:.2} | {:.2} |",
            limit / 1e3,
            shared / 1e3,
            100.0 * limit / shared,
            own / 1e3,
            hot / 1e3,
        );
    }
}

/// What it costs to make the posterior of an arm, and to publish one changed arm of many.
fn publish(dimensions: usize) {
    let mut chance = ChaCha8Rng::seed_from_u64(2);
    let seen = statistics(&mut chance, dimensions);
    let prior = Arc::new(Posterior::prior(dimensions, 1.0));
    let posterior = Arc::new(Posterior::derive(&seen, dimensions, Day(0), None, 1.0).posterior);
    let mut posteriors: Vec<_> = (0..1_000).map(|_| Arc::new((*posterior).clone())).collect();
    let before = Packed::new(posteriors.clone(), prior.clone(), None);
    posteriors[500] = posterior;
    let [derive, pack] = least([
        &mut || drop(black_box(Posterior::derive(black_box(&seen), dimensions, Day(0), None, 1.0))),
        &mut || drop(black_box(Packed::new(posteriors.clone(), prior.clone(), Some(&before)))),
    ]);
    println!("| {dimensions} | {:.2} | {:.2} |", derive / 1e3, pack / 1e3);
}

/// A placement of 32 components.
fn placement() -> Placement {
    let values: Vec<String> = (1..32).map(|at| format!("r{at}")).collect();
    let attributes = format!(
        "attributes:\n  - {{id: context.region, type: {{enum: [{}]}}, class: public, source: shop}}\n",
        values.join(", ")
    );
    let file = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let sources = [
        file("bundle.yaml", "name: bench\nschema: 1\n"),
        file("catalog/attributes.yaml", &attributes),
        file(
            "catalog/purposes.yaml",
            "purposes:\n  - {id: offer_contextual, dpv: ProvideProductRecommendations, bases: {US: [consent, \
             legitimate_interest]}}\n",
        ),
        file(
            "placements.yaml",
            "placements:\n  - id: home\n    channel: web\n    purpose: offer_contextual\n    currency: USD\n    \
             slots: 1\n    objective: {kind: conversion, window: 7d}\n    strategy: {name: thompson_linear}\n    \
             features: [context.region]\n    fallback: {offer: house, variant: a}\n",
        ),
    ];
    compile(&sources).unwrap().placement("home").unwrap().clone()
}

/// What it costs to publish so many changed arms of 1,000 in thirty categories, 32 components, each alone and by
/// category.
fn publish_by_prior(changed: usize) {
    let placement = placement();
    let version = Model::new(placement.model_id(), placement.dimensions()).version();
    let mut chance = ChaCha8Rng::seed_from_u64(3);
    let groups = (0..1_000).map(|offer| Group { offer, category: offer % 30 }).collect();
    let arms = (0..1_000).map(|_| Some(Arc::new(statistics(&mut chance, 32)))).collect();
    let before = Lineup { arms, groups };
    let mut after = before.clone();
    for arm in after.arms.iter_mut().take(changed) {
        *arm = Some(Arc::new(statistics(&mut chance, 32)));
    }
    let times = [Prior::None, Prior::Category].map(|prior| {
        let contender = Contender { prior, ..placement.champion };
        let derive = |lineup: &Lineup, before: Option<&ModelView>| {
            ModelView::derive(version, &placement, &contender, lineup.clone(), Day(0), before)
        };
        let view = derive(&before, None);
        median(3, &mut || drop(black_box(derive(&after, Some(&view))))) / 1e6
    });
    println!("| {changed} | {:.2} | {:.2} |", times[0], times[1]);
}

fn main() {
    if std::env::args().any(|argument| argument == "publish") {
        println!("milliseconds\n\n| changed arms of 1,000 | each alone | `prior: category` |\n|---|---|---|");
        [1, 30, 1_000].into_iter().for_each(publish_by_prior);
        println!(
            "\nmicroseconds\n\n| d | derive the posterior of an arm | publish one changed arm of 1,000 |\n|---|---|---|"
        );
        return [16, 32, 64].into_iter().for_each(publish);
    }
    println!("microseconds; the limit reads as many bytes on the same instruction set");
    println!("| d | arms | set | KiB | limit, GB/s | limit | dense x | share | one dense x each | 4 of d not zero |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for dimensions in [16, 32, 64] {
        for arms in [10, 100, 1_000] {
            kernel(dimensions, arms);
        }
    }
    println!("\n| d | derive the posterior of an arm | publish one changed arm of 1,000 |\n|---|---|---|");
    [16, 32, 64].into_iter().for_each(publish);
}
