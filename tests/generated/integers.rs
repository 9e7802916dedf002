//! A small valid model of each operator of integers, and of onnxruntime's own domain.

use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto};

use crate::models::{bytes, floats, int, ints, longs, model, node, text};

/// The image "x" as integers "q", of scale "s" and zero point "z".
fn quantized(mut nodes: Vec<NodeProto>, more: Vec<TensorProto>) -> ModelProto {
    nodes.insert(0, node("QuantizeLinear", &["x", "s", "z"], "q", vec![]));
    model(13, false, nodes, [vec![floats("s", &[]), bytes("z", &[])], more].concat())
}

fn own(operator: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> NodeProto {
    NodeProto { domain: "com.microsoft".into(), ..node(operator, inputs, "y", attributes) }
}

fn window() -> Vec<AttributeProto> {
    vec![ints("kernel_shape", &[3, 2]), ints("strides", &[2, 1]), ints("pads", &[1, 0, 1, 1])]
}

/// Valid models of ONNX's own operators of integers.
pub fn of_onnx(operator: &str) -> Option<Vec<ModelProto>> {
    Some(match operator {
        "QLinearConv" => {
            let inputs = ["q", "s", "z", "w", "t", "o", "s", "z", "b"];
            let bias = TensorProto { data_type: 6, ..bytes("b", &[4]) };
            let constants = vec![bytes("w", &[4, 3, 3, 2]), floats("t", &[4]), bytes("o", &[4]), bias];
            vec![quantized(vec![node(operator, &inputs, "y", window())], constants)]
        }
        "QLinearMatMul" => {
            let inputs = ["q", "s", "z", "w", "t", "o", "s", "z"];
            let constants = vec![bytes("w", &[6, 5]), floats("t", &[5]), bytes("o", &[5])];
            vec![quantized(vec![node(operator, &inputs, "y", vec![])], constants)]
        }
        "DynamicQuantizeLinear" | "ConvInteger" | "MatMulInteger" => {
            let is_conv = operator != "MatMulInteger";
            let mut quantize = node("DynamicQuantizeLinear", &["x"], "q", vec![]);
            quantize.output.extend(["s".into(), "z".into()]);
            let name = if is_conv { "ConvInteger" } else { operator };
            let product = node(name, &["q", "w", "z", "o"], "i", if is_conv { window() } else { vec![] });
            let scaled = node("Mul", &["c", "s"], "y", vec![]);
            let nodes = vec![quantize, product, node("Cast", &["i"], "c", vec![int("to", 1)]), scaled];
            let weights = if is_conv { bytes("w", &[4, 3, 3, 2]) } else { bytes("w", &[6, 5]) };
            vec![model(13, false, nodes, vec![weights, bytes("o", &[1])])]
        }
        _ => return None,
    })
}

/// Valid models of an operator of onnxruntime's domain; none where this file does not know it.
pub fn valid(operator: &str) -> Vec<ModelProto> {
    let of_reals = |inputs: &[&str], attributes, constants| {
        vec![model(13, false, vec![own(operator, inputs, attributes)], constants)]
    };
    let of_one =
        |attributes| vec![quantized(vec![own(operator, &["q", "s", "z", "s", "z"], attributes)], vec![])];
    match operator {
        "BiasGelu" | "FastGelu" => of_reals(&["x", "b"], vec![], vec![floats("b", &[6])]),
        "Gelu" | "QuickGelu" => of_reals(&["x"], vec![], vec![]),
        "QuantizeLinear" => of_reals(&["x", "s", "z"], vec![], vec![floats("s", &[]), bytes("z", &[])]),
        "DequantizeLinear" => vec![quantized(vec![own(operator, &["q", "s", "z"], vec![])], vec![])],
        "FusedConv" => {
            let attributes = [window(), vec![text("activation", "Relu")]].concat();
            of_reals(&["x", "w", "b"], attributes, vec![floats("w", &[4, 3, 3, 2]), floats("b", &[4])])
        }
        "DynamicQuantizeMatMul" => {
            let constants = vec![bytes("w", &[6, 5]), floats("t", &[5]), bytes("o", &[5]), floats("b", &[5])];
            of_reals(&["x", "w", "t", "o", "b"], vec![], constants)
        }
        "MatMulIntegerToFloat" => {
            let constants = vec![bytes("w", &[6, 5]), floats("t", &[5]), bytes("o", &[5]), floats("b", &[5])];
            vec![quantized(vec![own(operator, &["q", "w", "s", "t", "z", "o", "b"], vec![])], constants)]
        }
        "MatMulNBits" => {
            let attributes = vec![int("K", 6), int("N", 5), int("bits", 4), int("block_size", 16)];
            let unsigned = |name, dims: &[i64]| TensorProto { data_type: 2, ..bytes(name, dims) };
            let constants = vec![unsigned("w", &[5, 1, 8]), floats("t", &[5]), unsigned("o", &[5])];
            of_reals(&["x", "w", "t", "o"], attributes, constants)
        }
        "SkipLayerNormalization" => {
            let constants = vec![floats("g", &[6]), floats("b", &[6])];
            of_reals(&["x", "x", "g", "b"], vec![], constants)
        }
        "FusedMatMul" => of_reals(&["x", "w"], vec![int("transB", 1)], vec![floats("w", &[5, 6])]),
        "FusedGemm" => {
            let attributes = vec![int("transB", 1), text("activation", "Tanh")];
            let nodes =
                vec![node("Flatten", &["x"], "f", vec![]), own(operator, &["f", "w", "c"], attributes)];
            vec![model(13, true, nodes, vec![floats("w", &[5, 108]), floats("c", &[5])])]
        }
        "QGemm" => {
            let flat = node("Reshape", &["q", "f"], "r", vec![]);
            let inputs = ["r", "s", "z", "w", "t", "o", "c", "s", "z"];
            let planes = node("Reshape", &["g", "p"], "y", vec![]);
            let mut gemm = own(operator, &inputs, vec![int("transB", 1)]);
            gemm.output[0] = "g".into();
            let bias = TensorProto { data_type: 6, ..bytes("c", &[5]) };
            let shapes = [longs("f", &[1, 108]), longs("p", &[1, 5, 1, 1])];
            let weights = [bytes("w", &[5, 108]), floats("t", &[5]), bytes("o", &[5]), bias];
            vec![quantized(vec![flat, gemm, planes], [&shapes[..], &weights].concat())]
        }
        "QLinearAdd" | "QLinearMul" => {
            let two = |b: &str| own(operator, &["q", "s", "z", b, "s", "z", "s", "z"], vec![]);
            vec![quantized(vec![two("q")], vec![]), quantized(vec![two("c")], vec![bytes("c", &[3, 1, 1])])]
        }
        "QLinearConcat" => {
            let inputs = ["s", "z", "q", "s", "z", "q", "s", "z"];
            vec![quantized(vec![own(operator, &inputs, vec![int("axis", 1)])], vec![])]
        }
        "QLinearAveragePool" => of_one(window()),
        "QLinearGlobalAveragePool" | "QLinearLeakyRelu" | "QLinearSigmoid" => of_one(vec![]),
        "QLinearSoftmax" => of_one(vec![int("axis", -1), int("opset", 13)]),
        _ => vec![],
    }
}
