//! Runs graphs on a device: chunks, uploads, two chunks in flight, read-back.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use super::{
    masks::{self, Packed},
    plan::{Compiled, MaskSize, Size},
};
use crate::{
    backend::{Images, Masked},
    error::{Error, GpuFault, Result},
    gpu::{Arena, DispatchList, Gpu, Pending, Pipelines, Upload, View, as_u32, pack, unpack},
    graph::{Node, Rows},
    tensor::Tensor,
};

/// The most that the arena is given, where the adapter offers it.
const ARENA_BYTES: u64 = 256 << 20;
/// The most images of a chunk: more gain nothing, and progress would come in lumps.
const MOST_IMAGES: usize = 16;
/// Plans of one program that are kept.
const PLANS: usize = 4;
/// Chunks that are under way at once.
const IN_FLIGHT: usize = 2;

/// A device with what all programs share.
pub struct SharedDevice {
    /// The device.
    pub gpu: Gpu,
    arena: Arena,
    pipelines: Pipelines,
    /// The masked picture that was run last. A method runs it many times, each time under other masks.
    pub picture: Option<Arc<Packed>>,
    /// That picture's place in the arena, if nothing has overwritten it.
    resident: Option<Place>,
    /// How many plans have been made.
    plans: u64,
}

/// The plan whose place in the arena holds a picture, and the arena's generation.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    plan: u64,
    arena: u64,
}

/// A graph with the plans that were made for it.
pub struct Runner {
    /// The graph.
    pub compiled: Compiled,
    plans: Vec<(Size, Plan)>,
}

struct Plan {
    /// Its number among all plans of the device.
    number: u64,
    list: DispatchList,
    inputs: Vec<View>,
    outputs: Vec<View>,
    zeros: u32,
    bytes: u64,
}

/// The memory and the work that a batch takes on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Footprint {
    /// Activations at their peak, in bytes.
    pub arena: u64,
    /// Weights, in bytes.
    pub weights: u64,
}

impl SharedDevice {
    /// An open device, on which no program was prepared yet.
    #[must_use]
    pub fn new(gpu: Gpu) -> Self {
        let (arena, pipelines) = (Arena::default(), Pipelines::default());
        Self { gpu, arena, pipelines, picture: None, resident: None, plans: 0 }
    }

    /// How many images are best run at once.
    pub fn batch(&self, runner: &Runner, targets: usize, masks: MaskSize) -> Result<usize> {
        let allowed = ARENA_BYTES.min(self.gpu.largest_buffer());
        let bytes = |images| runner.compiled.memory(Size { images, targets, masks }).size as u64 * 16;
        let most = (MOST_IMAGES / targets.max(1)).max(1);
        if let Some(images) = (1..=most).rev().find(|&images| bytes(images) <= allowed) {
            return Ok(images);
        }
        if bytes(1) <= self.gpu.largest_buffer() {
            return Ok(1);
        }
        let detail = "the network's activations do not fit into the GPU's memory; use the CPU backend";
        Err(Error::gpu(GpuFault::OutOfMemory, detail))
    }

    /// The picture, packed, unless the last one was the same.
    fn pack(&mut self, masked: &Masked<'_>) -> Arc<Packed> {
        if let Some(last) = self.picture.as_ref().filter(|last| last.holds(masked)) {
            return last.clone();
        }
        self.resident = None;
        self.picture.insert(Arc::new(Packed::new(masked))).clone()
    }

    /// How many pipelines there are.
    #[cfg(test)]
    pub fn pipelines(&self) -> usize {
        self.pipelines.len()
    }

    /// The memory and the work that a batch takes.
    pub fn footprint(&self, runner: &mut Runner, size: Size) -> Result<Footprint> {
        let memory = runner.compiled.memory(size);
        runner.compiled.record(&memory)?;
        Ok(Footprint { arena: memory.size as u64 * 16, weights: runner.compiled.constants.bytes() })
    }

    /// By how much `meter` goes on in each dispatch of a batch, with its kernel. For measuring only.
    #[cfg(not(target_arch = "wasm32"))]
    pub async fn profile(
        &mut self,
        runner: &mut Runner,
        size: Size,
        meter: (usize, &dyn Fn() -> f64),
    ) -> Result<Vec<(String, f64)>> {
        self.prepare(runner, size).await?;
        let memory = runner.compiled.memory(size);
        let dispatches = runner.compiled.record(&memory)?;
        self.resident = None;
        let Some((_, plan)) = runner.plans.last_mut() else { return Ok(vec![]) };
        let times = plan.list.profile(&self.gpu, &self.arena, &runner.compiled.constants, meter);
        let label = |d: &crate::gpu::Dispatch| {
            format!("{} {:?} {:.1} MFLOP {:?}", d.kernel.name, d.groups, d.flops as f64 / 1e6, d.variant)
        };
        Ok(dispatches.iter().map(label).zip(times).collect())
    }

    /// Runs a graph on any number of images, and returns its outputs, batched along the first axis.
    pub async fn run(
        &mut self,
        runner: &mut Runner,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
    ) -> Result<Vec<Tensor>> {
        self.gpu.check_lost()?;
        check(runner, images, cotangents)?;
        let total = images.len();
        let targets = cotangents.map_or(1, |c| c.shape()[0] / total.max(1));
        let masks = if let Images::Masked(m) = images { self.pack(&m).size } else { MaskSize::default() };
        let at_once = self.batch(runner, targets, masks)?;
        let graph = runner.compiled.graph();
        let rows = |node: &Node| if node.rows == Rows::Targets { total * targets } else { total };
        let room = |id| Vec::with_capacity(rows(graph.node(id)) * graph.node(id).elements());
        let mut collected: Vec<Vec<f32>> = graph.outputs().iter().map(|&id| room(id)).collect();
        let mut pending = VecDeque::new();
        for first in (0..total).step_by(at_once) {
            let size = Size { images: at_once.min(total - first), targets, masks };
            pending.push_back(self.submit(runner, images, cotangents, first, size).await?);
            if pending.len() >= IN_FLIGHT {
                self.collect(pending.pop_front(), &mut collected).await?;
            }
        }
        while let Some(chunk) = pending.pop_front() {
            self.collect(Some(chunk), &mut collected).await?;
        }
        let graph = runner.compiled.graph();
        let shaped = graph.outputs().iter().zip(collected).map(|(id, data)| {
            let node = graph.node(*id);
            Tensor::new([&[rows(node)], node.shape.as_slice()].concat(), data)
        });
        shaped.collect()
    }

    /// Starts the images from `first` on, and says where their outputs lie.
    async fn submit(
        &mut self,
        runner: &mut Runner,
        images: Images<'_>,
        cotangents: Option<&Tensor>,
        first: usize,
        size: Size,
    ) -> Result<(Pending, Vec<View>)> {
        self.prepare(runner, size).await?;
        let bypass = bypass_inputs(runner, images);
        let Some((_, plan)) = runner.plans.last_mut() else {
            return Err(Error::gpu(GpuFault::Validation, "a batch was not planned"));
        };
        let place = Place { plan: plan.number, arena: self.arena.generation() };
        let lies_there = self.resident.take() == Some(place);
        let picture = self.picture.as_deref().filter(|_| !lies_there);
        let uploads = uploads(plan, images, picture, cotangents, first, size, bypass);
        let reads: Vec<_> = plan.outputs.iter().map(|v| v.offset..v.offset + as_u32(v.vectors())).collect();
        let (gpu, arena, constants) = (&self.gpu, &self.arena, &runner.compiled.constants);
        let started =
            gpu.scoped(|| plan.list.submit(gpu, arena, constants, &uploads, 0..plan.zeros, &reads)).await?;
        self.resident = matches!(images, Images::Masked(_)).then_some(place);
        Ok((started, plan.outputs.clone()))
    }

    /// Makes the plan for a size, with its pipelines and constants, or finds it, and puts it last.
    pub async fn prepare(&mut self, runner: &mut Runner, size: Size) -> Result<()> {
        let bytes = if let Some(at) = runner.plans.iter().position(|(s, _)| *s == size) {
            let plan = runner.plans.remove(at);
            let bytes = plan.1.bytes;
            runner.plans.push(plan);
            bytes
        } else {
            let memory = runner.compiled.memory(size);
            let bytes = memory.size as u64 * 16;
            crate::limits::check(
                "the number of bytes of a batch's activations",
                bytes,
                self.gpu.largest_buffer(),
            )?;
            let dispatches = runner.compiled.record(&memory)?;
            let (gpu, pipelines, constants) =
                (&self.gpu, &mut self.pipelines, &mut runner.compiled.constants);
            let list = gpu.scoped(|| DispatchList::new(gpu, pipelines, constants, &dispatches)).await?;
            let graph = runner.compiled.graph();
            let views =
                |ids: &[crate::graph::ValueId]| ids.iter().map(|i| memory.views[i.index()].clone()).collect();
            let (inputs, outputs) = (views(graph.inputs()), views(graph.outputs()));
            self.plans += 1;
            let zeros = as_u32(memory.zeros);
            let plan = Plan { number: self.plans, list, inputs, outputs, zeros, bytes };
            if runner.plans.len() >= PLANS {
                runner.plans.remove(0);
            }
            runner.plans.push((size, plan));
            bytes
        };
        let (gpu, arena) = (&self.gpu, &mut self.arena);
        gpu.scoped(|| {
            arena.reserve(gpu, bytes);
            Ok(())
        })
        .await
    }

    async fn collect(&self, chunk: Option<(Pending, Vec<View>)>, into: &mut [Vec<f32>]) -> Result<()> {
        let Some((pending, views)) = chunk else { return Ok(()) };
        let take = |i: usize, part: &[f32]| {
            let view: &View = &views[i];
            // Shaders may take NaN for anything, so this is where it shows.
            if unpack(part, view.channels(), view.plane(), &mut into[i]) {
                Ok(())
            } else {
                Err(Error::NotFinite("an output of the network".into()))
            }
        };
        pending.finish(&self.gpu, &self.arena, take).await
    }
}

impl Runner {
    /// A graph without plans.
    #[must_use]
    pub fn new(compiled: Compiled) -> Self {
        Self { compiled, plans: vec![] }
    }
}

/// The number of inputs before that of the batch: one, the image itself, where it bypasses the layer at which the
/// program starts.
fn bypass_inputs(runner: &Runner, images: Images<'_>) -> usize {
    let graph = runner.compiled.graph();
    let per_image = graph.inputs().iter().filter(|id| graph.node(**id).rows == Rows::Images).count();
    if matches!(images, Images::AtLayer(_)) { per_image.saturating_sub(1) } else { 0 }
}

/// Refuses inputs of the wrong shape or that are not finite.
fn check(runner: &Runner, images: Images<'_>, cotangents: Option<&Tensor>) -> Result<()> {
    let graph = runner.compiled.graph();
    let bypass = bypass_inputs(runner, images);
    let wanted = |i: usize| graph.inputs().get(i + bypass).map(|id| graph.node(*id).shape.as_slice());
    let input = graph.inputs()[..bypass].first().map(|id| graph.node(*id).shape.as_slice());
    images.check(wanted(0).unwrap_or_default(), input)?;
    match cotangents {
        Some(c) if c.shape().get(1..) != wanted(1) || !c.shape()[0].is_multiple_of(images.len().max(1)) => {
            let (got, wanted) = (c.shape(), wanted(1));
            Err(Error::Argument(format!(
                "cotangents of shape {got:?} do not fit the network, which takes {wanted:?} each"
            )))
        }
        Some(c) => c.check_finite("the cotangent"),
        None if wanted(1).is_some() => {
            Err(Error::Argument("the program takes a gradient and needs cotangents".into()))
        }
        None => Ok(()),
    }
}

/// The uploads into the arena for the images from `first` on; of a masked picture, `picture` where it is not there yet.
fn uploads<'a>(
    plan: &Plan,
    images: Images<'_>,
    picture: Option<&'a Packed>,
    cotangents: Option<&Tensor>,
    first: usize,
    size: Size,
    bypass: usize,
) -> Vec<Upload<'a>> {
    let floats =
        |view: &View, data: &[f32]| Upload::floats(view.offset, pack(data, view.channels(), view.plane()));
    let mut uploads = vec![];
    let Some(view) = plan.inputs.get(bypass) else { return uploads };
    match images {
        Images::AtLayer(at) => {
            let image = plan.inputs[..bypass].first();
            uploads.extend(image.map(|v| floats(v, &at.image.data().repeat(size.images))));
            uploads.push(floats(view, rows(at.points, first, size.images)));
        }
        Images::Batch(t) => uploads.push(floats(view, rows(t, first, size.images))),
        Images::Inpainted(m) => {
            let written: Vec<f32> = (first..first + size.images).flat_map(|i| m.written(i)).collect();
            uploads.push(floats(view, &written));
        }
        Images::Masked(m) => {
            let part = |offset, words: &'a [u32]| Upload { offset, words: Cow::Borrowed(words) };
            if let (Some(mask), Some(p)) = (view.mask, picture) {
                uploads.push(part(view.offset, &p.image));
                uploads.push(part(mask.fill, &p.fill));
                uploads.extend((!p.shared.is_empty()).then(|| part(mask.shared, &p.shared)));
            }
            if let Some(mask) = view.mask {
                let own = masks::own(&m, size.masks.own, first..first + size.images);
                uploads.push(Upload { offset: mask.masks, words: Cow::Owned(own) });
            }
        }
    }
    if let (Some(view), Some(c)) = (plan.inputs.get(bypass + 1), cotangents) {
        let k = size.targets;
        uploads.push(floats(view, rows(c, first * k, size.images * k)));
    }
    uploads
}

/// The values of some rows.
fn rows(t: &Tensor, first: usize, count: usize) -> &[f32] {
    &t.data()[first * t.row_len()..(first + count) * t.row_len()]
}
