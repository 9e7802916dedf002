//! Elementary functions in single precision as vectors compute them: without branches and without calls of a library, so
//! that a loop over many elements runs in [`crate::simd::widest`].

/// From here on the error function is 1 to the last bit.
const END: f32 = 3.92;

/// `P` and `Q` of `x P(x^2) / Q(x^2)`, lowest power first: fitted to the error function on `[0, END]` by least squares with
/// weights that level the relative error, which is 2e-8 before rounding.
const P: [f32; 6] = [
    std::f32::consts::FRAC_2_SQRT_PI,
    0.190_402_88,
    0.052_748_25,
    0.003_765_462_2,
    0.000_284_879_1,
    2.050_113_6e-6,
];
const Q: [f32; 6] = [1.0, 0.502_072_93, 0.114_107_63, 0.014_968_909, 0.001_162_497_6, 3.809_179_5e-5];

#[inline(always)]
fn polynomial<const N: usize>(factors: [f32; N], x: f32) -> f32 {
    // A loop that a compiler unrolls; an iterator's fold is a call.
    let (mut sum, mut i) = (0.0, N);
    while i > 0 {
        i -= 1;
        sum = sum * x + factors[i];
    }
    sum
}

/// The error function, within a part in 2.5 million.
#[inline(always)]
#[must_use]
pub fn erf(x: f32) -> f32 {
    let x = x.clamp(-END, END);
    let square = x * x;
    (x * polynomial(P, square) / polynomial(Q, square)).clamp(-1.0, 1.0)
}

/// `exp(x)`, within a part in 5 million; zero below -104, infinite above 89.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    // The natural logarithm of two, in two parts: a multiple of the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Adding it leaves whole numbers in the last bits.
    const WHOLE: f32 = 12_582_912.0;
    let x = x.clamp(-104.0, 89.0);
    let power = (x * std::f32::consts::LOG2_E + WHOLE) - WHOLE;
    let rest = x - power * LN_2[0] - power * LN_2[1];
    // Taylor's series: the rest is at most half the logarithm of two.
    let series =
        polynomial([1.0, 1.0, 0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5040.0], rest);
    // A power of two in two factors: it may be under the least normal number.
    let half = (power * 0.5 + WHOLE) - WHOLE;
    series * two_to(half) * two_to(power - half)
}

/// Two to a whole power from -126 to 127.
#[inline(always)]
fn two_to(power: f32) -> f32 {
    f32::from_bits(((power as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::{erf, exp};

    #[test]
    fn erf_is_the_error_function() {
        for i in -60_000..=60_000 {
            let x = i as f32 / 10_000.0;
            let (made, exact) = (f64::from(erf(x)), libm::erf(x.into()));
            assert!((made - exact).abs() <= 4e-7 * exact.abs(), "erf({x}) is {exact}, not {made}");
        }
        assert_eq!([erf(f32::INFINITY), erf(f32::NEG_INFINITY)], [1.0, -1.0]);
        assert!(erf(f32::NAN).is_nan());
    }

    #[test]
    fn exp_is_the_exponential() {
        for i in -87_000..=88_700 {
            let x = i as f32 / 1_000.0;
            let (made, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((made - exact).abs() <= 2e-7 * exact, "exp({x}) is {exact}, not {made}");
        }
        assert_eq!([exp(0.0), exp(f32::NEG_INFINITY), exp(f32::INFINITY)], [1.0, 0.0, f32::INFINITY]);
        assert!(exp(-100.0) > 0.0 && exp(f32::NAN).is_nan());
    }
}
