//! A tensor as a .npy file, version 1.0.

use crate::Tensor;

/// The file's bytes: float32, little-endian, row-major.
#[must_use]
pub fn npy(tensor: &Tensor) -> Vec<u8> {
    let shape: String = tensor.shape().iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    // The values start at a multiple of 64 bytes; magic, version and length take 10, the line break 1.
    header.extend(std::iter::repeat_n(' ', (64 - (header.len() + 11) % 64) % 64));
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(tensor.data().iter().flat_map(|v| v.to_le_bytes()));
    file
}
