//! Expected gradients: integrated gradients, averaged over baselines drawn from a set of other images.

use async_trait::async_trait;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::moments::Moments;
use crate::{
    attribution::{
        About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, gradient, score_unit,
    },
    backend::{Images, LayerInput},
    error::{Error, Result},
    graph::{Rule, ValueId},
    network::{Layer, Program, Score},
    rng,
    tensor::Tensor,
};

/// `mean over samples of (x~ - b) * df / dx at t x~ + (1 - t) b`, with `b` drawn from a background set, `t` from
/// `U(0, 1)` and `x~ = x + sigma N(0, 1)`. Erion et al. 2021, equation 3; SHAP's `GradientExplainer` with its
/// local smoothing.
///
/// At a layer its activations take the place of `x` and `b`, as where SHAP is given a Keras layer's input, and
/// the map is summed over the channels. What gets past the layer, as around a residual block, is held at the image's
/// own values, and `f(b)` is then the score with the layer alone taken from `b`.
///
/// The sum approaches `f(x) - mean f(b)`; `delta` says by how much it misses, and `sum_standard_error` by how much
/// chance would have it miss.
pub struct ExpectedGradients;

const ABOUT: About = About {
    id: "expected-gradients",
    label: "Expected gradients (SHAP)",
    group: Group::Pixels,
    sentence: "What each pixel adds to the score, compared with other photographs instead of a blank image.",
    paper: Paper {
        authors: "Erion, Janizek, Sturmfels, Lundberg, Lee",
        title: "Improving performance of deep learning models with axiomatic attribution priors and expected \
            gradients",
        year: 2021,
        url: "https://arxiv.org/abs/1906.10670",
    },
    parameters: &[
        Parameter {
            key: "samples",
            label: "Samples",
            help: "How many points between the image and the background are looked at.",
            kind: Kind::Integer { min: 2, max: 100_000, default: 100 },
        },
        Parameter {
            key: "smoothing",
            label: "Smoothing",
            help: "The deviation of noise that is added to the image, or to the layer, in its own unit.",
            kind: Kind::Number { min: 0.0, max: 1000.0, default: 0.0 },
        },
    ],
    default_score: Score::Logit,
    cost: Cost { forward: "images + 1", gradient: "samples" },
    map_kind: MapKind::Channels,
};

/// Note for a layer that is bypassed.
const HELD: &str = "The image gets past this layer, as around a residual block. What gets past is held at the image's \
    own values; only the layer is compared with the background.";

/// The random numbers of one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Which image of the background.
    pub background: usize,
    /// The position on the path from it to the image: 0 to 1.
    pub t: f64,
    /// Added to each value of the image or of the layer; nothing is added where it is empty.
    pub noise: Vec<f64>,
}

impl Draw {
    /// Sample `index` of a run with `seed`: it depends on nothing else.
    #[must_use]
    fn new(seed: u64, index: usize, ends: Extents, smoothing: f64) -> Self {
        let mut rng = rng::for_sample(seed, index as u64);
        let (background, t) = (rng.random_range(0..ends.backgrounds), rng.random::<f64>());
        let noise = |_| smoothing * Distribution::<f64>::sample(&StandardNormal, &mut rng);
        let noise = if smoothing > 0.0 { (0..ends.values).map(noise).collect() } else { vec![] };
        Self { background, t, noise }
    }
}

/// The sizes that draws are made for.
#[derive(Clone, Copy, Debug)]
pub struct Extents {
    /// The number of images of the background.
    pub backgrounds: usize,
    /// The number of values of the image or of the layer.
    pub values: usize,
}

#[async_trait(?Send)]
impl Method for ExpectedGradients {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes_layer(&self) -> bool {
        true
    }

    fn needs_background(&self) -> bool {
        true
    }

    fn map_kind(&self, layer: Option<&Layer>) -> MapKind {
        layer.map_or(MapKind::Channels, |_| MapKind::Layer)
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let (seed, smoothing) = (question.seed, question.settings.number("smoothing"));
        with_draws(context, question.settings.integer("samples"), &|i, extents| {
            Draw::new(seed, i, extents, smoothing)
        })
        .await
    }
}

/// Expected gradients from draws that the caller makes: what [`Method::explain`] does, its numbers given.
///
/// # Errors
/// [`Error::Argument`] when the background does not fit the image.
pub async fn with_draws(
    context: &mut Context<'_>,
    samples: usize,
    draw: &dyn Fn(usize, Extents) -> Draw,
) -> Result<Vec<Map>> {
    let question = context.question;
    let path = Path::find(context).await?;
    let extents = Extents { backgrounds: path.starts.shape()[0], values: path.end.len() };
    let mut sums = Sums::new(question.targets.len(), path.map_shape());
    let batch = context.backend.batch(&path.program, question.targets.len()).await?.max(1);
    let mut done = 0;
    while done < samples {
        let chunk = batch.min(samples - done);
        let drawn: Vec<PathPoint> =
            (done..done + chunk).map(|i| path.at(&draw(i, extents))).collect::<Result<_>>()?;
        let points: Vec<Tensor> = drawn.iter().map(|d| d.point.clone()).collect();
        let gradients = gradient::of_program(context, &path.program, &Tensor::stack(&points)?).await?;
        let targets = question.targets.len();
        for (i, drawn) in drawn.iter().enumerate() {
            sums.add((0..targets).map(|k| path.contribution(drawn, gradients.row(i * targets + k))));
        }
        done += chunk;
        let partial = sums.maps(context, &path)?;
        context.observer.progress(done as u64, samples as u64, Some(&partial)).await?;
    }
    sums.maps(context, &path)
}

/// The path of interpolation: between images, or between a layer's activations.
struct Path {
    /// `[n, ...]`: where paths start.
    starts: Tensor,
    /// The end of the paths.
    end: Tensor,
    /// Gives the gradient at a point between.
    program: Program,
    at_layer: bool,
    /// For each target, `f(x) - mean f(b)`, at a layer that is bypassed with the rest of the image held.
    differences: Vec<f64>,
}

/// One point of a path.
struct PathPoint {
    point: Tensor,
    /// `x~ - b`.
    way: Vec<f64>,
}

impl Path {
    async fn find(context: &mut Context<'_>) -> Result<Self> {
        let question = context.question;
        let background = question.background.as_ref().ok_or_else(|| {
            Error::Argument("expected gradients compare with other images; give a background of some".into())
        })?;
        if background.shape().get(1..) != Some(context.image.shape()) || background.shape()[0] == 0 {
            return Err(Error::Argument(format!(
                "the background is {:?}, and should be some images of {:?}",
                background.shape(),
                context.image.shape()
            )));
        }
        let layer = question.layer.as_ref().map(|l| l.value);
        let program = match layer {
            None => Program::Gradient { score: question.score, layer: None, rule: Rule::Plain },
            Some(from) => Program::HeadGradient { from, score: question.score, rule: Rule::Plain },
        };
        let (own, end) = forward(context, &context.batch_of_one()?, layer).await?;
        let (mut others, starts) = forward(context, background, layer).await?;
        if let Some(from) = layer.filter(|l| context.backend.network().is_bypassed(*l)) {
            context.note(HELD);
            others = heads(context, &starts, from).await?;
        }
        let n = others.shape()[0];
        let mean = |k: usize| (0..n).map(|i| f64::from(others.row(i)[k])).sum::<f64>() / n as f64;
        let differences = (0..question.targets.len()).map(|k| f64::from(own.row(0)[k]) - mean(k)).collect();
        Ok(Self { starts, end: end.at(0), program, at_layer: layer.is_some(), differences })
    }

    fn map_shape(&self) -> &[usize] {
        if self.at_layer { &self.end.shape()[1..] } else { self.end.shape() }
    }

    fn at(&self, draw: &Draw) -> Result<PathPoint> {
        let start = self.starts.row(draw.background);
        let mut point = self.end.clone();
        let mut way = Vec::with_capacity(point.len());
        for (i, (p, &b)) in point.data_mut().iter_mut().zip(start).enumerate() {
            let (end, b) = (f64::from(*p) + draw.noise.get(i).copied().unwrap_or(0.0), f64::from(b));
            *p = (draw.t * end + (1.0 - draw.t) * b) as f32;
            way.push(end - b);
        }
        Ok(PathPoint { point, way })
    }

    /// The way times the gradient, summed over the channels of a layer.
    fn contribution(&self, drawn: &PathPoint, gradient: &[f32]) -> Vec<f32> {
        let product = drawn.way.iter().zip(gradient).map(|(w, &g)| w * f64::from(g));
        if !self.at_layer {
            return product.map(|v| v as f32).collect();
        }
        let plane = self.end.row_len();
        let mut sum = vec![0.0f64; plane];
        product.enumerate().for_each(|(i, v)| sum[i % plane] += v);
        sum.into_iter().map(|v| v as f32).collect()
    }
}

/// The targets' scores of each image, and the layer's activations or else the images themselves.
async fn forward(
    context: &mut Context<'_>,
    images: &Tensor,
    layer: Option<ValueId>,
) -> Result<(Tensor, Tensor)> {
    let program = Program::Forward { layer };
    let batch = context.backend.batch(&program, 1).await?.max(1);
    let (mut logits, mut activations) = (vec![], vec![]);
    for first in (0..images.shape()[0]).step_by(batch) {
        let rows = first..(first + batch).min(images.shape()[0]);
        let chunk = Tensor::stack(&rows.map(|i| images.at(i)).collect::<Vec<_>>())?;
        let outputs = context.run(&program, Images::Batch(&chunk), None).await?;
        let kept = outputs.get(1).unwrap_or(&chunk);
        for i in 0..chunk.shape()[0] {
            logits.push(outputs[0].at(i));
            activations.push(kept.at(i));
        }
    }
    Ok((context.scores_from(&Tensor::stack(&logits)?)?, Tensor::stack(&activations)?))
}

/// The targets' scores with a layer's values in place of the image's own.
async fn heads(context: &mut Context<'_>, starts: &Tensor, from: ValueId) -> Result<Tensor> {
    let program = Program::Head { from };
    let batch = context.backend.batch(&program, 1).await?.max(1);
    let mut logits = vec![];
    for first in (0..starts.shape()[0]).step_by(batch) {
        let rows = first..(first + batch).min(starts.shape()[0]);
        let points = Tensor::stack(&rows.map(|i| starts.at(i)).collect::<Vec<_>>())?;
        let at = LayerInput { points: &points, image: context.image };
        let made = context.run(&program, Images::AtLayer(at), None).await?.swap_remove(0);
        logits.extend((0..made.shape()[0]).map(|i| made.at(i)));
    }
    context.scores_from(&Tensor::stack(&logits)?)
}

/// Sums over the samples so far.
struct Sums {
    maps: Moments,
    totals: Moments,
}

impl Sums {
    fn new(targets: usize, shape: &[usize]) -> Self {
        Self { maps: Moments::new(targets, shape), totals: Moments::new(targets, &[1]) }
    }

    fn add(&mut self, maps: impl Iterator<Item = Vec<f32>>) {
        let maps: Vec<Vec<f32>> = maps.collect();
        let total = |m: &Vec<f32>| [m.iter().map(|&v| f64::from(v)).sum::<f64>() as f32];
        let totals: Vec<[f32; 1]> = maps.iter().map(total).collect();
        self.maps.add(maps.iter().map(Vec::as_slice));
        self.totals.add(totals.iter().map(<[f32; 1]>::as_slice));
    }

    fn maps(&self, context: &Context<'_>, path: &Path) -> Result<Vec<Map>> {
        let question = context.question;
        let errors = self.maps.standard_errors().into_iter().zip(self.totals.standard_errors());
        let maps = self.maps.means()?.into_iter().zip(&question.targets).zip(errors).zip(&path.differences);
        let map = |(((values, &target), (error, sum_error)), difference): (((Tensor, &usize), _), &f64)| {
            let delta = values.sum() - difference;
            let mut map = Map::new(target, values, score_unit(question.score));
            map.extras.insert("standard_error", serde_json::json!(error));
            map.extras.insert("sum_standard_error", serde_json::json!(sum_error));
            map.extras.insert("delta", delta.into());
            map
        };
        Ok(maps.map(map).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        attribution::{Map, oracle},
        network::Score,
    };

    fn run(samples: &str, seed: u64, change: impl Fn(&mut oracle::Case)) -> Map {
        let mut case = oracle::Case::new(Score::Logit);
        case.seed = seed;
        change(&mut case);
        case.set("samples", samples).explain("expected-gradients", &[3]).remove(0)
    }

    fn extra(map: &Map, key: &str) -> f64 {
        map.extras[key].as_f64().unwrap()
    }

    /// The sum misses `f(x) - mean f(b)` by what chance allows, and by a tenth with a hundred times the samples.
    #[test]
    fn the_sum_converges_like_one_over_root_n() {
        let miss = |samples: &str| {
            let squares = (0..12).map(|seed| extra(&run(samples, seed, |_| ()), "delta").powi(2));
            (squares.sum::<f64>() / 12.0).sqrt()
        };
        let (few, many) = (miss("20"), miss("320"));
        let slope = (few / many).log2() / 16f64.log2();
        assert!((0.25..0.75).contains(&slope), "{few} to {many}: an exponent of {slope}");
        let map = run("320", 5, |_| ());
        assert!(extra(&map, "delta").abs() < 4.0 * extra(&map, "sum_standard_error"));
        assert!(extra(&map, "standard_error") > 0.0);
    }

    #[test]
    fn the_seed_decides_and_the_batch_does_not() {
        for smoothing in ["0", "0.3"] {
            let map = |seed, batch| {
                run("10", seed, |case| {
                    case.set("smoothing", smoothing).batch(batch);
                })
            };
            assert_eq!(map(1, 3), map(1, 3));
            assert_eq!(map(1, 3), map(1, 7));
            assert_eq!(map(1, 1), map(1, 100));
            assert_ne!(map(1, 3).values, map(2, 3).values);
        }
    }

    #[test]
    fn at_a_layer_it_sums_to_the_same() {
        let map = run("400", 3, |case| case.at_layer());
        assert_eq!(map.values.shape().len(), 2);
        assert!(extra(&map, "delta").abs() < 4.0 * extra(&map, "sum_standard_error"), "{:?}", map.extras);
        let at_input = run("10", 3, |_| ());
        let difference = |m: &Map| m.values.sum() - extra(m, "delta");
        assert!((difference(&map) - difference(&at_input)).abs() < 1e-5);
    }
}
