//! Reads Gemm and MatMul: as a fully connected layer, or as products of matrices per image.

use std::sync::Arc;

use super::{
    arithmetic::affine,
    conv::dense::Dense,
    einsum,
    linear_along::linear_along,
    matrix_product,
    onnx::{Operand, Reader},
};
use crate::graph::{Constant, Elements, Quantization};

/// Reads an ONNX Gemm: `alpha * A B + beta * C`, where A depends on the image and B and C are constants.
pub fn read_gemm(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (input, dense) = (node.value(0)?, gemm(node)?);
    node.add(dense, &[input])
}

/// The same as [`read_gemm`], of a matrix per image.
pub(super) fn read_gemm_of_rows(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (input, dense) = (node.value(0)?, gemm(node)?);
    if node.node(input).shape.len() != 2 {
        return Err("its input is no matrix".into());
    }
    let weights = if dense.is_transposed { transposed(&dense.weights)? } else { (*dense.weights).clone() };
    let product = linear_along(node, input, 1, weights)?;
    let Some(bias) = dense.bias else { return Ok(Operand::Value(product)) };
    let bias = Constant::floats([bias.len()], bias.to_vec());
    affine(node, product, (0, &bias), |c| (1.0, c)).map(Operand::Value)
}

/// The fully connected layer that a Gemm is.
fn gemm(node: &Reader<'_>) -> Result<Dense, String> {
    if node.int("transA", 0) != 0 {
        return Err("transA would mix the images of a batch".into());
    }
    let mut weights = node.constant(1)?;
    let is_transposed = node.int("transB", 0) == 0;
    let alpha = node.float("alpha", 1.0);
    if alpha != 1.0 {
        let scaled = weights.to_f32().iter().map(|w| w * alpha).collect();
        weights = Arc::new(Constant::floats(weights.shape.clone(), scaled));
    }
    let &[rows, columns] = weights.shape.as_slice() else {
        return Err(format!("only matrices are supported as weights; these are {:?}", weights.shape));
    };
    let outputs = if is_transposed { columns } else { rows };
    let beta = node.float("beta", 1.0);
    let bias = match node.optional_constant(2)? {
        None => None,
        Some(c) => {
            if node.opset < 7 && node.int("broadcast", 0) == 0 && c.len() != 1 {
                return Err(format!(
                    "opset {} without broadcast=1 adds C as it is, to one image",
                    node.opset
                ));
            }
            let values = c.to_f32();
            let value = |i: usize| values.get(if values.len() == 1 { 0 } else { i }).copied();
            let all: Option<Vec<f32>> = (0..outputs).map(|i| value(i).map(|v| v * beta)).collect();
            let fits = values.len() == 1 || values.len() == outputs && c.shape.last() == Some(&outputs);
            Some(Arc::new(all.filter(|_| fits).ok_or_else(|| {
                format!("C {:?} cannot be added to {outputs} outputs of each image", c.shape)
            })?))
        }
    };
    Ok(Dense { weights, is_transposed, bias })
}

/// Reads an ONNX MatMul of two values, or of a value and a constant matrix on either side.
pub fn read_matmul(node: &mut Reader<'_>) -> Result<Operand, String> {
    match (node.inputs.first(), node.inputs.get(1)) {
        (Some(Some(Operand::Value(_))), Some(Some(Operand::Value(_)))) => return matrix_product::read(node),
        (Some(Some(Operand::Constant(c))), Some(Some(Operand::Value(value)))) => {
            let (weights, value) = (c.clone(), *value);
            let Ok(weights) = matrix(&weights) else {
                return einsum::of_matrices(node, value, &weights, true);
            };
            return match node.node(value).shape.len().checked_sub(2) {
                Some(axis) => linear_along(node, value, axis, (*weights).clone()).map(Operand::Value),
                None => Err("it would mix the images of a batch".into()),
            };
        }
        _ => {}
    }
    let input = node.value(0)?;
    let weights = node.constant(1)?;
    let Ok(weights) = matrix(&weights) else { return einsum::of_matrices(node, input, &weights, false) };
    let axes = node.node(input).shape.len();
    match axes {
        0 | 1 => node.add(Dense { weights, is_transposed: true, bias: None }, &[input]),
        _ => linear_along(node, input, axes - 1, transposed(&weights)?).map(Operand::Value),
    }
}

/// A constant matrix without axes of extent one in front.
fn matrix(constant: &Arc<Constant>) -> Result<Arc<Constant>, String> {
    if constant.shape.len() == 2 {
        return Ok(constant.clone());
    }
    let extra = constant.shape.len().saturating_sub(2);
    if constant.shape[..extra].iter().any(|&d| d != 1) {
        return Err(format!("only matrices are supported as weights; these are {:?}", constant.shape));
    }
    let quantization =
        constant.quantization.clone().map(|q| Quantization { axis: q.axis.saturating_sub(extra), ..q });
    Ok(Arc::new(Constant { shape: constant.shape[extra..].to_vec(), quantization, ..(**constant).clone() }))
}

/// The transpose of a matrix; integers stay integers.
pub(super) fn transposed(matrix: &Constant) -> Result<Constant, String> {
    let &[rows, columns] = matrix.shape.as_slice() else {
        return Err(format!("only matrices are supported as weights; these are {:?}", matrix.shape));
    };
    fn transposed_elements<T: Copy>(v: &[T], rows: usize, columns: usize) -> Vec<T> {
        (0..columns).flat_map(|c| (0..rows).map(move |r| v[r * columns + c])).collect()
    }
    let elements = match &matrix.elements {
        Elements::F32(v) => Elements::F32(transposed_elements(v, rows, columns)),
        Elements::I8(v) => Elements::I8(transposed_elements(v, rows, columns)),
        Elements::U8(v) => Elements::U8(transposed_elements(v, rows, columns)),
        Elements::I32(v) => Elements::I32(transposed_elements(v, rows, columns)),
        Elements::I64(v) => Elements::I64(transposed_elements(v, rows, columns)),
    };
    let quantization =
        matrix.quantization.as_ref().map(|q| Quantization { axis: 1 - q.axis.min(1), ..q.clone() });
    Ok(Constant { shape: vec![columns, rows], elements, quantization })
}
