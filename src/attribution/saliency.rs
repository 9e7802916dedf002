//! Saliency: the gradient of the score with respect to the input.

use async_trait::async_trait;

use super::{About, Group, Map, MapKind, Method, Paper, Run};
use crate::{
    backend::Images,
    error::Result,
    graph::Rule,
    network::{Program, Score},
    tensor::Tensor,
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
    map: MapKind::Channels,
};

#[async_trait(?Send)]
impl Method for Saliency {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, run: &mut Run<'_>) -> Result<Vec<Map>> {
        let program = Program::Gradient { score: run.score, layer: None, rule: Rule::Plain };
        let gradient = input_gradient(run, &program).await?;
        let unit = match run.score {
            Score::Logit => "logit per unit of the normalised input",
            Score::Probability => "probability per unit of the normalised input",
        };
        let map = |(k, &target)| Map::new(target, gradient.at(k), unit);
        Ok(run.targets.iter().enumerate().map(map).collect())
    }
}

/// The gradient of every target's score at the image: `[K, C, H, W]`.
async fn input_gradient(run: &mut Run<'_>, program: &Program) -> Result<Tensor> {
    run.observer.progress(0, 1, None).await?;
    let (image, cotangents) = (run.batch_of_one()?, run.one_hot(1)?);
    let mut outputs = run.run(program, Images::Batch(&image), Some(&cotangents)).await?;
    run.observer.progress(1, 1, None).await?;
    Ok(outputs.swap_remove(1))
}

#[cfg(test)]
mod tests {
    use crate::{attribution::support::oracle, network::Score};

    /// The definition: a small step along each input changes the score by the gradient.
    #[test]
    fn equals_finite_differences() {
        let mut case = oracle::Case::new(Score::Logit);
        let maps = case.explain("saliency", &[1, 4]);
        for map in &maps {
            for i in [0, 7, 50, 101, 150] {
                let slope = case.slope(map.target, i);
                let got = f64::from(map.values.data()[i]);
                assert!((got - slope).abs() <= 1e-4 * slope.abs().max(0.1), "{got} {slope}");
            }
        }
        assert_ne!(maps[0].values, maps[1].values);
    }
}
