//! Fitting of delay curves: from the delays of rewards, many of which may still come, to the share of them that has
//! come by each age. Puts no curve in force and reads no store.
//!
//! Kaplan and Meier, *Nonparametric estimation from incomplete observations*, 1958, over all decisions: a decision is
//! at risk until its reward comes or nobody watched it any longer. `S(t)` is the share without a reward at age `t`, and
//! `G(t) = (1 - S(t)) / (1 - S(T))` what has come of all that comes by `T`, the longest that a decision was watched. No
//! decision is taken for one that never converts, so that nothing has to be assumed of those that are young.

use crate::domain::{DelayStep, Percent, Span};

/// One decision as the fit reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// How long after it its reward came; nothing where none came.
    pub delay: Option<Span>,
    /// For how long it was watched, its window at most.
    pub upto: Span,
}

/// Where a fit jumps.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Jump {
    age: i64,
    /// ln S from this age on.
    log_survival: f64,
    /// Greenwood's variance of it.
    variance: f64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct DelayFit {
    /// Decisions watched.
    pub decisions: usize,
    /// Rewards among them.
    pub rewards: usize,
    /// The longest that a decision was watched.
    pub watched: Span,
    window: Span,
    jumps: Vec<Jump>,
}

/// Ages that people read easily, in seconds.
const AGES: [i64; 25] = [
    0, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400, 129_600, 172_800,
    259_200, 345_600, 432_000, 604_800, 864_000, 1_209_600, 1_814_400, 2_592_000,
];

/// A step is worth its learning event where it brings so much.
const GAIN_MIN: f64 = 0.08;

/// What is left of all when the last step may take it in.
const REST: f64 = 0.005;

/// Points that a share is averaged over.
const POINTS: u32 = 64;

impl DelayFit {
    /// Fits; nothing where no reward has come at all.
    pub fn of(watched: &[Watched], window: Span) -> Option<Self> {
        let end = |one: &Watched| one.delay.unwrap_or(one.upto).0.clamp(0, window.0);
        let mut ends: Vec<(i64, bool)> = watched.iter().map(|one| (end(one), one.delay.is_some())).collect();
        // Of one age the rewards come first: who was watched until then was at risk then.
        ends.sort_by_key(|(age, came)| (*age, !came));
        let (mut log_survival, mut variance, mut at_risk) = (0.0, 0.0, ends.len());
        let mut jumps: Vec<Jump> = Vec::new();
        let mut at = 0;
        while let Some((age, _)) = ends.get(at) {
            let same = ends.iter().skip(at).take_while(|(other, _)| other == age);
            let came = same.clone().filter(|(_, came)| *came).count();
            let all = same.count();
            if came > 0 {
                let (d, n) = (float(came), float(at_risk));
                // All that were left: the estimate ends a little above zero instead of nowhere.
                let left = (n - d).max(0.5);
                log_survival += libm::log(left / n);
                variance += d / (n * left);
                jumps.push(Jump { age: *age, log_survival, variance });
            }
            at_risk -= all;
            at += all;
        }
        let longest = watched.iter().map(|one| one.upto.0.min(window.0)).max().unwrap_or(0);
        let rewards = watched.iter().filter(|one| one.delay.is_some()).count();
        let found = Self { decisions: watched.len(), rewards, watched: Span(longest), window, jumps };
        (rewards > 0).then_some(found)
    }

    /// The share of rewards that has come by an age, and its deviation (Greenwood and the delta method).
    pub fn share(&self, age: Span) -> (f64, f64) {
        let last = self.jumps.last().map_or((0.0, 0.0), |jump| (jump.log_survival, jump.variance));
        let upto = self.jumps.partition_point(|jump| jump.age <= age.0);
        let here = upto.checked_sub(1).and_then(|at| self.jumps.get(at));
        let here = here.map_or((0.0, 0.0), |jump| (jump.log_survival, jump.variance));
        // Growth up to here and from here on are independent: S(T) = S1 S2.
        let (s1, s2) = (libm::exp(here.0), libm::exp(last.0 - here.0));
        let all = 1.0 - s1 * s2;
        let by_first = s1 * (1.0 - s2) / (all * all);
        let by_second = (1.0 - s1) * s1 * s2 / (all * all);
        let variance = by_first * by_first * here.1 + by_second * by_second * (last.1 - here.1);
        ((1.0 - s1) / all, variance.max(0.0).sqrt())
    }

    /// Until when a reward counts.
    pub fn window(&self) -> Span {
        self.window
    }

    /// The steps to declare.
    pub fn steps(&self) -> Vec<DelayStep> {
        steps(self.window, &|age| self.share(age).0)
    }
}

/// Steps for a share of rewards that has come by each age. From each step's age on counts the mean share until the
/// next, so that decisions made at an even pace weigh in sum what they would without steps. What comes behind the
/// window, the last step leaves out.
pub fn steps(window: Span, share: &dyn Fn(Span) -> f64) -> Vec<DelayStep> {
    let all = share(window);
    let mut ages: Vec<Span> = Vec::new();
    let mut taken = 0.0;
    for age in AGES.into_iter().map(|seconds| Span(seconds * 1_000)).take_while(|age| *age < window) {
        let here = share(age);
        if here >= all - REST && !ages.is_empty() {
            break;
        }
        if ages.is_empty() || here - taken >= GAIN_MIN {
            ages.push(age);
            taken = here;
        }
    }
    let done = AGES.into_iter().map(|seconds| Span(seconds * 1_000)).find(|age| share(*age) >= all - REST);
    let whole = all >= 1.0 - REST;
    let end = done.filter(|done| whole && *done < window).unwrap_or(window);
    ages.retain(|age| *age < end);
    let until = ages.iter().copied().skip(1).chain([end]);
    let mut steps: Vec<DelayStep> = Vec::new();
    for (age, until) in ages.iter().zip(until) {
        let mean = points(mean(*age, until, share));
        if mean > steps.last().map_or(0, |step| step.share.0) {
            steps.push(DelayStep { age: *age, share: Percent(mean) });
        }
    }
    let last = if whole { 10_000 } else { points(all) };
    // Nothing stands above the end.
    steps.retain(|step| step.share.0 < last);
    steps.push(DelayStep { age: end, share: Percent(last) });
    steps
}

fn mean(from: Span, until: Span, share: &dyn Fn(Span) -> f64) -> f64 {
    let width = until.0 - from.0;
    let at = |point: u32| Span(from.0 + width * i64::from(2 * point + 1) / i64::from(2 * POINTS));
    (0..POINTS).map(|point| share(at(point))).sum::<f64>() / f64::from(POINTS)
}

/// A share in basis points.
fn points(share: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "casting saturates, and is clamped after")]
    let points = (share * 10_000.0).round() as i32;
    points.clamp(0, 10_000)
}

#[expect(clippy::cast_precision_loss, reason = "decisions are far fewer than 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Curve;

    const HOUR: i64 = 3_600_000;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not {b}");
    }

    fn watched(delay: Option<i64>, upto: i64) -> Watched {
        Watched { delay: delay.map(Span), upto: Span(upto) }
    }

    #[test]
    fn the_estimate_is_that_of_kaplan_and_meier() {
        // At 1 one of six, at 2 one of four (one was watched until 1), at 5 one of two: S = 5/6, 5/8, 5/16.
        let all = [
            watched(Some(1), 9),
            watched(None, 1),
            watched(Some(2), 9),
            watched(None, 3),
            watched(Some(5), 9),
            watched(None, 9),
        ];
        let fit = DelayFit::of(&all, Span(9)).unwrap();
        assert_eq!((fit.decisions, fit.rewards, fit.watched), (6, 3, Span(9)));
        for (age, s) in [(0, 1.0), (1, 5.0 / 6.0), (2, 5.0 / 8.0), (4, 5.0 / 8.0), (5, 5.0 / 16.0), (9, 5.0 / 16.0)] {
            close(fit.share(Span(age)).0, (1.0 - s) / (1.0 - 5.0 / 16.0), 1e-12);
        }
        close(fit.share(Span(9)).1, 0.0, 1e-12);
        assert_eq!(DelayFit::of(&[watched(None, 9)], Span(9)), None);
    }

    /// Numbers spread evenly over the unit square.
    fn spread(number: u32) -> (f64, f64) {
        let of = |step: f64| (f64::from(number) * step).fract();
        (of(0.754_877_666_246_693), of(0.569_840_290_998_053))
    }

    fn exponential(mean: i64, decisions: u32, watched_for: i64, window: i64) -> Vec<Watched> {
        let one = |number| {
            let (accepts, late) = spread(number);
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "hours in milliseconds")]
            let delay = (-libm::log1p(-late) * mean as f64) as i64;
            let upto = (watched_for * i64::from(number) / i64::from(decisions)).min(window);
            watched((accepts < 0.1 && delay <= upto).then_some(delay), upto)
        };
        (0..decisions).map(one).collect()
    }

    #[test]
    fn rewards_that_have_not_come_yet_do_not_bend_the_curve() {
        // Watched for two hours at most, one after the other: a third of the rewards has not come yet.
        let all = exponential(HOUR, 20_000, 2 * HOUR, 2 * HOUR);
        let fit = DelayFit::of(&all, Span(2 * HOUR)).unwrap();
        let truth = |hours: f64| (1.0 - libm::exp(-hours)) / (1.0 - libm::exp(-2.0));
        let naive = |age: i64| {
            let came = || all.iter().filter_map(|one| one.delay);
            float(came().filter(|delay| delay.0 <= age).count()) / float(came().count())
        };
        for (age, hours) in [(HOUR / 4, 0.25), (HOUR / 2, 0.5), (HOUR, 1.0)] {
            let (share, deviation) = fit.share(Span(age));
            close(share, truth(hours), 0.03);
            assert!(deviation > 0.005 && deviation < 0.05, "{deviation}");
            assert!(naive(age) > truth(hours) + 0.05, "counting what came is wrong by more");
        }
    }

    #[test]
    fn steps_are_a_curve_that_weighs_what_the_delays_weigh() {
        for (mean, window) in [(HOUR / 12, 24), (HOUR, 1), (HOUR, 24), (20 * HOUR, 24 * 7), (HOUR, 24 * 30)] {
            #[expect(clippy::cast_precision_loss, reason = "hours in milliseconds")]
            let share = |age: Span| 1.0 - libm::exp(-(age.0 as f64) / (mean as f64));
            let window = Span(window * HOUR);
            let curve = Curve::new(steps(window, &share), window).unwrap();
            assert!((3..=16).contains(&curve.steps().len()), "{curve:?}");
            let weighs = |age: Span| f64::from(curve.share(curve.reached(age)).0) / 10_000.0;
            let (of_steps, of_delays) = (super::mean(Span(0), window, &weighs), super::mean(Span(0), window, &share));
            close(of_steps, of_delays, 0.02);
        }
    }
}
