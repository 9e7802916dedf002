//! Mean over windows, and its gradient.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    one_axis,
    onnx::{Operand, Reader},
    window::{Window, image, row, row_mut},
};
use crate::{
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Lowering, Operator, Shape, ValueId},
    limits,
    ops::kernels::{PoolGradient, PoolKind, pool, pool_gradient},
};

/// The mean of each window.
#[derive(Clone, Copy, Debug)]
pub struct AveragePool {
    /// The window, which says where the taps lie.
    pub window: Window,
    /// True if padding counts as zeros; else it does not count.
    pub count_padding: bool,
}

/// Reads an ONNX AveragePool.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    if one_axis::is_of_one(node) {
        return one_axis::read(node, read);
    }
    let input = node.value(0)?;
    let (channels, hw) = image(&node.node(input).shape)?;
    let window = Window::read(node, None, hw)?;
    if window.sees_nothing() {
        return Err("padding as wide as the window leaves windows of nothing".into());
    }
    window.check_work((channels, hw))?;
    let count_padding = node.int("count_include_pad", 0) != 0;
    node.add(AveragePool { window, count_padding }, &[input])
}

impl AveragePool {
    /// The divisor of each window's sum, row-major over `output`, for an input of extents `input`.
    #[must_use]
    pub fn divisors(&self, input: [usize; 2], output: [usize; 2]) -> Vec<f32> {
        let w = &self.window;
        let count = |axis: usize, o: usize| -> usize {
            (0..w.kernel[axis])
                .filter(|&tap| {
                    let padded = o * w.strides[axis] + tap * w.dilations[axis];
                    // Taps beyond the padding, which `ceil` lets a window reach, never count.
                    let in_padded = padded < w.before[axis] + input[axis] + w.after[axis];
                    if self.count_padding {
                        in_padded
                    } else {
                        w.position(axis, o, tap, input[axis]).is_some()
                    }
                })
                .count()
        };
        let [rows, columns] =
            [0, 1].map(|axis| (0..output[axis]).map(|o| count(axis, o)).collect::<Vec<_>>());
        rows.iter().flat_map(|row| columns.iter().map(move |column| (row * column).max(1) as f32)).collect()
    }
}

#[cfg(test)]
impl AveragePool {
    /// The same as [`Self::divisors`], written apart from it: how many taps of each window lie in the input, or in the
    /// padded one.
    fn counts(&self, input: [usize; 2], output: [usize; 2]) -> Vec<f64> {
        let (mut window, mut extents) = (self.window, input);
        if self.count_padding {
            extents = [0, 1].map(|axis| window.before[axis] + input[axis] + window.after[axis]);
            window.before = [0; 2];
        }
        let mut counts = vec![0.0; output[0] * output[1]];
        window.taps_of(extents, output, |o, _, _| counts[o] += 1.0);
        counts
    }
}

impl Operator for AveragePool {
    fn name(&self) -> &'static str {
        "AveragePool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (channels, hw) = image(inputs[0])?;
        let [h, w] = self.window.output(hw)?;
        Ok(vec![channels, h, w])
    }

    fn work(&self, _: &[&[usize]], output: &[usize]) -> u64 {
        limits::product(output).saturating_mul(self.window.taps())
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, shape) = (at.cotangent, at.input_shape(0));
        let back = AveragePoolGradient { pool: *self, output: [shape[1], shape[2]] };
        Ok(vec![at.add("gradient", back, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (channels, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let (own, output) = (*self, [at.node.shape[1], at.node.shape[2]]);
        let divisors = self.divisors(input, output);
        at.channels_last(move |read, made| {
            let x = read[0].floats();
            own.window.for_each(input, output, |to, _, from| {
                let from = row(x, from, channels);
                row_mut(made, to, channels).iter_mut().zip(from).for_each(|(sum, v)| *sum += v);
            });
            let rows = made.chunks_exact_mut(channels).zip(&divisors);
            rows.for_each(|(row, d)| row.iter_mut().for_each(|v| *v /= d));
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let divisors = self.divisors(at.inputs[0].extents(), at.output.extents());
        pool(at, &self.window, PoolKind::Mean, &divisors)
    }

    fn makes_channels_first(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let x = inputs[0];
        let (channels, hw) = image(&x.shape).unwrap();
        let out = self.window.output(hw).unwrap();
        let divisors = self.counts(hw, out);
        let (large, small) = (hw[0] * hw[1], out[0] * out[1]);
        let mut y = crate::graph::reference::Array::zeros(&[channels, out[0], out[1]]);
        for c in 0..channels {
            self.window.taps_of(hw, out, |o, _, i| {
                y.data[c * small + o] += x.data[c * large + i] / divisors[o];
            });
        }
        y
    }
}

/// Spreads each window's gradient evenly over its taps.
#[derive(Clone, Copy, Debug)]
pub struct AveragePoolGradient {
    /// The pool.
    pub pool: AveragePool,
    /// Height and width of the pool's input.
    pub output: [usize; 2],
}

impl Operator for AveragePoolGradient {
    fn name(&self) -> &'static str {
        "AveragePoolGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (channels, hw) = image(inputs[0])?;
        if self.pool.window.output(self.output)? != hw {
            return Err("its input is not of the shape that the pool makes".into());
        }
        Ok(vec![channels, self.output[0], self.output[1]])
    }

    fn work(&self, inputs: &[&[usize]], _: &[usize]) -> u64 {
        limits::product(inputs[0]).saturating_mul(self.pool.window.taps())
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (channels, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let (own, output) = (*self, self.output);
        let divisors = self.pool.divisors(output, input);
        at.channels_last(move |read, made| {
            let g = read[0].floats();
            own.pool.window.for_each(output, input, |from, _, to| {
                let (x, g) = (row_mut(made, to, channels), row(g, from, channels));
                x.iter_mut().zip(g).for_each(|(x, g)| *x += g / divisors[from]);
            });
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let divisors = self.pool.divisors(self.output, at.inputs[0].extents());
        pool_gradient(at, &self.pool.window, self.output, &PoolGradient::Mean(divisors))
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let g = inputs[0];
        let (channels, hw) = image(&g.shape).unwrap();
        let divisors = self.pool.counts(self.output, hw);
        let (small, large) = (hw[0] * hw[1], self.output[0] * self.output[1]);
        let mut x = crate::graph::reference::Array::zeros(&[channels, self.output[0], self.output[1]]);
        for c in 0..channels {
            self.pool.window.taps_of(self.output, hw, |o, _, i| {
                x.data[c * large + i] += g.data[c * small + o] / divisors[o];
            });
        }
        x
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::AveragePool;
    use crate::{
        graph::Graph,
        ops::cases::{Case, int, single, window},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("AveragePool", &["AveragePool"], average_pool)];

    fn average_pool(rng: &mut Rng) -> Graph {
        let (mut window, hw) = window(rng);
        window.ceil = rng.random();
        single(&[int(rng, 1, 9), hw[0], hw[1]], AveragePool { window, count_padding: rng.random() })
    }
}
