//! Eigen-CAM: what a layer's activations have most in common, whatever the class.

use async_trait::async_trait;

use crate::{
    attribution::{About, Context, Cost, Group, Map, MapKind, Method, Paper},
    backend::Images,
    error::{Error, Result},
    network::{Program, Score},
    tensor::Tensor,
};

/// The layer's activations, each channel centred, projected on their first principal component. Muhammad and
/// Yeasin 2020, equation 3, with the centring of pytorch-grad-cam, which the paper leaves out.
///
/// A component has no sign of its own; the one that agrees with the mean activation is taken, where pytorch-grad-cam
/// leaves it to numpy. The class plays no part: every target has the same map.
pub struct EigenCam;

const ABOUT: About = About {
    id: "eigen-cam",
    label: "Eigen-CAM",
    group: Group::Regions,
    sentence: "Where the layer is most active in its main pattern; it does not depend on the class.",
    paper: Paper {
        authors: "Muhammad, Yeasin",
        title: "Eigen-CAM: Class Activation Map using Principal Components",
        year: 2020,
        url: "https://arxiv.org/abs/2008.00299",
    },
    parameters: &[],
    default_score: Score::Logit,
    cost: Cost::forward("1"),
    map_kind: MapKind::Layer,
};

#[async_trait(?Send)]
impl Method for EigenCam {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>> {
        let program = Program::Forward { layer: Some(context.layer()?.value) };
        let image = context.batch_of_one()?;
        context.observer.progress(0, 1, None).await?;
        let outputs = context.run(&program, Images::Batch(&image), None).await?;
        context.observer.progress(1, 1, None).await?;
        let activation =
            outputs.get(1).ok_or_else(|| Error::Model("the backend gave no activation".into()))?;
        let values = project(&activation.at(0))?;
        Ok(context.question.targets.iter().map(|&t| Map::new(t, values.clone(), "activation")).collect())
    }
}

/// Power iterations at most, and how small a change of the unit vector ends them.
const ITERATIONS: usize = 10_000;
const CONVERGED: f64 = 1e-10;

/// `[C, h, w]` to `[h, w]`: each place's centred channels, times the first right singular vector.
fn project(activation: &Tensor) -> Result<Tensor> {
    let plane = activation.row_len();
    // One row a channel, one column a place.
    let mut centred: Vec<f64> = activation.data().iter().map(|&v| f64::from(v)).collect();
    let mut total = vec![0.0; plane];
    for row in centred.chunks_exact_mut(plane) {
        total.iter_mut().zip(&*row).for_each(|(t, v)| *t += v);
        let mean = row.iter().sum::<f64>() / plane as f64;
        row.iter_mut().for_each(|v| *v -= mean);
    }
    let map = first_projection(&centred, plane);
    let agreement: f64 = map.iter().zip(&total).map(|(p, t)| p * t).sum();
    let sign = if agreement < 0.0 { -1.0 } else { 1.0 };
    Tensor::new(&activation.shape()[1..], map.iter().map(|v| (sign * v) as f32).collect())
}

/// The projection of the columns of a matrix on its first left singular vector, by power iteration.
fn first_projection(rows: &[f64], width: usize) -> Vec<f64> {
    let onto = |vector: &[f64]| -> Vec<f64> {
        let mut out = vec![0.0; width];
        for (row, &v) in rows.chunks_exact(width).zip(vector) {
            out.iter_mut().zip(row).for_each(|(o, a)| *o += v * a);
        }
        out
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    // The longest row is never orthogonal to the component unless all are, so the iteration finds it.
    let longest = rows.chunks_exact(width).max_by(|a, b| dot(a, a).total_cmp(&dot(b, b))).unwrap_or_default();
    let mut vector: Vec<f64> = rows.chunks_exact(width).map(|row| dot(row, longest)).collect();
    normalise(&mut vector);
    for _ in 0..ITERATIONS {
        let projected = onto(&vector);
        let mut next: Vec<f64> = rows.chunks_exact(width).map(|row| dot(row, &projected)).collect();
        normalise(&mut next);
        let change = next.iter().zip(&vector).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        vector = next;
        if change < CONVERGED {
            break;
        }
    }
    onto(&vector)
}

/// Scales to length one, unless it is zero.
fn normalise(vector: &mut [f64]) {
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|v| *v /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::project;
    use crate::tensor::Tensor;

    /// Two channels that rise together along one pattern: the component is that pattern, centred.
    #[test]
    fn finds_the_common_pattern() {
        let pattern = [0.0f32, 1.0, 2.0, 5.0];
        let rows: Vec<f32> = [3.0, 4.0].iter().flat_map(|k| pattern.map(|p| k * p)).collect();
        for shape in [[2, 2, 2], [2, 4, 1]] {
            let map = project(&Tensor::new(shape, rows.clone()).unwrap()).unwrap();
            for (got, p) in map.data().iter().zip(pattern) {
                assert!((got - 5.0 * (p - 2.0)).abs() < 1e-5, "{map:?}");
            }
        }
    }

    /// Every place twice is the same map twice.
    #[test]
    fn repeats_repeat() {
        let narrow = Tensor::new([3, 1, 2], vec![1.0, 4.0, -2.0, 0.5, 0.0, 3.0]).unwrap();
        let padded: Vec<f32> = (0..3).flat_map(|c| [narrow.row(c), narrow.row(c)].concat()).collect();
        let wide = project(&Tensor::new([3, 1, 4], padded).unwrap()).unwrap();
        let narrow = project(&narrow).unwrap();
        assert!(
            (wide.data()[0] - narrow.data()[0]).abs() < 1e-5
                && (wide.data()[3] - narrow.data()[1]).abs() < 1e-5
        );
    }
}
