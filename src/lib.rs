//! Pellucid shows why a convolutional network said what it said.

pub mod error;
pub mod limits;
pub mod rng;
pub mod tensor;

pub use error::{Error, Result};
pub use tensor::Tensor;
