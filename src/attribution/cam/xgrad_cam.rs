//! XGrad-CAM: Grad-CAM with each place's gradient weighted by its share of the channel's activation.

use async_trait::async_trait;

use super::{map_each, plane_sum, weighted_sum};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper, score_unit},
    error::Result,
    network::Score,
    tensor::Tensor,
};

/// `L = sum over k of w_k A_k` with `w_k = sum over positions of A_kij / (sum of A_k) df / dA_kij`. Fu et al.
/// 2020, equation 8; the denominator gets 1e-7, as in pytorch-grad-cam.
pub struct XGradCam;

const ABOUT: About = About {
    id: "xgrad-cam",
    label: "XGrad-CAM",
    group: Group::Regions,
    sentence: "As Grad-CAM, with weights chosen so that the map adds up to the score as nearly as it can.",
    paper: Paper {
        authors: "Fu, Hu, Dong, Guo, Gao, Li",
        title: "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs",
        year: 2020,
        url: "https://arxiv.org/abs/2008.02312",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for XGradCam {
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
    let weight = |c: usize| {
        let (a, g) = (activation.row(c), gradient.row(c));
        let dot: f64 = a.iter().zip(g).map(|(&a, &g)| f64::from(a) * f64::from(g)).sum();
        dot / (plane_sum(a) + 1e-7)
    };
    let weights: Vec<f64> = (0..activation.shape()[0]).map(weight).collect();
    weighted_sum(activation, &weights)
}

#[cfg(test)]
mod tests {
    use super::combine;
    use crate::tensor::Tensor;

    #[test]
    fn equals_the_paper_by_hand() {
        let activation = Tensor::new([2, 1, 2], vec![1.0, 3.0, 4.0, 0.0]).unwrap();
        let gradient = Tensor::new([2, 1, 2], vec![0.5, 1.5, -2.0, 7.0]).unwrap();
        // w = (5 / 4, -2)
        let map = combine(&activation, &gradient).unwrap();
        assert!((map.data()[0] - (1.25 - 8.0)).abs() < 1e-5 && (map.data()[1] - 3.75).abs() < 1e-5);
    }
}
