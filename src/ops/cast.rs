//! Casts of values between kinds of floats, which all are computed in single precision.

use tract_onnx::pb::tensor_proto::DataType;

use super::onnx::{Operand, Reader};

/// Reads an ONNX Cast of a value to floats: nothing changes.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let value = node.value(0)?;
    let kind = i32::try_from(node.int("to", 0)).ok().and_then(|kind| DataType::try_from(kind).ok());
    match kind {
        Some(DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16) => {
            Ok(Operand::Value(value))
        }
        other => {
            let other = other.map_or("an unknown type", |kind| kind.as_str_name());
            Err(format!("a cast to {other} has no gradient; only casts to floats are supported"))
        }
    }
}
