//! Integrated gradients: the gradient, averaged on the straight way from a baseline to the image.

use async_trait::async_trait;

use super::{
    baseline::{self, baseline},
    quadrature::{PathSums, gauss_legendre},
};
use crate::{
    attribution::{
        About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, gradient, score_unit,
    },
    backend::Images,
    error::Result,
    graph::Rule,
    network::Score,
    tensor::Tensor,
};

/// `(x - b) * integral over a from 0 to 1 of df / dx at b + a (x - b)`, by Gauss-Legendre quadrature as in Captum.
/// Sundararajan et al. 2017, equation 1. It sums to `f(x) - f(b)`; `delta` says by how much it misses.
///
/// With 50 steps, Captum's default, the sum may miss by more than a hundredth: on the way from a grey image a network
/// of ReLU6s bends too often. Captum's own misses by the same. `calibrated` weights are Gauss-Legendre's, moved as
/// little as can be so that the sum is right; `cargo test --test completeness -- --nocapture` prints how far each
/// misses, and how similar the two maps are.
pub struct IntegratedGradients;

const ABOUT: About = About {
    id: "integrated-gradients",
    label: "Integrated gradients",
    group: Group::Pixels,
    sentence: "What each pixel adds to the score on the way from a blank image to this one; with enough steps it adds up.",
    paper: Paper {
        authors: "Sundararajan, Taly, Yan",
        title: "Axiomatic Attribution for Deep Networks",
        year: 2017,
        url: "https://arxiv.org/abs/1703.01365",
    },
    parameters: &[
        Parameter {
            key: "steps",
            label: "Steps",
            help: "How many points of the way are looked at.",
            kind: Kind::Integer { min: 1, max: 1000, default: 50 },
        },
        Parameter {
            key: "baseline",
            label: "Baseline",
            help: "Where the way starts: at nothing, or at an image of your own.",
            kind: Kind::Choice { options: baseline::NAMES, default: "zero" },
        },
        Parameter {
            key: "quadrature",
            label: "Weights",
            help: "How the points count: gauss-legendre, as in Captum; calibrated tilts these weights so that the map adds up exactly.",
            kind: Kind::Choice { options: &["gauss-legendre", CALIBRATED], default: "gauss-legendre" },
        },
    ],
    default_score: Score::Logit,
    cost: Cost { forward: "2", gradient: "steps" },
    map_kind: MapKind::Channels,
};

/// The quadrature whose weights are made to fit.
const CALIBRATED: &str = "calibrated";

/// The share of the rise that the sum may miss without a word.
const COARSE: f64 = 0.01;

/// Says by how much the quadrature misses, and what comes closer: the network bends too often on the way.
fn coarse(miss: f64) -> String {
    let by = if miss < 1.0 { format!("{:.1} % of it", 100.0 * miss) } else { "more than all of it".into() };
    format!(
        "The map's sum misses the difference of the scores by {by} (see delta), as Captum's does. The weights \
         \"{CALIBRATED}\" make it add up (on the command line: --set quadrature={CALIBRATED}); more steps, or a \
         baseline that is nearer to the image, come closer."
    )
}

#[async_trait(?Send)]
impl Method for IntegratedGradients {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let name = question.settings.text("baseline");
        let start = baseline(name, context.image, &question.preprocessing, question.baseline.as_ref())?;
        let ends = Tensor::stack(&[context.image.clone(), start.clone()])?;
        let scores = context.scores(Images::Batch(&ends)).await?;
        let image = context.image.clone();
        let ends = |k: usize| f64::from(scores.row(0)[k]) - f64::from(scores.row(1)[k]);
        let rises: Vec<f64> = (0..question.targets.len()).map(ends).collect();
        let calibrated = (question.settings.text("quadrature") == CALIBRATED).then_some(rises.as_slice());
        let steps = question.settings.integer("steps");
        let values = along_the_way(context, [&start, &image], steps, calibrated, true).await?;
        let unit = score_unit(question.score);
        let misses = values.iter().enumerate().map(|(k, v)| ((v.sum() - ends(k)) / ends(k)).abs());
        let worst = misses.fold(0.0, f64::max);
        if worst > COARSE {
            context.note(&coarse(worst));
        }
        let map = |(k, (values, &target)): (usize, (Tensor, &usize))| {
            let gap = values.sum() - ends(k);
            let mut map = Map::new(target, values, unit);
            map.extras.insert("delta", gap.into());
            map
        };
        Ok(values.into_iter().zip(&question.targets).enumerate().map(map).collect())
    }
}

/// Integrated gradients of one image, one tensor per target. Sums run in the order of the nodes, so that they do not
/// depend on batches. `rises` calibrates the weights: for each target, by how much its score rises along the way.
pub(super) async fn along_the_way(
    context: &mut Context<'_>,
    way: [&Tensor; 2],
    steps: usize,
    rises: Option<&[f64]>,
    report: bool,
) -> Result<Vec<Tensor>> {
    let [start, image] = way;
    let (nodes, targets) = (gauss_legendre(steps), context.question.targets.len());
    let mut sums: Vec<PathSums> =
        (0..targets).map(|_| PathSums::new(start, image, rises.is_some())).collect();
    let batch = gradient::batch(context, Rule::Plain).await?;
    let mut done = 0;
    for chunk in nodes.chunks(batch) {
        let at = |&(a, _): &(f64, f64)| between(start, image, a);
        let points = Tensor::stack(&chunk.iter().map(at).collect::<Result<Vec<_>>>()?)?;
        let gradients = gradient::at_images(context, Rule::Plain, &points).await?;
        for (i, (_, weight)) in chunk.iter().enumerate() {
            let rows = sums.iter_mut().enumerate();
            rows.for_each(|(k, sum)| sum.add(*weight, gradients.row(i * targets + k)));
        }
        done += chunk.len() as u64;
        if report {
            context.observer.progress(done, nodes.len() as u64, None).await?;
        }
    }
    let rise = |k: usize| rises.map_or(0.0, |r| r[k]);
    sums.into_iter().enumerate().map(|(k, sum)| sum.finish(image.shape(), rise(k))).collect()
}

/// The point `b + a (x - b)`.
fn between(start: &Tensor, image: &Tensor, a: f64) -> Result<Tensor> {
    let mix = |(&b, &x): (&f32, &f32)| (f64::from(b) + a * (f64::from(x) - f64::from(b))) as f32;
    Tensor::new(image.shape(), start.data().iter().zip(image.data()).map(mix).collect())
}

#[cfg(test)]
mod tests {
    use crate::{attribution::oracle, network::Score};

    #[test]
    fn sums_to_the_difference_of_scores() {
        let mut case = oracle::Case::new(Score::Logit);
        for baseline in ["zero", "white", "blur"] {
            let map = case
                .set("baseline", baseline)
                .set("steps", "200")
                .explain("integrated-gradients", &[3])
                .remove(0);
            let delta = map.extras["delta"].as_f64().unwrap();
            assert!(
                delta.abs() <= 0.01 * map.values.sum().abs().max(0.1),
                "{baseline}: {delta} of {}",
                map.values.sum()
            );
        }
    }

    #[test]
    fn on_a_linear_network_it_is_exact() {
        let mut case = oracle::Case::linear();
        for (baseline, steps) in [("zero", "1"), ("zero", "50"), ("white", "50")] {
            let map = case
                .set("baseline", baseline)
                .set("steps", steps)
                .explain("integrated-gradients", &[2])
                .remove(0);
            let delta = map.extras["delta"].as_f64().unwrap();
            assert!(delta.abs() <= 1e-5, "{baseline}, {steps} steps: {delta} of {}", map.values.sum());
        }
    }

    /// Calibrated, few steps are enough for the sum; where nothing varies, nothing is changed.
    #[test]
    fn calibrated_it_adds_up() {
        let mut case = oracle::Case::new(Score::Logit);
        case.set("baseline", "white").set("steps", "5");
        let plain = case.explain("integrated-gradients", &[0, 3]);
        let maps = case.set("quadrature", "calibrated").explain("integrated-gradients", &[0, 3]);
        for (map, plain) in maps.iter().zip(&plain) {
            assert!(map.extras["delta"].as_f64().unwrap().abs() < 1e-5, "{:?}", map.extras);
            assert!(plain.extras["delta"].as_f64().unwrap().abs() > 1e-4, "{:?}", plain.extras);
        }
        let mut linear = oracle::Case::linear();
        let plain = linear.set("steps", "5").explain("integrated-gradients", &[2]);
        assert_eq!(linear.set("quadrature", "calibrated").explain("integrated-gradients", &[2]), plain);
    }

    /// A coarse rule misses, so that the bound above can fail, and it says so; a fine one says nothing.
    #[test]
    fn one_step_misses() {
        let mut case = oracle::Case::new(Score::Logit);
        case.set("baseline", "white").set("steps", "1");
        let miss = |m: &crate::attribution::Map| {
            let delta = m.extras["delta"].as_f64().unwrap();
            (delta / (m.values.sum() - delta)).abs()
        };
        let maps = case.explain("integrated-gradients", &[0, 1, 2, 3, 4]);
        let worst = maps.iter().map(miss).fold(0.0, f64::max);
        assert!(worst > 0.01);
        assert_eq!(case.notes, [super::coarse(worst)]);
        let note = super::coarse(0.043);
        assert!(note.contains("by 4.3 % of it") && note.contains("quadrature=calibrated"), "{note}");
        assert!(super::coarse(f64::INFINITY).contains("by more than all of it"));
        case.set("steps", "5").set("quadrature", "calibrated").explain("integrated-gradients", &[0]);
        assert!(case.notes.is_empty());
    }
}
