//! An ONNX classifier of two kilobytes: a pointwise convolution with a filter per class, averaged over the picture.

use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, StringStringEntryProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// The side of its input.
pub const SIDE: i64 = 32;

/// The file of a network of `classes`, with metadata keys of Pellucid's (without their prefix). Its head and its
/// preprocessing are stated, so that nothing is noted of them.
pub fn small_model(classes: usize, metadata: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(key, value): &(&str, &str)| StringStringEntryProto {
        key: format!("pellucid.{key}"),
        value: (*value).into(),
    };
    let weight = |i: usize| ((i * 37 % 17) as f32 - 8.0) / 8.0;
    let weights = TensorProto {
        name: "weights".into(),
        dims: vec![classes as i64, 3, 1, 1],
        data_type: DataType::Float as i32,
        float_data: (0..3 * classes).map(weight).collect(),
        ..Default::default()
    };
    let graph = GraphProto {
        node: vec![
            node("Conv", &["image", "weights"], "conv"),
            node("GlobalAveragePool", &["conv"], "pooled"),
            node("Flatten", &["pooled"], "scores"),
        ],
        initializer: vec![weights],
        input: vec![value("image", &[1, 3, SIDE, SIDE])],
        output: vec![value("scores", &[1, classes as i64])],
        ..Default::default()
    };
    // Of two entries of a key the first holds.
    let metadata_props =
        metadata.iter().chain(&[("head", "softmax"), ("preset", "torchvision")]).map(entry).collect();
    ModelProto { graph: Some(graph), metadata_props, ..Default::default() }.encode_to_vec()
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        name: output.into(),
        input: inputs.iter().map(|&i| i.into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&d| Dimension { value: Some(dimension::Value::DimValue(d)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.into(), r#type: Some(kind), ..Default::default() }
}
