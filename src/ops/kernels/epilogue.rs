//! The epilogue of a kernel changes its result before it is stored: functions of one element, the sum with another
//! value, a gate. Alone it is the element-wise operators; behind a convolution it saves a pass over memory.

use crate::{
    chain::{Epilogue, Step},
    error::{Error, Result},
    gpu::{Block, Recording, Value, Variant, View, as_u32},
};

/// The snippet that kernels include.
pub const EPILOGUE: (&str, &str) = ("epilogue", include_str!("epilogue.wgsl"));

/// The epilogue's part of a kernel's `Params`: `struct Epilogue` in `epilogue.wgsl`, in the same order.
#[derive(Clone, Copy, Debug, Default, bytemuck::NoUninit)]
#[repr(C)]
pub struct EpilogueParams {
    residual: u32,
    mask: u32,
    mask_plane: u32,
    mask_targets: u32,
}

impl Epilogue {
    /// The constants of the variant.
    #[must_use]
    pub fn variant(&self, params: &EpilogueParams) -> Variant {
        let add_at = self.add_at.map_or(Value::Int(-1), Value::from);
        let gate = self.gate.map_or(0, |g| if g.positive_only { 2 } else { 1 });
        vec![
            ("STEPS", self.steps.len().into()),
            ("KINDS", kinds(&self.steps).into()),
            ("ADD_AT", add_at),
            ("GATE", Value::Int(gate)),
            ("MASK_SHARED", (params.mask_targets > 1).into()),
        ]
    }

    /// How many functions have a table.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.steps.iter().filter(|s| per_channel(s)).count()
    }

    /// Adds the tables of functions with a scale per channel; returns where each starts.
    #[must_use]
    pub fn constants(&self, block: &mut Block, channels: usize) -> Vec<u32> {
        let width = channels.next_multiple_of(4);
        let mut tables = vec![];
        for step in self.steps.iter().filter(|s| per_channel(s)) {
            let Some(q) = step.quantizer() else { continue };
            let padded = |values: &[f32], fill: f32| {
                let mut v = values.to_vec();
                v.resize(width, fill);
                v
            };
            tables.push(block.push(&padded(&q.params.scales, 1.0)));
            block.push(&padded(&q.params.zero_points, 0.0));
        }
        tables
    }

    /// One vec4 per function; `tables` as [`Epilogue::constants`] placed them.
    #[must_use]
    pub fn tail(&self, tables: &[u32]) -> Vec<[f32; 4]> {
        let mut tables = tables.iter();
        // WGSL may assume that there are no infinities.
        let finite = |v: f32| v.clamp(f32::MIN, f32::MAX);
        let pack = |step: &Step| match (step, step.quantizer()) {
            (Step::Clip(c), _) => [finite(c.low), finite(c.high), 0.0, 0.0],
            (_, Some(q)) if per_channel(step) => {
                let table = tables.next().copied().unwrap_or(0);
                [f32::from_bits(table), 0.0, finite(q.low), finite(q.high)]
            }
            (_, Some(q)) => [q.params.scales[0], q.params.zero_points[0], finite(q.low), finite(q.high)],
            (_, None) => [0.0; 4],
        };
        let mut packed: Vec<[f32; 4]> = self.steps.iter().map(pack).collect();
        // WGSL has no empty arrays.
        packed.push([0.0; 4]);
        packed
    }

    /// Finds what is read beside the kernel's first `own` inputs.
    pub fn params(&self, at: &Recording<'_>, own: usize) -> Result<EpilogueParams> {
        let mut params = EpilogueParams::default();
        let mut rest = at.inputs[own..].iter();
        let missing = || Error::Model("a fused operator lacks an input".into());
        if self.add_at.is_some() {
            let residual = rest.next().ok_or_else(missing)?;
            if residual.rows != at.output.rows {
                return Err(Error::Model("a sum of values of different batches is not supported".into()));
            }
            params.residual = residual.offset;
        }
        if self.gate.is_some() {
            let mask = rest.next().ok_or_else(missing)?;
            params.mask = mask.offset;
            params.mask_plane = as_u32(mask.plane());
            params.mask_targets = as_u32(targets(&at.output, mask));
        }
        Ok(params)
    }
}

/// The kind of each function, as kernels number them.
#[must_use]
pub fn kinds(steps: &[Step]) -> Vec<i64> {
    let kind = |step: &Step| {
        let kind = match step {
            Step::Clip(_) => 0,
            Step::Quantize(_) => 1,
            Step::Dequantize(_) => 2,
            Step::FakeQuantize(_) => 3,
        };
        kind + if per_channel(step) { 4 } else { 0 }
    };
    steps.iter().map(kind).collect()
}

/// How many rows of `wide` share a row of `narrow`.
#[must_use]
pub fn targets(wide: &View, narrow: &View) -> usize {
    (wide.rows / narrow.rows.max(1)).max(1)
}

fn per_channel(step: &Step) -> bool {
    step.quantizer().is_some_and(|q| q.params.scales.len() > 1)
}
