//! Convolutions over three axes that look along two of them: the third one is a batch, as LambdaNet's values are. They
//! are convolutions of a plane, whose groups are the places along the third axis.

use std::sync::Arc;

use tract_onnx::pb::{AttributeProto, attribute_proto::AttributeType};

use super::{
    conv,
    onnx::{Operand, Reader},
    rearrange::{IndexMap, check_axes, of_constant, placed},
    reshape::shaped,
};
use crate::graph::{Constant, Quantization, ValueId};

/// Whether the first input is a value with channels and three more axes.
pub(super) fn is_of_three(node: &Reader<'_>) -> bool {
    node.value(0).is_ok_and(|value| node.node(value).shape.len() == 4)
}

/// Reads a Conv over three axes.
pub(super) fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let value = node.value(0)?;
    let shape = node.node(value).shape.clone();
    check_axes(&shape)?;
    let weights = node.constant(1)?;
    let axis = flat_axis(node, &shape, &weights).ok_or_else(|| {
        format!(
            "only convolutions over height and width are supported, or over two of three axes; the weights are {:?}",
            weights.shape
        )
    })?;
    let depth = shape[1 + axis];
    let mut proto = node.proto.clone();
    proto.attribute.retain(|a| a.name != "group");
    for attribute in proto.attribute.iter_mut().filter(|a| a.r#type == AttributeType::Ints as i32) {
        let others = attribute.ints.iter().enumerate().filter(|(i, _)| i % 3 != axis);
        attribute.ints = others.map(|(_, &v)| v).collect();
    }
    let groups = node.int("group", 1).checked_mul(depth as i64).ok_or("it has too many groups")?;
    proto.attribute.push(AttributeProto {
        name: "group".into(),
        r#type: AttributeType::Int as i32,
        i: groups,
        ..<_>::default()
    });
    let mut inputs = node.inputs.clone();
    inputs[0] = Some(Operand::Value(stacked(node, value, &shape, axis)?));
    node.repeat((depth - 1) * weights.len())?;
    inputs[1] = Some(Operand::Constant(repeated(&weights, axis, depth)?.into()));
    if let Some(bias) = node.optional_constant(2)? {
        let all = bias.to_f32().repeat(depth);
        inputs[2] = Some(Operand::Constant(Constant::floats([all.len()], all).into()));
    }
    let mut inner = node.again(&proto, inputs);
    let made = conv::read(&mut inner);
    node.over = inner.over.take();
    let Operand::Value(made) = made? else { return Err("it does not depend on the image".into()) };
    let &[channels, h, w] = node.node(made).shape.as_slice() else {
        return Err("it does not make a plane".into());
    };
    let split = [depth, channels / depth, h, w];
    let split_value = shaped(node, made, &split)?;
    let mut order = vec![1, 2, 3];
    order.insert(1 + axis, 0);
    placed(node, split_value, IndexMap::transpose(&split, &order)).map(Operand::Value)
}

/// The axis along which the window is one place, of those the shortest.
fn flat_axis(node: &Reader<'_>, shape: &[usize], weights: &Constant) -> Option<usize> {
    let taps = weights.shape.get(2..).filter(|taps| taps.len() == 3)?;
    let is = |name: &str, axis: usize, wanted: i64| match node.ints(name) {
        Some(given) => given.iter().skip(axis).step_by(3).all(|&v| v == wanted),
        None => true,
    };
    let is_flat = |&axis: &usize| taps[axis] == 1 && is("strides", axis, 1) && is("pads", axis, 0);
    (0..3).filter(is_flat).min_by_key(|axis| shape[1 + axis])
}

/// `[C, A, B, C]` as `[places along the axis times channels, the two others]`.
fn stacked(node: &mut Reader<'_>, value: ValueId, shape: &[usize], axis: usize) -> Result<ValueId, String> {
    let others = [1, 2, 3].into_iter().filter(|&i| i != 1 + axis);
    let order: Vec<usize> = [1 + axis, 0].into_iter().chain(others).collect();
    let moved = placed(node, value, IndexMap::transpose(shape, &order))?;
    let plane: Vec<usize> = order[2..].iter().map(|&i| shape[i]).collect();
    shaped(node, moved, &[shape[0] * shape[1 + axis], plane[0], plane[1]])
}

/// The weights of a plane, once for each place along the axis.
fn repeated(weights: &Arc<Constant>, axis: usize, depth: usize) -> Result<Constant, String> {
    let mut shape = weights.shape.clone();
    shape.remove(2 + axis);
    let quantization = match &weights.quantization {
        Some(q) if q.scales.len() > 1 && q.axis > 0 => {
            return Err("the weights have scales along another axis than the outputs".into());
        }
        Some(q) if q.scales.len() > 1 => Some(Quantization {
            axis: 0,
            scales: q.scales.repeat(depth),
            zero_points: q.zero_points.repeat(depth),
        }),
        other => other.clone(),
    };
    let one = Constant { quantization: None, shape, ..(**weights).clone() };
    let mut repeats = vec![1; one.shape.len()];
    repeats[0] = depth;
    Ok(Constant { quantization, ..of_constant(&IndexMap::tile(&one.shape, &repeats), &one) })
}
