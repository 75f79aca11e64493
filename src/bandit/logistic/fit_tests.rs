//! Logistic regression from sums against that from the observations themselves. Fits no arm of its own.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::curve::sigma;
use super::fit;

/// Observations of factors of categories and of normal features, and what was accepted.
struct World {
    xs: Vec<Vec<f64>>,
    accepted: Vec<f64>,
}

impl World {
    /// `rate` is accepted at the intercept; effects are normal with this deviation.
    fn of(factors: &[usize], normals: usize, rate: f64, effects: f64, n: usize, seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = move || {
            let uniform = |chance: &mut ChaCha8Rng| chance.random::<f64>();
            ((0..12).map(|_| uniform(&mut chance)).sum::<f64>() - 6.0, uniform(&mut chance))
        };
        let d = 1 + factors.iter().sum::<usize>() + normals;
        let mut truth: Vec<f64> = (0..d).map(|_| effects * normal().0).collect();
        truth[0] = libm::log(rate / (1.0 - rate));
        let mut world = Self { xs: Vec::new(), accepted: Vec::new() };
        for _ in 0..n {
            let mut x = vec![1.0];
            for size in factors {
                let share = normal().1;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the factor")]
                let picked = (share * share * f64::from(u32::try_from(*size).unwrap())) as usize;
                x.extend((0..*size).map(|at| f64::from(u8::from(at == picked))));
            }
            x.extend((0..normals).map(|_| normal().0));
            let s: f64 = x.iter().zip(&truth).map(|(x, t)| x * t).sum();
            world.accepted.push(f64::from(u8::from(normal().1 < sigma(s))));
            world.xs.push(x);
        }
        world
    }

    fn sums(&self) -> (Vec<f64>, Vec<f64>) {
        let d = self.xs[0].len();
        let (mut m, mut b) = (vec![0.0; d * d], vec![0.0; d]);
        for (x, r) in self.xs.iter().zip(&self.accepted) {
            for i in 0..d {
                b[i] += r * x[i];
                (0..d).for_each(|j| m[i * d + j] += x[i] * x[j]);
            }
        }
        (m, b)
    }

    /// The maximum of the posterior and its curvature, by Newton over all observations.
    fn laplace(&self, lambda: f64, centre: f64) -> (Vec<f64>, Vec<f64>) {
        let d = self.xs[0].len();
        let (mut theta, mut a) = (vec![0.0; d], Vec::new());
        theta[0] = centre;
        for _ in 0..50 {
            let mut gradient: Vec<f64> = theta.iter().map(|t| -lambda * t).collect();
            gradient[0] += lambda * centre;
            a = vec![0.0; d * d];
            (0..d).for_each(|i| a[i * d + i] = lambda);
            for (x, r) in self.xs.iter().zip(&self.accepted) {
                let p = sigma(dot(x, &theta));
                for i in (0..d).filter(|i| x[*i] != 0.0) {
                    gradient[i] += (r - p) * x[i];
                    (0..d).for_each(|j| a[i * d + j] += p * (1.0 - p) * x[i] * x[j]);
                }
            }
            let step = solved(&a, gradient);
            let longest = step.iter().fold(0.0, |long: f64, s| long.max(s.abs()));
            let scale = if longest > 1.0 { 1.0 / longest } else { 1.0 };
            theta.iter_mut().zip(&step).for_each(|(t, s)| *t += scale * s);
        }
        (theta, a)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn solved(a: &[f64], mut x: Vec<f64>) -> Vec<f64> {
    let (mut a, d) = (a.to_vec(), x.len());
    for j in 0..d {
        for i in j + 1..d {
            let share = a[i * d + j] / a[j * d + j];
            (j..d).for_each(|k| a[i * d + k] -= share * a[j * d + k]);
            x[i] -= share * x[j];
        }
    }
    for i in (0..d).rev() {
        let known: f64 = (i + 1..d).map(|k| a[i * d + k] * x[k]).sum();
        x[i] = (x[i] - known) / a[i * d + i];
    }
    x
}

/// Over the first observations: the root mean square of the difference of means, in deviations, and the smallest and
/// the largest ratio of deviations.
fn compare(world: &World, centre: f64) -> (f64, f64, f64) {
    let (m, b) = world.sums();
    let (theta, a) = fit(&m, &b, 1.0, centre).unwrap();
    let (mode, curvature) = world.laplace(1.0, centre);
    let (mut square, mut least, mut most) = (0.0, f64::INFINITY, 0.0_f64);
    let looked_at = world.xs.iter().take(60);
    let count = f64::from(u32::try_from(looked_at.len()).unwrap());
    for x in looked_at {
        let deviation = |a: &[f64]| dot(x, &solved(a, x.clone())).sqrt();
        let (ours, theirs) = (deviation(&a), deviation(&curvature));
        let apart = (dot(x, &theta) - dot(x, &mode)) / theirs;
        square += apart * apart;
        (least, most) = (least.min(ours / theirs), most.max(ours / theirs));
    }
    ((square / count).sqrt(), least, most)
}

#[test]
fn one_factor_of_categories_is_fitted_exactly() {
    for (rate, n, seed) in [(0.01, 40, 1), (0.01, 3_000, 2), (0.2, 500, 3), (0.6, 3_000, 4)] {
        let (off, least, most) = compare(&World::of(&[7], 0, rate, 0.8, n, seed), libm::log(rate / (1.0 - rate)));
        assert!(off < 1e-3 && least > 0.998 && most < 1.002, "{rate} {n}: {off} {least} {most}");
    }
}

#[test]
fn several_factors_and_normal_features_are_fitted_within_their_deviation() {
    for (factors, normals, effects) in [(&[4, 6][..], 0, 0.8), (&[][..], 8, 0.4), (&[3, 5][..], 3, 0.5)] {
        for (rate, n, seed) in [(0.01, 300, 1), (0.05, 2_000, 2), (0.3, 2_000, 3)] {
            let world = World::of(factors, normals, rate, effects, n, seed);
            let (off, least, most) = compare(&world, libm::log(rate / (1.0 - rate)));
            assert!(off < 0.5 && least > 0.8 && most < 1.25, "{factors:?} {normals} {rate} {n}: {off} {least} {most}");
        }
    }
}

#[test]
fn a_product_beside_its_factors_leaves_everything_finite_and_near() {
    // Every category of the factors is a sum of categories of the product: cells of three blocks say the same thrice.
    for (rate, seed) in [(0.02, 5), (0.1, 6), (0.4, 7)] {
        let mut world = World::of(&[3, 4], 2, rate, 0.7, 6_000, seed);
        for x in &mut world.xs {
            let product: Vec<f64> =
                (1..4).flat_map(|i| (4..8).map(move |j| (i, j))).map(|(i, j)| x[i] * x[j]).collect();
            x.extend(product);
        }
        let (off, least, most) = compare(&world, libm::log(rate / (1.0 - rate)));
        assert!(off < 0.25 && least > 0.5 && most < 1.5, "{rate}: {off} {least} {most}");
    }
}

#[test]
fn an_arm_that_learned_nothing_has_its_prior_and_one_of_a_kind_is_no_trouble() {
    let (theta, a) = fit(&[0.0; 4], &[0.0; 2], 3.0, -2.0).unwrap();
    assert_eq!((theta, a), (vec![-2.0, 0.0], vec![3.0, 0.0, 0.0, 3.0]));
    // Everybody accepted, everybody of one category: nothing tells intercept and category apart.
    let (theta, _) = fit(&[5.0; 4], &[5.0; 2], 1.0, -2.0).unwrap();
    assert!((theta[0] + 2.0 - theta[1]).abs() < 1e-3 && theta[1] > 0.5, "{theta:?}");
    // More was taken back than given.
    assert!(fit(&[-1.0; 4], &[0.0; 2], 1.0, -2.0).is_ok());
}
