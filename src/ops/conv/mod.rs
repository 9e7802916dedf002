//! Convolution over height and width, with groups, dilation and uneven padding. Its gradient is [`transpose`]; fully
//! connected layers, which are convolutions of one pixel, are [`dense`].

pub mod dense;
mod depthwise_loop;
pub mod integer;
mod matrix_vector;
pub mod transpose;

use std::sync::Arc;

use depthwise_loop::DepthwiseLoop;
use integer::IntegerConv;
use tract_onnx::tract_core::{internal::OutletId, ops::cnn};
use transpose::ConvTranspose;

use super::{
    flat_axis, one_axis,
    onnx::{Operand, Reader, size},
    window::{Window, image, kernels_of},
};
use crate::{
    chain::{Epilogue, Grid, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Lowering, Operator, Shape, ValueId},
    limits,
    ops::kernels::{Convolution, Depthwise, GatherAxis, convolve, depthwise},
};

/// `y[o] = bias[o] + sum over c, taps of weights[o, c, tap] * x[c, tap]`, within each group.
#[derive(Clone, Debug)]
pub struct Conv {
    /// `[O, C / groups, kh, kw]`; int8 weights keep their integers and scales.
    pub weights: Arc<Constant>,
    /// One value per output channel.
    pub bias: Option<Arc<Vec<f32>>>,
    /// Channels are split into so many groups, which do not see each other.
    pub groups: usize,
    /// The window, which says where the taps lie.
    pub window: Window,
}

/// Reads an ONNX Conv.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    if one_axis::is_of_one(node) {
        return one_axis::read(node, read);
    }
    if flat_axis::is_of_three(node) {
        return flat_axis::read(node);
    }
    let input = node.value(0)?;
    let (_, hw) = image(&node.node(input).shape)?;
    let conv = of_node(node, hw)?;
    node.add(conv, &[input])
}

/// The convolution that a Conv over planes of these extents is.
pub(super) fn of_node(node: &Reader<'_>, hw: [usize; 2]) -> Result<Conv, String> {
    let weights = node.constant(1)?;
    let &[_, _, kh, kw] = weights.shape.as_slice() else {
        return Err(format!(
            "only convolutions over height and width are supported; the weights are {:?}",
            weights.shape
        ));
    };
    let window = Window::read(node, Some([kh, kw]), hw)?;
    let bias = node.optional_constant(2)?.map(|b| Arc::new(b.to_f32()));
    let groups = size("group", node.int("group", 1))?;
    if weights.quantization.as_ref().is_some_and(|q| q.axis > 3) {
        return Err("the weights have scales along an axis that they do not have".into());
    }
    Ok(Conv { weights, bias, groups, window })
}

impl Conv {
    /// Output channels.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.weights.shape[0]
    }

    /// Input channels.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.weights.shape[1] * self.groups
    }

    /// True if each channel is convolved on its own.
    #[must_use]
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.inputs() && self.groups == self.outputs()
    }

    /// The same in integers, where weights and inputs are integers of 8 bits and a window is one pixel.
    fn integers(&self, input: Grid) -> Option<IntegerConv> {
        let is_pointwise = self.groups == 1 && self.window == Window::new([1, 1]);
        if !is_pointwise {
            return None;
        }
        IntegerConv::new(&self.weights, self.bias.as_ref().map(|b| b.as_slice()), input)
    }

    /// The convolution that maps gradients of the output to gradients of the input, where there is one: with
    /// strides of one, it has the same taps, flipped, and the roles of the channels exchanged.
    fn flipped(&self) -> Option<Self> {
        let mut window = self.window;
        if window.strides != [1, 1] {
            return None;
        }
        for axis in 0..2 {
            let reach = window.extent(axis) - 1;
            window.before[axis] = reach.checked_sub(self.window.before[axis])?;
            window.after[axis] = reach.checked_sub(self.window.after[axis])?;
        }
        let [o, c, kh, kw] = self.weights.shape[..] else { return None };
        let (taps, per_group) = (kh * kw, o / self.groups);
        let old = self.weights.to_f32();
        let mut new = vec![0.0; old.len()];
        for (row, kernel) in old.chunks_exact(taps).enumerate() {
            let (out, input) = (row / c, row % c);
            let (group, within) = (out / per_group, out % per_group);
            let place = ((group * c + input) * per_group + within) * taps;
            for (tap, &w) in kernel.iter().enumerate() {
                new[place + taps - 1 - tap] = w;
            }
        }
        let weights = Arc::new(Constant::floats([c * self.groups, per_group, kh, kw], new));
        Some(Self { weights, bias: None, groups: self.groups, window })
    }
}

/// `scale * conv(x) + shift` as one convolution, computed in double precision.
fn folded(conv: &Conv, scale: &[f32], shift: &[f32]) -> Conv {
    let per_output = conv.weights.len() / conv.outputs();
    let scaled = |i: usize| (conv.weights.real(i) * f64::from(scale[i / per_output])) as f32;
    let weights = Constant::floats(conv.weights.shape.clone(), (0..conv.weights.len()).map(scaled).collect());
    let bias = |o: usize| conv.bias.as_ref().map_or(0.0, |b| f64::from(b[o]));
    let shifted = |o: usize| (bias(o) * f64::from(scale[o]) + f64::from(shift[o])) as f32;
    Conv {
        weights: Arc::new(weights),
        bias: Some(Arc::new((0..conv.outputs()).map(shifted).collect())),
        groups: conv.groups,
        window: conv.window,
    }
}

impl Operator for Conv {
    fn name(&self) -> &'static str {
        "Conv"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (channels, hw) = image(inputs[0])?;
        let outputs = self.outputs();
        let fits = |each: usize| each.checked_mul(self.groups) == Some(channels);
        if self.groups == 0
            || !self.weights.shape.get(1).is_some_and(|&each| fits(each))
            || !outputs.is_multiple_of(self.groups)
        {
            return Err(format!(
                "weights {:?} with {} groups do not fit an input of {channels} channels",
                self.weights.shape, self.groups
            ));
        }
        if self.bias.as_ref().is_some_and(|b| b.len() != outputs) {
            return Err(format!("the bias must have {outputs} values"));
        }
        let [h, w] = self.window.output(hw)?;
        Ok(vec![outputs, h, w])
    }

    fn work(&self, _: &[&[usize]], output: &[usize]) -> u64 {
        let each = self.weights.shape.iter().skip(1).copied().collect::<Vec<_>>();
        limits::product(output).saturating_mul(limits::product(&each))
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let g = at.cotangent;
        if let Some(flipped) = self.flipped() {
            return Ok(vec![at.add("gradient", flipped, &[g])?]);
        }
        let shape = at.input_shape(0);
        let transpose = ConvTranspose {
            weights: self.weights.clone(),
            groups: self.groups,
            window: self.window,
            output: [shape[1], shape[2]],
        };
        Ok(vec![at.add("gradient", transpose, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        // Native processors multiply floats as fast as these loops do integers.
        if cfg!(target_arch = "wasm32")
            && let Some(integers) = at.grid.and_then(|grid| self.integers(grid))
        {
            return at.channels_last(move |inputs, y| integers.run(inputs[0].floats(), y));
        }
        if cfg!(target_arch = "x86_64") && self.is_depthwise() {
            let (_, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
            let (_, output) = image(&at.node.shape).map_err(|e| at.failed(&e))?;
            let bias = self.bias.as_ref().map(|b| b.as_slice());
            let own = DepthwiseLoop::forward(&self.weights, bias, &self.window, input, output);
            return at.channels_last(move |read, made| own.run(read[0].floats(), made));
        }
        let weights = at.constant(".weights", &self.weights.shape, &self.weights.to_f32())?;
        let bias = match &self.bias {
            Some(bias) => at.constant(".bias", &[bias.len()], bias)?,
            None => at.constant(".bias", &[], &[0.0])?,
        };
        let conv = cnn::Conv {
            pool_spec: self.window.pool_spec(self.inputs(), self.outputs()),
            kernel_fmt: cnn::KernelFormat::OIHW,
            group: self.groups,
            q_params: None,
        };
        at.in_hwc(|at, inputs| at.wire("", conv, &[inputs[0], weights, bias]))
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        self.record_with(at, &[], &Epilogue::default())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn reads_masks(&self) -> bool {
        true
    }

    fn record_with(&self, at: &mut Recording<'_>, prologue: &[Step], epilogue: &Epilogue) -> Result<()> {
        let (input, output) = (at.inputs[0].extents(), at.output.extents());
        let axes = [0, 1].map(|i| GatherAxis::forward(&self.window, i, input[i], output[i]));
        let (phases, weights) = (vec![axes], self.weights.to_f32());
        let [_, per_group, kh, kw] = kernels_of(&self.weights.shape)?;
        let bias = self.bias.as_ref().map(|b| b.as_slice());
        if self.is_depthwise() && depthwise::fits(&phases) && at.inputs[0].mask.is_none() {
            let weight = |c: usize, y: usize, x: usize| weights[(c * kh + y) * kw + x];
            let work = Depthwise { phases, channels: self.groups, weight: &weight, bias };
            return depthwise::depthwise(at, &work, epilogue);
        }
        let weight =
            |o: usize, i: usize, y: usize, x: usize| weights[((o * per_group + i) * kh + y) * kw + x];
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let groups = self.groups;
        convolve(
            at,
            &Convolution { phases, inputs, outputs, groups, weight: &weight, bias, prologue },
            epilogue,
        )
    }

    fn followed_by(&self, next: &dyn Operator) -> Option<Arc<dyn Operator>> {
        let (scale, shift) = next.scale_and_shift()?;
        Some(Arc::new(folded(self, scale, shift)))
    }

    fn weights(&self) -> Option<&Arc<Constant>> {
        Some(&self.weights)
    }

    fn with_weights(&self, weights: Arc<Constant>) -> Option<Arc<dyn Operator>> {
        Some(Arc::new(Self { weights, ..self.clone() }))
    }

    fn makes_channels_first(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let x = inputs[0];
        let (_, hw) = image(&x.shape).unwrap();
        let shape = self.shape(&[&x.shape]).unwrap();
        let mut y = crate::graph::reference::Array::zeros(&shape);
        let (c, taps) = (self.weights.shape[1], self.window.kernel.iter().product::<usize>());
        let (plane_in, plane_out) = (hw[0] * hw[1], shape[1] * shape[2]);
        let per_group = self.outputs() / self.groups;
        for out in 0..self.outputs() {
            let bias = self.bias.as_ref().map_or(0.0, |b| f64::from(b[out]));
            y.data[out * plane_out..(out + 1) * plane_out].fill(bias);
            for input in 0..c {
                let channel = out / per_group * c + input;
                self.window.taps_of(hw, [shape[1], shape[2]], |o, tap, i| {
                    let w = self.weights.real((out * c + input) * taps + tap);
                    y.data[out * plane_out + o] += w * x.data[channel * plane_in + i];
                });
            }
        }
        y
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::{Arc, Constant, Conv};
    use crate::{
        graph::{Elements, Graph, Quantization},
        ops::cases::{Case, floats, int, single, window},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("Conv", &["Conv", "FusedConv"], conv)];

    /// A convolution: dense, grouped or depthwise; float or int8 weights; any padding.
    pub fn conv(rng: &mut Rng) -> Graph {
        let (mut window, hw) = window(rng);
        if rng.random_range(0..4) == 0 {
            // Wider than the kernel reaches: its gradient cannot be a convolution.
            window.before[0] += window.kernel[0];
        }
        let groups = [1, 1, 2, 3, 8, 17][int(rng, 0, 5)];
        let depthwise = groups > 2 && rng.random();
        let (c, o) = if depthwise { (1, 1) } else { (int(rng, 1, 6), int(rng, 1, 6)) };
        let weights = weights(rng, vec![o * groups, c, window.kernel[0], window.kernel[1]]);
        let bias = rng.random::<bool>().then(|| Arc::new(floats(rng, o * groups)));
        single(&[c * groups, hw[0], hw[1]], Conv { weights: Arc::new(weights), bias, groups, window })
    }

    /// Floats, or int8 numbers with a scale per output channel.
    fn weights(rng: &mut Rng, shape: Vec<usize>) -> Constant {
        let (n, outputs) = (shape.iter().product(), shape[0]);
        if rng.random() {
            return Constant::floats(shape, floats(rng, n));
        }
        let scales = (0..outputs).map(|_| rng.random_range(1..64) as f32 / 1024.0).collect();
        Constant {
            shape,
            elements: Elements::I8((0..n).map(|_| rng.random()).collect()),
            quantization: Some(Quantization { axis: 0, scales, zero_points: vec![0; outputs] }),
        }
    }
}
