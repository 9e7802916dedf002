//! Grad-CAM: a layer's channels, weighted by how much the score depends on each.

use async_trait::async_trait;

use super::{map_each, plane_sum, weighted_sum};
use crate::{
    attribution::{About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, score_unit},
    error::Result,
    network::Score,
    tensor::Tensor,
};

/// `L = sum over k of w_k A_k` with `w_k = mean over positions of df / dA_k`. Selvaraju et al. 2017, equations
/// 1 and 2; signed unless `relu` is set, as Captum's `LayerGradCam`.
pub struct GradCam;

const ABOUT: About = About {
    id: "grad-cam",
    label: "Grad-CAM",
    group: Group::Regions,
    sentence: "Which regions of the image speak for the class, as a layer of the network sees it.",
    paper: Paper {
        authors: "Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra",
        title: "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization",
        year: 2017,
        url: "https://arxiv.org/abs/1610.02391",
    },
    parameters: &[Parameter {
        key: "relu",
        label: "Positive only",
        help: "Set what speaks against the class to zero, as the paper does.",
        kind: Kind::Boolean { default: false },
    }],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for GradCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sweeps(&self) -> bool {
        true
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let (unit, relu) = (score_unit(question.score), question.settings.boolean("relu"));
        let mut maps = map_each(context, unit, combine).await?;
        if relu {
            maps.iter_mut().flat_map(|m| m.values.data_mut()).for_each(|v| *v = v.max(0.0));
        }
        Ok(maps)
    }
}

/// The map of one target: `[C, h, w]` activations and gradients to `[h, w]`.
pub(in crate::attribution) fn combine(activation: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let plane = activation.row_len() as f64;
    let weights: Vec<f64> = (0..gradient.shape()[0]).map(|c| plane_sum(gradient.row(c)) / plane).collect();
    weighted_sum(activation, &weights)
}

#[cfg(test)]
mod tests {
    use super::combine;
    use crate::{attribution::oracle, network::Score, tensor::Tensor};

    #[test]
    fn equals_the_paper_by_hand() {
        let activation = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, -4.0]).unwrap();
        let gradient = Tensor::new([2, 1, 2], vec![0.5, 1.5, -2.0, 0.0]).unwrap();
        // w = (1, -1)
        assert_eq!(combine(&activation, &gradient).unwrap().data(), [-2.0, 6.0]);
    }

    /// Before global pooling and a linear layer, Grad-CAM is CAM: it sums to the score without its bias.
    #[test]
    fn before_pooling_it_sums_to_the_score() {
        let mut case = oracle::Case::new(Score::Logit);
        let map = case.explain("grad-cam", &[2]).remove(0);
        let expected = case.score(2) - case.bias(2);
        assert!((map.values.sum() - expected).abs() < 1e-4, "{} {expected}", map.values.sum());
    }

    #[test]
    fn relu_keeps_what_is_positive() {
        let mut case = oracle::Case::new(Score::Logit);
        let signed = case.explain("grad-cam", &[2]).remove(0);
        let positive = case.set("relu", "true").explain("grad-cam", &[2]).remove(0);
        assert!(signed.values.range().0 < 0.0);
        assert!(signed.values.data().iter().zip(positive.values.data()).all(|(s, p)| s.max(0.0) == *p));
    }
}
