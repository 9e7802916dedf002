//! The GPU backend: WGSL kernels through wgpu, in the page as WebGPU, natively on Vulkan, Metal or DX12.

mod fuse;
mod masks;
mod plan;
mod runner;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;

use plan::{Compiled, MaskSize, Size};
pub use runner::Footprint;
use runner::{Runner, SharedDevice};

use super::{Backend, Description, Images};
use crate::{
    error::{Error, GpuFault, Result},
    gpu::{DeviceProfile, Gpu, MaskEncoding, TileMemory},
    graph::Graph,
    network::{Network, Program},
    tensor::Tensor,
};

/// Bytes of the smallest limit on a storage binding that WebGPU allows.
const LEAST_BINDING: u64 = 128 << 20;
/// Bytes of the smallest limit on a buffer that WebGPU allows.
const LEAST_BUFFER: u64 = 256 << 20;

/// Programs that are kept ready.
const PROGRAMS: usize = 4;

/// Runs a network on a GPU.
pub struct GpuBackend {
    network: Arc<Network>,
    description: Description,
    device: SharedDevice,
    /// By program and by how images come masked, if they do; the last used stands last.
    runners: Vec<((Program, Option<MaskEncoding>), Runner)>,
}

impl GpuBackend {
    /// Opens a GPU for a network; without `allow_fallback` a software adapter counts as none.
    ///
    /// # Errors
    /// `gpu-unavailable` when there is none.
    pub async fn open(network: Arc<Network>, allow_fallback: bool) -> Result<Self> {
        Ok(Self::on(Gpu::open(allow_fallback).await?, network))
    }

    /// The backend on an open device.
    #[must_use]
    pub fn on(gpu: Gpu, network: Arc<Network>) -> Self {
        let description =
            Description { kind: "gpu", adapter: gpu.adapter().to_owned(), fallback: gpu.is_fallback() };
        Self { network, description, device: SharedDevice::new(gpu), runners: vec![] }
    }

    /// The device.
    #[must_use]
    pub fn gpu(&self) -> &Gpu {
        &self.device.gpu
    }

    /// The memory and the work of a batch on the device, from the arena's own plan.
    pub fn footprint(&mut self, program: &Program, images: usize, targets: usize) -> Result<Footprint> {
        let at = self.runner(program, None)?;
        let size = Size { images, targets, ..Size::default() };
        self.device.footprint(&mut self.runners[at].1, size)
    }

    /// By how much `meter`, a clock, goes on in each dispatch of a batch, with its kernel; each is run so many times.
    /// For measuring only.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn profile(
        &mut self,
        program: &Program,
        images: usize,
        targets: usize,
        meter: (usize, &dyn Fn() -> f64),
    ) -> Result<Vec<(String, f64)>> {
        let at = self.runner(program, None)?;
        let size = Size { images, targets, ..Size::default() };
        self.device.profile(&mut self.runners[at].1, size, meter).await
    }

    /// The position of the program's runner, which is made at the first request.
    fn runner(&mut self, program: &Program, encoding: Option<MaskEncoding>) -> Result<usize> {
        let key = (program.clone(), encoding);
        if let Some(at) = self.runners.iter().position(|(k, _)| *k == key) {
            let found = self.runners.remove(at);
            self.runners.push(found);
        } else {
            let compiled =
                Compiled::new(self.device.gpu.device_profile(), &self.network.graph_for(program)?, encoding)?;
            if self.runners.len() >= PROGRAMS {
                self.runners.remove(0);
            }
            self.runners.push((key, Runner::new(compiled)));
        }
        Ok(self.runners.len() - 1)
    }
}

/// Runs any graph on batches, as `cpu::run_graph` does; of one or two inputs, the second of which may count
/// targets.
///
/// # Errors
/// [`Error::Argument`] when the inputs do not fit, [`Error::NotFinite`] when an input or output is not finite.
pub async fn run_graph(gpu: Gpu, graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let ([first, ..], true) = (inputs, inputs.len() == graph.inputs().len() && inputs.len() <= 2) else {
        return Err(Error::Argument("the graph must be given its one or two inputs".into()));
    };
    let mut runner = Runner::new(Compiled::new(gpu.device_profile(), graph, None)?);
    SharedDevice::new(gpu).run(&mut runner, Images::Batch(first), inputs.get(1)).await
}

/// Records what a GPU would do for a batch, laid out for each kind of adapter in turn, and says what it would take; no
/// device is asked. It must fit what every WebGPU device offers.
///
/// # Errors
/// `gpu-memory` when it does not fit, else as a run's.
pub fn rehearse(graph: &Graph, images: usize, targets: usize) -> Result<Footprint> {
    let mut most = Footprint { arena: 0, weights: 0 };
    for tile_memory in TileMemory::ALL {
        let mut compiled =
            Compiled::new(DeviceProfile { page_bytes: LEAST_BINDING, tile_memory }, graph, None)?;
        let memory = compiled.memory(Size { images, targets, ..Size::default() });
        let arena = memory.size as u64 * 16;
        if arena > LEAST_BUFFER {
            return Err(Error::gpu(GpuFault::OutOfMemory, "a batch does not fit the memory of every GPU"));
        }
        compiled.record(&memory)?;
        let weights = compiled.constants.bytes();
        most = Footprint { arena: arena.max(most.arena), weights: weights.max(most.weights) };
    }
    Ok(most)
}

#[async_trait(?Send)]
impl Backend for GpuBackend {
    fn description(&self) -> &Description {
        &self.description
    }

    fn network(&self) -> &Network {
        &self.network
    }

    async fn batch(&mut self, program: &Program, targets: usize) -> Result<usize> {
        let at = self.runner(program, None)?;
        self.device.batch(&self.runners[at].1, targets, MaskSize::default())
    }

    async fn run(
        &mut self,
        program: &Program,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        let encoding = if let Images::Masked(m) = images { Some(masks::encoding(m.masks)) } else { None };
        let at = self.runner(program, encoding)?;
        self.device.run(&mut self.runners[at].1, images, cotangents).await
    }

    async fn warm(&mut self, program: &Program) -> Result<()> {
        let at = self.runner(program, None)?;
        let size = Size { images: 1, targets: 1, ..Size::default() };
        self.device.prepare(&mut self.runners[at].1, size).await
    }

    fn set_clock(&mut self, clock: fn() -> f64) {
        self.device.gpu.set_clock(clock);
    }
}
