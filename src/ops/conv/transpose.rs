//! Transposed convolution: the gradient of a strided convolution with respect to its input.

use std::sync::Arc;

use tract_onnx::tract_core::{internal::OutletId, ops::cnn};

use super::depthwise_loop::DepthwiseLoop;
use crate::{
    chain::{Epilogue, Step},
    error::Result,
    gpu::Recording,
    graph::{Constant, Lowering, Operator, Shape},
    limits,
    ops::{
        kernels::{Convolution, Depthwise, GatherAxis, convolve, depthwise, pairs},
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
