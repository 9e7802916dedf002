//! Saliency: the gradient of the score with respect to the input.

use async_trait::async_trait;

use super::{at_image, gradient_unit};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    error::Result,
    graph::Rule,
    network::Score,
};

/// `df / dx`, signed, for every channel and pixel. Simonyan et al. 2014, section 3, whose display (the largest
/// magnitude over the channels) is a display option here.
pub struct Saliency;

const ABOUT: About = About {
    id: "saliency",
    label: "Saliency",
    group: Group::Pixels,
    sentence: "How much the score would change if a pixel changed a little.",
    paper: Paper {
        authors: "Simonyan, Vedaldi, Zisserman",
        title: "Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency Maps",
        year: 2014,
        url: "https://arxiv.org/abs/1312.6034",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for Saliency {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let (unit, gradient) = (gradient_unit(context.question.score), at_image(context, Rule::Plain).await?);
        Ok(context
            .question
            .targets
            .iter()
            .enumerate()
            .map(|(k, &t)| Map::new(t, gradient.at(k), unit))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        attribution::oracle,
        network::{Head, Score},
    };

    /// The definition: a small step along each input changes the score by the gradient.
    #[test]
    fn equals_finite_differences() {
        let scores = [Score::Logit, Score::Probability, Score::Probability];
        for (score, head) in scores.into_iter().zip([Head::Softmax, Head::Softmax, Head::Sigmoid]) {
            let mut case = oracle::Case::new(score).with_head(head);
            let maps = case.explain("saliency", &[1, 4]);
            for map in &maps {
                for i in [0, 7, 50, 101, 150] {
                    let slope = case.slope(map.target, i);
                    let got = f64::from(map.values.data()[i]);
                    assert!(
                        (got - slope).abs() <= 1e-4 * slope.abs().max(0.1),
                        "{score:?} {head} {got} {slope}"
                    );
                }
            }
            assert_ne!(maps[0].values, maps[1].values);
        }
    }

    /// Why this class rather than that: the difference of the scores' gradients.
    #[test]
    fn one_class_is_held_against_another() {
        for score in [Score::Logit, Score::Probability] {
            against(oracle::Case::new(score).with_head(Head::Sigmoid));
        }
    }

    fn against(mut case: oracle::Case) {
        let apart = case.explain("saliency", &[1, 4, 2]);
        case.versus = Some(2);
        let contrast = case.explain("saliency", &[1, 4]);
        for (k, map) in contrast.iter().enumerate() {
            for (i, got) in map.values.data().iter().enumerate() {
                let want = apart[k].values.data()[i] - apart[2].values.data()[i];
                assert!((got - want).abs() < 1e-5, "{got} {want}");
            }
        }
        // Integrated gradients add up to the difference of the scores.
        let map = case.explain("integrated-gradients", &[1]).remove(0);
        assert!(map.extras["delta"].as_f64().unwrap().abs() < 0.02 * map.values.sum().abs().max(1.0));
    }
}
