//! Transposed convolution: ONNX's ConvTranspose, Col2Im, and the gradient of a strided convolution with respect to its
//! input.

use std::sync::Arc;

use tract_onnx::tract_core::{internal::OutletId, ops::cnn};

use super::{Conv, depthwise_loop::DepthwiseLoop};
use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Adjoint, Constant, Lowering, Operator, Shape, ValueId},
    limits,
    ops::{
        arithmetic::affine,
        kernels::{Convolution, Depthwise, GatherAxis, convolve, depthwise, pairs},
        one_axis,
        onnx::{Operand, Reader, bounded, size},
        rearrange::check_axes,
        reshape::shaped,
        window::{Window, image, kernels_of, plane_mut, plane_of},
    },
};

/// Scatters what [`super::Conv`] with the same weights and window gathers.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    /// The convolution's `[O, C / groups, kh, kw]`: here `O` channels are read and `C` are made.
    pub weights: Arc<Constant>,
    /// The groups of the convolution.
    pub groups: usize,
    /// The window of the convolution.
    pub window: Window,
    /// Height and width of the convolution's input, which strides leave open.
    pub output: [usize; 2],
}

/// Reads an ONNX ConvTranspose.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    if one_axis::is_of_one(node) {
        return one_axis::read(node, read);
    }
    let (input, weights) = (node.value(0)?, node.constant(1)?);
    let (channels, hw) = image(&node.node(input).shape)?;
    let &[_, _, kh, kw] = weights.shape.as_slice() else {
        return Err(format!("its weights are {:?}, and should have height and width", weights.shape));
    };
    if node.ints("output_shape").is_some() || node.text("auto_pad", "NOTSET") != "NOTSET" {
        return Err("output_shape and auto_pad are not supported; export it with pads".into());
    }
    let window = Window::read(node, Some([kh, kw]), hw)?;
    let more = node.pair("output_padding", [0; 2])?;
    let mut output = [0; 2];
    for axis in 0..2 {
        let steps = window.strides[axis].saturating_mul(hw[axis].saturating_sub(1));
        let whole = steps.saturating_add(more[axis] + window.extent(axis));
        let pads = window.before[axis] + window.after[axis];
        output[axis] = whole.checked_sub(pads).filter(|&extent| extent > 0).ok_or("pads leave nothing")?;
    }
    check_axes(&output)?;
    // Its phases are those of what it makes.
    let window = Window::read(node, Some([kh, kw]), output)?;
    let groups = size("group", node.int("group", 1))?;
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(format!("{groups} groups do not divide {channels} channels"));
    }
    let bias = node.optional_constant(2)?;
    let made = node.value_of(ConvTranspose { weights, groups, window, output }, &[input])?;
    let Some(bias) = bias else { return Ok(Operand::Value(made)) };
    if bias.len() != node.node(made).shape[0] {
        return Err(format!("the bias must have {} values", node.node(made).shape[0]));
    }
    let bias = Constant::floats([bias.len(), 1, 1], bias.to_f32());
    affine(node, made, (1, &bias), |c| (1.0, c)).map(Operand::Value)
}

/// Reads an ONNX Col2Im over height and width: a transposed convolution in which each channel has a weight of one at its
/// own tap.
pub fn read_col2im(node: &mut Reader<'_>) -> Result<Operand, String> {
    let input = node.value(0)?;
    let pair = |i: usize, name: &str, most: u64| match node.constant(i)?.to_i64().as_deref() {
        Some(&[h, w]) => Ok([bounded(name, h, most)?, bounded(name, w, most)?]),
        _ => Err(format!("{name} is not for two axes")),
    };
    let output = pair(1, "image_shape", limits::AXIS)?;
    let kernel = pair(2, "block_shape", limits::WINDOW)?;
    let window = Window::read(node, Some(kernel), output)?;
    let (taps, [h, w]) = (kernel[0] * kernel[1], window.output(output)?);
    let &[channels, columns] = node.node(input).shape.as_slice() else {
        return Err("its input has not two axes beside the batch".into());
    };
    if !channels.is_multiple_of(taps) || columns as u64 != limits::product(&[h, w]) {
        return Err(format!("{channels} by {columns} are no {h} by {w} blocks of {taps}"));
    }
    node.repeat(channels.saturating_mul(taps))?;
    let one = |i: usize| if i / taps % taps == i % taps { 1.0 } else { 0.0 };
    let weights = (0..channels * taps).map(one).collect();
    let weights = Arc::new(Constant::floats([channels, 1, kernel[0], kernel[1]], weights));
    let blocks = shaped(node, input, &[channels, h, w])?;
    node.add(ConvTranspose { weights, groups: channels / taps, window, output }, &[blocks])
}

impl ConvTranspose {
    /// Channels that are read.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.weights.shape[0]
    }

    /// Channels that are made.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.weights.shape[1] * self.groups
    }

    /// Tract's: one product of matrices, then a sum over taps.
    fn dense(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let [o, c, kh, kw] = self.weights.shape[..] else {
            return Err(at.failed(&"its weights are not 4-dimensional"));
        };
        let (old, taps) = (self.weights.to_f32(), kh * kw);
        let mut transposed = Vec::with_capacity(old.len());
        for channel in 0..c {
            for input in 0..o {
                transposed.extend_from_slice(&old[(input * c + channel) * taps..][..taps]);
            }
        }
        let weights = at.constant(".weights", &[c, o, kh, kw], &transposed)?;
        let bias = at.constant(".bias", &[], &[0.0])?;
        // Pixels that a stride leaves over at the end of the convolution's input get no gradient.
        let left_over = |axis: usize| {
            let w = &self.window;
            (self.output[axis] + w.before[axis] + w.after[axis] - w.extent(axis)) % w.strides[axis]
        };
        let op = cnn::Deconv {
            pool_spec: self.window.pool_spec(o, c),
            kernel_format: cnn::KernelFormat::OIHW,
            adjustments: [left_over(0), left_over(1)].into_iter().collect(),
            group: 1,
        };
        at.in_hwc(|at, inputs| at.wire("", op, &[inputs[0], weights, bias]))
    }

    /// Our own, for groups: each has few channels, often one, and matrices of them are too thin.
    fn grouped(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (_, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let (window, output, weights) = (self.window, self.output, self.weights.to_f32());
        let (inputs, per_group) = (self.inputs(), self.inputs() / self.groups);
        let (c, taps) = (self.weights.shape[1], window.kernel[0] * window.kernel[1]);
        at.floats(move |read, made| {
            for from in 0..inputs {
                let g = plane_of(read[0].floats(), from, input);
                for channel in 0..c {
                    let kernel = &weights[(from * c + channel) * taps..][..taps];
                    let to = plane_mut(made, from / per_group * c + channel, output);
                    window.scatter(output, input, to, g, |x, g, tap| *x += kernel[tap] * g);
                }
            }
        })
    }
}

impl ConvTranspose {
    /// Our own, for one channel per group.
    fn depthwise(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (_, input) = image(at.shapes[0]).map_err(|e| at.failed(&e))?;
        let own = DepthwiseLoop::transposed(&self.weights, &self.window, self.output, input);
        at.channels_last(move |read, made| own.run(read[0].floats(), made))
    }

    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.inputs() && self.groups == self.outputs()
    }
}

impl Operator for ConvTranspose {
    fn name(&self) -> &'static str {
        "ConvTranspose"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        let (channels, hw) = image(inputs[0])?;
        if channels != self.inputs() || self.window.output(self.output)? != hw {
            return Err("its input is not of the shape that the convolution makes".into());
        }
        Ok(vec![self.outputs(), self.output[0], self.output[1]])
    }

    fn work(&self, inputs: &[&[usize]], _: &[usize]) -> u64 {
        let each = self.weights.shape.iter().skip(1).copied().collect::<Vec<_>>();
        limits::product(inputs[0]).saturating_mul(limits::product(&each))
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (weights, g) = (self.weights.clone(), at.cotangent);
        let conv = Conv { weights, bias: None, groups: self.groups, window: self.window };
        Ok(vec![at.add("gradient", conv, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        match self.groups {
            1 => self.dense(at),
            _ if self.is_depthwise() => self.depthwise(at),
            _ => self.grouped(at),
        }
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        self.record_with(at, &[], &Epilogue::default())
    }

    fn takes_epilogue(&self) -> bool {
        true
    }

    fn record_with(&self, at: &mut Recording<'_>, _: &[Step], epilogue: &Epilogue) -> Result<()> {
        let (small, large) = (at.inputs[0].extents(), self.output);
        let [rows, columns] = [0, 1].map(|i| GatherAxis::backward(&self.window, i, small[i], large[i]));
        let (phases, weights) = (pairs(&rows, &columns), self.weights.to_f32());
        let [_, c, kh, kw] = kernels_of(&self.weights.shape)?;
        let groups = self.groups;
        if self.is_depthwise() && depthwise::fits(&phases) {
            let weight = |c: usize, y: usize, x: usize| weights[(c * kh + y) * kw + x];
            let work = Depthwise { phases, channels: groups, weight: &weight, bias: None };
            return depthwise::depthwise(at, &work, epilogue);
        }
        let per_group = self.inputs() / groups;
        let weight = |o: usize, i: usize, y: usize, x: usize| {
            let (group, within) = (o / c, o % c);
            weights[(((group * per_group + i) * c + within) * kh + y) * kw + x]
        };
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let work =
            Convolution { phases, inputs, outputs, groups, weight: &weight, bias: None, prologue: &[] };
        convolve(at, &work, epilogue)
    }

    fn weights(&self) -> Option<&Arc<Constant>> {
        Some(&self.weights)
    }

    fn with_weights(&self, weights: Arc<Constant>) -> Option<Arc<dyn Operator>> {
        Some(Arc::new(Self { weights, ..self.clone() }))
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        let g = inputs[0];
        let (_, hw) = image(&g.shape).unwrap();
        let shape = self.shape(&[&g.shape]).unwrap();
        let mut x = crate::graph::reference::Array::zeros(&shape);
        let (c, taps) = (self.weights.shape[1], self.window.kernel.iter().product::<usize>());
        let (plane_in, plane_out) = (hw[0] * hw[1], shape[1] * shape[2]);
        let per_group = self.inputs() / self.groups;
        for input in 0..self.inputs() {
            for out in 0..c {
                let channel = input / per_group * c + out;
                self.window.taps_of(self.output, hw, |i, tap, o| {
                    let w = self.weights.real((input * c + out) * taps + tap);
                    x.data[channel * plane_out + o] += w * g.data[input * plane_in + i];
                });
            }
        }
        x
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use super::{Arc, Constant, ConvTranspose};
    use crate::{
        graph::Graph,
        ops::cases::{Case, floats, int, single, window},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case::new("ConvTranspose", &["Col2Im", "ConvTranspose"], transposed)];

    /// Dense, grouped or depthwise; what a stride leaves over at the end is made too.
    fn transposed(rng: &mut Rng) -> Graph {
        let (window, output) = window(rng);
        let groups = [1, 1, 2, 5][int(rng, 0, 3)];
        let [each, made] = if groups > 2 { [1, 1] } else { [int(rng, 1, 6), int(rng, 1, 6)] };
        let shape = [each * groups, made, window.kernel[0], window.kernel[1]];
        let weights = Arc::new(Constant::floats(shape, floats(rng, shape.iter().product())));
        let [h, w] = window.output(output).unwrap();
        single(&[each * groups, h, w], ConvTranspose { weights, groups, window, output })
    }
}
