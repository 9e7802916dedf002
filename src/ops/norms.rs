//! Sums of a function of each element: norms, logarithms of sums, and pools of norms.
//!
//! A norm's slope is not defined where all elements are zero. It is zero there, as in PyTorch's `norm`: the sum of powers is
//! cut off at the least normal number, and what is cut off passes no gradient.

use super::{
    arithmetic::{difference, power, scaled},
    average_pool::AveragePool,
    multiply::Multiply,
    one_axis,
    onnx::{Operand, Reader},
    pointwise::Pointwise,
    reduce::{largest_over, mean_over, reduced, sum_over},
    smooth_activation::{Kind, SmoothActivation},
    window::{Window, image},
};
use crate::{
    chain::{Clip, Step},
    graph::ValueId,
};

/// Since this opset the axes of these reductions are an input.
const AXES_ARE_AN_INPUT: i64 = 18;

/// `|x|^p`.
fn powers(node: &mut Reader<'_>, x: ValueId, p: f32) -> Result<ValueId, String> {
    if p == 2.0 {
        return node.value_of(Multiply, &[x, x]);
    }
    let magnitude = node.value_of(SmoothActivation { kind: Kind::Abs }, &[x])?;
    power(node, magnitude, p)
}

/// `sum^(1 / p)`, of a sum of powers.
fn root(node: &mut Reader<'_>, sum: ValueId, p: f32) -> Result<ValueId, String> {
    if p == 1.0 {
        return Ok(sum);
    }
    let positive = Clip { low: f32::MIN_POSITIVE, high: f32::INFINITY };
    let sum = node.value_of(Pointwise::one(Step::Clip(positive)), &[sum])?;
    power(node, sum, p.recip())
}

/// Reads an ONNX `ReduceL1`.
pub fn read_reduce_l1(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, AXES_ARE_AN_INPUT, |node, x, axes| {
        let magnitudes = powers(node, x, 1.0)?;
        sum_over(node, magnitudes, axes)
    })
}

/// Reads an ONNX `ReduceL2`.
pub fn read_reduce_l2(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, AXES_ARE_AN_INPUT, |node, x, axes| {
        let squares = powers(node, x, 2.0)?;
        let sum = sum_over(node, squares, axes)?;
        root(node, sum, 2.0)
    })
}

/// Reads an ONNX `ReduceSumSquare`.
pub fn read_reduce_sum_square(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, AXES_ARE_AN_INPUT, |node, x, axes| {
        let squares = powers(node, x, 2.0)?;
        sum_over(node, squares, axes)
    })
}

/// Reads an ONNX `ReduceLogSum`.
pub fn read_reduce_log_sum(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, AXES_ARE_AN_INPUT, |node, x, axes| {
        let sum = sum_over(node, x, axes)?;
        node.value_of(SmoothActivation { kind: Kind::Log }, &[sum])
    })
}

/// Reads an ONNX `ReduceLogSumExp`: `m + log(sum exp(x - m))`, where `m` is the largest element, so that no exponential
/// overflows. What the gradient has by way of `m` cancels.
pub fn read_reduce_log_sum_exp(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, AXES_ARE_AN_INPUT, |node, x, axes| {
        let largest = largest_over(node, x, axes)?;
        let below = difference(node, x, largest)?;
        let powers = node.value_of(SmoothActivation { kind: Kind::Exp }, &[below])?;
        let sum = sum_over(node, powers, axes)?;
        let log = node.value_of(SmoothActivation { kind: Kind::Log }, &[sum])?;
        node.value_of(super::add::Add, &[log, largest])
    })
}

/// The `p` of a pool.
fn exponent(node: &Reader<'_>) -> Result<f32, String> {
    match node.int("p", 2) {
        p @ 1..=16 => Ok(p as f32),
        p => Err(format!("p = {p} is not supported; it may be 1 to 16")),
    }
}

/// Reads an ONNX `LpPool`: `(sum |x|^p)^(1 / p)` of each window. The sum is a mean of as many taps, padding included.
pub fn read_lp_pool(node: &mut Reader<'_>) -> Result<Operand, String> {
    if one_axis::is_of_one(node) {
        return one_axis::read(node, read_lp_pool);
    }
    let (x, p) = (node.value(0)?, exponent(node)?);
    let (channels, hw) = image(&node.node(x).shape)?;
    let window = Window::read(node, None, hw)?;
    if window.ceil {
        return Err("ceil_mode is not supported".into());
    }
    window.check_work((channels, hw))?;
    let powers = powers(node, x, p)?;
    let means = node.value_of(AveragePool { window, count_padding: true }, &[powers])?;
    let sums = scaled(node, means, window.taps() as f32, 0.0)?;
    root(node, sums, p).map(Operand::Value)
}

/// Reads an ONNX `GlobalLpPool`.
pub fn read_global_lp_pool(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (x, p) = (node.value(0)?, exponent(node)?);
    let (_, [height, width]) = image(&node.node(x).shape)?;
    let powers = powers(node, x, p)?;
    let means = mean_over(node, powers, &[2, 3])?;
    let sums = scaled(node, means, (height * width) as f32, 0.0)?;
    root(node, sums, p).map(Operand::Value)
}
