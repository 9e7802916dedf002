//! ONNX's own backend node tests for every supported operator.
//!
//! The first axis of a test's input is taken as the batch. Inputs other than the first are made constants of
//! the model, but for operators that take several values of an image.

mod support;

use std::{collections::BTreeMap, path::Path};

use pellucid::{
    Error, Result, Tensor,
    gpu::Gpu,
    graph::Graph,
    network::onnx::{decode, import},
    ops::{
        onnx::{self, Operand},
        reader_of,
    },
};
use support::{bytes, fixture, tensor_proto};
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

const ABSOLUTE: f64 = 1e-5;
const RELATIVE: f64 = 1e-3;

/// How many cases pass.
const PASSED: usize = 369;
/// Why a case does not pass.
#[derive(Debug)]
enum Fault {
    /// The model is refused.
    Refused(Error),
    /// Its numbers are of a type that is not read.
    Type(#[allow(dead_code, reason = "shown by Debug")] String),
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
        "the indices of maxima are asked for",
        &["test_maxpool_with_argmax_2d_precomputed_pads", "test_maxpool_with_argmax_2d_precomputed_strides"],
    ),
    ("the mask of a dropout is asked for", &["test_dropout_default_mask", "test_dropout_default_mask_ratio"]),
    (
        "the images of a batch are mixed",
        &[
            "test_einsum_batch_diagonal",
            "test_einsum_inner_prod",
            "test_einsum_scalar",
            "test_einsum_transpose",
            "test_flatten_axis0",
            "test_expand_dim_changed",
            "test_gather_0",
            "test_gather_negative_indices",
            "test_gathernd_example_float32",
            "test_gathernd_example_int32",
            "test_gathernd_example_int32_batch_dim1",
            "test_l1normalization_axis_0",
            "test_l2normalization_axis_0",
            "test_layer_normalization_2d_axis0",
            "test_layer_normalization_2d_axis_negative_2",
            "test_layer_normalization_3d_axis0_epsilon",
            "test_layer_normalization_3d_axis_negative_3_epsilon",
            "test_layer_normalization_4d_axis0",
            "test_layer_normalization_4d_axis_negative_4",
            "test_mvn",
            "test_reduce_l1_default_axes_keepdims_example",
            "test_reduce_l1_default_axes_keepdims_random",
            "test_reduce_log_sum_asc_axes",
            "test_reduce_log_sum_default",
            "test_reduce_log_sum_exp_default_axes_keepdims_example",
            "test_reduce_log_sum_exp_default_axes_keepdims_random",
            "test_reduce_l2_default_axes_keepdims_example",
            "test_reduce_l2_default_axes_keepdims_random",
            "test_reduce_sum_default_axes_keepdims_example",
            "test_reduce_sum_default_axes_keepdims_random",
            "test_reduce_sum_square_default_axes_keepdims_example",
            "test_reduce_sum_square_default_axes_keepdims_random",
            "test_slice",
            "test_slice_neg_steps",
            "test_split_1d_uneven_split_opset18",
            "test_split_equal_parts_1d_opset13",
            "test_split_equal_parts_1d_opset18",
            "test_split_equal_parts_default_axis_opset13",
            "test_split_equal_parts_default_axis_opset18",
            "test_split_variable_parts_1d_opset13",
            "test_split_variable_parts_1d_opset18",
            "test_split_variable_parts_default_axis_opset13",
            "test_split_variable_parts_default_axis_opset18",
            "test_tile",
            "test_tile_precomputed",
            "test_transpose_all_permutations_2",
            "test_transpose_all_permutations_3",
            "test_transpose_all_permutations_4",
            "test_transpose_all_permutations_5",
            "test_transpose_default",
            "test_unsqueeze_axis_0",
            "test_flatten_axis2",
            "test_flatten_axis3",
            "test_flatten_negative_axis1",
            "test_flatten_negative_axis2",
            "test_flatten_negative_axis4",
            "test_gemm_all_attributes",
            "test_gemm_transposeA",
            "test_logsoftmax_axis_0",
            "test_softmax_axis_0",
            "test_dynamicquantizelinear",
            "test_dynamicquantizelinear_max_adjusted",
            "test_dynamicquantizelinear_min_adjusted",
            "test_reduce_max_default_axes_keepdim_example",
            "test_reduce_max_default_axes_keepdims_random",
            "test_reduce_min_default_axes_keepdims_example",
            "test_reduce_min_default_axes_keepdims_random",
            "test_reduce_mean_default_axes_keepdims_example",
            "test_reduce_mean_default_axes_keepdims_random",
            "test_reshape_reordered_all_dims",
            "test_reshape_one_dim",
            "test_reshape_negative_extended_dims",
        ],
    ),
    (
        "an operand that differs between the images of a batch",
        &[
            "test_gemm_default_matrix_bias",
            "test_max_example",
            "test_mean_example",
            "test_min_example",
            "test_sum_example",
        ],
    ),
    (
        "the weights differ between the images of a batch, or are no matrix",
        &[
            "test_qlinearmatmul_3D_int8_float16",
            "test_qlinearmatmul_3D_int8_float32",
            "test_qlinearmatmul_3D_uint8_float16",
            "test_qlinearmatmul_3D_uint8_float32",
            "test_matmul_1d_1d",
            "test_matmul_1d_3d",
            "test_matmul_4d_1d",
        ],
    ),
    (
        "concatenations along the batch",
        &[
            "test_concat_1d_axis_0",
            "test_concat_1d_axis_negative_1",
            "test_concat_2d_axis_0",
            "test_concat_2d_axis_negative_2",
            "test_concat_3d_axis_0",
            "test_concat_3d_axis_negative_3",
        ],
    ),
    (
        "exponents that differ",
        &[
            "test_pow",
            "test_pow_bcast_array",
            "test_pow_example",
            "test_pow_types_float32_int32",
            "test_pow_types_float32_int64",
            "test_pow_types_int32_float32",
            "test_pow_types_int32_int32",
            "test_pow_types_int64_float32",
            "test_pow_types_int64_int64",
        ],
    ),
    (
        "a condition that depends on the image, as it differs between the images of a batch",
        &["test_where_example", "test_where_long_example"],
    ),
    (
        "a transposed convolution whose padding or extents follow from another, or over three axes",
        &[
            "test_col2im_5d",
            "test_convtranspose_3d",
            "test_convtranspose_autopad_same",
            "test_convtranspose_kernel_shape",
            "test_convtranspose_output_shape",
        ],
    ),
    (
        "a part of a value that is replaced",
        &[
            "test_scatternd",
            "test_scatternd_add",
            "test_scatternd_max",
            "test_scatternd_max_with_element_indices",
            "test_scatternd_min",
            "test_scatternd_min_with_element_indices",
            "test_scatternd_multiply",
        ],
    ),
    ("slopes that differ between the images of a batch", &["test_prelu_example"]),
    (
        "a smoothed, cropped or fitted resampling",
        &[
            "test_resize_downsample_scales_cubic_A_n0p5_exclude_outside",
            "test_resize_downsample_scales_cubic_antialias",
            "test_resize_downsample_scales_linear_antialias",
            "test_resize_downsample_scales_linear_half_pixel_symmetric",
            "test_resize_downsample_sizes_cubic_antialias",
            "test_resize_downsample_sizes_linear_antialias",
            "test_resize_downsample_sizes_nearest_not_larger",
            "test_resize_downsample_sizes_nearest_not_smaller",
            "test_resize_tf_crop_and_resize",
            "test_resize_tf_crop_and_resize_axes_2_3",
            "test_resize_tf_crop_and_resize_axes_3_2",
            "test_resize_tf_crop_and_resize_extrapolation_value",
            "test_resize_upsample_scales_cubic_A_n0p5_exclude_outside",
            "test_resize_upsample_scales_linear_half_pixel_symmetric",
            "test_resize_upsample_sizes_nearest_not_larger",
            "test_resize_upsample_sizes_nearest_not_smaller",
        ],
    ),
];

/// How many cases of constants pass.
const CONSTANTS_PASSED: usize = 298;

/// Cases of constants that are refused.
const UNSUPPORTED_CONSTANTS: &[(&str, &[&str])] = &[
    (
        "a reduction of no elements",
        &["test_reduce_max_empty_set_bool", "test_reduce_prod_empty_set", "test_reduce_sum_empty_set"],
    ),
    ("batches of indices", &["test_gathernd_example_int32_batch_dim1"]),
];

/// Cases of numbers that do not occur in classifiers: the operator, why, and how many there are of values and of constants.
const OUT_OF_SCOPE: &[(&str, &str, [usize; 2])] = &[
    ("Add", WIDTH, [4, 4]),
    ("Cast", INFINITE, [6, 6]),
    ("DequantizeLinear", WIDTH, [2, 0]),
    ("Div", DIVISION, [3, 0]),
    ("Div", WIDTH, [4, 4]),
    ("Equal", WIDTH, [0, 4]),
    ("Greater", WIDTH, [0, 4]),
    ("GreaterOrEqual", WIDTH, [0, 4]),
    ("Less", WIDTH, [0, 4]),
    ("LessOrEqual", WIDTH, [0, 4]),
    ("Max", WIDTH, [4, 4]),
    ("Min", WIDTH, [4, 4]),
    ("Mod", WIDTH, [0, 4]),
    ("Mod", INFINITE, [0, 3]),
    ("Mul", WIDTH, [4, 4]),
    ("Pow", WIDTH, [2, 2]),
    ("QuantizeLinear", WIDTH, [2, 0]),
    ("ReduceL1", EMPTY, [1, 0]),
    ("ReduceL2", EMPTY, [1, 0]),
    ("ReduceLogSum", EMPTY, [1, 0]),
    ("ReduceLogSumExp", EMPTY, [1, 0]),
    ("ReduceMax", INFINITE, [0, 1]),
    ("ReduceMax", EMPTY, [2, 0]),
    ("ReduceMin", INFINITE, [0, 1]),
    ("ReduceMin", EMPTY, [1, 0]),
    ("ReduceSum", EMPTY, [2, 0]),
    ("ReduceSumSquare", EMPTY, [1, 0]),
    ("Reshape", EMPTY, [1, 0]),
    ("Slice", EMPTY, [1, 0]),
    ("Split", EMPTY, [2, 0]),
    ("Sub", WIDTH, [4, 4]),
];

/// Integers that no file has but those of quantized networks, shapes and places.
const WIDTH: &str = "integers of a width that is not read";
const INFINITE: &str = "numbers that are not finite";
const EMPTY: &str = "values without elements";
const DIVISION: &str = "a division of integers that an image would have to be made of";

/// The operator of a case that is about numbers that do not occur in classifiers, and which.
fn out_of_scope(folder: &Path, inputs: Inputs) -> Option<(String, &'static str)> {
    let model = decode(bytes(&folder.join("model.onnx"))).unwrap();
    let operator = model.graph.unwrap().node.swap_remove(0).op_type;
    let data = |kind: &str, i: usize| folder.join(format!("test_data_set_0/{kind}_{i}.pb"));
    let all = ["input", "output"].into_iter().flat_map(|kind| {
        (0..).map(move |i| data(kind, i)).take_while(|path| path.exists()).collect::<Vec<_>>()
    });
    let reason = |proto: TensorProto| match onnx::constant(&proto) {
        Err(why) => why.contains("INT").then_some(WIDTH),
        Ok(constant) => {
            let is_integer = constant.to_i64().is_some();
            let is_value = inputs == Inputs::Values;
            if constant.to_f32().iter().any(|v| !v.is_finite()) {
                Some(INFINITE)
            } else if is_value && constant.is_empty() && (!is_integer || operator == "ReduceMax") {
                Some(EMPTY)
            } else {
                (is_value && is_integer && operator == "Div").then_some(DIVISION)
            }
        }
    };
    let reason = all.map(|path| tensor_proto(&path)).find_map(reason)?;
    Some((operator, reason))
}

type Run = fn(&Graph, &[Tensor]) -> Result<Vec<Tensor>>;

/// What a case's inputs are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inputs {
    /// The first, or several where an operator takes several values of an image, are values; their first axis is the batch.
    Values,
    /// All are constants of the model, so that the node is computed when the file is read.
    Constants,
}

/// Operators of constants beside those that say so themselves: what they do to places, they do to constants too.
const OF_CONSTANTS: &[&str] = &[
    "DepthToSpace",
    "Expand",
    "Gather",
    "GatherND",
    "Identity",
    "Pad",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
];

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

/// What is computed when a file is read.
#[test]
fn of_constants() {
    let none: Run = |_, _| panic!("nothing depends on the image");
    check(Inputs::Constants, none, UNSUPPORTED_CONSTANTS, CONSTANTS_PASSED);
}

#[test]
fn a_wrong_result_fails() {
    let wrong: Run = |graph, inputs| {
        let mut made = pellucid::backend::cpu::run_graph(graph, inputs)?;
        made[0].data_mut().iter_mut().for_each(|v| *v = *v * 1.002 + 2e-5);
        Ok(made)
    };
    case(&fixture("node/test_relu"), Inputs::Values, pellucid::backend::cpu::run_graph).unwrap();
    case(&fixture("node/test_relu"), Inputs::Values, wrong).unwrap_err();
}

fn check_all(run: Run) {
    check(Inputs::Values, run, UNSUPPORTED, PASSED);
}

/// Whether a case's operator takes inputs of a kind at all.
fn takes(folder: &Path, inputs: Inputs) -> bool {
    let model = decode(bytes(&folder.join("model.onnx"))).unwrap();
    let operator = model.graph.unwrap().node[0].op_type.clone();
    let entry = reader_of("", &operator).unwrap_or_else(|| panic!("{operator} cannot be read"));
    match inputs {
        Inputs::Values => !entry.is_of_constants_only(),
        Inputs::Constants => entry.fold.is_some() || OF_CONSTANTS.contains(&operator.as_str()),
    }
}

fn check(inputs: Inputs, run: Run, unsupported: &[(&str, &[&str])], wanted: usize) {
    let mut faults = vec![];
    let (mut passed, mut refused) = (0, 0);
    let entries = std::fs::read_dir(fixture("node")).unwrap();
    let mut folders: Vec<_> =
        entries.map(|e| e.unwrap().path()).filter(|p| p.is_dir() && takes(p, inputs)).collect();
    let mut left_out = BTreeMap::new();
    folders.retain(|folder| {
        let found = out_of_scope(folder, inputs);
        found.map(|case| *left_out.entry(case).or_insert(0) += 1).is_none()
    });
    let wanted_out = OUT_OF_SCOPE.iter().filter(|(_, _, counts)| counts[inputs as usize] > 0);
    let wanted_out =
        wanted_out.map(|(operator, why, counts)| (((*operator).to_owned(), *why), counts[inputs as usize]));
    assert_eq!(left_out, wanted_out.collect::<BTreeMap<_, _>>(), "cases of numbers that do not occur");
    folders.sort();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let reason = unsupported.iter().find(|(_, names)| names.contains(&name)).map(|(why, _)| why);
        match (case(folder, inputs, run), reason) {
            (Ok(()), None) => passed += 1,
            (Err(fault), Some(_)) => match told(&fault, folder) {
                true => refused += 1,
                false => faults.push(format!("{name} is refused without its node's name: {fault:?}")),
            },
            (Ok(()), Some(why)) => faults.push(format!("{name} passes, although listed ({why})")),
            (Err(fault), None) => faults.push(format!("{name}: {fault:?}")),
        }
    }
    for name in unsupported.iter().flat_map(|(_, names)| *names) {
        if !folders.iter().any(|f| f.ends_with(name)) {
            faults.push(format!("{name} is listed, and not there"));
        }
    }
    assert!(faults.is_empty(), "{passed} of {} pass; but\n{}", folders.len(), faults.join("\n"));
    let listed = unsupported.iter().map(|(_, names)| names.len()).sum::<usize>();
    assert_eq!((passed, refused), (wanted, listed));
}

/// Whether a refusal says which node of which operator it is about, under the right code.
fn told(fault: &Fault, folder: &Path) -> bool {
    let model = decode(bytes(&folder.join("model.onnx"))).unwrap();
    let node = &model.graph.unwrap().node[0];
    match fault {
        Fault::Refused(error) => {
            let (text, name) =
                (error.to_string(), if node.name.is_empty() { &node.output[0] } else { &node.name });
            error.code() == "unsupported"
                && text.contains(&node.op_type)
                && text.contains(&format!("{name:?}"))
        }
        Fault::Type(_) | Fault::Wrong(_) => false,
    }
}

/// Runs one case.
fn case(folder: &Path, kind: Inputs, run: Run) -> std::result::Result<(), Fault> {
    let mut model = decode(bytes(&folder.join("model.onnx")))?;
    let data = |kind: &str, i: usize| folder.join(format!("test_data_set_0/{kind}_{i}.pb"));
    let count = (0..).take_while(|&i| data("input", i).exists()).count();
    let inputs: Vec<TensorProto> = (0..count).map(|i| tensor_proto(&data("input", i))).collect();
    let values = make_constants(&mut model, &inputs, kind);
    let mut imported = import(&mut model)?;
    for (i, output) in model.graph.iter().flat_map(|g| &g.output).enumerate() {
        let expected = tensor(&tensor_proto(&data("output", i)))?;
        let made = match imported.names.get(&output.name) {
            Some(Operand::Value(value)) => {
                imported.graph.set_outputs([*value]);
                let inputs = values.iter().map(|t| tensor(t)).collect::<std::result::Result<Vec<_>, _>>()?;
                run(&imported.graph, &inputs)?.swap_remove(0)
            }
            Some(Operand::Constant(c)) => Tensor::new(c.shape.clone(), c.to_f32())?,
            None => return Err(Fault::Wrong("the output is not made".into())),
        };
        // A value without a batch axis has all axes of the file's behind that of the images.
        let made = match made.shape().split_first() {
            Some((1, rest)) if rest == expected.shape() => Tensor::new(rest.to_vec(), made.data().to_vec())?,
            _ => made,
        };
        compare(&made, &expected).map_err(Fault::Wrong)?;
    }
    Ok(())
}

/// Operators of several values; the second input is one too, since backends run graphs of one or two.
const SEVERAL: &[&str] =
    &["Add", "Concat", "Div", "Einsum", "MatMul", "Max", "Mean", "Min", "Mul", "Sub", "Sum"];

/// Makes all inputs but those that depend on the image constants of the model; returns the others.
fn make_constants<'a>(
    model: &mut ModelProto,
    inputs: &'a [TensorProto],
    kind: Inputs,
) -> Vec<&'a TensorProto> {
    let Some(graph) = &mut model.graph else { return vec![] };
    // A product of two matrices is one of weights; products of stacks of them, one an image, are of values.
    let extents = |i: usize| inputs.get(i).map_or(&[][..], |t| t.dims.as_slice());
    let is_stack = extents(0).len() > 2 && extents(0).first() == extents(1).first();
    let takes_several = |n: &NodeProto| {
        SEVERAL.contains(&n.op_type.as_str())
            && (is_stack || !["Einsum", "MatMul"].contains(&n.op_type.as_str()))
    };
    let several = graph.node.iter().any(takes_several);
    let mut values = vec![];
    let names: Vec<String> = graph.input.iter().map(|i| i.name.clone()).collect();
    for (i, (name, tensor)) in names.iter().zip(inputs).enumerate() {
        if kind == Inputs::Values
            && (i == 0 || i == 1 && several && tensor.dims.len() == inputs[0].dims.len())
        {
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
