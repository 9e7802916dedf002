//! Layer-CAM: a layer's activations times their positive gradients, place by place.

use async_trait::async_trait;

use super::{map_each, sum_over_channels};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper, score_unit},
    error::Result,
    network::Score,
    tensor::Tensor,
};

/// `L_ij = sum over k of max(df / dA_kij, 0) A_kij`. Jiang et al. 2021, equations 5 and 6, before their ReLU.
pub struct LayerCam;

const ABOUT: About = About {
    id: "layer-cam",
    label: "Layer-CAM",
    group: Group::Regions,
    sentence: "As Grad-CAM, but fit for early layers too: each place counts by its own positive gradient.",
    paper: Paper {
        authors: "Jiang, Zhang, Hou, Cheng, Wei",
        title: "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
        year: 2021,
        url: "https://doi.org/10.1109/TIP.2021.3089943",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for LayerCam {
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
    let product =
        |c: usize, i: usize| f64::from(activation.row(c)[i]) * f64::from(gradient.row(c)[i].max(0.0));
    sum_over_channels(activation.shape(), product)
}

#[cfg(test)]
mod tests {
    use super::combine;
    use crate::tensor::Tensor;

    #[test]
    fn equals_the_paper_by_hand() {
        let activation = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, -4.0]).unwrap();
        let gradient = Tensor::new([2, 1, 2], vec![0.5, 1.5, -2.0, 0.25]).unwrap();
        assert_eq!(combine(&activation, &gradient).unwrap().data(), [0.5, 2.0]);
    }
}
