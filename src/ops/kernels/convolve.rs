//! Convolutions of every kind but depthwise, transposed ones and fully connected layers: one kernel.

use super::{Axis, Epilogue, EpilogueParams, GridParams, MANY, SEEN, SNIPPET, epilogue::kinds, word};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, MOST_GROUPS, Recording, Traits, Value, Variant, View},
    ops::pointwise::Step,
};

/// The kernel.
pub static CONVOLVE: Kernel =
    Kernel { name: "convolve", source: include_str!("convolve.wgsl"), snippets: &[SNIPPET, SEEN, ENTRY] };

/// How many functions a convolution's parameters have room for, at its entry and its end together.
pub const MOST_STEPS: usize = 21;

/// What is done to a masked picture where it is read.
const ENTRY: (&str, &str) = ("entry", include_str!("entry.wgsl"));

/// What is computed: for each phase, a regular grid of windows over the input.
pub struct Convolution<'a> {
    /// Rows and columns, one pair a phase.
    pub phases: Vec<[Axis; 2]>,
    /// Channels read, in all groups.
    pub inputs: usize,
    /// Channels made, in all groups.
    pub outputs: usize,
    /// Channels are split into so many groups.
    pub groups: usize,
    /// The weight of output channel, input channel within its group, tap row and tap column.
    pub weight: &'a dyn Fn(usize, usize, usize, usize) -> f32,
    /// One value an output channel.
    pub bias: Option<&'a [f32]>,
    /// What is done to each input before; only where it is a picture under masks.
    pub entry: &'a [Step],
}

/// How work is cut into threads.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    pixels: usize,
    blocks: usize,
    lanes: usize,
    along_channels: bool,
    tiles_first: bool,
}

/// Tiles of so many pixels by so many blocks that software adapters are given, and what an output costs in them.
/// Measured on SwiftShader and on lavapipe, which agree: wider tiles load less for each product, and loads are what
/// takes the time. The last one takes seconds to compile, and is for batches of many images.
const WIDE: [(usize, usize, usize); 4] = [(4, 2, 100), (8, 2, 87), (8, 4, 74), (16, 4, 52)];
/// Threads that a software adapter runs in step, at most.
const IN_STEP: usize = 8;

impl Tiling {
    /// 4 x 8 outputs a thread fit the registers of GPUs; software adapters have caches in their stead, and take
    /// what costs least for the shape. Where there are few pixels, threads side by side make channels.
    fn choose(pixels: usize, channels: usize, many: bool, traits: Traits) -> Self {
        let along_channels = pixels <= 16;
        let per_thread = if pixels == 1 { 1 } else { 4 };
        let (pixels_a_thread, blocks) = match (along_channels, traits.software) {
            (false, true) => cheapest(pixels, channels, many),
            _ => (per_thread, 2),
        };
        let threads = pixels.div_ceil(pixels_a_thread);
        let lanes = if along_channels { 32 } else { threads.next_power_of_two().clamp(8, 64) };
        let tiles_first = threads.div_ceil(lanes) <= MOST_GROUPS;
        Self { pixels: pixels_a_thread, blocks, lanes, along_channels, tiles_first }
    }

    /// How many channels a tile has.
    fn channels(self) -> usize {
        4 * self.blocks
    }
}

/// The wide tile that wastes least at the edges. Its blocks follow from the channels and from whether there are many
/// images, not from how many, so that few batches need weights of their own.
fn cheapest(pixels: usize, channels: usize, many: bool) -> (usize, usize) {
    let wide = if many { &WIDE[..] } else { &WIDE[..3] };
    let made = |blocks: usize| channels.div_ceil(4 * blocks) * blocks;
    let threads = |per_thread: usize| pixels.div_ceil(per_thread).next_multiple_of(IN_STEP);
    let best = |blocks: usize| {
        let tiles = wide.iter().filter(move |(_, b, _)| *b == blocks);
        tiles.map(|(_, _, cost)| made(blocks) * cost).min().unwrap_or(usize::MAX)
    };
    let blocks = if best(4) <= best(2) { 4 } else { 2 };
    let fitting = wide.iter().filter(|(_, b, _)| *b == blocks);
    fitting.min_by_key(|(p, _, cost)| threads(*p) * p * cost).map_or((4, 2), |(p, b, _)| (*p, *b))
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
    // A masked picture is loaded in so many steps that its tiles hardly matter.
    let many = at.output.rows >= MANY && at.inputs[0].mask.is_none();
    for (number, axes) in work.phases.iter().enumerate() {
        let pixels = at.output.rows * axes[0].grid * axes[1].grid;
        if pixels == 0 {
            continue;
        }
        let packing = Packing::new(work, axes, Tiling::choose(pixels, work.outputs, many, at.traits));
        // Weights that do not fit one binding are taken in runs of tiles.
        let at_once = (at.constants.page_size() / (packing.vectors_a_tile() + 64)).clamp(1, packing.tiles);
        for (run, first) in (0..packing.tiles).step_by(at_once).enumerate() {
            let tiles = at_once.min(packing.tiles - first);
            // A batch that is tiled otherwise has constants of its own.
            let part = (number << 12 | run) << 4 | packing.tiling.blocks << 1;
            let part = part | usize::from(packing.tiling.along_channels);
            record_tiles(at, work, axes, &packing, first..first + tiles, part, (epilogue, extra))?;
        }
    }
    Ok(())
}

fn record_tiles(
    at: &mut Recording<'_>,
    work: &Convolution<'_>,
    axes: &[Axis; 2],
    packing: &Packing,
    tiles: std::ops::Range<usize>,
    part: usize,
    (epilogue, extra): (&Epilogue, EpilogueParams),
) -> Result<()> {
    let entry = Epilogue { steps: work.entry.to_vec(), ..Epilogue::default() };
    let (slot, places) = at.constants(part, |block| {
        let mut places = vec![
            block.push(&packing.weights(work, axes, tiles.clone())),
            block.push(&packing.bias(work, tiles.clone())),
            block.push(&packing.starts(tiles.clone())),
        ];
        places.extend(epilogue.constants(block, work.outputs));
        places.extend(entry.constants(block, work.inputs));
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
        in_blocks: word(input.blocks()),
        out_blocks: word(at.output.blocks()),
        depth: word(packing.depth),
        pixels: word(pixels),
        first_tile: word(tiles.start),
        tiles: word(tiles.len()),
        fill: input.mask.map_or(0, |m| m.fill),
        masks: input.mask.map_or(0, |m| m.masks),
        masks_stride: input.mask.map_or(0, |m| m.stride),
        masks_shared: input.mask.map_or(0, |m| m.shared),
        epilogue: extra,
        grid: GridParams::new(axes),
    };
    let mut variant = variant(packing, axes, &input, &at.output);
    variant.extend(epilogue.variant(&extra));
    variant.extend([("ENTRY", work.entry.len().into()), ("ENTRY_KINDS", kinds(work.entry).into())]);
    // The entry's parameters take the place of the epilogue's end.
    let mut tail = epilogue.tail(&places[3..]);
    tail.truncate(epilogue.steps.len());
    tail.extend(entry.tail(&places[3 + epilogue.tables()..]));
    let (threads, others) = (pixels.div_ceil(tiling.pixels), tiles.len());
    let groups = if tiling.along_channels {
        [others.div_ceil(tiling.lanes), threads, 1]
    } else if tiling.tiles_first {
        [others, threads.div_ceil(tiling.lanes), 1]
    } else {
        [threads.div_ceil(tiling.lanes), others, 1]
    };
    let taps = axes[0].taps.len() * axes[1].taps.len();
    let flops = 2 * pixels * taps * packing.depth * 4 * tiles.len() * tiling.channels();
    at.dispatch(&CONVOLVE, variant, &params, &tail, Launch { groups, page: slot.page, flops })
}

fn variant(packing: &Packing, axes: &[Axis; 2], input: &View, output: &View) -> Variant {
    let tiling = packing.tiling;
    let pointwise = axes.iter().all(Axis::is_pointwise) && input.mask.is_none();
    vec![
        ("PIXELS", tiling.pixels.into()),
        ("BLOCKS", tiling.blocks.into()),
        ("LANES", tiling.lanes.into()),
        ("ALONG_CHANNELS", tiling.along_channels.into()),
        ("TILES_FIRST", tiling.tiles_first.into()),
        ("POINTWISE", pointwise.into()),
        ("WHOLE", axes.iter().all(Axis::is_whole).into()),
        ("GROUPED", packing.grouped.into()),
        ("FORM", Value::Int(input.mask.map_or(0, |m| m.form as i64))),
        ("RAGGED", (!output.blocks().is_multiple_of(tiling.blocks)).into()),
    ]
}

/// How weights lie: for each tile, each tap and each block of input channels, for each block of the tile four
/// vec4s, one an input channel, whose lanes are the block's output channels.
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
    fn new(work: &Convolution<'_>, axes: &[Axis; 2], tiling: Tiling) -> Self {
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

    fn weights(&self, work: &Convolution<'_>, axes: &[Axis; 2], tiles: std::ops::Range<usize>) -> Vec<f32> {
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

    #[allow(clippy::cast_precision_loss)]
    fn starts(&self, tiles: std::ops::Range<usize>) -> Vec<f32> {
        if !self.grouped {
            return vec![];
        }
        tiles.flat_map(|t| [self.first[t] as f32, 0.0, 0.0, 0.0]).collect()
    }
}
