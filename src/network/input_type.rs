//! The type of the numbers that an image is made of.

use std::collections::HashSet;

use tract_onnx::pb::{GraphProto, tensor_proto::DataType, type_proto};

use crate::error::{Error, Result};

/// The kinds of reals that an image may be made of; all are computed in single precision.
const FLOATS: [DataType; 4] = [DataType::Float, DataType::Float16, DataType::Double, DataType::Bfloat16];

/// Operators that leave numbers as they are.
const MOVES: [&str; 5] = ["Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"];

/// The type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputType {
    /// Reals.
    Floats,
    /// Pixels of 8 bits, which the file makes reals of before it computes with them.
    Bytes,
    /// The same with a sign, as quantizers for small devices have them.
    SignedBytes,
}

impl InputType {
    /// The type of the input of this name.
    ///
    /// # Errors
    /// [`Error::Model`] for other types, and for bytes that are computed with as such: gradients are of reals.
    pub fn of(file: &GraphProto, name: &str) -> Result<Self> {
        let input = file.input.iter().find(|input| input.name == name);
        let kind = match input.and_then(|i| i.r#type.as_ref()).and_then(|t| t.value.as_ref()) {
            Some(type_proto::Value::TensorType(tensor)) => tensor.elem_type,
            _ => DataType::Undefined as i32,
        };
        if FLOATS.iter().any(|&float| float as i32 == kind) {
            return Ok(Self::Floats);
        }
        match DataType::try_from(kind) {
            Ok(DataType::Uint8) if is_cast_first(file, name) => Ok(Self::Bytes),
            Ok(DataType::Int8) if is_cast_first(file, name) => Ok(Self::SignedBytes),
            _ => Err(Error::Model(format!(
                "the model's input {name:?} should be floats, or bytes that a Cast or a DequantizeLinear makes floats of; \
                 export it again"
            ))),
        }
    }
}

/// Whether everything that reads a value, moved or not, makes reals of it.
fn is_cast_first(file: &GraphProto, name: &str) -> bool {
    let mut names = HashSet::from([name]);
    for node in &file.node {
        if !node.input.iter().any(|input| names.contains(input.as_str())) {
            continue;
        }
        match node.op_type.as_str() {
            "Cast" | "DequantizeLinear" => {}
            moves if MOVES.contains(&moves) => names.extend(node.output.iter().map(String::as_str)),
            _ => return false,
        }
    }
    true
}
