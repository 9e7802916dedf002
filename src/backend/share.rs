//! Spreads a run over helpers that hold the same network and share no memory: the page's workers.
//!
//! Every image is computed alone wherever it is computed, so the numbers are the same to the bit, whoever helps.

use std::{cell::RefCell, future::poll_fn, ops::Range, pin::Pin, task::Poll};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{At, Backend, Images, Masked, Masks};
use crate::{
    error::{Error, Result},
    network::Program,
    tensor::Tensor,
};

/// How many images each takes at a time: enough that talking costs little, few enough that a stop is heard soon.
const EACH: usize = 8;

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

/// As [`Backend::run`], with the images dealt out: whoever is done takes the next, so that nobody waits for long. What a
/// helper does not bring back is done here.
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
    let ready = helpers.ready();
    let job = |range| Job::new(program, images, cotangents, range);
    let (left, parts) = (RefCell::new(0..count), RefCell::new(vec![]));
    let help = |i: usize| {
        let (left, parts) = (&left, &parts);
        async move {
            // When one has left, the others have other numbers: they finish what they have.
            while helpers.ready() >= ready {
                let range = take(&mut left.borrow_mut(), ready);
                if range.is_empty() {
                    break;
                }
                let answer = helpers.ask(i, encode(&job(range.clone()))?).await;
                let outputs = answer.and_then(|bytes| postcard::from_bytes::<Vec<Tensor>>(&bytes).ok());
                let is_lost = outputs.is_none();
                parts.borrow_mut().push((range, outputs));
                if is_lost {
                    break;
                }
            }
            Ok(())
        }
    };
    let mut hands: Vec<Hand<'_>> = (0..ready).map(|i| Box::pin(help(i)) as Hand<'_>).collect();
    hands.push(Box::pin(async {
        loop {
            let Some(i) = left.borrow_mut().next_back() else { return Ok(()) };
            let outputs = job(i..i + 1).run(own).await?;
            parts.borrow_mut().push((i..i + 1, Some(outputs)));
            helpers.rest().await;
        }
    }));
    all(hands).await?;
    let mut parts = parts.into_inner();
    parts.sort_by_key(|(range, _)| range.start);
    let mut whole = vec![];
    for (range, outputs) in parts {
        whole.push(match outputs {
            Some(outputs) => outputs,
            None => job(range).run(own).await?,
        });
    }
    join(whole)
}

type Hand<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// The next images for one of so many helpers: an even share of what is left, since each job costs a message and a wait.
fn take(left: &mut Range<usize>, helpers: usize) -> Range<usize> {
    let some = (left.len() / (helpers + 1)).max(1).min(left.len());
    let taken = left.start..left.start + some;
    left.start = taken.end;
    taken
}

/// Waits for all; the first error ends the waiting.
async fn all(mut hands: Vec<Hand<'_>>) -> Result<()> {
    poll_fn(|context| {
        let mut i = 0;
        while i < hands.len() {
            match hands[i].as_mut().poll(context) {
                Poll::Pending => i += 1,
                Poll::Ready(Ok(())) => drop(hands.swap_remove(i)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        if hands.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
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
