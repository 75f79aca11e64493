//! Logistic regression over rows, with a ridge: how well features tell one group from the others. Learns nothing that
//! decides, and knows no customer.
//!
//! Not the fit of [`bandit`](crate::bandit), which sees sums of an arm alone and no single observation.

/// One customer: the components that are not zero, by position, and whether the customer is in the group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) x: Vec<(usize, f64)>,
    pub(super) y: bool,
}

impl Row {
    /// `beta' x`.
    pub(super) fn score(&self, beta: &[f64]) -> f64 {
        self.x.iter().map(|(at, x)| x * beta.get(*at).copied().unwrap_or_default()).sum()
    }
}

/// Newton steps: six are usual.
const STEPS_MAX: usize = 30;

/// A step below this is the last.
const MOVE_MIN: f64 = 1e-8;

/// The ridge of every coefficient but the intercept's: that of a normal prior of deviation 1.
const RIDGE: f64 = 1.0;

/// The intercept's, so small that it only keeps a sum without spread solvable.
const RIDGE_INTERCEPT: f64 = 1e-6;

fn sigma(s: f64) -> f64 {
    if s >= 0.0 {
        1.0 / (1.0 + libm::exp(-s))
    } else {
        let e = libm::exp(s);
        e / (1.0 + e)
    }
}

/// The loss that is minimised: minus the log-likelihood, and half the ridge.
fn loss(rows: &[&Row], beta: &[f64], ridge: &[f64]) -> f64 {
    let of_row = |row: &&Row| {
        let s = if row.y { row.score(beta) } else { -row.score(beta) };
        if s >= 0.0 { libm::log1p(libm::exp(-s)) } else { libm::log1p(libm::exp(s)) - s }
    };
    rows.iter().map(of_row).sum::<f64>() + 0.5 * beta.iter().zip(ridge).map(|(b, r)| r * b * b).sum::<f64>()
}

/// The coefficients, the intercept first. Nothing where the numbers are not finite.
pub(super) fn fit(rows: &[&Row], dimensions: usize) -> Option<Vec<f64>> {
    let d = dimensions;
    let mut ridge = vec![RIDGE; d];
    *ridge.first_mut()? = RIDGE_INTERCEPT;
    let (mut beta, mut before) = (vec![0.0; d], f64::INFINITY);
    for _ in 0..STEPS_MAX {
        let mut hessian = vec![0.0; d * d];
        let mut delta: Vec<f64> = beta.iter().zip(&ridge).map(|(b, r)| -r * b).collect();
        for row in rows {
            let p = sigma(row.score(&beta));
            let (rest, weight) = (f64::from(u8::from(row.y)) - p, p * (1.0 - p));
            for (i, x) in &row.x {
                *delta.get_mut(*i)? += rest * x;
                for (k, y) in &row.x {
                    *hessian.get_mut(i * d + k)? += weight * x * y;
                }
            }
        }
        for (i, r) in ridge.iter().enumerate() {
            *hessian.get_mut(i * d + i)? += r;
        }
        solve(&mut hessian, &mut delta)?;
        // Halved until it leads down: far from the end a whole step may lead up.
        let mut scale = 1.0;
        let next = loop {
            let next: Vec<f64> = beta.iter().zip(&delta).map(|(b, step)| b + scale * step).collect();
            let now = loss(rows, &next, &ridge);
            if now <= before || scale < 1e-4 {
                before = now;
                break next;
            }
            scale *= 0.5;
        };
        let moved = delta.iter().fold(0.0_f64, |most, step| most.max((scale * step).abs()));
        beta = next;
        if moved < MOVE_MIN {
            break;
        }
    }
    beta.iter().all(|b| b.is_finite()).then_some(beta)
}

/// Solves `A x = b` in place for a symmetric positive definite `A`, by its Cholesky factor.
fn solve(a: &mut [f64], x: &mut [f64]) -> Option<()> {
    let d = x.len();
    let at = |a: &[f64], i: usize, k: usize| a.get(i * d + k).copied().unwrap_or(f64::NAN);
    for i in 0..d {
        for k in 0..=i {
            let known: f64 = (0..k).map(|l| at(a, i, l) * at(a, k, l)).sum();
            let rest = at(a, i, k) - known;
            let entry = if i == k { rest.sqrt() } else { rest / at(a, k, k) };
            if !entry.is_finite() || (i == k && entry <= 0.0) {
                return None;
            }
            *a.get_mut(i * d + k)? = entry;
        }
    }
    for i in 0..d {
        let known: f64 = (0..i).map(|k| at(a, i, k) * x.get(k).copied().unwrap_or_default()).sum();
        let entry = x.get_mut(i)?;
        *entry = (*entry - known) / at(a, i, i);
    }
    for i in (0..d).rev() {
        let known: f64 = (i + 1..d).map(|k| at(a, k, i) * x.get(k).copied().unwrap_or_default()).sum();
        let entry = x.get_mut(i)?;
        *entry = (*entry - known) / at(a, i, i);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the intercept and one component, as many as told of each kind.
    fn rows(counts: &[(f64, bool, usize)]) -> Vec<Row> {
        let row = |(x, y, times): &(f64, bool, usize)| vec![Row { x: vec![(0, 1.0), (1, *x)], y: *y }; *times];
        counts.iter().flat_map(row).collect()
    }

    fn fitted(rows: &[Row]) -> Vec<f64> {
        fit(&rows.iter().collect::<Vec<_>>(), 2).unwrap()
    }

    #[test]
    fn the_slope_of_two_categories_is_their_log_odds_ratio() {
        // 3,000 of 4,000 against 1,000 of 4,000: the ridge of 1 hardly counts beside so many.
        let all = rows(&[(1.0, true, 3_000), (1.0, false, 1_000), (0.0, true, 1_000), (0.0, false, 3_000)]);
        let beta = fitted(&all);
        let odds = libm::log(3.0);
        assert!((beta[0] + odds).abs() < 0.01 && (beta[1] - 2.0 * odds).abs() < 0.01, "{beta:?}");
        // At the end the gradient is zero, the ridge's part included.
        let gradient: f64 =
            all.iter().map(|row| row.x[1].1 * (f64::from(u8::from(row.y)) - sigma(row.score(&beta)))).sum();
        assert!((gradient - RIDGE * beta[1]).abs() < 1e-6, "{gradient}");
    }

    #[test]
    fn what_tells_groups_apart_for_certain_has_an_end_all_the_same_and_what_tells_nothing_has_no_slope() {
        let apart = fitted(&rows(&[(1.0, true, 50), (0.0, false, 50)]));
        assert!(apart[1] > 3.0 && apart[1].is_finite(), "{apart:?}");
        let nothing = fitted(&rows(&[(0.0, true, 30), (0.0, false, 70)]));
        assert!(nothing[1] == 0.0 && (nothing[0] - libm::log(30.0 / 70.0)).abs() < 1e-4, "{nothing:?}");
        assert_eq!(fit(&[], 0), None);
        let broken = [Row { x: vec![(0, 1.0), (1, f64::NAN)], y: true }];
        assert_eq!(fit(&[&broken[0]], 2), None);
    }
}
