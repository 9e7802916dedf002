//! Grad-CAM: a layer's channels, weighted by how much the score depends on each.

use async_trait::async_trait;

use super::{About, Group, Kind, Map, MapKind, Method, Paper, Parameter, Run};
use crate::{
    backend::Images,
    error::{Error, Result},
    graph::Rule,
    network::{Program, Score},
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
    map: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for GradCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, run: &mut Run<'_>) -> Result<Vec<Map>> {
        let layer = run
            .layer
            .ok_or_else(|| Error::Argument("the network has no layer with height and width".into()))?;
        let program = Program::Gradient { score: run.score, layer: Some(layer.value), rule: Rule::Plain };
        let (image, cotangents) = (run.batch_of_one()?, run.one_hot(1)?);
        run.observer.progress(0, 1, None).await?;
        let outputs = run.run(&program, Images::Batch(&image), Some(&cotangents)).await?;
        run.observer.progress(1, 1, None).await?;
        let [_, activation, gradient] = outputs.as_slice() else {
            return Err(Error::Model("the backend gave no gradient; please report this".into()));
        };
        let unit = match run.score {
            Score::Logit => "logit",
            Score::Probability => "probability",
        };
        let relu = run.settings.boolean("relu");
        let map = |(k, &target)| {
            let mut values = weighted_sum(&activation.at(0), &gradient.at(k))?;
            if relu {
                values.data_mut().iter_mut().for_each(|v| *v = v.max(0.0));
            }
            Ok(Map::new(target, values, unit))
        };
        run.targets.iter().enumerate().map(map).collect()
    }
}

/// `[C, h, w]` activations and gradients to `[h, w]`, accumulated in double precision.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn weighted_sum(activation: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let plane = activation.row_len();
    let mut sum = vec![0.0f64; plane];
    for c in 0..activation.shape()[0] {
        let weight = gradient.row(c).iter().map(|&g| f64::from(g)).sum::<f64>() / plane as f64;
        for (s, &a) in sum.iter_mut().zip(activation.row(c)) {
            *s += weight * f64::from(a);
        }
    }
    Tensor::new(&activation.shape()[1..], sum.into_iter().map(|v| v as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::weighted_sum;
    use crate::{attribution::support::oracle, network::Score, tensor::Tensor};

    #[test]
    fn equals_the_paper_by_hand() {
        let activation = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, -4.0]).unwrap();
        let gradient = Tensor::new([2, 1, 2], vec![0.5, 1.5, -2.0, 0.0]).unwrap();
        // w = (1, -1)
        assert_eq!(weighted_sum(&activation, &gradient).unwrap().data(), [-2.0, 6.0]);
    }

    /// Before global pooling and a linear layer, Grad-CAM is CAM: its mean is the score without its bias.
    #[test]
    fn before_pooling_its_mean_is_the_score() {
        let mut case = oracle::Case::new(Score::Logit);
        let map = case.explain("grad-cam", &[2]).remove(0);
        let mean = map.values.sum();
        let expected = case.score(2) - case.bias(2);
        assert!((mean - expected).abs() < 1e-4, "{mean} {expected}");
    }
}
