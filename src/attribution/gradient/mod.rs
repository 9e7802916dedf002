//! Methods that differentiate the score by the input: gradients, products with them, path integrals, noise.
//!
//! They share gradients with respect to the input, of any number of images.

pub mod background;
pub mod baseline;
pub mod expected_gradients;
pub mod guided_backprop;
pub mod guided_grad_cam;
pub mod input_x_gradient;
pub mod integrated_gradients;
mod moments;
mod noise;
mod quadrature;
pub mod saliency;
pub mod smooth_grad;
pub mod vargrad;

use crate::{
    attribution::Context,
    backend::{Images, LayerInput},
    error::{Error, Result},
    graph::Rule,
    network::{Network, Program, Score},
    tensor::Tensor,
};

/// The unit of a gradient with respect to the input.
#[must_use]
pub fn gradient_unit(score: Score) -> &'static str {
    match score {
        Score::Logit => "logit per unit of the normalised input",
        Score::Probability => "probability per unit of the normalised input",
    }
}

/// The gradient of every target's score at each image of `[N, C, H, W]`: `[N * K, C, H, W]`, image-major.
pub async fn at_images(context: &mut Context<'_>, rule: Rule, images: &Tensor) -> Result<Tensor> {
    if rule == Rule::Guided && has_smooth_activations(context.backend.network()) {
        context.note(SMOOTH);
    }
    of_program(context, &Program::Gradient { score: context.question.score, layer: None, rule }, images).await
}

/// The note of guided methods on networks whose activations are smooth.
const SMOOTH: &str = "The network has smooth activations (Sigmoid, HardSigmoid, HardSwish, Elu or SiLU). They keep \
    their plain gradient; only ReLU, ReLU6 and Clip are guided.";

fn has_smooth_activations(network: &Network) -> bool {
    network.graph().nodes().iter().filter_map(|n| n.operator()).any(|op| op.is_smooth_activation())
}

/// The gradient that a program gives for every target at each of its inputs: `[N * K, ...]`, image-major.
pub async fn of_program(context: &mut Context<'_>, program: &Program, points: &Tensor) -> Result<Tensor> {
    let cotangents = context.cotangents(points.shape()[0])?;
    let images = match program {
        Program::HeadGradient { .. } => Images::AtLayer(LayerInput { points, image: context.image }),
        _ => Images::Batch(points),
    };
    let outputs = context.run(program, images, Some(&cotangents)).await?;
    let [_, gradient] = <[Tensor; 2]>::try_from(outputs)
        .map_err(|_| Error::Model("the backend gave no gradient; please report this".into()))?;
    Ok(gradient)
}

/// The gradient of every target's score at the image itself: `[K, C, H, W]`.
pub async fn at_image(context: &mut Context<'_>, rule: Rule) -> Result<Tensor> {
    context.observer.progress(0, 1, None).await?;
    let image = context.batch_of_one()?;
    let gradient = at_images(context, rule, &image).await?;
    context.observer.progress(1, 1, None).await?;
    Ok(gradient)
}

/// How many images a gradient is best asked for at once.
pub async fn batch(context: &mut Context<'_>, rule: Rule) -> Result<usize> {
    let question = context.question;
    let program = Program::Gradient { score: question.score, layer: None, rule };
    Ok(context.backend.batch(&program, question.targets.len()).await?.max(1))
}

/// The element-wise product.
pub fn product(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Tensor::new(a.shape(), a.data().iter().zip(b.data()).map(|(x, y)| x * y).collect())
}
