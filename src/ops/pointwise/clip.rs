//! Clip, and its common cases ReLU and ReLU6.

use super::{Pointwise, Step};
use crate::ops::reader::{Operand, Reader};

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

/// Reads an ONNX Relu.
pub fn read_relu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    node.add(Pointwise::one(Step::Clip(Clip { low: 0.0, high: f32::INFINITY })), &[input])
}

/// Reads an ONNX Clip: bounds as attributes before opset 11, as inputs since.
pub fn read_clip(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    let bound = |i: usize, name: &str, default: f32| -> Result<f32, String> {
        match node.optional_constant(i)? {
            Some(c) if c.len() == 1 => Ok(c.to_f32()[0]),
            Some(c) => Err(format!("{name} must be one number, and has shape {:?}", c.shape)),
            None => Ok(node.float(name, default)),
        }
    };
    let (low, high) = (bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?);
    node.add(Pointwise::one(Step::Clip(Clip { low, high })), &[input])
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
        // As numpy and onnxruntime: where the bounds cross, the upper one wins.
        x.max(self.low.into()).min(self.high.into())
    }

    /// Whether the slope is one.
    #[must_use]
    pub fn passes(&self, x: f64) -> bool {
        f64::from(self.low) < x && x < f64::from(self.high)
    }
}
