//! What several methods share.

pub mod background;
pub mod baseline;
pub mod cam;
pub mod fill;
pub mod gradient;
pub mod linear;
pub mod masker;
pub mod moments;
pub mod noise;
#[cfg(test)]
pub mod oracle;
pub mod owen;
pub mod perturb;
pub mod quadrature;
pub mod regression;
pub mod segments;
pub mod shapley;

use crate::network::Score;

/// One image's logits as the wanted score. Probabilities are a softmax in double precision.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn scores(logits: &[f32], score: Score) -> Vec<f32> {
    match score {
        Score::Logit => logits.to_vec(),
        Score::Probability => softmax(logits).into_iter().map(|p| p as f32).collect(),
    }
}

/// The softmax in double precision.
#[must_use]
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp: Vec<f64> = logits.iter().map(|&z| (f64::from(z) - f64::from(top)).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|e| e / sum).collect()
}
