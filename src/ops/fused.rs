//! An operator with a prologue and an epilogue in the same kernel. Only the GPU backend's own graphs have it: see
//! `backend::gpu::fuse`.

use std::sync::Arc;

use tract_onnx::tract_core::internal::OutletId;

use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Lowering, OnMasks, Operator, Shape},
    ops::kernels::elementwise,
};

/// `epilogue(base(prologue(x)))`, where the epilogue may read two more values: one to add, then one to gate by.
#[derive(Clone, Debug)]
pub struct Fused {
    /// The chain that changes a picture under masks before; only convolutions can have one.
    pub prologue: Vec<Step>,
    /// The operator, which has one input; the identity where there is none.
    pub base: Option<Arc<dyn Operator>>,
    /// The chain, sum and gate that change its result.
    pub epilogue: Epilogue,
}

impl Operator for Fused {
    fn name(&self) -> &'static str {
        self.base.as_ref().map_or("Pointwise", |b| b.name())
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let shape = self.base.as_ref().map_or_else(|| Ok(inputs[0].to_vec()), |b| b.shape(&inputs[..1]))?;
        if inputs[1..].iter().any(|other| *other != shape) || inputs.len() != 1 + self.epilogue.inputs() {
            return Err("what it adds or gates by is not of its shape".into());
        }
        Ok(shape)
    }

    /// The CPU has no such operator: it never sees the GPU's own graphs.
    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        Err(at.failed(&"only the GPU backend has it"))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let Some(base) = &self.base else { return elementwise(at, None, &self.epilogue) };
        base.record_with(at, &self.prologue, &self.epilogue)
    }

    fn reads_masks(&self) -> bool {
        self.base.as_ref().is_some_and(|b| b.reads_masks())
    }

    fn on_masks(&self) -> OnMasks {
        let base = self.base.as_ref().map_or(OnMasks::Affine, |b| b.on_masks());
        match base {
            OnMasks::Affine if self.epilogue.is_empty() => OnMasks::Affine,
            OnMasks::Affine | OnMasks::PerElement if self.epilogue.inputs() == 0 => OnMasks::PerElement,
            _ => OnMasks::Mixes,
        }
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let prologued =
            crate::ops::pointwise::Pointwise { steps: self.prologue.clone() }.evaluate(&inputs[..1]);
        let mut y = self.base.as_ref().map_or_else(|| prologued.clone(), |b| b.evaluate(&[&prologued]));
        let plane: usize = y.shape.iter().skip(1).product();
        for s in 0..=self.epilogue.steps.len() {
            if self.epilogue.add_at == Some(s) {
                y = y.zip(inputs[1], |a, b| a + b);
            }
            if let Some(step) = self.epilogue.steps.get(s) {
                y.data.iter_mut().enumerate().for_each(|(i, v)| *v = step.evaluate(*v, i / plane));
            }
        }
        match (self.epilogue.gate, inputs.last()) {
            (Some(gate), Some(mask)) => gate.evaluate(&[&y, mask]),
            _ => y,
        }
    }
}
