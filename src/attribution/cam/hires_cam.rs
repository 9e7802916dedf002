//! HiRes-CAM: a layer's activations times their gradients, place by place.

use async_trait::async_trait;

use super::{map_each, sum_over_channels};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper, score_unit},
    error::Result,
    network::Score,
    tensor::Tensor,
};

/// `L_ij = sum over k of (df / dA_kij) A_kij`. Draelos and Carin 2020, section 3.3. Where a linear layer follows
/// the layer, the map sums to the score without its bias.
pub struct HiResCam;

const ABOUT: About = About {
    id: "hires-cam",
    label: "HiRes-CAM",
    group: Group::Regions,
    sentence: "As Grad-CAM, but each place is weighted by its own gradient: it shows only what the network used.",
    paper: Paper {
        authors: "Draelos, Carin",
        title: "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
        year: 2020,
        url: "https://arxiv.org/abs/2011.08891",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for HiResCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sweeps(&self) -> bool {
        true
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let unit = score_unit(context.question.score);
        map_each(context, unit, combine).await
    }
}

fn combine(activation: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let product = |c: usize, i: usize| f64::from(activation.row(c)[i]) * f64::from(gradient.row(c)[i]);
    sum_over_channels(activation.shape(), product)
}

#[cfg(test)]
mod tests {
    use super::combine;
    use crate::{attribution::oracle, network::Score, tensor::Tensor};

    #[test]
    fn equals_the_paper_by_hand() {
        let activation = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, -4.0]).unwrap();
        let gradient = Tensor::new([2, 1, 2], vec![0.5, 1.5, -2.0, 0.25]).unwrap();
        assert_eq!(combine(&activation, &gradient).unwrap().data(), [-5.5, 2.0]);
    }

    /// Before global pooling every place of a channel has the same gradient, so it equals Grad-CAM.
    #[test]
    fn before_pooling_it_is_grad_cam() {
        let mut case = oracle::Case::new(Score::Logit);
        let (own, other) =
            (case.explain("hires-cam", &[1]).remove(0), case.explain("grad-cam", &[1]).remove(0));
        assert!(own.values.data().iter().zip(other.values.data()).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
