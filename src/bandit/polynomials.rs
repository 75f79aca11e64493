//! Exponential, logarithm and the normal distribution by polynomials of + - * / only, so that the bits do not depend on
//! the processor. Decides nothing.
//!
//! Every function here is inlined into its caller: compiled for several instruction sets, the same operations in the
//! same order become wider vectors and stay the same bits. Nothing is contracted to a fused multiply-add.

#![expect(clippy::inline_always, reason = "a call would leave the caller's instruction set")]

/// Where the normal distribution function is taken as 0 and 1.
const Z_MAX: f32 = 6.0;

/// `logit(Phi(z)) = z Q(z^2)` within a `Phi` of 8.3e-6, monotone on [-6, 6]; by weighted minimax fit.
const Q: [f32; 7] =
    [1.595_644_1, 0.072_894_595, -0.000_182_635_63, -8.524_855e-5, 5.346_28e-6, -1.434_193_2e-7, 1.447_448_3e-9];

/// The same over ln 2, so that the exponential is one of base 2.
const Q_BINARY: [f32; 7] =
    [2.302_027_8, 0.105_164_67, -0.000_263_487_5, -0.000_122_987_66, 7.713_052e-6, -2.069_103_4e-7, 2.088_277e-9];

/// `2^f` for f in [-1/2, 1/2], within 2.6e-6 of it, highest power first.
const EXP2: [f32; 5] = [0.009_570_081, 0.055_917_86, 0.240_247_45, 0.693_121_8, 0.999_999_3];

/// Adding this to a number of moderate size rounds it to a whole one, which then stands in the low bits.
const WHOLE: f32 = 12_582_912.0;

/// The normal distribution function and its hazard, density over distribution function.
///
/// The hazard is the derivative of the logarithm of the approximated function, so that a rule that integrates with both
/// integrates one consistent set of distributions. At 6 and above it is zero: a leak of 1e-9 there adds up over long
/// stretches.
#[inline(always)]
pub(super) fn normal(z: f32) -> (f32, f32) {
    let above = z >= Z_MAX;
    let z = if z > -Z_MAX { z } else { -Z_MAX };
    let z = if z < Z_MAX { z } else { Z_MAX };
    let u = z * z;
    let [q0, q1, q2, q3, q4, q5, q6] = Q_BINARY;
    let x = -(z * ((((((q6 * u + q5) * u + q4) * u + q3) * u + q2) * u + q1) * u + q0));
    let t = x + WHOLE;
    let f = x - (t - WHOLE);
    let [e4, e3, e2, e1, e0] = EXP2;
    let p = (((e4 * f + e3) * f + e2) * f + e1) * f + e0;
    let e = f32::from_bits(p.to_bits().wrapping_add(t.to_bits() << 23));
    let cdf = 1.0 / (1.0 + e);
    let [q0, q1, q2, q3, q4, q5, q6] = Q;
    let slope =
        ((((((13.0 * q6) * u + 11.0 * q5) * u + 9.0 * q4) * u + 7.0 * q3) * u + 5.0 * q2) * u + 3.0 * q1) * u + q0;
    (cdf, if above { 0.0 } else { slope * (e * cdf) })
}

/// The logarithm of the normal distribution function, by the same polynomial; constant below -6, and zero from 6 on.
#[inline(always)]
pub(super) fn ln_normal(z: f64) -> f64 {
    let limit = f64::from(Z_MAX);
    let above = z >= limit;
    let z = if z > -limit { z } else { -limit };
    let z = if z < limit { z } else { limit };
    let u = z * z;
    let [q0, q1, q2, q3, q4, q5, q6] = Q.map(f64::from);
    let e = exp(-(z * ((((((q6 * u + q5) * u + q4) * u + q3) * u + q2) * u + q1) * u + q0)));
    if above { 0.0 } else { -ln(1.0 + e) }
}

const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `e^x` within 2 units in the last place; below -700 what it is at -700, above 700 what it is there.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    let x = if x > -700.0 { x } else { -700.0 };
    let x = if x < 700.0 { x } else { 700.0 };
    let t = x * std::f64::consts::LOG2_E + WHOLE;
    let k = t - WHOLE;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    // Taylor: |r| is at most 0.35, so that the thirteenth term is below half a unit.
    let p = 1.0 / 479_001_600.0;
    let p = p * r + 1.0 / 39_916_800.0;
    let p = p * r + 1.0 / 3_628_800.0;
    let p = p * r + 1.0 / 362_880.0;
    let p = p * r + 1.0 / 40_320.0;
    let p = p * r + 1.0 / 5_040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    f64::from_bits(p.to_bits().wrapping_add(t.to_bits() << 52))
}

/// The natural logarithm of a normal number above zero, within 2 units in the last place.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    // The mantissa is taken from [sqrt(1/2), sqrt(2)), so that numbers near 1 lose nothing.
    const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
    const TWO_52: u64 = 0x4330_0000_0000_0000;
    let bits = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - SQRT_HALF);
    let k = f64::from_bits(TWO_52 | (bits >> 52)) - 4_503_599_627_371_519.0; // 2^52 + 1023
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) + SQRT_HALF);
    let s = (m - 1.0) / (m + 1.0);
    let u = s * s;
    // 2 atanh(s): |s| is at most 0.172.
    let p = 2.0 / 21.0;
    let p = p * u + 2.0 / 19.0;
    let p = p * u + 2.0 / 17.0;
    let p = p * u + 2.0 / 15.0;
    let p = p * u + 2.0 / 13.0;
    let p = p * u + 2.0 / 11.0;
    let p = p * u + 2.0 / 9.0;
    let p = p * u + 2.0 / 7.0;
    let p = p * u + 0.4;
    let p = p * u + 2.0 / 3.0;
    let p = p * u * s + 2.0 * s;
    k * LN2_HIGH + (p + k * LN2_LOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_within_9e_6_rises_and_its_hazard_is_the_slope_of_its_logarithm() {
        let mut before = 0.0;
        for step in -800..=800_i16 {
            let z = f32::from(step) / 100.0;
            let (cdf, hazard) = normal(z);
            let exact = 0.5 * libm::erfc(-f64::from(z) * std::f64::consts::FRAC_1_SQRT_2);
            assert!((f64::from(cdf) - exact).abs() < 9e-6, "Phi({z}) is {exact}, not {cdf}");
            assert!(cdf >= before, "Phi({z}) falls");
            before = cdf;
            if z.abs() < 5.9 {
                let ln_cdf = |z: f32| libm::log(f64::from(normal(z).0));
                let slope = (ln_cdf(z + 0.01) - ln_cdf(z - 0.01)) / 0.02;
                assert!((slope - f64::from(hazard)).abs() < 2e-4 * (1.0 + slope), "{z}: {slope} is not {hazard}");
            }
        }
        assert_eq!((normal(6.0).1, normal(40.0).1, normal(f32::MAX).1), (0.0, 0.0, 0.0));
    }

    #[test]
    fn exponential_and_logarithm_agree_with_libm_to_two_units() {
        let close = |name: &str, x: f64, got: f64, expected: f64| {
            assert!((got - expected).abs() <= 4.5e-16 * expected.abs(), "{name}({x}) is {expected}, not {got}");
        };
        for step in -70_000..=70_000_i32 {
            let x = f64::from(step) / 100.37;
            close("exp", x, exp(x), libm::exp(x));
            let y = libm::exp(x) * 1.013;
            close("ln", y, ln(y), libm::log(y));
            let near = 1.0 + f64::from(step) * 4e-6;
            close("ln", near, ln(near), libm::log(near));
        }
        assert_eq!((exp(0.0), ln(1.0)), (1.0, 0.0));
        assert!(exp(-1e9) < 1e-300 && exp(1e9) > 1e300);
    }
}
