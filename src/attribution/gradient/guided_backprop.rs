//! Guided backpropagation: the gradient, with only what is positive going back through each ReLU.

use async_trait::async_trait;

use super::{at_image, gradient_unit};
use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    error::Result,
    graph::Rule,
    network::Score,
};

/// Saliency with another rule: at each ReLU, ReLU6 or Clip a gradient goes on only where the forward value passed and
/// the gradient is positive. Springenberg et al. 2015, section 3.4. Smooth activations keep their plain gradient.
///
/// Unlike Captum's, it acts wherever an activation stands: ReLU6, reused modules and functional calls too.
pub struct GuidedBackprop;

const ABOUT: About = About {
    id: "guided-backprop",
    label: "Guided backpropagation",
    group: Group::Pixels,
    sentence: "Fine detail that excites the network. It fails the sanity check of Adebayo and others (2018): with \
        random weights it looks much the same, so read it as an edge picture, not as a reason.",
    paper: Paper {
        authors: "Springenberg, Dosovitskiy, Brox, Riedmiller",
        title: "Striving for Simplicity: The All Convolutional Net",
        year: 2015,
        url: "https://arxiv.org/abs/1412.6806",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::GRADIENT,
    map_kind: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for GuidedBackprop {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let (unit, gradient) =
            (gradient_unit(context.question.score), at_image(context, Rule::Guided).await?);
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
    use crate::{attribution::oracle, network::Score};

    #[test]
    fn differs_from_the_plain_gradient() {
        let mut case = oracle::Case::new(Score::Logit);
        let (guided, plain) = (case.explain("guided-backprop", &[1]), case.explain("saliency", &[1]));
        assert_ne!(guided[0].values, plain[0].values);
        assert!(guided[0].values.data().iter().any(|v| *v != 0.0));
    }
}
