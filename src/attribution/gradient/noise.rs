//! Gradients under noise: what SmoothGrad and VarGrad share.

use rand_distr::{Distribution, StandardNormal};

use super::{baseline::baseline, gradient_unit, integrated_gradients, moments::Moments, product};
use crate::{
    attribution::{Context, Kind, Parameter, gradient, score_unit},
    error::Result,
    graph::Rule,
    rng,
    tensor::Tensor,
};

/// The parameters of both methods.
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

/// The unit of the gathered maps.
#[must_use]
pub fn unit(context: &Context<'_>) -> &'static str {
    let question = context.question;
    match question.settings.text("of") {
        "input-x-gradient" | "integrated-gradients" => score_unit(question.score),
        _ => gradient_unit(question.score),
    }
}

/// Gathers the maps of noisy copies. Each sample draws from a stream of its own, so the batch changes nothing.
pub async fn gather(context: &mut Context<'_>) -> Result<Moments> {
    let question = context.question;
    let samples = question.settings.integer("samples");
    let (low, high) = context.image.range();
    let sigma = question.settings.number("sigma") * (f64::from(high) - f64::from(low));
    let mut moments = Moments::new(question.targets.len(), context.image.shape());
    let batch = gradient::batch(context, Rule::Plain).await?;
    let mut done = 0;
    while done < samples {
        let chunk = batch.min(samples - done);
        let noisy: Vec<Tensor> =
            (done..done + chunk).map(|i| disturbed(context.image, sigma, question.seed, i)).collect();
        let maps = attributions(context, &Tensor::stack(&noisy)?).await?;
        let k = question.targets.len();
        (0..chunk).for_each(|i| moments.add((0..k).map(|t| maps.row(i * k + t))));
        done += chunk;
        context.observer.progress(done as u64, samples as u64, None).await?;
    }
    Ok(moments)
}

/// The image with normal noise added.
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
async fn attributions(context: &mut Context<'_>, images: &Tensor) -> Result<Tensor> {
    let question = context.question;
    match question.settings.text("of") {
        "guided-backprop" => gradient::at_images(context, Rule::Guided, images).await,
        "input-x-gradient" => {
            let gradients = gradient::at_images(context, Rule::Plain, images).await?;
            let k = question.targets.len();
            let one = |i: usize| product(&images.at(i / k), &gradients.at(i));
            Tensor::stack(&(0..gradients.shape()[0]).map(one).collect::<Result<Vec<_>>>()?)
        }
        "integrated-gradients" => {
            let mut all = vec![];
            for i in 0..images.shape()[0] {
                let image = images.at(i);
                let start = baseline("zero", &image, &question.preprocessing, None)?;
                all.extend(
                    integrated_gradients::along_the_way(context, [&start, &image], 50, None, false).await?,
                );
            }
            Tensor::stack(&all)
        }
        _ => gradient::at_images(context, Rule::Plain, images).await,
    }
}

#[cfg(test)]
mod tests {
    use crate::{attribution::oracle, network::Score};

    /// The share of the input's span that the noise's deviation is.
    const SIGMA: f64 = 0.2;

    /// On a linear network `x o df/dx` under noise is `w (x + noise)`: its variance is `(w sigma span)^2`, whatever
    /// the image, and its mean `w x`. So both are known without any sample.
    fn case(samples: &str) -> (oracle::Case, Vec<f64>, f64) {
        let mut case = oracle::Case::linear();
        let slopes = case.explain("saliency", &[2]).remove(0).values;
        let (low, high) = case.image.range();
        case.set("samples", samples).set("sigma", &SIGMA.to_string()).set("of", "input-x-gradient");
        (case, slopes.data().iter().map(|&w| f64::from(w)).collect(), SIGMA * f64::from(high - low))
    }

    /// The mean of what VarGrad gives over what it should.
    fn share_of_variance(samples: &str) -> f64 {
        let (mut case, slopes, sigma) = case(samples);
        let found = case.explain("vargrad", &[2]).remove(0).values;
        let shares = found.data().iter().zip(&slopes).map(|(&v, w)| f64::from(v) / (w * sigma).powi(2));
        shares.sum::<f64>() / slopes.len() as f64
    }

    #[test]
    fn vargrad_is_the_variance_of_the_noise_that_was_asked_for() {
        // Each element's estimate is off by the root of 2 / samples, and there are 297 of them.
        let share = share_of_variance("1000");
        assert!((share - 0.999).abs() < 0.015, "{share}");
        // With a divisor of the number of samples, as in Captum, two samples give half the variance.
        let share = share_of_variance("2");
        assert!((share - 0.5).abs() < 0.15, "{share}");
    }

    #[test]
    fn smooth_grad_is_the_mean_and_knows_its_error() {
        let samples = 400;
        let (mut case, slopes, sigma) = case(&samples.to_string());
        let map = case.explain("smooth-grad", &[2]).remove(0);
        let error = |w: &f64| w.abs() * sigma / f64::from(samples).sqrt();
        let (mut squares, image) = (0.0, case.image.data());
        for ((&found, &x), w) in map.values.data().iter().zip(image).zip(&slopes) {
            squares += ((f64::from(found) - w * f64::from(x)) / error(w)).powi(2);
        }
        // The variance of 297 numbers whose deviation is one.
        let spread = squares / slopes.len() as f64;
        assert!((0.75..1.25).contains(&spread), "{spread}");
        let mean = slopes.iter().map(error).sum::<f64>() / slopes.len() as f64;
        let said = map.extras["standard_error"].as_f64().unwrap();
        assert!((said / mean - 1.0).abs() < 0.02, "{said} beside {mean}");
    }

    /// Noise is that large in the gradient's own map as well: on a network with bends it moves it.
    #[test]
    fn gradients_are_gathered_too() {
        let mut case = oracle::Case::new(Score::Logit);
        let map = case.set("samples", "20").explain("vargrad", &[1]).remove(0).values;
        assert!(map.range().1 > 0.0);
    }
}
