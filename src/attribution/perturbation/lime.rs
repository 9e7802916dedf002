//! LIME: a straight line through the scores of the image with segments hidden at random.

use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use rand::RngExt;

use super::{
    BATCH, TOLERANCE, join, ones,
    regression::{Fit, Regression},
    sampling::{Sampler, sample},
    segment_fill, segment_map, segments,
};
use crate::{
    attribution::{About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, Question},
    backend::{BitRows, Masks, Segmentation},
    error::{Error, Result},
    network::Score,
    rng,
};

/// Ribeiro, Singh and Guestrin 2016, for images as the `lime` package does it: each row z shows every segment
/// with probability 1/2, but for the first, which shows them all; a row of k shown segments of S counts
/// `exp(-(1 - sqrt(k / S))^2 / (2 width^2))`, the kernel of the cosine distance to the first; the weights are
/// those of a ridge regression with intercept on all segments.
///
/// Deviations: rows come from this crate's generator, so they are other rows than the package draws for the
/// same seed (give its own with `samples`); the package's selection of features is not made, as it makes none
/// for images unless told to; all targets are explained from the same rows, which it does too.
pub struct Lime;

const METHOD_PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "samples",
        label: "Samples",
        help: "How many rows of hidden segments are looked at.",
        kind: Kind::Integer { min: 2, max: 100_000, default: 1000 },
    },
    Parameter {
        key: "fill",
        label: "Fill",
        help: "What hides a segment: mean, its own mean colour; zero, at the network's input; blur:KX,KY; or a colour.",
        kind: Kind::Fill { default: "mean" },
    },
    Parameter {
        key: "kernel_width",
        label: "Kernel width",
        help: "How far from the whole image a row may be and still count.",
        kind: Kind::Number { min: 0.01, max: 100.0, default: 0.25 },
    },
    Parameter {
        key: "ridge",
        label: "Ridge",
        help: "How strongly weights are held back towards zero.",
        kind: Kind::Number { min: 0.0, max: 1e6, default: 1.0 },
    },
];

const PARAMETERS: [Parameter; METHOD_PARAMETERS.len() + segments::PARAMETERS.len() + 2] =
    join(&[METHOD_PARAMETERS, segments::PARAMETERS, &[TOLERANCE, BATCH]]);

const ABOUT: About = About {
    id: "lime",
    label: "LIME",
    group: Group::Hiding,
    sentence: "How much each segment adds to the score, by a straight line through images with segments hidden.",
    paper: Paper {
        authors: "Ribeiro, Singh, Guestrin",
        title: "\"Why Should I Trust You?\": Explaining the Predictions of Any Classifier",
        year: 2016,
        url: "https://arxiv.org/abs/1602.04938",
    },
    parameters: &PARAMETERS,
    default_score: Score::Probability,
    cost: Cost::forward("samples"),
    map_kind: MapKind::Image,
};

#[async_trait(?Send)]
impl Method for Lime {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn takes_segments(&self) -> bool {
        true
    }

    fn takes_samples(&self) -> bool {
        true
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let (image, settings) = (context.image, &question.settings);
        let segmentation = segments::of(context)?;
        let fill = segment_fill(image, &question.preprocessing, &segmentation, settings)?;
        let rows = rows(question, segmentation.count())?;
        let samples = rows.len();
        let mut line = Line {
            regression: Regression::new(segmentation.count(), question.targets.len()),
            rows,
            segmentation,
            kernel_width: settings.number("kernel_width"),
            ridge: settings.number("ridge"),
        };
        sample(context, &fill, 0, samples, &mut line).await
    }
}

/// The line through the scores so far.
struct Line {
    segmentation: Arc<Segmentation>,
    rows: BitRows,
    regression: Regression,
    kernel_width: f64,
    ridge: f64,
}

impl Sampler for Line {
    fn masks(&self, samples: Range<usize>) -> Masks {
        Masks::Segments(self.segmentation.clone(), self.rows.slice(samples))
    }

    fn add(&mut self, sample: usize, scores: &[f32]) {
        let ones = ones(&self.rows, sample);
        let weight = weight(ones.len(), self.segmentation.count(), self.kernel_width);
        self.regression.add(ones, weight, scores.iter().map(|&v| f64::from(v)).collect());
    }

    fn maps(&self, question: &Question) -> Result<(Vec<Map>, f64)> {
        let fits = self.regression.fit(self.ridge)?;
        let largest = fits.iter().flat_map(|fit| &fit.errors).fold(0.0f64, |most, &e| most.max(e));
        let map = |(fit, &target): (Fit, &usize)| {
            let mut map = segment_map(&self.segmentation, target, question.score, fit.weights, fit.errors)?;
            map.extras.insert("intercept", fit.intercept.into());
            map.extras.insert("r2", fit.r2.into());
            Ok(map)
        };
        let maps = fits.into_iter().zip(&question.targets).map(map).collect::<Result<_>>()?;
        Ok((maps, largest))
    }
}

/// The weight of a row of `shown` segments of `all`.
fn weight(shown: usize, all: usize, width: f64) -> f64 {
    let distance = 1.0 - (shown as f64 / all as f64).sqrt();
    (-(distance * distance) / (2.0 * width * width)).exp()
}

/// The caller's rows, or drawn ones; each drawn row has a stream of its own.
fn rows(question: &Question, segments: usize) -> Result<BitRows> {
    if let Some(rows) = &question.samples {
        if rows.bits() != segments {
            return Err(Error::Argument(format!(
                "the samples are for {} segments, and there are {segments}",
                rows.bits()
            )));
        }
        return Ok(rows.clone());
    }
    let mut rows = BitRows::new(segments);
    rows.push((0..segments).map(|_| true));
    for i in 1..question.settings.integer("samples") {
        let mut rng = rng::for_sample(question.seed, i as u64);
        rows.push((0..segments).map(|_| rng.random::<bool>()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        attribution::{fill::Fill, oracle},
        network::Head,
    };

    fn case(samples: &str) -> oracle::Case {
        let mut case = oracle::Case::new(Score::Probability);
        case.set("algorithm", "grid").set("segments", "6").set("samples", samples).set("fill", "#204060");
        case
    }

    fn numbers(map: &Map, key: &str) -> Vec<f64> {
        map.extras[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    }

    /// The package's definition with nothing shared: hide by hand, weigh by cosine, minimise by descent.
    #[test]
    fn equals_a_naive_derivation() {
        for head in [Head::Softmax, Head::Sigmoid] {
            is_the_weighted_line(case("40").with_head(head));
        }
    }

    fn is_the_weighted_line(mut case: oracle::Case) {
        let map = case.explain("lime", &[3]).remove(0);
        let (height, width) = (map.values.shape()[0], map.values.shape()[1]);
        let count = map.extras["segments"].as_u64().unwrap() as usize;
        let labels = |i: usize| {
            let weights = numbers(&map, "weights");
            weights.iter().position(|w| *w as f32 == map.values.data()[i]).unwrap()
        };
        let labels: Vec<usize> = (0..height * width).map(labels).collect();
        let fill = Fill::Colour([0x20, 0x40, 0x60]).image(&case.image, &case.preprocessing);
        let mut data = vec![];
        for sample in 0..40u64 {
            let mut rng = rng::for_sample(0, sample);
            let z: Vec<f64> =
                (0..count).map(|_| f64::from(u8::from(sample == 0 || rng.random::<bool>()))).collect();
            let mut image = case.image.clone();
            for (i, v) in image.data_mut().iter_mut().enumerate() {
                if z[labels[i % (height * width)]] == 0.0 {
                    *v = fill.data()[i];
                }
            }
            let length = z.iter().map(|v| v * v).sum::<f64>().sqrt();
            let cosine = if length == 0.0 { 0.0 } else { length / (count as f64).sqrt() };
            let weight = (-(1.0 - cosine).powi(2) / 0.0625).exp().sqrt();
            data.push((z, weight, case.score_of(3, &image)));
        }
        let mut line = vec![0.0; count + 1];
        for _ in 0..60_000 {
            let mut gradient: Vec<f64> = line.clone();
            gradient[count] = 0.0;
            for (z, w, y) in &data {
                let r = line[count] + z.iter().zip(&line).map(|(z, b)| z * b).sum::<f64>() - y;
                z.iter().enumerate().for_each(|(i, z)| gradient[i] += w * r * z);
                gradient[count] += w * r;
            }
            line.iter_mut().zip(gradient).for_each(|(b, g)| *b -= 0.01 * g);
        }
        let got = numbers(&map, "weights");
        assert!(got.iter().zip(&line).all(|(g, l)| (g - l).abs() < 1e-6), "{got:?} {line:?}");
        assert!((map.extras["intercept"].as_f64().unwrap() - line[count]).abs() < 1e-6);
    }

    #[test]
    fn the_batch_changes_nothing() {
        let whole = case("50").explain("lime", &[3, 1]);
        for batch in ["1", "7", "64"] {
            let mut case = case("50");
            assert_eq!(case.set("batch", batch).explain("lime", &[3, 1]), whole);
        }
        let mut other = case("50");
        other.seed = 1;
        assert_ne!(other.explain("lime", &[3, 1]), whole);
    }

    #[test]
    fn a_tolerance_stops_early() {
        let mut case = case("2000");
        let map = case.set("tolerance", "0.02").explain("lime", &[3]).remove(0);
        assert!(numbers(&map, "standard_errors").iter().all(|e| *e < 0.02));
        assert!(case.evaluations < 2000, "{}", case.evaluations);
    }

    #[test]
    fn the_caller_s_segments_and_samples_are_used() {
        let mut case = case("2");
        let labels: Vec<i64> = (0..99).map(|i| i64::from(i % 11 > 4)).collect();
        case.segments = Some(Segmentation::new(9, 11, &labels).unwrap());
        let mut rows = BitRows::new(2);
        for bits in [[true, true], [false, true], [true, false], [false, false]] {
            rows.push(bits);
        }
        case.samples = Some(rows);
        let map = case.explain("lime", &[0]).remove(0);
        assert_eq!((map.extras["segments"].as_u64(), case.evaluations), (Some(2), 4));
    }
}
