//! VarGrad: the variance of gradients under noise.

use async_trait::async_trait;

use super::noise;
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    error::Result,
    network::Score,
};

/// `variance over samples of g(x + noise)`, `noise ~ N(0, sigma^2)`, with a divisor of the number of samples as
/// Captum's `NoiseTunnel`. Adebayo et al. 2018, appendix.
pub struct VarGrad;

const ABOUT: About = About {
    id: "vargrad",
    label: "VarGrad",
    group: Group::Pixels,
    sentence: "Where the gradient changes most when noise is added to the image.",
    paper: Paper {
        authors: "Adebayo, Gilmer, Goodfellow, Kim",
        title: "Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values",
        year: 2018,
        url: "https://arxiv.org/abs/1810.03307",
    },
    parameters: noise::PARAMETERS,
    default_score: Score::Logit,
    cost: Cost { forward: "", gradient: "samples" },
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for VarGrad {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let moments = noise::gather(context).await?;
        let unit = "squared unit of the gathered map";
        Ok(moments
            .variances()?
            .into_iter()
            .zip(&context.question.targets)
            .map(|(v, &t)| Map::new(t, v, unit))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{attribution::oracle, network::Score};

    #[test]
    fn is_never_negative_and_zero_without_noise() {
        let map = |sigma: &str| {
            oracle::Case::new(Score::Logit)
                .set("sigma", sigma)
                .set("samples", "9")
                .explain("vargrad", &[1])
                .remove(0)
        };
        assert!(map("0").values.data().iter().all(|v| *v == 0.0));
        let noisy = map("0.2").values;
        assert!(noisy.range().0 >= 0.0 && noisy.range().1 > 0.0);
    }
}
