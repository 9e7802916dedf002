//! Depthwise convolution on the CPU: each channel by its own kernel, over channels that lie side by side.
//!
//! Tract has such a kernel for WebAssembly and arm64, and on x86-64 a loop that goes through memory once per tap.
//! This one keeps the sums of a block of channels in registers. It adds in the order of tract's loop: the bias first,
//! then tap by tap.

use crate::{graph::Constant, ops::window::Window, simd};

/// Channels whose sums are kept in registers at once: four vectors of AVX2.
const BLOCK: usize = 32;

/// Along one axis: for each place that is made, the taps that it sums and the places that they read. Both are counted
/// in values, from the start of the weights and of the image.
type Taps = Vec<Vec<(usize, usize)>>;

/// A depthwise convolution, or the gradient of one, from `[H, W, C]` to `[H, W, C]`.
#[derive(Clone, Debug)]
pub struct DepthwiseLoop {
    /// The taps of each row that is made.
    rows: Taps,
    /// The taps of each column that is made.
    columns: Taps,
    /// `[taps, C]`.
    weights: Vec<f32>,
    /// One per channel.
    bias: Vec<f32>,
}

impl DepthwiseLoop {
    /// The convolution of an image of the extents `input`, which makes `output`; weights are `[C, 1, kh, kw]`.
    #[must_use]
    pub fn forward(
        weights: &Constant,
        bias: Option<&[f32]>,
        window: &Window,
        input: [usize; 2],
        output: [usize; 2],
    ) -> Self {
        let taps = |axis: usize| {
            let mut taps: Taps = vec![vec![]; output[axis]];
            reaches(window, axis, input, output, |made, tap, read| taps[made].push((tap, read)));
            taps
        };
        Self::new(weights, bias, window, input[1], [taps(0), taps(1)])
    }

    /// The gradient of [`Self::forward`] with respect to the image: from the extents `output` back to `input`.
    #[must_use]
    pub fn transposed(weights: &Constant, window: &Window, input: [usize; 2], output: [usize; 2]) -> Self {
        let taps = |axis: usize| {
            let mut taps: Taps = vec![vec![]; input[axis]];
            reaches(window, axis, input, output, |read, tap, made| taps[made].push((tap, read)));
            taps
        };
        Self::new(weights, None, window, output[1], [taps(0), taps(1)])
    }

    fn new(
        weights: &Constant,
        bias: Option<&[f32]>,
        window: &Window,
        width: usize,
        [rows, columns]: [Taps; 2],
    ) -> Self {
        let (old, channels) = (weights.to_f32(), weights.shape[0]);
        let taps = old.len() / channels.max(1);
        let weights = (0..old.len()).map(|i| old[i % channels * taps + i / channels]).collect();
        let bias = bias.map_or_else(|| vec![0.0; channels], <[f32]>::to_vec);
        let in_values = |taps: Taps, tap: usize, place: usize| -> Taps {
            let scaled = |(t, p): (usize, usize)| (t * tap * channels, p * place * channels);
            taps.into_iter().map(|taps| taps.into_iter().map(scaled).collect()).collect()
        };
        Self {
            rows: in_values(rows, window.kernel[1], width),
            columns: in_values(columns, 1, 1),
            weights,
            bias,
        }
    }

    /// Convolves `x` into `y`.
    pub fn run(&self, x: &[f32], y: &mut [f32]) {
        simd::widest(
            #[inline(always)]
            || self.places(x, y),
        );
    }

    #[inline(always)]
    fn places(&self, x: &[f32], y: &mut [f32]) {
        let channels = self.bias.len();
        let mut taps: Vec<(usize, usize)> = Vec::with_capacity(self.weights.len() / channels);
        let mut places = y.chunks_exact_mut(channels);
        for row in &self.rows {
            for (column, place) in self.columns.iter().zip(&mut places) {
                taps.clear();
                for &(tap_row, row) in row {
                    for &(tap, column) in column {
                        taps.push((tap_row + tap, row + column));
                    }
                }
                self.place(x, place, &taps);
            }
        }
    }

    /// All channels of one place. `taps` are the starts of the taps' weights and of what they weigh.
    #[inline(always)]
    fn place(&self, x: &[f32], made: &mut [f32], taps: &[(usize, usize)]) {
        let (blocks, rest) = made.as_chunks_mut::<BLOCK>();
        let mut first = 0;
        for block in blocks {
            *block = self.sums(x, first, taps);
            first += BLOCK;
        }
        let (blocks, rest) = rest.as_chunks_mut::<8>();
        for block in blocks {
            *block = self.sums(x, first, taps);
            first += 8;
        }
        for one in rest {
            [*one] = self.sums(x, first, taps);
            first += 1;
        }
    }

    /// The channels from `first` on. Arrays, because compilers keep those in registers.
    #[inline(always)]
    fn sums<const N: usize>(&self, x: &[f32], first: usize, taps: &[(usize, usize)]) -> [f32; N] {
        let mut sums: [f32; N] = *array(&self.bias, first);
        for &(weights, place) in taps {
            let weights: &[f32; N] = array(&self.weights, weights + first);
            let x: &[f32; N] = array(x, place + first);
            for lane in 0..N {
                sums[lane] += x[lane] * weights[lane];
            }
        }
        sums
    }
}

/// `N` values from `first` on; as with any index, a panic where they are not there.
#[inline(always)]
fn array<const N: usize>(values: &[f32], first: usize) -> &[f32; N] {
    let values = &values[first..first + N];
    values.first_chunk().unwrap_or(&[0.0; N])
}

/// Calls `f(window, tap, position)` along an axis for each tap that is not padding.
fn reaches(
    window: &Window,
    axis: usize,
    input: [usize; 2],
    output: [usize; 2],
    mut f: impl FnMut(usize, usize, usize),
) {
    for at in 0..output[axis] {
        for tap in 0..window.kernel[axis] {
            if let Some(position) = window.position(axis, at, tap, input[axis]) {
                f(at, tap, position);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::simd::tests::on_each_set;

    struct Case {
        window: Window,
        /// Extents of the image and of what the convolution makes of it.
        extents: [[usize; 2]; 2],
        weights: Constant,
        bias: Vec<f32>,
    }

    fn floats(rng: &mut crate::rng::Rng, count: usize) -> Vec<f32> {
        (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn case(rng: &mut crate::rng::Rng, channels: usize) -> Case {
        loop {
            let mut pair = |low: usize, high: usize| [0; 2].map(|_| rng.random_range(low..=high));
            let mut window = Window::new(pair(1, 5));
            (window.strides, window.dilations) = (pair(1, 3), pair(1, 2));
            (window.before, window.after) = (pair(0, 2), pair(0, 2));
            let image = pair(1, 9);
            let Ok(made) = window.output(image) else { continue };
            let [kh, kw] = window.kernel;
            let weights = Constant::floats([channels, 1, kh, kw], floats(rng, channels * kh * kw));
            return Case { window, extents: [image, made], weights, bias: floats(rng, channels) };
        }
    }

    /// One sum at a time, in the order of the windows and their taps: as tract's loop adds.
    fn explicit(case: &Case, x: &[f32], transposed: bool) -> Vec<f32> {
        let (channels, weights) = (case.bias.len(), case.weights.to_f32());
        let [image, windows] = case.extents;
        let taps = case.window.kernel[0] * case.window.kernel[1];
        let places = if transposed { image } else { windows }.iter().product::<usize>();
        let mut y: Vec<f32> =
            (0..places * channels).map(|i| if transposed { 0.0 } else { case.bias[i % channels] }).collect();
        case.window.for_each(image, windows, |window, tap, place| {
            let (from, to) = if transposed { (window, place) } else { (place, window) };
            for c in 0..channels {
                y[to * channels + c] += x[from * channels + c] * weights[c * taps + tap];
            }
        });
        y
    }

    #[test]
    fn convolutions_and_their_gradients_are_explicit_sums_on_every_instruction_set() {
        let mut rng = crate::rng::for_sample(13, 8);
        for i in 0..120 {
            // Channels of one and of several blocks, with and without a rest.
            let case = case(&mut rng, [2, 8, 9, 32, 41, 75, 96][i % 7]);
            let [image, windows] = case.extents;
            for transposed in [false, true] {
                let (from, own) = if transposed {
                    (windows, DepthwiseLoop::transposed(&case.weights, &case.window, image, windows))
                } else {
                    (
                        image,
                        DepthwiseLoop::forward(&case.weights, Some(&case.bias), &case.window, image, windows),
                    )
                };
                let x = floats(&mut rng, from[0] * from[1] * case.bias.len());
                let expected = explicit(&case, &x, transposed);
                let run = || {
                    let mut y = vec![f32::NAN; expected.len()];
                    own.run(&x, &mut y);
                    y.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                };
                let what = format!("{:?}, transposed: {transposed}", case.window);
                assert_eq!(run(), expected.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), "{what}");
                on_each_set(&what, run);
            }
        }
    }
}
