//! Transposed convolution: the gradient of a strided convolution with respect to its input.

use std::sync::Arc;

use super::window::{Window, image};
use crate::{
    error::Result,
    graph::{Constant, Operator, Shape},
};

/// Scatters what [`super::conv::Conv`] with the same weights and window gathers.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    /// The convolution's `[O, C / groups, kh, kw]`: here `O` channels are read and `C` are made.
    pub weights: Arc<Constant>,
    /// As the convolution's.
    pub groups: usize,
    /// As the convolution's.
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
                self.window.for_each(self.output, hw, |i, tap, o| {
                    let w = self.weights.real((input * c + out) * taps + tap);
                    x.data[channel * plane_out + o] += w * g.data[input * plane_in + i];
                });
            }
        }
        x
    }
}
