//! Pellucid shows why a convolutional network said what it said: attributions straight from an ONNX file.

#![warn(missing_docs)]

pub mod error;
pub mod limits;
pub mod rng;
pub mod tensor;

pub mod picture;

pub mod chain;
pub mod gpu;
pub mod graph;
pub mod ops;

pub mod network;

pub mod backend;

pub mod attribution;

pub mod evaluation;

pub mod render;

pub mod session;

#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, Result};
pub use tensor::Tensor;
