//! Softmax along one axis, and its gradient.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    onnx::{Operand, Reader},
    reshape::Reshape,
};
use crate::{
    error::Result,
    gpu::{Kernel, Recording},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{ALONG_AXIS, AlongAxis, THREAD},
};

/// Both directions, of the softmax and of its logarithm.
pub static SOFTMAX: Kernel =
    Kernel { name: "softmax", source: include_str!("softmax.wgsl"), snippets: &[THREAD, ALONG_AXIS] };

/// One of the functions that the kernel has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub backward: bool,
    pub log: bool,
}

/// Records the kernel, which makes the output along an axis.
pub(super) fn record(at: &mut Recording<'_>, axis: usize, function: Function) -> Result<()> {
    let AlongAxis { mut variant, params, launch } = AlongAxis::new(at, axis, 256);
    variant.extend([("BACKWARD", function.backward.into()), ("LOG", function.log.into())]);
    at.dispatch(&SOFTMAX, variant, &params, &[], launch)
}

/// `exp(x) / sum of exp(x)` along an axis of an image's value.
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// The axis, the batch axis not counted.
    pub axis: usize,
}

/// Reads an ONNX Softmax.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    read_along(node, |axis| Softmax { axis })
}

/// Reads a softmax, or its logarithm. Before opset 13 it ran over all axes from `axis` on, flattened.
pub(super) fn read_along<O: Operator>(
    node: &mut Reader<'_>,
    operator: impl Fn(usize) -> O,
) -> Result<Operand, String> {
    let input = node.value(0)?;
    let shape = node.node(input).shape.clone();
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX) + 1;
    let written = node.int("axis", if node.opset < 13 { 1 } else { -1 });
    let axis = if written < 0 { written + rank } else { written };
    if axis < 1 || axis >= rank {
        return Err(format!("axis {written} would mix the images of a batch"));
    }
    let axis = super::onnx::size("axis", axis - 1)?;
    if node.opset >= 13 || shape[axis + 1..].iter().all(|&d| d == 1) {
        return node.add(operator(axis), &[input]);
    }
    let flat = [&shape[..axis], &[shape[axis..].iter().product()]].concat();
    let flat = node.value_of(Reshape { shape: flat }, &[input])?;
    let made = node.value_of(operator(axis), &[flat])?;
    node.add(Reshape { shape }, &[made])
}

/// The places of the elements of each group along `axis`: `(first, step, count)` for every group.
pub fn groups(shape: &[usize], axis: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let count = shape[axis];
    let step: usize = shape[axis + 1..].iter().product();
    let outer: usize = shape[..axis].iter().product();
    (0..outer).flat_map(move |o| (0..step).map(move |i| (o * count * step + i, step, count)))
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        "Softmax"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if self.axis < inputs[0].len() {
            Ok(inputs[0].to_vec())
        } else {
            Err("its axis is out of range".into())
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, y) = (at.cotangent, at.output);
        Ok(vec![at.add("gradient", SoftmaxGradient { axis: self.axis }, &[g, y])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (axis, shape) = (self.axis, at.node.shape.clone());
        at.in_place(move |y, _| {
            for (first, step, count) in groups(&shape, axis) {
                let places = || (0..count).map(|i| first + i * step);
                let top = places().map(|i| y[i]).fold(f32::NEG_INFINITY, f32::max);
                places().for_each(|i| y[i] = (y[i] - top).exp());
                let sum: f64 = places().map(|i| f64::from(y[i])).sum();
                let factor = sum.recip() as f32;
                places().for_each(|i| y[i] *= factor);
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        record(at, self.axis, Function { backward: false, log: false })
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let mut y = inputs[0].clone();
        for (first, step, count) in groups(&inputs[0].shape, self.axis) {
            let places = || (0..count).map(|i| first + i * step);
            let top = places().map(|i| y.data[i]).fold(f64::NEG_INFINITY, f64::max);
            places().for_each(|i| y.data[i] = (y.data[i] - top).exp());
            let sum: f64 = places().map(|i| y.data[i]).sum();
            places().for_each(|i| y.data[i] /= sum);
        }
        y
    }
}

/// `y * (g - sum of g * y)`. Reads the gradient, whose rows count targets, and the softmax's output, whose
/// rows may count images.
#[derive(Clone, Copy, Debug)]
pub struct SoftmaxGradient {
    /// The axis of the softmax.
    pub axis: usize,
}

impl Operator for SoftmaxGradient {
    fn name(&self) -> &'static str {
        "SoftmaxGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0] == inputs[1] {
            Ok(inputs[0].to_vec())
        } else {
            Err("gradient and output differ in shape".into())
        }
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (axis, shape) = (self.axis, at.node.shape.clone());
        at.in_place(move |g, others| {
            let y = others[0].floats();
            for (first, step, count) in groups(&shape, axis) {
                let places = || (0..count).map(|i| first + i * step);
                let mean: f64 = places().map(|i| f64::from(g[i]) * f64::from(y[i])).sum();
                places().for_each(|i| g[i] = (f64::from(y[i]) * (f64::from(g[i]) - mean)) as f32);
            }
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        record(at, self.axis, Function { backward: true, log: false })
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let (g, y) = (inputs[0], inputs[1]);
        let mut x = y.clone();
        for (first, step, count) in groups(&g.shape, self.axis) {
            let places = || (0..count).map(|i| first + i * step);
            let mean: f64 = places().map(|i| g.data[i] * y.data[i]).sum();
            places().for_each(|i| x.data[i] = y.data[i] * (g.data[i] - mean));
        }
        x
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::Softmax;
    use crate::{
        graph::Graph,
        ops::cases::{Case, shape_and_axis, single},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Softmax", &["Softmax"], softmax)];

    fn softmax(rng: &mut Rng) -> Graph {
        let (shape, axis) = shape_and_axis(rng);
        single(&shape, Softmax { axis })
    }
}
