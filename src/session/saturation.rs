//! How many values a quantized network cuts off for an image.

use serde::Serialize;

use super::Session;
use crate::{
    backend::{Backend, Images},
    error::Result,
    network::Program,
    tensor::Tensor,
};

/// How many values a quantized network's quantizers cut off for an image: there the gradient is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Saturation {
    /// How many were outside their quantizer's range.
    pub saturated: u64,
    /// How many there were.
    pub values: u64,
}

impl Session {
    /// How many values the network's quantizers cut off for an image; nothing for a float network.
    pub(super) async fn saturation(&mut self, image: &Tensor) -> Result<Option<Saturation>> {
        let sizes = self.network.quantized();
        if sizes.is_empty() {
            return Ok(None);
        }
        if let Some((_, known)) = self.saturation.as_ref().filter(|(seen, _)| seen == image) {
            return Ok(Some(*known));
        }
        let batch = Tensor::stack(std::slice::from_ref(image))?;
        let inside = self.backend.run(&Program::Saturation, Images::Batch(&batch), None).await?;
        let found = Saturation::count(&sizes, &inside);
        self.saturation = Some((image.clone(), found));
        Ok(Some(found))
    }
}

impl Saturation {
    /// From how many values each quantizer sees, and what [`Program::Saturation`] says of them.
    fn count(sizes: &[usize], inside: &[Tensor]) -> Self {
        let cut = |(&size, shares): (&usize, &Tensor)| {
            let mean = shares.sum() / shares.len().max(1) as f64;
            ((1.0 - mean) * size as f64).round().max(0.0) as u64
        };
        let saturated = sizes.iter().zip(inside).map(cut).sum();
        Self { saturated, values: sizes.iter().map(|&n| n as u64).sum() }
    }

    pub(super) fn note(self) -> String {
        let share = 100.0 * self.saturated as f64 / self.values.max(1) as f64;
        format!(
            "For this image {} of {} quantized values ({share:.2} %) were saturated; the gradient is zero there.",
            self.saturated, self.values
        )
    }
}
