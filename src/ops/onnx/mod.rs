//! ONNX nodes, their attributes and their tensors, as operators read them.

pub mod attributes;
mod bounds;
mod reader;
mod tensor;

pub use bounds::{axis_of, bounded, short, size};
pub use reader::{Operand, Reader};
pub use tensor::constant;
