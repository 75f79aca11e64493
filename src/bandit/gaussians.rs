//! Gaussians that hang together in a tree: what a child says of its parent, and what its parent says of it. Reads no
//! statistics and estimates no spread.
//!
//! A child has the mean of its parent plus a difference of its own, `theta ~ N(mu, T)` with T diagonal. What was
//! observed of a child is information `(Lambda, eta)`: a likelihood proportional to
//! `exp(-theta' Lambda theta / 2 + eta' theta)`. All matrices are packed as those of [`super::Posterior`].

use super::blocks::packed_len;
use super::cholesky::{Factor, trace};
use super::posterior::{PosteriorAlarm, finite};
use super::products::{Root, Rows};

/// Information about a vector: `Lambda` packed, and `eta`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Information {
    pub(super) precision: Vec<f64>,
    pub(super) eta: Vec<f64>,
}

/// What is believed of a vector: mean and packed covariance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Belief {
    pub(super) mean: Vec<f64>,
    pub(super) covariance: Vec<f64>,
    /// At least the largest eigenvalue of the covariance's inverse.
    pub(super) precision: f64,
}

/// A child before its parent is known: `M = (Lambda + T^-1)^-1` and `M eta`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Child {
    m: Vec<f64>,
    m_eta: Vec<f64>,
    precision: f64, // tr (Lambda + T^-1)
}

/// What a parent of which `N(mu, V)` is believed says of every child: `T^-1 mu`, and a root of `T^-1 V T^-1`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parent {
    told: Vec<f64>,
    root: Root,
}

impl Information {
    /// None.
    pub(super) fn none(dimensions: usize) -> Self {
        Self { precision: vec![0.0; packed_len(dimensions)], eta: vec![0.0; dimensions] }
    }

    /// Adds what somebody else says of the same vector.
    pub(super) fn add(&mut self, other: &Self) {
        self.precision.iter_mut().zip(&other.precision).for_each(|(own, more)| *own += more);
        self.eta.iter_mut().zip(&other.eta).for_each(|(own, more)| *own += more);
    }

    /// Takes back what [`Information::add`] added.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.precision.iter_mut().zip(&other.precision).for_each(|(own, less)| *own -= less);
        self.eta.iter_mut().zip(&other.eta).for_each(|(own, less)| *own -= less);
    }

    /// With an independent Gaussian for each component before it: the belief, `Lambda + diag(1 / variance)` inverted.
    pub(super) fn with_prior(&self, mean: &[f64], variance: &[f64]) -> Result<Belief, PosteriorAlarm> {
        let Child { m, m_eta, precision } = Child::of(self, variance)?;
        let own: Vec<f64> = mean.iter().zip(variance).map(|(mean, variance)| mean / variance).collect();
        let mean = times(&m, &own).into_iter().zip(m_eta).map(|(own, told)| own + told).collect();
        Ok(Belief { mean, covariance: m, precision })
    }
}

impl Child {
    /// One of whom this is known, and whose difference from its parent has these variances.
    pub(super) fn of(known: &Information, spread: &[f64]) -> Result<Self, PosteriorAlarm> {
        let mut a = known.precision.clone();
        let mut diagonal = 0;
        for (below, variance) in (0..spread.len()).rev().zip(spread) {
            if let Some(a_jj) = a.get_mut(diagonal) {
                *a_jj += 1.0 / variance;
            }
            diagonal += below + 1;
        }
        if !(finite(&a) && finite(&known.eta)) {
            return Err(PosteriorAlarm::NotFinite);
        }
        let precision = trace(&a, spread.len());
        let m = Factor::of(&a, spread.len())?.invert();
        let m_eta = times(&m, &known.eta);
        if finite(&m) && finite(&m_eta) { Ok(Self { m, m_eta, precision }) } else { Err(PosteriorAlarm::NotFinite) }
    }

    /// What it says of its parent: `(Lambda^-1 + T)^-1 = T^-1 - T^-1 M T^-1` and `T^-1 M eta`.
    pub(super) fn says(&self, spread: &[f64]) -> Information {
        let mut precision = Vec::with_capacity(self.m.len());
        let mut columns = self.m.as_slice();
        for (j, t_j) in spread.iter().enumerate() {
            let (column, next) = columns.split_at(spread.len() - j);
            precision.extend(column.iter().zip(spread.iter().skip(j)).enumerate().map(|(below, (m, t_i))| {
                let own = if below == 0 { 1.0 / t_j } else { 0.0 };
                own - m / (t_i * t_j)
            }));
            columns = next;
        }
        Information { precision, eta: self.m_eta.iter().zip(spread).map(|(m_eta, t)| m_eta / t).collect() }
    }

    /// What is believed of it once its parent is: `M (eta + T^-1 mu)` and `M + M T^-1 V T^-1 M`. The parent's belief
    /// holds what the child said of it, and nothing is counted twice.
    ///
    /// Of two positive definite matrices neither makes the sum less certain than the other: `Lambda + T^-1` bounds what
    /// the covariance's inverse is.
    pub(super) fn under(&self, parent: &Parent) -> Belief {
        let m = Rows::symmetric(&self.m, self.m_eta.len());
        let mean = m.times(&parent.told).into_iter().zip(&self.m_eta).map(|(told, own)| told + own).collect();
        let mut covariance = m.times_root(&parent.root).square();
        covariance.iter_mut().zip(&self.m).for_each(|(sum, m)| *sum += m);
        Belief { mean, covariance, precision: self.precision }
    }
}

impl Belief {
    /// What it says of children that differ from it by these variances.
    pub(super) fn over(&self, spread: &[f64]) -> Result<Parent, PosteriorAlarm> {
        let told = self.mean.iter().zip(spread).map(|(mu, t)| mu / t).collect();
        let root = Factor::of(&self.covariance, spread.len())?.root().over(spread);
        Ok(Parent { told, root })
    }

    /// What is believed of a child that nothing is known of.
    pub(super) fn of_new_child(&self, spread: &[f64]) -> Self {
        let mut born = Self { precision: spread.iter().map(|t| 1.0 / t).sum(), ..self.clone() };
        let mut diagonal = 0;
        for (below, variance) in (0..spread.len()).rev().zip(spread) {
            if let Some(v_jj) = born.covariance.get_mut(diagonal) {
                *v_jj += variance;
            }
            diagonal += below + 1;
        }
        born
    }

    /// The variance of each component.
    pub(super) fn variances(&self) -> Vec<f64> {
        let (mut columns, d) = (self.covariance.as_slice(), self.mean.len());
        let mut variances = Vec::with_capacity(d);
        for height in (1..=d).rev() {
            let (column, next) = columns.split_at(height);
            variances.extend(column.first());
            columns = next;
        }
        variances
    }
}

/// A packed symmetric matrix times a vector.
pub(super) fn times(packed: &[f64], x: &[f64]) -> Vec<f64> {
    let (mut columns, mut y) = (packed, vec![0.0; x.len()]);
    for (j, x_j) in x.iter().enumerate() {
        let (column, next) = columns.split_at(x.len() - j);
        let below: f64 = column.iter().zip(x.iter().skip(j)).skip(1).map(|(a, x_i)| a * x_i).sum();
        y.iter_mut().skip(j).zip(column).for_each(|(y_i, a)| *y_i += a * x_j);
        if let Some(y_j) = y.get_mut(j) {
            *y_j += below;
        }
        columns = next;
    }
    y
}

/// A packed symmetric matrix as rows.
pub(super) fn dense(packed: &[f64], d: usize) -> Vec<f64> {
    let mut rows = vec![0.0; d * d];
    let mut columns = packed;
    for j in 0..d {
        let (column, next) = columns.split_at(d - j);
        for (i, a) in (j..d).zip(column) {
            for at in [i * d + j, j * d + i] {
                if let Some(cell) = rows.get_mut(at) {
                    *cell = *a;
                }
            }
        }
        columns = next;
    }
    rows
}
