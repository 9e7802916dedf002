//! KernelSHAP: Shapley values of segments, by weighted regression on coalitions.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;

use super::{
    BATCH, TOLERANCE, join,
    sampling::{Sampler, sample},
    scores, segment_fill, segment_map, segments,
    shapley::{Plan, Shapley, Values},
};
use crate::{
    attribution::{About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, Question},
    backend::{BitRows, Masks, Segmentation},
    error::Result,
    network::Score,
};

/// Lundberg and Lee 2017, section 4.1: the Shapley values of segments as the solution of a regression on
/// coalitions, weighted by the Shapley kernel, with the sum held to `f(image) - f(all hidden)`.
///
/// Like shap's KernelExplainer, the smallest and largest coalitions are all taken with exact weights as far as
/// the samples reach, and the others drawn in pairs with their complements. Where the samples reach all of them
/// the values are exact; unless told otherwise they do for up to twelve segments. Deviations: no
/// feature selection, and a coalition that is drawn twice is evaluated twice.
pub struct KernelShap;

const METHOD_PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "samples",
        label: "Samples",
        help: "How many coalitions are looked at; 0 for all of up to 12 segments, else twice the segments and 2048.",
        kind: Kind::Integer { min: 0, max: 100_000, default: 0 },
    },
    Parameter {
        key: "fill",
        label: "Fill",
        help: "What hides a segment: mean, its own mean colour; zero, at the network's input; blur:KX,KY; or a colour.",
        kind: Kind::Fill { default: "mean" },
    },
];

const PARAMETERS: [Parameter; METHOD_PARAMETERS.len() + segments::PARAMETERS.len() + 2] =
    join(&[METHOD_PARAMETERS, segments::PARAMETERS, &[TOLERANCE, BATCH]]);

const ABOUT: About = About {
    id: "kernel-shap",
    label: "KernelSHAP",
    group: Group::Hiding,
    sentence: "How much each segment adds to the score, fairly shared over all ways to show some of them.",
    paper: Paper {
        authors: "Lundberg, Lee",
        title: "A Unified Approach to Interpreting Model Predictions",
        year: 2017,
        url: "https://arxiv.org/abs/1705.07874",
    },
    parameters: &PARAMETERS,
    default_score: Score::Probability,
    cost: Cost::forward("samples + 2"),
    map_kind: MapKind::Image,
};

#[async_trait(?Send)]
impl Method for KernelShap {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes_segments(&self) -> bool {
        true
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let (image, settings) = (context.image, &question.settings);
        let segmentation = segments::of(context)?;
        let fill = segment_fill(image, &question.preprocessing, &segmentation, settings)?;
        let count = segmentation.count();
        let plan = Plan::new(count, budget(settings.integer("samples"), count), question.seed);
        context.observer.progress(0, plan.rows.len() as u64 + 2, None).await?;
        let mut ends = BitRows::new(count);
        for shown in [false, true] {
            ends.push((0..count).map(|_| shown));
        }
        let ends = scores(context, &fill, &Masks::Segments(segmentation.clone(), ends)).await?;
        let end = |i: usize| ends.row(i).iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let shapley = Shapley::new(&plan, end(0), end(1));
        let mut coalitions = Coalitions { segmentation, plan: &plan, shapley, base: end(0) };
        sample(context, &fill, 2, plan.rows.len(), &mut coalitions).await
    }
}

/// The regression on the coalitions so far.
struct Coalitions<'a> {
    segmentation: Arc<Segmentation>,
    plan: &'a Plan,
    shapley: Shapley<'a>,
    /// Each target's score with all segments hidden.
    base: Vec<f64>,
}

impl Sampler for Coalitions<'_> {
    fn masks(&self, samples: Range<usize>) -> Masks {
        Masks::Segments(self.segmentation.clone(), self.plan.rows.slice(samples))
    }

    fn add(&mut self, _: usize, scores: &[f32]) {
        self.shapley.add(scores);
    }

    fn maps(&self, question: &Question) -> Result<(Vec<Map>, f64)> {
        let values = self.shapley.values()?;
        let largest = values.iter().flat_map(|v| &v.errors).fold(0.0f64, |most, &e| most.max(e));
        let map = |((values, &target), &base): ((Values, &usize), &f64)| {
            let Values { values, errors } = values;
            let mut map = segment_map(&self.segmentation, target, question.score, values, errors)?;
            map.extras.insert("base", base.into());
            Ok(map)
        };
        let maps =
            values.into_iter().zip(&question.targets).zip(&self.base).map(map).collect::<Result<_>>()?;
        Ok((maps, largest))
    }
}

/// The number of coalitions to evaluate.
fn budget(samples: usize, segments: usize) -> usize {
    match (samples, segments) {
        (0, 0..=12) => (1 << segments) - 2,
        (0, more) => 2 * more + 2048,
        (set, _) => set,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::{fill::Fill, oracle};

    fn case(samples: &str) -> oracle::Case {
        let mut case = oracle::Case::new(Score::Probability);
        case.set("algorithm", "grid").set("segments", "6").set("samples", samples).set("fill", "#204060");
        case
    }

    /// Shapley's formula over all coalitions, images hidden by hand.
    #[test]
    fn equals_shapley_s_formula() {
        let mut case = case("0");
        let map = case.explain("kernel-shap", &[3]).remove(0);
        let weights = map.extras["weights"].as_array().unwrap();
        let values: Vec<f64> = weights.iter().map(|v| v.as_f64().unwrap()).collect();
        let n = values.len();
        assert_eq!(case.evaluations, 1 << n);
        let labels: Vec<usize> =
            map.values.data().iter().map(|v| values.iter().position(|w| *w as f32 == *v).unwrap()).collect();
        let fill = Fill::Colour([0x20, 0x40, 0x60]).image(&case.image, &case.preprocessing);
        let worth: Vec<f64> = (0..1usize << n)
            .map(|shown| {
                let mut image = case.image.clone();
                for (i, v) in image.data_mut().iter_mut().enumerate() {
                    if shown >> labels[i % labels.len()] & 1 == 0 {
                        *v = fill.data()[i];
                    }
                }
                case.score_of(3, &image)
            })
            .collect();
        let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
        for (i, value) in values.iter().enumerate() {
            let mut expected = 0.0;
            for without in (0..1usize << n).filter(|s| s >> i & 1 == 0) {
                let size = without.count_ones() as usize;
                let share = factorial(size) * factorial(n - size - 1) / factorial(n);
                expected += share * (worth[without | 1 << i] - worth[without]);
            }
            assert!((value - expected).abs() < 1e-6, "{value} {expected}");
        }
    }

    #[test]
    fn the_batch_changes_nothing() {
        let whole = case("30").explain("kernel-shap", &[3, 1]);
        for batch in ["1", "7", "64"] {
            assert_eq!(case("30").set("batch", batch).explain("kernel-shap", &[3, 1]), whole);
        }
    }
}
