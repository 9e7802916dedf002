//! onnxruntime's operators that are several of ONNX's in one: convolutions and matrix products with an activation, and
//! forms of GELU.

use std::mem;

use crate::{
    chain::{Clip, Step},
    graph::ValueId,
    ops::{
        activations::{Share, gelu, swish},
        arithmetic::{read_add, scaled},
        conv,
        entry::Read,
        matmul,
        normalise::layer_normalised_last,
        onnx::{Operand, Reader},
        pointwise::Pointwise,
        rearrange::{IndexMap, check_axes, placed},
        smooth_activation::{Kind, SmoothActivation},
    },
};

/// The value, if it is one.
fn value(operand: Operand) -> Result<ValueId, String> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Constant(_) => Err("it does not depend on the image".into()),
    }
}

/// The sum of an operand and an input, where the node has that.
pub(super) fn plus(node: &mut Reader<'_>, operand: Operand, input: usize) -> Result<Operand, String> {
    match node.inputs.get(input).cloned().flatten() {
        Some(other) => combined(node, operand, other, read_add),
        None => Ok(operand),
    }
}

/// Lets `read` read two operands in the place of the node's own.
pub(super) fn combined(node: &mut Reader<'_>, a: Operand, b: Operand, read: Read) -> Result<Operand, String> {
    let own = mem::replace(&mut node.inputs, vec![Some(a), Some(b)]);
    let made = read(node);
    node.inputs = own;
    made
}

/// An activation by its ONNX name; `alpha` and `beta` where the file states them.
fn activated(
    node: &mut Reader<'_>,
    operand: Operand,
    activation: &str,
    [alpha, beta]: [Option<f32>; 2],
) -> Result<Operand, String> {
    let clip = |low, high| Pointwise::one(Step::Clip(Clip { low, high }));
    let x = value(operand)?;
    let kind = match activation {
        "" => return Ok(Operand::Value(x)),
        "Relu" => return node.add(clip(0.0, f32::INFINITY), &[x]),
        "Clip" => {
            let (low, high) = (alpha.unwrap_or(f32::NEG_INFINITY), beta.unwrap_or(f32::INFINITY));
            return node.add(clip(low, high), &[x]);
        }
        "Tanh" => Kind::Tanh,
        "Sigmoid" => Kind::Sigmoid,
        "Softplus" => Kind::Softplus,
        "Softsign" => Kind::Softsign,
        "HardSwish" => Kind::HardSwish,
        "Elu" => Kind::Elu { alpha: alpha.unwrap_or(1.0) },
        "LeakyRelu" => Kind::LeakyRelu { alpha: alpha.unwrap_or(0.01) },
        "HardSigmoid" => Kind::HardSigmoid { alpha: alpha.unwrap_or(0.2), beta: beta.unwrap_or(0.5) },
        other => return Err(format!("activation {:?} is not supported", crate::ops::onnx::short(other))),
    };
    node.add(SmoothActivation { kind }, &[x])
}

/// Reads an onnxruntime `FusedConv`: a convolution, the sum with another value, and an activation.
pub fn read_conv(node: &mut Reader<'_>) -> Result<Operand, String> {
    let made = conv::read(node)?;
    let made = plus(node, made, 3)?;
    let parameters = node.attribute("activation_params").map_or(&[][..], |a| a.floats.as_slice());
    let parameters = [parameters.first().copied(), parameters.get(1).copied()];
    let activation = node.text("activation", "");
    activated(node, made, &activation, parameters)
}

/// Reads an onnxruntime `FusedGemm`: a Gemm and an activation.
pub fn read_gemm(node: &mut Reader<'_>) -> Result<Operand, String> {
    let made = matmul::read_gemm(node)?;
    let parameters = ["activation_alpha", "activation_beta"].map(|name| Some(node.attribute(name)?.f));
    let activation = node.text("activation", "");
    activated(node, made, &activation, parameters)
}

/// Reads an onnxruntime `FusedMatMul`: `alpha A B`, either with its last two axes exchanged.
pub fn read_matmul(node: &mut Reader<'_>) -> Result<Operand, String> {
    if node.int("transBatchA", 0) != 0 || node.int("transBatchB", 0) != 0 {
        return Err("transBatchA and transBatchB would mix the images of a batch".into());
    }
    for (i, name) in ["transA", "transB"].into_iter().enumerate() {
        let operand = node.inputs.get(i).cloned().flatten();
        if node.int(name, 0) != 0
            && let Some(operand) = operand
        {
            node.inputs[i] = Some(exchanged(node, operand)?);
        }
    }
    let made = value(matmul::read_matmul(node)?)?;
    match node.float("alpha", 1.0) {
        1.0 => Ok(Operand::Value(made)),
        alpha => scaled(node, made, alpha, 0.0).map(Operand::Value),
    }
}

/// An operand with its last two axes exchanged.
fn exchanged(node: &mut Reader<'_>, operand: Operand) -> Result<Operand, String> {
    match operand {
        Operand::Constant(c) => matmul::transposed(&c).map(|c| Operand::Constant(c.into())),
        Operand::Value(value) => {
            let shape = node.node(value).shape.clone();
            let Some(last) = shape.len().checked_sub(1).filter(|&last| last > 0) else {
                return Err("transA would mix the images of a batch".into());
            };
            check_axes(&shape)?;
            let mut order: Vec<usize> = (0..=last).collect();
            order.swap(last - 1, last);
            placed(node, value, IndexMap::transpose(&shape, &order)).map(Operand::Value)
        }
    }
}

/// Reads an onnxruntime `SkipLayerNormalization`: a layer normalisation of a sum, which is its fourth output.
pub fn read_skip_layer_normalization(node: &mut Reader<'_>) -> Result<Operand, String> {
    if node.makes(1) || node.makes(2) {
        return Err("its mean and its deviation are not supported as outputs".into());
    }
    let x = node.inputs.first().cloned().flatten().ok_or("input 0 is missing")?;
    let sum = plus(node, x, 1)?;
    let sum = plus(node, sum, 4)?;
    let [scale, shift] = [2, 3].map(|i| node.inputs.get(i).cloned().flatten());
    node.inputs = vec![Some(sum.clone()), scale, shift];
    let made = layer_normalised_last(node, 1e-12)?;
    node.others = vec![sum; 3];
    Ok(made)
}

/// Reads an onnxruntime `BiasGelu` or, with the hyperbolic tangent, `FastGelu`: GELU of a sum.
fn read_gelu_of_sum(node: &mut Reader<'_>, share: Share) -> Result<Operand, String> {
    let x = node.value(0)?;
    let sum = plus(node, Operand::Value(x), 1)?;
    let sum = value(sum)?;
    gelu(node, sum, share)
}

/// Reads an onnxruntime `BiasGelu`.
pub fn read_bias_gelu(node: &mut Reader<'_>) -> Result<Operand, String> {
    read_gelu_of_sum(node, Share::Erf)
}

/// Reads an onnxruntime `FastGelu`.
pub fn read_fast_gelu(node: &mut Reader<'_>) -> Result<Operand, String> {
    read_gelu_of_sum(node, Share::Tanh)
}

/// Reads an onnxruntime `QuickGelu`: `x sigmoid(alpha x)`.
pub fn read_quick_gelu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (x, alpha) = (node.value(0)?, node.float("alpha", 1.702));
    swish(node, x, alpha)
}
