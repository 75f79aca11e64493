//! Parity: what an answer is worth to each group of customers, and whether that is alike enough, with an interval.
//! Knows no customer: whoever measures adds values that may be read for `measurement`.

use std::collections::BTreeMap;

use super::fairness::ParityGate;
use crate::domain::{Money, Value};

/// What answers were worth to one group: sums over its decisions, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Worth {
    decisions: u64,
    sum: i128,
    squares: i128,
}

impl Worth {
    /// Adds a decision: the discounts of the offers that it showed.
    pub fn add(&mut self, shown: Money) {
        let minor = i128::from(shown.minor);
        self.decisions += 1;
        self.sum = self.sum.saturating_add(minor);
        self.squares = self.squares.saturating_add(minor.saturating_mul(minor));
    }

    /// Adds what another count of the same group holds.
    pub fn merge(&mut self, other: &Self) {
        self.decisions += other.decisions;
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// Mean, and the squared standard error of the mean.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of money far below 2^53 minor units, and a report rounds them"
    )]
    fn mean(&self) -> (f64, f64) {
        let (n, sum) = (self.decisions as f64, self.sum as f64);
        let mean = sum / n;
        let variance = (self.squares as f64 - sum * mean).max(0.0) / (n - 1.0);
        (mean, variance / n)
    }
}

/// Whether groups fare alike.
#[derive(Debug, Clone, PartialEq)]
pub enum Parity {
    /// Some group has too few decisions, or nobody's answers are worth anything: nothing can be said, and that does
    /// not hold.
    TooLittle,
    /// The least ratio of two groups, and the lower end of its interval.
    Measured {
        /// The group that fares worst.
        least: Value,
        /// The group that fares best.
        most: Value,
        /// What an answer is worth to the first, as a share of what it is worth to the second.
        ratio: f64,
        /// The lower end of the interval of that share.
        low: f64,
        /// Whether the lower end reaches the least ratio allowed.
        holds: bool,
    },
}

impl Parity {
    /// Whether it is shown that groups fare alike. Without enough data it is not.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Measured { holds: true, .. })
    }
}

/// Measures the parity of groups. Of every two groups the one that fares worse is compared with the other; what counts
/// is the pair whose interval reaches lowest.
///
/// The interval is that of the logarithm of a ratio of two independent means (delta method): `ln r -+ z sqrt(s1^2 / m1^2
/// + s2^2 / m2^2)`, with the squared standard errors `s^2` of the means `m`. Every value of the attribute is a group,
/// one without a decision too.
pub fn parity(gate: &ParityGate, all: &[Value], groups: &BTreeMap<Value, Worth>) -> Parity {
    let mut means = Vec::new();
    for group in all {
        let worth = groups.get(group).copied().unwrap_or_default();
        if worth.decisions < u64::from(gate.min_group_size.max(2)) {
            return Parity::TooLittle;
        }
        means.push((group, worth.mean()));
    }
    let z = match gate.interval.0 {
        ..=9_000 => 1.644_853_626_951_472_7,
        9_001..=9_500 => 1.959_963_984_540_054,
        _ => 2.575_829_303_548_900_4,
    };
    let mut worst: Option<(f64, f64, &Value, &Value)> = None;
    for (most, (high, high_error)) in &means {
        for (least, (low, low_error)) in means.iter().filter(|(group, _)| group != most) {
            if low > high {
                continue;
            }
            if *low <= 0.0 || *high <= 0.0 {
                // A group that gets nothing has no ratio with an interval; where others get something it fares worst.
                if *high > 0.0 {
                    let (least, most) = ((*least).clone(), (*most).clone());
                    return Parity::Measured { least, most, ratio: 0.0, low: 0.0, holds: false };
                }
                return Parity::TooLittle;
            }
            let error = libm::sqrt(low_error / (low * low) + high_error / (high * high));
            let ratio = low / high;
            let reaches = ratio * libm::exp(-z * error);
            if worst.is_none_or(|(least, ..)| reaches < least) {
                worst = Some((reaches, ratio, least, most));
            }
        }
    }
    worst.map_or(Parity::TooLittle, |(low, ratio, least, most)| Parity::Measured {
        least: least.clone(),
        most: most.clone(),
        ratio,
        low,
        holds: low * 10_000.0 >= f64::from(gate.min_ratio.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, Percent, Span};

    fn gate(min_group_size: u32) -> ParityGate {
        let window = Span(30 * 86_400_000);
        ParityGate { min_ratio: Percent(8_000), window, min_group_size, interval: Percent(9_500) }
    }

    fn text(name: &str) -> Value {
        Value::Text(name.to_owned())
    }

    /// Groups with so many decisions, of which every second shows so much more and the others so much less than a mean.
    fn measured(gate: &ParityGate, groups: &[(&str, u32, i64)]) -> Parity {
        let mut worth: BTreeMap<Value, Worth> = BTreeMap::new();
        for (name, decisions, mean) in groups {
            for at in 0..*decisions {
                let minor = mean + if at % 2 == 0 { mean / 2 } else { -mean / 2 };
                worth.entry(text(name)).or_default().add(Money { minor, currency: Currency::parse("USD").unwrap() });
            }
        }
        parity(gate, &["f", "m", "x"].map(text), &worth)
    }

    #[test]
    fn groups_that_fare_alike_hold_once_there_are_enough_of_them() {
        let many = [("f", 2_000, 500), ("m", 2_000, 520), ("x", 2_000, 490)];
        assert!(measured(&gate(200), &many).holds());
        assert_eq!(measured(&gate(2_001), &many), Parity::TooLittle);
        assert_eq!(measured(&gate(2), &[("f", 2_000, 500), ("m", 2_000, 500)]), Parity::TooLittle, "nobody is an x");
        // The same means of few: the interval reaches below.
        let few = measured(&gate(4), &[("f", 8, 500), ("m", 8, 520), ("x", 8, 490)]);
        let Parity::Measured { ratio, low, holds, .. } = few else { panic!("measured") };
        assert!(ratio > 0.9 && low < 0.8 && !holds, "{ratio} {low}");
    }

    #[test]
    fn the_group_that_fares_worst_is_named_with_the_one_that_fares_best() {
        let found = measured(&gate(200), &[("f", 2_000, 300), ("m", 2_000, 520), ("x", 2_000, 490)]);
        let Parity::Measured { least, most, ratio, low, holds } = found else { panic!("measured") };
        assert_eq!((least, most, holds), (text("f"), text("m"), false));
        // 300 / 520, and by hand: both relative errors are 0.5 * sqrt(2000 / 1999) / sqrt(2000).
        assert!((ratio - 300.0 / 520.0).abs() < 1e-12);
        let error = 0.5 * libm::sqrt(2.0 / 1999.0);
        assert!((low - ratio * libm::exp(-1.959_963_984_540_054 * error)).abs() < 1e-12, "{low}");
        let nothing = measured(&gate(2), &[("f", 20, 0), ("m", 20, 500), ("x", 20, 490)]);
        assert!(matches!(nothing, Parity::Measured { holds: false, .. }));
        assert_eq!(measured(&gate(2), &[("f", 20, 0), ("m", 20, 0), ("x", 20, 0)]), Parity::TooLittle);
    }

    #[test]
    fn two_counts_of_a_group_add_up() {
        let usd = |minor| Money { minor, currency: Currency::parse("USD").unwrap() };
        let (mut one, mut other, mut both) = (Worth::default(), Worth::default(), Worth::default());
        for minor in [100, 250, 0] {
            one.add(usd(minor));
            both.add(usd(minor));
        }
        other.add(usd(70));
        both.add(usd(70));
        one.merge(&other);
        assert_eq!(one, both);
    }
}
