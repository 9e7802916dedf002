//! Gradients under noise: what SmoothGrad and VarGrad share.

use rand_distr::{Distribution, StandardNormal};

use super::{
    baseline::baseline,
    cam::score_unit,
    gradient::{self, gradient_unit, product},
    moments::Moments,
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
                let start = baseline("zero", &image, run.preprocessing, None)?;
                all.extend(
                    integrated_gradients::along_the_way(run, [&start, &image], 50, None, false).await?,
                );
            }
            Tensor::stack(&all)
        }
        _ => gradient::at_images(run, Rule::Plain, images).await,
    }
}
