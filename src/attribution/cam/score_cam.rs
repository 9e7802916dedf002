//! Score-CAM: a layer's channels, weighted by the score when only what they light up is shown.

use async_trait::async_trait;

use super::weighted_sum;
use crate::{
    attribution::{About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter},
    backend::Images,
    bilinear::{by_corners, enlarged},
    error::{Error, Result},
    network::{Program, Score, softmax},
    tensor::Tensor,
};

/// `L = sum over k of w_k A_k` with `w = softmax over k of f(x o M_k)`, where `M_k` is the channel `A_k` brought to
/// the image's size and scaled to `0..1`. Wang et al. 2020, algorithm 1, with the softmax over all channels of the
/// raw scores and the corner-aligned enlarging of pytorch-grad-cam.
///
/// One forward pass per channel; channels that are flat all hide the whole image, and share one.
pub struct ScoreCam;

const ABOUT: About = About {
    id: "score-cam",
    label: "Score-CAM",
    group: Group::Regions,
    sentence: "Which regions keep the score up when the rest is hidden; it needs no gradient.",
    paper: Paper {
        authors: "Wang, Wang, Du, Yang, Zhang, Ding, Mardziel, Hu",
        title: "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
        year: 2020,
        url: "https://arxiv.org/abs/1910.01279",
    },
    parameters: &[Parameter {
        key: "channels",
        label: "Channels",
        help: "How many channels are tried, those that vary most first; 0 for all.",
        kind: Kind::Integer { min: 0, max: 100_000, default: 0 },
    }],
    default_score: Score::Logit,
    cost: Cost::forward("channels + 1"),
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for ScoreCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn contrasts(&self) -> bool {
        false
    }

    fn differentiates(&self) -> bool {
        false
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let forward = Program::Forward { layer: Some(context.layer()?.value) };
        let outputs = context.run(&forward, Images::Batch(&context.batch_of_one()?), None).await?;
        let activation =
            outputs.get(1).ok_or_else(|| Error::Model("the backend gave no activation".into()))?.at(0);
        let tried = varied(&activation, question.settings.integer("channels"));
        let scores = channel_scores(context, &activation, &tried).await?;
        let map = |(k, &target): (usize, &usize)| {
            let of_target: Vec<f32> = scores.iter().map(|row| row[k]).collect();
            let mut weights = vec![0.0; activation.shape()[0]];
            tried.iter().zip(softmax(&of_target)).for_each(|(&c, w)| weights[c] = w);
            Ok(Map::new(target, weighted_sum(&activation, &weights)?, "weighted activation"))
        };
        question.targets.iter().enumerate().map(map).collect()
    }
}

/// The channels to try: all, or those whose values vary most; in ascending order.
fn varied(activation: &Tensor, most: usize) -> Vec<usize> {
    let mut channels: Vec<usize> = (0..activation.shape()[0]).collect();
    if most == 0 || most >= channels.len() {
        return channels;
    }
    let variance = |c: &usize| {
        let row = activation.row(*c);
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len() as f64;
        row.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>()
    };
    let variances: Vec<f64> = channels.iter().map(variance).collect();
    channels.sort_by(|a, b| variances[*b].total_cmp(&variances[*a]));
    channels.truncate(most);
    channels.sort_unstable();
    channels
}

/// For each channel, the targets' scores of the image under its mask.
async fn channel_scores(
    context: &mut Context<'_>,
    activation: &Tensor,
    channels: &[usize],
) -> Result<Vec<Vec<f32>>> {
    let image = context.image;
    let flat = |c: usize| activation.row(c).iter().all(|v| *v == activation.row(c)[0]);
    // One flat channel stands for all.
    let shared = channels.iter().position(|&c| flat(c));
    let own: Vec<usize> = (0..channels.len()).filter(|&i| Some(i) == shared || !flat(channels[i])).collect();
    let batch = context.backend.batch(&Program::Forward { layer: None }, 1).await?.max(1);
    let mut scores: Vec<Vec<f32>> = vec![vec![]; channels.len()];
    let mut done = 0;
    context.observer.progress(0, own.len() as u64, None).await?;
    for chunk in own.chunks(batch) {
        let masked = |&i: &usize| masked(image, activation, channels[i]);
        let images = Tensor::stack(&chunk.iter().map(masked).collect::<Result<Vec<_>>>()?)?;
        let made = context.scores(Images::Batch(&images)).await?;
        chunk.iter().enumerate().for_each(|(row, &i)| scores[i] = made.row(row).to_vec());
        done += chunk.len() as u64;
        context.observer.progress(done, own.len() as u64, None).await?;
    }
    let blank = shared.map(|i| scores[i].clone()).unwrap_or_default();
    scores.iter_mut().filter(|s| s.is_empty()).for_each(|s| s.clone_from(&blank));
    Ok(scores)
}

/// The image times a channel that is enlarged and scaled to `0..1`.
fn masked(image: &Tensor, activation: &Tensor, channel: usize) -> Result<Tensor> {
    let (from, to) = (&activation.shape()[1..], &image.shape()[1..]);
    let mask = enlarged(activation.row(channel), [from[0], from[1]], [to[0], to[1]], by_corners);
    let (low, high) = mask.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let scale = (high - low + 1e-8).recip();
    let plane = image.row_len();
    let value = |(i, &v): (usize, &f32)| (f64::from(v) * (mask[i % plane] - low) * scale) as f32;
    Tensor::new(image.shape(), image.data().iter().enumerate().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::varied;
    use crate::{attribution::oracle, network::Score, tensor::Tensor};

    #[test]
    fn all_channels_are_tried_unless_some_are_asked_for() {
        let activation = Tensor::new([3, 1, 2], vec![0.0, 1.0, 5.0, 5.0, 0.0, 9.0]).unwrap();
        assert_eq!(varied(&activation, 0), [0, 1, 2]);
        assert_eq!(varied(&activation, 2), [0, 2]);
    }

    /// Weights are positive and sum to one, so the map lies between the least and the greatest channel.
    #[test]
    fn is_a_mean_of_channels() {
        let mut case = oracle::Case::new(Score::Logit);
        let maps = case.explain("score-cam", &[1, 3]);
        assert_ne!(maps[0].values, maps[1].values);
        assert!(maps.iter().all(|m| m.values.range().0 >= 0.0 && m.values.range().1 > 0.0));
    }
}
