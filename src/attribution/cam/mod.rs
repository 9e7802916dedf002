//! Class activation maps: methods that weight the channels of a layer.
//!
//! They share a layer's activation and gradients, and sums over its channels.

pub mod ablation_cam;
pub mod eigen_cam;
pub mod grad_cam;
pub mod grad_cam_plus_plus;
pub mod hires_cam;
pub mod layer_cam;
pub mod score_cam;
pub mod xgrad_cam;

use crate::{
    attribution::{Context, Map},
    backend::Images,
    error::{Error, Result},
    graph::Rule,
    network::Program,
    tensor::Tensor,
};

/// A layer's activation, `[C, h, w]`, and every target's gradient there, `[K, C, h, w]`.
pub struct LayerGradients {
    /// `[C, h, w]`.
    pub activation: Tensor,
    /// `[K, C, h, w]`.
    pub gradients: Tensor,
}

/// Asks for a layer's activation and every target's gradient there.
pub async fn layer_gradients(context: &mut Context<'_>) -> Result<LayerGradients> {
    let layer = context.layer()?.value;
    let program = Program::Gradient { score: context.question.score, layer: Some(layer), rule: Rule::Plain };
    let (image, cotangents) = (context.batch_of_one()?, context.cotangents(1)?);
    context.observer.progress(0, 1, None).await?;
    let outputs = context.run(&program, Images::Batch(&image), Some(&cotangents)).await?;
    context.observer.progress(1, 1, None).await?;
    match <[Tensor; 3]>::try_from(outputs) {
        Ok([_, activation, gradients]) => Ok(LayerGradients { activation: activation.at(0), gradients }),
        Err(_) => Err(Error::Model("the backend gave no gradient; please report this".into())),
    }
}

/// One map a target, made from the layer's activation and that target's gradient there.
pub async fn map_each(
    context: &mut Context<'_>,
    unit: &'static str,
    combine: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Vec<Map>> {
    let LayerGradients { activation, gradients } = layer_gradients(context).await?;
    let map = |(k, &target)| Ok(Map::new(target, combine(&activation, &gradients.at(k))?, unit));
    context.question.targets.iter().enumerate().map(map).collect()
}

/// `sum over k of w_k A_k`: `[C, h, w]` to `[h, w]`, accumulated in double precision.
pub fn weighted_sum(activation: &Tensor, weights: &[f64]) -> Result<Tensor> {
    sum_over_channels(activation.shape(), |c, i| weights[c] * f64::from(activation.row(c)[i]))
}

/// `sum over k of term(k, i)` at every position `i` of a `[C, h, w]` layer.
pub fn sum_over_channels(shape: &[usize], term: impl Fn(usize, usize) -> f64) -> Result<Tensor> {
    let plane: usize = shape[1..].iter().product();
    let mut sum = vec![0.0f64; plane];
    for c in 0..shape[0] {
        for (i, s) in sum.iter_mut().enumerate() {
            *s += term(c, i);
        }
    }
    Tensor::new(&shape[1..], sum.into_iter().map(|v| v as f32).collect())
}

/// The sum over a channel's positions, in double precision.
#[must_use]
pub fn plane_sum(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum()
}
