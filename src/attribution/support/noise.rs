//! Gradients under noise: what SmoothGrad and VarGrad share.

use rand_distr::{Distribution, StandardNormal};

use super::{
    baseline::baseline,
    cam::score_unit,
    gradient::{self, gradient_unit, product},
};
use crate::{
    attribution::{Kind, Parameter, Run, integrated_gradients},
    error::Result,
    graph::Rule,
    rng,
    tensor::Tensor,
};

/// What both methods let be set.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "samples",
        label: "Samples",
        help: "How many noisy copies of the image are looked at.",
        kind: Kind::Integer { min: 2, max: 10_000, default: 50 },
    },
    Parameter {
        key: "sigma",
        label: "Noise",
        help: "The noise's deviation, as a share of the span between the input's least and greatest value.",
        kind: Kind::Number { min: 0.0, max: 10.0, default: 0.15 },
    },
    Parameter {
        key: "of",
        label: "Of",
        help: "The method whose maps are gathered.",
        kind: Kind::Choice {
            options: &["saliency", "input-x-gradient", "guided-backprop", "integrated-gradients"],
            default: "saliency",
        },
    },
];

/// The mean and the variance, element by element, of each target's maps under noise.
pub struct Moments {
    count: u64,
    mean: Vec<Vec<f64>>,
    squares: Vec<Vec<f64>>,
    shape: Vec<usize>,
}

impl Moments {
    fn new(targets: usize, shape: &[usize]) -> Self {
        let zeros = vec![vec![0.0; shape.iter().product()]; targets];
        Self { count: 0, mean: zeros.clone(), squares: zeros, shape: shape.to_vec() }
    }

    /// Welford's update, in the order of the samples.
    #[allow(clippy::cast_precision_loss)]
    fn add<'a>(&mut self, maps: impl Iterator<Item = &'a [f32]>) {
        self.count += 1;
        let n = self.count as f64;
        for ((mean, squares), map) in self.mean.iter_mut().zip(&mut self.squares).zip(maps) {
            for ((m, s), &v) in mean.iter_mut().zip(squares).zip(map) {
                let before = f64::from(v) - *m;
                *m += before / n;
                *s += before * (f64::from(v) - *m);
            }
        }
    }

    /// One map a target: the means.
    #[allow(clippy::cast_possible_truncation)]
    pub fn means(&self) -> Result<Vec<Tensor>> {
        let tensor = |v: &Vec<f64>| Tensor::new(self.shape.clone(), v.iter().map(|&m| m as f32).collect());
        self.mean.iter().map(tensor).collect()
    }

    /// One map a target: the variances, with a divisor of the number of samples.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    pub fn variances(&self) -> Result<Vec<Tensor>> {
        let n = self.count.max(1) as f64;
        let tensor =
            |v: &Vec<f64>| Tensor::new(self.shape.clone(), v.iter().map(|&s| (s / n) as f32).collect());
        self.squares.iter().map(tensor).collect()
    }

    /// For each target the standard error of the mean, averaged over the elements.
    #[allow(clippy::cast_precision_loss)]
    #[must_use]
    pub fn standard_errors(&self) -> Vec<f64> {
        let n = self.count as f64;
        let error = |v: &Vec<f64>| {
            v.iter().map(|s| (s / (n - 1.0).max(1.0) / n).sqrt()).sum::<f64>() / v.len() as f64
        };
        self.squares.iter().map(error).collect()
    }
}

/// What the gathered maps are measured in.
#[must_use]
pub fn unit(run: &Run<'_>) -> &'static str {
    match run.settings.text("of") {
        "input-x-gradient" | "integrated-gradients" => score_unit(run.score),
        _ => gradient_unit(run.score),
    }
}

/// Gathers the maps of noisy copies. Each sample draws from a stream of its own, so the batch changes nothing.
pub async fn gather(run: &mut Run<'_>) -> Result<Moments> {
    let samples = run.settings.integer("samples");
    let (low, high) = run.image.range();
    let sigma = run.settings.number("sigma") * (f64::from(high) - f64::from(low));
    let mut moments = Moments::new(run.targets.len(), run.image.shape());
    let batch = gradient::batch(run, Rule::Plain).await?;
    let mut done = 0;
    while done < samples {
        let chunk = batch.min(samples - done);
        let noisy: Vec<Tensor> =
            (done..done + chunk).map(|i| disturbed(run.image, sigma, run.seed, i)).collect();
        let maps = attributions(run, &Tensor::stack(&noisy)?).await?;
        let k = run.targets.len();
        (0..chunk).for_each(|i| moments.add((0..k).map(|t| maps.row(i * k + t))));
        done += chunk;
        run.observer.progress(done as u64, samples as u64, None).await?;
    }
    Ok(moments)
}

/// The image with normal noise added.
#[allow(clippy::cast_possible_truncation)]
fn disturbed(image: &Tensor, sigma: f64, seed: u64, sample: usize) -> Tensor {
    let mut rng = rng::for_sample(seed, sample as u64);
    let mut noisy = image.clone();
    for v in noisy.data_mut() {
        let z: f64 = StandardNormal.sample(&mut rng);
        *v = (f64::from(*v) + sigma * z) as f32;
    }
    noisy
}

/// The chosen method's maps of each image: `[N * K, C, H, W]`, image-major.
async fn attributions(run: &mut Run<'_>, images: &Tensor) -> Result<Tensor> {
    match run.settings.text("of") {
        "guided-backprop" => gradient::at_images(run, Rule::Guided, images).await,
        "input-x-gradient" => {
            let gradients = gradient::at_images(run, Rule::Plain, images).await?;
            let k = run.targets.len();
            let one = |i: usize| product(&images.at(i / k), &gradients.at(i));
            Tensor::stack(&(0..gradients.shape()[0]).map(one).collect::<Result<Vec<_>>>()?)
        }
        "integrated-gradients" => {
            let mut all = vec![];
            for i in 0..images.shape()[0] {
                let image = images.at(i);
                let start = baseline("zero", &image, run.preprocessing)?;
                all.extend(integrated_gradients::along_the_way(run, &image, &start, 50, false).await?);
            }
            Tensor::stack(&all)
        }
        _ => gradient::at_images(run, Rule::Plain, images).await,
    }
}
