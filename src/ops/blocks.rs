//! Weights with a scale for each block of them along an axis: those of DequantizeLinear with `block_size`, and of
//! onnxruntime's `MatMulNBits`.

use super::onnx::{Reader, axis_of, bounded};
use crate::{
    graph::{Constant, Elements},
    limits,
};

/// How integers become reals: `(integer - zero point) scale`, with a scale and a zero point for each block.
pub struct Blocks<'a> {
    /// The scales, of the integers' shape but for the axis, which has an extent of one for each block.
    pub scales: &'a Constant,
    /// The zero points, of the scales' shape; zero where there are none.
    pub zero: Option<&'a Constant>,
    /// The axis that blocks lie along; a negative one counts from the last.
    pub axis: i64,
    /// How many integers a block has; the last may have fewer.
    pub size: i64,
}

impl Blocks<'_> {
    /// The reals that a constant of integers stands for.
    pub fn reals(&self, node: &mut Reader<'_>, integers: &Constant) -> Result<Constant, String> {
        if matches!(integers.elements, Elements::F32(_)) || integers.quantization.is_some() {
            return Err("its input must be integers".into());
        }
        let shape = integers.shape.clone();
        let (axis, size) =
            (axis_of(self.axis, shape.len())?, bounded("block_size", self.size, limits::INTEGER)?);
        let (extent, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
        let blocks = extent.div_ceil(size);
        let wanted = [&shape[..axis], &[blocks], &shape[axis + 1..]].concat();
        if self.scales.shape != wanted || self.zero.is_some_and(|zero| zero.shape != wanted) {
            return Err(format!(
                "scales of shape {:?} do not fit blocks of {size} along axis {axis} of {shape:?}",
                self.scales.shape
            ));
        }
        node.repeat(integers.len())?;
        let (scales, zero) = (self.scales.to_f32(), self.zero.map(Constant::raw_f32));
        let real = |(i, integer): (usize, f32)| {
            let (outer, place, rest) = (i / (inner * extent), i / inner % extent, i % inner);
            let block = (outer * blocks + place / size) * inner + rest;
            (integer - zero.as_ref().map_or(0.0, |zero| zero[block])) * scales[block]
        };
        let reals: Vec<f32> = integers.raw_f32().into_iter().enumerate().map(real).collect();
        match reals.iter().all(|v| v.is_finite()) {
            true => Ok(Constant::floats(shape, reals)),
            false => Err("a scale is infinite or not a number".into()),
        }
    }
}
