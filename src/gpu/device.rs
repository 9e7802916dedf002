//! The adapter and the device, and what can befall them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{DeviceProfile, TileMemory};
use crate::error::{Error, GpuFault, Result};

/// The most that is asked for as one binding, where the adapter offers it.
const LARGEST_BINDING: u64 = 1 << 30;

/// An open device.
pub struct Gpu {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) bindings: wgpu::BindGroupLayout,
    pub(super) pipeline_layout: wgpu::PipelineLayout,
    adapter: String,
    fallback: bool,
    tile_memory: TileMemory,
    lost: Arc<Mutex<Option<String>>>,
    clock: Option<fn() -> f64>,
}

impl Gpu {
    /// Opens the best adapter; without `allow_fallback` a software one counts as none.
    pub async fn open(allow_fallback: bool) -> Result<Self> {
        let unavailable = |why: String| Error::gpu(GpuFault::Unavailable, why);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance()
            .request_adapter(&options)
            .await
            .map_err(|e| unavailable(format!("no GPU can be used ({e}); use the CPU backend")))?;
        let info = adapter.get_info();
        let fallback = info.device_type == wgpu::DeviceType::Cpu;
        if fallback && !allow_fallback {
            let why = format!("the only GPU is a software one ({}), slower than the CPU backend", info.name);
            return Err(unavailable(why));
        }
        let offered = adapter.limits();
        let largest = offered.max_storage_buffer_binding_size.min(LARGEST_BINDING);
        let required = wgpu::Limits {
            max_storage_buffer_binding_size: largest,
            max_buffer_size: offered.max_buffer_size.min(LARGEST_BINDING),
            ..wgpu::Limits::defaults()
        }
        .or_worse_values_from(&offered);
        let request = wgpu::DeviceDescriptor {
            label: Some("pellucid"),
            required_limits: required,
            ..Default::default()
        };
        let (device, queue) = adapter.request_device(&request).await.map_err(|e| {
            unavailable(format!("the GPU {} cannot be opened ({e}); use the CPU backend", info.name))
        })?;
        let lost = Arc::new(Mutex::new(None));
        let witness = lost.clone();
        device.set_device_lost_callback(move |_, why| {
            *witness.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        });
        // wgpu panics on errors outside an error scope. Ignore them here: the next read-back reports a lost device.
        device.on_uncaptured_error(Arc::new(|_| {}));
        let bindings = bindings(&device);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("kernels"),
            bind_group_layouts: &[Some(&bindings)],
            immediate_size: 0,
        });
        let tile_memory = tile_memory(&info, &device.limits());
        let name = if info.name.is_empty() { "WebGPU".to_owned() } else { info.name };
        Ok(Self {
            device,
            queue,
            bindings,
            pipeline_layout,
            adapter: name,
            fallback,
            tile_memory,
            lost,
            clock: clock(),
        })
    }

    /// The adapter's name, as the driver gives it.
    #[must_use]
    pub fn adapter(&self) -> &str {
        &self.adapter
    }

    /// True if the adapter is a software one.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// The most bytes that one buffer can have and be bound with.
    #[must_use]
    pub fn largest_buffer(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// The properties that work is laid out for. Buffers of constants have the size that every adapter offers, so that
    /// weights are never copied around in larger pieces.
    #[must_use]
    pub fn device_profile(&self) -> DeviceProfile {
        DeviceProfile { page_bytes: self.largest_buffer().min(128 << 20), tile_memory: self.tile_memory }
    }

    /// Has kernels laid out as for another kind of adapter: for measuring which is best on this one.
    pub fn set_tile_memory(&mut self, memory: TileMemory) {
        self.tile_memory = memory;
    }

    /// Gives the page's clock (milliseconds), where the platform has none of its own: with it the size of
    /// submits follows the speed of the adapter.
    pub fn set_clock(&mut self, clock: fn() -> f64) {
        self.clock = Some(clock);
    }

    pub(super) fn now(&self) -> Option<f64> {
        self.clock.map(|clock| clock())
    }

    /// Fails with `gpu-lost` once the device is gone.
    pub fn check_lost(&self) -> Result<()> {
        // Natively the news arrives when somebody asks.
        #[cfg(not(target_arch = "wasm32"))]
        let _ = self.device.poll(wgpu::PollType::Poll);
        match &*self.lost.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(why) => Err(Error::gpu(GpuFault::Lost, format!("the GPU was lost ({why}); open it again"))),
        }
    }

    /// Destroys the device, as a driver reset would: for tests of what comes after.
    pub fn lose(&self) {
        self.device.destroy();
    }

    /// Runs `work` and reports what the device refuses in it.
    pub async fn scoped<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = work();
        let (validation, memory) = (validation.pop(), memory.pop());
        let (validation, memory) = (validation.await, memory.await);
        self.check_lost()?;
        if let Some(error) = memory {
            let detail =
                format!("the GPU's memory is full ({error}); use a smaller batch or the CPU backend");
            return Err(Error::gpu(GpuFault::OutOfMemory, detail));
        }
        if let Some(error) = validation {
            let detail =
                format!("the GPU refused a command ({error}); use the CPU backend and open an issue");
            return Err(Error::gpu(GpuFault::Validation, detail));
        }
        result
    }
}

/// The memory in which kernels' tiles are best kept. Neither wgpu nor Chromium names the GPU's maker on Metal, but both
/// report subgroups of 4 to 64 threads for every GPU there. An adapter that reports no subgroups may be Metal.
fn tile_memory(info: &wgpu::AdapterInfo, limits: &wgpu::Limits) -> TileMemory {
    let usual = wgpu::Limits::defaults();
    let roomy = limits.max_compute_invocations_per_workgroup >= usual.max_compute_invocations_per_workgroup
        && limits.max_compute_workgroup_storage_size >= usual.max_compute_workgroup_storage_size;
    match (info.device_type, info.subgroup_min_size, info.subgroup_max_size) {
        (wgpu::DeviceType::Cpu, ..) => TileMemory::Cached,
        (_, 4, 64) | (_, 0, 0) => TileMemory::Registers,
        _ if roomy => TileMemory::Shared,
        _ => TileMemory::Registers,
    }
}

fn new_instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    wgpu::Instance::new(descriptor)
}

/// One for the whole process: NVIDIA's driver for Linux, for one, cannot be loaded more than a few dozen times.
#[cfg(not(target_arch = "wasm32"))]
fn instance() -> wgpu::Instance {
    static INSTANCE: std::sync::LazyLock<wgpu::Instance> = std::sync::LazyLock::new(new_instance);
    INSTANCE.clone()
}

#[cfg(target_arch = "wasm32")]
fn instance() -> wgpu::Instance {
    new_instance()
}

#[cfg(not(target_arch = "wasm32"))]
fn clock() -> Option<fn() -> f64> {
    fn milliseconds() -> f64 {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
    }
    Some(milliseconds)
}

#[cfg(target_arch = "wasm32")]
fn clock() -> Option<fn() -> f64> {
    None
}

/// One layout for all kernels: the arena, the constants, and the dispatch's own parameters.
fn bindings(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = |binding, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
        count: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("kernels"),
        entries: &[
            entry(0, wgpu::BufferBindingType::Storage { read_only: false }, false),
            entry(1, wgpu::BufferBindingType::Storage { read_only: true }, false),
            entry(2, wgpu::BufferBindingType::Uniform, true),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_kept_where_the_adapter_has_room() {
        use wgpu::DeviceType::{Cpu, IntegratedGpu, Other};
        let limits = wgpu::Limits::defaults();
        let small = wgpu::Limits { max_compute_invocations_per_workgroup: 128, ..limits.clone() };
        let on = |kind, [min, max]: [u32; 2], limits| {
            let mut info = wgpu::AdapterInfo::new(kind, wgpu::Backend::Vulkan);
            (info.subgroup_min_size, info.subgroup_max_size) = (min, max);
            tile_memory(&info, limits)
        };
        assert_eq!(on(IntegratedGpu, [8, 32], &limits), TileMemory::Shared);
        assert_eq!(on(Other, [4, 128], &limits), TileMemory::Shared);
        assert_eq!(on(Other, [4, 64], &limits), TileMemory::Registers);
        assert_eq!(on(Other, [0, 0], &limits), TileMemory::Registers);
        assert_eq!(on(IntegratedGpu, [32, 32], &small), TileMemory::Registers);
        assert_eq!(on(Cpu, [8, 8], &limits), TileMemory::Cached);
    }
}
