//! Spreads a run over helpers that hold the same network and share no memory: the page's workers.
//!
//! Every image is computed alone wherever it is computed, so the numbers are the same to the bit, whoever helps.

use std::{ops::Range, pin::Pin};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{At, Backend, Images, Masked, Masks};
use crate::{
    error::{Error, Result},
    network::Program,
    tensor::Tensor,
};

/// How many images each takes at a time: enough that talking costs little, few enough that a stop is heard soon.
const EACH: usize = 4;

/// What comes of a job, or nothing when it was not done.
pub type Answer = Pin<Box<dyn Future<Output = Option<Vec<u8>>>>>;

/// Others that hold the same network and run parts of a batch.
#[async_trait(?Send)]
pub trait Helpers {
    /// How many there can be; those that are not there yet are sent for.
    fn wanted(&self) -> usize;

    /// How many are there now.
    fn ready(&self) -> usize;

    /// Gives a job to the `i`-th of those that are there, who begins at once and does it by [`work`].
    fn ask(&self, i: usize, job: Vec<u8>) -> Answer;

    /// Lets others speak between two images.
    async fn rest(&self);
}

/// A part of a run, as it is sent.
#[derive(Serialize, Deserialize)]
struct Job {
    program: Program,
    images: Part,
    cotangents: Option<Tensor>,
}

/// Some of a run's images.
#[derive(Serialize, Deserialize)]
enum Part {
    Batch(Tensor),
    Masked { image: Tensor, fill: Tensor, masks: Masks },
    At { points: Tensor, image: Tensor },
}

impl Job {
    /// The images of a range, with their cotangents.
    fn new(program: &Program, images: Images<'_>, cotangents: Option<&Tensor>, range: Range<usize>) -> Self {
        let targets = cotangents.map_or(0, |c| c.shape()[0] / images.len());
        let cotangents = cotangents.map(|c| c.slice(range.start * targets..range.end * targets));
        let images = match images {
            Images::Batch(batch) => Part::Batch(batch.slice(range)),
            Images::Masked(Masked { image, fill, masks }) => {
                Part::Masked { image: image.clone(), fill: fill.clone(), masks: masks.slice(range) }
            }
            Images::At(At { points, image }) => {
                Part::At { points: points.slice(range), image: image.clone() }
            }
        };
        Self { program: program.clone(), images, cotangents }
    }

    async fn run(&self, backend: &mut dyn Backend) -> Result<Vec<Tensor>> {
        let images = match &self.images {
            Part::Batch(batch) => Images::Batch(batch),
            Part::Masked { image, fill, masks } => Images::Masked(Masked { image, fill, masks }),
            Part::At { points, image } => Images::At(At { points, image }),
        };
        backend.run(&self.program, images, self.cotangents.as_ref()).await
    }
}

/// How many images are best given to one [`run`], where the CPU alone takes `own`.
#[must_use]
pub fn batch(own: usize, helpers: &dyn Helpers) -> usize {
    match helpers.wanted() {
        0 => own,
        others => own * EACH * (1 + others),
    }
}

/// As [`Backend::run`], with the images dealt out evenly. What a helper does not bring back is done here.
///
/// # Errors
/// What [`Backend::run`] fails with.
pub async fn run(
    own: &mut dyn Backend,
    helpers: &dyn Helpers,
    program: &Program,
    images: Images<'_>,
    cotangents: Option<&Tensor>,
) -> Result<Vec<Tensor>> {
    let count = images.len();
    if count < 2 || helpers.wanted() == 0 {
        return own.run(program, images, cotangents).await;
    }
    let hands = (1 + helpers.ready()).min(count);
    let share = |hand: usize| hand * count / hands..(hand + 1) * count / hands;
    let job = |range| Job::new(program, images, cotangents, range);
    let give = |hand: usize| Ok(helpers.ask(hand - 1, encode(&job(share(hand)))?));
    let given = (1..hands).map(give).collect::<Result<Vec<_>>>()?;
    let mut parts = vec![];
    for i in share(0) {
        parts.push(job(i..i + 1).run(own).await?);
        helpers.rest().await;
    }
    for (hand, answer) in (1..).zip(given) {
        match answer.await.and_then(|bytes| postcard::from_bytes(&bytes).ok()) {
            Some(outputs) => parts.push(outputs),
            None => parts.push(job(share(hand)).run(own).await?),
        }
    }
    join(parts)
}

/// Does a job that [`run`] has given away.
///
/// # Errors
/// [`Error::Argument`] when the job cannot be read, and what [`Backend::run`] fails with.
pub async fn work(backend: &mut dyn Backend, job: &[u8]) -> Result<Vec<u8>> {
    let job: Job =
        postcard::from_bytes(job).map_err(|e| Error::Argument(format!("the job cannot be read: {e}")))?;
    encode(&job.run(backend).await?)
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|e| Error::Argument(format!("the job cannot be sent: {e}")))
}

/// The outputs of consecutive parts, end to end.
fn join(parts: Vec<Vec<Tensor>>) -> Result<Vec<Tensor>> {
    let outputs = parts.first().map_or(0, Vec::len);
    let join_one = |output: usize| {
        let pieces = || parts.iter().filter_map(|p| p.get(output));
        let mut shape = parts[0][output].shape().to_vec();
        shape[0] = pieces().map(|p| p.shape()[0]).sum();
        Tensor::new(shape, pieces().flat_map(|p| p.data().iter().copied()).collect())
    };
    (0..outputs).map(join_one).collect()
}

#[cfg(test)]
#[path = "share_tests.rs"]
mod tests;
