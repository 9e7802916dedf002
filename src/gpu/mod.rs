//! The means to run compute shaders: a device, one arena, pipelines, recorded dispatches, read-back.
//! Nothing here knows what a convolution is.
//!
//! Values lie in the arena as `vec4`s, channels last: value `[C, H, W]` of `R` rows is `R * H * W` pixels of
//! `ceil(C / 4)` vec4s ("blocks"). Channels beyond `C` hold any finite number; whoever sums over channels has
//! zeros in its weights there. `[F]` is one pixel of `F` channels; of other ranks the first axis is the
//! channels and the rest are pixels. Bits and bytes of a value are packed in the same order.

pub mod arena;
mod device;
mod execution;
mod layout;
mod pipelines;
pub mod preprocess;
mod profile;
mod recording;

pub use device::Gpu;
pub use execution::{Arena, DispatchList, Pending, PreparedDispatch, Upload};
pub use layout::{as_u32, pack, unpack};
pub use pipelines::{Kernel, Pipelines};
pub use preprocess::{Value, Variant};
pub use profile::{DeviceProfile, TileMemory};
pub use recording::{
    Block, Constants, Dispatch, Launch, MOST_GROUPS, Mask, MaskEncoding, Recording, Slot, View,
};
