//! Factor, solutions and inverse against the sums of the textbook, element by element, to the bit and on every
//! instruction set. Holds no code of theirs.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::blocks::{Shape, packed_len};
use super::cholesky::Factor;
use super::hot_rule::instruction_sets;
use super::posterior::PosteriorAlarm;
use super::products::Rows;

/// `lambda I + sum x x'` of a few vectors, as packed columns.
fn matrix(chance: &mut ChaCha8Rng, d: usize) -> Vec<f64> {
    let zeros: f64 = chance.random();
    let number = |chance: &mut ChaCha8Rng| {
        let x = 8.0 * chance.random::<f64>() - 4.0;
        if chance.random::<f64>() < zeros { 0.0 } else { x }
    };
    let seen: Vec<Vec<f64>> = (0..d + 3).map(|_| (0..d).map(|_| number(chance)).collect()).collect();
    let sum = |i: usize, j: usize| seen.iter().map(|x| x[i] * x[j]).sum::<f64>();
    (0..d).flat_map(|j| (j..d).map(move |i| (i, j))).map(|(i, j)| sum(i, j) + f64::from(u8::from(i == j))).collect()
}

/// Rows of what is packed; zeros above the diagonal.
fn rows(packed: &[f64], d: usize) -> Vec<Vec<f64>> {
    let at = |i: usize, j: usize| packed[j * (2 * d - j + 1) / 2 + i - j];
    (0..d).map(|i| (0..d).map(|j| if i < j { 0.0 } else { at(i, j) }).collect()).collect()
}

/// What the textbook makes of a matrix: every sum in the order of its index, the inverse of each pivot's root
/// multiplied with.
struct Textbook {
    l: Vec<Vec<f64>>,
    inverses: Vec<f64>,
}

impl Textbook {
    fn of(packed: &[f64], d: usize) -> Self {
        let (mut l, mut inverses) = (rows(packed, d), vec![0.0; d]);
        for j in 0..d {
            for i in j..d {
                for k in 0..j {
                    l[i][j] -= l[i][k] * l[j][k];
                }
            }
            inverses[j] = 1.0 / l[j][j].sqrt();
            (j..d).for_each(|i| l[i][j] *= inverses[j]);
        }
        Self { l, inverses }
    }

    fn lower(&self, b: &[f64]) -> Vec<f64> {
        let mut z = b.to_vec();
        for i in 0..z.len() {
            for k in 0..i {
                z[i] -= self.l[i][k] * z[k];
            }
            z[i] *= self.inverses[i];
        }
        z
    }

    fn upper(&self, z: &[f64]) -> Vec<f64> {
        let mut x = z.to_vec();
        for j in (0..x.len()).rev() {
            let mut known = 0.0;
            (j + 1..x.len()).for_each(|i| known += self.l[i][j] * x[i]);
            x[j] = (x[j] - known) * self.inverses[j];
        }
        x
    }

    fn inverse(&self) -> Vec<f64> {
        let d = self.inverses.len();
        let unit = |j: usize| (0..d).map(|i| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
        let columns: Vec<Vec<f64>> = (0..d).map(|j| self.lower(&unit(j))).collect();
        let sum = |i: usize, j: usize| (i..d).fold(0.0, |sum, k| sum + columns[i][k] * columns[j][k]);
        (0..d).flat_map(|j| (j..d).map(move |i| (i, j))).map(|(i, j)| sum(i, j)).collect()
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

#[test]
fn factor_solutions_and_inverse_are_the_textbooks_to_the_bit_on_every_instruction_set() {
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    for d in (0..=26).chain([31, 32, 33, 40, 63, 64, 65, 115]) {
        let a = matrix(&mut chance, d);
        let b: Vec<f64> = (0..d).map(|_| chance.random::<f64>() - 0.5).collect();
        let textbook = Textbook::of(&a, d);
        let (z, inverse) = (textbook.lower(&b), bits(&textbook.inverse()));
        for (set, arch) in instruction_sets() {
            let factor = Factor::of_on(arch, &a, d).unwrap();
            let mut x = b.clone();
            factor.solve_lower(&mut x);
            assert_eq!(bits(&x), bits(&z), "{set}, {d} dimensions");
            factor.solve_upper(&mut x);
            assert_eq!(bits(&x), bits(&textbook.upper(&z)), "{set}, {d} dimensions");
            assert_eq!(bits(&factor.invert_on(arch)), inverse, "{set}, {d} dimensions");
        }
    }
}

#[test]
fn products_with_a_root_are_sums_in_order_to_the_bit_on_every_instruction_set() {
    let mut chance = ChaCha8Rng::seed_from_u64(8);
    for d in (1..=18).chain([31, 32, 33]) {
        let [a, v] = [matrix(&mut chance, d), matrix(&mut chance, d)];
        let spread: Vec<f64> = (0..d).map(|_| 0.1 + chance.random::<f64>()).collect();
        let lower = rows(&a, d);
        let symmetric = |i: usize, j: usize| lower[i.max(j)][i.min(j)];
        let Textbook { l, inverses } = Textbook::of(&v, d);
        let root = |k: usize, c: usize| if k == c { 1.0 / inverses[k] } else { l[k][c] } / spread[k];
        let product = |i: usize, c: usize| (c..d).fold(0.0, |sum, k| sum + symmetric(i, k) * root(k, c));
        let s: Vec<f64> = (0..d).flat_map(|i| (0..d).map(move |c| (i, c))).map(|(i, c)| product(i, c)).collect();
        let square = |i: usize, j: usize| (0..d).fold(0.0, |sum, c| sum + s[i * d + c] * s[j * d + c]);
        let pairs = (0..d).flat_map(|j| (j..d).map(move |i| (i, j)));
        let expected = bits(&pairs.map(|(i, j)| square(i, j)).collect::<Vec<f64>>());
        let x: Vec<f64> = (0..d).map(|_| chance.random::<f64>() - 0.5).collect();
        let times: Vec<f64> = (0..d).map(|i| (0..d).fold(0.0, |sum, k| sum + symmetric(i, k) * x[k])).collect();
        for (set, arch) in instruction_sets() {
            let factor = Factor::of_on(arch, &v, d).unwrap();
            let rows = Rows::symmetric(&a, d);
            assert_eq!(bits(&rows.times(&x)), bits(&times), "{set}, {d} dimensions");
            let product = rows.times_root_on(arch, &factor.root().over(&spread));
            assert_eq!(bits(&product.square_on(arch)), expected, "{set}, {d} dimensions");
            assert_eq!(bits(&Rows::of(&s, d).square_on(arch)), expected, "{set}, {d} dimensions");
        }
    }
}

#[test]
fn what_is_not_positive_definite_or_not_finite_has_no_factor_wherever_that_shows() {
    for d in [1, 3, 4, 5, 8, 9, 17] {
        for at in 0..d {
            let with = |pivot: f64| {
                let mut a = vec![0.0; packed_len(d)];
                for j in 0..d {
                    a[j * (2 * d - j + 1) / 2] = if j == at { pivot } else { 2.0 };
                }
                Factor::of(&a, d).err()
            };
            assert_eq!(with(1e-300), None, "{at} of {d}");
            for pivot in [0.0, -0.0, -1.0] {
                assert_eq!(with(pivot), Some(PosteriorAlarm::NotPositiveDefinite), "{pivot} at {at} of {d}");
            }
            for pivot in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(with(pivot), Some(PosteriorAlarm::NotFinite), "{pivot} at {at} of {d}");
            }
        }
    }
}

#[test]
fn what_is_unpacked_stands_in_its_block_behind_the_zeros() {
    let d = 11;
    let packed: Vec<f64> = (0..d).flat_map(|j| (j..d).map(move |i| f64::from(100 * i + j + 1))).collect();
    let shape = Shape::of(11);
    let blocks = shape.unpack(&packed);
    assert_eq!((shape.blocks, shape.zeros, blocks.len()), (2, 5, 6));
    for (i, j) in (0..16).flat_map(|j| (j..16).map(move |i| (i, j))) {
        let line = blocks.as_flattened()[4 * Shape::before(i / 8) + j];
        let [row, column] = [i, j].map(|at| u32::try_from(at).unwrap().checked_sub(5));
        let expected = row.zip(column).map_or(0.0, |(row, column)| f64::from(100 * row + column + 1));
        assert_eq!(line.0[i % 8], expected, "{i} {j}");
    }
}
