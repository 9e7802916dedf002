//! Convolutions and pools over one spatial axis: those of a plane with the height 1.

use std::sync::Arc;

use tract_onnx::pb::attribute_proto::AttributeType;

use super::{
    entry::Read,
    onnx::{Operand, Reader},
    reshape::Reshape,
};
use crate::graph::Constant;

/// Whether the first input is a value with channels and one more axis.
pub(super) fn is_of_one(node: &Reader<'_>) -> bool {
    node.value(0).is_ok_and(|value| node.node(value).shape.len() == 2)
}

/// Reads a node over one axis by the reader of that over two.
pub(super) fn read(node: &mut Reader<'_>, of_two: Read) -> Result<Operand, String> {
    let value = node.value(0)?;
    let &[channels, length] = node.node(value).shape.as_slice() else {
        return Err("its input has not one axis beside the channels".into());
    };
    let mut proto = node.proto.clone();
    for attribute in proto.attribute.iter_mut().filter(|a| a.r#type == AttributeType::Ints as i32) {
        let given = attribute.ints.as_slice();
        attribute.ints = match (attribute.name.as_str(), given) {
            ("pads", &[before, after]) => vec![0, before, 0, after],
            ("kernel_shape" | "strides" | "dilations", &[along]) => vec![1, along],
            ("output_padding", &[along]) => vec![0, along],
            _ => return Err(format!("{} {given:?} is not for one spatial axis", attribute.name)),
        };
    }
    let mut inputs = node.inputs.clone();
    inputs[0] = Some(node.add(Reshape { shape: vec![channels, 1, length] }, &[value])?);
    if let Some(Some(Operand::Constant(weights))) = inputs.get_mut(1)
        && let &[outputs, inputs, taps] = weights.shape.as_slice()
    {
        if weights.quantization.as_ref().is_some_and(|q| q.scales.len() > 1 && q.axis > 1) {
            return Err("the weights have scales along their taps".into());
        }
        *weights = Arc::new(Constant { shape: vec![outputs, inputs, 1, taps], ..(**weights).clone() });
    }
    let mut inner = node.again(&proto, inputs);
    let made = of_two(&mut inner);
    let (over, others) = (inner.over.take(), std::mem::take(&mut inner.others));
    node.over = over;
    let (Operand::Value(made), true) = (made?, others.is_empty()) else {
        return Err("only its first output is supported".into());
    };
    match *node.node(made).shape {
        [channels, 1, length] => node.add(Reshape { shape: vec![channels, length] }, &[made]),
        _ => Err("it does not keep one spatial axis".into()),
    }
}
