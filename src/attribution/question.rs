//! The question to a method: the same description from the page, the command line and the Rust API down to the method.

use std::sync::Arc;

use super::Settings;
use crate::{
    backend::{BitRows, Segmentation},
    error::Result,
    network::{Layer, Score},
    picture::Preprocessing,
    tensor::Tensor,
};

/// A question to a method about one image, checked and complete.
///
/// An input that a method needs and the image does not hold is a field here.
#[derive(Clone, Debug)]
pub struct Question {
    /// The classes to explain.
    pub targets: Vec<usize>,
    /// The class that every target is held against: the difference of their scores is explained.
    pub versus: Option<usize>,
    /// The layer, for methods that look at one.
    pub layer: Option<Layer>,
    /// The score to explain.
    pub score: Score,
    /// The method's parameters.
    pub settings: Settings,
    /// The seed of all random numbers.
    pub seed: u64,
    /// `[N, C, H, W]`, normalised: other images, for methods that compare with them.
    pub background: Option<Tensor>,
    /// `[C, H, W]`, normalised: an image of the caller's, for methods that start from one.
    pub baseline: Option<Tensor>,
    /// The caller's own segments, for methods that hide segments.
    pub segments: Option<Arc<Segmentation>>,
    /// The caller's own samples, one bit per segment, for methods that draw them.
    pub samples: Option<BitRows>,
    /// The preprocessing that made the image, which says what colours mean at the network's input.
    pub preprocessing: Preprocessing,
}

impl Question {
    /// A question about the logit, at the input, with nothing of the caller's own.
    #[must_use]
    pub fn new(targets: Vec<usize>, settings: Settings, preprocessing: Preprocessing) -> Self {
        Self {
            targets,
            versus: None,
            layer: None,
            score: Score::Logit,
            settings,
            seed: 0,
            background: None,
            baseline: None,
            segments: None,
            samples: None,
            preprocessing,
        }
    }

    /// Cotangents over `classes` for every image and target: one at the target, minus one at the class that it is
    /// held against; `[N * K, classes]`.
    pub fn cotangents(&self, classes: usize, images: usize) -> Result<Tensor> {
        let rows = images * self.targets.len();
        let mut data = vec![0.0; rows * classes];
        for (row, values) in data.chunks_exact_mut(classes).enumerate() {
            values[self.targets[row % self.targets.len()]] += 1.0;
            if let Some(versus) = self.versus {
                values[versus] -= 1.0;
            }
        }
        Tensor::new([rows, classes], data)
    }
}
