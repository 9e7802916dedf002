//! Layers bear the names and operators of their ONNX nodes, whatever the graph makes of these.

mod support;

use std::collections::HashMap;

use pellucid::network::{Network, onnx::decode};
use prost::Message;
use support::{bytes, fixture};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// Holds every layer to the file, and counts those of each operator.
fn check(model: &[u8]) -> HashMap<String, usize> {
    let file = decode(model).unwrap().graph.unwrap();
    let name = |n: &NodeProto| if n.name.is_empty() { n.output[0].clone() } else { n.name.clone() };
    let nodes: HashMap<String, String> = file.node.iter().map(|n| (name(n), n.op_type.clone())).collect();
    let mut counts = HashMap::new();
    for layer in Network::from_onnx(model).unwrap().layers() {
        assert_eq!(nodes.get(&layer.name), Some(&layer.operator), "{}", layer.name);
        *counts.entry(layer.operator.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn layers_of_exported_networks_bear_their_nodes_operators() {
    for name in ["lite", "resnet", "vgg", "densenet", "mobilenet_v3"] {
        let counts = check(&bytes(&fixture(&format!("networks/{name}/model.onnx"))));
        assert!(counts["Conv"] > 3, "{name}: {counts:?}");
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&d| Dimension { value: Some(dimension::Value::DimValue(d)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value, ..Default::default() }),
        ..Default::default()
    }
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        input: inputs.iter().map(|&i| i.into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

/// Four ONNX operators that the graph has one for.
#[test]
fn operators_that_share_one_of_the_graph_keep_their_own_names() {
    let constant = TensorProto {
        name: "c".into(),
        dims: vec![3, 1, 1],
        data_type: DataType::Float as i32,
        float_data: vec![1.0, 2.0, 3.0],
        ..Default::default()
    };
    let vector = TensorProto { name: "v".into(), dims: vec![3], ..constant.clone() };
    let graph = GraphProto {
        node: vec![
            node("Mul", &["image", "c"], "scaled"),
            node("Add", &["scaled", "c"], "shifted"),
            node("BatchNormalization", &["shifted", "v", "v", "v", "v"], "normalised"),
            node("GlobalAveragePool", &["normalised"], "pooled"),
            node("Flatten", &["pooled"], "scores"),
        ],
        initializer: vec![constant, vector],
        input: vec![value("image", &[1, 3, 8, 8])],
        output: vec![value("scores", &[1, 3])],
        ..Default::default()
    };
    let opset_import = vec![OperatorSetIdProto { version: 13, ..Default::default() }];
    let counts =
        check(&ModelProto { graph: Some(graph), opset_import, ..Default::default() }.encode_to_vec());
    for operator in ["Mul", "Add", "BatchNormalization", "GlobalAveragePool"] {
        assert_eq!(counts.get(operator), Some(&1), "{operator}: {counts:?}");
    }
}
