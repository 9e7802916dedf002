//! Functions of one element, and chains of them: ReLU, ReLU6, Clip, QuantizeLinear, DequantizeLinear.
//!
//! Chains are one operator, so that a quantized network's `quantize, clip, quantize` is one kernel, and one
//! bit per element says whether its derivative is zero.

pub mod clip;
pub mod gate;
pub mod quantize;

use std::sync::Arc;

use gate::PassMask;
use tract_onnx::tract_core::{internal::OutletId, ops::math};

use crate::{
    chain::{self, Epilogue, Gate, Grid, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::{
        affine::{Affine, Per},
        kernels::elementwise,
    },
};

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

    /// True if the derivative is zero or one everywhere.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        self.steps.iter().all(Step::is_gate)
    }

    /// True if it is the same function for every channel.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        chain::is_uniform(&self.steps)
    }
}

/// A chain with each quantize that its own dequantize follows made one step.
fn paired(steps: impl Iterator<Item = Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    for step in steps {
        let pair = match (out.last(), &step) {
            (Some(Step::Quantize(q)), Step::Dequantize(d)) if q.params == d.params => Some(q.clone()),
            _ => None,
        };
        match pair {
            Some(q) => {
                out.pop();
                // Quantizing twice by the same quantizer changes nothing more.
                if !matches!(out.last(), Some(Step::FakeQuantize(last)) if *last == q) {
                    out.push(Step::FakeQuantize(q));
                }
            }
            None => out.push(step),
        }
    }
    out
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
            let mask = at.add("mask", PassMask { steps: self.steps.clone() }, &[from])?;
            let guided = at.rule == crate::graph::Rule::Guided && self.steps.iter().any(Step::is_activation);
            gradient = at.add("gradient", Gate { positive_only: guided }, &[gradient, mask])?;
        }
        for step in &self.steps {
            let scale: Vec<f32> = match step {
                Step::Quantize(q) => q.params.scales.iter().map(|s| s.recip()).collect(),
                Step::Dequantize(q) => q.params.scales.clone(),
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
            return at.element_wise(move |values| chain::apply(&steps, values.len(), values));
        }
        let plane = at.node.shape.iter().skip(1).product();
        at.in_place(move |values, _| chain::apply(&steps, plane, values))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        elementwise(at, None, &Epilogue::of_chain(&self.steps))
    }

    fn chain(&self) -> Option<&[Step]> {
        Some(&self.steps)
    }

    fn followed_by(&self, next: &dyn Operator) -> Option<Arc<dyn Operator>> {
        let steps = paired(self.steps.iter().chain(next.chain()?).cloned());
        Some(Arc::new(Self { steps }))
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
