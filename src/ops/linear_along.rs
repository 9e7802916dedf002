//! A matrix applied along one axis of a value: products with constant matrices, and resampling.

use std::sync::Arc;

use super::{
    conv::Conv,
    onnx::Reader,
    rearrange::{check_axes, in_order},
    reshape::shaped,
    window::Window,
};
use crate::graph::{Constant, ValueId};

/// Applies `weights`, `[out, in]`, along an axis of a value, the batch axis not counted: a 1 by 1 convolution of the value
/// with that axis as its channels.
pub fn linear_along(
    node: &mut Reader<'_>,
    x: ValueId,
    axis: usize,
    weights: Constant,
) -> Result<ValueId, String> {
    let shape = node.node(x).shape.clone();
    check_axes(&shape)?;
    let extent = shape[axis];
    let first: Vec<usize> = std::iter::once(axis).chain((0..shape.len()).filter(|&i| i != axis)).collect();
    let mut moved: Vec<usize> = first.iter().map(|&i| shape[i]).collect();
    let rest = moved[1..].iter().product();
    let mut value = x;
    if axis != 0 {
        value = in_order(node, value, &first)?;
    }
    if shape.len() != 3 {
        value = shaped(node, value, &[extent, rest, 1])?;
    }
    let &[out, inputs] = weights.shape.as_slice() else { return Err("its weights are no matrix".into()) };
    if inputs != extent {
        return Err(format!("weights {out} x {inputs} do not fit an axis of {extent}"));
    }
    let weights = Arc::new(Constant { shape: vec![out, extent, 1, 1], ..weights });
    value = node.value_of(Conv { weights, bias: None, groups: 1, window: Window::new([1, 1]) }, &[value])?;
    moved[0] = out;
    value = shaped(node, value, &moved)?;
    if axis != 0 {
        let back: Vec<usize> = (1..=axis).chain([0]).chain(axis + 1..shape.len()).collect();
        value = in_order(node, value, &back)?;
    }
    Ok(value)
}
