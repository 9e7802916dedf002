//! Occlusion: how much the score falls when a window of the image is hidden.

use async_trait::async_trait;

use crate::{
    attribution::{
        About, Context, Cost, Group, Kind, Map, MapKind, Method, Paper, Parameter, Settings, fill::Fill,
    },
    backend::{Images, Masked, Masks, Rectangle},
    error::{Error, Result},
    network::{Program, Score},
    tensor::Tensor,
};

/// `f(x) - f(x with a window hidden)`, averaged at each pixel over the windows that cover it. Zeiler and Fergus
/// 2014, section 4.2; windows as Captum's `Occlusion`: the last one of a row or column is cropped.
pub struct Occlusion;

const ABOUT: About = About {
    id: "occlusion",
    label: "Occlusion",
    group: Group::Hiding,
    sentence: "How much the score falls when a window of the image is hidden.",
    paper: Paper {
        authors: "Zeiler, Fergus",
        title: "Visualizing and Understanding Convolutional Networks",
        year: 2014,
        url: "https://arxiv.org/abs/1311.2901",
    },
    parameters: &[
        Parameter {
            key: "window",
            label: "Window",
            help: "The side of the hidden square, in pixels of the network's input; 0 for a seventh of the image's.",
            kind: Kind::Integer { min: 0, max: 4096, default: 0 },
        },
        Parameter {
            key: "stride",
            label: "Stride",
            help: "How far the square moves each time, in pixels; 0 for half of the window.",
            kind: Kind::Integer { min: 0, max: 4096, default: 0 },
        },
        Parameter {
            key: "fill",
            label: "Fill",
            help: "What hides the square: zero at the network's input, the image's mean, blur:KX,KY, or a colour.",
            kind: Kind::Fill { default: "zero" },
        },
    ],
    default_score: Score::Logit,
    cost: Cost::forward("windows + 1"),
    map_kind: MapKind::Image,
};

#[async_trait(?Send)]
impl Method for Occlusion {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn complete(&self, settings: &mut Settings, input: &[usize]) {
        if settings.integer("window") == 0 {
            settings.adjust("window", input[1].min(input[2]).div_ceil(7));
        }
        if settings.integer("stride") == 0 {
            settings.adjust("stride", settings.integer("window").div_ceil(2));
        }
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let (height, width) = (context.image.shape()[1], context.image.shape()[2]);
        let windows =
            windows(height, width, question.settings.integer("window"), question.settings.integer("stride"))?;
        let fill = Fill::parse(question.settings.text("fill"))?.image(context.image, &question.preprocessing);
        let image = context.image;
        let whole = context.batch_of_one()?;
        let base = context.scores(Images::Batch(&whole)).await?;
        let mut sums = Sums::new(height, width, question.targets.len());
        let batch = context.backend.batch(&Program::Forward { layer: None }, 1).await?.max(1);
        let total = windows.len() as u64;
        let mut done = 0;
        context.observer.progress(done, total, None).await?;
        for chunk in windows.chunks(batch) {
            let masks = Masks::Rectangles(chunk.to_vec());
            let masked = Masked { image, fill: &fill, masks: &masks };
            let scores = context.scores(Images::Masked(masked)).await?;
            for (i, window) in chunk.iter().enumerate() {
                sums.add(window, base.row(0), scores.row(i));
            }
            done += chunk.len() as u64;
            let partial = sums.maps(context)?;
            context.observer.progress(done, total, Some(&partial)).await?;
        }
        sums.maps(context)
    }
}

/// The windows, row by row: as many as reach the far edges, the last ones cropped there.
fn windows(height: usize, width: usize, window: usize, stride: usize) -> Result<Vec<Rectangle>> {
    if window > height.min(width) {
        let what = format!(
            "window is {window}, and should be at most the image's shorter side, {}",
            height.min(width)
        );
        return Err(Error::Argument(what));
    }
    if stride > window {
        return Err(Error::Argument(format!(
            "stride is {stride}, and should be at most window, {window}, or pixels between are never hidden"
        )));
    }
    let starts = |side: usize| (0..=(side - window).div_ceil(stride)).map(move |i| i * stride);
    let rectangle = |top: usize, left: usize| Rectangle {
        top,
        left,
        bottom: (top + window).min(height),
        right: (left + window).min(width),
    };
    Ok(starts(height).flat_map(|y| starts(width).map(move |x| rectangle(y, x))).collect())
}

/// Running sums of score differences, and of how many windows have covered each pixel.
struct Sums {
    width: usize,
    counts: Vec<u32>,
    differences: Vec<Vec<f64>>,
}

impl Sums {
    fn new(height: usize, width: usize, targets: usize) -> Self {
        let pixels = height * width;
        Self { width, counts: vec![0; pixels], differences: vec![vec![0.0; pixels]; targets] }
    }

    fn add(&mut self, window: &Rectangle, base: &[f32], scores: &[f32]) {
        for y in window.top..window.bottom {
            for i in y * self.width + window.left..y * self.width + window.right {
                self.counts[i] += 1;
                for (k, sum) in self.differences.iter_mut().enumerate() {
                    sum[i] += f64::from(base[k]) - f64::from(scores[k]);
                }
            }
        }
    }

    /// The mean differences so far; zero where no window has been.
    fn maps(&self, context: &Context<'_>) -> Result<Vec<Map>> {
        let question = context.question;
        let unit = match question.score {
            Score::Logit => "logit",
            Score::Probability => "probability",
        };
        let map = |(sum, &target): (&Vec<f64>, &usize)| {
            let mean = sum.iter().zip(&self.counts).map(|(s, &n)| (s / f64::from(n.max(1))) as f32);
            let values = Tensor::new([self.counts.len() / self.width, self.width], mean.collect())?;
            Ok(Map::new(target, values, unit))
        };
        self.differences.iter().zip(&question.targets).map(map).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribution::oracle;

    #[test]
    fn windows_reach_the_edges_and_are_cropped_there() {
        let all = windows(8, 11, 4, 3).unwrap();
        let lefts: Vec<usize> = all.iter().filter(|w| w.top == 0).map(|w| w.left).collect();
        assert_eq!(lefts, [0, 3, 6, 9]);
        assert_eq!(all.last().unwrap(), &Rectangle { top: 6, left: 9, bottom: 8, right: 11 });
        assert!(windows(8, 11, 9, 3).is_err() && windows(8, 11, 2, 3).is_err());
    }

    /// The definition, pixel by pixel: hide each window by hand and average.
    #[test]
    fn equals_a_naive_derivation() {
        let mut case = oracle::Case::new(Score::Probability);
        case.set("window", "4").set("stride", "3").set("fill", "#204060");
        let map = case.explain("occlusion", &[3]).remove(0);
        let (height, width) = (map.values.shape()[0], map.values.shape()[1]);
        let base = case.score(3);
        let fill = Fill::Colour([0x20, 0x40, 0x60]).image(&case.image, &case.preprocessing);
        for (y, x) in [(0, 0), (4, 4), (height - 1, width - 1), (3, 2)] {
            let mut drops = vec![];
            for window in windows(height, width, 4, 3).unwrap() {
                if (window.top..window.bottom).contains(&y) && (window.left..window.right).contains(&x) {
                    drops.push(base - case.score_hidden(3, &window, &fill));
                }
            }
            let expected = drops.iter().sum::<f64>() / drops.len() as f64;
            let got = f64::from(map.values.data()[y * width + x]);
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
    }
}
