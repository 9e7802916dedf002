//! ONNX operators of integers: QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger and onnxruntime's, which are read as operators of reals between
//! dequantizers and a quantizer.
//!
//! That is the graph of a file with QuantizeLinear and DequantizeLinear, so gradients are straight-through, and what is
//! made for such files (kernels of integers, fused quantizers) serves these too. Sums of products are rounded to integers
//! once, as onnxruntime does it; both may differ by one step where a real lies between two integers.

use std::{mem, sync::Arc};

use super::{
    arithmetic, average_pool, concat, conv, dynamic_quantize,
    entry::Read,
    matmul,
    onnx::{Operand, Reader},
    pointwise::quantize::{dequantized, requantized},
    reduce, smooth_activation, softmax,
};
use crate::graph::{Constant, Elements, Quantization};

/// The reals that the integers of an input stand for; scale and zero point are the next two inputs, and run along `axis`,
/// counted as the input's own.
fn reals(node: &mut Reader<'_>, first: usize, axis: usize) -> Result<Option<Operand>, String> {
    let integers = node.inputs.get(first).cloned().flatten();
    let integers = integers.ok_or_else(|| format!("input {first} is missing"))?;
    let (scales, zero) = (node.constant(first + 1)?, node.optional_constant(first + 2)?);
    if scales.len() > 1 && matches!(integers, Operand::Value(_)) {
        return Err(format!("input {first} has {} scales, and should have one", scales.len()));
    }
    dequantized(node, integers, &scales, zero.as_deref(), axis as i64).map(Some)
}

/// Reads a node as the operator that `read` reads, of these reals; its result is quantized by the scale at input `result`
/// and the zero point after it.
fn between(
    node: &mut Reader<'_>,
    reals: Vec<Option<Operand>>,
    read: Read,
    result: usize,
) -> Result<Operand, String> {
    let own = mem::replace(&mut node.inputs, reals);
    let made = read(node);
    node.inputs = own;
    let Operand::Value(made) = made? else { return Err("it does not depend on the image".into()) };
    node.layer = Some(made);
    let (scale, zero) = (node.constant(result)?, node.optional_constant(result + 1)?);
    let zero = match zero {
        Some(zero) => zero,
        None => Arc::new(zero_like_operands(node)?),
    };
    requantized(node, made, &scale, &zero)
}

/// A zero of the type that the operands have: the default of a zero point that is left out.
fn zero_like_operands(node: &Reader<'_>) -> Result<Constant, String> {
    let elements = node.inputs.iter().flatten().find_map(|input| match input {
        Operand::Constant(c) if matches!(c.elements, Elements::U8(_)) => Some(Elements::U8(vec![0])),
        Operand::Constant(c) if matches!(c.elements, Elements::I8(_)) => Some(Elements::I8(vec![0])),
        _ => None,
    });
    let elements = elements.ok_or("it has no zero point, and so no type; export it with zero points")?;
    Ok(Constant { shape: vec![], elements, quantization: None })
}

/// A bias of integers of 32 bits, whose scales are those of the products that it is added to.
fn bias(node: &Reader<'_>, place: usize, [a, b]: [usize; 2], alpha: f32) -> Result<Option<Operand>, String> {
    let Some(bias) = node.optional_constant(place)? else { return Ok(None) };
    if bias.quantization.is_some() || bias.to_i64().is_none() {
        return Err("its bias should be integers".into());
    }
    let (a, b) = (node.constant(a)?.to_f32(), node.constant(b)?.to_f32());
    let scales: Vec<f32> = b.iter().map(|b| alpha * a.first().unwrap_or(&1.0) * b).collect();
    let axis = bias.shape.len().saturating_sub(1);
    if scales.len() > 1 && bias.shape.last() != Some(&scales.len()) {
        return Err(format!("{} scales do not fit a bias of shape {:?}", scales.len(), bias.shape));
    }
    let quantization = Some(Quantization { axis, zero_points: vec![0; scales.len()], scales });
    Ok(Some(Operand::Constant(Arc::new(Constant { quantization, ..(*bias).clone() }))))
}

/// Reads an ONNX `QLinearConv`.
pub fn read_conv(node: &mut Reader<'_>) -> Result<Operand, String> {
    let parts = vec![reals(node, 0, 1)?, reals(node, 3, 0)?, bias(node, 8, [1, 4], 1.0)?];
    between(node, parts, conv::read, 6)
}

/// The difference of the integers at an input and their zero point, which run along `axis`.
fn steps(node: &mut Reader<'_>, [first, zero]: [usize; 2], axis: usize) -> Result<Option<Operand>, String> {
    let integers = node.inputs.get(first).cloned().flatten();
    let integers = integers.ok_or_else(|| format!("input {first} is missing"))?;
    match (integers, node.inputs.get(zero).cloned().flatten()) {
        (Operand::Value(integers), Some(Operand::Value(zero))) => {
            let made = dynamic_quantize::steps(node, integers, zero);
            let made = made.unwrap_or_else(|| arithmetic::difference(node, integers, zero))?;
            Ok(Some(Operand::Value(made)))
        }
        (integers, Some(Operand::Constant(zero))) => {
            let ones = Constant::floats([zero.len()], vec![1.0; zero.len()]);
            dequantized(node, integers, &ones, Some(&zero), axis as i64).map(Some)
        }
        (integers, None) => Ok(Some(integers)),
        (Operand::Constant(_), Some(Operand::Value(_))) => {
            Err(format!("input {zero} depends on the image, and should be a constant"))
        }
    }
}

/// Reads an ONNX `ConvInteger`, whose sums stay as they are.
pub fn read_conv_integer(node: &mut Reader<'_>) -> Result<Operand, String> {
    node.inputs = vec![steps(node, [0, 2], 1)?, steps(node, [1, 3], 0)?];
    conv::read(node)
}

/// Reads an ONNX `MatMulInteger`, whose sums stay as they are.
pub fn read_matmul_integer(node: &mut Reader<'_>) -> Result<Operand, String> {
    node.inputs = vec![steps(node, [0, 2], 1)?, steps(node, [1, 3], 1)?];
    matmul::read_matmul(node)
}

/// Reads an ONNX `QLinearMatMul`.
pub fn read_matmul(node: &mut Reader<'_>) -> Result<Operand, String> {
    let parts = vec![reals(node, 0, 1)?, reals(node, 3, 1)?];
    between(node, parts, matmul::read_matmul, 6)
}

/// Reads an onnxruntime `QGemm`; without a scale for its result that is reals.
pub fn read_gemm(node: &mut Reader<'_>) -> Result<Operand, String> {
    let columns = if node.int("transB", 0) == 0 { 1 } else { 0 };
    let c = bias(node, 6, [1, 4], node.float("alpha", 1.0))?;
    let parts = vec![reals(node, 0, 1)?, reals(node, 3, columns)?, c];
    if node.optional_constant(7)?.is_some() {
        return between(node, parts, matmul::read_gemm, 7);
    }
    node.inputs = parts;
    matmul::read_gemm(node)
}

/// Reads an onnxruntime `QLinearAdd`.
pub fn read_add(node: &mut Reader<'_>) -> Result<Operand, String> {
    let parts = vec![reals(node, 0, 1)?, reals(node, 3, 1)?];
    between(node, parts, arithmetic::read_add, 6)
}

/// Reads an onnxruntime `QLinearMul`.
pub fn read_mul(node: &mut Reader<'_>) -> Result<Operand, String> {
    let parts = vec![reals(node, 0, 1)?, reals(node, 3, 1)?];
    between(node, parts, arithmetic::read_mul, 6)
}

/// Reads an onnxruntime `QLinearConcat`: the result's scale and zero point, then three inputs an operand.
pub fn read_concat(node: &mut Reader<'_>) -> Result<Operand, String> {
    let count = node.inputs.len().saturating_sub(2).div_ceil(3);
    let parts = (0..count).map(|i| reals(node, 2 + 3 * i, 1)).collect::<Result<_, _>>()?;
    between(node, parts, concat::read, 0)
}

/// Reads a node of one operand as the operator that `read` reads.
fn of_one(node: &mut Reader<'_>, read: Read) -> Result<Operand, String> {
    if node.int("channels_last", 0) != 0 {
        return Err("channels_last is not supported; export without graph optimisations".into());
    }
    let parts = vec![reals(node, 0, 1)?];
    between(node, parts, read, 3)
}

/// Reads an onnxruntime `QLinearAveragePool`.
pub fn read_average_pool(node: &mut Reader<'_>) -> Result<Operand, String> {
    of_one(node, average_pool::read)
}

/// Reads an onnxruntime `QLinearGlobalAveragePool`.
pub fn read_global_average_pool(node: &mut Reader<'_>) -> Result<Operand, String> {
    of_one(node, reduce::read_global_average_pool)
}

/// Reads an onnxruntime `QLinearSigmoid`.
pub fn read_sigmoid(node: &mut Reader<'_>) -> Result<Operand, String> {
    of_one(node, smooth_activation::read_sigmoid)
}

/// Reads an onnxruntime `QLinearLeakyRelu`.
pub fn read_leaky_relu(node: &mut Reader<'_>) -> Result<Operand, String> {
    of_one(node, smooth_activation::read_leaky_relu)
}

/// Reads an onnxruntime `QLinearSoftmax`, which says of which version of Softmax it is. onnxruntime takes
/// `1 / floor(1 / scale)` for its result's scale.
pub fn read_softmax(node: &mut Reader<'_>) -> Result<Operand, String> {
    node.opset = node.int("opset", node.opset);
    let scales =
        node.constant(3)?.to_f32().into_iter().map(|scale| 1.0 / (1.0 / scale).floor()).collect::<Vec<_>>();
    node.inputs[3] = Some(Operand::Constant(Constant::floats([scales.len()], scales).into()));
    of_one(node, softmax::read)
}
