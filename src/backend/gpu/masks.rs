//! Masks as the kernels read them; `ops/kernels/masked_input.wgsl` says how each encoding lies in memory.

use std::ops::Range;

use super::plan::MaskSize;
use crate::{
    backend::{BitRows, Grids, Masked, Masks},
    gpu::{MaskEncoding, as_u32, pack},
    tensor::Tensor,
};

/// A picture under masks: all that is the same for every mask of a run.
pub struct Packed {
    encoding: MaskEncoding,
    /// The size of a mask.
    pub size: MaskSize,
    /// The picture, channels last.
    pub image: Vec<u32>,
    /// The fill that hides it.
    pub fill: Vec<u32>,
    /// The part that all masks share.
    pub shared: Vec<u32>,
    /// The image and the fill that were packed: comparing with them costs a tenth of packing anew.
    source: [Tensor; 2],
}

/// The encoding of masks.
#[must_use]
pub fn encoding(masks: &Masks) -> MaskEncoding {
    match masks {
        Masks::Rectangles(_) => MaskEncoding::Rectangles,
        Masks::Segments(..) => MaskEncoding::Segments,
        Masks::Grids(_) => MaskEncoding::Grids,
        Masks::Elements(_) => MaskEncoding::Elements,
    }
}

impl Packed {
    /// Packs a picture. [`Masked::check`] must have passed.
    #[must_use]
    pub fn new(m: &Masked<'_>) -> Self {
        let (channels, plane) = extent(m.image);
        let floats = |data| bytemuck::cast_vec(pack(data, channels, plane));
        let shared = shared(m.masks);
        let own = match m.masks {
            Masks::Rectangles(_) => 1,
            Masks::Segments(_, rows) => rows.bits().div_ceil(128),
            Masks::Grids(g) => 1 + g.cells[0] * g.cells[1],
            Masks::Elements(_) => (channels.div_ceil(4) * plane.div_ceil(8)).div_ceil(4),
        };
        Self {
            encoding: encoding(m.masks),
            size: MaskSize { shared: shared.len() / 4, own },
            image: floats(m.image.data()),
            fill: floats(m.fill.data()),
            shared,
            source: [m.image.clone(), m.fill.clone()],
        }
    }

    /// Whether packing this picture would make the same, to the bit.
    #[must_use]
    pub fn holds(&self, m: &Masked<'_>) -> bool {
        let same = |a: &Tensor, b: &Tensor| {
            let bits = bytemuck::cast_slice::<f32, u32>;
            a.shape() == b.shape() && bits(a.data()) == bits(b.data())
        };
        let [image, fill] = &self.source;
        self.encoding == encoding(m.masks)
            && self.shared == shared(m.masks)
            && same(image, m.image)
            && same(fill, m.fill)
    }
}

/// Channels, and pixels of a channel.
fn extent(image: &Tensor) -> (usize, usize) {
    (image.shape().first().copied().unwrap_or(1), image.shape().iter().skip(1).product())
}

/// The part that all masks share, in whole vec4s.
fn shared(masks: &Masks) -> Vec<u32> {
    let mut shared = match masks {
        Masks::Rectangles(_) | Masks::Elements(_) => vec![],
        Masks::Segments(map, _) => map.labels().to_vec(),
        Masks::Grids(g) => {
            vec![as_u32(g.cells[0]), as_u32(g.cells[1]), as_u32(2 * g.enlarged[0]), as_u32(2 * g.enlarged[1])]
        }
    };
    shared.resize(shared.len().next_multiple_of(4), 0);
    shared
}

/// The masks of a chunk of a picture that takes `stride` vec4s for each.
#[must_use]
pub fn own(m: &Masked<'_>, stride: usize, rows: Range<usize>) -> Vec<u32> {
    let (channels, plane) = extent(m.image);
    let mut words = vec![0u32; rows.len() * 4 * stride];
    for (i, to) in rows.zip(words.chunks_exact_mut(4 * stride)) {
        match m.masks {
            Masks::Rectangles(all) => {
                let r = all[i];
                to.copy_from_slice(&[r.top, r.left, r.bottom, r.right].map(as_u32));
            }
            Masks::Segments(_, rows) => to[..rows.words(i).len()].copy_from_slice(rows.words(i)),
            Masks::Grids(grids) => grid(grids, i, to),
            Masks::Elements(rows) => interleave(rows, i, channels, plane, to),
        }
    }
    words
}

/// A shift, and each cell with its neighbours on the right, below, and below on the right.
fn grid(grids: &Grids, i: usize, to: &mut [u32]) {
    let [rows, columns] = grids.cells;
    let values = &grids.values[i * rows * columns..(i + 1) * rows * columns];
    let [top, left] = grids.shifts[i];
    to[..2].copy_from_slice(&[as_u32(top), as_u32(left)]);
    for (cell, to) in to[4..].chunks_exact_mut(4).enumerate() {
        let (row, column) = (cell / columns, cell % columns);
        let (below, right) = ((row + 1).min(rows - 1), (column + 1).min(columns - 1));
        let corners = [(row, column), (row, right), (below, column), (below, right)];
        to.copy_from_slice(&corners.map(|(r, c)| values[r * columns + c].to_bits()));
    }
}

/// Turns bits that lie channel by channel into four bits per pixel.
fn interleave(rows: &BitRows, i: usize, channels: usize, plane: usize, to: &mut [u32]) {
    for channel in 0..channels {
        let block = &mut to[channel / 4 * plane.div_ceil(8)..];
        for (first, to) in (0..plane).step_by(8).zip(block) {
            let (at, count) = (channel * plane + first, (plane - first).min(8));
            let eight = rows.word_at(i, at) & ((1 << count) - 1);
            *to |= SPREAD[eight as usize] << (channel % 4);
        }
    }
}

/// Each of eight bits at the start of four.
const SPREAD: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte] |= (byte as u32 >> bit & 1) << (4 * bit);
            bit += 1;
        }
        byte += 1;
    }
    table
};
