//! Integrated gradients: the gradient, averaged on the straight way from a baseline to the image.

use async_trait::async_trait;

use super::{
    About, Group, Kind, Map, MapKind, Method, Paper, Parameter, Run,
    support::{
        baseline::{self, baseline},
        cam::score_unit,
        gradient,
    },
};
use crate::{backend::Images, error::Result, graph::Rule, network::Score, tensor::Tensor};

/// `(x - b) * integral over a from 0 to 1 of df / dx at b + a (x - b)`, by Gauss-Legendre quadrature as in Captum.
/// Sundararajan et al. 2017, equation 1. It sums to `f(x) - f(b)`; `delta` says by how much it misses.
pub struct IntegratedGradients;

const ABOUT: About = About {
    id: "integrated-gradients",
    label: "Integrated gradients",
    group: Group::Pixels,
    sentence: "What each pixel adds to the score on the way from a blank image to this one; it adds up exactly.",
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
    ],
    default_score: Score::Logit,
    map: MapKind::Channels,
};

/// What is said when the quadrature misses by more than a twentieth: the network bends too often on the way.
const COARSE: &str = "The map's sum misses the difference of the scores by more than 5 % (see delta). More steps, or a \
    baseline that is nearer to the image, come closer.";

#[async_trait(?Send)]
impl Method for IntegratedGradients {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, run: &mut Run<'_>) -> Result<Vec<Map>> {
        let name = run.settings.text("baseline");
        let start = baseline(name, run.image, run.preprocessing, run.baseline)?;
        let ends = Tensor::stack(&[run.image.clone(), start.clone()])?;
        let scores = run.scores(Images::Batch(&ends)).await?;
        let image = run.image.clone();
        let values = along_the_way(run, &image, &start, run.settings.integer("steps"), true).await?;
        let unit = score_unit(run.score);
        let ends = |k: usize| f64::from(scores.row(0)[k]) - f64::from(scores.row(1)[k]);
        if values.iter().enumerate().any(|(k, v)| (v.sum() - ends(k)).abs() > 0.05 * ends(k).abs()) {
            run.note(COARSE);
        }
        let map = |(k, (values, &target)): (usize, (Tensor, &usize))| {
            let gap = values.sum() - ends(k);
            let mut map = Map::new(target, values, unit);
            map.extras.insert("delta", gap.into());
            map
        };
        Ok(values.into_iter().zip(run.targets).enumerate().map(map).collect())
    }
}

/// Integrated gradients of one image, one tensor a target. The sum runs in double precision and in the order of
/// the nodes, so that it does not depend on batches.
#[allow(clippy::cast_possible_truncation)]
pub(super) async fn along_the_way(
    run: &mut Run<'_>,
    image: &Tensor,
    start: &Tensor,
    steps: usize,
    report: bool,
) -> Result<Vec<Tensor>> {
    let nodes = nodes(steps);
    let (targets, size) = (run.targets.len(), image.len());
    let mut sums = vec![vec![0.0f64; size]; targets];
    let batch = gradient::batch(run, Rule::Plain).await?;
    let mut done = 0;
    for chunk in nodes.chunks(batch) {
        let at = |&(a, _): &(f64, f64)| between(start, image, a);
        let points = Tensor::stack(&chunk.iter().map(at).collect::<Result<Vec<_>>>()?)?;
        let gradients = gradient::at_images(run, Rule::Plain, &points).await?;
        for (i, (_, weight)) in chunk.iter().enumerate() {
            for (k, sum) in sums.iter_mut().enumerate() {
                let row = gradients.row(i * targets + k);
                sum.iter_mut().zip(row).for_each(|(s, &g)| *s += weight * f64::from(g));
            }
        }
        done += chunk.len() as u64;
        if report {
            run.observer.progress(done, nodes.len() as u64, None).await?;
        }
    }
    let difference = |i: usize| f64::from(image.data()[i]) - f64::from(start.data()[i]);
    let finish = |sum: Vec<f64>| {
        let values = sum.iter().enumerate().map(|(i, s)| (s * difference(i)) as f32).collect();
        Tensor::new(image.shape(), values)
    };
    sums.into_iter().map(finish).collect()
}

/// The point `b + a (x - b)`.
#[allow(clippy::cast_possible_truncation)]
fn between(start: &Tensor, image: &Tensor, a: f64) -> Result<Tensor> {
    let mix = |(&b, &x): (&f32, &f32)| (f64::from(b) + a * (f64::from(x) - f64::from(b))) as f32;
    Tensor::new(image.shape(), start.data().iter().zip(image.data()).map(mix).collect())
}

/// Gauss-Legendre nodes on `0..1`, ascending, with their weights, which sum to one: the roots of the Legendre
/// polynomial, by Newton's method from Tricomi's estimate.
#[allow(clippy::cast_precision_loss)]
fn nodes(steps: usize) -> Vec<(f64, f64)> {
    let n = steps as f64;
    let node = |i: usize| {
        let mut x = -(std::f64::consts::PI * (i as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut last, mut value) = (1.0, x);
            for k in 2..=steps {
                let k = k as f64;
                (last, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * last) / k);
            }
            slope = n * (x * value - last) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (f64::midpoint(x, 1.0), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..steps).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::nodes;
    use crate::{attribution::support::oracle, network::Score};

    #[test]
    fn quadrature_is_exact_for_polynomials() {
        for steps in [1, 2, 5, 50] {
            let nodes = nodes(steps);
            let degree = 2 * steps as i32 - 1;
            let integral: f64 = nodes.iter().map(|(a, w)| w * a.powi(degree)).sum();
            assert!((integral - 1.0 / f64::from(degree + 1)).abs() < 1e-12, "{steps}");
        }
    }

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

    /// A coarse rule misses: the bound above can fail.
    #[test]
    fn one_step_misses() {
        let mut case = oracle::Case::new(Score::Logit);
        case.set("baseline", "white").set("steps", "1");
        let misses = |m: &crate::attribution::Map| {
            m.extras["delta"].as_f64().unwrap().abs() > 0.01 * m.values.sum().abs()
        };
        assert!(case.explain("integrated-gradients", &[0, 1, 2, 3, 4]).iter().any(misses));
    }
}
