//! The chains' loops on the CPU: a block that fits into the first-level cache goes through the whole chain,
//! and every loop is one that compilers turn into vector instructions.

use std::cmp::Ordering;

use super::{Clip, Grid, Quantizer, Step};

/// Elements a block.
const BLOCK: usize = 1024;

/// Adding and taking away 1.5 * 2^23 rounds to an integer, half to even, whatever is smaller than 2^22: there
/// is no vector instruction for it on every machine.
const ROUND: f32 = 12_582_912.0;

fn round(x: f32) -> f32 {
    (x + ROUND) - ROUND
}

/// As `clamp`, but of NaN it makes NaN, in two instructions, and the upper bound wins where they cross.
fn clip(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// A quantizer at one channel. Bounds are those of `round(x / scale)`.
#[derive(Clone, Copy)]
struct Pair {
    scale: f32,
    zero: f32,
    low: f32,
    high: f32,
}

impl Quantizer {
    /// Whether it is the same for every channel.
    pub fn is_uniform(&self) -> bool {
        self.affinity.scales.len() == 1
    }

    /// The reals that it makes, where they are the same for every channel.
    pub fn grid(&self) -> Option<Grid> {
        let Pair { scale, low, high, .. } = self.pair(0);
        self.is_uniform().then_some(Grid { step: scale, low, high })
    }

    fn pair(&self, channel: usize) -> Pair {
        let i = if self.is_uniform() { 0 } else { channel };
        let zero = self.affinity.zero_points[i];
        Pair { scale: self.affinity.scales[i], zero, low: self.low - zero, high: self.high - zero }
    }
}

impl Step {
    /// Applies the function to a block of one channel.
    pub fn apply(&self, channel: usize, block: &mut [f32]) {
        match self {
            Self::Clip(Clip { low, high }) => block.iter_mut().for_each(|x| *x = clip(*x, *low, *high)),
            Self::Quantize(q) => {
                let Pair { scale, zero, low, high } = q.pair(channel);
                // Clipping first leaves what is rounded small; the bounds are integers, so nothing changes.
                block.iter_mut().for_each(|x| *x = round(clip(*x / scale, low, high)) + zero);
            }
            Self::Dequantize(q) => {
                let Pair { scale, zero, .. } = q.pair(channel);
                block.iter_mut().for_each(|x| *x = (*x - zero) * scale);
            }
            Self::FakeQuantize(q) => {
                let Pair { scale, low, high, .. } = q.pair(channel);
                block.iter_mut().for_each(|x| *x = round(clip(*x / scale, low, high)) * scale);
            }
        }
    }

    /// Where `x` lies: below the function's slope, on it, or above.
    pub fn side(&self, channel: usize, x: f32) -> Ordering {
        let (is_below, is_above) = match self {
            Self::Clip(Clip { low, high }) => (x <= *low, x >= *high),
            Self::Quantize(q) | Self::FakeQuantize(q) => {
                let Pair { scale, low, high, .. } = q.pair(channel);
                let integer = round(clip(x / scale, low - 1.0, high + 1.0));
                (integer < low, integer > high)
            }
            Self::Dequantize(_) => (false, false),
        };
        if is_below { Ordering::Less } else { is_above.cmp(&false) }
    }
}

/// Applies a chain to values whose channels are `plane` elements each.
pub fn apply(steps: &[Step], plane: usize, values: &mut [f32]) {
    for (channel, plane) in values.chunks_mut(plane.max(1)).enumerate() {
        for block in plane.chunks_mut(BLOCK) {
            steps.iter().for_each(|step| step.apply(channel, block));
        }
    }
}
