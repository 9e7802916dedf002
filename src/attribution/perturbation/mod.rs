//! Methods that hide parts of the image and watch the score.
//!
//! They share fills of segments, batches of masked images, and the counts of samples at which they look.

pub mod kernel_shap;
pub mod lime;
mod linear;
pub mod occlusion;
mod owen;
mod regression;
pub mod rise;
pub mod segments;
pub mod shap_partition;
mod shapley;

use crate::{
    attribution::{Context, Kind, Map, Parameter, Settings, fill::Fill},
    backend::{BitRows, Images, Masked, Masks, Segmentation},
    error::Result,
    network::Program,
    picture::Preprocessing,
    tensor::Tensor,
};

/// How many images are given to the network at a time.
pub const BATCH: Parameter = Parameter {
    key: "batch",
    label: "Batch",
    help: "How many images are given to the network at a time; 0 for what suits the device.",
    kind: Kind::Integer { min: 0, max: 1024, default: 0 },
};

/// When to stop early.
pub const TOLERANCE: Parameter = Parameter {
    key: "tolerance",
    label: "Tolerance",
    help: "Stops as soon as the largest standard error is under this; 0 takes every sample.",
    kind: Kind::Number { min: 0.0, max: 1e6, default: 0.0 },
};

/// Parameter lists end to end; `N` must be how many there are in all.
#[must_use]
pub const fn join<const N: usize>(lists: &[&[Parameter]]) -> [Parameter; N] {
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

/// How many images to give to the network at a time.
pub async fn batch(context: &mut Context<'_>) -> Result<usize> {
    match context.question.settings.integer("batch") {
        0 => Ok(context.backend.batch(&Program::Forward { layer: None }, 1).await?.max(1)),
        set => Ok(set),
    }
}

/// The targets' scores of the image under masks: `[N, K]`.
pub async fn scores(context: &mut Context<'_>, fill: &Tensor, masks: &Masks) -> Result<Tensor> {
    let image = context.image;
    context.scores(Images::Masked(Masked { image, fill, masks })).await
}

/// The counts of samples at which a method looks at what it has: the first at 32, each a third farther on.
///
/// They do not depend on the batch, so that what is decided there does not either.
pub struct Looks {
    next: usize,
    total: usize,
}

impl Looks {
    /// The looks of a method that takes `total` samples.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { next: 32.min(total), total }
    }

    /// How many samples to take next, `batch` at most.
    #[must_use]
    pub fn room(&self, done: usize, batch: usize) -> usize {
        self.next.saturating_sub(done).min(batch)
    }

    /// Whether it is time to look; always when all is done.
    pub fn due(&mut self, done: usize) -> bool {
        if done < self.next {
            return false;
        }
        self.next = (done + (done / 3).max(32)).min(self.total);
        true
    }
}

/// Says how far a method is and what it has; true when the largest of `errors` is under the tolerance.
pub async fn show(
    context: &mut Context<'_>,
    done: usize,
    total: usize,
    maps: &[Map],
    error: f64,
) -> Result<bool> {
    let enough = error < context.question.settings.number("tolerance");
    let total = if enough { done } else { total };
    context.observer.progress(done as u64, total as u64, Some(maps)).await?;
    Ok(enough)
}

/// One value a segment as an image, `[H, W]`.
#[allow(clippy::cast_possible_truncation)]
pub fn paint(map: &Segmentation, values: &[f64]) -> Result<Tensor> {
    let pixels = map.labels().iter().map(|&l| values[l as usize] as f32).collect();
    Tensor::new([map.height(), map.width()], pixels)
}

/// What hides segments of an image, as the parameter `fill` says: `[C, H, W]`; `mean` is each segment's own.
pub fn segment_fill(
    image: &Tensor,
    preprocessing: &Preprocessing,
    map: &Segmentation,
    settings: &Settings,
) -> Result<Tensor> {
    Ok(match Fill::parse(settings.text("fill"))? {
        Fill::Mean => segment_means(image, map),
        other => other.image(image, preprocessing),
    })
}

/// The image's mean colour in each segment, `[C, H, W]`.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub fn segment_means(image: &Tensor, map: &Segmentation) -> Tensor {
    let sizes = map.sizes();
    let mut fill = image.clone();
    for plane in fill.data_mut().chunks_exact_mut(map.labels().len()) {
        let mut sums = vec![0.0; sizes.len()];
        plane.iter().zip(map.labels()).for_each(|(&v, &l)| sums[l as usize] += f64::from(v));
        for (v, &l) in plane.iter_mut().zip(map.labels()) {
            *v = (sums[l as usize] / sizes[l as usize] as f64) as f32;
        }
    }
    fill
}

/// The places of a row's set bits.
pub fn ones(rows: &BitRows, row: usize) -> Vec<usize> {
    rows.row(row).enumerate().filter_map(|(i, bit)| bit.then_some(i)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_at_the_same_counts_whatever_the_batch() {
        let counts = |batch: usize| {
            let (mut looks, mut done, mut seen) = (Looks::new(1000), 0, vec![]);
            while done < 1000 {
                let room = looks.room(done, batch);
                assert!(room > 0);
                done += room;
                if looks.due(done) {
                    seen.push(done);
                }
            }
            seen
        };
        assert_eq!(counts(1), counts(7));
        assert_eq!(counts(1000), counts(2));
        assert!(counts(3)[0] <= 64 && counts(3).ends_with(&[1000]));
        assert_eq!(Looks::new(5).room(0, 100), 5);
    }

    #[test]
    fn means_are_each_segment_s_own() {
        let map = Segmentation::new(1, 4, &[0, 1, 1, 0]).unwrap();
        let image = Tensor::new([2, 1, 4], vec![1.0, 2.0, 4.0, 3.0, 0.0, 1.0, 0.0, 0.0]).unwrap();
        assert_eq!(segment_means(&image, &map).data(), [2.0, 3.0, 3.0, 2.0, 0.0, 0.5, 0.5, 0.0]);
        assert_eq!(paint(&map, &[5.0, 7.0]).unwrap().data(), [5.0, 7.0, 7.0, 5.0]);
    }
}
