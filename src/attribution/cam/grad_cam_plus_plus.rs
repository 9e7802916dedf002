//! Grad-CAM++: Grad-CAM with weights that follow from second and third derivatives.

use async_trait::async_trait;

use super::{map_each, plane_sum, weighted_sum};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    error::Result,
    network::Score,
    tensor::Tensor,
};

/// `L = sum over k of w_k A_k`, `w_k = sum over positions of a_kij max(g_kij, 0)`,
/// `a = g^2 / (2 g^2 + (sum of A_k) g^3)`, `g = df / dA`. Chattopadhay et al. 2018, equations 7 and 19: the
/// score is taken to be an exponential, so that higher derivatives are powers of `g`. The denominator gets 1e-6,
/// as in pytorch-grad-cam.
pub struct GradCamPlusPlus;

const ABOUT: About = About {
    id: "grad-cam++",
    label: "Grad-CAM++",
    group: Group::Regions,
    sentence: "As Grad-CAM, but it finds several objects of one class, and more of each.",
    paper: Paper {
        authors: "Chattopadhay, Sarkar, Howlader, Balasubramanian",
        title: "Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep Convolutional Networks",
        year: 2018,
        url: "https://arxiv.org/abs/1710.11063",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for GradCamPlusPlus {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn sweeps(&self) -> bool {
        true
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        map_each(context, "weighted activation", combine).await
    }
}

fn combine(activation: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let weight = |c: usize| -> f64 {
        let sum = plane_sum(activation.row(c));
        let term = |&g: &f32| {
            let g = f64::from(g);
            if g > 0.0 { g * g / (2.0 * g * g + sum * g.powi(3) + 1e-6) * g } else { 0.0 }
        };
        gradient.row(c).iter().map(term).sum()
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
        let activation = Tensor::new([1, 1, 2], vec![1.0, 3.0]).unwrap();
        let gradient = Tensor::new([1, 1, 2], vec![0.5, -1.5]).unwrap();
        // a = 0.25 / (0.5 + 4 * 0.125 + 1e-6), w = 0.5 a
        let w = 0.5 * 0.25 / (1.0 + 1e-6);
        let map = combine(&activation, &gradient).unwrap();
        assert!(
            (f64::from(map.data()[0]) - w).abs() < 1e-6 && (f64::from(map.data()[1]) - 3.0 * w).abs() < 1e-6
        );
    }
}
