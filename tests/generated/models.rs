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

fn bytes(name: &str, dims: &[i64]) -> TensorProto {
    let int32_data = (0..dims.iter().product::<i64>()).map(|i| i as i32 % 7).collect();
    let (name, dims, data_type) = (name.into(), dims.to_vec(), DataType::Int8 as i32);
    TensorProto { name, dims, data_type, int32_data, ..Default::default() }
}

fn scales(name: &str, values: &[f32]) -> TensorProto {
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

/// Valid models of an operator; none where this file does not know it.
fn valid(operator: &str) -> Vec<ModelProto> {
    let whole = |nodes, initializer| vec![model(13, false, nodes, initializer)];
    let simple = |inputs: &[&str]| node(operator, inputs, "y", vec![]);
    match operator {
        "Elu" | "GlobalAveragePool" | "HardSigmoid" | "Identity" | "Relu" | "Sigmoid" | "Clip"
        | "Dropout" | "Softmax" | "LogSoftmax" | "Abs" | "Celu" | "Erf" | "Exp" | "LeakyRelu" | "Log"
        | "Neg" | "Reciprocal" | "Selu" | "Softplus" | "Softsign" | "Sqrt" | "Tanh" => {
            whole(vec![simple(&["x"])], vec![])
        }
        "HardSwish" | "Mish" | "Gelu" | "Swish" => vec![model(24, false, vec![simple(&["x"])], vec![])],
        "PRelu" => whole(vec![simple(&["x", "c"])], vec![floats("c", &[3, 1, 1])]),
        "MeanVarianceNormalization" => {
            whole(vec![node(operator, &["x"], "y", vec![ints("axes", &[2, 3])])], vec![])
        }
        "GlobalMaxPool" | "LpNormalization" => whole(vec![simple(&["x"])], vec![]),
        "ReduceL2" | "ReduceSumSquare" => {
            let attributes = vec![ints("axes", &[1, -1]), int("keepdims", 1)];
            whole(vec![node(operator, &["x"], "y", attributes)], vec![])
        }
        "LRN" => whole(vec![node(operator, &["x"], "y", vec![int("size", 3)])], vec![]),
        "InstanceNormalization" => {
            whole(vec![simple(&["x", "a", "b"])], vec![floats("a", &[3]), floats("b", &[3])])
        }
        "LayerNormalization" => {
            let attributes = vec![int("axis", -1)];
            let layer = node(operator, &["x", "a", "b"], "y", attributes);
            vec![model(17, false, vec![layer], vec![floats("a", &[6]), floats("b", &[6])])]
        }
        "GroupNormalization" => {
            let grouped = node(operator, &["x", "a", "b"], "y", vec![int("num_groups", 3)]);
            vec![model(21, false, vec![grouped], vec![floats("a", &[3]), floats("b", &[3])])]
        }
        "Upsample" => {
            vec![model(9, false, vec![simple(&["x", "s"])], vec![scales("s", &[1.0, 1.0, 2.0, 1.5])])]
        }
        "Resize" => {
            let linear = || {
                let mut mode = int("mode", 0);
                (mode.r#type, mode.s) = (AttributeType::String as i32, b"linear".to_vec());
                mode
            };
            let sized = node(operator, &["x", "", "", "s"], "y", vec![linear()]);
            let mut all = vec![model(13, false, vec![sized], vec![longs("s", &[1, 3, 9, 4])])];
            let scaled = node(operator, &["x", "", "s"], "y", vec![]);
            all.push(model(13, false, vec![scaled], vec![scales("s", &[1.0, 1.0, 2.0, 1.5])]));
            let listed = node(operator, &["x", "", "", "s"], "y", vec![linear(), ints("axes", &[2, 3])]);
            all.push(model(18, false, vec![listed], vec![longs("s", &[9, 4])]));
            all
        }
        "Pow" => whole(vec![simple(&["x", "c"])], vec![floats("c", &[1])]),
        "Max" | "Min" | "Sum" | "Mean" => {
            let mut all = whole(vec![simple(&["x", "x"])], vec![]);
            all.extend(whole(vec![simple(&["c", "x"])], vec![floats("c", &[1])]));
            all
        }
        _ => rearranged(operator)
            .or_else(|| of_constants(operator))
            .unwrap_or_else(|| windows_and_sums(operator)),
    }
}

/// Valid models of the operators that put elements at other places.
fn rearranged(operator: &str) -> Option<Vec<ModelProto>> {
    let with = |opset, inputs: &[&str], attributes, initializer| {
        vec![model(opset, false, vec![node(operator, inputs, "y", attributes)], initializer)]
    };
    Some(match operator {
        "Transpose" => with(13, &["x"], vec![ints("perm", &[0, 1, 3, 2])], vec![]),
        "SpaceToDepth" => with(13, &["x"], vec![int("blocksize", 2)], vec![]),
        "DepthToSpace" => {
            let deep = node("SpaceToDepth", &["x"], "d", vec![int("blocksize", 2)]);
            vec![model(13, false, vec![deep, node(operator, &["d"], "y", vec![int("blocksize", 2)])], vec![])]
        }
        "Tile" => with(13, &["x", "r"], vec![], vec![longs("r", &[1, 1, 2, 3])]),
        "Expand" => {
            let pooled = node("GlobalAveragePool", &["x"], "g", vec![]);
            let nodes = vec![pooled, node(operator, &["g", "s"], "y", vec![])];
            vec![model(13, false, nodes, vec![longs("s", &[1, 3, 4, 5])])]
        }
        "Gather" => with(13, &["x", "i"], vec![int("axis", 1)], vec![longs("i", &[2, 0, -1])]),
        "Pad" => {
            let pads = [0, 0, 1, 2, 0, 0, 1, -1];
            let mut all = with(13, &["x", "p"], vec![], vec![longs("p", &pads)]);
            all.extend(with(10, &["x"], vec![ints("pads", &pads)], vec![]));
            all
        }
        "Slice" => {
            let parts = [("s", 5), ("e", -7), ("a", 2), ("t", -2)].map(|(name, v)| longs(name, &[v]));
            let mut all = with(13, &["x", "s", "e", "a", "t"], vec![], parts.to_vec());
            let attributes = [("starts", 1), ("ends", 4), ("axes", 3)].map(|(name, v)| ints(name, &[v]));
            all.extend(with(9, &["x"], attributes.to_vec(), vec![]));
            all
        }
        "Split" => {
            let two = |attributes, inputs: &[&str]| {
                let mut split = node(operator, inputs, "y", attributes);
                split.output.push("z".into());
                split
            };
            let input = two(vec![int("axis", 2)], &["x", "s"]);
            let attribute = two(vec![int("axis", 3), ints("split", &[2, 4])], &["x"]);
            let mut all = vec![model(13, false, vec![input], vec![longs("s", &[2, 4])])];
            all.push(model(11, false, vec![attribute], vec![]));
            all.push(model(13, false, vec![two(vec![int("axis", 1)], &["x"])], vec![]));
            all
        }
        "Squeeze" | "Unsqueeze" => {
            let nodes = |axes: &[&str], attributes: Vec<AttributeProto>| {
                let first = node("Unsqueeze", &[&["x"], axes].concat(), "u", attributes.clone());
                vec![first, node("Squeeze", &[&["u"], axes].concat(), "y", attributes)]
            };
            let mut all = vec![model(13, false, nodes(&["a"], vec![]), vec![longs("a", &[2])])];
            all.push(model(11, false, nodes(&[], vec![ints("axes", &[4])]), vec![]));
            all
        }
        "ReduceSum" => with(13, &["x", "a"], vec![int("keepdims", 1)], vec![longs("a", &[1, -1])]),
        _ => return None,
    })
}

/// Valid models of the operators that make constants of constants.
fn of_constants(operator: &str) -> Option<Vec<ModelProto>> {
    let number = |inputs: &[&str], attributes, initializer| {
        let cast = node("Cast", &["c"], "f", vec![int("to", 1)]);
        let nodes =
            vec![node(operator, inputs, "c", attributes), cast, node("Add", &["x", "f"], "y", vec![])];
        vec![model(16, false, nodes, initializer)]
    };
    let channels = |name| floats(name, &[3, 1, 1]);
    Some(match operator {
        "And" | "Or" | "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => {
            number(&["a", "b"], vec![], vec![channels("a"), floats("b", &[1])])
        }
        "Not" => number(&["a"], vec![], vec![bytes("a", &[3, 1, 1])]),
        "Ceil" | "Floor" | "Round" => number(&["a"], vec![], vec![channels("a")]),
        "Mod" => number(&["a", "b"], vec![int("fmod", 0)], vec![longs("a", &[-7]), longs("b", &[3])]),
        "Where" => number(&["i", "a", "b"], vec![], vec![bytes("i", &[1]), channels("a"), channels("b")]),
        "ReduceMax" | "ReduceMin" | "ReduceProd" => {
            let attributes = vec![ints("axes", &[1, -1]), int("keepdims", 1)];
            number(&["a"], attributes, vec![floats("a", &[3, 2, 2])])
        }
        "ConstantOfShape" => {
            let one = AttributeProto {
                name: "value".into(),
                r#type: AttributeType::Tensor as i32,
                t: Some(floats("", &[1])),
                ..Default::default()
            };
            number(&["s"], vec![one], vec![longs("s", &[3, 1, 1])])
        }
        "Cast" => number(&["a"], vec![int("to", 7)], vec![channels("a")]),
        "Size" => number(&["x"], vec![], vec![]),
        "Shape" => {
            let nodes = vec![node(operator, &["x"], "s", vec![]), node("Reshape", &["x", "s"], "y", vec![])];
            let mut all = vec![model(13, false, nodes, vec![])];
            let part = vec![node(operator, &["x"], "s", vec![int("start", 2), int("end", 4)])];
            let expand = node("Expand", &["x", "s"], "y", vec![]);
            all.push(model(15, false, [part, vec![expand]].concat(), vec![]));
            all
        }
        "Range" => {
            let made = node(operator, &["a", "b", "d"], "i", vec![]);
            let gather = node("Gather", &["x", "i"], "y", vec![int("axis", 1)]);
            let bounds = vec![longs("a", &[2]), longs("b", &[-1]), longs("d", &[-1])];
            vec![model(13, false, vec![made, gather], bounds)]
        }
        _ => return None,
    })
}

/// Valid models of all other operators.
fn windows_and_sums(operator: &str) -> Vec<ModelProto> {
    let whole = |nodes, initializer| vec![model(13, false, nodes, initializer)];
    let flat = |nodes, initializer| vec![model(13, true, nodes, initializer)];
    let simple = |inputs: &[&str]| node(operator, inputs, "y", vec![]);
    let flatten = || node("Flatten", &["x"], "f", vec![]);
    let window = |more: &[AttributeProto]| {
        let mut all =
            vec![ints("kernel_shape", &[3, 2]), ints("strides", &[2, 1]), ints("pads", &[1, 0, 1, 1])];
        all.extend_from_slice(more);
        all
    };
    match operator {
        "Add" | "Mul" | "Sub" | "Div" => {
            let mut all = whole(vec![simple(&["x", "x"])], vec![]);
            for dims in [&[1, 3, 1, 1][..], &[3, 6, 6], &[1], &[6]] {
                all.extend(whole(vec![simple(&["x", "c"])], vec![floats("c", dims)]));
            }
            let attributes = vec![int("axis", 1), int("broadcast", 1)];
            let old = node(operator, &["x", "c"], "y", attributes);
            all.push(model(6, false, vec![old], vec![floats("c", &[3])]));
            all
        }
        "AveragePool" | "MaxPool" => {
            let mut all = whole(vec![node(operator, &["x"], "y", window(&[int("ceil_mode", 1)]))], vec![]);
            let dilated = node(operator, &["x"], "y", window(&[ints("dilations", &[2, 2])]));
            all.push(model(19, false, vec![dilated], vec![]));
            all
        }
        "BatchNormalization" => {
            let statistics = ["a", "b", "c", "d"].map(|name| floats(name, &[3]));
            whole(vec![simple(&["x", "a", "b", "c", "d"])], statistics.to_vec())
        }
        "Concat" => whole(vec![node(operator, &["x", "x"], "y", vec![int("axis", 1)])], vec![]),
        "Constant" => {
            let weights = AttributeProto {
                name: "value".into(),
                r#type: AttributeType::Tensor as i32,
                t: Some(floats("", &[3, 3, 1, 1])),
                ..Default::default()
            };
            let constant = node(operator, &[], "w", vec![weights]);
            let number = node(operator, &[], "n", vec![int("value_int", 2)]);
            let numbers = node(operator, &[], "s", vec![ints("value_ints", &[1, 108])]);
            let shaped = node("Reshape", &["x", "s"], "y", vec![]);
            let mut all = whole(vec![constant, node("Conv", &["x", "w"], "y", vec![])], vec![]);
            all.extend(whole(vec![number, node("Mul", &["x", "n"], "y", vec![])], vec![]));
            all.extend(flat(vec![numbers, shaped], vec![]));
            all
        }
        "Conv" => {
            let attributes = window(&[ints("dilations", &[1, 2]), int("group", 3)]);
            let grouped = node(operator, &["x", "w", "b"], "y", attributes);
            let dense = node(operator, &["x", "w", "b"], "y", window(&[int("group", 1)]));
            let mut all = whole(vec![grouped], vec![floats("w", &[6, 1, 3, 2]), floats("b", &[6])]);
            all.extend(whole(vec![dense], vec![floats("w", &[4, 3, 3, 2]), floats("b", &[4])]));
            all
        }
        "DequantizeLinear" => {
            let weights = node(operator, &["q", "s", "z"], "w", vec![int("axis", 0)]);
            let conv = node("Conv", &["x", "w"], "y", vec![]);
            let scales = vec![bytes("q", &[4, 3, 1, 1]), floats("s", &[4]), bytes("z", &[4])];
            let mut all = whole(vec![weights, conv], scales);
            let first = node("QuantizeLinear", &["x", "s", "z"], "q", vec![]);
            all.extend(whole(vec![first, simple(&["q", "s", "z"])], vec![floats("s", &[]), bytes("z", &[])]));
            all
        }
        "QuantizeLinear" => {
            let weights = node(operator, &["w", "s", "z"], "q", vec![int("axis", 0)]);
            let back = node("DequantizeLinear", &["q", "s", "z"], "v", vec![int("axis", 0)]);
            let conv = node("Conv", &["x", "v"], "y", vec![]);
            let scales = vec![floats("w", &[4, 3, 1, 1]), floats("s", &[4]), bytes("z", &[4])];
            let mut all = whole(vec![weights, back, conv], scales);
            let first = node(operator, &["x", "s", "z"], "y", vec![int("axis", 1)]);
            all.extend(whole(vec![first], vec![floats("s", &[3]), bytes("z", &[3])]));
            all
        }
        "Flatten" => flat(vec![simple(&["x"])], vec![]),
        "Gemm" => {
            let gemm = node(operator, &["f", "w", "c"], "y", vec![int("transA", 0), int("transB", 1)]);
            flat(vec![flatten(), gemm], vec![floats("w", &[5, 108]), floats("c", &[5])])
        }
        "MatMul" => {
            let mut all = flat(vec![flatten(), simple(&["f", "w"])], vec![floats("w", &[108, 5])]);
            all.extend(whole(vec![simple(&["x", "w"])], vec![floats("w", &[6, 5])]));
            all
        }
        "ReduceMean" => {
            let attributes = vec![ints("axes", &[2, 3]), int("keepdims", 1)];
            let mut all = whole(vec![node(operator, &["x"], "y", attributes)], vec![]);
            all.push(model(18, false, vec![simple(&["x", "a"])], vec![longs("a", &[2, 3])]));
            all
        }
        "Reshape" => {
            let mut all = flat(vec![simple(&["x", "s"])], vec![longs("s", &[1, 108])]);
            all.extend(whole(vec![simple(&["x", "s"])], vec![longs("s", &[1, 3, 36, 1])]));
            all.extend(whole(vec![simple(&["x", "s"])], vec![longs("s", &[0, -1, 4, 9])]));
            all
        }
        _ => vec![],
    }
}

/// The valid models of each operator of the registry, which fails where there is none.
pub fn seeds() -> Vec<Case> {
    let of = |entry: &'static ops::Entry| {
        let models = valid(entry.operator);
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
    let known = ops::reader_of(seed.operator).unwrap().attributes;
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
        case("repeated scalars", sized(2_900, model(13, true, repeated, vec![floats("s", &[1])]))),
    ]
}
