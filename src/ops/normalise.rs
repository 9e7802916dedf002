//! Normalisations that are computed from the value itself, composed of sums, products and powers.

use std::sync::Arc;

use super::{
    arithmetic::{affine, difference, power, product, scaled},
    conv::Conv,
    multiply::Multiply,
    onnx::{Operand, Reader, axis_of, size},
    rearrange::{below_transposes, transposed},
    reduce::{mean_over, sum_over},
    reshape::Reshape,
    smooth_activation::{Kind, SmoothActivation},
    standardise::Standardise,
    window::Window,
};
use crate::{
    graph::{Constant, ValueId},
    limits,
};

/// A value with the mean 0 and the variance 1 over some of its axes, which count the batch's:
/// `(x - mean) / sqrt(variance + epsilon)`. Axes side by side are one.
fn standardised(node: &mut Reader<'_>, x: ValueId, axes: &[usize], epsilon: f32) -> Result<ValueId, String> {
    let shape = node.node(x).shape.clone();
    let Some((&first, &last)) = axes.first().zip(axes.last()) else { return Err("it has no axes".into()) };
    if axes.len() == 1 {
        return node.value_of(Standardise { axis: first - 1, epsilon }, &[x]);
    }
    if last - first + 1 != axes.len() {
        return with_statistics(node, x, axes, epsilon).map(|made| made.value);
    }
    let from: usize = shape[first - 1..last].iter().product();
    let mut merged = [&shape[..first - 1], &[from], &shape[last..]].concat();
    let axis = first - 1;
    if merged.len() == 1 {
        merged.push(1);
    }
    let x = node.value_of(Reshape { shape: merged }, &[x])?;
    let made = node.value_of(Standardise { axis, epsilon }, &[x])?;
    node.value_of(Reshape { shape }, &[made])
}

/// A standardised value, and what it was shifted and scaled by.
struct Standardised {
    value: ValueId,
    mean: ValueId,
    /// One over the deviation.
    inverse: ValueId,
}

/// The same as [`standardised`], of any axes, with the mean and one over the deviation as values of their own.
fn with_statistics(
    node: &mut Reader<'_>,
    x: ValueId,
    axes: &[usize],
    epsilon: f32,
) -> Result<Standardised, String> {
    let mean = mean_over(node, x, axes)?;
    let centred = difference(node, x, mean)?;
    let squares = node.value_of(Multiply, &[centred, centred])?;
    let variance = mean_over(node, squares, axes)?;
    let raised = scaled(node, variance, 1.0, epsilon)?;
    let inverse = power(node, raised, -0.5)?;
    Ok(Standardised { value: product(node, centred, inverse)?, mean, inverse })
}

/// Scales and shifts a value by constants that broadcast to it.
fn scaled_by(
    node: &mut Reader<'_>,
    x: ValueId,
    scale: Option<Arc<Constant>>,
    shift: Option<Arc<Constant>>,
) -> Result<ValueId, String> {
    let mut x = x;
    if let Some(scale) = scale {
        x = affine(node, x, (0, &scale), |c| (c, 0.0))?;
    }
    if let Some(shift) = shift {
        x = affine(node, x, (0, &shift), |c| (1.0, c))?;
    }
    Ok(x)
}

/// Reads an ONNX `LayerNormalization`.
pub fn read_layer_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let rank = node.node(x).shape.len() + 1;
    let first = axis_of(node.int("axis", -1), rank)?;
    if first == 0 {
        return Err("a normalisation from axis 0 on would mix the images of a batch".into());
    }
    let epsilon = node.float("epsilon", 1e-5);
    let makes_statistics = node.proto.output.iter().skip(1).any(|output| !output.is_empty());
    let below = transposed(node.graph, x).filter(|_| first + 1 == rank && !makes_statistics);
    let Some((_, order)) = below else {
        return layer_normalised(node, x, &(first..rank).collect::<Vec<_>>(), epsilon);
    };
    // The last axis is that of the channels, wherever the transpose took them from.
    let channels = order.last().copied().unwrap_or_default();
    below_transposes(node, |node| {
        let own = node.value(0)?;
        let axis = if own == x { rank - 1 } else { channels + 1 };
        layer_normalised(node, own, &[axis], epsilon)
    })
}

/// Normalises the first input over its last axis, as LayerNormalization does, with this `epsilon` where the node has none.
pub(super) fn layer_normalised_last(node: &mut Reader<'_>, epsilon: f32) -> Result<Operand, String> {
    let x = node.value(0)?;
    let last = node.node(x).shape.len();
    if last == 0 {
        return Err("a normalisation from axis 0 on would mix the images of a batch".into());
    }
    let epsilon = node.float("epsilon", epsilon);
    layer_normalised(node, x, &[last], epsilon)
}

/// Normalises over some axes, counted with the batch's, and scales and shifts by constants that broadcast.
fn layer_normalised(
    node: &mut Reader<'_>,
    x: ValueId,
    axes: &[usize],
    epsilon: f32,
) -> Result<Operand, String> {
    let (scale, shift) = (node.constant(1)?, node.optional_constant(2)?);
    let normal = match node.makes(1) || node.makes(2) {
        false => standardised(node, x, axes, epsilon)?,
        true => {
            let made = with_statistics(node, x, axes, epsilon)?;
            node.others = vec![Operand::Value(made.mean), Operand::Value(made.inverse)];
            made.value
        }
    };
    scaled_by(node, normal, Some(scale), shift).map(Operand::Value)
}

/// A constant with one number per channel, as it broadcasts to a value of `rank` axes.
fn per_channel(constant: &Constant, channels: usize, rank: usize) -> Result<Arc<Constant>, String> {
    if constant.len() != channels {
        return Err(format!("{} numbers are not one for each of {channels} channels", constant.len()));
    }
    let shape = [vec![channels], vec![1; rank - 1]].concat();
    Ok(Constant::floats(shape, constant.to_f32()).into())
}

/// Reads an ONNX `InstanceNormalization`.
pub fn read_instance_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let shape = node.node(x).shape.clone();
    let axes: Vec<usize> = (2..=shape.len()).collect();
    if axes.is_empty() {
        return Err("it has no axes beside the channels".into());
    }
    let epsilon = node.float("epsilon", 1e-5);
    let normal = standardised(node, x, &axes, epsilon)?;
    let part = |i: usize| node.constant(i).and_then(|c| per_channel(&c, shape[0], shape.len()));
    let (scale, shift) = (part(1)?, part(2)?);
    scaled_by(node, normal, Some(scale), Some(shift)).map(Operand::Value)
}

/// Reads an ONNX `GroupNormalization`. Its scale and bias have one number per group before opset 21.
pub fn read_group_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let shape = node.node(x).shape.clone();
    let groups = size("num_groups", node.int("num_groups", 0))?;
    let channels = shape.first().copied().unwrap_or(0);
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(format!("{channels} channels are no multiple of {groups} groups"));
    }
    let elements = shape.iter().product::<usize>() / groups;
    let grouped = node.value_of(Reshape { shape: vec![groups, elements] }, &[x])?;
    let epsilon = node.float("epsilon", 1e-5);
    let normal = standardised(node, grouped, &[2], epsilon)?;
    let normal = node.value_of(Reshape { shape: shape.clone() }, &[normal])?;
    let part = |i: usize| -> Result<Arc<Constant>, String> {
        let constant = node.constant(i)?;
        match constant.len() == groups && groups != channels {
            true => {
                let repeated = constant.to_f32().iter().flat_map(|v| vec![*v; channels / groups]).collect();
                per_channel(&Constant::floats([channels], repeated), channels, shape.len())
            }
            false => per_channel(&constant, channels, shape.len()),
        }
    };
    let (scale, shift) = (part(1)?, part(2)?);
    scaled_by(node, normal, Some(scale), Some(shift)).map(Operand::Value)
}

/// Reads an ONNX `MeanVarianceNormalization`.
pub fn read_mean_variance_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let rank = node.node(x).shape.len() + 1;
    let listed = node.ints("axes").unwrap_or(&[0, 2, 3]);
    let mut axes = listed.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    if axes.contains(&0) {
        return Err("a normalisation over axis 0 would mix the images of a batch".into());
    }
    standardised(node, x, &axes, 1e-9).map(Operand::Value)
}

/// Reads an ONNX `LpNormalization`: `x / sum |x|` or `x / sqrt(sum x^2)` along an axis.
pub fn read_lp_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let shape = node.node(x).shape.clone();
    let axis = axis_of(node.int("axis", -1), shape.len() + 1)?;
    if axis == 0 {
        return Err("a normalisation of axis 0 would mix the images of a batch".into());
    }
    let (terms, exponent) = match node.int("p", 2) {
        1 => (node.value_of(SmoothActivation { kind: Kind::Abs }, &[x])?, -1.0),
        2 => (node.value_of(Multiply, &[x, x])?, -0.5),
        p => return Err(format!("p = {p} is not supported")),
    };
    let sum = sum_over(node, terms, &[axis])?;
    let inverse = power(node, sum, exponent)?;
    product(node, x, inverse).map(Operand::Value)
}

/// Reads an ONNX LRN: `x / (bias + alpha / size * s)^beta`, where `s` sums the squares of neighbouring channels. The sum
/// is a 1 by 1 convolution, whose weights are one near the diagonal.
pub fn read_lrn(node: &mut Reader<'_>) -> Result<Operand, String> {
    let x = node.value(0)?;
    let shape = node.node(x).shape.clone();
    let channels = match shape[..] {
        [c, _, _] => c,
        _ => return Err(format!("an input of {shape:?} per image is not supported")),
    };
    let span = size("size", node.int("size", 0))?;
    if span == 0 || channels as u64 * channels as u64 > limits::REPEATED {
        return Err(format!("size {span} of {channels} channels is not supported"));
    }
    node.repeat(channels * channels)?;
    let (before, after) = ((span - 1) / 2, span / 2);
    let is_near = |i: usize, j: usize| j + before >= i && j <= i + after;
    let weights = (0..channels * channels).map(|k| f32::from(is_near(k / channels, k % channels))).collect();
    let weights = Arc::new(Constant::floats([channels, channels, 1, 1], weights));
    let squares = node.value_of(Multiply, &[x, x])?;
    let sums =
        node.value_of(Conv { weights, bias: None, groups: 1, window: Window::new([1, 1]) }, &[squares])?;
    let (alpha, bias) = (node.float("alpha", 1e-4), node.float("bias", 1.0));
    let raised = scaled(node, sums, alpha / span as f32, bias)?;
    let beta = node.float("beta", 0.75);
    let inverse = power(node, raised, -beta)?;
    product(node, x, inverse).map(Operand::Value)
}
