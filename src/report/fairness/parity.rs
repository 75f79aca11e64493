//! Parity: what answers were worth to groups of customers, and the least ratio of two groups with its interval. Knows
//! nobody's id and judges nothing.
//!
//! A customer's decisions depend on one another, so that customers are what is drawn by chance and not decisions. The
//! mean of a group is a ratio, the worth of all decisions by their number, and its error that of a ratio (Cochran 1977,
//! chapter 6): `s^2 = c / (c - 1) sum (v_i - m n_i)^2 / (sum n_i)^2` over the `c` customers of the group, with `n_i`
//! decisions worth `v_i`. The interval of the ratio of two means is Fieller's (1954): every `r` for which `m_a - r m_b`
//! is no further from 0 than `t` of its errors, with the degrees of freedom of Welch and Satterthwaite.

use serde::{Deserialize, Serialize};

use super::super::Around;
use super::number;
use crate::domain::Value;

/// What was offered to one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offered {
    /// Position of the customer's group.
    pub group: usize,
    /// Decisions.
    pub decisions: u32,
    /// What they showed was worth, in minor units.
    pub minor: i64,
}

/// A group of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupWorth {
    /// The value that they share.
    pub group: Value,
    /// How many.
    pub customers: u64,
    /// Decisions made for them.
    pub decisions: u64,
    /// What a decision was worth to them on average, in minor units. Nothing where they are too few to be told.
    pub mean: Option<Around>,
}

/// The ratio of two groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// The group to whom decisions are worth less.
    pub least: Value,
    /// The group to whom they are worth more.
    pub most: Value,
    /// What they are worth to the first, by what they are worth to the second.
    pub ratio: Around,
}

/// What was measured of parity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParityMeasured {
    /// Every group there could be.
    pub groups: Vec<GroupWorth>,
    /// Of all pairs the one whose interval reaches lowest. Nothing where a group is too small, or where decisions were
    /// worth too little to say.
    pub ratio: Option<Ratio>,
}

/// Sums over the customers of a group: exact, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sums {
    customers: u64,
    n: i128,
    v: i128,
    nn: i128,
    nv: i128,
    vv: i128,
}

impl Sums {
    fn add(&mut self, offered: &Offered) {
        let (n, v) = (i128::from(offered.decisions), i128::from(offered.minor));
        self.customers += 1;
        self.n += n;
        self.v += v;
        self.nn += n * n;
        self.nv += n * v;
        self.vv += v * v;
    }

    /// The mean with its error; nothing of fewer than two customers.
    fn mean(&self) -> Option<Mean> {
        if self.customers < 2 || self.n == 0 {
            return None;
        }
        let (c, n) = (number(i128::from(self.customers)), number(self.n));
        let m = number(self.v) / n;
        let squares = number(self.vv) - 2.0 * m * number(self.nv) + m * m * number(self.nn);
        Some(Mean { m, variance: c / (c - 1.0) * squares.max(0.0) / (n * n), freedom: c - 1.0 })
    }
}

/// A mean, its squared standard error, and the degrees of freedom of that.
#[derive(Debug, Clone, Copy)]
struct Mean {
    m: f64,
    variance: f64,
    freedom: f64,
}

/// The quantile of Student's t, by that of the normal distribution (Cornish and Fisher): right to three digits from 20
/// degrees of freedom on.
fn student(z: f64, freedom: f64) -> f64 {
    let cube = z * z * z;
    z + (cube + z) / (4.0 * freedom) + (5.0 * cube * z * z + 16.0 * cube + 3.0 * z) / (96.0 * freedom * freedom)
}

/// The ratio of two means with its interval, never below zero. Nothing where the second cannot be told from zero: any
/// ratio would do.
fn ratio(a: &Mean, b: &Mean, z: f64) -> Option<Around> {
    let value = a.m / b.m;
    let (of_a, of_b) = (a.variance, value * value * b.variance);
    let spread = of_a * of_a / a.freedom + of_b * of_b / b.freedom;
    let freedom = if spread > 0.0 { (of_a + of_b) * (of_a + of_b) / spread } else { a.freedom + b.freedom };
    let t = student(z, freedom);
    let g = t * t * b.variance / (b.m * b.m);
    if g.is_nan() || g >= 1.0 || b.m <= 0.0 {
        return None;
    }
    let middle = value / (1.0 - g);
    let half = t / b.m / (1.0 - g) * ((1.0 - g) * of_a + of_b).sqrt();
    Some(Around { value, low: (middle - half).max(0.0), high: middle + half })
}

/// Measures the groups of these values. `group_min` are the customers that a group needs before anything is told of it,
/// `z` is the quantile of the interval.
pub fn parity<'a>(
    values: &[Value],
    offered: impl Iterator<Item = &'a Offered>,
    group_min: u32,
    z: f64,
) -> ParityMeasured {
    let mut sums = vec![Sums::default(); values.len()];
    for one in offered {
        if let Some(sums) = sums.get_mut(one.group) {
            sums.add(one);
        }
    }
    let enough = |sums: &Sums| sums.customers >= u64::from(group_min);
    let means: Vec<Option<Mean>> = sums.iter().map(|sums| sums.mean().filter(|_| enough(sums))).collect();
    let groups = values.iter().zip(sums.iter().zip(&means)).map(|(group, (sums, mean))| GroupWorth {
        group: group.clone(),
        customers: sums.customers,
        decisions: u64::try_from(sums.n).unwrap_or_default(),
        mean: mean.map(|Mean { m, variance, freedom }| {
            let half = student(z, freedom) * variance.sqrt();
            Around { value: m, low: (m - half).max(0.0), high: m + half }
        }),
    });
    ParityMeasured { groups: groups.collect(), ratio: worst(values, &means, z) }
}

/// The pair whose interval reaches lowest; nothing where a group has no mean, or some pair no ratio.
fn worst(values: &[Value], means: &[Option<Mean>], z: f64) -> Option<Ratio> {
    let means: Vec<Mean> = means.iter().copied().collect::<Option<_>>()?;
    let mut worst: Option<Ratio> = None;
    for (at, (most, high)) in values.iter().zip(&means).enumerate() {
        for (of, (least, low)) in values.iter().zip(&means).enumerate() {
            if at == of || low.m > high.m {
                continue;
            }
            let ratio = ratio(low, high, z)?;
            if worst.as_ref().is_none_or(|worst| ratio.low < worst.ratio.low) {
                worst = Some(Ratio { least: least.clone(), most: most.clone(), ratio });
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

    use super::*;

    const Z: f64 = 1.959_963_984_540_054;

    fn values(names: &[&str]) -> Vec<Value> {
        names.iter().map(|name| Value::Text((*name).to_owned())).collect()
    }

    fn one(group: usize, decisions: u32, minor: i64) -> Offered {
        Offered { group, decisions, minor }
    }

    #[test]
    fn a_mean_has_the_error_of_its_customers_and_not_of_their_decisions() {
        // Three customers with 1, 2 and 1 decisions worth 4, 6 and 2: mean 12 / 4 = 3, residuals 1, 0 and -1.
        let all = [one(0, 1, 4), one(0, 2, 6), one(0, 1, 2), one(1, 1, 6), one(1, 1, 6)];
        let names = values(&["f", "m"]);
        let found = parity(&names, all.iter(), 2, Z);
        let mean = found.groups[0].mean.unwrap();
        let (error, t) = ((1.5_f64 * 2.0).sqrt() / 4.0, student(Z, 2.0));
        assert_eq!((found.groups[0].customers, found.groups[0].decisions, mean.value), (3, 4, 3.0));
        assert!((mean.high - (3.0 + t * error)).abs() < 1e-12 && (mean.low - (3.0 - t * error)).abs() < 1e-12);
        let ratio = found.ratio.unwrap();
        assert_eq!((&ratio.least, &ratio.most, ratio.ratio.value), (&names[0], &names[1], 0.5));
        // The second mean is certain, so that the interval is that of the first by 6.
        assert!((ratio.ratio.low - mean.low / 6.0).abs() < 1e-12, "{:?}", ratio.ratio);
        assert!((ratio.ratio.high - mean.high / 6.0).abs() < 1e-12, "{:?}", ratio.ratio);
        // As many decisions of one customer each know no more than that customer.
        let same: Vec<Offered> = all.iter().map(|o| one(o.group, o.decisions * 9, o.minor * 9)).collect();
        assert_eq!(parity(&names, same.iter(), 2, Z).groups[0].mean.unwrap().value, 3.0);
        let again = parity(&names, same.iter(), 2, Z).ratio.unwrap().ratio;
        assert!((again.low - ratio.ratio.low).abs() < 1e-12, "{again:?}");
    }

    #[test]
    fn the_quantile_of_students_t_is_that_of_its_tables() {
        for (freedom, t) in [(20.0, 2.086), (29.0, 2.045), (60.0, 2.000), (120.0, 1.980)] {
            assert!((student(Z, freedom) - t).abs() < 1e-3, "{freedom}");
        }
    }

    #[test]
    fn the_interval_of_a_ratio_is_fiellers() {
        // Means 8 and 10 with errors 1 and 2, of many: g = (1.96 * 2 / 10)^2 = 0.1537, and by hand 0.518 and 1.373.
        let mean = |m: f64, error: f64| Mean { m, variance: error * error, freedom: 1e9 };
        let found = ratio(&mean(8.0, 1.0), &mean(10.0, 2.0), Z).unwrap();
        let g = (Z * 0.2) * (Z * 0.2);
        let half = Z / 10.0 / (1.0 - g) * ((1.0 - g) + 0.64 * 4.0).sqrt();
        assert!((found.low - (0.8 / (1.0 - g) - half)).abs() < 1e-9, "{found:?}");
        assert!((found.low - 0.518).abs() < 1e-3 && (found.high - 1.373).abs() < 1e-3, "{found:?}");
        // Turned round it is the reciprocal.
        let turned = ratio(&mean(10.0, 2.0), &mean(8.0, 1.0), Z).unwrap();
        assert!((1.0 / turned.high - found.low).abs() < 1e-9 && (1.0 / turned.low - found.high).abs() < 1e-9);
        assert_eq!(ratio(&mean(8.0, 1.0), &mean(10.0, 6.0), Z), None, "the second may be nothing");
    }

    #[test]
    fn of_several_groups_the_pair_that_reaches_lowest_is_told_and_a_small_one_leaves_nothing_to_say() {
        let mut all = Vec::new();
        for at in 0..40 {
            all.extend([one(0, 1, 300 + at), one(1, 1, 520 - at), one(2, 1, 490 + at)]);
        }
        let names = values(&["f", "m", "x"]);
        let found = parity(&names, all.iter(), 40, Z).ratio.unwrap();
        assert_eq!((&found.least, &found.most), (&names[0], &names[2]), "509.5 on average, 500.5 the next");
        assert!(found.ratio.low < found.ratio.value && found.ratio.value < found.ratio.high);
        let few = parity(&names, all.iter(), 41, Z);
        assert!(few.ratio.is_none() && few.groups.iter().all(|group| group.mean.is_none() && group.customers == 40));
        let nobody = parity(&values(&["f", "m", "x", "y"]), all.iter(), 2, Z);
        assert!(nobody.ratio.is_none() && nobody.groups[3].customers == 0, "nobody is a y");
    }

    #[test]
    fn who_is_offered_nothing_fares_worst_and_where_nobody_is_there_is_nothing_to_compare() {
        let names = values(&["f", "m"]);
        let group = |group: usize, minor: i64| (0..30).map(move |at| one(group, 1, minor * (5 + at % 3)));
        let all: Vec<Offered> = group(0, 0).chain(group(1, 1)).collect();
        let found = parity(&names, all.iter(), 2, Z).ratio.unwrap();
        assert_eq!((found.least, found.ratio.value, found.ratio.low), (names[0].clone(), 0.0, 0.0));
        let none: Vec<Offered> = group(0, 0).chain(group(1, 0)).collect();
        assert_eq!(parity(&names, none.iter(), 2, Z).ratio, None);
    }

    /// Customers who are asked one to six times; some are seldom offered anything, others often, and not the same.
    fn world(random: &mut ChaCha8Rng, customers: u32, share: f64) -> Vec<Offered> {
        let mut all = Vec::new();
        for at in 0..customers * 2 {
            let group = usize::from(at < customers);
            let (luck, decisions) = (random.random::<f64>(), 1 + random.random_range(0..6_u32));
            let shown = (0..decisions).filter(|_| random.random::<f64>() < 0.2 + 0.6 * luck);
            let amount = [500, 1_000, 2_000][usize::from(luck > 0.7) + usize::from(luck > 0.9)];
            let minor = shown.map(|_| amount).sum();
            let offered = group == 1 || random.random::<f64>() < share;
            all.push(one(group, decisions, if offered { minor } else { 0 }));
        }
        all
    }

    #[test]
    fn intervals_of_small_worlds_cover_what_is_true_as_often_as_they_say() {
        for (customers, share, seed) in [(30, 1.0, 1_u64), (100, 0.75, 2)] {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let covered = |found: &ParityMeasured| {
                let ratio = found.ratio.as_ref().unwrap();
                // The pair is told with the lesser above: of the first group by the second, whichever is which.
                let of_first = ratio.least == Value::Text("f".to_owned());
                let truth = if of_first { share } else { 1.0 / share };
                ratio.ratio.low <= truth && truth <= ratio.ratio.high
            };
            let worlds = (0..1_000).filter(|_| {
                let world = world(&mut random, customers, share);
                covered(&parity(&values(&["f", "m"]), world.iter(), 30, Z))
            });
            let covered = worlds.count();
            assert!((930..=985).contains(&covered), "{customers} customers, {share}: {covered} of 1000");
        }
    }
}
