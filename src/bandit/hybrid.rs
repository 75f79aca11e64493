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
use super::cholesky::{Factor, trace};
use super::day_sums::{Counts, DaySums};
use super::gaussians::{Information, dense, times};
use super::lineup::Lineup;
use super::posterior::{Posterior, PosteriorAlarm};
use super::products::Rows;
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
    precision: f64, // tr A_a + tr B_a' G
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
        let prior = Arc::new(Posterior::prior(scope.dimensions, scope.lambda));
        let beliefs = beliefs(&arms, &own_at, &shared_at, scope.lambda)
            .unwrap_or_else(|alarm| arms.iter().map(|_| Err(alarm)).collect());
        let or_prior = |(at, belief): (usize, Result<Arc<Posterior>, PosteriorAlarm>)| {
            belief.unwrap_or_else(|alarm| {
                alarms.push((at, alarm.to_string()));
                prior.clone()
            })
        };
        let posteriors = beliefs.into_iter().enumerate().map(or_prior).collect();
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
        let mut trace_joint = trace(&a, own.len());
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
        for (l, g_l) in own.iter().zip(g.chunks_exact(shared.len().max(1))) {
            trace_joint += g_l.iter().zip(shared).map(|(g, c)| cell(*l, *c) * g).sum::<f64>();
        }
        let alone = times(&a_inv, &b);
        let says = Information { precision, eta };
        // What gives no belief by itself would take those of all others with it.
        says.with_prior(&vec![0.0; shared.len()], &vec![1.0 / lambda; shared.len()])?;
        let counts = sums.counts;
        Ok(Self { statistics: None, a_inv, alone, g, says, counts, precision: trace_joint })
    }
}

/// The beliefs of all arms about `(theta_a, beta)`, in the order of the features.
fn beliefs(
    arms: &[Option<Arc<Own>>],
    own_at: &[usize],
    shared_at: &[usize],
    lambda: f64,
) -> Result<Vec<Result<Arc<Posterior>, PosteriorAlarm>>, PosteriorAlarm> {
    let (d, k) = (own_at.len(), shared_at.len());
    let mut all = Information::none(k);
    arms.iter().flatten().for_each(|arm| all.add(&arm.says));
    let beta = all.with_prior(&vec![0.0; k], &vec![1.0 / lambda; k])?;
    let root = Factor::of(&beta.covariance, k)?.root().rows();
    let zeros = DaySums { a: vec![0.0; packed_len(d + k)], b: vec![0.0; d + k], counts: Counts::default() };
    let new = Own::of(&zeros, own_at, shared_at, lambda)?;
    let belief = |arm: &Own| {
        let mut theta = vec![0.0; d + k];
        for (l, (at, own)) in own_at.iter().zip(&arm.alone).enumerate() {
            let shared: f64 = arm.g[l * k..(l + 1) * k].iter().zip(&beta.mean).map(|(g, beta)| g * beta).sum();
            theta[*at] = own - shared;
        }
        shared_at.iter().zip(&beta.mean).for_each(|(at, beta)| theta[*at] = *beta);
        // The covariance is S S', and `A_a^-1` besides: S is `-G U` and U, of which `U U' = A_0^-1`.
        let mut s = vec![0.0; (d + k) * k];
        for (e, at) in shared_at.iter().enumerate() {
            let u_e = &root[e * k..(e + 1) * k];
            s[at * k..(at + 1) * k].copy_from_slice(u_e);
            for (l, at) in own_at.iter().enumerate() {
                let g_le = arm.g[l * k + e];
                s[at * k..(at + 1) * k].iter_mut().zip(u_e).for_each(|(s, u)| *s -= g_le * u);
            }
        }
        let mut covariance = if k == 0 { vec![0.0; packed_len(d)] } else { Rows::of(&s, k).square() };
        let mut a_inv = arm.a_inv.iter();
        for (l, j) in own_at.iter().enumerate() {
            let column = j * (2 * (d + k) - j + 1) / 2;
            own_at.iter().skip(l).zip(&mut a_inv).for_each(|(i, a)| covariance[column + i - j] += a);
        }
        Posterior::of(theta, covariance, arm.precision + beta.precision, arm.counts, (0.0, 0.0))
    };
    let new = belief(&new).map(Arc::new);
    let of = |arm: &Option<Arc<Own>>| arm.as_deref().map_or_else(|| new.clone(), |arm| belief(arm).map(Arc::new));
    Ok(arms.iter().map(of).collect())
}
