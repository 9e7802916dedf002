//! Writes one picture under many masks out as pictures. Only the GPU backend's own graphs have it: operators that
//! cannot read through masks read its result.

use tract_onnx::tract_core::internal::OutletId;

use crate::{
    error::{Error, Result},
    gpu::{Kernel, Launch, Mask, Recording, Value, as_u32},
    graph::{Lowering, Operator, Shape},
    ops::kernels::{LANES, MASKED_INPUT, THREAD, flops, linear},
};

/// The identity, on values that are one picture under many masks.
#[derive(Clone, Copy, Debug)]
pub struct MaterializeMasked;

/// Writes the pictures out.
pub static MATERIALIZE_MASKED: Kernel = Kernel {
    name: "materialize_masked",
    source: include_str!("materialize_masked.wgsl"),
    snippets: &[MASKED_INPUT, THREAD],
};

impl Operator for MaterializeMasked {
    fn name(&self) -> &'static str {
        "MaterializeMasked"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        Ok(inputs[0].to_vec())
    }

    /// The CPU has no such operator: it never sees the GPU's own graphs.
    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        Err(at.failed(&"only the GPU backend has it"))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let (input, vectors) = (&at.inputs[0], at.output.vectors());
        let Some(mask) = input.mask else { return Err(Error::Model("there is no mask to undo".into())) };
        let [height, width] = input.extents();
        let [blocks, threads, height, width] = [input.blocks(), vectors, height, width].map(as_u32);
        let (from, to) = (input.offset, at.output.offset);
        let Mask { encoding, fill, shared, masks, stride } = mask;
        let params = [from, to, fill, masks, stride, shared, blocks, threads, height, width];
        let variant = vec![("LANES", LANES.into()), ("ENCODING", Value::Int(encoding as i64))];
        let launch = Launch { groups: linear(vectors), page: 0, flops: flops(&[64, vectors]) };
        at.dispatch(&MATERIALIZE_MASKED, variant, &params, &[], launch)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        inputs[0].clone()
    }
}
