//! Input x gradient: each input times how much the score would change with it.

use async_trait::async_trait;

use super::{at_image, product};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper, score_unit},
    error::Result,
    graph::Rule,
    network::Score,
};

/// `x * df / dx`, signed, for every channel and pixel of the normalised input. Shrikumar et al. 2016, section 2.
pub struct InputXGradient;

const ABOUT: About = About {
    id: "input-x-gradient",
    label: "Input x gradient",
    group: Group::Pixels,
    sentence: "What each pixel contributes, if the score went on as straight as it starts.",
    paper: Paper {
        authors: "Shrikumar, Greenside, Shcherbina, Kundaje",
        title: "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences",
        year: 2016,
        url: "https://arxiv.org/abs/1605.01713",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for InputXGradient {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let (unit, gradient) = (score_unit(question.score), at_image(context, Rule::Plain).await?);
        let map = |(k, &t)| Ok(Map::new(t, product(context.image, &gradient.at(k))?, unit));
        question.targets.iter().enumerate().map(map).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{attribution::oracle, network::Score};

    #[test]
    fn is_the_product() {
        let mut case = oracle::Case::new(Score::Logit);
        let (own, gradient) = (case.explain("input-x-gradient", &[1]), case.explain("saliency", &[1]));
        let expected = case.image.data().iter().zip(gradient[0].values.data()).map(|(x, g)| x * g);
        assert!(own[0].values.data().iter().zip(expected).all(|(a, b)| *a == b));
    }
}
