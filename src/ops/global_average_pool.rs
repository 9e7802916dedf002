//! Mean over the whole plane of each channel, and its gradient.

use tract_onnx::tract_core::internal::OutletId;

use super::window::image;
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, as_u32},
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    ops::kernels::{LANES, THREAD, flops, linear},
};

/// The mean and its gradient.
pub static GLOBAL_AVERAGE_POOL: Kernel = Kernel {
    name: "global_average_pool",
    source: include_str!("global_average_pool.wgsl"),
    snippets: &[THREAD],
};

fn record(at: &mut Recording<'_>, backward: bool) -> Result<()> {
    let plane = if backward { at.output.plane() } else { at.inputs[0].plane() };
    let (threads, blocks) = (at.output.vectors(), at.output.blocks());
    let params = [at.inputs[0].offset, at.output.offset, as_u32(blocks), as_u32(plane), as_u32(threads)];
    let work = flops(&[64, at.inputs[0].vectors().max(threads)]);
    let launch = Launch { groups: linear(threads), page: 0, flops: work };
    let variant = vec![("LANES", LANES.into()), ("BACKWARD", backward.into())];
    at.dispatch(&GLOBAL_AVERAGE_POOL, variant, &params, &[], launch)
}

/// `[C, H, W]` to `[C, 1, 1]`.
#[derive(Clone, Copy, Debug)]
pub struct GlobalAveragePool;

fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
}

impl Operator for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "GlobalAveragePool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (channels, _) = image(inputs[0])?;
        Ok(vec![channels, 1, 1])
    }

    fn work(&self, inputs: &[&[usize]], _: &[usize]) -> u64 {
        crate::limits::product(inputs[0])
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, shape) = (at.cotangent, at.input_shape(0));
        Ok(vec![at.add("gradient", GlobalAveragePoolGradient { output: [shape[1], shape[2]] }, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (channels, [height, width]) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        at.channels_last(move |read, made| {
            // Line by line first: closer than one place after another.
            let mut line = vec![0.0; channels];
            for places in read[0].floats().chunks_exact(width * channels) {
                line.fill(0.0);
                places.chunks_exact(channels).for_each(|place| add(&mut line, place));
                add(made, &line);
            }
            made.iter_mut().for_each(|sum| *sum /= (height * width) as f32);
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        record(at, false)
    }

    fn makes_channels_first(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let (channels, [h, w]) = image(&inputs[0].shape).unwrap();
        let mean = |plane: &[f64]| plane.iter().sum::<f64>() / plane.len() as f64;
        let y = inputs[0].data.chunks_exact(h * w).map(mean).collect();
        crate::graph::reference::Array::new(&[channels, 1, 1], y)
    }
}

/// `[C, 1, 1]` to `[C, H, W]`: each channel's value, divided by how many places share it.
#[derive(Clone, Copy, Debug)]
pub struct GlobalAveragePoolGradient {
    /// Height and width.
    pub output: [usize; 2],
}

impl Operator for GlobalAveragePoolGradient {
    fn name(&self) -> &'static str {
        "GlobalAveragePoolGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        match *inputs[0] {
            [channels, 1, 1] => Ok(vec![channels, self.output[0], self.output[1]]),
            _ => Err("its input must be [C, 1, 1]".into()),
        }
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let places = (self.output[0] * self.output[1]) as f32;
        at.channels_last(move |read, made| {
            let shares: Vec<f32> = read[0].floats().iter().map(|g| g / places).collect();
            made.chunks_exact_mut(shares.len()).for_each(|place| place.copy_from_slice(&shares));
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        record(at, true)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let plane = self.output[0] * self.output[1];
        let x = inputs[0].data.iter().flat_map(|&g| vec![g / plane as f64; plane]).collect();
        crate::graph::reference::Array::new(&[inputs[0].shape[0], self.output[0], self.output[1]], x)
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::GlobalAveragePool;
    use crate::{
        graph::Graph,
        ops::cases::{Case, image_shape, single},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("GlobalAveragePool", &["GlobalAveragePool", "ReduceMean"], pool)];

    fn pool(rng: &mut Rng) -> Graph {
        single(&image_shape(rng), GlobalAveragePool)
    }
}
