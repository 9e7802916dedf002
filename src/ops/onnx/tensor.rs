//! ONNX tensors as constants.

use tract_onnx::pb::{TensorProto, tensor_proto::DataType};

use crate::{
    graph::{Constant, Elements},
    limits,
};

/// Reads an ONNX tensor that stands in the file itself.
pub fn constant(tensor: &TensorProto) -> Result<Constant, String> {
    if tensor.data_location.is_some_and(|l| l != 0) || !tensor.external_data.is_empty() {
        return Err(format!("tensor {:?} is kept in another file; save the model as one file", tensor.name));
    }
    let rank = tensor.dims.len();
    if rank as u64 > limits::RANK {
        return Err(format!(
            "tensor {:?} has {rank} axes, and at most {} are allowed",
            tensor.name,
            limits::RANK
        ));
    }
    let shape: Vec<usize> =
        tensor.dims.iter().map(|&d| super::size("a dimension", d)).collect::<Result<_, _>>()?;
    let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).ok_or("its shape is too large")?;
    let elements = elements(tensor, count)?;
    let constant = Constant { shape, elements, quantization: None };
    if constant.len() != count {
        return Err(format!(
            "tensor {:?} should have {count} elements, and has {}",
            tensor.name,
            constant.len()
        ));
    }
    Ok(constant)
}

fn elements(tensor: &TensorProto, count: usize) -> Result<Elements, String> {
    let raw = tensor.raw_data.as_slice();
    let int32 = &tensor.int32_data;
    let kind = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    let width = match kind {
        DataType::Float | DataType::Int32 => 32,
        DataType::Int8 | DataType::Uint8 | DataType::Bool => 8,
        DataType::Int64 | DataType::Double => 64,
        DataType::Float16 | DataType::Bfloat16 => 16,
        DataType::Int4 | DataType::Uint4 => 4,
        other => {
            return Err(format!(
                "tensors of type {} are not supported; floats are, and integers of 4, 8, 32 and 64 bits: quantize the \
                 model to 8 bits",
                other.as_str_name()
            ));
        }
    };
    if !raw.is_empty() && raw.len() != (count.saturating_mul(width)).div_ceil(8) {
        return Err(format!("tensor {:?} is cut short", tensor.name));
    }
    let typed = raw.is_empty();
    Ok(match kind {
        DataType::Float if typed => Elements::F32(tensor.float_data.clone()),
        DataType::Float => Elements::F32(read(raw, f32::from_le_bytes)),
        DataType::Double if typed => Elements::F32(tensor.double_data.iter().map(|&v| v as f32).collect()),
        DataType::Double => Elements::F32(read(raw, |b| f64::from_le_bytes(b) as f32)),
        DataType::Float16 if typed => {
            Elements::F32(int32.iter().map(|&v| half::f16::from_bits(v as u16).to_f32()).collect())
        }
        DataType::Float16 => Elements::F32(read(raw, |b| half::f16::from_le_bytes(b).to_f32())),
        DataType::Bfloat16 if typed => {
            Elements::F32(int32.iter().map(|&v| half::bf16::from_bits(v as u16).to_f32()).collect())
        }
        DataType::Bfloat16 => Elements::F32(read(raw, |b| half::bf16::from_le_bytes(b).to_f32())),
        DataType::Int8 if typed => Elements::I8(int32.iter().map(|&v| v as i8).collect()),
        DataType::Int8 => Elements::I8(read(raw, i8::from_le_bytes)),
        DataType::Uint8 | DataType::Bool if typed => Elements::U8(int32.iter().map(|&v| v as u8).collect()),
        DataType::Uint8 | DataType::Bool => Elements::U8(raw.to_vec()),
        // They are widened to 32 bits, so that nobody takes them for integers of 8, whose range is another.
        DataType::Int4 | DataType::Uint4 => {
            let bytes: Vec<u8> = if typed { int32.iter().map(|&v| v as u8).collect() } else { raw.to_vec() };
            let half = |nibble: u8| {
                if kind == DataType::Int4 { i32::from((nibble << 4) as i8 >> 4) } else { nibble.into() }
            };
            let halves = bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]);
            Elements::I32(halves.take(count).map(half).collect())
        }
        DataType::Int32 if typed => Elements::I32(int32.clone()),
        DataType::Int32 => Elements::I32(read(raw, i32::from_le_bytes)),
        _ if typed => Elements::I64(tensor.int64_data.clone()),
        _ => Elements::I64(read(raw, i64::from_le_bytes)),
    })
}

fn read<const N: usize, T>(raw: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = raw.as_chunks::<N>();
    chunks.iter().map(|&c| from(c)).collect()
}
