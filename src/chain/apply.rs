//! The chains' loops on the CPU: a block that fits into the first-level cache goes through the whole chain,
//! and every loop is one that compilers turn into vector instructions.

use std::cmp::Ordering;

use super::{Clip, Grid, Quantizer, Step};
use crate::simd;

/// Elements a block.
const BLOCK: usize = 1024;

/// `1.5 * 2^23`. A float smaller than 2^22 plus this has the nearest integer, half to even, in its low bits; taking it
/// away again rounds. Not every machine has a vector instruction for that.
pub const ROUND: f32 = 12_582_912.0;

#[inline(always)]
fn round(x: f32) -> f32 {
    (x + ROUND) - ROUND
}

/// Clamps as `clamp` does, but of NaN it makes NaN, in two instructions, and the upper bound wins where they cross.
#[inline(always)]
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
    /// True if it is the same for every channel.
    pub fn is_uniform(&self) -> bool {
        self.params.scales.len() == 1
    }

    /// The reals that it makes, where they are the same for every channel.
    pub fn grid(&self) -> Option<Grid> {
        let Pair { scale, low, high, .. } = self.pair(0);
        self.is_uniform().then_some(Grid { step: scale, low, high })
    }

    #[inline(always)]
    fn pair(&self, channel: usize) -> Pair {
        let i = if self.is_uniform() { 0 } else { channel };
        let zero = self.params.zero_points[i];
        Pair { scale: self.params.scales[i], zero, low: self.low - zero, high: self.high - zero }
    }
}

impl Step {
    /// Applies the function to a block of one channel.
    #[inline(always)]
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

    /// The side on which `x` lies: below the function's slope, on it, or above.
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
    simd::widest(
        #[inline(always)]
        || {
            for (channel, plane) in values.chunks_mut(plane.max(1)).enumerate() {
                for block in plane.chunks_mut(BLOCK) {
                    for step in steps {
                        step.apply(channel, block);
                    }
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::RngExt as _;

    use super::*;
    use crate::{
        chain::{QuantParams, Spans},
        rng::Rng,
        simd::tests::on_each_set,
    };

    fn quantizer(rng: &mut Rng, channels: usize) -> Arc<Quantizer> {
        let scales = (0..channels).map(|_| rng.random_range(0.001..0.2)).collect();
        let (low, high) = [(-128.0, 127.0), (0.0, 255.0)][rng.random_range(0..2)];
        let zero_points = (0..channels).map(|_| rng.random_range::<f32, _>(low..high).round()).collect();
        Arc::new(Quantizer { params: QuantParams { scales, zero_points }, low, high })
    }

    fn chain(rng: &mut Rng, channels: usize) -> Vec<Step> {
        let step = |rng: &mut Rng| match rng.random_range(0..5) {
            0 => Step::Clip(Clip { low: 0.0, high: f32::INFINITY }),
            1 => Step::Clip(Clip { low: rng.random_range(-9.0..1.0), high: rng.random_range(0.0..9.0) }),
            2 => Step::Quantize(quantizer(rng, channels)),
            3 => Step::Dequantize(quantizer(rng, channels)),
            _ => Step::FakeQuantize(quantizer(rng, channels)),
        };
        (0..rng.random_range(1..=4)).map(|_| step(rng)).collect()
    }

    /// Reals of every size, and those at which vector instructions might differ from scalar ones: numbers that are none,
    /// both zeros, halves between a quantizer's integers, the neighbours of these, and what is too small to be normal.
    fn values(rng: &mut Rng, steps: &[Step], count: usize) -> Vec<f32> {
        let scales: Vec<f32> =
            steps.iter().filter_map(Step::quantizer).flat_map(|q| q.params.scales.clone()).collect();
        let special = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::MAX, f32::MIN];
        let value = |_| match rng.random_range(0..8) {
            0 => special[rng.random_range(0..special.len())],
            1 => f32::from_bits(rng.random()),
            2 => f32::from_bits(rng.random_range(0..0x80_0000)),
            3..6 if !scales.is_empty() => {
                let tie = (f32::from(rng.random_range(-140..270i16)) + 0.5)
                    * scales[rng.random_range(0..scales.len())];
                [tie, tie.next_up(), tie.next_down()][rng.random_range(0..3)]
            }
            _ => rng.random_range(-40.0..40.0),
        };
        (0..count).map(value).collect()
    }

    #[test]
    fn chains_and_their_masks_are_the_same_on_every_instruction_set() {
        let mut rng = crate::rng::for_sample(13, 7);
        for case in 0..300 {
            // Planes that fill no vector, some, and more than a block.
            let (channels, plane) = (1 + case % 3, [1, 7, 33, 150, 1040][case % 5]);
            let steps = chain(&mut rng, channels);
            let values = values(&mut rng, &steps, channels * plane);
            on_each_set(&format!("{steps:?}"), || {
                let mut made = values.clone();
                apply(&steps, plane, &mut made);
                made.iter().map(|v| v.to_bits()).collect()
            });
            let spans = Spans::new(&steps, &[channels, plane]);
            on_each_set(&format!("the mask of {steps:?}"), || {
                let mut mask = vec![7; values.len()];
                spans.mask(&values, &mut mask);
                mask.into_iter().map(u32::from).collect()
            });
        }
    }

    /// The definition, rounded by the standard library, of numbers that a quantizer tells apart.
    #[test]
    fn quantizers_round_halves_to_even_and_keep_what_is_no_number() {
        let q = |zero: f32| Quantizer {
            params: QuantParams { scales: vec![0.25], zero_points: vec![zero] },
            low: -128.0,
            high: 127.0,
        };
        for zero in [-128.0, 0.0, 3.0] {
            let mut values: Vec<f32> = (-1100..1100).map(|i| i as f32 / 8.0 * 0.25).collect();
            let expected: Vec<f32> = values
                .iter()
                .map(|x| ((x / 0.25f32).round_ties_even().clamp(-128.0 - zero, 127.0 - zero)) * 0.25)
                .collect();
            values.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
            apply(&[Step::FakeQuantize(Arc::new(q(zero)))], values.len(), &mut values);
            let (made, odd) = values.split_at(expected.len());
            assert_eq!(made, expected, "zero point {zero}");
            assert!(odd[0].is_nan());
            assert_eq!(odd[1..], [(127.0 - zero) * 0.25, (-128.0 - zero) * 0.25]);
        }
    }
}
