//! ONNX's own backend node tests for every supported operator.
//!
//! The first axis of a test's input is taken as the batch. Inputs other than the first are made constants of
//! the model, but for operators that take several values of an image.

mod support;

use std::path::Path;

use pellucid::{
    Error, Result, Tensor,
    gpu::Gpu,
    graph::Graph,
    network::onnx::{decode, import},
    ops::onnx::{self, Operand},
};
use support::{bytes, fixture, tensor_proto};
use tract_onnx::pb::{ModelProto, TensorProto};

const ABSOLUTE: f64 = 1e-5;
const RELATIVE: f64 = 1e-3;

/// How many cases pass.
const PASSED: usize = 104;
/// Why some types of numbers are refused.
const TYPES: &str = "16-bit, and unsigned 32- and 64-bit, integers do not occur in classifiers";

/// Why a case does not pass.
#[derive(Debug)]
enum Fault {
    /// The model is refused.
    Refused(Error),
    /// Its numbers are of a type that is not read.
    Type(String),
    /// Its result is another.
    Wrong(#[allow(dead_code, reason = "shown by Debug")] String),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Cases that are refused or whose results differ, and why that is as it should be.
const UNSUPPORTED: &[(&str, &[&str])] = &[
    (
        TYPES,
        &[
            "test_add_int16",
            "test_add_uint16",
            "test_add_uint32",
            "test_add_uint64",
            "test_mul_int16",
            "test_mul_uint16",
            "test_mul_uint32",
            "test_mul_uint64",
            "test_dequantizelinear_int16",
            "test_dequantizelinear_uint16",
            "test_quantizelinear_int16",
            "test_quantizelinear_uint16",
        ],
    ),
    ("pools over one axis: images have two", &["test_averagepool_1d_default", "test_maxpool_1d_default"]),
    (
        "the indices of maxima are asked for",
        &["test_maxpool_with_argmax_2d_precomputed_pads", "test_maxpool_with_argmax_2d_precomputed_strides"],
    ),
    ("the mask of a dropout is asked for", &["test_dropout_default_mask", "test_dropout_default_mask_ratio"]),
    (
        "the images of a batch are mixed",
        &[
            "test_flatten_axis0",
            "test_flatten_axis2",
            "test_flatten_axis3",
            "test_flatten_negative_axis1",
            "test_flatten_negative_axis2",
            "test_flatten_negative_axis4",
            "test_gemm_all_attributes",
            "test_gemm_transposeA",
            "test_logsoftmax_axis_0",
            "test_softmax_axis_0",
            "test_reduce_mean_default_axes_keepdims_example",
            "test_reduce_mean_default_axes_keepdims_random",
            "test_reshape_reordered_all_dims",
            "test_reshape_one_dim",
            "test_reshape_negative_extended_dims",
            "test_reshape_allowzero_reordered",
        ],
    ),
    ("a bias that differs between the images of a batch", &["test_gemm_default_matrix_bias"]),
    (
        "the batch is a literal other than 1 in the new shape",
        &[
            "test_reshape_extended_dims",
            "test_reshape_negative_dim",
            "test_reshape_reduced_dims",
            "test_reshape_reordered_last_dims",
            "test_reshape_zero_and_negative_dim",
            "test_reshape_zero_dim",
        ],
    ),
    (
        "the weights differ between the images of a batch, or are no matrix",
        &[
            "test_matmul_1d_1d",
            "test_matmul_1d_3d",
            "test_matmul_3d",
            "test_matmul_4d",
            "test_matmul_4d_1d",
            "test_matmul_bcast",
        ],
    ),
    (
        "means over other axes than height and width",
        &[
            "test_reduce_mean_do_not_keepdims_example",
            "test_reduce_mean_do_not_keepdims_random",
            "test_reduce_mean_keepdims_example",
            "test_reduce_mean_keepdims_random",
            "test_reduce_mean_negative_axes_keepdims_example",
            "test_reduce_mean_negative_axes_keepdims_random",
        ],
    ),
    (
        "concatenations of other axes than the channels",
        &[
            "test_concat_1d_axis_0",
            "test_concat_1d_axis_negative_1",
            "test_concat_2d_axis_0",
            "test_concat_2d_axis_negative_2",
            "test_concat_3d_axis_0",
            "test_concat_3d_axis_2",
            "test_concat_3d_axis_negative_1",
            "test_concat_3d_axis_negative_3",
        ],
    ),
];

type Run = fn(&Graph, &[Tensor]) -> Result<Vec<Tensor>>;

#[test]
fn on_the_cpu() {
    check_all(pellucid::backend::cpu::run_graph);
}

#[test]
fn on_the_gpu() {
    check_all(|graph, inputs| {
        pollster::block_on(async {
            pellucid::backend::gpu::run_graph(Gpu::open(true).await?, graph, inputs).await
        })
    });
}

#[test]
fn a_wrong_result_fails() {
    let wrong: Run = |graph, inputs| {
        let mut made = pellucid::backend::cpu::run_graph(graph, inputs)?;
        made[0].data_mut().iter_mut().for_each(|v| *v = *v * 1.002 + 2e-5);
        Ok(made)
    };
    case(&fixture("node/test_relu"), pellucid::backend::cpu::run_graph).unwrap();
    case(&fixture("node/test_relu"), wrong).unwrap_err();
}

fn check_all(run: Run) {
    let mut faults = vec![];
    let (mut passed, mut refused) = (0, 0);
    let entries = std::fs::read_dir(fixture("node")).unwrap();
    let mut folders: Vec<_> = entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let reason = UNSUPPORTED.iter().find(|(_, names)| names.contains(&name)).map(|(why, _)| why);
        match (case(folder, run), reason) {
            (Ok(()), None) => passed += 1,
            (Err(fault), Some(&why)) => match told(&fault, folder, why) {
                true => refused += 1,
                false => faults.push(format!("{name} is refused without its node's name: {fault:?}")),
            },
            (Ok(()), Some(why)) => faults.push(format!("{name} passes, although listed ({why})")),
            (Err(fault), None) => faults.push(format!("{name}: {fault:?}")),
        }
    }
    for name in UNSUPPORTED.iter().flat_map(|(_, names)| *names) {
        if !folders.iter().any(|f| f.ends_with(name)) {
            faults.push(format!("{name} is listed, and not there"));
        }
    }
    assert!(faults.is_empty(), "{passed} of {} pass; but\n{}", folders.len(), faults.join("\n"));
    let listed = UNSUPPORTED.iter().map(|(_, names)| names.len()).sum::<usize>();
    assert_eq!((passed, refused), (PASSED, listed));
}

/// Whether a refusal says which node of which operator it is about, under the right code; or which type of number, where
/// that is why.
fn told(fault: &Fault, folder: &Path, why: &str) -> bool {
    let model = decode(&bytes(&folder.join("model.onnx"))).unwrap();
    let node = &model.graph.unwrap().node[0];
    match fault {
        Fault::Type(text) | Fault::Refused(Error::Model(text)) => why == TYPES && text.contains("INT"),
        Fault::Refused(error) => {
            let (text, name) =
                (error.to_string(), if node.name.is_empty() { &node.output[0] } else { &node.name });
            error.code() == "unsupported"
                && text.contains(&node.op_type)
                && text.contains(&format!("{name:?}"))
        }
        Fault::Wrong(_) => false,
    }
}

/// Runs one case.
fn case(folder: &Path, run: Run) -> std::result::Result<(), Fault> {
    let mut model = decode(&bytes(&folder.join("model.onnx")))?;
    let data = |kind: &str, i: usize| folder.join(format!("test_data_set_0/{kind}_{i}.pb"));
    let count = (0..).take_while(|&i| data("input", i).exists()).count();
    let inputs: Vec<TensorProto> = (0..count).map(|i| tensor_proto(&data("input", i))).collect();
    let values = make_constants(&mut model, &inputs);
    let mut imported = import(&model)?;
    let expected = tensor(&tensor_proto(&data("output", 0)))?;
    let output = model.graph.as_ref().and_then(|g| g.output.first());
    let made = match imported.names.get(&output.expect("an output").name) {
        Some(Operand::Value(value)) => {
            imported.graph.set_outputs([*value]);
            let inputs = values.iter().map(|t| tensor(t)).collect::<std::result::Result<Vec<_>, _>>()?;
            run(&imported.graph, &inputs)?.swap_remove(0)
        }
        Some(Operand::Constant(c)) => Tensor::new(c.shape.clone(), c.to_f32())?,
        None => return Err(Fault::Wrong("the output is not made".into())),
    };
    compare(&made, &expected).map_err(Fault::Wrong)
}

/// Makes all inputs but those that depend on the image constants of the model; returns the others.
fn make_constants<'a>(model: &mut ModelProto, inputs: &'a [TensorProto]) -> Vec<&'a TensorProto> {
    let Some(graph) = &mut model.graph else { return vec![] };
    let several = graph.node.iter().any(|n| matches!(n.op_type.as_str(), "Add" | "Mul" | "Concat"));
    let mut values = vec![];
    let names: Vec<String> = graph.input.iter().map(|i| i.name.clone()).collect();
    for (i, (name, tensor)) in names.iter().zip(inputs).enumerate() {
        if i == 0 || several && tensor.dims.len() == inputs[0].dims.len() {
            values.push(tensor);
        } else {
            graph.initializer.push(TensorProto { name: name.clone(), ..tensor.clone() });
        }
    }
    values
}

fn tensor(proto: &TensorProto) -> std::result::Result<Tensor, Fault> {
    let constant = onnx::constant(proto).map_err(Fault::Type)?;
    Ok(Tensor::new(constant.shape.clone(), constant.to_f32())?)
}

fn compare(made: &Tensor, expected: &Tensor) -> std::result::Result<(), String> {
    if made.shape() != expected.shape() {
        return Err(format!("shape {:?}, not {:?}", made.shape(), expected.shape()));
    }
    for (i, (&a, &b)) in made.data().iter().zip(expected.data()).enumerate() {
        let near = f64::from((a - b).abs()) <= ABSOLUTE + RELATIVE * f64::from(b.abs());
        if !near {
            return Err(format!("element {i} is {a}, not {b}"));
        }
    }
    Ok(())
}
