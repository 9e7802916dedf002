//! Convolutions of each channel on its own, transposed ones too.

use super::{EPILOGUE, EpilogueParams, GRID, GatherAxis, GridParams, LANES, MANY, THREAD, flops, linear};
use crate::{
    chain::Epilogue,
    error::Result,
    gpu::{Kernel, Launch, Recording, TileMemory, as_u32},
};

/// The kernel.
pub static DEPTHWISE: Kernel =
    Kernel { name: "depthwise", source: include_str!("depthwise.wgsl"), snippets: &[GRID, EPILOGUE, THREAD] };

/// The most inputs of a row that a thread keeps in registers.
const LONGEST_SPAN: usize = 24;

/// A depthwise convolution: for each phase, a regular grid of windows over each channel.
pub struct Depthwise<'a> {
    /// Rows and columns, one pair per phase.
    pub phases: Vec<[GatherAxis; 2]>,
    /// How many channels.
    pub channels: usize,
    /// The weight of channel, tap row and tap column.
    pub weight: &'a dyn Fn(usize, usize, usize) -> f32,
    /// One value per channel.
    pub bias: Option<&'a [f32]>,
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct Params {
    input: u32,
    output: u32,
    zeros: u32,
    weights: u32,
    bias: u32,
    out_blocks: u32,
    strips: u32,
    threads: u32,
    epilogue: EpilogueParams,
    grid: GridParams,
}

/// The outputs of one thread, and the inputs that they need.
#[derive(Clone, Copy, Debug)]
struct Tile {
    /// Neighbouring outputs of a line.
    pixels: usize,
    /// Lines.
    lines: usize,
    /// Inputs of a row that they reach.
    span: usize,
}

impl Tile {
    /// Nothing when the inputs are too many for registers (wide windows, wide dilations).
    fn new(pixels: usize, lines: usize, [rows, columns]: &[GatherAxis; 2]) -> Option<Self> {
        let reach = columns.taps.len().saturating_sub(1) * columns.dilation + 1;
        let span = (pixels - 1) * columns.stride + reach;
        let walks = lines == 1 || rows.dilation == 1 && !rows.taps.is_empty();
        (span <= LONGEST_SPAN && walks).then_some(Self { pixels, lines, span })
    }

    fn narrow(axes: &[GatherAxis; 2]) -> Option<Self> {
        [4, 2, 1].into_iter().find_map(|pixels| Self::new(pixels, 1, axes))
    }

    /// For many images on a software adapter, whose time goes into loads: the tile that loads least.
    fn choose(axes: &[GatherAxis; 2], images: usize, tiles: TileMemory) -> Option<Self> {
        let narrow = Self::narrow(axes);
        if tiles != TileMemory::Cached || images < MANY {
            return narrow;
        }
        let wide = [(7, 2), (7, 1), (4, 2)].into_iter().filter_map(|(p, l)| Self::new(p, l, axes));
        wide.chain(narrow).min_by_key(|tile| tile.loads(axes))
    }

    fn loads(self, [rows, columns]: &[GatherAxis; 2]) -> usize {
        let threads = rows.grid.div_ceil(self.lines) * columns.grid.div_ceil(self.pixels);
        threads * (rows.taps.len() + self.history(rows)) * (self.span + columns.taps.len())
    }

    /// Rows of weights between the first line's and the last one's.
    fn history(self, rows: &GatherAxis) -> usize {
        (self.lines - 1) * rows.stride
    }
}

/// True if this kernel can do it; the general one can do everything.
#[must_use]
pub fn fits(phases: &[[GatherAxis; 2]]) -> bool {
    phases.iter().all(|axes| Tile::narrow(axes).is_some())
}

/// Records a depthwise convolution; see [`fits`].
pub fn depthwise(at: &mut Recording<'_>, work: &Depthwise<'_>, epilogue: &Epilogue) -> Result<()> {
    let extra = epilogue.params(at, 1)?;
    let blocks = at.output.blocks();
    let width = 4 * blocks;
    for (part, axes) in work.phases.iter().enumerate() {
        let Some(tile) = Tile::choose(axes, at.output.rows, at.profile.tile_memory) else { continue };
        let software = at.profile.tile_memory == TileMemory::Cached;
        let (slot, places) = at.constants(part, |block| {
            let taps = axes[0].taps.iter().flat_map(|&y| axes[1].taps.iter().map(move |&x| (y, x)));
            let weight = |c: usize, y, x| if c < work.channels { (work.weight)(c, y, x) } else { 0.0 };
            let mut weights: Vec<f32> =
                taps.flat_map(|(y, x)| (0..width).map(move |c| weight(c, y, x))).collect();
            // Tiles of two lines go on to where only the second has weights.
            let beyond = if software { axes[0].stride } else { 0 };
            weights.resize(weights.len() + beyond * axes[1].taps.len() * width, 0.0);
            let bias: Vec<f32> =
                (0..width).map(|c| work.bias.and_then(|b| b.get(c)).copied().unwrap_or(0.0)).collect();
            let mut places = vec![block.push(&weights), block.push(&bias)];
            places.extend(epilogue.constants(block, work.channels));
            places
        })?;
        let strips = axes[1].grid.div_ceil(tile.pixels);
        let threads = at.output.rows * axes[0].grid.div_ceil(tile.lines) * strips * blocks;
        let params = Params {
            input: at.inputs[0].offset,
            output: at.output.offset,
            zeros: at.zeros,
            weights: places[0],
            bias: places[1],
            out_blocks: as_u32(blocks),
            strips: as_u32(strips),
            threads: as_u32(threads),
            epilogue: extra,
            grid: GridParams::new(axes),
        };
        let mut variant = vec![
            ("LANES", LANES.into()),
            ("PIXELS", tile.pixels.into()),
            ("LINES", tile.lines.into()),
            ("STEP", axes[0].stride.into()),
            ("HISTORY", tile.history(&axes[0]).into()),
            ("TAPS", axes[1].taps.len().into()),
            ("STRIDE", axes[1].stride.into()),
            ("DILATION", axes[1].dilation.into()),
            ("SPAN", tile.span.into()),
            ("WHOLE", axes.iter().all(GatherAxis::is_whole).into()),
        ];
        variant.extend(epilogue.variant(&extra));
        let taps = axes[0].taps.len() * axes[1].taps.len();
        // A load weighs as much as several sums here.
        let work = flops(&[4 * 2 * 4, threads, tile.pixels, tile.lines, taps.max(1)]);
        let launch = Launch { groups: linear(threads), page: slot.page, flops: work };
        at.dispatch(&DEPTHWISE, variant, &params, &epilogue.tail(&places[2..]), launch)?;
    }
    Ok(())
}
