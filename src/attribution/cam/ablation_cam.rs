//! Ablation-CAM: a layer's channels, weighted by how much the score falls without each.

use async_trait::async_trait;

use super::weighted_sum;
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    backend::{Images, LayerInput},
    error::{Error, Result},
    network::{Program, Score},
    tensor::Tensor,
};

/// `L = sum over k of w_k A_k` with `w_k = (y - y_k) / y`, where `y_k` is the score when channel `k` is zero.
/// Desai and Ramaswamy 2020, equations 1 and 2, without the ReLU.
///
/// Only what comes after the layer is run, once a channel, and what gets past it, as around a residual block; a
/// channel that is zero already has no weight. Where a layer has negative values pytorch-grad-cam puts -1e7 in place of
/// zero; zero is the paper's.
pub struct AblationCam;

const ABOUT: About = About {
    id: "ablation-cam",
    label: "Ablation-CAM",
    group: Group::Regions,
    sentence: "Which regions hold what the score falls without; it needs no gradient.",
    paper: Paper {
        authors: "Desai, Ramaswamy",
        title: "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free Localization",
        year: 2020,
        url: "https://doi.org/10.1109/WACV45572.2020.9093360",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::forward("channels + 1"),
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for AblationCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn contrasts(&self) -> bool {
        false
    }

    fn differentiates(&self) -> bool {
        false
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let layer = context.layer()?.value;
        let head = Program::Head { from: layer };
        let batch = context.backend.batch(&head, 1).await?.max(1);
        let image = context.batch_of_one()?;
        let outputs =
            context.run(&Program::Forward { layer: Some(layer) }, Images::Batch(&image), None).await?;
        let activation =
            outputs.get(1).ok_or_else(|| Error::Model("the backend gave no activation".into()))?.at(0);
        let whole = context.scores_from(&outputs[0])?;
        if let Some(&flat) =
            question.targets.iter().zip(whole.row(0)).find(|(_, y)| **y == 0.0).map(|(t, _)| t)
        {
            return Err(Error::Argument(format!(
                "the score of class {flat} is zero, and Ablation-CAM divides by it; choose another class or score"
            )));
        }
        let weights = channel_weights(context, &head, batch, &activation, whole.row(0)).await?;
        let map = |(weights, &target): (&Vec<f64>, &usize)| {
            Ok(Map::new(target, weighted_sum(&activation, weights)?, "weighted activation"))
        };
        weights.iter().zip(&question.targets).map(map).collect()
    }
}

/// For each target the channels' weights.
async fn channel_weights(
    context: &mut Context<'_>,
    head: &Program,
    batch: usize,
    activation: &Tensor,
    whole: &[f32],
) -> Result<Vec<Vec<f64>>> {
    let channels = activation.shape()[0];
    let alive: Vec<usize> = (0..channels).filter(|&c| activation.row(c).iter().any(|v| *v != 0.0)).collect();
    let mut weights = vec![vec![0.0; channels]; whole.len()];
    let mut done = 0;
    context.observer.progress(0, alive.len() as u64, None).await?;
    for chunk in alive.chunks(batch) {
        let without = |&c: &usize| {
            let (mut ablated, plane) = (activation.clone(), activation.row_len());
            ablated.data_mut()[c * plane..(c + 1) * plane].fill(0.0);
            ablated
        };
        let ablated = Tensor::stack(&chunk.iter().map(without).collect::<Vec<_>>())?;
        let at = LayerInput { points: &ablated, image: context.image };
        let logits = context.run(head, Images::AtLayer(at), None).await?.swap_remove(0);
        let scores = context.scores_from(&logits)?;
        for (row, &c) in chunk.iter().enumerate() {
            for (k, (&y, &without)) in whole.iter().zip(scores.row(row)).enumerate() {
                weights[k][c] = (f64::from(y) - f64::from(without)) / f64::from(y);
            }
        }
        done += chunk.len() as u64;
        context.observer.progress(done, alive.len() as u64, None).await?;
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use crate::{attribution::oracle, network::Score};

    /// Before pooling and a linear layer, removing a channel takes away its share of the score: the weight is
    /// Grad-CAM's times the channel's sum, over the score.
    #[test]
    fn before_pooling_the_weights_are_shares_of_the_score() {
        let mut case = oracle::Case::new(Score::Logit);
        let maps = case.explain("ablation-cam", &[2, 4]);
        assert_ne!(maps[0].values, maps[1].values);
        assert_eq!(maps[0].values.shape(), case.explain("grad-cam", &[2])[0].values.shape());
    }
}
