//! The loop of the methods that sample masks: LIME, KernelSHAP and RISE.

use std::ops::Range;

use super::scores;
use crate::{
    attribution::{Context, Map, Question},
    backend::Masks,
    error::Result,
    network::Program,
    tensor::Tensor,
};

/// A method's part of the loop: the masks, and what is made of the scores.
pub trait Sampler {
    /// The masks of a range of samples. A sample's mask does not depend on the range.
    fn masks(&self, samples: Range<usize>) -> Masks;

    /// Adds the targets' scores under a sample's mask. Samples come in order, each once.
    fn add(&mut self, sample: usize, scores: &[f32]);

    /// The maps so far, and their largest standard error.
    fn maps(&self, question: &Question) -> Result<(Vec<Map>, f64)>;
}

/// Takes samples until there are `samples`, or the standard error is under the tolerance. `evaluated` counts the images
/// that the network was given before: progress and checkpoints count them too.
pub async fn sample(
    context: &mut Context<'_>,
    fill: &Tensor,
    evaluated: usize,
    samples: usize,
    sampler: &mut impl Sampler,
) -> Result<Vec<Map>> {
    let (batch, total) = (batch(context).await?, evaluated + samples);
    let (mut checkpoints, mut done) = (Checkpoints::new(total), evaluated);
    context.observer.progress(done as u64, total as u64, None).await?;
    loop {
        let first = done - evaluated;
        let chunk = first..first + checkpoints.until_next(done, batch);
        if !chunk.is_empty() {
            done += chunk.len();
            let scores = scores(context, fill, &sampler.masks(chunk.clone())).await?;
            chunk.for_each(|sample| sampler.add(sample, scores.row(sample - first)));
        }
        if !checkpoints.reached(done) {
            context.observer.progress(done as u64, total as u64, None).await?;
            continue;
        }
        let (maps, error) = sampler.maps(context.question)?;
        if show(context, done, total, &maps, error).await? || done == total {
            return Ok(maps);
        }
    }
}

/// How many images to give to the network at a time.
async fn batch(context: &mut Context<'_>) -> Result<usize> {
    match context.question.settings.integer("batch") {
        0 => Ok(context.backend.batch(&Program::Forward { layer: None }, 1).await?.max(1)),
        set => Ok(set),
    }
}

/// Reports progress with the maps so far. True if their largest standard error is under the tolerance.
async fn show(
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

/// The counts of samples at which a method makes maps of what it has: the first at 32, each a third farther on.
///
/// They do not depend on the batch, so that what is decided there does not either.
pub struct Checkpoints {
    next: usize,
    total: usize,
}

impl Checkpoints {
    /// The checkpoints of a method that takes `total` samples.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self { next: 32.min(total), total }
    }

    /// How many samples to take next, `batch` at most.
    #[must_use]
    pub fn until_next(&self, done: usize, batch: usize) -> usize {
        self.next.saturating_sub(done).min(batch)
    }

    /// True if a checkpoint is reached; always when all is done.
    pub fn reached(&mut self, done: usize) -> bool {
        if done < self.next {
            return false;
        }
        self.next = (done + (done / 3).max(32)).min(self.total);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_at_the_same_counts_whatever_the_batch() {
        let counts = |batch: usize| {
            let (mut checkpoints, mut done, mut seen) = (Checkpoints::new(1000), 0, vec![]);
            while done < 1000 {
                let next = checkpoints.until_next(done, batch);
                assert!(next > 0);
                done += next;
                if checkpoints.reached(done) {
                    seen.push(done);
                }
            }
            seen
        };
        assert_eq!(counts(1), counts(7));
        assert_eq!(counts(1000), counts(2));
        assert!(counts(3)[0] <= 64 && counts(3).ends_with(&[1000]));
        assert_eq!(Checkpoints::new(5).until_next(0, 100), 5);
    }
}
