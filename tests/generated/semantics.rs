//! What older opsets mean, and what is on the way to the scores: read right, or refused by name.

use std::sync::Arc;

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend},
    network::{Network, Program},
};
use prost::Message;
use tract_onnx::pb::{AttributeProto, ModelProto};

use crate::models::{floats, int, ints, model, node, value};

pub fn scores(model: &ModelProto) -> Vec<f32> {
    let network = Arc::new(Network::from_onnx(model.encode_to_vec()).unwrap());
    let pixels = network.input().iter().product::<usize>();
    let data = (0..pixels).map(|i| (i % 13) as f32 / 13.0 - 0.4).collect();
    let image = Tensor::new([&[1], network.input()].concat(), data).unwrap();
    let mut cpu = CpuBackend::new(network).unwrap();
    let program = Program::Forward { layer: None };
    pollster::block_on(cpu.run(&program, Images::Batch(&image), None)).unwrap().swap_remove(0).into_data()
}

pub fn refusal(model: &ModelProto) -> String {
    let error = Network::from_onnx(model.encode_to_vec()).unwrap_err();
    assert!(matches!(error.code(), "unsupported" | "model" | "limit"), "{error:?}");
    error.to_string()
}

/// `image op constant`, of an opset, with attributes.
fn binary(operator: &str, opset: i64, dims: &[i64], attributes: Vec<AttributeProto>) -> ModelProto {
    let made = node(operator, &["x", "c"], "y", attributes);
    // Smooth and uneven, so that the plane's mean tells rows from columns.
    let after = node("Mul", &["y", "y"], "z", vec![]);
    let gone = node("Concat", &["z", "x"], "w", vec![int("axis", 1)]);
    let mut model = model(opset, false, vec![made, after, gone], vec![floats("c", dims)]);
    model.graph.as_mut().unwrap().node.iter_mut().for_each(|n| {
        n.input
            .iter_mut()
            .filter(|i| **i == "y" && n.op_type == "GlobalAveragePool")
            .for_each(|i| *i = "w".into());
    });
    model
}

/// The image has as many rows as columns, and here as many channels: only the axis says which are meant.
fn square(mut model: ModelProto) -> ModelProto {
    model.graph.as_mut().unwrap().input[0] = value("x", &[1, 3, 3, 3]);
    model
}

#[test]
fn broadcasting_before_opset_7_is_that_of_its_axis() {
    let _turn = crate::turn();
    for operator in ["Add", "Mul"] {
        let old = |axis: &[i64]| {
            let axis = axis.iter().map(|&a| int("axis", a));
            square(binary(operator, 6, &[3], [int("broadcast", 1)].into_iter().chain(axis).collect()))
        };
        let new = |dims: &[i64]| scores(&square(binary(operator, 13, dims, vec![])));
        assert_eq!(scores(&old(&[1])), new(&[1, 3, 1, 1]), "channels");
        assert_eq!(scores(&old(&[2])), new(&[3, 1]), "rows");
        assert_eq!(scores(&old(&[])), new(&[3]), "columns, the last axis");
        assert_eq!(scores(&old(&[-1])), new(&[3]), "columns, the last axis");
        assert_ne!(new(&[1, 3, 1, 1]), new(&[3, 1]));
        assert_ne!(new(&[1, 3, 1, 1]), new(&[3]));
        for axes in [&[0][..], &[4], &[i64::MIN], &[i64::MAX]] {
            let why = refusal(&old(axes));
            assert!(why.contains("opset 6") && why.contains("axis"), "{why}");
        }
        let why = refusal(&square(binary(operator, 6, &[3], vec![int("axis", 1)])));
        assert!(why.contains("broadcast=1"), "{why}");
        let why = refusal(&square(binary(operator, 13, &[3], vec![int("axis", 1), int("broadcast", 1)])));
        assert!(why.contains("\"axis\"") && why.contains("opset 13"), "{why}");
    }
}

fn normalised(opset: i64, outputs: usize, attributes: Vec<AttributeProto>) -> ModelProto {
    let mut made = node("BatchNormalization", &["x", "a", "b", "c", "d"], "y", attributes);
    made.output.extend((1..outputs).map(|i| format!("y{i}")));
    let statistics = ["a", "b", "c", "d"].map(|name| floats(name, &[3]));
    model(opset, false, vec![made], statistics.to_vec())
}

#[test]
fn training_mode_is_refused_however_it_is_said() {
    let _turn = crate::turn();
    let right = scores(&normalised(9, 1, vec![]));
    assert_eq!(scores(&normalised(15, 1, vec![int("training_mode", 0)])), right);
    assert_eq!(scores(&normalised(6, 1, vec![int("is_test", 1)])), right);
    for trained in [
        normalised(9, 5, vec![]),
        normalised(15, 3, vec![int("training_mode", 1)]),
        normalised(15, 1, vec![int("training_mode", 1)]),
        normalised(6, 1, vec![]),
        model(6, false, vec![node("Dropout", &["x"], "y", vec![])], vec![]),
    ] {
        let why = refusal(&trained);
        assert!(why.contains("call model.eval() before the export"), "{why}");
    }
    let why = refusal(&normalised(8, 1, vec![int("spatial", 0)]));
    assert!(why.contains("spatial=0"), "{why}");
}

#[test]
fn reshape_before_opset_5_has_its_shape_as_an_attribute() {
    let _turn = crate::turn();
    let old = model(4, true, vec![node("Reshape", &["x"], "y", vec![ints("shape", &[0, -1])])], vec![]);
    assert_eq!(scores(&old).len(), 108);
}

#[test]
fn nodes_in_any_order_are_read() {
    let _turn = crate::turn();
    let step = |from: &str, to: &str, operator: &str| node(operator, &[from], to, vec![]);
    let nodes = [step("x", "a", "Relu"), step("a", "b", "Exp"), step("b", "y", "Neg")];
    let [first, second, third] = nodes.clone();
    let mixed = model(13, false, vec![third, first, second], vec![]);
    assert_eq!(scores(&mixed), scores(&model(13, false, nodes.to_vec(), vec![])));
}

#[test]
fn names_that_contradict_each_other_are_refused() {
    let _turn = crate::turn();
    let relu = |from: &str, to: &str| node("Relu", &[from], to, vec![]);
    let twice = model(13, false, vec![relu("x", "y"), relu("x", "y")], vec![]);
    let why = refusal(&twice);
    assert!(why.contains("two values") && why.contains("\"y\""), "{why}");
    let circle = model(13, false, vec![relu("z", "y"), relu("y", "z")], vec![]);
    assert!(refusal(&circle).contains("which nothing before it makes"));
    // A node's name is no value's.
    let mut named = model(13, false, vec![relu("x", "z"), relu("hidden", "y")], vec![]);
    named.graph.as_mut().unwrap().node[0].name = "hidden".into();
    assert!(refusal(&named).contains("which nothing before it makes"));
    let nothing = model(13, false, vec![node("", &["x"], "y", vec![])], vec![]);
    assert!(refusal(&nothing).contains("a node without an operator"));
}

#[test]
fn hundreds_of_nodes_are_counted_and_a_node_is_named_once() {
    let _turn = crate::turn();
    let many = (0..69).map(|i| node("NonZero", &["x"], &format!("b{i}"), vec![]));
    let relu = node("Relu", &["x"], "r", vec![]);
    // What the scores do not need is not read.
    let names: Vec<String> = (0..69).map(|i| format!("b{i}")).collect();
    let inputs: Vec<&str> = names.iter().map(String::as_str).chain(["r"]).collect();
    let sum = node("Sum", &inputs, "y", vec![]);
    let why = refusal(&model(13, false, many.chain([relu, sum]).collect(), vec![]));
    assert!(why.contains(r#"NonZero (69 nodes, first "b0-node": no such operator)"#), "{why}");
    let conv = node("Conv", &["x", "w"], "y", vec![]);
    let why = refusal(&model(13, false, vec![conv], vec![floats("w", &[2, 4, 1, 1])]));
    assert!(why.contains(r#"Conv (node "y-node": weights"#) && why.matches("Conv (").count() == 1, "{why}");
}

/// A squeeze-and-excite block, the last convolution, and one of the ways to pool.
fn squeezed(pool: Vec<tract_onnx::pb::NodeProto>) -> ModelProto {
    let mut nodes = vec![
        node("Conv", &["x", "w"], "c1", vec![]),
        node("GlobalAveragePool", &["c1"], "s1", vec![]),
        node("Conv", &["s1", "w"], "s2", vec![]),
        node("Sigmoid", &["s2"], "s3", vec![]),
        node("Mul", &["c1", "s3"], "m", vec![]),
        node("Conv", &["m", "w"], "c2", vec![]),
        node("Relu", &["c2"], "last", vec![]),
    ];
    nodes.extend(pool);
    model(13, true, nodes, vec![floats("w", &[3, 3, 1, 1])])
}

#[test]
fn the_default_layer_is_what_the_last_pooling_reads() {
    let _turn = crate::turn();
    let flatten = || node("Flatten", &["p"], "y", vec![]);
    let mean = |keep| node("ReduceMean", &["last"], "p", vec![ints("axes", &[2, 3]), int("keepdims", keep)]);
    for pool in [
        vec![node("GlobalAveragePool", &["last"], "p", vec![]), flatten()],
        vec![node("AveragePool", &["last"], "p", vec![ints("kernel_shape", &[6, 6])]), flatten()],
        vec![node("MaxPool", &["last"], "p", vec![ints("kernel_shape", &[6, 6])]), flatten()],
        vec![mean(1), flatten()],
        vec![mean(0), node("Identity", &["p"], "y", vec![])],
        vec![node("Flatten", &["last"], "y", vec![])],
    ] {
        let what = pool[0].op_type.clone();
        let network = Network::from_onnx(squeezed(pool).encode_to_vec()).unwrap();
        assert_eq!(network.default_layer().unwrap().name, "last-node", "{what}");
    }
}
