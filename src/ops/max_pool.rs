//! Maximum over windows, and its gradient.

use tract_onnx::tract_core::internal::OutletId;

use super::{
    one_axis,
    onnx::{Operand, Reader},
    window::{Window, image, row, row_mut},
};
use crate::{
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Lowering, Operator, Shape, Storage, ValueId},
    limits,
    ops::kernels::{PoolGradient, PoolKind, pool, pool_gradient},
};

/// Most taps of a window: which one was the largest is kept in a byte.
const MOST_TAPS: u64 = 255;

/// The largest value of each window; padding does not count.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool {
    /// The window, which says where the taps lie.
    pub window: Window,
}

/// Reads an ONNX MaxPool.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    if node.makes(1) {
        return Err("the second output (indices) is not supported".into());
    }
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
    if window.taps() > MOST_TAPS {
        return in_steps(node, input, window, hw);
    }
    node.add(MaxPool { window }, &[input])
}

/// A pool of pools, where windows lie side by side: a pool counts its taps in a byte.
fn in_steps(
    node: &mut Reader<'_>,
    input: ValueId,
    window: Window,
    hw: [usize; 2],
) -> Result<Operand, String> {
    let side_by_side = Window { strides: window.kernel, ..Window::new(window.kernel) };
    let fits = window == side_by_side && [0, 1].iter().all(|&i| hw[i].is_multiple_of(window.kernel[i]));
    let step = |kernel: usize| (1..=15).rev().find(|&step| kernel.is_multiple_of(step)).unwrap_or(1);
    let (mut value, mut rest) = (input, window.kernel);
    while fits && rest != [1; 2] {
        let kernel = rest.map(step);
        if kernel == [1; 2] {
            break;
        }
        value =
            node.value_of(MaxPool { window: Window { strides: kernel, ..Window::new(kernel) } }, &[value])?;
        rest = [rest[0] / kernel[0], rest[1] / kernel[1]];
    }
    match fits && rest == [1; 2] {
        true => Ok(Operand::Value(value)),
        false => Err("windows of more than 255 taps are not supported".into()),
    }
}

fn pooled(window: &Window, input: &[usize]) -> Result<Shape, String> {
    let (channels, hw) = image(input)?;
    let [h, w] = window.output(hw)?;
    Ok(vec![channels, h, w])
}

impl Operator for MaxPool {
    fn name(&self) -> &'static str {
        "MaxPool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        pooled(&self.window, inputs[0])
    }

    fn work(&self, _: &[&[usize]], output: &[usize]) -> u64 {
        limits::product(output).saturating_mul(self.window.taps())
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (x, g, shape) = (at.inputs[0], at.cotangent, at.input_shape(0));
        let winner = at.add("winner", MaxPoolWinner { window: self.window }, &[x])?;
        let back = MaxPoolGradient { window: self.window, output: [shape[1], shape[2]] };
        Ok(vec![at.add("gradient", back, &[g, winner])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (channels, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let (window, output) = (self.window, [at.node.shape[1], at.node.shape[2]]);
        at.channels_last(move |read, made| {
            made.fill(f32::NEG_INFINITY);
            let x = read[0].floats();
            window.for_each(input, output, |to, _, from| {
                let (to, from) = (row_mut(made, to, channels), row(x, from, channels));
                to.iter_mut().zip(from).for_each(|(best, &v)| *best = if v > *best { v } else { *best });
            });
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        pool(at, &self.window, PoolKind::Maximum, &[])
    }

    fn makes_channels_first(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        tests::pool(&self.window, inputs[0]).0
    }
}

/// Which tap of each window holds the maximum (the first one, row-major, of equals).
#[derive(Clone, Copy, Debug)]
pub struct MaxPoolWinner {
    /// The pool's window.
    pub window: Window,
}

impl Operator for MaxPoolWinner {
    fn name(&self) -> &'static str {
        "MaxPoolWinner"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        pooled(&self.window, inputs[0])
    }

    fn work(&self, _: &[&[usize]], output: &[usize]) -> u64 {
        limits::product(output).saturating_mul(self.window.taps())
    }

    fn storage(&self) -> Storage {
        Storage::Byte
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (channels, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let (window, output) = (self.window, [at.node.shape[1], at.node.shape[2]]);
        at.channels_last_bytes(move |read, made| {
            let (x, mut best) = (read[0].floats(), vec![f32::NEG_INFINITY; made.len()]);
            // Taps come in row-major order, so that `>` keeps the first of equals.
            window.for_each(input, output, |to, tap, from| {
                let best = row_mut(&mut best, to, channels).iter_mut().zip(row_mut(made, to, channels));
                for ((best, winner), &v) in best.zip(row(x, from, channels)) {
                    (*best, *winner) = if v > *best { (v, tap as u8) } else { (*best, *winner) };
                }
            });
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        pool(at, &self.window, PoolKind::Winner, &[])
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        tests::pool(&self.window, inputs[0]).1
    }
}

/// Sends each window's gradient to the tap that won. Reads the gradient, whose rows count targets, and the
/// winners, whose rows may count images.
#[derive(Clone, Copy, Debug)]
pub struct MaxPoolGradient {
    /// The pool's window.
    pub window: Window,
    /// Height and width of the pool's input.
    pub output: [usize; 2],
}

impl Operator for MaxPoolGradient {
    fn name(&self) -> &'static str {
        "MaxPoolGradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (channels, hw) = image(inputs[0])?;
        if inputs[0] != inputs[1] || self.window.output(self.output)? != hw {
            return Err("its inputs are not of the shape that the pool makes".into());
        }
        Ok(vec![channels, self.output[0], self.output[1]])
    }

    fn work(&self, inputs: &[&[usize]], _: &[usize]) -> u64 {
        limits::product(inputs[0]).saturating_mul(self.window.taps())
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (channels, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let (window, output) = (self.window, self.output);
        at.channels_last(move |read, made| {
            let (g, winners) = (read[0].floats(), read[1].bytes());
            window.for_each(output, input, |from, tap, to| {
                let from = row(g, from, channels).iter().zip(row(winners, from, channels));
                for (x, (g, &winner)) in row_mut(made, to, channels).iter_mut().zip(from) {
                    *x += if usize::from(winner) == tap { *g } else { 0.0 };
                }
            });
        })
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        pool_gradient(at, &self.window, self.output, &PoolGradient::Maximum)
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let (g, winner) = (inputs[0], inputs[1]);
        let (channels, hw) = image(&g.shape).unwrap();
        let mut x = crate::graph::reference::Array::zeros(&[channels, self.output[0], self.output[1]]);
        let (small, large) = (hw[0] * hw[1], self.output[0] * self.output[1]);
        for c in 0..channels {
            self.window.taps_of(self.output, hw, |o, tap, i| {
                if winner.data[c * small + o] == tap as f64 {
                    x.data[c * large + i] += g.data[c * small + o];
                }
            });
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, image};
    use crate::graph::reference::Array;

    /// The maxima and which taps hold them.
    pub fn pool(window: &Window, x: &Array) -> (Array, Array) {
        let (channels, hw) = image(&x.shape).unwrap();
        let out = window.output(hw).unwrap();
        let (large, small) = (hw[0] * hw[1], out[0] * out[1]);
        let mut best = Array::new(&[channels, out[0], out[1]], vec![f64::NEG_INFINITY; channels * small]);
        let mut winner = Array::zeros(&best.shape);
        for c in 0..channels {
            // Taps come in row-major order, so that `>` keeps the first of equals.
            window.taps_of(hw, out, |o, tap, i| {
                let v = x.data[c * large + i];
                if v > best.data[c * small + o] {
                    best.data[c * small + o] = v;
                    winner.data[c * small + o] = tap as f64;
                }
            });
        }
        (best, winner)
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::MaxPool;
    use crate::{
        graph::Graph,
        ops::cases::{Case, int, single, window},
        rng::Rng,
    };

    pub const ALL: &[Case] =
        &[Case::new("MaxPool", &["GlobalMaxPool", "MaxPool", "ReduceMax", "ReduceMin"], max_pool)];

    fn max_pool(rng: &mut Rng) -> Graph {
        let (mut window, hw) = window(rng);
        window.ceil = rng.random();
        single(&[int(rng, 1, 9), hw[0], hw[1]], MaxPool { window })
    }
}
