//! Reads the ONNX operators Clip and Relu.

use super::Pointwise;
use crate::{
    chain::{Clip, Step},
    ops::onnx::{Operand, Reader},
};

/// Reads an ONNX Relu.
pub fn read_relu(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    node.add(Pointwise::one(Step::Clip(Clip { low: 0.0, high: f32::INFINITY })), &[input])
}

/// Reads an ONNX Clip: bounds as attributes before opset 11, as inputs since.
pub fn read_clip(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    let bound = |i: usize, name: &str, default: f32| -> Result<f32, String> {
        match node.optional_constant(i)? {
            Some(c) if c.len() == 1 => Ok(c.to_f32()[0]),
            Some(c) => Err(format!("{name} must be one number, and has shape {:?}", c.shape)),
            None => Ok(node.float(name, default)),
        }
    };
    let (low, high) = (bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?);
    node.add(Pointwise::one(Step::Clip(Clip { low, high })), &[input])
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::{Clip, Pointwise, Step};
    use crate::{
        graph::Graph,
        ops::cases::{Case, image_shape, int, single},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Clip", &["Clip", "Relu"], clip)];

    fn clip(rng: &mut Rng) -> Graph {
        // Odd 8192ths: no input lies on a bound.
        let bound = |rng: &mut Rng| (2 * rng.random_range(-2048..2048) + 1) as f32 / 8192.0;
        let (a, b) = (bound(rng), bound(rng));
        let (low, high) = match int(rng, 0, 3) {
            0 => (1.0 / 8192.0, f32::INFINITY),
            1 => (f32::NEG_INFINITY, b),
            _ => (a.min(b), a.max(b)),
        };
        single(&image_shape(rng), Pointwise::one(Step::Clip(Clip { low, high })))
    }
}
