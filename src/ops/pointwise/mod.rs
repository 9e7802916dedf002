//! Functions of one element, and chains of them: ReLU, ReLU6, Clip, QuantizeLinear, DequantizeLinear.
//!
//! Chains are one operator, so that a quantized network's `quantize, clip, quantize` is one kernel, and one
//! bit an element says whether its derivative is zero.

pub mod clip;
mod kernel;
pub mod quantize;
mod span;

use std::sync::Arc;

pub use clip::Clip;
pub use quantize::{Affinity, Quantizer};

pub use span::Spans;
use tract_onnx::tract_core::{internal::OutletId, ops::math};

use super::gate::{Gate, PassMask};
use crate::{
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Grid, Lowering, Operator, Shape, ValueId},
    ops::{
        affine::{Affine, Per},
        kernels::{Epilogue, elementwise},
    },
};

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
    /// Whether the derivative is zero or one everywhere, so that a bit tells all.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        matches!(self, Self::Clip(_) | Self::FakeQuantize(_))
    }

    /// Whether guided backpropagation acts here.
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

/// A chain of functions, applied to every element in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointwise {
    /// The functions, first to last; at least one.
    pub steps: Vec<Step>,
}

impl Pointwise {
    /// A chain of one.
    #[must_use]
    pub fn one(step: Step) -> Self {
        Self { steps: vec![step] }
    }

    /// Whether the derivative is zero or one everywhere.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        self.steps.iter().all(Step::is_gate)
    }

    /// Whether it is the same function for every channel.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.steps.iter().filter_map(Step::quantizer).all(Quantizer::is_uniform)
    }
}

impl Operator for Pointwise {
    fn name(&self) -> &'static str {
        match self.steps.as_slice() {
            [Step::Clip(c)] => c.name(),
            [Step::Quantize(_)] => "QuantizeLinear",
            [Step::Dequantize(_)] => "DequantizeLinear",
            [Step::FakeQuantize(_)] => "FakeQuantize",
            _ => "Pointwise",
        }
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        for q in self.steps.iter().filter_map(Step::quantizer) {
            q.check(inputs[0])?;
        }
        Ok(inputs[0].to_vec())
    }

    fn grid(&self) -> Option<Grid> {
        match self.steps.last() {
            Some(Step::FakeQuantize(q) | Step::Dequantize(q)) => q.grid(),
            _ => None,
        }
    }

    /// Zero where any function of the chain is flat, else the product of their slopes. The mask is made from
    /// the input, or, for a clip alone, from the output, which says the same and frees the input.
    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let mut gradient = at.cotangent;
        let flat: Vec<Step> =
            self.steps.iter().filter(|s| !matches!(s, Step::Dequantize(_))).cloned().collect();
        if !flat.is_empty() {
            let from = if let [Step::Clip(_)] = self.steps.as_slice() { at.output } else { at.inputs[0] };
            let mask = at.add("mask", PassMask { chain: self.clone() }, &[from])?;
            let guided = at.rule == crate::graph::Rule::Guided && self.steps.iter().any(Step::is_activation);
            gradient = at.add("gradient", Gate { positive_only: guided }, &[gradient, mask])?;
        }
        for step in &self.steps {
            let scale: Vec<f32> = match step {
                Step::Quantize(q) => q.affinity.scales.iter().map(|s| s.recip()).collect(),
                Step::Dequantize(q) => q.affinity.scales.clone(),
                Step::Clip(_) | Step::FakeQuantize(_) => continue,
            };
            let channels = at.input_shape(0).first().copied().unwrap_or(1);
            let scale = if scale.len() == 1 { vec![scale[0]; channels] } else { scale };
            let shift = vec![0.0; scale.len()];
            gradient = at.add("scale", Affine { scale, shift, per: Per::Channel }, &[gradient])?;
        }
        Ok(vec![gradient])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let input = at.inputs[0];
        if let [Step::Clip(clip)] = self.steps.as_slice() {
            // Tract's own, which it fuses into the product of matrices before it.
            let mut made = input;
            if clip.low > f32::NEG_INFINITY {
                made = at.with_scalar(".low", math::max(), made, clip.low)?;
            }
            if clip.high < f32::INFINITY {
                made = at.with_scalar(".high", math::min(), made, clip.high)?;
            }
            return Ok(made);
        }
        let steps = self.steps.clone();
        if self.is_uniform() {
            return at.element_wise(move |values| kernel::apply(&steps, values.len(), values));
        }
        let plane = at.node.shape.iter().skip(1).product();
        at.in_place(move |values, _| kernel::apply(&steps, plane, values))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        elementwise(at, None, &Epilogue { steps: self.steps.clone(), ..Epilogue::default() })
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let plane: usize = inputs[0].shape.iter().skip(1).product();
        let mut y = inputs[0].clone();
        for (i, v) in y.data.iter_mut().enumerate() {
            *v = self.steps.iter().fold(*v, |v, step| step.evaluate(v, i / plane));
        }
        y
    }
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

    /// Whether a small change of `x` changes the function (straight through a quantizer's steps).
    pub fn passes(&self, x: f64, channel: usize) -> bool {
        match self {
            Self::Clip(c) => c.passes(x),
            Self::Quantize(q) | Self::FakeQuantize(q) => q.inside(x, channel),
            Self::Dequantize(_) => true,
        }
    }
}
