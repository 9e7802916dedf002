//! The derivative of a chain that is flat or straight everywhere: the forward pass makes one bit per element, and a
//! gate applies it to the gradient.

use tract_onnx::tract_core::internal::OutletId;

use crate::{
    chain::{Epilogue, Gate, Spans, Step, is_uniform},
    error::Result,
    gpu::{Kernel, Launch, Recording, as_u32},
    graph::{Lowering, Operator, Shape, Storage, native::Slice},
    ops::kernels::{EpilogueParams, LANES, THREAD, elementwise, flops, linear},
    simd,
};

/// Packs one bit per element.
pub static PASS_MASK: Kernel =
    Kernel { name: "pass_mask", source: include_str!("pass_mask.wgsl"), snippets: &[THREAD] };

/// For each element, whether every function of a chain has a slope there. Reads what the chain reads, or,
/// for a chain of one clip, what it makes.
#[derive(Clone, Debug)]
pub struct PassMask {
    /// The chain whose slopes are asked for.
    pub steps: Vec<Step>,
}

impl Operator for PassMask {
    fn name(&self) -> &'static str {
        "PassMask"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        Ok(inputs[0].to_vec())
    }

    fn storage(&self) -> Storage {
        Storage::Bit
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let spans = Spans::new(&self.steps, &at.node.shape);
        let mask = move |read: &[Slice<'_>], made: &mut [u8]| spans.mask(read[0].floats(), made);
        if is_uniform(&self.steps) { at.each_byte(mask) } else { at.bytes(mask) }
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let chain = Epilogue::of_chain(&self.steps);
        let channels = at.output.channels();
        let (slot, tables) = at.constants(0, |block| chain.constants(block, channels))?;
        let vectors = at.output.vectors();
        let threads = vectors.div_ceil(8);
        let params = [
            [at.inputs[0].offset, at.output.offset, as_u32(vectors), as_u32(at.output.blocks())],
            [as_u32(threads), 0, 0, 0],
        ];
        let mut variant = vec![("LANES", LANES.into())];
        variant.extend(chain.variant(&EpilogueParams::default()));
        let launch = Launch { groups: linear(threads), page: slot.page, flops: flops(&[64, vectors]) };
        at.dispatch(&PASS_MASK, variant, &params, &chain.tail(&tables), launch)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let plane: usize = inputs[0].shape.iter().skip(1).product();
        let mut mask = inputs[0].clone();
        for (i, v) in mask.data.iter_mut().enumerate() {
            let (mut x, mut passes) = (*v, true);
            for step in &self.steps {
                passes &= step.passes(x, i / plane);
                x = step.evaluate(x, i / plane);
            }
            *v = f64::from(u8::from(passes));
        }
        mask
    }
}

/// Reads the gradient, whose rows count targets, and the mask, whose rows may count images.
impl Operator for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0] == inputs[1] {
            Ok(inputs[0].to_vec())
        } else {
            Err("gradient and mask differ in shape".into())
        }
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let positive_only = self.positive_only;
        at.each_in_place(move |g, others| apply(positive_only, g, others[0].bytes()))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        elementwise(at, None, &Epilogue::gate(*self))
    }

    fn as_epilogue(&self) -> Option<Epilogue> {
        Some(Epilogue::gate(*self))
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        inputs[0].zip(inputs[1], |g, m| if m != 0.0 && (g > 0.0 || !self.positive_only) { g } else { 0.0 })
    }
}

/// Does the gate to a gradient, given one byte per bit of the mask.
fn apply(positive_only: bool, gradient: &mut [f32], mask: &[u8]) {
    simd::widest(
        #[inline(always)]
        || {
            for (g, &passes) in gradient.iter_mut().zip(mask) {
                *g = if (passes != 0) & ((*g > 0.0) | !positive_only) { *g } else { 0.0 };
            }
        },
    );
}
