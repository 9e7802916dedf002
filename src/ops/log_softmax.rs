//! The logarithm of a softmax along one axis, and its gradient.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    onnx::{Operand, Reader},
    softmax::{self, Function, groups},
};
use crate::{
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
};

/// `x - log(sum of exp(x))` along an axis of an image's value.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmax {
    /// The axis, the batch axis not counted.
    pub axis: usize,
}

/// Reads an ONNX LogSoftmax, whose axis means what a Softmax's does.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    softmax::read_along(node, |axis| LogSoftmax { axis })
}

impl Operator for LogSoftmax {
    fn name(&self) -> &'static str {
        "LogSoftmax"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        softmax::Softmax { axis: self.axis }.shape(inputs)
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, y) = (at.cotangent, at.output);
        Ok(vec![at.add("gradient", LogSoftmaxGradient { axis: self.axis }, &[g, y])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (axis, shape) = (self.axis, at.node.shape.clone());
        at.in_place(move |y, _| {
            for (first, step, count) in groups(&shape, axis) {
                let places = || (0..count).map(|i| first + i * step);
                let top = places().map(|i| y[i]).fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = places().map(|i| f64::from(y[i] - top).exp()).sum();
                let log = sum.ln();
                places().for_each(|i| y[i] = (f64::from(y[i] - top) - log) as f32);
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        softmax::record(at, self.axis, Function { backward: false, log: true })
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let mut y = inputs[0].clone();
        for (first, step, count) in groups(&inputs[0].shape, self.axis) {
            let places = || (0..count).map(|i| first + i * step);
            let sum: f64 = places().map(|i| y.data[i].exp()).sum();
            places().for_each(|i| y.data[i] -= sum.ln());
        }
        y
    }
}

/// `g - exp(y) * sum of g`. Reads the gradient, whose rows count targets, and the output of the log-softmax, whose
/// rows may count images.
#[derive(Clone, Copy, Debug)]
pub struct LogSoftmaxGradient {
    /// The axis of the log-softmax.
    pub axis: usize,
}

impl Operator for LogSoftmaxGradient {
    fn name(&self) -> &'static str {
        "LogSoftmaxGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        softmax::SoftmaxGradient { axis: self.axis }.shape(inputs)
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (axis, shape) = (self.axis, at.node.shape.clone());
        at.in_place(move |g, others| {
            let y = others[0].floats();
            for (first, step, count) in groups(&shape, axis) {
                let places = || (0..count).map(|i| first + i * step);
                let sum: f64 = places().map(|i| f64::from(g[i])).sum();
                places().for_each(|i| g[i] = (f64::from(g[i]) - f64::from(y[i]).exp() * sum) as f32);
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        softmax::record(at, self.axis, Function { backward: true, log: true })
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let (g, y) = (inputs[0], inputs[1]);
        let mut x = y.clone();
        for (first, step, count) in groups(&g.shape, self.axis) {
            let places = || (0..count).map(|i| first + i * step);
            let sum: f64 = places().map(|i| g.data[i]).sum();
            places().for_each(|i| x.data[i] = g.data[i] - y.data[i].exp() * sum);
        }
        x
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::LogSoftmax;
    use crate::{
        graph::Graph,
        ops::cases::{Case, shape_and_axis, single},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("LogSoftmax", &["LogSoftmax"], log_softmax)];

    fn log_softmax(rng: &mut Rng) -> Graph {
        let (shape, axis) = shape_and_axis(rng);
        single(&shape, LogSoftmax { axis })
    }
}
