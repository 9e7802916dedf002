//! What exporters write in other ways, beside a plain network of the same weights: the scores are the same to the bit, or
//! as near as another order of sums leaves them.

use prost::Message as _;
use tract_onnx::pb::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType, tensor_proto::DataType, type_proto,
};

use crate::{
    models::{bytes, floats, int, ints, longs, model, node, value},
    semantics::{refusal, scores},
};

/// A convolution, a ReLU, a pooling and a fully connected layer; `flatten` makes "f" of "pooled".
fn network(opset: i64, flatten: Vec<NodeProto>, more: Vec<TensorProto>) -> ModelProto {
    let head = vec![
        node("Conv", &["x", "w"], "conv", vec![]),
        node("Relu", &["conv"], "relu", vec![]),
        node("GlobalAveragePool", &["relu"], "pooled", vec![]),
    ];
    let tail = vec![node("Gemm", &["f", "d"], "y", vec![int("transB", 1)])];
    let weights = vec![floats("w", &[4, 3, 3, 3]), floats("d", &[5, 4])];
    model(opset, true, [head, flatten, tail].concat(), [weights, more].concat())
}

pub fn plain() -> ModelProto {
    network(13, vec![node("Flatten", &["pooled"], "f", vec![])], vec![])
}

pub fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.as_mut().unwrap()
}

pub fn assert_near(got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len());
    for (a, b) in got.iter().zip(want) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{got:?}, not {want:?}");
    }
}

#[test]
fn flattening_by_shapes_is_flattening() {
    let _turn = crate::turn();
    let nodes = vec![
        node("Shape", &["pooled"], "shape", vec![]),
        node("Gather", &["shape", "zero"], "batch", vec![int("axis", 0)]),
        node("Unsqueeze", &["batch", "axes"], "first", vec![]),
        node("Concat", &["first", "rest"], "target", vec![int("axis", 0)]),
        node("Reshape", &["pooled", "target"], "f", vec![]),
    ];
    let mut zero = longs("zero", &[0]);
    zero.dims.clear();
    let written = network(13, nodes, vec![zero, longs("axes", &[0]), longs("rest", &[-1])]);
    assert_eq!(scores(&written), scores(&plain()));
}

#[test]
fn a_fixed_batch_is_a_batch() {
    let _turn = crate::turn();
    let nodes = vec![node("Reshape", &["pooled", "target"], "f", vec![])];
    let mut written = network(13, nodes, vec![longs("target", &[8, 4])]);
    graph(&mut written).input = vec![value("x", &[8, 3, 6, 6])];
    assert_eq!(scores(&written), scores(&plain()));
}

#[test]
fn channels_may_come_last() {
    let _turn = crate::turn();
    let mut written = plain();
    let graph = graph(&mut written);
    graph.input = vec![value("x", &[1, 6, 6, 3])];
    graph.node.insert(0, node("Transpose", &["x"], "nchw", vec![ints("perm", &[0, 3, 1, 2])]));
    graph.node[1].input[0] = "nchw".into();
    assert_eq!(scores(&written), scores(&plain()));
}

#[test]
fn a_normalisation_may_be_inside() {
    let _turn = crate::turn();
    let mut written = plain();
    let inner = graph(&mut written);
    let three = |name: &str, values: [f32; 3]| TensorProto {
        float_data: values.to_vec(),
        ..floats(name, &[1, 3, 1, 1])
    };
    inner.initializer.extend([three("mean", [0.0; 3]), three("std", [0.5, 0.25, 2.0])]);
    inner.node.insert(0, node("Sub", &["x", "mean"], "centred", vec![]));
    inner.node.insert(1, node("Div", &["centred", "std"], "normal", vec![]));
    inner.node[2].input[0] = "normal".into();
    let mut twin = plain();
    let weights = graph(&mut twin).initializer.iter_mut().find(|t| t.name == "w").unwrap();
    for (i, w) in weights.float_data.iter_mut().enumerate() {
        *w /= [0.5, 0.25, 2.0][i / 9 % 3];
    }
    assert_near(&scores(&written), &scores(&twin));
}

/// The nodes of the plain network after its ReLU, as a function of the file.
fn with_function(body: impl FnOnce(&mut FunctionProto)) -> ModelProto {
    let mut written = plain();
    let opset_import = written.opset_import.clone();
    let nodes = &mut graph(&mut written).node;
    let pool = nodes.iter().position(|n| n.op_type == "GlobalAveragePool").unwrap();
    let inner = vec![nodes.remove(pool), nodes.remove(pool)];
    let mut function = FunctionProto {
        name: Some("Pooled".into()),
        domain: Some("local".into()),
        input: vec!["relu".into()],
        output: vec!["f".into()],
        node: inner,
        opset_import,
        ..Default::default()
    };
    body(&mut function);
    let call = NodeProto { domain: "local".into(), ..node("Pooled", &["relu"], "f", vec![]) };
    nodes.insert(pool, call);
    written.functions.push(function);
    written
}

#[test]
fn functions_are_put_in_where_they_are_called() {
    let _turn = crate::turn();
    assert_eq!(scores(&with_function(|_| {})), scores(&plain()));
    let own = NodeProto { domain: "local".into(), ..node("Pooled", &["relu"], "f", vec![]) };
    let why = refusal(&with_function(|function| function.node = vec![own]));
    assert!(why.contains("calls itself"), "{why}");
}

#[test]
fn a_condition_of_shapes_is_decided() {
    let _turn = crate::turn();
    let branch = |name: &str, nodes: Vec<NodeProto>, output: &str| AttributeProto {
        name: name.into(),
        r#type: AttributeType::Graph as i32,
        g: Some(GraphProto { node: nodes, output: vec![value(output, &[1, 4])], ..Default::default() }),
        ..Default::default()
    };
    let flat = branch("then_branch", vec![node("Flatten", &["pooled"], "a", vec![])], "a");
    let other = branch("else_branch", vec![node("NonZero", &["pooled"], "b", vec![])], "b");
    let condition = |extent: i64| {
        let nodes = vec![
            node("Shape", &["pooled"], "shape", vec![]),
            node("Gather", &["shape", "two"], "height", vec![int("axis", 0)]),
            node("Equal", &["height", "extent"], "is_one", vec![]),
            node("If", &["is_one"], "f", vec![flat.clone(), other.clone()]),
        ];
        network(13, nodes, vec![longs("two", &[2]), longs("extent", &[extent])])
    };
    assert_eq!(scores(&condition(1)), scores(&plain()));
    let why = refusal(&condition(2));
    assert!(why.contains("NonZero"), "{why}");
}

#[test]
fn a_loop_is_refused_as_one() {
    let _turn = crate::turn();
    let body = AttributeProto {
        name: "body".into(),
        r#type: AttributeType::Graph as i32,
        g: Some(GraphProto { node: vec![node("Relu", &["a"], "b", vec![])], ..Default::default() }),
        ..Default::default()
    };
    let nodes = vec![node("Loop", &["", "", "pooled"], "f", vec![body])];
    let why = refusal(&network(13, nodes, vec![]));
    assert!(why.contains(r#"Loop (node "f-node": it repeats a subgraph"#), "{why}");
}

#[test]
fn what_scores_do_not_need_is_not_read() {
    let _turn = crate::turn();
    let mut written = plain();
    let inner = graph(&mut written);
    inner.node.push(node("ArgMax", &["scores"], "label", vec![]));
    let zip = NodeProto {
        domain: "ai.onnx.ml".into(),
        attribute: vec![AttributeProto {
            name: "classlabels_strings".into(),
            strings: ["ant", "bee", "cat", "dog", "eel"].map(|name| name.as_bytes().to_vec()).to_vec(),
            ..Default::default()
        }],
        ..node("ZipMap", &["scores"], "map", vec![])
    };
    inner.node.push(zip);
    let mut label = value("label", &[1]);
    if let Some(type_proto::Value::TensorType(tensor)) =
        label.r#type.as_mut().and_then(|t: &mut TypeProto| t.value.as_mut())
    {
        tensor.elem_type = DataType::Int64 as i32;
    }
    inner.output = vec![label, ValueInfoProto { name: "map".into(), ..Default::default() }];
    assert_eq!(scores(&written), scores(&plain()));
    let bytes = prost::Message::encode_to_vec(&written);
    let network = pellucid::network::Network::from_onnx(&bytes).unwrap();
    assert_eq!(network.metadata().labels.as_ref().unwrap()[2], "cat");
}

/// Places are listed per axis, so a long axis is refused before, and short ones of many nodes are counted together.
#[test]
fn lists_of_places_are_bounded() {
    let _turn = crate::turn();
    let sliced = |count: usize| {
        let cut = |i: usize| node("Slice", &["flat", "s", "e", "a"], &format!("y{i}"), vec![]);
        let names: Vec<String> = (0..count).map(|i| format!("y{i}")).collect();
        let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
        let flat = node("Flatten", &["x"], "flat", vec![]);
        let sum = node("Sum", &inputs, "y", vec![]);
        let nodes = [flat].into_iter().chain((0..count).map(cut)).chain([sum]).collect();
        model(13, true, nodes, vec![longs("s", &[1]), longs("e", &[6]), longs("a", &[1])])
    };
    let mut long = sliced(2);
    graph(&mut long).input = vec![value("x", &[1, 3, 1300, 1300])];
    let mut many = sliced(200);
    graph(&mut many).input = vec![value("x", &[1, 3, 1000, 1000])];
    // Each lists the five places that it keeps, but a fill of the whole axis as many as that has.
    for cut in graph(&mut many).node.iter_mut().filter(|n| n.op_type == "Slice") {
        (cut.op_type, cut.input) = ("Pad".into(), vec!["flat".into(), "p".into()]);
    }
    graph(&mut many).initializer = vec![longs("p", &[0, 1, 0, 0])];
    for (case, word) in [(long, "too long"), (many, "repeated")] {
        let (why, peak) = crate::memory::peak(|| refusal(&case));
        assert!(why.contains(word), "{why}");
        assert!(peak < 256 << 20, "{} MiB", peak >> 20);
    }
}

/// A convolution and what follows it, with channels first or, between two transposes, last: the same operators, whose
/// constants have the channels on another axis.
fn with_channels(last: bool) -> ModelProto {
    let mut written = plain();
    let graph = graph(&mut written);
    let read = if last { "nhwc" } else { "conv" };
    let made = if last { "back" } else { "scaled" };
    let mut nodes = vec![
        node("Add", &[read, "shift"], "shifted", vec![]),
        node("Relu", &["shifted"], "relu", vec![]),
        node("Mul", &["relu", "scale"], "scaled", vec![]),
    ];
    if last {
        nodes.insert(0, node("Transpose", &["conv"], "nhwc", vec![ints("perm", &[0, 2, 3, 1])]));
        nodes.push(node("Transpose", &["scaled"], "back", vec![ints("perm", &[0, 3, 1, 2])]));
    }
    graph.node.splice(1..2, nodes);
    graph.node.iter_mut().find(|n| n.op_type == "GlobalAveragePool").unwrap().input[0] = made.into();
    let dims: &[i64] = if last { &[4] } else { &[4, 1, 1] };
    graph.initializer.extend([floats("shift", dims), floats("scale", dims)]);
    written
}

#[test]
fn channels_may_come_last_between_transposes() {
    let _turn = crate::turn();
    assert_eq!(scores(&with_channels(true)), scores(&with_channels(false)));
    let network = |last| pellucid::network::Network::from_onnx(with_channels(last).encode_to_vec()).unwrap();
    let (last, first) = (network(true), network(false));
    let named = |network: &pellucid::network::Network| -> Vec<_> {
        network.layers().iter().map(|l| (l.name.clone(), l.operator.clone(), l.shape.clone())).collect()
    };
    assert_eq!(named(&last), named(&first));
    assert_eq!(last.default_layer().unwrap().name, "scaled-node");
    // The value that the file calls so has its channels last; the layer has them first.
    assert_eq!(last.layer("relu").unwrap().shape, [4, 4, 4]);
    assert!(last.layer("nhwc").unwrap().shape == [4, 4, 4], "what a transpose reads stands for it");
    let nodes = |network: &pellucid::network::Network| {
        let (graph, _) = pellucid::network::simplify(network.graph()).unwrap();
        graph.nodes().len()
    };
    assert!(nodes(&last) <= nodes(&first), "no transposes are left");
}

/// As TensorFlow Lite's networks are converted: quantizers between the transposes around convolutions.
#[test]
fn quantizers_move_below_transposes() {
    let _turn = crate::turn();
    let written = |last: bool| {
        let mut written = plain();
        let graph = graph(&mut written);
        let mut nodes = vec![
            node("QuantizeLinear", &["nhwc", "s", "z"], "q", vec![]),
            node("DequantizeLinear", &["q", "s", "z"], "reals", vec![]),
            node("Relu", &["reals"], "rectified", vec![]),
            node("QuantizeLinear", &["rectified", "s", "z"], "r", vec![]),
            NodeProto {
                domain: "com.microsoft".into(),
                ..node("QLinearAdd", &["q", "s", "z", "r", "s", "z", "s", "z"], "sum", vec![])
            },
            node("DequantizeLinear", &["sum", "s", "z"], "back", vec![]),
        ];
        if last {
            nodes.insert(0, node("Transpose", &["conv"], "nhwc", vec![ints("perm", &[0, 2, 3, 1])]));
            nodes.push(node("Transpose", &["back"], "nchw", vec![ints("perm", &[0, 3, 1, 2])]));
        } else {
            nodes[0].input[0] = "conv".into();
        }
        graph.node.splice(1..2, nodes);
        let pool = graph.node.iter_mut().find(|n| n.op_type == "GlobalAveragePool").unwrap();
        pool.input[0] = if last { "nchw" } else { "back" }.into();
        let scale = TensorProto { float_data: vec![0.03], ..floats("s", &[]) };
        graph.initializer.extend([scale, bytes("z", &[])]);
        written
            .opset_import
            .push(tract_onnx::pb::OperatorSetIdProto { domain: "com.microsoft".into(), version: 1 });
        written
    };
    assert_eq!(scores(&written(true)), scores(&written(false)));
    let nodes = |last: bool| {
        let network = pellucid::network::Network::from_onnx(written(last).encode_to_vec()).unwrap();
        let (graph, _) = pellucid::network::simplify(network.graph()).unwrap();
        graph.nodes().len()
    };
    assert_eq!(nodes(true), nodes(false), "transposes are left");
}

#[test]
fn a_layer_normalisation_of_channels_is_one_in_any_order() {
    let _turn = crate::turn();
    let normalised = |last: bool| {
        let mut written = plain();
        let graph = graph(&mut written);
        let nodes = vec![
            node("Transpose", &["conv"], "nhwc", vec![ints("perm", &[0, 2, 3, 1])]),
            node("LayerNormalization", &["nhwc", "scale", "shift"], "normal", vec![int("axis", -1)]),
            // Where the order of axes is broken by a reshape, nothing moves below the transpose.
            node("Reshape", &["normal", "shape"], "same", vec![]),
            node(
                "Transpose",
                &[if last { "normal" } else { "same" }],
                "back",
                vec![ints("perm", &[0, 3, 1, 2])],
            ),
        ];
        graph.node.splice(1..2, nodes);
        graph.node.iter_mut().find(|n| n.op_type == "GlobalAveragePool").unwrap().input[0] = "back".into();
        let weights = [floats("scale", &[4]), floats("shift", &[4]), longs("shape", &[-1, 4, 4, 4])];
        graph.initializer.extend(weights);
        written.opset_import[0].version = 17;
        written
    };
    assert_near(&scores(&normalised(true)), &scores(&normalised(false)));
}
