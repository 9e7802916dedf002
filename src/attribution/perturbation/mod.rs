//! Methods that hide parts of the image and watch the score.
//!
//! They share how segments are filled, how masks are sampled, and how segments' weights become maps.

pub mod kernel_shap;
pub mod lime;
mod linear;
pub mod occlusion;
mod owen;
mod regression;
pub mod rise;
mod sampling;
pub mod segments;
pub mod shap_partition;
mod shapley;

use std::sync::Arc;

pub use sampling::Checkpoints;
use serde_json::Value;

use crate::{
    attribution::{Context, Kind, Map, Parameter, Settings, fill::Fill, score_unit},
    backend::{BitRows, Images, Masked, Masks, Segmentation},
    error::Result,
    network::Score,
    picture::Preprocessing,
    tensor::Tensor,
};

/// How many images are given to the network at a time.
const BATCH: Parameter = Parameter {
    key: "batch",
    label: "Batch",
    help: "How many images are given to the network at a time; 0 for what suits the device.",
    kind: Kind::Integer { min: 0, max: 1024, default: 0 },
};

/// When to stop early.
const TOLERANCE: Parameter = Parameter {
    key: "tolerance",
    label: "Tolerance",
    help: "Stops as soon as the largest standard error is under this; 0 takes every sample.",
    kind: Kind::Number { min: 0.0, max: 1e6, default: 0.0 },
};

/// Parameter lists end to end; `N` must be how many there are in all.
const fn join<const N: usize>(lists: &[&[Parameter]]) -> [Parameter; N] {
    let mut all = [BATCH; N];
    let (mut list, mut next) = (0, 0);
    while list < lists.len() {
        let mut i = 0;
        while i < lists[list].len() {
            all[next] = lists[list][i];
            (i, next) = (i + 1, next + 1);
        }
        list += 1;
    }
    assert!(next == N, "N is how many parameters there are in all");
    all
}

/// The targets' scores of the image under masks: `[N, K]`.
async fn scores(context: &mut Context<'_>, fill: &Tensor, masks: &Masks) -> Result<Tensor> {
    let image = context.image;
    context.scores(Images::Masked(Masked { image, fill, masks })).await
}

/// One value per segment as an image, `[H, W]`.
fn paint(segmentation: &Segmentation, values: &[f64]) -> Result<Tensor> {
    let pixels = segmentation.labels().iter().map(|&l| values[l as usize] as f32).collect();
    Tensor::new([segmentation.height(), segmentation.width()], pixels)
}

/// A target's map of one weight per segment. The weights, with their standard errors, stand beside it; an error that is
/// not known yet is `f64::MAX`, and null there.
fn segment_map(
    segmentation: &Arc<Segmentation>,
    target: usize,
    score: Score,
    weights: Vec<f64>,
    errors: Vec<f64>,
) -> Result<Map> {
    let mut map = Map::new(target, paint(segmentation, &weights)?, score_unit(score));
    map.segments = Some(segmentation.clone());
    map.extras.insert("segments", segmentation.count().into());
    map.extras.insert("weights", Value::from(weights));
    let errors = errors.into_iter().map(|e| if e == f64::MAX { Value::Null } else { e.into() });
    map.extras.insert("standard_errors", errors.collect());
    Ok(map)
}

/// The fill that hides segments of an image, as the parameter `fill` says: `[C, H, W]`; `mean` is each segment's own.
pub fn segment_fill(
    image: &Tensor,
    preprocessing: &Preprocessing,
    segmentation: &Segmentation,
    settings: &Settings,
) -> Result<Tensor> {
    Ok(match Fill::parse(settings.text("fill"))? {
        Fill::Mean => segment_means(image, segmentation),
        other => other.image(image, preprocessing),
    })
}

/// The image's mean colour in each segment, `[C, H, W]`.
fn segment_means(image: &Tensor, segmentation: &Segmentation) -> Tensor {
    let sizes = segmentation.sizes();
    let mut fill = image.clone();
    for plane in fill.data_mut().chunks_exact_mut(segmentation.labels().len()) {
        let mut sums = vec![0.0; sizes.len()];
        plane.iter().zip(segmentation.labels()).for_each(|(&v, &l)| sums[l as usize] += f64::from(v));
        for (v, &l) in plane.iter_mut().zip(segmentation.labels()) {
            *v = (sums[l as usize] / sizes[l as usize] as f64) as f32;
        }
    }
    fill
}

/// The places of a row's set bits.
fn ones(rows: &BitRows, row: usize) -> Vec<usize> {
    rows.row(row).enumerate().filter_map(|(i, bit)| bit.then_some(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_each_segment_s_own() {
        let map = Segmentation::new(1, 4, &[0, 1, 1, 0]).unwrap();
        let image = Tensor::new([2, 1, 4], vec![1.0, 2.0, 4.0, 3.0, 0.0, 1.0, 0.0, 0.0]).unwrap();
        assert_eq!(segment_means(&image, &map).data(), [2.0, 3.0, 3.0, 2.0, 0.0, 0.5, 0.5, 0.0]);
        assert_eq!(paint(&map, &[5.0, 7.0]).unwrap().data(), [5.0, 7.0, 7.0, 5.0]);
    }
}
