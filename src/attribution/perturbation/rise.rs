//! RISE: the mean of random smooth masks, weighted by the score of what they show.

use std::ops::Range;

use async_trait::async_trait;
use rand::RngExt;

use super::{
    BATCH, TOLERANCE,
    sampling::{Sampler, sample},
};
use crate::{
    attribution::{
        About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, Question, fill::Fill,
        score_unit,
    },
    backend::{Grids, Masks},
    error::{Error, Result},
    network::Score,
    rng,
    tensor::Tensor,
};

/// Petsiuk, Das and Saenko 2018: grids of `cells x cells`, each cell shown with probability p, enlarged to one
/// cell more than the image and shifted by up to a cell; `S = sum f(image under m) m / (N p)`.
///
/// Enlarging is bilinear with pixel centres at halves and the outer cells continued at the edges, where the
/// authors' code, through scikit-image, mirrors them. What a mask hides fades to `fill`, zero at the network's
/// input by default as in that code.
pub struct Rise;

const ABOUT: About = About {
    id: "rise",
    label: "RISE",
    group: Group::Hiding,
    sentence: "The mean of random smooth masks, weighted by the score of what they show.",
    paper: Paper {
        authors: "Petsiuk, Das, Saenko",
        title: "RISE: Randomized Input Sampling for Explanation of Black-box Models",
        year: 2018,
        url: "https://arxiv.org/abs/1806.07421",
    },
    parameters: &[
        Parameter {
            key: "samples",
            label: "Samples",
            help: "How many masks are looked at.",
            kind: Kind::Integer { min: 1, max: 100_000, default: 1000 },
        },
        Parameter {
            key: "cells",
            label: "Cells",
            help: "How many cells a mask has along each side.",
            kind: Kind::Integer { min: 1, max: 64, default: 7 },
        },
        Parameter {
            key: "p",
            label: "Shown",
            help: "The probability of a cell to show.",
            kind: Kind::Number { min: 0.01, max: 1.0, default: 0.5 },
        },
        Parameter {
            key: "fill",
            label: "Fill",
            help: "What hides: zero at the network's input, the image's mean, blur:KX,KY, or a colour.",
            kind: Kind::Fill { default: "zero" },
        },
        TOLERANCE,
        BATCH,
    ],
    default_score: Score::Probability,
    cost: Cost::forward("samples"),
    map_kind: MapKind::Image,
};

#[async_trait(?Send)]
impl Method for Rise {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let &[_, height, width] = context.image.shape() else {
            return Err(Error::Argument("the method needs an image".into()));
        };
        let fill = Fill::parse(question.settings.text("fill"))?.image(context.image, &question.preprocessing);
        let settings = &question.settings;
        let draw = Draw {
            cells: settings.integer("cells"),
            p: settings.number("p"),
            sides: [height, width],
            seed: question.seed,
        };
        let mut sums = Sums::new(draw, question.targets.len());
        sample(context, &fill, 0, settings.integer("samples"), &mut sums).await
    }
}

/// How masks are drawn.
struct Draw {
    /// Rows and columns of a grid.
    cells: usize,
    /// The probability that a cell shows.
    p: f64,
    /// The image's height and width.
    sides: [usize; 2],
    seed: u64,
}

impl Draw {
    /// The masks of a range of samples, each drawn from a stream of its own.
    fn grids(&self, samples: Range<usize>) -> Grids {
        let cells = self.cells;
        let cell = self.sides.map(|side| side.div_ceil(cells));
        let mut grids = Grids {
            cells: [cells; 2],
            enlarged: cell.map(|c| (cells + 1) * c),
            values: Vec::with_capacity(samples.len() * cells * cells),
            shifts: Vec::with_capacity(samples.len()),
        };
        for sample in samples {
            let mut rng = rng::for_sample(self.seed, sample as u64);
            grids.values.extend((0..cells * cells).map(|_| f32::from(u8::from(rng.random_bool(self.p)))));
            grids.shifts.push(cell.map(|c| rng.random_range(0..c)));
        }
        grids
    }
}

/// Sums of scores times masks, and of their squares, in the order of the samples.
struct Sums {
    draw: Draw,
    count: u32,
    firsts: Vec<Vec<f64>>,
    squares: Vec<Vec<f64>>,
}

impl Sums {
    fn new(draw: Draw, targets: usize) -> Self {
        let zeros = vec![vec![0.0; draw.sides.iter().product()]; targets];
        Self { draw, count: 0, firsts: zeros.clone(), squares: zeros }
    }
}

impl Sampler for Sums {
    fn masks(&self, samples: Range<usize>) -> Masks {
        Masks::Grids(self.draw.grids(samples))
    }

    /// Draws the mask once more: that costs nothing beside its enlargement.
    fn add(&mut self, sample: usize, scores: &[f32]) {
        let [height, width] = self.draw.sides;
        let weights = self.draw.grids(sample..sample + 1).weights(0, height, width);
        self.count += 1;
        for ((firsts, squares), &score) in self.firsts.iter_mut().zip(&mut self.squares).zip(scores) {
            for ((first, square), &m) in firsts.iter_mut().zip(squares).zip(&weights) {
                let term = f64::from(score) * f64::from(m);
                *first += term;
                *square += term * term;
            }
        }
    }

    fn maps(&self, question: &Question) -> Result<(Vec<Map>, f64)> {
        let (n, p) = (f64::from(self.count.max(1)), self.draw.p);
        let mut largest = 0.0f64;
        let one = |((firsts, squares), &target): ((&Vec<f64>, &Vec<f64>), &usize)| {
            let values = firsts.iter().map(|s| (s / (n * p)) as f32).collect();
            let error = firsts.iter().zip(squares).map(|(s, q)| (q / n - (s / n) * (s / n)).max(0.0));
            let error = error.fold(0.0, f64::max) / (n - 1.0).max(1.0);
            let error = error.sqrt() / p;
            largest = largest.max(error);
            let mut map = Map::new(target, Tensor::new(self.draw.sides, values)?, score_unit(question.score));
            map.extras.insert("standard_error", error.into());
            Ok(map)
        };
        let maps =
            self.firsts.iter().zip(&self.squares).zip(&question.targets).map(one).collect::<Result<_>>()?;
        Ok((maps, largest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attribution::oracle, network::Head};

    /// The definition: masks written out, scores of what they show, and the weighted mean.
    #[test]
    fn equals_a_naive_derivation() {
        for head in [Head::Softmax, Head::Sigmoid] {
            is_the_weighted_mean(oracle::Case::new(Score::Probability).with_head(head));
        }
    }

    fn is_the_weighted_mean(mut case: oracle::Case) {
        case.set("samples", "20").set("cells", "3").set("p", "0.4").set("fill", "#204060");
        let map = case.explain("rise", &[3]).remove(0);
        let fill = Fill::Colour([0x20, 0x40, 0x60]).image(&case.image, &case.preprocessing);
        let draw = Draw { cells: 3, p: 0.4, sides: [9, 11], seed: 0 };
        let mut expected = vec![0.0; 99];
        for sample in 0..20 {
            let grids = draw.grids(sample..sample + 1);
            assert_eq!(grids.enlarged, [12, 16]);
            let m = grids.weights(0, 9, 11);
            let mut image = case.image.clone();
            for (i, v) in image.data_mut().iter_mut().enumerate() {
                *v = m[i % 99] * *v + (1.0 - m[i % 99]) * fill.data()[i];
            }
            let score = case.score_of(3, &image);
            expected.iter_mut().zip(&m).for_each(|(e, m)| *e += score * f64::from(*m) / (20.0 * 0.4));
        }
        let off = map.values.data().iter().zip(&expected).map(|(g, e)| (f64::from(*g) - e).abs());
        assert!(off.fold(0.0, f64::max) < 1e-5);
    }

    #[test]
    fn the_batch_changes_nothing() {
        let run = |batch: &str| {
            let mut case = oracle::Case::new(Score::Logit);
            case.set("samples", "70").set("batch", batch).explain("rise", &[3, 1])
        };
        let whole = run("70");
        assert!(["1", "7", "33"].iter().all(|b| run(b) == whole));
    }

    /// On a model that is linear in the mask, `f = w . m`, the map tends to `E[f m] / p`: known from the cells'
    /// variance and the enlargement's weights, averaged over the shifts. The distance falls like 1 / sqrt(n).
    #[test]
    fn a_linear_model_is_recovered_at_the_root_of_the_samples() {
        let (cells, p, sides) = (3, 0.5, [6, 8]);
        let pixels = sides[0] * sides[1];
        let w: Vec<f64> = (0..pixels).map(|i| f64::from((i * 7 % 11) as u8) / 11.0 - 0.3).collect();
        let mut truth = vec![0.0; pixels];
        let shifts = [sides[0].div_ceil(cells), sides[1].div_ceil(cells)];
        for (top, left) in (0..shifts[0]).flat_map(|t| (0..shifts[1]).map(move |l| (t, l))) {
            let share = 1.0 / (shifts[0] * shifts[1]) as f64;
            let mut total = 0.0;
            for cell in 0..cells * cells {
                let mut one = Draw { cells, p, sides, seed: 0 }.grids(0..1);
                one.values = (0..cells * cells).map(|c| f32::from(u8::from(c == cell))).collect();
                one.shifts = vec![[top, left]];
                let b = one.weights(0, sides[0], sides[1]);
                let wb: f64 = w.iter().zip(&b).map(|(w, b)| w * f64::from(*b)).sum();
                total += wb;
                let variance = p * (1.0 - p) / p * share;
                truth.iter_mut().zip(&b).for_each(|(t, b)| *t += variance * wb * f64::from(*b));
            }
            truth.iter_mut().for_each(|t| *t += p * total * share);
        }
        let distance = |n: usize, seed: u64| {
            let draw = Draw { cells, p, sides, seed };
            let drawn = draw.grids(0..n);
            let mut sums = Sums::new(draw, 1);
            for i in 0..n {
                let m = drawn.weights(i, sides[0], sides[1]);
                let f: f64 = w.iter().zip(&m).map(|(w, m)| w * f64::from(*m)).sum();
                sums.add(i, &[f as f32]);
            }
            let gap = |(s, t): (&f64, &f64)| (s / (n as f64 * p) - t).powi(2);
            sums.firsts[0].iter().zip(&truth).map(gap).sum::<f64>()
        };
        let rms = |n: usize| (0..20).map(|seed| distance(n, seed)).sum::<f64>().sqrt();
        let slope = (rms(3200) / rms(200)).ln() / 16f64.ln();
        assert!((-0.6..-0.4).contains(&slope), "{slope}");
    }
}
