//! SmoothGrad: the mean of gradients under noise.

use async_trait::async_trait;

use super::noise;
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    error::Result,
    network::Score,
};

/// `mean over samples of g(x + noise)`, `noise ~ N(0, sigma^2)`. Smilkov et al. 2017, section 3; `sigma` is a
/// share of the input's span, as there. The gathered map `g` is any gradient method's; its square is not taken.
pub struct SmoothGrad;

const ABOUT: About = About {
    id: "smooth-grad",
    label: "SmoothGrad",
    group: Group::Pixels,
    sentence: "Saliency with its flicker averaged out, by adding noise to the image many times.",
    paper: Paper {
        authors: "Smilkov, Thorat, Kim, Viegas, Wattenberg",
        title: "SmoothGrad: removing noise by adding noise",
        year: 2017,
        url: "https://arxiv.org/abs/1706.03825",
    },
    parameters: noise::PARAMETERS,
    default_score: Score::Logit,
    cost: Cost { forward: "", gradient: "samples" },
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for SmoothGrad {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let (unit, moments) = (noise::unit(context), noise::gather(context).await?);
        let errors = moments.standard_errors();
        let map = |((values, &target), error): ((_, &usize), f64)| {
            let mut map = Map::new(target, values, unit);
            map.extras.insert("standard_error", error.into());
            map
        };
        Ok(moments.means()?.into_iter().zip(&context.question.targets).zip(errors).map(map).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{attribution::oracle, network::Score};

    #[test]
    fn without_noise_it_is_the_method_itself() {
        let mut case = oracle::Case::new(Score::Logit);
        for of in ["saliency", "guided-backprop", "input-x-gradient"] {
            let plain = case.explain(of, &[1, 2]);
            let smooth = oracle::Case::new(Score::Logit)
                .set("of", of)
                .set("sigma", "0")
                .set("samples", "4")
                .explain("smooth-grad", &[1, 2]);
            for (a, b) in plain.iter().zip(&smooth) {
                assert_eq!(a.values, b.values, "{of}");
            }
        }
    }

    #[test]
    fn the_seed_decides_and_the_error_shrinks() {
        let run = |samples: &str, seed| {
            let mut case = oracle::Case::new(Score::Logit);
            case.seed = seed;
            case.set("samples", samples).explain("smooth-grad", &[1]).remove(0)
        };
        assert_eq!(run("8", 1).values, run("8", 1).values);
        assert_ne!(run("8", 1).values, run("8", 2).values);
        let error = |samples| run(samples, 1).extras["standard_error"].as_f64().unwrap();
        let ratio = error("25") / error("400");
        assert!((2.5..6.0).contains(&ratio), "16 times the samples should quarter the error, not {ratio}");
    }
}
