//! Elementwise sums.

use tract_onnx::tract_core::{internal::OutletId, ops::math};

use super::{
    affine::{Affine, Per},
    reader::{Operand, Reader},
};
use crate::{
    chain::Epilogue,
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Lowering, Operator, Shape, ValueId},
    ops::kernels::elementwise,
};

/// `a + b`, of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Add;

/// Reads an ONNX Add of two values, or of a value and a constant that broadcasts to it.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let constant = match node.inputs.as_slice() {
        [Some(Operand::Value(_)), Some(Operand::Constant(c))] => Some((0, c.clone())),
        [Some(Operand::Constant(c)), Some(Operand::Value(_))] => Some((1, c.clone())),
        _ => None,
    };
    let Some((place, constant)) = constant else {
        let inputs = [node.value(0)?, node.value(1)?];
        return node.add(Add, &inputs);
    };
    let input = node.value(place)?;
    let (shift, per) = broadcast(&constant, &node.node(input).shape)?;
    node.add(Affine { scale: vec![1.0; shift.len()], shift, per }, &[input])
}

/// A constant's values for each channel, or for each element, of a value of an image.
pub fn broadcast(constant: &Constant, shape: &[usize]) -> Result<(Vec<f32>, Per), String> {
    let (own, values) = (&constant.shape, constant.to_f32());
    let channels = shape.first().copied().unwrap_or(1);
    if values.len() == 1 {
        return Ok((vec![values[0]; channels], Per::Channel));
    }
    // Numpy's rule aligns last axes; a constant with an axis for the batch must have it of extent one.
    let refuse = || format!("a constant of shape {own:?} does not broadcast to {shape:?} an image");
    let extra = own.len().saturating_sub(shape.len());
    if extra > 1 || own[..extra].iter().any(|&d| d != 1) {
        return Err(refuse());
    }
    let own = &own[extra..];
    let lead = shape.len() - own.len();
    let extent = |axis: usize| if axis < lead { 1 } else { own[axis - lead] };
    if (0..shape.len()).any(|a| extent(a) != 1 && extent(a) != shape[a]) {
        return Err(refuse());
    }
    if lead == 0 && own[1..].iter().all(|&d| d == 1) {
        return Ok((values, Per::Channel));
    }
    let elements = shape.iter().product::<usize>();
    let source = |mut i: usize| {
        let (mut place, mut step) = (0, 1);
        for axis in (0..shape.len()).rev() {
            let at = i % shape[axis];
            i /= shape[axis];
            if extent(axis) != 1 {
                place += at * step;
                step *= extent(axis);
            }
        }
        place
    };
    Ok(((0..elements).map(|i| values[source(i)]).collect(), Per::Element))
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0] == inputs[1] {
            Ok(inputs[0].to_vec())
        } else {
            Err(format!(
                "shapes {:?} and {:?} an image differ; broadcasting is not supported",
                inputs[0], inputs[1]
            ))
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        Ok(vec![at.cotangent; 2])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let inputs = at.inputs.to_vec();
        at.wire("", math::add(), &inputs)
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        elementwise(at, None, &Epilogue::sum())
    }

    fn as_epilogue(&self) -> Option<Epilogue> {
        Some(Epilogue::sum())
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        inputs[0].zip(inputs[1], |a, b| a + b)
    }
}
