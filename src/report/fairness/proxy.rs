//! Proxies: how well features tell who belongs to a group, as the area under the curve of a logistic regression that
//! was fitted on other customers. Knows nobody's id and judges nothing.
//!
//! The AUC is the probability that somebody of the group has a higher score than somebody else: 50 % tells nothing,
//! 100 % everything. Customers are dealt out to folds; those of a fold are scored by a regression fitted on the others,
//! and compared within their fold. The AUC is the mean over the folds, and its variance that of such a mean, with the
//! variance of each fold by DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44, 837-845).

use serde::{Deserialize, Serialize};

use super::super::Around;
use super::count;
use super::logistic::{Row, fit};
use crate::domain::{AttributeScope, Feature, FeatureAtom, Placement, PlacementId, Value};

/// Folds that customers are dealt out to.
const FOLDS: usize = 5;

/// Customers of a placement that are looked at: of more, those with the lowest ids, which are drawn by chance.
pub const PROXY_CUSTOMERS_MAX: usize = 20_000;

/// A customer as the features of a placement see one.
#[derive(Debug, Clone, PartialEq)]
pub struct Featured {
    /// Position of the customer's group.
    pub group: usize,
    /// The components that are not zero, the intercept included, by position.
    pub x: Vec<(usize, f64)>,
}

/// One group against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTold {
    /// The value that its customers share.
    pub group: Value,
    /// How many.
    pub customers: u64,
    /// How well they are told from the others; nothing where some group is too small to say.
    pub auc: Option<Around>,
}

/// What the features of one placement tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyMeasured {
    /// Where.
    pub placement: PlacementId,
    /// The features in use, as far as they say something of customers and not of offers.
    pub features: Vec<String>,
    /// Attributes that features read and that are known of too few customers to say what they would tell.
    pub unknown: Vec<String>,
    /// Every group there could be. Of two groups the first is enough: the others are the second.
    pub groups: Vec<GroupTold>,
}

/// A placement with what its features say of customers and contexts: offers are the same for every group. Of a product
/// with an offer the other factor is left.
pub fn of_people(placement: &Placement) -> Placement {
    let mut features: Vec<Feature> = Vec::new();
    for feature in &placement.features {
        let parts = feature.text.split(" * ").zip(&feature.atoms);
        let of_offer =
            |atom: &FeatureAtom| atom.attribute.as_ref().is_some_and(|id| id.scope() == AttributeScope::Offer);
        let (names, atoms): (Vec<&str>, Vec<FeatureAtom>) =
            parts.filter(|(_, atom)| !of_offer(atom)).map(|(name, atom)| (name, atom.clone())).unzip();
        let text = names.join(" * ");
        if !atoms.is_empty() && features.iter().all(|known| known.text != text) {
            features.push(Feature { text, atoms });
        }
    }
    Placement { features, ..placement.clone() }
}

/// Measures each group of these values against the others. `group_min` are the customers that every group needs, `z` is
/// the quantile of the interval, `dimensions` counts the components.
pub fn told(values: &[Value], all: &[Featured], dimensions: usize, group_min: u32, z: f64) -> Vec<GroupTold> {
    let customers = |group: usize| all.iter().filter(|one| one.group == group).count();
    let enough = (0..values.len()).all(|group| customers(group) >= group_min as usize);
    let told = values.iter().enumerate().map(|(group, value)| {
        let asked = enough && (values.len() > 2 || group == 0);
        let rows = || -> Vec<Row> { all.iter().map(|one| Row { x: one.x.clone(), y: one.group == group }).collect() };
        let auc = if asked { auc(&rows(), dimensions, z) } else { None };
        GroupTold { group: value.clone(), customers: customers(group) as u64, auc }
    });
    told.collect()
}

/// The cross-validated AUC with its interval; nothing where a fold lacks either sort.
fn auc(rows: &[Row], dimensions: usize, z: f64) -> Option<Around> {
    let (mut seen, mut fold) = ([0_usize; 2], Vec::with_capacity(rows.len()));
    for row in rows {
        // Each sort is dealt out by itself, so that every fold has its share of both.
        let count = seen.get_mut(usize::from(row.y))?;
        fold.push(*count % FOLDS);
        *count += 1;
    }
    let (mut areas, mut variances) = (0.0, 0.0);
    for left in 0..FOLDS {
        let of = |inside: bool| rows.iter().zip(&fold).filter(move |(_, at)| (**at == left) == inside);
        let others: Vec<&Row> = of(false).map(|(row, _)| row).collect();
        let beta = fit(&others, dimensions)?;
        let scored: Vec<(f64, bool)> = of(true).map(|(row, _)| (row.score(&beta), row.y)).collect();
        let (area, variance) = within(scored)?;
        areas += area;
        variances += variance;
    }
    let (value, error) = (areas / count(FOLDS), variances.sqrt() / count(FOLDS));
    Some(Around { value, low: (value - z * error).max(0.0), high: (value + z * error).min(1.0) })
}

/// The AUC of some scores with its variance; nothing with fewer than two of either sort.
fn within(mut scored: Vec<(f64, bool)>) -> Option<(f64, f64)> {
    let (p, q) = (count(scored.iter().filter(|(_, y)| *y).count()), count(scored.iter().filter(|(_, y)| !*y).count()));
    if p < 2.0 || q < 2.0 {
        return None;
    }
    scored.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Of each of the group the share of the others that it beats, of each of the others the share that beats it; equals
    // count half.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut below, mut above) = (0.0, p); // others below, and of the group not below
    for equals in scored.chunk_by(|a, b| a.0 == b.0) {
        let same = count(equals.iter().filter(|(_, y)| *y).count());
        let others = count(equals.len()) - same;
        above -= same;
        for (_, y) in equals {
            if *y {
                ours.push((below + 0.5 * others) / q);
            } else {
                theirs.push((above + 0.5 * same) / p);
            }
        }
        below += others;
    }
    let area = ours.iter().sum::<f64>() / p;
    let variance = |shares: &[f64]| {
        let n = count(shares.len());
        shares.iter().map(|share| (share - area) * (share - area)).sum::<f64>() / (n - 1.0) / n
    };
    Some((area, variance(&ours) + variance(&theirs)))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

    use super::*;

    const Z: f64 = 1.959_963_984_540_054;

    #[test]
    fn the_area_is_the_share_of_pairs_in_order_with_ties_by_half() {
        let area = |scored: &[(f64, bool)]| within(scored.to_vec()).unwrap().0;
        assert_eq!(area(&[(1.0, false), (2.0, true), (0.0, false), (3.0, true)]), 1.0);
        assert_eq!(area(&[(2.0, false), (1.0, true), (3.0, false), (0.0, true)]), 0.0);
        assert_eq!(area(&[(1.0, false), (1.0, true), (1.0, true), (1.0, false)]), 0.5);
        // Of the six pairs of (3, 1, 2) with (0, 2) five are in order, one of them by half: 5.5 - 1 = 4.5.
        assert_eq!(area(&[(3.0, true), (1.0, true), (2.0, true), (0.0, false), (2.0, false)]), 4.5 / 6.0);
        assert_eq!(within(vec![(1.0, true), (2.0, true), (0.0, false)]), None);
        // Shares of 1/2 and 1 on both sides: variances of 1/8, halved and added.
        let (area, variance) = within(vec![(0.0, false), (1.0, true), (2.0, false), (3.0, true)]).unwrap();
        assert_eq!((area, variance), (0.75, 0.125));
    }

    fn values(names: &[&str]) -> Vec<Value> {
        names.iter().map(|name| Value::Text((*name).to_owned())).collect()
    }

    /// Customers of two groups and one feature of two values, which is 1 with these chances in the two groups.
    fn world(random: &mut ChaCha8Rng, each: usize, chances: [f64; 2]) -> Vec<Featured> {
        let mut all = Vec::new();
        for at in 0..each * 2 {
            let group = at % 2;
            let one = random.random::<f64>() < chances[group];
            all.push(Featured { group, x: if one { vec![(0, 1.0), (1, 1.0)] } else { vec![(0, 1.0)] } });
        }
        all
    }

    #[test]
    fn a_feature_that_follows_the_group_tells_it_and_one_that_does_not_tells_nothing() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut found = |chances| told(&values(&["f", "m"]), &world(&mut random, 300, chances), 2, 30, Z);
        let follows = found([0.9, 0.1]);
        let auc = follows[0].auc.unwrap();
        assert!(auc.low > 0.85 && auc.value < 0.95, "{auc:?}");
        assert_eq!((follows[0].customers, follows[1].auc), (300, None), "the others of two groups are the second");
        let apart = found([0.5, 0.5])[0].auc.unwrap();
        assert!(apart.low < 0.5 && 0.5 < apart.high && apart.high < 0.6, "{apart:?}");
        let few = told(&values(&["f", "m"]), &world(&mut random, 29, [0.9, 0.1]), 2, 30, Z);
        assert!(few.iter().all(|group| group.auc.is_none() && group.customers == 29));
    }

    #[test]
    fn many_features_that_say_nothing_tell_nothing_as_those_asked_about_were_not_fitted() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut one = |at: usize| {
            let chosen = (1..=30).filter(|_| random.random::<f64>() < 0.5).map(|at| (at, 1.0));
            Featured { group: at % 2, x: std::iter::once((0, 1.0)).chain(chosen).collect() }
        };
        let all: Vec<Featured> = (0..120).map(&mut one).collect();
        let auc = told(&values(&["f", "m"]), &all, 31, 30, Z)[0].auc.unwrap();
        assert!(auc.low < 0.5 && auc.value < 0.6, "{auc:?}");
    }

    #[test]
    fn of_several_groups_each_is_told_from_all_others() {
        let mut all = Vec::new();
        for at in 0..300_usize {
            // The feature is that of group 2, for nine of ten.
            let (group, other) = (at % 3, at % 10 == 0);
            let one = (group == 2) != other;
            all.push(Featured { group, x: if one { vec![(0, 1.0), (1, 1.0)] } else { vec![(0, 1.0)] } });
        }
        let found = told(&values(&["a", "b", "c"]), &all, 2, 30, Z);
        let auc = |at: usize| found[at].auc.unwrap().value;
        assert!((auc(2) - 0.9).abs() < 0.02, "{found:?}");
        assert!((auc(0) - 0.7).abs() < 0.05 && (auc(1) - 0.7).abs() < 0.05, "{found:?}");
    }

    #[test]
    fn areas_of_small_worlds_are_covered_as_often_as_intervals_say() {
        for (each, chances, seed) in [(60, [0.7, 0.4], 1_u64), (100, [0.5, 0.2], 2)] {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            // Of pairs with different values, those in order count whole; with equal ones by half.
            let truth = 0.5 + 0.5 * (chances[0] - chances[1]);
            let covered = (0..1_000).filter(|_| {
                let world = world(&mut random, each, chances);
                let auc = told(&values(&["f", "m"]), &world, 2, 30, Z)[0].auc.unwrap();
                auc.low <= truth && truth <= auc.high
            });
            let covered = covered.count();
            assert!((930..=985).contains(&covered), "{each} customers each: {covered} of 1000");
        }
    }
}
