//! Forward decay: the integer weight of an exposure's day, fixed when it happens. Decays nothing in place.
//!
//! Cormode et al. 2009: weights grow from a landmark and are divided out when a posterior is derived, so that what is
//! stored is never rounded twice. A new generation with a new landmark starts every 24 half-lives; by the time a
//! generation is left out, its newest exposure counts less than 2^-24.

use crate::domain::Day;

/// Weight of an exposure on its generation's landmark, and of every exposure without decay: one, in 2^-16ths.
pub const WEIGHT_ONE: i64 = 1 << 16;

/// Half-lives in one generation.
pub const GENERATION_HALF_LIVES: u32 = 24;

/// Generation of a day and weight of its exposures within it: `w = round(2^16 * 2^(d/H))`, d in days from the landmark.
///
/// Landmarks are counted from 1970-01-01; earlier days belong to the first generation and weigh as that day does.
pub fn generation_and_weight(day: Day, half_life_days: Option<u32>) -> (u32, i64) {
    let Some(half_life) = half_life_days else { return (0, WEIGHT_ONE) };
    let day = u32::try_from(day.0).unwrap_or(0);
    let generation = day / generation_days(half_life);
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^40, the weight at a generation's end")]
    let weight = weight_on(Day(day.cast_signed()), generation, half_life_days) as i64;
    (generation, weight)
}

/// Weight that an exposure of this day has, or would have, within a generation, in 2^-16ths; the day may lie far past
/// the generation's end. Dividing a sum by it gives the sum as seen from that day.
pub fn weight_on(day: Day, generation: u32, half_life_days: Option<u32>) -> f64 {
    let one = f64::from(1_i32 << 16);
    let Some(half_life) = half_life_days else { return one };
    let landmark = f64::from(generation) * f64::from(generation_days(half_life));
    let days = f64::from(day.0.max(0)) - landmark;
    libm::round(one * libm::exp2(days / f64::from(half_life.max(1)))).max(1.0)
}

/// The generations that a posterior of this day is derived from: its own and the one before.
pub fn live_generations(day: Day, half_life_days: Option<u32>) -> std::ops::RangeInclusive<u32> {
    let (own, _) = generation_and_weight(day, half_life_days);
    own.saturating_sub(1)..=own
}

fn generation_days(half_life: u32) -> u32 {
    half_life.max(1).saturating_mul(GENERATION_HALF_LIVES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_doubles_with_every_half_life_and_starts_again_with_every_generation() {
        let check = |day: i32, half_life: u32, expected: (u32, i64)| {
            assert_eq!(generation_and_weight(Day(day), Some(half_life)), expected, "day {day}, half-life {half_life}");
        };
        check(0, 60, (0, WEIGHT_ONE));
        check(60, 60, (0, 2 * WEIGHT_ONE));
        check(30, 60, (0, 92_682)); // 2^16 * sqrt 2 = 92,681.9
        check(23 * 60, 60, (0, WEIGHT_ONE << 23));
        check(24 * 60 - 1, 60, (0, 1_086_882_659_598)); // 2^40 * 2^(-1/60)
        check(24 * 60, 60, (1, WEIGHT_ONE));
        check(20_500, 1, (854, 4 * WEIGHT_ONE * 4));
        check(-3, 60, (0, WEIGHT_ONE));
        check(i32::MAX, u32::MAX, (0, 92_682));
        for day in 0..2_000 {
            let (generation, weight) = generation_and_weight(Day(day), Some(7));
            let (later, doubled) = generation_and_weight(Day(day + 7), Some(7));
            assert!(later > generation || (doubled - 2 * weight).abs() <= 1, "day {day}");
            assert_eq!(weight_on(Day(day), generation, Some(7)), exact(weight));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "weights are at most 2^40 here, so that nothing is lost")]
    fn exact(weight: i64) -> f64 {
        weight as f64
    }

    #[test]
    fn without_a_half_life_every_day_weighs_the_same() {
        for day in [-1, 0, 1, 40_000] {
            assert_eq!(generation_and_weight(Day(day), None), (0, WEIGHT_ONE));
            assert_eq!(weight_on(Day(day), 0, None), exact(WEIGHT_ONE));
            assert_eq!(live_generations(Day(day), None), 0..=0);
        }
    }

    #[test]
    fn a_generation_stays_live_through_the_next_one() {
        assert_eq!(live_generations(Day(0), Some(1)), 0..=0);
        assert_eq!(live_generations(Day(24), Some(1)), 0..=1);
        assert_eq!(live_generations(Day(48), Some(1)), 1..=2);
        assert_eq!(weight_on(Day(47), 0, Some(1)), (exact(WEIGHT_ONE)) * 140_737_488_355_328.0);
    }
}
