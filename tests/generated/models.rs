//! A small valid model for each operator that can be read, and copies of it with one integer changed.

use pellucid::ops::{self, onnx::attributes::Attribute};
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto,
    attribute_proto::AttributeType,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension},
    type_proto,
};

/// What integers are set to: the ends of their types, where sums and products wrap in 32 bits or in 64, and what is
/// neither positive nor a size.
pub const VALUES: [i64; 11] =
    [0, 1, -1, 1 << 16, i32::MAX as i64, 1 << 31, u32::MAX as i64, 1 << 32, 1 << 61, 1 << 62, i64::MAX];

/// A model with the operator that it is for, and what was changed in it.
#[derive(Clone)]
pub struct Case {
    pub operator: &'static str,
    pub change: String,
    pub model: ModelProto,
}

impl Case {
    pub fn bytes(&self) -> Vec<u8> {
        self.model.encode_to_vec()
    }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let ints = ints.to_vec();
    AttributeProto { name: name.into(), r#type: AttributeType::Ints as i32, ints, ..Default::default() }
}

pub fn text(name: &str, text: &str) -> AttributeProto {
    let (name, s) = (name.into(), text.as_bytes().to_vec());
    AttributeProto { name, r#type: AttributeType::String as i32, s, ..Default::default() }
}

pub fn node(operator: &str, inputs: &[&str], output: &str, attribute: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        name: format!("{output}-node"),
        input: inputs.iter().map(|&i| i.into()).collect(),
        output: vec![output.into()],
        attribute,
        ..Default::default()
    }
}

pub fn floats(name: &str, dims: &[i64]) -> TensorProto {
    let count = dims.iter().product::<i64>();
    let float_data = (0..count).map(|i| (i % 7 + 1) as f32 / 16.0).collect();
    let (name, dims, data_type) = (name.into(), dims.to_vec(), DataType::Float as i32);
    TensorProto { name, dims, data_type, float_data, ..Default::default() }
}

pub fn bytes(name: &str, dims: &[i64]) -> TensorProto {
    let int32_data = (0..dims.iter().product::<i64>()).map(|i| i as i32 % 7).collect();
    let (name, dims, data_type) = (name.into(), dims.to_vec(), DataType::Int8 as i32);
    TensorProto { name, dims, data_type, int32_data, ..Default::default() }
}

pub fn scales(name: &str, values: &[f32]) -> TensorProto {
    TensorProto { float_data: values.to_vec(), ..floats(name, &[values.len() as i64]) }
}

pub fn longs(name: &str, values: &[i64]) -> TensorProto {
    let (name, dims, data_type) = (name.into(), vec![values.len() as i64], DataType::Int64 as i32);
    TensorProto { name, dims, data_type, int64_data: values.to_vec(), ..Default::default() }
}

pub fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&d| Dimension { value: Some(dimension::Value::DimValue(d)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let r#type = Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() });
    ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}

/// A classifier whose nodes make "y" of the image "x"; what is left of height and width is pooled, unless "y" is flat.
pub fn model(
    opset: i64,
    is_flat: bool,
    mut nodes: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
) -> ModelProto {
    if !is_flat {
        nodes.push(node("GlobalAveragePool", &["y"], "pooled", vec![]));
        nodes.push(node("Flatten", &["pooled"], "scores", vec![]));
    } else {
        nodes.push(node("Identity", &["y"], "scores", vec![]));
    }
    let graph = GraphProto {
        node: nodes,
        initializer,
        input: vec![value("x", &[1, 3, 6, 6])],
        output: vec![value("scores", &[1, 3])],
        ..Default::default()
    };
    let opset_import = vec![OperatorSetIdProto { version: opset, ..Default::default() }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..Default::default() }
}

/// The valid models of each operator of the registry, which fails where there is none.
pub fn seeds() -> Vec<Case> {
    let of = |entry: &'static ops::Entry| {
        let models = match entry.domain {
            "" => crate::valid::valid(entry.operator),
            _ => crate::integers::valid(entry.operator),
        };
        assert!(!models.is_empty(), "{} can be read, and has no model here", entry.operator);
        let operator = entry.operator;
        models.into_iter().map(move |model| Case { operator, change: "none".into(), model })
    };
    ops::entries().flat_map(of).collect()
}

fn graph(case: &mut Case) -> &mut GraphProto {
    case.model.graph.as_mut().unwrap()
}

/// Copies of a case with one integer changed: each that is in it, and each that the operator could have.
pub fn changed(seed: &Case) -> Vec<Case> {
    let mut all = vec![];
    for value in VALUES {
        let count = seed.model.graph.as_ref().unwrap();
        for (t, tensor) in count.initializer.iter().enumerate() {
            for d in 0..tensor.dims.len() {
                let change = |case: &mut Case| graph(case).initializer[t].dims[d] = value;
                push(&mut all, seed, format!("{} dims[{d}] = {value}", tensor.name), change);
            }
            if !tensor.dims.is_empty() {
                // What an extent of zero promises, too.
                push(&mut all, seed, format!("{} dims[0] = {value}, no elements", tensor.name), |case| {
                    let t = &mut graph(case).initializer[t];
                    t.dims[0] = value;
                    (t.float_data, t.int32_data, t.int64_data) = (vec![], vec![], vec![]);
                });
            }
            for i in 0..tensor.int64_data.len() {
                let change = |case: &mut Case| graph(case).initializer[t].int64_data[i] = value;
                push(&mut all, seed, format!("{}[{i}] = {value}", tensor.name), change);
            }
        }
        for d in 0..4 {
            push(&mut all, seed, format!("input dims[{d}] = {value}"), |case| {
                let tensor = graph(case).input[0].r#type.as_mut().unwrap().value.as_mut();
                let Some(type_proto::Value::TensorType(tensor)) = tensor else { panic!("no tensor") };
                tensor.shape.as_mut().unwrap().dim[d].value = Some(dimension::Value::DimValue(value));
            });
        }
        attributes(&mut all, seed, value);
    }
    all
}

fn push(all: &mut Vec<Case>, seed: &Case, change: String, f: impl FnOnce(&mut Case)) {
    let mut case = Case { change, ..seed.clone() };
    f(&mut case);
    all.push(case);
}

fn attributes(all: &mut Vec<Case>, seed: &Case, value: i64) {
    let nodes = &seed.model.graph.as_ref().unwrap().node;
    for (n, node) in nodes.iter().enumerate() {
        for (a, attribute) in node.attribute.iter().enumerate() {
            let name = format!("{}.{}", node.op_type, attribute.name);
            if attribute.r#type == AttributeType::Int as i32 {
                let change = |case: &mut Case| graph(case).node[n].attribute[a].i = value;
                push(all, seed, format!("{name} = {value}"), change);
            }
            for i in 0..attribute.ints.len() {
                let change = |case: &mut Case| graph(case).node[n].attribute[a].ints[i] = value;
                push(all, seed, format!("{name}[{i}] = {value}"), change);
            }
            if let Some(tensor) = &attribute.t {
                for d in 0..tensor.dims.len() {
                    let change = |case: &mut Case| {
                        graph(case).node[n].attribute[a].t.as_mut().unwrap().dims[d] = value;
                    };
                    push(all, seed, format!("{name} dims[{d}] = {value}"), change);
                }
            }
        }
        if node.op_type == seed.operator {
            more_attributes(all, seed, (n, node), value);
        }
    }
}

/// Attributes that the operator has and this node has not, in an opset that has them.
fn more_attributes(all: &mut Vec<Case>, seed: &Case, (n, node): (usize, &NodeProto), value: i64) {
    let known = ops::reader_of(&node.domain, seed.operator).unwrap().attributes;
    for attribute in known.iter().filter(|a| node.attribute.iter().all(|given| given.name != a.name)) {
        let added = match attribute.kind {
            AttributeType::Int => vec![int(attribute.name, value)],
            AttributeType::Ints => [1, 2, 4].map(|n| ints(attribute.name, &vec![value; n])).to_vec(),
            _ => continue,
        };
        let opset = opset_with(attribute, seed.model.opset_import[0].version);
        for more in added {
            let change = format!("{}.{} = {value}, {} times", seed.operator, more.name, more.ints.len());
            push(all, seed, change, |case| {
                graph(case).node[n].attribute.push(more);
                case.model.opset_import[0].version = opset;
            });
        }
    }
}

/// The nearest opset that has an attribute.
fn opset_with(attribute: &Attribute, opset: i64) -> i64 {
    opset.max(attribute.since).min(attribute.until)
}

/// Files that crashed, hung or ate memory, by what they ask for.
pub fn found() -> Vec<Case> {
    let case = |change: &str, model| Case { operator: "found", change: change.into(), model };
    let sized = |height: i64, mut model: ModelProto| {
        model.graph.as_mut().unwrap().input[0] = value("x", &[1, 3, height, height]);
        model
    };
    let conv = |attributes| {
        let conv = node("Conv", &["x", "w"], "y", attributes);
        model(13, false, vec![conv], vec![floats("w", &[4, 3, 3, 1])])
    };
    let wide = vec![ints("kernel_shape", &[1 << 31, 1]), ints("pads", &[(1 << 31) - 4, 0, 0, 0])];
    let flat = |operator: &str| {
        let first = node(operator, &["x"], "f", vec![]);
        model(13, true, vec![first, node("Flatten", &["f"], "y", vec![])], vec![])
    };
    let empty = |name: &str, dims: &[i64]| floats(name, dims);
    let scales = vec![floats("w", &[4, 3, 1, 1]), empty("s", &[0]), bytes("z", &[0])];
    let quantized = vec![
        node("QuantizeLinear", &["w", "s", "z"], "q", vec![]),
        node("DequantizeLinear", &["q", "s", "z"], "v", vec![]),
        node("Conv", &["x", "v"], "y", vec![]),
    ];
    let nothing = vec![
        node("Conv", &["x", "w"], "c", vec![]),
        node("BatchNormalization", &["c", "a", "a", "a", "a"], "y", vec![]),
    ];
    // Scalars that are repeated to a flat value of 25 million elements, a thousand times.
    let mut repeated = vec![node("Flatten", &["x"], "r0", vec![])];
    repeated.extend((0..1000).map(|i| node("Add", &[&format!("r{i}"), "s"], &format!("r{}", i + 1), vec![])));
    repeated.push(node("Identity", &["r1000"], "y", vec![]));
    // Constants that are computed of constants, each by a model of its own.
    let mut computed: Vec<_> =
        (0..3000).map(|i| node("Softmax", &[&format!("c{i}")], &format!("c{}", i + 1), vec![])).collect();
    computed.push(node("Add", &["x", "c3000"], "y", vec![]));
    let too_far = vec![
        node("CumSum", &["l", "z"], "i", vec![]),
        node("Cast", &["i"], "f", vec![int("to", 1)]),
        node("Add", &["x", "f"], "y", vec![]),
    ];
    let longest = vec![longs("l", &[i64::MAX / 2; 6]), longs("z", &[0])];
    // As many sums as there are values in a plane, for each of them.
    let sums = vec![ints("kernel_shape", &[2047, 2047]), ints("pads", &[1023; 4])];
    vec![
        case("dilations of 2^61", conv(vec![ints("dilations", &[1 << 61, 1])])),
        case("dilations of 2^29", conv(vec![ints("dilations", &[1 << 29, 1])])),
        case("pads of 2^60", conv(vec![ints("pads", &[1 << 60, 0, 0, 0])])),
        case("a kernel of 2^31", model(13, false, vec![node("AveragePool", &["x"], "y", wide)], vec![])),
        case(
            "sums of sums",
            sized(2048, model(13, false, vec![node("AveragePool", &["x"], "y", sums)], vec![])),
        ),
        case("an image of 14000", sized(14_000, flat("GlobalAveragePool"))),
        case("108 million classes", sized(6_000, flat("Relu"))),
        case("empty scales", model(13, false, quantized, scales)),
        case("no channels", model(13, false, nothing, vec![empty("w", &[0, 3, 1, 1]), empty("a", &[0])])),
        case("thousands of computed constants", model(13, false, computed, vec![floats("c0", &[1, 6])])),
        case("sums over 2^63", model(13, false, too_far, longest)),
        case("repeated scalars", sized(2_900, model(13, true, repeated, vec![floats("s", &[1])]))),
    ]
}
