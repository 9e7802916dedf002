//! Chooses a backend, and goes on with another when a GPU is lost.

use std::{rc::Rc, sync::Arc};

use async_trait::async_trait;

use super::{
    Backend, Description, Images,
    cpu::CpuBackend,
    gpu::GpuBackend,
    work_stealing::{self, Helpers, Job},
};
use crate::{
    error::{Error, GpuFault, Result},
    network::{Network, Program},
    tensor::Tensor,
};

/// Which backend the caller wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The GPU, unless there is none or only a software adapter, which the CPU backend beats many times over.
    #[default]
    Auto,
    /// The GPU, a software adapter too.
    Gpu,
    /// The CPU.
    Cpu,
}

/// A backend that survives the loss of its GPU: it asks for the device again once and repeats the work that
/// was lost; the second time the CPU takes over. It does so at once for a software GPU: the CPU is ready sooner than that
/// has compiled its shaders again.
pub struct FallbackBackend {
    network: Arc<Network>,
    inner: Box<dyn Backend>,
    choice: Choice,
    /// Workers that take parts of what the CPU runs.
    helpers: Option<Rc<dyn Helpers>>,
    losses: u32,
    /// Whether the GPU is a software one.
    is_software: bool,
    events: Vec<String>,
    /// The page's clock, for the next GPU too.
    clock: Option<fn() -> f64>,
}

impl FallbackBackend {
    /// Opens the wanted backend.
    ///
    /// # Errors
    /// [`Error::Gpu`] when the GPU is insisted on and cannot be had.
    pub async fn open(network: Arc<Network>, choice: Choice) -> Result<Self> {
        let mut events = vec![];
        let inner: Box<dyn Backend> = match choice {
            Choice::Cpu => Box::new(CpuBackend::new(network.clone())?),
            Choice::Gpu => open_gpu(&network, true).await?,
            Choice::Auto => match open_gpu(&network, false).await {
                Ok(gpu) => gpu,
                Err(why) => {
                    events.push(format!("The CPU is used: {why}."));
                    Box::new(CpuBackend::new(network.clone())?)
                }
            },
        };
        let is_software = inner.description().fallback;
        Ok(Self { network, inner, choice, helpers: None, losses: 0, is_software, events, clock: None })
    }

    /// Gives helpers, who take parts of what the CPU runs.
    pub fn set_helpers(&mut self, helpers: Rc<dyn Helpers>) {
        self.helpers = Some(helpers);
    }

    /// Does an image of another's work, which [`work_stealing::run`] has given away.
    ///
    /// # Errors
    /// Those of [`Job::work`].
    pub async fn work(&mut self, job: &Job<'_>, image: usize) -> Result<Vec<u8>> {
        job.work(&mut *self.inner, image).await
    }

    /// The helpers, where they are of use.
    fn helpers(&self) -> Option<Rc<dyn Helpers>> {
        self.helpers.clone().filter(|_| self.inner.description().kind == "cpu")
    }

    /// Takes out what has happened since this was last asked: why the CPU is used, that a GPU was lost.
    pub fn take_events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }

    /// Replaces a GPU that failed; gives the error back where nothing can be done.
    async fn recover(&mut self, error: Error) -> Result<()> {
        let Error::Gpu { fault, detail } = &error else { return Err(error) };
        if self.inner.description().kind != "gpu" || *fault == GpuFault::Validation {
            return Err(error);
        }
        self.losses += 1;
        if *fault == GpuFault::Lost && self.losses == 1 && !self.is_software {
            let allow_fallback = self.choice == Choice::Gpu;
            if let Ok(mut gpu) = open_gpu(&self.network, allow_fallback).await {
                self.clock.into_iter().for_each(|clock| gpu.set_clock(clock));
                self.events
                    .push(format!("The GPU was lost ({detail}) and asked for again; the work goes on."));
                self.inner = gpu;
                return Ok(());
            }
        }
        self.events.push(format!("The GPU failed ({detail}); the CPU takes over."));
        self.inner = Box::new(CpuBackend::new(self.network.clone())?);
        Ok(())
    }
}

async fn open_gpu(network: &Arc<Network>, allow_fallback: bool) -> Result<Box<dyn Backend>> {
    Ok(Box::new(GpuBackend::open(network.clone(), allow_fallback).await?))
}

#[async_trait(?Send)]
impl Backend for FallbackBackend {
    fn description(&self) -> &Description {
        self.inner.description()
    }

    fn network(&self) -> &Network {
        &self.network
    }

    async fn batch(&mut self, program: &Program, targets: usize) -> Result<usize> {
        let batch = match self.inner.batch(program, targets).await {
            Err(error) => {
                self.recover(error).await?;
                self.inner.batch(program, targets).await?
            }
            Ok(batch) => batch,
        };
        Ok(self.helpers().map_or(batch, |h| work_stealing::batch(batch, program, targets, &*h)))
    }

    async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        // At most a second GPU and then the CPU, so this ends.
        loop {
            let outputs = match self.helpers() {
                Some(helpers) => {
                    work_stealing::run(&mut *self.inner, &*helpers, program, images, cotangents).await
                }
                None => self.inner.run(program, images, cotangents).await,
            };
            match outputs {
                Err(error) => self.recover(error).await?,
                outputs => return outputs,
            }
        }
    }

    async fn warm(&mut self, program: &Program) -> Result<()> {
        match self.inner.warm(program).await {
            Err(error) => self.recover(error).await,
            done => done,
        }
    }

    fn set_clock(&mut self, clock: fn() -> f64) {
        self.clock = Some(clock);
        self.inner.set_clock(clock);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    static ASKED: AtomicU32 = AtomicU32::new(0);

    fn clock() -> f64 {
        f64::from(ASKED.fetch_add(1, Ordering::Relaxed))
    }

    /// The clock reaches the GPU that is open and the one that takes its place; after that comes the CPU.
    #[test]
    fn a_gpu_is_asked_for_once_more_and_has_the_clock() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        let network = Arc::new(Network::from_onnx(model).unwrap());
        let mut backend = pollster::block_on(FallbackBackend::open(network.clone(), Choice::Gpu)).unwrap();
        // Tests may run on a software adapter, which would be refused.
        backend.is_software = false;
        backend.set_clock(clock);
        let image = Tensor::zeros([&[1], network.input()].concat());
        let forward = Program::Forward { layer: None };
        let run = |backend: &mut FallbackBackend| {
            let before = ASKED.load(Ordering::Relaxed);
            pollster::block_on(backend.run(&forward, Images::Batch(&image), None)).unwrap();
            ASKED.load(Ordering::Relaxed) - before
        };
        assert!(run(&mut backend) >= 2);
        let lost = || Error::gpu(GpuFault::Lost, "for the test");
        pollster::block_on(backend.recover(lost())).unwrap();
        assert_eq!(backend.description().kind, "gpu");
        assert!(run(&mut backend) >= 2);
        assert!(backend.take_events().concat().contains("asked for again"));
        // The second time no GPU is asked for, though there is one.
        pollster::block_on(backend.recover(lost())).unwrap();
        assert_eq!(backend.description().kind, "cpu");
        assert!(backend.take_events().concat().contains("the CPU takes over"));
    }

    #[test]
    fn a_software_gpu_is_not_asked_for_again() {
        let model = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        let network = Arc::new(Network::from_onnx(model).unwrap());
        let mut backend = pollster::block_on(FallbackBackend::open(network, Choice::Gpu)).unwrap();
        backend.is_software = true;
        pollster::block_on(backend.recover(Error::gpu(GpuFault::Lost, "for the test"))).unwrap();
        assert_eq!(backend.description().kind, "cpu");
        assert!(backend.take_events().concat().contains("the CPU takes over"));
    }
}
