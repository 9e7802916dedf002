//! The functions of one element, their slopes, and the loops that vectors run.

use crate::ops::elementary;

/// The function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `clamp(alpha x + beta, 0, 1)`.
    HardSigmoid {
        /// The slope.
        alpha: f32,
        /// The value at zero.
        beta: f32,
    },
    /// `x clamp(x / 6 + 1 / 2, 0, 1)`.
    HardSwish,
    /// `x` where it is positive, else `alpha (exp(x) - 1)`.
    Elu {
        /// The limit of the negative side, negated.
        alpha: f32,
    },
    /// `x` where it is positive, else `alpha x`.
    LeakyRelu {
        /// The slope of the negative side.
        alpha: f32,
    },
    /// `|x|`.
    Abs,
    /// `log(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// `exp(x)`.
    Exp,
    /// `log(x)`, of positive numbers.
    Log,
    /// `x` to a power; of negative numbers where it is whole.
    Power {
        /// The power.
        exponent: f32,
    },
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// `x` where it is over `alpha`, else zero.
    ThresholdedRelu {
        /// The largest number that becomes zero.
        alpha: f32,
    },
    /// `x - bias` over the threshold, `x + bias` under the threshold negated, else zero.
    Shrink {
        /// The largest magnitude that becomes zero.
        threshold: f32,
        /// How much nearer to zero the others come.
        bias: f32,
    },
}

/// The arithmetic, once for f32 and once for f64.
macro_rules! arithmetic {
    ($value:ident, $slope:ident, $float:ty, $erf:path, $exp:path) => {
        impl Kind {
            /// The function at `x`.
            #[inline(always)]
            #[must_use]
            pub fn $value(self, x: $float) -> $float {
                match self {
                    Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
                    Self::HardSigmoid { alpha, beta } => {
                        (<$float>::from(alpha) * x + <$float>::from(beta)).clamp(0.0, 1.0)
                    }
                    Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
                    Self::Elu { .. } if x > 0.0 => x,
                    Self::Elu { alpha } => <$float>::from(alpha) * x.exp_m1(),
                    Self::LeakyRelu { .. } if x > 0.0 => x,
                    Self::LeakyRelu { alpha } => <$float>::from(alpha) * x,
                    Self::Abs => x.abs(),
                    Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
                    Self::Softsign => x / (1.0 + x.abs()),
                    Self::Tanh => x.tanh(),
                    Self::Erf => $erf(x),
                    Self::Exp => $exp(x),
                    Self::Log => x.ln(),
                    Self::Power { exponent } if exponent == -1.0 => x.recip(),
                    Self::Power { exponent } if exponent == 0.5 => x.sqrt(),
                    Self::Power { exponent } => x.powf(exponent.into()),
                    Self::Sin => x.sin(),
                    Self::Cos => x.cos(),
                    Self::ThresholdedRelu { alpha } if x > alpha.into() => x,
                    Self::Shrink { threshold, bias } if x > threshold.into() => x - <$float>::from(bias),
                    Self::Shrink { threshold, bias } if x < (-threshold).into() => x + <$float>::from(bias),
                    Self::ThresholdedRelu { .. } | Self::Shrink { .. } => 0.0,
                }
            }

            /// Its slope at `x`; at a kink, what PyTorch takes: flat for HardSigmoid, the inner slope for
            /// HardSwish, the negative side's `alpha` for Elu and LeakyRelu, zero for Abs, ThresholdedRelu and Shrink.
            #[inline(always)]
            #[must_use]
            pub fn $slope(self, x: $float) -> $float {
                match self {
                    Self::Sigmoid => {
                        let y = self.$value(x);
                        y * (1.0 - y)
                    }
                    Self::HardSigmoid { alpha, beta } => {
                        let y = <$float>::from(alpha) * x + <$float>::from(beta);
                        if 0.0 < y && y < 1.0 { <$float>::from(alpha) } else { 0.0 }
                    }
                    Self::HardSwish if x < -3.0 => 0.0,
                    Self::HardSwish if x > 3.0 => 1.0,
                    Self::HardSwish => x / 3.0 + 0.5,
                    Self::Elu { .. } if x > 0.0 => 1.0,
                    Self::Elu { alpha } => <$float>::from(alpha) * x.exp(),
                    Self::LeakyRelu { .. } if x > 0.0 => 1.0,
                    Self::LeakyRelu { alpha } => alpha.into(),
                    Self::Abs if x == 0.0 => 0.0,
                    Self::Abs => x.signum(),
                    Self::Softplus => 1.0 / (1.0 + (-x).exp()),
                    Self::Softsign => (1.0 + x.abs()).powi(-2),
                    Self::Tanh => 1.0 - x.tanh().powi(2),
                    Self::Erf => <$float>::from(std::f32::consts::FRAC_2_SQRT_PI) * $exp(-x * x),
                    Self::Exp => $exp(x),
                    Self::Log => x.recip(),
                    Self::Power { exponent } => {
                        let exponent = <$float>::from(exponent);
                        exponent * x.powf(exponent - 1.0)
                    }
                    Self::Sin => x.cos(),
                    Self::Cos => -x.sin(),
                    Self::ThresholdedRelu { alpha } if x > alpha.into() => 1.0,
                    Self::Shrink { threshold, .. } if x.abs() > threshold.into() => 1.0,
                    Self::ThresholdedRelu { .. } | Self::Shrink { .. } => 0.0,
                }
            }
        }
    };
}

arithmetic!(value_f32, slope_f32, f32, elementary::erf, elementary::exp);
#[cfg(test)]
arithmetic!(value_f64, slope_f64, f64, libm::erf, f64::exp);

/// The function of each element in its place. A loop, which is compiled where it stands; `for_each` may be a call.
#[inline(always)]
pub fn apply(kind: Kind, x: &mut [f32]) {
    for v in x {
        *v = kind.value_f32(*v);
    }
}

/// Each gradient times the slope at what the function read.
#[inline(always)]
pub fn multiply_by_slope(kind: Kind, (g, x): (&mut [f32], &[f32])) {
    for (g, &x) in g.iter_mut().zip(x) {
        *g *= kind.slope_f32(x);
    }
}

/// Runs a loop over some elements, compiled for a kind alone where vectors can compute it. A macro, since a function that is
/// given away is called, and so not compiled for vectors.
macro_rules! in_vectors {
    ($kind:expr, $of:ident, $elements:expr) => {
        $crate::simd::widest(
            #[inline(always)]
            || match $kind {
                Kind::Erf => $of(Kind::Erf, $elements),
                Kind::Exp => $of(Kind::Exp, $elements),
                Kind::HardSwish => $of(Kind::HardSwish, $elements),
                Kind::HardSigmoid { alpha, beta } => $of(Kind::HardSigmoid { alpha, beta }, $elements),
                Kind::LeakyRelu { alpha } => $of(Kind::LeakyRelu { alpha }, $elements),
                other => $of(other, $elements),
            },
        )
    };
}

pub(super) use in_vectors;
