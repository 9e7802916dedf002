//! onnxruntime's matrix products of integers that end in reals.

use std::mem;

use super::fusions::{combined, plus};
use crate::ops::{
    arithmetic::read_mul,
    dynamic_quantize,
    onnx::{Operand, Reader},
    quantized,
};

/// Reads an onnxruntime `MatMulIntegerToFloat`: the product of integers, times the scales of both, and a bias.
pub fn read_to_float(node: &mut Reader<'_>) -> Result<Operand, String> {
    let own = |i: usize| node.inputs.get(i).cloned().flatten();
    let [integers, zero, scale] = [own(0), own(4), own(2)];
    let weights = [own(1), own(5), own(3)];
    let bias = own(6);
    to_float(node, [integers, zero, scale], weights, bias)
}

/// Reads an onnxruntime `DynamicQuantizeMatMul`: the same of an image's reals, with a scale that follows from them.
pub fn read_dynamic(node: &mut Reader<'_>) -> Result<Operand, String> {
    let own = |i: usize| node.inputs.get(i).cloned().flatten();
    let weights = [own(1), own(3), own(2)];
    let bias = own(4);
    let integers = dynamic_quantize::read(node)?;
    let mut made = mem::take(&mut node.others).into_iter();
    let (scale, zero) = (made.next(), made.next());
    to_float(node, [Some(integers), zero, scale], weights, bias)
}

/// The product of two factors, each as its integers, zero point and scale.
fn to_float(
    node: &mut Reader<'_>,
    [a, a_zero, a_scale]: [Option<Operand>; 3],
    [b, b_zero, b_scale]: [Option<Operand>; 3],
    bias: Option<Operand>,
) -> Result<Operand, String> {
    let missing = "a scale is missing";
    let (a_scale, b_scale) = (a_scale.ok_or(missing)?, b_scale.ok_or(missing)?);
    node.inputs = vec![a, b, a_zero, b_zero];
    let sums = quantized::read_matmul_integer(node)?;
    let made = combined(node, sums, b_scale, read_mul)?;
    let made = combined(node, made, a_scale, read_mul)?;
    node.inputs = vec![None, bias];
    plus(node, made, 1)
}
