//! The exact rule: the probability that each of several independent Gaussian scores is the largest, by quadrature.
//! Draws nothing and mixes nothing in.
//!
//! `w_a = integral of f_a(y) prod_{b != a} F_b(y) dy`, composite Gauss-Legendre with 8 nodes a segment, over
//! [max(m - 8.5 s), max(m + 8.5 s)]. A segment is as long as one deviation of the narrowest score still active.
//! Every score has begun by the lower end (that is what the maximum there says), so scores only ever end as y rises:
//! past m + 8.5 s a distribution function is 1 and a density 0 to the last bit that matters, and the score is left out.
//! Segments therefore lengthen as narrow scores end, and their number grows with the logarithm of the ratio of widths,
//! not with the number of scores.
//!
//! Breaks at every score's own m + s {-8, -6, ..., 8} would be the plainer mesh. It takes thousands of nodes for a
//! hundred scores and is off by 8e-8 where 25 scores share their breaks: the largest of many is narrower than any of
//! them, and two deviations are then too long. The tests integrate over that mesh, refined four times.
//!
//! Coordinates are measured from the lower end, so that precision does not depend on where the scores lie. Scores are
//! sorted first: the result of a score does not depend on its position, and equal scores get equal bits.
//!
//! *Nothing* has a score of 0 without spread: it is the largest with the probability that every score lies below 0, and
//! the integrals of the others begin there.

use super::Score;
use super::bounded::NODES;

/// Where a Gaussian begins and ends, in deviations: beyond, less than 1e-17 is left of it.
const REACH: f64 = 8.5;

/// Length of a segment in deviations of the narrowest active score.
const STEP: f64 = 1.0;

/// Segments below which the largest score lies with less than this probability are left out.
const NEGLIGIBLE: f64 = 1e-17;

/// Widths over twelve decades need 500 segments; beyond this many, rounding has eaten the narrowest score.
const SEGMENTS_MAX: u32 = 1 << 11;

/// Several scores of the same mean and deviation.
#[derive(Debug, Clone)]
struct Bell {
    centre: f64,
    deviation: f64,
    end: f64,
    narrowest: f64, // smallest deviation of this bell and of those that end after it
    scores: Vec<usize>,
    mass: f64, // of each of its scores
}

/// The probability of each score to be the largest, summing to one; with `nothing`, behind them the probability that
/// none is above zero.
///
/// All NaN where a mean is not finite or a deviation is not a normal number above zero, and not normalised where the
/// sum misses 1 by 1e-6 or more, so that the check of the distribution refuses it.
pub fn gaussian(scores: &[Score], nothing: bool) -> Vec<f64> {
    let sound = |s: &Score| s.mean.is_finite() && s.deviation.is_normal() && s.deviation > 0.0;
    let mut w = vec![0.0; scores.len() + usize::from(nothing)];
    let refused = vec![f64::NAN; w.len()];
    if !scores.iter().all(sound) {
        return refused;
    }
    let (mut bells, cut) = bells(scores, nothing);
    let alone = bells.len() == 1 && !cut;
    if !alone && !bells.is_empty() && integrate(&mut bells).is_none() {
        return refused;
    }
    let nothings = if cut { below(&bells, 0.0) } else { 0.0 };
    for bell in &bells {
        let mass = if alone { 1.0 / count(bell) } else { bell.mass };
        for at in &bell.scores {
            if let Some(w) = w.get_mut(*at) {
                *w = mass;
            }
        }
    }
    if nothing && let Some(last) = w.last_mut() {
        *last = nothings;
    }
    // Summed by bell, not by position, so that the order of the scores changes no bit.
    let sum: f64 = nothings + bells.iter().map(|bell| bell.mass * count(bell)).sum::<f64>();
    if !alone && (sum - 1.0).abs() < 1e-6 {
        for w in &mut w {
            *w /= sum;
        }
    }
    w
}

/// The bells that reach above the lower end, the one that ends last first, and whether that end is where nothing is.
fn bells(scores: &[Score], nothing: bool) -> (Vec<Bell>, bool) {
    let mut sorted: Vec<(usize, &Score)> = scores.iter().enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| b.mean.total_cmp(&a.mean).then(a.deviation.total_cmp(&b.deviation)));
    // Compared by differences: far from zero, m - 8.5 s itself would round the narrow ones away.
    let begins_later = |a: &Score, b: &Score| a.mean - b.mean > REACH * (a.deviation - b.deviation);
    let latest = sorted.iter().map(|(_, score)| *score).reduce(|best, s| if begins_later(s, best) { s } else { best });
    let Some(latest) = latest else { return (Vec::new(), nothing) };
    let cut = nothing && latest.mean < REACH * latest.deviation;
    let mut bells: Vec<Bell> = Vec::with_capacity(sorted.len());
    for (at, score) in sorted {
        let deviation = score.deviation;
        let centre = if cut { score.mean } else { (score.mean - latest.mean) + REACH * latest.deviation };
        match bells.last_mut() {
            Some(last) if (last.centre, last.deviation) == (centre, deviation) => last.scores.push(at),
            _ => {
                let end = centre + REACH * deviation;
                bells.push(Bell { centre, deviation, end, narrowest: deviation, scores: vec![at], mass: 0.0 });
            }
        }
    }
    bells.retain(|bell| bell.end > 0.0);
    bells.sort_by(|a, b| b.end.total_cmp(&a.end));
    let mut narrowest = f64::INFINITY;
    for bell in &mut bells {
        narrowest = narrowest.min(bell.deviation);
        bell.narrowest = narrowest;
    }
    (bells, cut)
}

/// Adds up the mass of every bell, or gives up where the widths differ by more than segments can follow.
fn integrate(bells: &mut [Bell]) -> Option<()> {
    let last = bells.first()?.end;
    let mut active = bells.len();
    let mut scratch = Vec::with_capacity(active);
    let mut start = 0.0;
    for _ in 0..SEGMENTS_MAX {
        while active > 0 && bells.get(active - 1)?.end <= start {
            active -= 1;
        }
        if active == 0 {
            return Some(());
        }
        let bells = bells.get_mut(..active)?;
        let stop = (start + STEP * bells.last()?.narrowest).min(last);
        if below(bells, stop) > NEGLIGIBLE {
            let (middle, half) = (0.5 * (start + stop), 0.5 * (stop - start));
            for (node, weight) in NODES {
                add_node(bells, middle - half * node, half * weight, &mut scratch);
                add_node(bells, middle + half * node, half * weight, &mut scratch);
            }
        }
        start = stop;
    }
    None
}

/// The probability that every score lies below y.
fn below(bells: &[Bell], y: f64) -> f64 {
    bells.iter().map(|bell| power(phi_below((y - bell.centre) / bell.deviation), bell.scores.len())).product()
}

/// Adds `weight * f_a(y) * prod_{b != a} F_b(y)` to every bell, by products from both ends: a division would fail where
/// a distribution function is zero.
fn add_node(bells: &mut [Bell], y: f64, weight: f64, scratch: &mut Vec<(f64, f64, f64)>) {
    scratch.clear();
    let mut before = 1.0;
    for bell in &*bells {
        let z = (y - bell.centre) / bell.deviation;
        let cdf = phi_below(z);
        let others = power(cdf, bell.scores.len() - 1);
        scratch.push((before * others, others * cdf, density(z) / bell.deviation));
        before *= others * cdf;
    }
    let mut after = weight;
    for (bell, (before, cdf, pdf)) in bells.iter_mut().zip(scratch.iter()).rev() {
        bell.mass += pdf * before * after;
        after *= cdf;
    }
}

/// Standard normal distribution function.
fn phi_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Standard normal density.
fn density(z: f64) -> f64 {
    const FRAC_1_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
    FRAC_1_SQRT_TAU * libm::exp(-0.5 * z * z)
}

/// `base^exponent` by squaring.
fn power(mut base: f64, mut exponent: usize) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    product
}

#[expect(clippy::cast_precision_loss, reason = "candidates are far fewer than 2^53")]
fn count(bell: &Bell) -> f64 {
    bell.scores.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scores(pairs: &[(f64, f64)]) -> Vec<Score> {
        pairs.iter().map(|(mean, deviation)| Score::gaussian(*mean, *deviation)).collect()
    }

    /// The integral again, by brute force: 8 nodes on every quarter of every stretch between breaks at every score's
    /// m + s {-8, -6, ..., 8}, no stretch left out.
    fn by_brute_force(scores: &[Score], nothing: bool) -> Vec<f64> {
        let floor = if nothing { 0.0 } else { f64::MIN };
        let far = |sign: f64| scores.iter().map(|s| s.mean + sign * REACH * s.deviation).fold(floor, f64::max);
        let (low, high) = (far(-1.0), far(1.0));
        let breaks = scores.iter().flat_map(|s| (-4..=4).map(|k| s.mean + s.deviation * 2.0 * f64::from(k)));
        let mut breaks: Vec<f64> = breaks.filter(|y| *y > low && *y < high).chain([low, high]).collect();
        breaks.sort_by(f64::total_cmp);
        let mut w = vec![0.0; scores.len()];
        for (pair, quarter) in breaks.windows(2).flat_map(|pair| (0..4).map(move |quarter| (pair, quarter))) {
            let half = (pair[1] - pair[0]) / 8.0;
            let middle = pair[0] + half * f64::from(2 * quarter + 1);
            for (node, weight) in NODES.into_iter().chain(NODES.map(|(node, weight)| (-node, weight))) {
                let z: Vec<f64> = scores.iter().map(|s| (middle + half * node - s.mean) / s.deviation).collect();
                for (a, w) in w.iter_mut().enumerate() {
                    let others = z.iter().enumerate().filter(|(b, _)| *b != a).map(|(_, z)| phi_below(*z));
                    *w += half * weight * density(z[a]) / scores[a].deviation * others.product::<f64>();
                }
            }
        }
        w.extend(nothing.then(|| scores.iter().map(|s| phi_below(-s.mean / s.deviation)).product::<f64>()));
        w
    }

    fn check(scores: &[Score], expected: &[f64], within: f64) {
        let w = gaussian(scores, expected.len() > scores.len());
        assert_eq!(w.len(), expected.len());
        for (w, expected) in w.iter().zip(expected) {
            assert!((w - expected).abs() <= within, "{w} is not {expected}: {scores:?}");
        }
    }

    #[test]
    fn normal_scores_match_thirty_digit_quadrature_to_1e_9() {
        check(
            &scores(&[(0.0, 0.1), (0.1, 0.1), (0.2, 0.1)]),
            &[0.047_150_679_919_088_4, 0.224_098_304_780_442, 0.728_751_015_300_469],
            1e-9,
        );
        check(&scores(&[(0.0, 0.0001), (1.0, 1.0)]), &[0.158_655_255_141_311, 0.841_344_744_858_689], 1e-9);
    }

    #[test]
    fn two_scores_follow_the_closed_form_over_eight_decades_of_width_and_far_from_zero() {
        for ratio in [1.0, 10.0, 1e4, 1e7, 1e8] {
            for (gap, offset) in [(0.0, 0.0), (0.5, 1e3), (-2.0, -1e6), (6.0, 0.0)] {
                let pair = scores(&[(offset, 1.0 / ratio), (offset + gap, 1.0)]);
                let first = phi_below(-gap / (1.0 + 1.0 / (ratio * ratio)).sqrt());
                check(&pair, &[first, 1.0 - first], 1e-12);
            }
        }
    }

    #[test]
    fn equal_scores_share_equally_and_a_single_one_takes_all() {
        check(&scores(&[(3.0, 0.5)]), &[1.0], 0.0);
        for k in [2_u32, 7, 100] {
            let share = 1.0 / f64::from(k);
            check(&vec![Score::gaussian(-4.0, 1e-3); k as usize], &vec![share; k as usize], 1e-15);
        }
        let w = gaussian(&scores(&[(1.0, 1.0), (0.0, 3.0), (1.0, 1.0), (1.0, 1.0)]), false);
        assert!(w[0] == w[2] && w[2] == w[3] && (w.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(gaussian(&[], false), Vec::<f64>::new());
        assert_eq!(gaussian(&[], true), [1.0]);
    }

    #[test]
    fn nothing_has_the_probability_that_no_score_is_above_zero() {
        let check = |pairs: &[(f64, f64)], expected: &[f64]| check(&scores(pairs), expected, 1e-12);
        check(&[(0.0, 1.0)], &[0.5, 0.5]);
        check(&[(1.0, 1.0)], &[phi_below(1.0), phi_below(-1.0)]);
        check(&[(0.0, 2.0); 3], &[7.0 / 24.0, 7.0 / 24.0, 7.0 / 24.0, 1.0 / 8.0]);
        check(&[(-100.0, 1.0), (-9.0, 1.0)], &[0.0, 0.0, 1.0]);
        check(&[(100.0, 1.0), (3.0, 1.0)], &[1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_score_far_below_another_has_probability_zero() {
        check(&scores(&[(0.0, 1.0), (100.0, 1.0), (99.0, 0.1)]), &[0.0, 0.840_1, 0.159_9], 1e-3);
        assert_eq!(gaussian(&scores(&[(0.0, 1.0), (100.0, 1.0)]), false), [0.0, 1.0]);
    }

    #[test]
    fn scores_that_are_no_gaussians_are_answered_with_nan() {
        let check = |mean, deviation| {
            let w = gaussian(&scores(&[(0.0, 1.0), (mean, deviation)]), false);
            assert!(w.len() == 2 && w.iter().all(|w| w.is_nan()), "{mean} {deviation}: {w:?}");
        };
        check(f64::NAN, 1.0);
        check(f64::INFINITY, 1.0);
        check(0.0, f64::NAN);
        check(0.0, f64::INFINITY);
        check(0.0, 0.0);
        check(0.0, -1.0);
        check(0.0, 5e-324);
        // These are numbers; what matters is that an answer comes.
        gaussian(&scores(&[(f64::MAX, 1.0), (f64::MIN, f64::MAX)]), false);
        gaussian(&scores(&[(1e15, 1e-5), (1e15, 1e-300), (1e15, 1.0)]), false);
        gaussian(&scores(&[(-8.5, 1.0), (1e-16, 1e-300), (0.0, 1e-20)]), false);
    }

    /// Means in units of the deviation or free, deviations over three and a half decades: variances over seven.
    fn any_scores() -> impl Strategy<Value = Vec<Score>> {
        let free = (-1.0..1.0, -3.5..0.0_f64).prop_map(|(mean, s)| (mean, libm::exp10(s)));
        let scaled = (-3.0..3.0, -3.5..0.0_f64).prop_map(|(mean, s)| (mean * libm::exp10(s), libm::exp10(s)));
        proptest::collection::vec(prop_oneof![free, scaled], 1..9).prop_map(|pairs| scores(&pairs))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_rule_agrees_with_brute_force(scores in any_scores()) {
            check(&scores, &by_brute_force(&scores, false), 1e-11);
            check(&scores, &by_brute_force(&scores, true), 1e-11);
        }

        #[test]
        fn reordered_scores_keep_their_probabilities_bit_for_bit(scores in any_scores(), turn in 0_usize..9) {
            let w = gaussian(&scores, false);
            let turn = turn % scores.len();
            let turned = |of: &[f64]| of.iter().cycle().skip(turn).take(of.len()).copied().collect::<Vec<_>>();
            let mut moved = scores.clone();
            moved.rotate_left(turn);
            prop_assert_eq!(gaussian(&moved, false), turned(&w));
        }

        #[test]
        fn a_better_mean_never_gets_less_at_equal_deviation(means in proptest::collection::vec(-4.0..4.0, 2..12)) {
            let mut sorted: Vec<f64> = means;
            sorted.sort_by(f64::total_cmp);
            let w = gaussian(&sorted.iter().map(|mean| Score::gaussian(*mean, 1.0)).collect::<Vec<_>>(), false);
            prop_assert!(w.windows(2).all(|pair| pair[0] <= pair[1] + 1e-13), "{:?}", w);
            prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
