//! The profile of a device: the limits and sizes by which work is laid out.

/// Properties of a device that decide how work is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceProfile {
    /// The most bytes of a buffer of constants.
    pub page_bytes: u64,
    /// The memory in which its kernels' tiles are best kept.
    pub tile_memory: TileMemory,
}

/// The memory in which a kernel's tile is best kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileMemory {
    /// In caches: a processor plays the GPU.
    Cached,
    /// In each thread's registers alone: GPUs under Metal.
    Registers,
    /// In memory that the threads of a workgroup share: all others.
    Shared,
}

impl TileMemory {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Cached, Self::Registers, Self::Shared];
}
