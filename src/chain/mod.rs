//! Functions of one element and chains of them: clips and quantizers, as values, slopes and spans of slopes.
//!
//! A chain is data, not an operator: the graph, the CPU's loops and the GPU's kernels all hold chains, and
//! none of them needs to know which operator a chain came from.

mod apply;
mod clip;
mod epilogue;
mod quantizer;
mod span;

use std::sync::Arc;

pub use apply::{ROUND, apply};
pub use clip::Clip;
pub use epilogue::{Epilogue, Gate};
pub use quantizer::{Grid, QuantParams, Quantizer};
pub use span::Spans;

/// One function of a chain.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Cut off at both ends; ReLU and ReLU6 among them.
    Clip(Clip),
    /// From reals to the integers of a quantizer.
    Quantize(Arc<Quantizer>),
    /// From the integers of a quantizer to reals.
    Dequantize(Arc<Quantizer>),
    /// Quantize, then dequantize by the same quantizer.
    FakeQuantize(Arc<Quantizer>),
}

impl Step {
    /// True if the derivative is zero or one everywhere, so that a bit tells all.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        matches!(self, Self::Clip(_) | Self::FakeQuantize(_))
    }

    /// True if guided backpropagation acts here.
    #[must_use]
    pub fn is_activation(&self) -> bool {
        matches!(self, Self::Clip(_))
    }

    /// The quantizer, if there is one.
    #[must_use]
    pub fn quantizer(&self) -> Option<&Quantizer> {
        match self {
            Self::Clip(_) => None,
            Self::Quantize(q) | Self::Dequantize(q) | Self::FakeQuantize(q) => Some(q),
        }
    }
}

/// True if a chain is the same function for every channel.
#[must_use]
pub fn is_uniform(steps: &[Step]) -> bool {
    steps.iter().filter_map(Step::quantizer).all(Quantizer::is_uniform)
}

#[cfg(test)]
impl Step {
    /// The function at `x`, of channel `channel`.
    pub fn evaluate(&self, x: f64, channel: usize) -> f64 {
        match self {
            Self::Clip(c) => c.evaluate(x),
            Self::Quantize(q) => q.quantize(x, channel),
            Self::Dequantize(q) => q.dequantize(x, channel),
            Self::FakeQuantize(q) => q.dequantize(q.quantize(x, channel), channel),
        }
    }

    /// True if a small change of `x` changes the function (straight through a quantizer's steps).
    pub fn passes(&self, x: f64, channel: usize) -> bool {
        match self {
            Self::Clip(c) => c.passes(x),
            Self::Quantize(q) | Self::FakeQuantize(q) => q.inside(x, channel),
            Self::Dequantize(_) => true,
        }
    }
}
