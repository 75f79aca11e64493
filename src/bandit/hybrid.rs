//! `LinUCB` with hybrid models (Li et al., arXiv 1003.0146, algorithm 2): the coefficients of features that read the
//! offer are shared by all arms, all others are the arm's own. Derived at once from the integers of all arms; scores
//! nothing.
//!
//! ```text
//! r = z' beta + x' theta_a        A_a = lambda I + sum x x'      B_a = sum x z'      b_a = sum r x
//! A_0 = lambda I + sum_a (sum z z' - B_a' A_a^-1 B_a)            beta = A_0^-1 sum_a (sum r z - B_a' A_a^-1 b_a)
//! theta_a = A_a^-1 (b_a - B_a beta)
//! ```
//!
//! With `G = A_a^-1 B_a` the covariance of `(theta_a, beta)` is `A_a^-1 + G A_0^-1 G'`, `- G A_0^-1` and `A_0^-1`: the
//! width of the paper is `u' C u` for `u = (x, z)`, so that an arm is scored like every other.

use std::sync::Arc;

use super::blocks::packed_len;
use super::cholesky::Factor;
use super::day_sums::{Counts, DaySums};
use super::gaussians::{Information, dense, times};
use super::lineup::Lineup;
use super::posterior::{Posterior, PosteriorAlarm};
use super::sharing::Scope;
use super::statistics::ArmStatistics;
use crate::domain::{AttributeScope, Placement};

/// Which components are shared, by position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shared(Vec<bool>);

/// The beliefs of all arms of a lineup.
#[derive(Debug, Clone)]
pub(super) struct Hybrid {
    scope: Scope,
    shared: Shared,
    arms: Vec<Option<Arc<Own>>>,
    /// By position.
    pub(super) posteriors: Vec<Arc<Posterior>>,
    /// Arms whose statistics are left out because they gave no belief, by position.
    pub(super) alarms: Vec<(usize, String)>,
}

/// An arm before `beta` is known.
#[derive(Debug)]
struct Own {
    statistics: Option<Arc<ArmStatistics>>,
    a_inv: Vec<f64>, // A_a^-1, packed
    alone: Vec<f64>, // A_a^-1 b_a
    g: Vec<f64>,     // A_a^-1 B_a, row by row
    says: Information,
    counts: Counts,
}

impl Shared {
    /// The components of the features of a placement that read an attribute of the offer.
    pub(super) fn of(placement: &Placement) -> Self {
        let features = placement.features.iter().flat_map(|feature| {
            let mut read = feature.atoms.iter().filter_map(|atom| atom.attribute.as_ref());
            std::iter::repeat_n(read.any(|id| id.scope() == AttributeScope::Offer), feature.width())
        });
        Self(std::iter::once(false).chain(features).collect())
    }

    /// Positions of the components that are, or are not, shared.
    fn positions(&self, shared: bool) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, is)| **is == shared).map(|(at, _)| at).collect()
    }
}

impl Hybrid {
    /// Derives the beliefs of all arms; of an arm whose integers are those of `before`, what does not depend on the
    /// others is taken over from it.
    pub(super) fn derive(scope: Scope, shared: Shared, lineup: &Lineup, before: Option<&Self>) -> Self {
        let before = before.filter(|old| old.scope == scope && old.shared == shared);
        let [own_at, shared_at] = [false, true].map(|which| shared.positions(which));
        let mut alarms = Vec::new();
        let arm = |(at, statistics): (usize, &Option<Arc<ArmStatistics>>)| {
            let statistics = statistics.as_ref()?;
            let old = before.and_then(|old| old.arms.get(at)?.as_ref());
            let same = |old: &&Arc<Own>| old.statistics.as_ref().is_some_and(|old| Arc::ptr_eq(old, statistics));
            if let Some(old) = old.filter(same) {
                return Some(old.clone());
            }
            let sums = DaySums::of(statistics, scope.dimensions, scope.day, scope.half_life_days);
            match Own::of(&sums, &own_at, &shared_at, scope.lambda) {
                Ok(own) => Some(Arc::new(Own { statistics: Some(statistics.clone()), ..own })),
                Err(alarm) => {
                    alarms.push((at, alarm.to_string()));
                    None
                }
            }
        };
        let arms: Vec<Option<Arc<Own>>> = lineup.arms.iter().enumerate().map(arm).collect();
        let posteriors = beliefs(&arms, &own_at, &shared_at, scope.lambda).unwrap_or_else(|alarm| {
            alarms.extend((0..arms.len()).map(|at| (at, alarm.to_string())));
            let prior = Arc::new(Posterior::prior(scope.dimensions, scope.lambda));
            vec![prior; arms.len()]
        });
        Self { scope, shared, arms, posteriors, alarms }
    }
}

impl Own {
    fn of(sums: &DaySums, own: &[usize], shared: &[usize], lambda: f64) -> Result<Self, PosteriorAlarm> {
        let width = sums.b.len();
        let rows = dense(&sums.a, width);
        let cell = |i: usize, j: usize| rows.get(i * width + j).copied().unwrap_or_default();
        let mut a = Vec::with_capacity(packed_len(own.len()));
        for (at, j) in own.iter().enumerate() {
            a.extend(own.iter().skip(at).map(|i| cell(*i, *j) + if i == j { lambda } else { 0.0 }));
        }
        if !a.iter().chain(&sums.b).all(|number| number.is_finite()) {
            return Err(PosteriorAlarm::NotFinite);
        }
        let a_inv = Factor::of(&a, own.len())?.invert();
        let told = |at: &usize| sums.b.get(*at).copied().unwrap_or_default();
        let b: Vec<f64> = own.iter().map(told).collect();
        let inverse = dense(&a_inv, own.len());
        let mut g = vec![0.0; own.len() * shared.len()];
        for (row, out) in inverse.chunks_exact(own.len().max(1)).zip(g.chunks_exact_mut(shared.len().max(1))) {
            for (factor, l) in row.iter().zip(own) {
                out.iter_mut().zip(shared).for_each(|(sum, c)| *sum += factor * cell(*l, *c));
            }
        }
        let mut precision = Vec::with_capacity(packed_len(shared.len()));
        let mut eta: Vec<f64> = shared.iter().map(told).collect();
        for (at, c) in shared.iter().enumerate() {
            let mut column: Vec<f64> = shared.iter().skip(at).map(|e| cell(*e, *c)).collect();
            for (l, g_l) in own.iter().zip(g.chunks_exact(shared.len())) {
                let b_lc = cell(*l, *c);
                column.iter_mut().zip(g_l.iter().skip(at)).for_each(|(sum, g)| *sum -= b_lc * g);
            }
            precision.extend(column);
        }
        for (b_l, g_l) in b.iter().zip(g.chunks_exact(shared.len().max(1))) {
            eta.iter_mut().zip(g_l).for_each(|(sum, g)| *sum -= b_l * g);
        }
        let alone = times(&a_inv, &b);
        let counts = sums.counts;
        Ok(Self { statistics: None, a_inv, alone, g, says: Information { precision, eta }, counts })
    }
}

/// The beliefs of all arms about `(theta_a, beta)`, in the order of the features.
fn beliefs(
    arms: &[Option<Arc<Own>>],
    own_at: &[usize],
    shared_at: &[usize],
    lambda: f64,
) -> Result<Vec<Arc<Posterior>>, PosteriorAlarm> {
    let (d, k) = (own_at.len(), shared_at.len());
    let mut all = Information::none(k);
    arms.iter().flatten().for_each(|arm| all.add(&arm.says));
    let beta = all.with_prior(&vec![0.0; k], &vec![1.0 / lambda; k])?;
    let a_0_inv = dense(&beta.covariance, k);
    let zeros = DaySums { a: vec![0.0; packed_len(d + k)], b: vec![0.0; d + k], counts: Counts::default() };
    let new = Own::of(&zeros, own_at, shared_at, lambda)?;
    let belief = |arm: &Own| {
        let width = d + k;
        let mut theta = vec![0.0; width];
        let mut set = |at: usize, value: f64| {
            if let Some(cell) = theta.get_mut(at) {
                *cell = value;
            }
        };
        for ((at, own), g) in own_at.iter().zip(&arm.alone).zip(arm.g.chunks_exact(k.max(1))) {
            set(*at, own - g.iter().zip(&beta.mean).map(|(g, beta)| g * beta).sum::<f64>());
        }
        if k == 0 {
            own_at.iter().zip(&arm.alone).for_each(|(at, own)| set(*at, *own));
        }
        shared_at.iter().zip(&beta.mean).for_each(|(at, beta)| set(*at, *beta));
        let mut rows = vec![0.0; width * width];
        let mut put = |i: usize, j: usize, value: f64| {
            for at in [i * width + j, j * width + i] {
                if let Some(cell) = rows.get_mut(at) {
                    *cell = value;
                }
            }
        };
        let a_inv = dense(&arm.a_inv, d);
        for ((l, at), inverse) in own_at.iter().enumerate().zip(a_inv.chunks_exact(d.max(1))) {
            let g_l = arm.g.iter().skip(l * k).take(k);
            let mut h = vec![0.0; k];
            for (g, row) in g_l.zip(a_0_inv.chunks_exact(k.max(1))) {
                h.iter_mut().zip(row).for_each(|(sum, a)| *sum += g * a);
            }
            for ((m, other), a) in own_at.iter().enumerate().zip(inverse).skip(l) {
                let g_m = arm.g.iter().skip(m * k).take(k);
                put(*at, *other, a + h.iter().zip(g_m).map(|(h, g)| h * g).sum::<f64>());
            }
            shared_at.iter().zip(&h).for_each(|(other, h)| put(*at, *other, -h));
        }
        for (at, row) in shared_at.iter().zip(a_0_inv.chunks_exact(k.max(1))) {
            shared_at.iter().zip(row).for_each(|(other, a)| put(*at, *other, *a));
        }
        let packed: Vec<f64> =
            rows.chunks_exact(width).enumerate().flat_map(|(j, row)| row.iter().skip(j).copied()).collect();
        Arc::new(Posterior::of(theta, packed, arm.counts, (0.0, 0.0)))
    };
    let new = belief(&new);
    Ok(arms.iter().map(|arm| arm.as_deref().map_or_else(|| new.clone(), belief)).collect())
}
