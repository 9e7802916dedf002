//! Spreads a run over helpers that hold the same network and share no memory: the page's workers.
//!
//! The helpers get all images at once, each as many. Whoever has none takes some off the end of whoever has most, so
//! that nobody waits for long however fast the others are; only an image that is being done stays where it is. Every
//! image is computed alone wherever it is computed, so the numbers are the same to the bit, whoever helps.

use std::{borrow::Cow, ops::Range};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Backend, Images, ImagesPart};
use crate::{
    error::{Error, Result},
    network::Program,
    tensor::Tensor,
};

/// Forward or backward passes per worker between two synchronisation points. More hides the slowest worker; fewer keeps
/// progress frequent and gradients within memory.
const PASSES_PER_ROUND: usize = 16;

/// News of a helper: its number, and the outputs of the next image of its job, or nothing when it gives up.
pub type Completion = (u32, Option<Vec<u8>>);

/// Others that hold the same network and run parts of a batch.
#[async_trait(?Send)]
pub trait Helpers {
    /// How many there can be; those that are not there yet are sent for.
    fn wanted(&self) -> usize;

    /// The numbers of those that are there now.
    fn ready(&self) -> Vec<u32>;

    /// Gives a helper a [`Job`], who begins at once, and brings each image's outputs when they are there. What it had
    /// before is dropped, and not brought.
    fn submit(&self, helper: u32, job: Vec<u8>);

    /// Tells a helper to leave out its job's images from this one on; it may have begun already.
    fn truncate(&self, helper: u32, end: usize);

    /// Lets others speak between two images, and tells what has been brought; waits for something where there is
    /// nothing else to do.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the reader has stopped the run.
    async fn poll(&self, wait: bool) -> Result<Vec<Completion>>;
}

/// A part of a run, as it is sent.
#[derive(Serialize, Deserialize)]
pub struct Job<'a> {
    program: Cow<'a, Program>,
    images: ImagesPart<'a>,
    cotangents: Option<Tensor>,
}

impl<'a> Job<'a> {
    /// The images of a range of a run.
    fn new(run: &RunArgs<'a>, range: Range<usize>) -> Self {
        let cotangents = run.cotangents_of(range.clone());
        Self { program: Cow::Borrowed(run.program), images: run.images.slice(range), cotangents }
    }

    /// Reads what [`run`] has sent.
    ///
    /// # Errors
    /// [`Error::Argument`] when it cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        postcard::from_bytes(bytes).map_err(|e| Error::Argument(format!("the job cannot be read: {e}")))
    }

    /// How many images there are to do.
    #[must_use]
    pub fn count(&self) -> usize {
        self.run().images.len()
    }

    /// Does one image, and packs its outputs for the way back.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is no such image, and what [`Backend::run`] fails with.
    pub async fn work(&self, backend: &mut dyn Backend, image: usize) -> Result<Vec<u8>> {
        if image >= self.count() {
            return Err(Error::Argument(format!("the job has {} images, not {image}", self.count())));
        }
        encode(&self.run().one(backend, image).await?)
    }

    fn run(&self) -> RunArgs<'_> {
        let (program, images) = (&self.program, self.images.images());
        RunArgs { program, images, cotangents: self.cotangents.as_ref() }
    }
}

/// The arguments of a backend's run.
#[derive(Clone, Copy)]
struct RunArgs<'a> {
    program: &'a Program,
    images: Images<'a>,
    cotangents: Option<&'a Tensor>,
}

impl RunArgs<'_> {
    /// The cotangents of a range of images.
    fn cotangents_of(&self, range: Range<usize>) -> Option<Tensor> {
        let targets = self.cotangents.map_or(0, |c| c.shape()[0] / self.images.len());
        self.cotangents.map(|c| c.slice(range.start * targets..range.end * targets))
    }

    /// Runs one of the images.
    async fn one(&self, backend: &mut dyn Backend, image: usize) -> Result<Vec<Tensor>> {
        let range = image..image + 1;
        let part = self.images.slice(range.clone());
        backend.run(self.program, part.images(), self.cotangents_of(range).as_ref()).await
    }
}

/// How many images are best given to one [`run`], where the CPU alone takes `own`.
#[must_use]
pub fn batch(own: usize, program: &Program, targets: usize, helpers: &dyn Helpers) -> usize {
    let passes = match program {
        Program::Gradient { .. } | Program::Layers { .. } | Program::HeadGradient { .. } => 1 + targets,
        Program::Forward { .. } | Program::Head { .. } | Program::Saturation => 1,
    };
    match helpers.wanted() {
        0 => own,
        others => own * PASSES_PER_ROUND.div_ceil(passes) * (1 + others),
    }
}

/// Does the same as [`Backend::run`], with the images dealt out. Those that a helper does not bring back are done by the
/// others.
///
/// # Errors
/// Those of [`Backend::run`], and [`Error::Cancelled`] when the reader has stopped it.
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
    let run = RunArgs { program, images, cotangents };
    let mut scheduler = Scheduler::new(count, &helpers.ready());
    for assignment in &scheduler.assignments {
        assignment.send(helpers, &run)?;
    }
    let done = scheduler.finish(own, helpers, &run).await;
    // After a stop or an error nobody waits for what the helpers still have.
    scheduler
        .assignments
        .iter()
        .filter(|assignment| !assignment.left.is_empty())
        .for_each(|assignment| assignment.truncate(helpers, 0));
    done?;
    join(&scheduler.done.into_iter().flatten().collect::<Vec<_>>())
}

/// Assigns the images of a run to helpers, and keeps what is done.
struct Scheduler {
    assignments: Vec<Assignment>,
    /// Those who have failed and are asked no more.
    lost: Vec<u32>,
    /// The outputs of each image.
    done: Vec<Option<Vec<Tensor>>>,
}

/// Consecutive images that a helper does one after the other, and others take from the last one on.
struct Assignment {
    /// Nobody, where the helper is lost or there was none.
    helper: Option<u32>,
    /// The first image of its job.
    first: usize,
    /// The images that have not been brought; the first of them is being done.
    left: Range<usize>,
}

impl Assignment {
    fn new(helper: Option<u32>, left: Range<usize>) -> Self {
        Self { helper, first: left.start, left }
    }

    /// How many others may take.
    fn spare(&self) -> usize {
        self.left.len().saturating_sub(usize::from(self.helper.is_some()))
    }

    fn send(&self, helpers: &dyn Helpers, run: &RunArgs<'_>) -> Result<()> {
        let Some(helper) = self.helper else { return Ok(()) };
        helpers.submit(helper, encode(&Job::new(run, self.left.clone()))?);
        Ok(())
    }

    fn truncate(&self, helpers: &dyn Helpers, end: usize) {
        if let Some(helper) = self.helper {
            helpers.truncate(helper, end.saturating_sub(self.first));
        }
    }
}

impl Scheduler {
    /// The same number of images for each helper; who deals takes its own from them.
    fn new(count: usize, helpers: &[u32]) -> Self {
        let among = helpers.len();
        let assignment =
            |(k, &helper)| Assignment::new(Some(helper), count * k / among..count * (k + 1) / among);
        let mut assignments: Vec<Assignment> = helpers.iter().enumerate().map(assignment).collect();
        if among == 0 {
            assignments.push(Assignment::new(None, 0..count));
        }
        assignments.retain(|assignment| !assignment.left.is_empty());
        Self { assignments, lost: vec![], done: vec![None; count] }
    }

    /// Does images until all are done, and gives those who have none left some more.
    async fn finish(
        &mut self,
        own: &mut dyn Backend,
        helpers: &dyn Helpers,
        run: &RunArgs<'_>,
    ) -> Result<()> {
        while self.assignments.iter().any(|assignment| !assignment.left.is_empty()) {
            for helper in helpers.ready() {
                self.keep_busy(helper, helpers, run)?;
            }
            let next = self.take(helpers, |_| 1);
            if let Some(image) = next.clone() {
                self.done[image.start] = Some(run.one(own, image.start).await?);
            }
            for (helper, outputs) in helpers.poll(next.is_none()).await? {
                self.receive(helper, outputs.as_deref());
            }
        }
        Ok(())
    }

    /// Gives a helper that has nothing to do half of what another can spare.
    fn keep_busy(&mut self, helper: u32, helpers: &dyn Helpers, run: &RunArgs<'_>) -> Result<()> {
        let has_work =
            |assignment: &Assignment| assignment.helper == Some(helper) && !assignment.left.is_empty();
        if self.lost.contains(&helper) || self.assignments.iter().any(has_work) {
            return Ok(());
        }
        let Some(range) = self.take(helpers, |spare| spare.div_ceil(2)) else { return Ok(()) };
        self.assignments.retain(|assignment| !assignment.left.is_empty());
        let assignment = Assignment::new(Some(helper), range);
        assignment.send(helpers, run)?;
        self.assignments.push(assignment);
        Ok(())
    }

    /// Takes the last images of who can spare most: as many as `some` says of what it can spare.
    fn take(&mut self, helpers: &dyn Helpers, some: fn(usize) -> usize) -> Option<Range<usize>> {
        let richest = self.assignments.iter_mut().max_by_key(|assignment| assignment.spare())?;
        if richest.spare() == 0 {
            return None;
        }
        let end = richest.left.end - some(richest.spare());
        let taken = end..richest.left.end;
        richest.left.end = end;
        richest.truncate(helpers, end);
        Some(taken)
    }

    /// Keeps the outputs of the next image of a helper's assignment. What is not its own any more comes too late.
    fn receive(&mut self, helper: u32, outputs: Option<&[u8]>) {
        let Some(assignment) =
            self.assignments.iter_mut().find(|assignment| assignment.helper == Some(helper))
        else {
            return;
        };
        let Some(outputs) = outputs.and_then(|bytes| postcard::from_bytes(bytes).ok()) else {
            assignment.helper = None;
            return self.lost.push(helper);
        };
        if let Some(image) = assignment.left.next() {
            self.done[image] = Some(outputs);
        }
    }
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|e| Error::Argument(format!("the job cannot be sent: {e}")))
}

/// The outputs of consecutive parts, end to end.
fn join(parts: &[Vec<Tensor>]) -> Result<Vec<Tensor>> {
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
#[path = "work_stealing_tests.rs"]
mod tests;
