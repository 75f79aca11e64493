//! Sums: the weighted sums of one generation of one arm, as integers. Knows no day and no prior.

use super::statistics::Increment;

/// The weighted sums of one generation. Components behind the last that is not zero are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    pub(super) w: i128,
    pub(super) r: i128,
    pub(super) v: i128,
    pub(super) rx: Vec<i128>,
    pub(super) xx: Vec<i128>, // packed upper triangle, column by column: (i, j), i <= j, at j (j + 1) / 2 + i
}

impl Sums {
    /// Sum of w, in 2^-16ths.
    pub fn w(&self) -> i128 {
        self.w
    }

    /// Sum of w * accepted, in 2^-16ths; also the sum of w * accepted^2, accepted being 0 or 1.
    pub fn r(&self) -> i128 {
        self.r
    }

    /// Sum of w * realised margin of what was accepted, in 2^-16ths of minor units; zero where values are not learned.
    pub fn v(&self) -> i128 {
        self.v
    }

    /// Sum of w * accepted * `x_i`, in 2^-36ths.
    pub fn rx(&self, i: usize) -> i128 {
        self.rx.get(i).copied().unwrap_or(0)
    }

    /// Sum of w * `x_i` * `x_j`, in 2^-56ths.
    pub fn xx(&self, i: usize, j: usize) -> i128 {
        let (i, j) = (i.min(j), i.max(j));
        self.xx.get(triangle(j) + i).copied().unwrap_or(0)
    }

    /// Number of components kept.
    pub fn dimensions(&self) -> usize {
        self.rx.len()
    }

    fn grow(&mut self, dimensions: usize) {
        if dimensions > self.rx.len() {
            self.rx.resize(dimensions, 0);
            self.xx.resize(triangle(dimensions), 0);
        }
    }

    pub(super) fn trim(&mut self) {
        while let Some(last) = self.rx.len().checked_sub(1) {
            let zero = |sum: &i128| *sum == 0;
            if !self.rx.iter().skip(last).all(zero) || !self.xx.iter().skip(triangle(last)).all(zero) {
                break;
            }
            self.rx.truncate(last);
            self.xx.truncate(triangle(last));
        }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.w == 0 && self.r == 0 && self.v == 0 && self.rx.is_empty()
    }

    pub(super) fn apply(&mut self, increment: &Increment, times: u8) {
        let times = i128::from(times);
        let weight = i128::from(increment.weight) * times;
        let exposed =
            increment.matured.map_or(weight * i128::from(increment.exposure), |matured| i128::from(matured) * times);
        let accepted = weight * i128::from(increment.accepted);
        self.w += exposed;
        self.r += accepted;
        self.v += weight * i128::from(increment.value);
        self.grow(increment.features.dimensions());
        let x = increment.features.as_slice();
        for (j, x_j) in x.iter().enumerate().filter(|(_, x_j)| **x_j != 0) {
            let x_j = i128::from(*x_j);
            if let Some(sum) = self.rx.get_mut(j) {
                *sum += accepted * x_j;
            }
            let exposed_j = exposed * x_j;
            for (sum, x_i) in self.xx.iter_mut().skip(triangle(j)).zip(x.iter().take(j + 1)) {
                *sum += exposed_j * i128::from(*x_i);
            }
        }
        self.trim();
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.w += other.w;
        self.r += other.r;
        self.v += other.v;
        self.grow(other.dimensions());
        self.rx.iter_mut().zip(&other.rx).for_each(|(sum, more)| *sum += more);
        self.xx.iter_mut().zip(&other.xx).for_each(|(sum, more)| *sum += more);
        self.trim();
    }
}

/// Number of packed elements before column `j`.
pub(super) fn triangle(j: usize) -> usize {
    j * (j + 1) / 2
}
