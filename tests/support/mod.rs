//! What integration tests share: where fixtures lie, and how they are read and compared.
#![allow(dead_code, reason = "every test binary uses a part of this")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use pellucid::Tensor;
use prost::Message;
use tract_onnx::pb::TensorProto;

/// A file or folder of `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// The bytes of a file.
pub fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A manifest.
pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&bytes(path)).unwrap()
}

/// A list of extents of a manifest.
pub fn extents(value: &serde_json::Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

/// A `.npy` file of float32, float64 or uint8.
pub fn npy(path: &Path) -> Tensor {
    let raw = bytes(path);
    let file = npyz::NpyFile::new(raw.as_slice()).unwrap();
    let shape: Vec<usize> = file.shape().iter().map(|&d| d as usize).collect();
    let kind = file.dtype().descr();
    let values: Vec<f32> = if kind.contains("f4") {
        file.into_vec().unwrap()
    } else if kind.contains("f8") {
        file.into_vec::<f64>().unwrap().into_iter().map(|v| v as f32).collect()
    } else {
        file.into_vec::<u8>().unwrap().into_iter().map(f32::from).collect()
    };
    Tensor::new(shape, values).unwrap()
}

/// A tensor of ONNX's test data.
pub fn tensor_proto(path: &Path) -> TensorProto {
    TensorProto::decode(bytes(path).as_slice()).unwrap()
}

/// `|a - b| / |b|`, Euclidean.
pub fn relative_l2(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let square = |v: f64| v * v;
    let distance: f64 = a.iter().zip(b).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    let size: f64 = b.iter().map(|&b| square(b.into())).sum();
    (distance / size.max(f64::MIN_POSITIVE)).sqrt()
}

/// The cosine of the angle between two lists of numbers.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
