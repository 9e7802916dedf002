//! How a constant meets a value of another shape: by numpy's rule, and by the one that ONNX had before opset 7.

use super::{affine::Per, onnx::Reader};
use crate::graph::{Constant, ValueId};

/// The values of a node's constant for each channel, or for each element, of the node's other input; that is the
/// `place`-th.
pub fn broadcast(
    node: &mut Reader<'_>,
    (place, constant): (usize, &Constant),
    input: ValueId,
) -> Result<(Vec<f32>, Per), String> {
    let shape = node.node(input).shape.clone();
    let own = &aligned(node, place, &constant.shape, &shape)?;
    let channels = shape.first().copied().unwrap_or(1);
    if constant.len() == 1 {
        node.repeat(channels)?;
        return Ok((vec![constant.to_f32()[0]; channels], Per::Channel));
    }
    let elements = shape.iter().product::<usize>();
    if constant.len() < elements && !is_per_channel(own, &shape) {
        node.repeat(elements)?;
    }
    spread(own, &constant.to_f32(), &shape)
}

/// Whether a constant has a number per channel of a value, which is not repeated.
fn is_per_channel(own: &[usize], shape: &[usize]) -> bool {
    let own = &own[own.len().saturating_sub(shape.len())..];
    own.len() == shape.len() && own.iter().skip(1).all(|&extent| extent == 1)
}

/// The extents that a constant has by today's rule, which aligns last axes. Before opset 7 the second operand was
/// broadcast to the first if `broadcast` was set, its first axis at `axis`.
fn aligned(node: &Reader<'_>, place: usize, own: &[usize], shape: &[usize]) -> Result<Vec<usize>, String> {
    let rank = shape.len() + 1;
    let axis = node.attribute("axis").map(|a| a.i);
    if node.opset >= 7 || own.iter().all(|&d| d == 1) {
        return Ok(own.to_vec());
    }
    let refuse = |why: &str| Err(format!("opset {} with broadcast and axis {axis:?}: {why}", node.opset));
    if node.int("broadcast", 0) == 0 && own.get(1..) != Some(shape) {
        return refuse("operands of different shapes need broadcast=1");
    }
    if place == 1 {
        return refuse("the first operand cannot be a constant that is broadcast");
    }
    let last = rank_i64(rank) - rank_i64(own.len());
    let first = axis.map_or(last, |a| if a < 0 { a.saturating_add(rank_i64(rank)) } else { a });
    match usize::try_from(last - first) {
        Ok(_) if first == 0 && own.first() != Some(&1) => refuse("it would mix the images of a batch"),
        Ok(behind) if (0..=last).contains(&first) => Ok([own, &vec![1; behind]].concat()),
        _ => refuse("the constant does not fit there"),
    }
}

/// Fails where two values of an image are broadcast by the rule before opset 7.
pub fn check_values(node: &Reader<'_>, [a, b]: [ValueId; 2]) -> Result<(), String> {
    match node.attribute("axis") {
        Some(axis) if node.opset < 7 && node.node(a).shape != node.node(b).shape => {
            Err(format!("opset {} with axis {} of two values is not supported", node.opset, axis.i))
        }
        _ => Ok(()),
    }
}

fn rank_i64(rank: usize) -> i64 {
    rank as i64
}

fn spread(own: &[usize], values: &[f32], shape: &[usize]) -> Result<(Vec<f32>, Per), String> {
    // Numpy's rule aligns last axes; a constant with an axis for the batch must have it of extent one.
    let refuse = || format!("a constant of shape {own:?} does not broadcast to {shape:?} per image");
    let extra = own.len().saturating_sub(shape.len());
    if extra > 1 || own[..extra].iter().any(|&d| d != 1) {
        return Err(refuse());
    }
    let own = &own[extra..];
    let lead = shape.len() - own.len();
    let extent = |axis: usize| if axis < lead { 1 } else { own[axis - lead] };
    if (0..shape.len()).any(|a| extent(a) != 1 && extent(a) != shape[a]) {
        return Err(refuse());
    }
    if is_per_channel(own, shape) {
        return Ok((values.to_vec(), Per::Channel));
    }
    let elements = shape.iter().product::<usize>();
    let source = |mut i: usize| {
        let (mut place, mut step) = (0, 1);
        for axis in (0..shape.len()).rev() {
            let at = i % shape[axis];
            i /= shape[axis];
            if extent(axis) != 1 {
                place += at * step;
                step *= extent(axis);
            }
        }
        place
    };
    Ok(((0..elements).map(|i| values[source(i)]).collect(), Per::Element))
}
