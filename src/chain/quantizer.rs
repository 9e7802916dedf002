//! Quantizers of activations, as onnxruntime runs them with graph optimisations off.

/// Scales and zero points: one pair, or one per channel (the first axis of an image's value).
#[derive(Clone, Debug, PartialEq)]
pub struct QuantParams {
    /// Reals per integer step.
    pub scales: Vec<f32>,
    /// The integers that stand for zero; as many as scales.
    pub zero_points: Vec<f32>,
}

/// An 8-, 16- or 32-bit quantizer: `q = clamp(round_half_even(x / scale) + zero_point, low, high)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantizer {
    /// Scales and zero points.
    pub params: QuantParams,
    /// The smallest integer of the type.
    pub low: f32,
    /// The largest integer of the type.
    pub high: f32,
}

impl Quantizer {
    /// Fails when there are neither one nor one scale for each channel of a value of this shape.
    pub fn check(&self, shape: &[usize]) -> Result<(), String> {
        let n = self.params.scales.len();
        if n == 1 || shape.first() == Some(&n) {
            Ok(())
        } else {
            Err(format!("{n} scales do not fit a value of shape {shape:?} per image"))
        }
    }

    fn at(&self, channel: usize) -> (f64, f64) {
        let i = if self.params.scales.len() == 1 { 0 } else { channel };
        (self.params.scales[i].into(), self.params.zero_points[i].into())
    }

    fn unclamped(&self, x: f64, channel: usize) -> f64 {
        let (scale, zero) = self.at(channel);
        (x / scale).round_ties_even() + zero
    }

    /// The integer that stands for `x`.
    #[must_use]
    pub fn quantize(&self, x: f64, channel: usize) -> f64 {
        self.unclamped(x, channel).clamp(self.low.into(), self.high.into())
    }

    /// The real that integer `q` stands for.
    #[must_use]
    pub fn dequantize(&self, q: f64, channel: usize) -> f64 {
        let (scale, zero) = self.at(channel);
        (q - zero) * scale
    }

    /// True if `x` is inside the range, its ends included: the straight-through estimator's slope is one.
    #[must_use]
    pub fn inside(&self, x: f64, channel: usize) -> bool {
        let q = self.unclamped(x, channel);
        f64::from(self.low) <= q && q <= f64::from(self.high)
    }
}

/// The reals that a quantizer can make: `step` times the integers from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Reals per integer step.
    pub step: f32,
    /// The smallest integer.
    pub low: f32,
    /// The largest integer.
    pub high: f32,
}
