//! Clip, and its common cases ReLU and ReLU6, as functions.

/// `min(max(x, low), high)`; either bound may be infinite.
///
/// Its derivative is one strictly between the bounds and zero elsewhere, the bounds included: what PyTorch
/// does for `relu` and `relu6` (its `clamp` counts the bounds as inside). In a quantized network zeros are
/// exact and common, so this matters there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// The lower bound.
    pub low: f32,
    /// The upper bound.
    pub high: f32,
}

impl Clip {
    /// The ONNX operator's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.low == 0.0 && self.high == f32::INFINITY { "Relu" } else { "Clip" }
    }

    /// The function, in double precision.
    #[must_use]
    pub fn evaluate(&self, x: f64) -> f64 {
        // The upper bound wins where the two cross, as in numpy and onnxruntime.
        x.max(self.low.into()).min(self.high.into())
    }

    /// True if the slope is one.
    #[must_use]
    pub fn passes(&self, x: f64) -> bool {
        f64::from(self.low) < x && x < f64::from(self.high)
    }
}
