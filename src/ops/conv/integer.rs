//! A pointwise convolution of integers, for quantized networks in WebAssembly: weights and inputs are 8-bit integers
//! in disguise, and one instruction multiplies eight pairs of 16-bit integers and adds neighbours, where floats take
//! four.
//!
//! Sums of integers are exact, and so is this, but for one rounding at the end of each.

use vectors::{Eight, Four};

use crate::{
    chain::{Grid, ROUND},
    graph::{Constant, Elements},
};

/// Outputs per tile: two vectors of four.
const OUTPUTS: usize = 8;
/// Pixels per tile.
const PIXELS: usize = 4;
/// A pointwise convolution whose weights and inputs are integers times scales.
#[derive(Debug)]
pub struct IntegerConv {
    inputs: usize,
    outputs: usize,
    /// `[tile of outputs, pair of inputs, half of the tile]`: two inputs' weights for each of four outputs.
    weights: Vec<[Eight; 2]>,
    /// The real that one integer step of the sum stands for, one per output.
    scales: Vec<f32>,
    bias: Vec<f32>,
    /// Integer steps a real of the input.
    per_real: f32,
}

impl IntegerConv {
    /// Takes weights `[outputs, inputs, 1, 1]`. Nothing where they or the inputs are not integers of 8 bits.
    #[must_use]
    pub fn new(weights: &Constant, bias: Option<&[f32]>, input: Grid) -> Option<Self> {
        let [outputs, inputs, 1, 1] = *weights.shape.as_slice() else { return None };
        let quantization = weights.quantization.as_ref()?;
        let integers: Vec<i32> = match &weights.elements {
            Elements::I8(v) => v.iter().map(|&w| w.into()).collect(),
            Elements::U8(v) => v.iter().map(|&w| w.into()).collect(),
            _ => return None,
        };
        let per_output = quantization.axis == 0 || quantization.scales.len() == 1;
        let few = input.low >= -255.0 && input.high <= 255.0;
        if !per_output || !few {
            return None;
        }
        let of = |output: usize| if quantization.scales.len() == 1 { 0 } else { output };
        let weight = |output: usize, input: usize| {
            if output >= outputs || input >= inputs {
                return Some(0);
            }
            i16::try_from(integers[output * inputs + input] - quantization.zero_points[of(output)]).ok()
        };
        let four = |output: usize, input: usize| {
            let mut pairs = [0; 8];
            for (i, w) in pairs.iter_mut().enumerate() {
                *w = weight(output + i / 2, input + i % 2)?;
            }
            Some(Eight::new(pairs))
        };
        let mut weights = Vec::with_capacity(outputs.div_ceil(OUTPUTS) * inputs.div_ceil(2));
        for output in (0..outputs).step_by(OUTPUTS) {
            for input in (0..inputs).step_by(2) {
                weights.push([four(output, input)?, four(output + 4, input)?]);
            }
        }
        Some(Self {
            inputs,
            outputs,
            weights,
            scales: (0..outputs).map(|o| quantization.scales[of(o)] * input.step).collect(),
            bias: bias.map_or_else(|| vec![0.0; outputs], <[f32]>::to_vec),
            per_real: input.step.recip(),
        })
    }

    /// Convolves `x`, `[pixels, inputs]`, into `y`, `[pixels, outputs]`, both in reals.
    pub fn run(&self, x: &[f32], y: &mut [f32]) {
        let pairs = self.inputs.div_ceil(2);
        let mut strip = vec![0; PIXELS * pairs];
        for (x, y) in x.chunks(PIXELS * self.inputs).zip(y.chunks_mut(PIXELS * self.outputs)) {
            for (values, pairs) in x.chunks(self.inputs).zip(strip.chunks_mut(pairs)) {
                self.integers(values, pairs);
            }
            for (tile, weights) in self.weights.chunks(pairs).enumerate() {
                let sums = product(weights, &strip);
                for (y, sums) in y.chunks_mut(self.outputs).zip(sums) {
                    self.reals(tile * OUTPUTS, &sums, y);
                }
            }
        }
    }

    /// The integers that a pixel's values stand for, two in a word.
    fn integers(&self, values: &[f32], words: &mut [i32]) {
        // The values are steps, but for the last bit or two: a product does as well as the quotient.
        let integer = |x: f32| (x * self.per_real + ROUND).to_bits();
        let word = |low: f32, high: f32| (integer(low) & 0xffff | integer(high) << 16).cast_signed();
        let (both, rest) = values.as_chunks();
        for (w, &[low, high]) in words.iter_mut().zip(both) {
            *w = word(low, high);
        }
        if let (&[low], Some(w)) = (rest, words.last_mut()) {
            *w = word(low, 0.0);
        }
    }

    /// Writes the outputs from `first` on of one pixel.
    fn reals(&self, first: usize, sums: &[i32; OUTPUTS], y: &mut [f32]) {
        let each = y[first..].iter_mut().zip(sums).zip(&self.scales[first..]).zip(&self.bias[first..]);
        for (((y, &sum), scale), bias) in each {
            let sum = sum as f32;
            *y = sum * scale + bias;
        }
    }
}

/// The sums of a tile, `[pixel, output]`, of its weights, one entry per pair of inputs, and a strip, `[pixel, pair]`.
fn product(weights: &[[Eight; 2]], strip: &[i32]) -> [[i32; OUTPUTS]; PIXELS] {
    let pairs = weights.len();
    let [a, b, c, d] = std::array::from_fn(|pixel| &strip[pixel * pairs..][..pairs]);
    let mut sums = [[Four::zero(); 2]; PIXELS];
    for ((((w, &a), &b), &c), &d) in weights.iter().zip(a).zip(b).zip(c).zip(d) {
        for (sums, x) in sums.iter_mut().zip([a, b, c, d]) {
            let x = Eight::repeat(x);
            *sums = [sums[0].add_products(w[0], x), sums[1].add_products(w[1], x)];
        }
    }
    sums.map(|[low, high]| {
        let ([a, b, c, d], [e, f, g, h]) = (low.lanes(), high.lanes());
        [a, b, c, d, e, f, g, h]
    })
}

/// Vectors of 128 bits, as WebAssembly has them.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod vectors {
    use std::arch::wasm32::{
        i16x8, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, v128,
    };

    /// Eight integers of 16 bits.
    #[derive(Clone, Copy, Debug)]
    pub struct Eight(v128);

    impl Eight {
        pub fn new([a, b, c, d, e, f, g, h]: [i16; 8]) -> Self {
            Self(i16x8(a, b, c, d, e, f, g, h))
        }

        /// A word's two integers, four times.
        pub fn repeat(word: i32) -> Self {
            Self(i32x4_splat(word))
        }
    }

    /// Four integers of 32 bits.
    #[derive(Clone, Copy, Debug)]
    pub struct Four(v128);

    impl Four {
        pub fn zero() -> Self {
            Self(i32x4(0, 0, 0, 0))
        }

        /// Adds to each the sum of two products.
        pub fn add_products(self, a: Eight, b: Eight) -> Self {
            Self(i32x4_add(self.0, i32x4_dot_i16x8(a.0, b.0)))
        }

        pub fn lanes(self) -> [i32; 4] {
            [
                i32x4_extract_lane::<0>(self.0),
                i32x4_extract_lane::<1>(self.0),
                i32x4_extract_lane::<2>(self.0),
                i32x4_extract_lane::<3>(self.0),
            ]
        }
    }
}

/// The same without vectors, for tests.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod vectors {
    /// Eight integers of 16 bits.
    #[derive(Clone, Copy, Debug)]
    pub struct Eight([i16; 8]);

    impl Eight {
        pub fn new(lanes: [i16; 8]) -> Self {
            Self(lanes)
        }

        /// A word's two integers, four times.
        pub fn repeat(word: i32) -> Self {
            Self(std::array::from_fn(|i| (word >> (16 * (i % 2))) as i16))
        }
    }

    /// Four integers of 32 bits.
    #[derive(Clone, Copy, Debug)]
    pub struct Four([i32; 4]);

    impl Four {
        pub fn zero() -> Self {
            Self([0; 4])
        }

        /// Adds to each the sum of two products.
        pub fn add_products(self, a: Eight, b: Eight) -> Self {
            let product = |i: usize| i32::from(a.0[i]) * i32::from(b.0[i]);
            Self(std::array::from_fn(|i| self.0[i] + product(2 * i) + product(2 * i + 1)))
        }

        pub fn lanes(self) -> [i32; 4] {
            self.0
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::RngExt as _;

    use super::*;
    use crate::{
        graph::{Operator, Quantization, reference::Array},
        ops::{conv::Conv, window::Window},
    };

    fn conv(outputs: usize, inputs: usize, weights: Elements, quantization: Quantization) -> Conv {
        let weights = Constant {
            shape: vec![outputs, inputs, 1, 1],
            elements: weights,
            quantization: Some(quantization),
        };
        let bias = (0..outputs).map(|o| o as f32 / 3.0 - 1.0).collect();
        Conv {
            weights: Arc::new(weights),
            bias: Some(Arc::new(bias)),
            groups: 1,
            window: Window::new([1, 1]),
        }
    }

    /// `[outputs, inputs, pixels]` that fill no tile, one, and some.
    const SHAPES: [[usize; 3]; 4] = [[1, 1, 1], [8, 2, 4], [11, 7, 9], [24, 33, 6]];

    #[test]
    fn integers_make_what_reals_make() {
        let mut rng = crate::rng::for_sample(1, 0);
        for [outputs, inputs, pixels] in SHAPES {
            for unsigned in [false, true] {
                let n = outputs * inputs;
                let (weights, zero) = if unsigned {
                    (Elements::U8((0..n).map(|_| rng.random()).collect()), 119)
                } else {
                    (Elements::I8((0..n).map(|_| rng.random()).collect()), 0)
                };
                let scales: Vec<f32> = (0..outputs).map(|o| 0.01 + 0.003 * o as f32).collect();
                let quantization = Quantization { axis: 0, zero_points: vec![zero; outputs], scales };
                let conv = conv(outputs, inputs, weights, quantization);
                let grid = Grid { step: 0.037, low: -131.0, high: 124.0 };
                let x: Vec<f32> =
                    (0..pixels * inputs).map(|_| grid.step * rng.random_range(-131..=124) as f32).collect();
                let mut y = vec![0.0; pixels * outputs];
                conv.integers(grid).expect("all is of 8 bits").run(&x, &mut y);

                let mut array = Array::zeros(&[inputs, 1, pixels]);
                for (i, v) in x.iter().enumerate() {
                    array.data[i % inputs * pixels + i / inputs] = f64::from(*v);
                }
                let expected = conv.evaluate(&[&array]);
                for (i, y) in y.iter().enumerate() {
                    let want = expected.data[i % outputs * pixels + i / outputs];
                    let near = 1e-5 * (want.abs() + 10.0);
                    assert!(
                        (f64::from(*y) - want).abs() < near,
                        "{outputs} {inputs} {pixels}: {y} for {want}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_not_of_8_bits_is_left_to_floats() {
        let one =
            |scales: usize| Quantization { axis: 0, scales: vec![0.1; scales], zero_points: vec![0; scales] };
        let grid = Grid { step: 0.1, low: -128.0, high: 127.0 };
        let weights = || Elements::I8(vec![1; 4]);
        assert!(conv(2, 2, weights(), one(1)).integers(grid).is_some());
        assert!(conv(2, 2, Elements::I32(vec![1; 4]), one(1)).integers(grid).is_none());
        assert!(conv(2, 2, weights(), one(1)).integers(Grid { high: 32767.0, ..grid }).is_none());
        let wide = Conv {
            window: Window { strides: [2, 2], ..Window::new([1, 1]) },
            ..conv(2, 2, weights(), one(1))
        };
        assert!(wide.integers(grid).is_none());
    }
}
