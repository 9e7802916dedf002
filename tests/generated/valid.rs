//! A small valid model of each operator that can be read, which `models.rs` then changes.

use tract_onnx::pb::{AttributeProto, ModelProto, attribute_proto::AttributeType};

use crate::models::{bytes, floats, int, ints, longs, model, node, scales};

/// Valid models of an operator; none where this file does not know it.
pub fn valid(operator: &str) -> Vec<ModelProto> {
    let whole = |nodes, initializer| vec![model(13, false, nodes, initializer)];
    let simple = |inputs: &[&str]| node(operator, inputs, "y", vec![]);
    match operator {
        "Elu" | "GlobalAveragePool" | "HardSigmoid" | "Identity" | "Relu" | "Sigmoid" | "Clip"
        | "Dropout" | "Softmax" | "LogSoftmax" | "Abs" | "Celu" | "Erf" | "Exp" | "LeakyRelu" | "Log"
        | "Neg" | "Reciprocal" | "Selu" | "Sin" | "Cos" | "ThresholdedRelu" | "Shrink" | "Softplus"
        | "Softsign" | "Sqrt" | "Tanh" => whole(vec![simple(&["x"])], vec![]),
        "HardSwish" | "Mish" | "Gelu" | "Swish" => vec![model(24, false, vec![simple(&["x"])], vec![])],
        "PRelu" => whole(vec![simple(&["x", "c"])], vec![floats("c", &[3, 1, 1])]),
        "MeanVarianceNormalization" => {
            whole(vec![node(operator, &["x"], "y", vec![ints("axes", &[2, 3])])], vec![])
        }
        "GlobalLpPool" | "GlobalMaxPool" | "LpNormalization" => whole(vec![simple(&["x"])], vec![]),
        "ReduceL1" | "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceSumSquare" => {
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
            .or_else(|| crate::integers::of_onnx(operator))
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
        "GatherND" => {
            let whole = node("Reshape", &["i", "s"], "j", vec![]);
            let index = [longs("i", &[2, 0, 1]), longs("s", &[3, 1])].to_vec();
            let mut all =
                number(&["a", "j"], vec![int("batch_dims", 0)], [vec![channels("a")], index].concat());
            for graph in all.iter_mut().filter_map(|m| m.graph.as_mut()) {
                graph.node.insert(0, whole.clone());
            }
            all
        }
        "ScatterND" => {
            let initializer = vec![channels("a"), longs("i", &[2]), floats("b", &[1, 1])];
            let whole = vec![node("Reshape", &["i", "s"], "j", vec![])];
            let mut all = number(&["a", "j", "b"], vec![], [initializer, vec![longs("s", &[1, 1])]].concat());
            all.iter_mut()
                .filter_map(|m| m.graph.as_mut())
                .for_each(|g| g.node.splice(0..0, whole.clone()).for_each(drop));
            let relu = node("Relu", &["x"], "r", vec![]);
            let nodes = vec![whole[0].clone(), relu, node(operator, &["x", "j", "r"], "y", vec![])];
            all.push(model(16, false, nodes, vec![longs("i", &[0]), longs("s", &[1, 1])]));
            all
        }
        "CumSum" => number(&["a", "i"], vec![int("exclusive", 1)], vec![channels("a"), longs("i", &[0])]),
        "EyeLike" => number(&["m"], vec![int("k", 1), int("dtype", 1)], vec![floats("m", &[6, 6])]),
        "Ceil" | "Floor" | "Round" => number(&["a"], vec![], vec![channels("a")]),
        "Mod" => number(&["a", "b"], vec![int("fmod", 0)], vec![longs("a", &[-7]), longs("b", &[3])]),
        "Where" => {
            let initializer = vec![bytes("i", &[1]), channels("a"), channels("b")];
            let mut all = number(&["i", "a", "b"], vec![], initializer.clone());
            all.push(model(16, false, vec![node(operator, &["i", "x", "b"], "y", vec![])], initializer));
            all
        }
        "ReduceMax" | "ReduceMin" | "ReduceProd" => {
            let attributes = vec![ints("axes", &[1, -1]), int("keepdims", 1)];
            let mut all = number(&["a"], attributes.clone(), vec![floats("a", &[3, 2, 2])]);
            if operator != "ReduceProd" {
                all.push(model(16, false, vec![node(operator, &["x"], "y", attributes)], vec![]));
            }
            all
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
        "LpPool" => {
            let dilated = node(operator, &["x"], "y", window(&[ints("dilations", &[2, 2]), int("p", 3)]));
            vec![model(19, false, vec![dilated], vec![])]
        }
        "AveragePool" | "MaxPool" => {
            let mut all = whole(vec![node(operator, &["x"], "y", window(&[int("ceil_mode", 1)]))], vec![]);
            let dilated = node(operator, &["x"], "y", window(&[ints("dilations", &[2, 2])]));
            all.push(model(19, false, vec![dilated], vec![]));
            all
        }
        "ImageScaler" => {
            let floats = vec![0.5, 1.0, 1.5];
            let kind = AttributeType::Floats as i32;
            let bias = AttributeProto { name: "bias".into(), r#type: kind, floats, ..Default::default() };
            vec![model(9, false, vec![node(operator, &["x"], "y", vec![bias])], vec![])]
        }
        "BatchNormalization" => {
            let statistics = ["a", "b", "c", "d"].map(|name| floats(name, &[3]));
            whole(vec![simple(&["x", "a", "b", "c", "d"])], statistics.to_vec())
        }
        "Concat" => {
            let mut all = whole(vec![node(operator, &["x", "x"], "y", vec![int("axis", 1)])], vec![]);
            let beside = node(operator, &["x", "c"], "y", vec![int("axis", 2)]);
            all.extend(whole(vec![beside], vec![floats("c", &[1, 3, 2, 6])]));
            all
        }
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
            let volume = node("Reshape", &["x", "s"], "v", vec![]);
            let each = [("kernel_shape", [2, 1, 3]), ("strides", [1, 1, 2]), ("dilations", [1, 1, 2])];
            let mut attributes = each.map(|(name, values)| ints(name, &values)).to_vec();
            attributes.extend([ints("pads", &[0, 0, 1, 1, 0, 0]), int("group", 1)]);
            let flat = node(operator, &["v", "w", "b"], "y", attributes);
            let weights =
                vec![floats("w", &[4, 3, 2, 1, 3]), floats("b", &[4]), longs("s", &[1, 3, 3, 2, 6])];
            all.extend(whole(vec![volume, flat], weights));
            all
        }
        "ConvTranspose" => {
            let mut attributes = window(&[ints("dilations", &[1, 2]), int("group", 3)]);
            attributes.push(ints("output_padding", &[1, 0]));
            let grouped = node(operator, &["x", "w", "b"], "y", attributes);
            whole(vec![grouped], vec![floats("w", &[3, 2, 3, 2]), floats("b", &[6])])
        }
        "Col2Im" => {
            let columns = node("Reshape", &["x", "s"], "v", vec![]);
            let attributes =
                [("dilations", [1, 1]), ("strides", [1, 1])].map(|(name, values)| ints(name, &values));
            let image = node(
                operator,
                &["v", "i", "k"],
                "y",
                [attributes.to_vec(), vec![ints("pads", &[0; 4])]].concat(),
            );
            let constants = [("s", vec![1, 12, 9]), ("i", vec![4, 4]), ("k", vec![2, 2])];
            vec![model(18, false, vec![columns, image], constants.map(|(name, v)| longs(name, &v)).to_vec())]
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
        "Einsum" => {
            let equation = |text: &str| {
                let mut made = int("equation", 0);
                (made.r#type, made.s) = (AttributeType::String as i32, text.as_bytes().to_vec());
                vec![made]
            };
            let weights = node(operator, &["x", "w"], "y", equation("nchw,cwd->ncdh"));
            let mut all = whole(vec![weights], vec![floats("w", &[3, 6, 5])]);
            all.extend(whole(vec![node(operator, &["x", "x"], "y", equation("...ij,...kj->...ik"))], vec![]));
            all
        }
        "MatMul" => {
            let mut all = flat(vec![flatten(), simple(&["f", "w"])], vec![floats("w", &[108, 5])]);
            all.extend(whole(vec![simple(&["x", "w"])], vec![floats("w", &[6, 5])]));
            all.extend(whole(vec![simple(&["w", "x"])], vec![floats("w", &[5, 6])]));
            all.extend(whole(vec![simple(&["x", "x"])], vec![]));
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
