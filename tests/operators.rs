//! Operators that the standard's published cases do not cover: onnxruntime's own, convolutions over three axes, Einsum, and
//! those that are read otherwise than the cases use them. `tests/reference/make_operators.py` asks onnxruntime.

mod support;

use support::{bytes, extents, fixture, json};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, tensor_proto::DataType, tensor_shape_proto::Dimension, type_proto,
};

use pellucid::{
    Result, Tensor,
    backend::{cpu::run_graph, gpu},
    gpu::Gpu,
    graph::Graph,
    network::onnx::{decode, import},
    ops::onnx::Operand,
};

fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: output.into(),
        input: inputs.iter().map(|&i| i.into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

/// `Where(c, first, second)` by rows, of the image `x`, `r = relu(x)` and a constant `i`.
fn chosen(first: &str, second: &str) -> Vec<f32> {
    use tract_onnx::pb::tensor_shape_proto::dimension::Value::DimValue;
    let dim = |d: i64| Dimension { value: Some(DimValue(d)), ..Default::default() };
    let shape = Some(TensorShapeProto { dim: [1, 1, 2, 3].map(dim).to_vec() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    let value =
        |name: &str| ValueInfoProto { name: name.into(), r#type: Some(kind.clone()), ..Default::default() };
    let condition = TensorProto {
        name: "c".into(),
        dims: vec![2, 1],
        data_type: DataType::Bool as i32,
        int32_data: vec![1, 0],
        ..Default::default()
    };
    let infinite = TensorProto {
        name: "i".into(),
        dims: vec![2, 1],
        data_type: DataType::Float as i32,
        float_data: vec![9.0, 7.0],
        ..Default::default()
    };
    let graph = GraphProto {
        node: vec![node("Relu", &["x"], "r"), node("Where", &["c", first, second], "y")],
        initializer: vec![condition, infinite],
        input: vec![value("x")],
        output: vec![value("y")],
        ..Default::default()
    };
    let opset_import = vec![OperatorSetIdProto { version: 16, ..Default::default() }];
    let mut model = ModelProto { graph: Some(graph), opset_import, ..Default::default() };
    let mut imported = import(&mut model).unwrap();
    let Some(Operand::Value(y)) = imported.names.get("y") else { panic!("y is a constant") };
    imported.graph.set_outputs([*y]);
    let image = Tensor::new([1, 1, 2, 3], vec![-1.0, 1.0, 2.0, -3.0, 4.0, 5.0]).unwrap();
    run_graph(&imported.graph, &[image]).unwrap().swap_remove(0).data().to_vec()
}

#[test]
fn where_chooses_among_values_and_constants() {
    assert_eq!(chosen("x", "r"), [-1.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
    assert_eq!(chosen("r", "x"), [0.0, 1.0, 2.0, -3.0, 4.0, 5.0]);
    assert_eq!(chosen("x", "i"), [-1.0, 1.0, 2.0, 7.0, 7.0, 7.0]);
}

type Run = fn(&Graph, &[Tensor]) -> Result<Vec<Tensor>>;

/// How far results may be from onnxruntime's. It rounds products in another order, and takes `erf` and `tanh` from
/// approximations of its own.
const NEAR: f32 = 1e-5;

fn check_all(run: Run) {
    let cases = json(&fixture("operators/cases.json"));
    let cases = cases.as_object().unwrap();
    assert_eq!(cases.len(), 66);
    let mut faults = vec![];
    for (name, case) in cases {
        let tensor = |key: &str| {
            let values = case[key]["values"].as_array().unwrap();
            let values = values.iter().map(|v| v.as_f64().unwrap() as f32).collect();
            Tensor::new(extents(&case[key]["shape"]), values).unwrap()
        };
        let model = bytes(&fixture(&format!("operators/{name}.onnx")));
        let mut imported = match import(&mut decode(model).unwrap()) {
            Ok(imported) => imported,
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                continue;
            }
        };
        let Some(Operand::Value(y)) = imported.names.get("y") else { panic!("{name}: y is a constant") };
        imported.graph.set_outputs([*y]);
        let made = run(&imported.graph, &[tensor("x")]).unwrap().swap_remove(0);
        let wanted = tensor("y");
        let pairs = made.data().iter().zip(wanted.data());
        let worst = pairs.map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f32::max);
        if made.shape() != wanted.shape() || worst.is_nan() || worst > NEAR {
            faults.push(format!(
                "{name}: {:?}, {:?} wanted; off by {worst:.1e}",
                made.shape(),
                wanted.shape()
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn onnxruntimes_operators_are_its_own() {
    check_all(run_graph);
}

#[test]
fn onnxruntimes_operators_are_its_own_on_a_gpu() {
    check_all(|graph, inputs| {
        pollster::block_on(async { gpu::run_graph(Gpu::open(true).await?, graph, inputs).await })
    });
}
