//! Runs recorded dispatches: bounded submits, never a wait inside, and reading back what is asked for.

use std::{borrow::Cow, cell::Cell, ops::Range};

use super::{Constants, Dispatch, Gpu, Pipelines};
use crate::error::{Error, GpuFault, Result};

/// The most that one submit may take, in milliseconds: Windows resets a GPU after two seconds, and the page's own
/// drawing waits behind it.
const SUBMIT_MS: f64 = 75.0;
/// Pace assumed of an adapter before it has been measured, in floating-point operations per millisecond.
const FIRST_GUESS: f64 = 4e6;

/// The buffer that all values share. It only grows, and serves every program in turn.
#[derive(Default)]
pub struct Arena {
    buffer: Option<wgpu::Buffer>,
    generation: u64,
    pace: Pace,
}

/// The recent pace of the adapter.
struct Pace {
    flops_per_ms: Cell<f64>,
    last_done: Cell<f64>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { flops_per_ms: Cell::new(FIRST_GUESS), last_done: Cell::new(0.0) }
    }
}

impl Pace {
    /// Learns from work that was submitted and done at these times; work queued behind other work started
    /// when that was done.
    fn learn(&self, flops: u64, submitted: f64, done: f64) {
        let spent = done - submitted.max(self.last_done.replace(done));
        if spent > 1.0 {
            let seen = flops as f64 / spent;
            self.flops_per_ms.set(0.5 * self.flops_per_ms.get() + 0.5 * seen);
        }
    }
}

impl Arena {
    /// The most that one submit may hold at the recent pace, in floating-point operations.
    fn budget(&self) -> u64 {
        (SUBMIT_MS * self.pace.flops_per_ms.get()) as u64
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.buffer.as_ref().map_or(0, wgpu::Buffer::size)
    }

    /// Changes when it has to grow, and all that it held is lost.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes it at least so large. What it held is lost when it has to grow.
    pub fn reserve(&mut self, gpu: &Gpu, bytes: u64) {
        if self.bytes() >= bytes {
            return;
        }
        // The old one goes first: for a moment both would count. In the page it would go with the next collection only.
        if let Some(old) = self.buffer.take() {
            old.destroy();
        }
        self.generation += 1;
        self.buffer = Some(gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("arena"),
            size: bytes,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        }));
    }
}

/// Floats or words that go into the arena before dispatches run.
#[derive(Clone, Debug)]
pub struct Upload<'a> {
    /// The first vec4.
    pub offset: u32,
    /// The words.
    pub words: Cow<'a, [u32]>,
}

impl Upload<'_> {
    /// An upload of floats.
    #[must_use]
    pub fn floats(offset: u32, floats: Vec<f32>) -> Self {
        Self { offset, words: Cow::Owned(bytemuck::cast_vec(floats)) }
    }
}

/// One dispatch, ready to run.
pub struct PreparedDispatch {
    pipeline: wgpu::ComputePipeline,
    page: usize,
    params: u32,
    groups: [u32; 3],
    flops: u64,
}

/// Dispatches with their pipelines and parameters.
pub struct DispatchList {
    dispatches: Vec<PreparedDispatch>,
    params: wgpu::Buffer,
    /// One per page of constants, for the arena of that generation.
    groups: Vec<wgpu::BindGroup>,
    generation: u64,
}

/// Bytes of one dispatch's parameters; a multiple of the alignment of dynamic offsets.
const PARAMS: usize = 512;

impl DispatchList {
    /// Makes pipelines, uploads parameters, and what constants are not on the device yet.
    pub fn new(
        gpu: &Gpu,
        pipelines: &mut Pipelines,
        constants: &mut Constants,
        work: &[Dispatch],
    ) -> Result<Self> {
        constants.upload(gpu);
        let mut bytes = vec![0; PARAMS * work.len().max(1)];
        let mut dispatches = Vec::with_capacity(work.len());
        for (i, d) in work.iter().enumerate() {
            let Some(slot) = bytes[i * PARAMS..(i + 1) * PARAMS].get_mut(..d.params.len()) else {
                return Err(Error::gpu(GpuFault::Validation, "a fused chain of functions is too long"));
            };
            slot.copy_from_slice(&d.params);
            let pipeline = pipelines.get(gpu, d.kernel, &d.variant)?;
            let params = u32::try_from(i * PARAMS).unwrap_or(u32::MAX);
            dispatches.push(PreparedDispatch {
                pipeline,
                page: d.page,
                params,
                groups: d.groups,
                flops: d.flops,
            });
        }
        let params = filled(gpu, "parameters", &bytes, wgpu::BufferUsages::UNIFORM);
        Ok(Self { dispatches, params, groups: vec![], generation: 0 })
    }

    /// Its estimated cost in floating-point operations.
    #[must_use]
    pub fn flops(&self) -> u64 {
        self.dispatches.iter().map(|s| s.flops).sum()
    }

    fn bind(&mut self, gpu: &Gpu, arena: &Arena, buffer: &wgpu::Buffer, constants: &Constants) {
        if self.generation == arena.generation {
            return;
        }
        let whole =
            |buffer| wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size: None });
        let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.params,
            offset: 0,
            size: wgpu::BufferSize::new(PARAMS as u64),
        });
        let group = |page| {
            gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &gpu.bindings,
                entries: &[
                    wgpu::BindGroupEntry { binding: 0, resource: whole(buffer) },
                    wgpu::BindGroupEntry { binding: 1, resource: whole(page) },
                    wgpu::BindGroupEntry { binding: 2, resource: params.clone() },
                ],
            })
        };
        self.groups = constants.buffers.iter().map(group).collect();
        self.generation = arena.generation;
    }

    /// Starts it: uploads, clears `zeros`, runs, and copies out the ranges of vec4s in `reads`.
    pub fn submit(
        &mut self,
        gpu: &Gpu,
        arena: &Arena,
        constants: &Constants,
        uploads: &[Upload<'_>],
        zeros: Range<u32>,
        reads: &[Range<u32>],
    ) -> Result<Pending> {
        let Some(buffer) = &arena.buffer else {
            return Err(Error::gpu(GpuFault::OutOfMemory, "the GPU's memory was not reserved"));
        };
        self.bind(gpu, arena, buffer, constants);
        for upload in uploads {
            gpu.queue.write_buffer(buffer, bytes(upload.offset), bytemuck::cast_slice(&upload.words));
        }
        let begin = || gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        let mut encoder = begin();
        encoder.clear_buffer(buffer, bytes(zeros.start), Some(bytes(zeros.end - zeros.start)));
        let budget = arena.budget();
        let mut rest = self.dispatches.as_slice();
        while !rest.is_empty() {
            // Always one dispatch at least, and then as many as the budget allows.
            let mut spent = rest[0].flops;
            let mut count = 1;
            while let Some(dispatch) = rest.get(count).filter(|dispatch| spent + dispatch.flops <= budget) {
                spent += dispatch.flops;
                count += 1;
            }
            self.encode(&mut encoder, &rest[..count]);
            rest = &rest[count..];
            if !rest.is_empty() {
                gpu.queue.submit([std::mem::replace(&mut encoder, begin()).finish()]);
            }
        }
        let size = reads.iter().map(|r| bytes(r.end - r.start)).sum::<u64>().max(16);
        let staging = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut at = 0;
        for range in reads {
            let length = bytes(range.end - range.start);
            encoder.copy_buffer_to_buffer(buffer, bytes(range.start), &staging, at, length);
            at += length;
        }
        let submission = gpu.queue.submit([encoder.finish()]);
        let (sender, done) = futures_channel::oneshot::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            let _ = sender.send(result.is_ok());
        });
        let lengths = reads.iter().map(|r| (r.end - r.start) as usize * 4).collect();
        Ok(Pending { staging, done, submission, lengths, flops: self.flops(), submitted: gpu.now() })
    }

    /// Runs each dispatch alone, so many times in a row, and waits for it: by how much `meter` went on for each.
    /// For measuring only.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn profile(
        &mut self,
        gpu: &Gpu,
        arena: &Arena,
        constants: &Constants,
        (times, meter): (usize, &dyn Fn() -> f64),
    ) -> Vec<f64> {
        let Some(buffer) = &arena.buffer else { return vec![] };
        self.bind(gpu, arena, buffer, constants);
        let run = |dispatch: &PreparedDispatch| {
            let begin = meter();
            let mut encoder =
                gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
            (0..times).for_each(|_| self.encode(&mut encoder, std::slice::from_ref(dispatch)));
            gpu.queue.submit([encoder.finish()]);
            let _ = gpu.device.poll(wgpu::PollType::wait_indefinitely());
            (meter() - begin) / times as f64
        };
        self.dispatches.iter().map(run).collect()
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder, dispatches: &[PreparedDispatch]) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for dispatch in dispatches {
            pass.set_pipeline(&dispatch.pipeline);
            pass.set_bind_group(0, &self.groups[dispatch.page], &[dispatch.params]);
            let [x, y, z] = dispatch.groups;
            pass.dispatch_workgroups(x, y, z);
        }
    }
}

/// Work that was submitted.
pub struct Pending {
    staging: wgpu::Buffer,
    done: futures_channel::oneshot::Receiver<bool>,
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "the event loop waits"))]
    submission: wgpu::SubmissionIndex,
    lengths: Vec<usize>,
    flops: u64,
    submitted: Option<f64>,
}

impl Drop for Pending {
    /// In the page a buffer goes with the next collection, which knows nothing of the GPU's memory.
    fn drop(&mut self) {
        self.staging.destroy();
    }
}

impl Pending {
    /// Waits, and hands on the floats of each range that was asked for, as they lie in the device's own memory where
    /// they can be read there.
    pub async fn finish(
        mut self,
        gpu: &Gpu,
        arena: &Arena,
        mut take: impl FnMut(usize, &[f32]) -> Result<()>,
    ) -> Result<()> {
        // In the page the event loop brings the answer; natively somebody has to ask. For this work alone: what was
        // submitted after it runs on meanwhile.
        #[cfg(not(target_arch = "wasm32"))]
        let _ = gpu
            .device
            .poll(wgpu::PollType::Wait { submission_index: Some(self.submission.clone()), timeout: None });
        let mapped = (&mut self.done).await.unwrap_or(false);
        gpu.check_lost()?;
        let unreadable = || Error::gpu(GpuFault::Lost, "the GPU's results cannot be read; open it again");
        if !mapped {
            return Err(unreadable());
        }
        if let (Some(submitted), Some(done)) = (self.submitted, gpu.now()) {
            arena.pace.learn(self.flops, submitted, done);
        }
        let view = self.staging.get_mapped_range(..).map_err(|_| unreadable())?;
        let floats: Cow<'_, [f32]> = match bytemuck::try_cast_slice(&view[..]) {
            Ok(floats) => Cow::Borrowed(floats),
            // In the page they are a copy, which may lie anywhere.
            Err(_) => Cow::Owned(bytemuck::pod_collect_to_vec(&view[..])),
        };
        let mut rest = &*floats;
        for (i, &length) in self.lengths.iter().enumerate() {
            let (part, after) = rest.split_at(length);
            take(i, part)?;
            rest = after;
        }
        Ok(())
    }
}

impl Constants {
    /// Sends what is pending to the device, and forgets it on the host.
    fn upload(&mut self, gpu: &Gpu) {
        for mut page in std::mem::take(&mut self.pending) {
            // Operators without constants share a page of nothing, which cannot be bound.
            page.resize(page.len().max(4), 0.0);
            self.buffers.push(filled(
                gpu,
                "constants",
                bytemuck::cast_slice(&page),
                wgpu::BufferUsages::STORAGE,
            ));
        }
        // A kernel without constants still has a binding for them.
        if self.buffers.is_empty() {
            self.buffers.push(filled(gpu, "constants", &[0; 16], wgpu::BufferUsages::STORAGE));
        }
    }
}

fn filled(gpu: &Gpu, label: &str, bytes: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.len() as u64,
        usage: usage | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue.write_buffer(&buffer, 0, bytes);
    buffer
}

/// vec4s to bytes.
fn bytes(vectors: u32) -> u64 {
    u64::from(vectors) * 16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a device ten times slower than was guessed, submits become a tenth as large.
    #[test]
    fn submits_follow_the_pace() {
        let arena = Arena::default();
        let first = arena.budget();
        let work = (FIRST_GUESS * 10.0) as u64;
        for i in 0..12 {
            let at = f64::from(i) * 1000.0;
            arena.pace.learn(work, at, at + 100.0);
        }
        let ratio = arena.budget() as f64 / first as f64;
        assert!((ratio - 0.1).abs() < 0.01, "{ratio}");
        // Work that was queued behind other work counts from when that was done.
        arena.pace.learn(work, 11_050.0, 11_200.0);
        assert!((arena.budget() as f64 / first as f64 - ratio).abs() < 1e-3);
    }
}
