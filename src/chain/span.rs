//! The interval on which a chain has a slope. A chain of clips and quantizers is monotone, so its slope is non-zero on
//! one interval. It is found once per channel; the mask is then two comparisons per element.

use std::{cmp::Ordering, ops::RangeInclusive};

use super::{Step, is_uniform};
use crate::simd;

/// The intervals on which a chain has a slope.
#[derive(Clone, Debug)]
pub struct Spans {
    /// One per channel, or one for all. Where a chain is flat everywhere, the bounds are no numbers.
    spans: Vec<RangeInclusive<f32>>,
    /// How many elements each is for; any number where it is one for all.
    plane: usize,
}

impl Spans {
    /// Finds them for a chain on values `[C, ...]`.
    #[must_use]
    pub fn new(steps: &[Step], shape: &[usize]) -> Self {
        let channels = if is_uniform(steps) { 1 } else { shape.first().copied().unwrap_or(1) };
        let plane = shape.iter().product::<usize>() / channels.max(1);
        Self { spans: (0..channels).map(|channel| span(steps, channel)).collect(), plane: plane.max(1) }
    }

    /// For each element one where the chain has a slope, else zero.
    pub fn mask(&self, values: &[f32], mask: &mut [u8]) {
        simd::widest(
            #[inline(always)]
            || {
                let planes = values.chunks(self.plane).zip(mask.chunks_mut(self.plane));
                for ((values, mask), span) in planes.zip(&self.spans) {
                    let (first, last) = (*span.start(), *span.end());
                    for (m, &x) in mask.iter_mut().zip(values) {
                        *m = u8::from(first <= x) & u8::from(x <= last);
                    }
                }
            },
        );
    }
}

/// From the least float at which the chain has a slope to the greatest.
fn span(steps: &[Step], channel: usize) -> RangeInclusive<f32> {
    let side = |key: i32| side(steps, channel, float(key));
    // The least key that is not below, and the least that is above.
    let first = least(|key| side(key).is_ge());
    let past = least(|key| side(key).is_gt());
    if first < past { float(first)..=float(past - 1) } else { f32::NAN..=f32::NAN }
}

/// The side of the interval on which a float lies: below, on it, or above.
fn side(steps: &[Step], channel: usize, mut x: f32) -> Ordering {
    for step in steps {
        let side = step.side(channel, x);
        if side.is_ne() {
            return side;
        }
        step.apply(channel, std::slice::from_mut(&mut x));
    }
    Ordering::Equal
}

/// Floats in their order, numbered: zero is 0.
fn float(key: i32) -> f32 {
    f32::from_bits((key ^ ((key >> 31).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// The keys of minus infinity, and of the first that is no number.
const ENDS: [i32; 2] = [-0x7f80_0001, 0x7f80_0001];

/// The least key from which on something holds; the last of [`ENDS`] where it never does.
fn least(holds: impl Fn(i32) -> bool) -> i32 {
    let [mut from, mut to] = ENDS;
    while from < to {
        // Half way, rounded down.
        let middle = (from & to) + ((from ^ to) >> 1);
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::RngExt as _;

    use super::*;
    use crate::chain::{Clip, QuantParams, Quantizer};

    #[test]
    fn keys_number_floats_in_their_order() {
        assert_eq!(ENDS.map(|key| float(key - i32::from(key > 0))), [f32::NEG_INFINITY, f32::INFINITY]);
        assert!(float(ENDS[1]).is_nan());
        assert_eq!([-1, 0, 1].map(float), [-0.0, 0.0, f32::from_bits(1)]);
        assert!((-500..500).all(|i| float(i * 4_000_000) < float((i + 1) * 4_000_000)));
    }

    /// A walk through the chain, in the quantizer's own words: `round(x / scale) + zero`.
    fn passes(steps: &[Step], channel: usize, mut x: f32) -> bool {
        steps.iter().all(|step| match step {
            Step::Clip(Clip { low, high }) => {
                let passes = *low < x && x < *high;
                x = x.max(*low).min(*high);
                passes
            }
            Step::FakeQuantize(q) => {
                let i = if q.is_uniform() { 0 } else { channel };
                let (scale, zero) = (q.params.scales[i], q.params.zero_points[i]);
                let integer = (x / scale).round_ties_even() + zero;
                x = (integer.clamp(q.low, q.high) - zero) * scale;
                (q.low..=q.high).contains(&integer)
            }
            Step::Quantize(_) | Step::Dequantize(_) => unreachable!("the chains are made below"),
        })
    }

    fn chain(rng: &mut crate::rng::Rng, channels: usize) -> Vec<Step> {
        let quantizer = |rng: &mut crate::rng::Rng| {
            let scales = (0..channels).map(|_| rng.random_range(0.001..0.2)).collect();
            let zero_points = (0..channels).map(|_| f32::from(rng.random_range(-128..=127i16))).collect();
            let params = QuantParams { scales, zero_points };
            Step::FakeQuantize(Arc::new(Quantizer { params, low: -128.0, high: 127.0 }))
        };
        let one = |rng: &mut crate::rng::Rng| match rng.random_range(0..4) {
            0 => Step::Clip(Clip { low: 0.0, high: f32::INFINITY }),
            1 => Step::Clip(Clip { low: rng.random_range(-9.0..1.0), high: rng.random_range(0.0..9.0) }),
            _ => quantizer(rng),
        };
        (0..rng.random_range(1..=3)).map(|_| one(rng)).collect()
    }

    #[test]
    fn spans_hold_what_a_walk_through_the_chain_passes() {
        let mut rng = crate::rng::for_sample(3, 0);
        let (mut inside, mut outside) = (0, 0);
        for case in 0..300 {
            let channels = 1 + case % 3;
            let steps = chain(&mut rng, channels);
            let spans = Spans::new(&steps, &[channels, 400]);
            let mut values: Vec<f32> =
                (0..channels * 400).map(|_| 40.0 * (rng.random::<f32>() - 0.5).powi(3) * 8.0).collect();
            // The bounds themselves, and what is just past them.
            for (values, span) in values.chunks_mut(400).zip(&spans.spans) {
                let (first, last) = (*span.start(), *span.end());
                values[..4].copy_from_slice(&[first, last, first.next_down(), last.next_up()]);
                values.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
            }
            let mut mask = vec![7; values.len()];
            spans.mask(&values, &mut mask);
            for (i, (&m, &x)) in mask.iter().zip(&values).enumerate() {
                assert_eq!(m == 1, passes(&steps, i / 400, x), "{x} in {steps:?}");
                *(if m == 1 { &mut inside } else { &mut outside }) += 1;
            }
        }
        assert!(inside > 10_000 && outside > 10_000, "{inside} {outside}");
    }
}
