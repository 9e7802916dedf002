//! onnxruntime's products with weights of few bits.

use super::fusions::plus;
use crate::{
    graph::{Constant, Elements},
    limits,
    ops::{
        blocks::Blocks,
        matmul,
        onnx::{Operand, Reader, bounded},
    },
};

/// Reads an onnxruntime `MatMulNBits`: a product with weights of 4 or 8 bits in blocks, `[N, blocks, bytes]`, and a bias.
pub fn read_matmul(node: &mut Reader<'_>) -> Result<Operand, String> {
    let bits = node.int("bits", 4);
    if bits != 4 && bits != 8 {
        return Err(format!("weights of {bits} bits are not supported; quantize them to 4 or 8"));
    }
    let attribute = |name| bounded(name, node.int(name, 0), limits::INTEGER);
    let [rows, columns, size] = [attribute("K")?, attribute("N")?, attribute("block_size")?];
    if rows == 0 || columns == 0 || size == 0 {
        return Err("K, N and block_size must be positive".into());
    }
    if node.optional_constant(4)?.is_some() {
        return Err("g_idx, which reorders its weights, is not supported; quantize without it".into());
    }
    let blocks = rows.div_ceil(size);
    let (scales, zero) = (node.constant(2)?, node.optional_constant(3)?);
    let weights = integers(&*node.constant(1)?, bits, [columns, blocks * size])?;
    let scales = reshaped(&scales, [columns, blocks])?;
    let zero = match zero {
        Some(zero) => integers(&zero, bits, [columns, blocks])?,
        None => Constant {
            shape: vec![columns, blocks],
            elements: Elements::I32(vec![1 << (bits - 1); columns * blocks]),
            quantization: None,
        },
    };
    let quantized = Blocks { scales: &scales, zero: Some(&zero), axis: 1, size: size as i64 };
    let reals = quantized.reals(node, &weights)?.to_f32();
    // Their transpose, without what fills the last block.
    let reals = (0..rows * columns).map(|i| reals[i % columns * blocks * size + i / columns]).collect();
    let (x, bias) = (node.inputs.first().cloned().flatten(), node.inputs.get(5).cloned().flatten());
    node.inputs = vec![x, Some(Operand::Constant(Constant::floats([rows, columns], reals).into())), bias];
    let made = matmul::read_matmul(node)?;
    plus(node, made, 2)
}

/// Integers of so many bits from bytes, each row of which begins with a byte of its own.
fn integers(bytes: &Constant, bits: i64, [rows, count]: [usize; 2]) -> Result<Constant, String> {
    let Elements::U8(values) = &bytes.elements else {
        return Err("its weights and zero points must be bytes".into());
    };
    let each = if bits == 4 { count.div_ceil(2) } else { count };
    if rows.checked_mul(each) != Some(values.len()) {
        return Err(format!("{} bytes are not {rows} times {count} integers of {bits} bits", values.len()));
    }
    let row = |row: &[u8]| -> Vec<i32> {
        let halves = |byte: &u8| [i32::from(byte & 15), i32::from(byte >> 4)];
        match bits {
            4 => row.iter().flat_map(halves).take(count).collect(),
            _ => row.iter().map(|&byte| byte.into()).collect(),
        }
    };
    let elements = Elements::I32(values.chunks_exact(each).flat_map(row).collect());
    Ok(Constant { shape: vec![rows, count], elements, quantization: None })
}

/// A constant of floats in another shape.
fn reshaped(constant: &Constant, shape: [usize; 2]) -> Result<Constant, String> {
    match shape[0].checked_mul(shape[1]) == Some(constant.len()) {
        true => Ok(Constant::floats(shape, constant.to_f32())),
        false => Err(format!("{} scales are not {} by {}", constant.len(), shape[0], shape[1])),
    }
}
