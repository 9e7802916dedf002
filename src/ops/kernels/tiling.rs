//! How a convolution is cut into workgroups and threads, for each kind of adapter.

use super::MANY;
use crate::gpu::{MOST_GROUPS, TileMemory, Variant};

/// The extents that decide how a convolution is tiled.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many images.
    pub images: usize,
    /// Pixels that are made of each.
    pub plane: usize,
    /// Input blocks of four channels that a pixel reads, at each tap.
    pub depth: usize,
    /// Channels that are made.
    pub channels: usize,
    /// True if the input is a picture under masks.
    pub masked: bool,
}

impl Shape {
    /// Pixels in all.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.images * self.plane
    }
}

/// How work is cut into threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiling {
    /// Pixels that a thread makes.
    pub pixels: usize,
    /// Blocks of four channels that a tile has.
    pub blocks: usize,
    /// True if neighbouring threads, or groups of threads, make neighbouring channels.
    pub along_channels: bool,
    tiles_first: bool,
    lanes: usize,
    /// How a workgroup shares what it loads, where it does.
    pub shared: Option<Shared>,
}

/// How a workgroup shares what it loads. Threads make one block of channels each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// Threads along the channels.
    across: usize,
    /// Threads along the pixels.
    down: usize,
    /// Input blocks that a thread multiplies between two loads.
    depth: usize,
    /// Threads that share one sum.
    split: usize,
}

/// Pixels of a thread in workgroups that share.
const PIXELS: usize = 4;
/// Sums of so many input blocks are split where a plane has no more than so many pixels.
const LONG_SUMS: (usize, usize) = (40, 256);
/// Planes of so few pixels have sums split most.
const FEW: usize = 16;

/// Tiles of so many pixels by so many blocks that software adapters are given, and what an output costs in them.
/// Measured on SwiftShader and on lavapipe, which agree: wider tiles load less for each product, and loads are what
/// takes the time. The last one takes seconds to compile, and is for batches of many images.
const WIDE: [(usize, usize, usize); 4] = [(4, 2, 100), (8, 2, 87), (8, 4, 74), (16, 4, 52)];
/// Threads that a software adapter runs in step, at most.
const IN_STEP: usize = 8;

impl Tiling {
    /// 4 x 8 outputs per thread fit the registers of GPUs; software adapters have caches in their stead, and take
    /// what costs least for the shape. Where there are few pixels, threads side by side make channels.
    #[must_use]
    pub fn choose(shape: &Shape, tiles: TileMemory) -> Self {
        if let Some(shared) = Shared::choose(shape).filter(|_| tiles == TileMemory::Shared) {
            return Self::sharing(shape, shared);
        }
        let pixels = shape.pixels();
        let along_channels = pixels <= 16;
        let per_thread = if pixels == 1 { 1 } else { 4 };
        let (pixels_a_thread, blocks) = match (along_channels, tiles) {
            (false, TileMemory::Cached) => cheapest(shape),
            _ => (per_thread, 2),
        };
        let threads = pixels.div_ceil(pixels_a_thread);
        let lanes = if along_channels { 32 } else { threads.next_power_of_two().clamp(8, 64) };
        let tiles_first = threads.div_ceil(lanes) <= MOST_GROUPS;
        Self { pixels: pixels_a_thread, blocks, lanes, along_channels, tiles_first, shared: None }
    }

    fn sharing(shape: &Shape, shared: Shared) -> Self {
        let groups = shape.pixels().div_ceil(shared.down * PIXELS);
        Self {
            pixels: PIXELS,
            blocks: shared.across,
            lanes: shared.threads(),
            along_channels: false,
            tiles_first: groups <= MOST_GROUPS,
            shared: Some(shared),
        }
    }

    /// How many channels a tile has.
    #[must_use]
    pub fn channels(self) -> usize {
        4 * self.blocks
    }

    /// Workgroups for so many pixels and tiles of channels.
    #[must_use]
    pub fn groups(self, pixels: usize, tiles: usize) -> [usize; 3] {
        let threads = pixels.div_ceil(self.pixels);
        if self.along_channels {
            return [tiles.div_ceil(self.lanes), threads, 1];
        }
        let groups = threads.div_ceil(self.shared.map_or(self.lanes, |s| s.down));
        if self.tiles_first { [tiles, groups, 1] } else { [groups, tiles, 1] }
    }

    /// The constants of its kernel.
    #[must_use]
    pub fn variant(self) -> Variant {
        let mut variant: Variant =
            vec![("PIXELS", self.pixels.into()), ("TILES_FIRST", self.tiles_first.into())];
        variant.extend(match self.shared {
            Some(shared) => shared.variant(self),
            None => vec![
                ("BLOCKS", self.blocks.into()),
                ("LANES", self.lanes.into()),
                ("ALONG_CHANNELS", self.along_channels.into()),
            ],
        });
        variant
    }
}

impl Shared {
    /// Nothing where there is too little to share: a picture's few channels, or masks. How a sum is split must not
    /// depend on how many images there are, so that a batch gives what each of its images gives alone.
    ///
    /// The tilings were chosen among 20 on an H100, on every layer of EfficientNet-Lite0 forward and backward, at 1, 16 and
    /// 64 images; `cargo run --release --example gpu -- --kernels` prints what each layer takes.
    fn choose(shape: &Shape) -> Option<Self> {
        if shape.masked || shape.depth < 3 {
            return None;
        }
        let (long, small) = LONG_SUMS;
        Some(if shape.plane <= FEW {
            Self { across: 4, down: 4, depth: 2, split: 8 }
        } else if shape.plane <= small && shape.depth >= long {
            Self { across: 8, down: 8, depth: 2, split: 4 }
        } else {
            Self { across: if shape.channels <= 16 { 4 } else { 8 }, down: 16, depth: 4, split: 1 }
        })
    }

    fn threads(self) -> usize {
        self.across * self.down * self.split
    }

    fn variant(self, tiling: Tiling) -> Variant {
        let (threads, depth) = (self.threads(), self.depth * self.split);
        let (pixels, weights) = (self.down * tiling.pixels, 4 * self.across);
        // One vec4 more, so that neighbouring blocks do not lie in the same bank.
        let pitch = pixels + 1;
        let memory = (depth * (pitch + weights)).max(if self.split > 1 { threads } else { 0 });
        vec![
            ("TX", self.across.into()),
            ("TY", self.down.into()),
            ("DEPTH", self.depth.into()),
            ("SPLIT", self.split.into()),
            ("X_LOADS", (depth * pixels).div_ceil(threads).into()),
            ("W_LOADS", (depth * weights).div_ceil(threads).into()),
            ("X_TOTAL", (depth * pixels).into()),
            ("W_TOTAL", (depth * weights).into()),
            ("X_PITCH", pitch.into()),
            ("MEMORY", memory.into()),
        ]
    }
}

/// The wide tile that wastes least at the edges. Its blocks follow from the channels and from whether there are many
/// images, not from how many, so that few batches need weights of their own.
fn cheapest(shape: &Shape) -> (usize, usize) {
    // A masked picture is loaded in so many steps that its tiles hardly matter.
    let wide = if shape.images >= MANY && !shape.masked { &WIDE[..] } else { &WIDE[..3] };
    let made = |blocks: usize| shape.channels.div_ceil(4 * blocks) * blocks;
    let threads = |per_thread: usize| shape.pixels().div_ceil(per_thread).next_multiple_of(IN_STEP);
    let best = |blocks: usize| {
        let tiles = wide.iter().filter(move |(_, b, _)| *b == blocks);
        tiles.map(|(_, _, cost)| made(blocks) * cost).min().unwrap_or(usize::MAX)
    };
    let blocks = if best(4) <= best(2) { 4 } else { 2 };
    let fitting = wide.iter().filter(|(_, b, _)| *b == blocks);
    fitting.min_by_key(|(p, _, cost)| threads(*p) * p * cost).map_or((4, 2), |(p, b, _)| (*p, *b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> impl Iterator<Item = Shape> {
        let planes = [1, 16, 17, 49, 256, 257, 12_544, 1 << 20];
        let depths = [1, 2, 3, 16, 39, 40, 320];
        planes.into_iter().flat_map(move |plane| {
            depths.into_iter().flat_map(move |depth| {
                [1, 8, 16, 24, 1000].map(|channels| Shape {
                    images: 1,
                    plane,
                    depth,
                    channels,
                    masked: false,
                })
            })
        })
    }

    /// Every adapter has 256 threads per workgroup, and 16 KiB of memory for them.
    #[test]
    fn workgroups_are_within_limits() {
        let mut seen = std::collections::HashSet::new();
        for shape in shapes() {
            let tiling = Tiling::choose(&shape, TileMemory::Shared);
            let variant = tiling.variant();
            if let Some(memory) = variant.iter().find(|(name, _)| *name == "MEMORY") {
                let crate::gpu::Value::Int(vectors) = memory.1 else { panic!("{memory:?}") };
                assert!(vectors * 16 <= 16 << 10, "{shape:?}: {vectors} vectors");
                seen.insert(tiling.shared.unwrap());
            }
            assert!(tiling.lanes <= 256, "{shape:?}: {tiling:?}");
        }
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn how_sums_are_split_does_not_depend_on_the_batch() {
        for shape in shapes() {
            let split = |images| Shared::choose(&Shape { images, ..shape });
            assert_eq!(split(1), split(17), "{shape:?}");
        }
    }

    #[test]
    fn everything_is_made_once() {
        for (shape, tiles) in shapes().flat_map(|s| TileMemory::ALL.map(|t| (s, t))) {
            let tiling = Tiling::choose(&shape, tiles);
            let tiles = shape.channels.div_ceil(tiling.channels());
            let groups = tiling.groups(shape.pixels(), tiles);
            let made = |groups: usize, each: usize, all: usize| {
                assert!(
                    groups * each >= all && (groups - 1) * each < all,
                    "{shape:?}: {tiling:?} {groups:?}"
                );
            };
            let down = tiling.shared.map_or(tiling.lanes, |s| s.down) * tiling.pixels;
            if tiling.along_channels {
                made(groups[0], tiling.lanes, tiles);
                made(groups[1], tiling.pixels, shape.pixels());
            } else {
                let [t, p] = if tiling.tiles_first { [groups[0], groups[1]] } else { [groups[1], groups[0]] };
                made(t, 1, tiles);
                made(p, down, shape.pixels());
            }
        }
    }
}
