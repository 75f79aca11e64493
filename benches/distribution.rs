//! The distribution rules: exact against hot, on every instruction set, by candidates and by how much was learned; and
//! the Beta rule, computed and remembered; and the logistic rule. Times no store and no HTTP.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use proffer::bandit::hot_rule::{gaussian_on, instruction_sets};
use proffer::bandit::{Beta, Logit, Memo, Score, beta, exact_rule, logistic};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

/// How much was learned: nothing; half of it; enough for a clear winner.
const STAGES: [&str; 3] = ["cold", "midway", "converged"];

fn scores(stage: &str, candidates: usize) -> Vec<Score> {
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut between = |low: f64, high: f64| low + (high - low) * chance.random::<f64>();
    let mut score = |at: usize| match stage {
        "cold" => Score::gaussian(0.3, libm::exp2(between(-1.0, 0.0))),
        "midway" => {
            let normal = (0..12).map(|_| between(0.0, 1.0)).sum::<f64>() - 6.0;
            Score::gaussian(normal, libm::exp2(between(-1.5, 1.5)))
        }
        _ => Score::gaussian(if at == 0 { 1.0 } else { between(0.0, 0.8) }, libm::exp10(between(-4.0, -1.0))),
    };
    (0..candidates).map(&mut score).collect()
}

fn beta_scores(stage: &str, candidates: usize) -> Vec<Score> {
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut between = |low: f64, high: f64| low + (high - low) * chance.random::<f64>();
    let mut score = |at: usize| {
        let exposures = match stage {
            "cold" => 0.0,
            "midway" => between(50.0, 500.0),
            _ => between(1e4, 1e5),
        };
        let rate = if at == 0 { 0.12 } else { between(0.01, 0.09) };
        let (alpha, beta) = (1.0 + exposures * rate, 1.0 + exposures * (1.0 - rate));
        Score::beta(Beta { alpha, beta, margin: between(900.0, 1_100.0), cost: 5.0 })
    };
    (0..candidates).map(&mut score).collect()
}

fn gaussian(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gaussian");
    for stage in STAGES {
        for candidates in [10, 100, 1_000] {
            let scores = scores(stage, candidates);
            for (name, set) in instruction_sets() {
                let id = BenchmarkId::new(format!("hot {name} {stage}"), candidates);
                group.bench_with_input(id, &scores, |b, scores| {
                    b.iter(|| gaussian_on(set, black_box(scores), false));
                });
            }
            let id = BenchmarkId::new(format!("hot with nothing {stage}"), candidates);
            group.bench_with_input(id, &scores, |b, scores| {
                b.iter(|| proffer::bandit::hot_rule::gaussian(black_box(scores), true));
            });
            let id = BenchmarkId::new(format!("exact {stage}"), candidates);
            group.bench_with_input(id, &scores, |b, scores| {
                b.iter(|| exact_rule::gaussian(black_box(scores), false));
            });
        }
    }
}

fn betas(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("beta");
    for stage in STAGES {
        for candidates in [10, 100, 1_000] {
            let scores = beta_scores(stage, candidates);
            let id = BenchmarkId::new(format!("hot {stage}"), candidates);
            group.bench_with_input(id, &scores, |b, scores| b.iter(|| beta::hot(black_box(scores), false)));
            let memo = Memo::default();
            let id = BenchmarkId::new(format!("remembered {stage}"), candidates);
            group.bench_with_input(id, &scores, |b, scores| b.iter(|| memo.distribution(black_box(scores), false)));
            if candidates == 10 {
                let id = BenchmarkId::new(format!("exact {stage}"), candidates);
                group.bench_with_input(id, &scores, |b, scores| b.iter(|| beta::exact(black_box(scores), false)));
            }
        }
    }
}

fn logit_scores(stage: &str, candidates: usize) -> Vec<Score> {
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut between = |low: f64, high: f64| low + (high - low) * chance.random::<f64>();
    let mut score = |at: usize| {
        let (mean, deviation) = match stage {
            "cold" => (-3.0, between(0.8, 1.5)),
            "midway" => (between(-4.0, -2.5), between(0.2, 0.6)),
            _ => (if at == 0 { -2.0 } else { between(-4.5, -2.4) }, between(0.01, 0.03)),
        };
        Score::logit(Logit { mean, deviation, margin: between(900.0, 1_100.0), cost: 5.0 })
    };
    (0..candidates).map(&mut score).collect()
}

fn logits(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("logistic");
    for stage in STAGES {
        for candidates in [10, 100, 1_000] {
            let scores = logit_scores(stage, candidates);
            let id = BenchmarkId::new(format!("hot {stage}"), candidates);
            group.bench_with_input(id, &scores, |b, scores| b.iter(|| logistic::hot(black_box(scores), false)));
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20)
        .without_plots();
    targets = gaussian, betas, logits
}
criterion_main!(benches);
