//! Convolutions of every kind but depthwise, transposed ones and fully connected layers: one kernel that keeps its
//! tiles in registers, and one whose workgroups share what they load.

use super::{
    EPILOGUE, EpilogueParams, GRID, GatherAxis, GridParams, MASKED_INPUT,
    epilogue::kinds,
    flops,
    tiling::{Shape, Tiling},
};
use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::{Kernel, Launch, Recording, Value, Variant, View, as_u32},
};

/// The kernel that keeps all in registers.
pub static CONVOLVE: Kernel = Kernel {
    name: "convolve",
    source: include_str!("convolve.wgsl"),
    snippets: &[GRID, PARAMS, EPILOGUE, MASKED_INPUT, PROLOGUE],
};

/// The kernel whose workgroups share what they load.
pub static CONVOLVE_SHARED: Kernel = Kernel {
    name: "convolve_shared",
    source: include_str!("convolve_shared.wgsl"),
    snippets: &[GRID, PARAMS, EPILOGUE],
};

/// How many functions a convolution's parameters have room for, in its prologue and its epilogue together.
pub const MOST_STEPS: usize = 21;

/// The parameters of both kernels.
const PARAMS: (&str, &str) = ("convolution", include_str!("convolution.wgsl"));

/// The chain that changes a masked picture as it is read.
const PROLOGUE: (&str, &str) = ("prologue", include_str!("prologue.wgsl"));

/// A convolution: for each phase, a regular grid of windows over the input.
pub struct Convolution<'a> {
    /// Rows and columns, one pair per phase.
    pub phases: Vec<[GatherAxis; 2]>,
    /// Channels read, in all groups.
    pub inputs: usize,
    /// Channels made, in all groups.
    pub outputs: usize,
    /// Channels are split into so many groups.
    pub groups: usize,
    /// The weight of output channel, input channel within its group, tap row and tap column.
    pub weight: &'a dyn Fn(usize, usize, usize, usize) -> f32,
    /// One value per output channel.
    pub bias: Option<&'a [f32]>,
    /// The chain that changes each input before; only where it is a picture under masks.
    pub prologue: &'a [Step],
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct Params {
    input: u32,
    output: u32,
    zeros: u32,
    weights: u32,
    bias: u32,
    starts: u32,
    in_blocks: u32,
    out_blocks: u32,
    depth: u32,
    pixels: u32,
    first_tile: u32,
    tiles: u32,
    fill: u32,
    masks: u32,
    masks_stride: u32,
    masks_shared: u32,
    epilogue: EpilogueParams,
    grid: GridParams,
}

/// Records a convolution.
pub fn convolve(at: &mut Recording<'_>, work: &Convolution<'_>, epilogue: &Epilogue) -> Result<()> {
    let extra = epilogue.params(at, 1)?;
    for (number, axes) in work.phases.iter().enumerate() {
        let shape = Shape {
            images: at.output.rows,
            plane: axes[0].grid * axes[1].grid,
            depth: (work.inputs / work.groups).div_ceil(4),
            channels: work.outputs,
            masked: at.inputs[0].mask.is_some(),
        };
        if shape.pixels() == 0 {
            continue;
        }
        let packing = Packing::new(work, axes, Tiling::choose(&shape, at.profile.tile_memory));
        // Weights that do not fit one binding are taken in runs of tiles.
        let at_once = (at.constants.page_size() / (packing.vectors_a_tile() + 64)).clamp(1, packing.tiles);
        for (run, first) in (0..packing.tiles).step_by(at_once).enumerate() {
            let tiles = at_once.min(packing.tiles - first);
            // A batch that is tiled otherwise has constants of its own.
            let part = (number << 12 | run) << 8 | packing.tiling.blocks << 1;
            let part = part | usize::from(packing.tiling.along_channels);
            record_tiles(at, work, axes, &packing, first..first + tiles, part, (epilogue, extra))?;
        }
    }
    Ok(())
}

fn record_tiles(
    at: &mut Recording<'_>,
    work: &Convolution<'_>,
    axes: &[GatherAxis; 2],
    packing: &Packing,
    tiles: std::ops::Range<usize>,
    part: usize,
    (epilogue, extra): (&Epilogue, EpilogueParams),
) -> Result<()> {
    let prologue = Epilogue { steps: work.prologue.to_vec(), ..Epilogue::default() };
    let (slot, places) = at.constants(part, |block| {
        let mut places = vec![
            block.push(&packing.weights(work, axes, tiles.clone())),
            block.push(&packing.bias(work, tiles.clone())),
            block.push(&packing.starts(tiles.clone())),
        ];
        places.extend(epilogue.constants(block, work.outputs));
        places.extend(prologue.constants(block, work.inputs));
        places
    })?;
    let (input, tiling) = (at.inputs[0].clone(), packing.tiling);
    let pixels = at.output.rows * axes[0].grid * axes[1].grid;
    let params = Params {
        input: input.offset,
        output: at.output.offset,
        zeros: at.zeros,
        weights: places[0],
        bias: places[1],
        starts: places[2],
        in_blocks: as_u32(input.blocks()),
        out_blocks: as_u32(at.output.blocks()),
        depth: as_u32(packing.depth),
        pixels: as_u32(pixels),
        first_tile: as_u32(tiles.start),
        tiles: as_u32(tiles.len()),
        fill: input.mask.map_or(0, |m| m.fill),
        masks: input.mask.map_or(0, |m| m.masks),
        masks_stride: input.mask.map_or(0, |m| m.stride),
        masks_shared: input.mask.map_or(0, |m| m.shared),
        epilogue: extra,
        grid: GridParams::new(axes),
    };
    let mut variant = variant(packing, axes, &input, &at.output);
    variant.extend(epilogue.variant(&extra));
    variant
        .extend([("PROLOGUE", work.prologue.len().into()), ("PROLOGUE_KINDS", kinds(work.prologue).into())]);
    // The prologue's parameters take the place of the last one of the epilogue's, which is only padding.
    let mut tail = epilogue.tail(&places[3..]);
    tail.truncate(epilogue.steps.len());
    tail.extend(prologue.tail(&places[3 + epilogue.tables()..]));
    let groups = tiling.groups(pixels, tiles.len());
    let taps = axes[0].taps.len() * axes[1].taps.len();
    let work = flops(&[2, pixels, taps, packing.depth * 4, tiles.len(), tiling.channels()]);
    let kernel = if tiling.shared.is_some() { &CONVOLVE_SHARED } else { &CONVOLVE };
    at.dispatch(kernel, variant, &params, &tail, Launch { groups, page: slot.page, flops: work })
}

fn variant(packing: &Packing, axes: &[GatherAxis; 2], input: &View, output: &View) -> Variant {
    let tiling = packing.tiling;
    let pointwise = axes.iter().all(GatherAxis::is_pointwise) && input.mask.is_none();
    let mut variant = tiling.variant();
    variant.extend([
        ("POINTWISE", pointwise.into()),
        ("WHOLE", axes.iter().all(GatherAxis::is_whole).into()),
        ("GROUPED", packing.grouped.into()),
        ("ENCODING", Value::Int(input.mask.map_or(0, |m| m.encoding as i64))),
        ("RAGGED", (!output.blocks().is_multiple_of(tiling.blocks)).into()),
    ]);
    variant
}

/// The layout of the weights: for each tile, each tap and each block of input channels, for each block of the tile four
/// vec4s, one per input channel, whose lanes are the block's output channels.
struct Packing {
    tiling: Tiling,
    tiles: usize,
    /// Input blocks that a tile reads.
    depth: usize,
    taps: usize,
    grouped: bool,
    /// The first input block of each tile.
    first: Vec<usize>,
}

impl Packing {
    fn new(work: &Convolution<'_>, axes: &[GatherAxis; 2], tiling: Tiling) -> Self {
        let tiles = work.outputs.div_ceil(tiling.channels());
        let (inputs, outputs) = (work.inputs / work.groups, work.outputs / work.groups);
        let blocks = work.inputs.div_ceil(4);
        // A tile that spans several groups reads the inputs of all, and has zeros where they do not meet.
        let span = |tile: usize| {
            let low = tile * tiling.channels() / outputs;
            let high = ((tile + 1) * tiling.channels()).min(work.outputs).div_ceil(outputs);
            (low * inputs / 4, (high * inputs).div_ceil(4))
        };
        let depth = (0..tiles).map(|t| span(t).1 - span(t).0).max().unwrap_or(0);
        let first = (0..tiles).map(|t| span(t).0.min(blocks - depth)).collect();
        Self {
            tiling,
            tiles,
            depth,
            taps: axes[0].taps.len() * axes[1].taps.len(),
            grouped: work.groups > 1,
            first,
        }
    }

    fn vectors_a_tile(&self) -> usize {
        self.taps * self.depth * self.tiling.channels()
    }

    fn weights(
        &self,
        work: &Convolution<'_>,
        axes: &[GatherAxis; 2],
        tiles: std::ops::Range<usize>,
    ) -> Vec<f32> {
        let (inputs, outputs) = (work.inputs / work.groups, work.outputs / work.groups);
        let mut packed = Vec::with_capacity(tiles.len() * self.vectors_a_tile() * 4);
        for tile in tiles {
            let taps = axes[0].taps.iter().flat_map(|&y| axes[1].taps.iter().map(move |&x| (y, x)));
            for (y, x) in taps {
                for block in self.first[tile]..self.first[tile] + self.depth {
                    for place in 0..self.tiling.blocks * 16 {
                        let (q, i, lane) = (place / 16, place / 4 % 4, place % 4);
                        let output = (tile * self.tiling.blocks + q) * 4 + lane;
                        let input =
                            (block * 4 + i).checked_sub(output / outputs * inputs).filter(|i| *i < inputs);
                        let real = input.filter(|_| output < work.outputs);
                        packed.push(real.map_or(0.0, |input| (work.weight)(output, input, y, x)));
                    }
                }
            }
        }
        packed
    }

    fn bias(&self, work: &Convolution<'_>, tiles: std::ops::Range<usize>) -> Vec<f32> {
        let channels = tiles.start * self.tiling.channels()..tiles.end * self.tiling.channels();
        channels.map(|o| work.bias.and_then(|b| b.get(o)).copied().unwrap_or(0.0)).collect()
    }

    fn starts(&self, tiles: std::ops::Range<usize>) -> Vec<f32> {
        if !self.grouped {
            return vec![];
        }
        tiles.flat_map(|t| [self.first[t] as f32, 0.0, 0.0, 0.0]).collect()
    }
}
