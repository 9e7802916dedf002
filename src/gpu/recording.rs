//! An operator records its kernels here: it has views of its values, a place for its constants, and a list of
//! dispatches to add to.

use std::collections::HashMap;

use super::{DeviceProfile, Kernel, Variant};
use crate::error::{Error, GpuFault, Result};

/// The place and the layout of a value.
#[derive(Clone, Debug)]
pub struct View {
    /// Its first vec4 in the arena.
    pub offset: u32,
    /// Its extents for one row.
    pub shape: Vec<usize>,
    /// The number of rows.
    pub rows: usize,
    /// The masks, where it is one picture under a mask for each row.
    pub mask: Option<Mask>,
}

/// One picture under many masks: nothing is stored but the picture, what hides it, and the masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The encoding of the masks.
    pub encoding: MaskEncoding,
    /// The first vec4 of what shows where the picture is hidden (the view's own offset is the picture's).
    pub fill: u32,
    /// The first vec4 of what all masks share.
    pub shared: u32,
    /// The first vec4 of the first row's own mask.
    pub masks: u32,
    /// vec4s from one row's mask to the next.
    pub stride: u32,
}

/// The encoding of masks; `ops/kernels/masked_input.wgsl` says how each encoding lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaskEncoding {
    /// One rectangle per row, which is hidden.
    Rectangles = 1,
    /// A label per pixel, which all rows share, and one bit per label and row.
    Segments = 2,
    /// Coarse grids of shares, enlarged bilinearly.
    Grids = 3,
    /// One bit per channel and pixel.
    Elements = 4,
}

impl View {
    /// Channels: the first axis.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// vec4s per pixel.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.channels().div_ceil(4)
    }

    /// Pixels per row: all axes but the first.
    #[must_use]
    pub fn plane(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Pixels in all.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.rows.saturating_mul(self.plane())
    }

    /// vec4s in all, when the elements are floats.
    #[must_use]
    pub fn vectors(&self) -> usize {
        self.pixels().saturating_mul(self.blocks())
    }

    /// Height and width; ones where there are none.
    #[must_use]
    pub fn extents(&self) -> [usize; 2] {
        match self.shape[..] {
            [_, h, w] => [h, w],
            _ => [self.plane(), 1],
        }
    }
}

/// The place of a block of constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The buffer.
    pub page: usize,
    /// The first vec4.
    pub offset: u32,
}

/// The constants of one dispatch: everything that it reads beside the arena, in vec4s.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The floats; a whole number of vec4s.
    pub data: Vec<f32>,
}

impl Block {
    /// Adds floats, padded to a vec4, and returns where they start, in vec4s from the block's start.
    pub fn push(&mut self, floats: &[f32]) -> u32 {
        let at = self.data.len() / 4;
        self.data.extend_from_slice(floats);
        self.data.resize(self.data.len().next_multiple_of(4), 0.0);
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}

/// All constants of a program, in pages that can each be bound.
pub struct Constants {
    /// Most vec4s of a page.
    page_size: usize,
    /// Data that is still to be uploaded; empty vectors after that.
    pub(super) pending: Vec<Vec<f32>>,
    pub(super) buffers: Vec<wgpu::Buffer>,
    places: HashMap<(usize, usize), (Slot, Vec<u32>)>,
}

impl Constants {
    /// None yet; no page will have more than `page_bytes`.
    #[must_use]
    pub fn new(page_bytes: u64) -> Self {
        let page_size = usize::try_from(page_bytes / 16).unwrap_or(usize::MAX);
        Self { page_size, pending: vec![], buffers: vec![], places: HashMap::new() }
    }

    /// The most vec4s that one block may have.
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes that the constants take on the device.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let pending: usize = self.pending.iter().map(|p| p.len() * 4).sum();
        self.buffers.iter().map(wgpu::Buffer::size).sum::<u64>() + pending as u64
    }

    fn place(&mut self, block: Block) -> Slot {
        // A page grows until it is uploaded or full; uploaded pages stand before the pending ones.
        let length = block.data.len();
        let open = self.pending.last().is_some_and(|page| page.len() + length <= 4 * self.page_size);
        if !open {
            self.pending.push(vec![]);
        }
        let page = self.buffers.len() + self.pending.len() - 1;
        let mut offset = 0;
        if let Some(data) = self.pending.last_mut() {
            offset = data.len() / 4;
            data.extend_from_slice(&block.data);
        }
        Slot { page, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }
}

/// One kernel launch.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// Its variant.
    pub variant: Variant,
    /// The bytes of its `Params`.
    pub params: Vec<u8>,
    /// The page of constants that it reads.
    pub page: usize,
    /// Workgroups along each axis.
    pub groups: [u32; 3],
    /// Roughly how many floating-point operations it takes.
    pub flops: u64,
}

/// Workgroups along an axis that every adapter takes.
pub const MOST_GROUPS: usize = 65_535;

/// The argument of [`crate::graph::Operator::record`].
pub struct Recording<'a> {
    /// The node's position, under which constants are kept.
    pub node: usize,
    /// The values that the node reads.
    pub inputs: Vec<View>,
    /// The value that the node makes.
    pub output: View,
    /// The device properties that it is recorded for.
    pub profile: DeviceProfile,
    /// The first vec4 of a page of zeros, as long as the longest pixel.
    pub zeros: u32,
    /// The program's constants.
    pub constants: &'a mut Constants,
    /// The launches so far.
    pub dispatches: &'a mut Vec<Dispatch>,
}

impl Recording<'_> {
    /// Places the constants of the node's `part`-th dispatch, unless a plan for another batch already did.
    /// `make` also returns offsets into the block.
    pub fn constants(
        &mut self,
        part: usize,
        make: impl FnOnce(&mut Block) -> Vec<u32>,
    ) -> Result<(Slot, Vec<u32>)> {
        if let Some(found) = self.constants.places.get(&(self.node, part)) {
            return Ok(found.clone());
        }
        let mut block = Block::default();
        let offsets = make(&mut block);
        if block.data.iter().any(|v| !v.is_finite()) {
            return Err(Error::NotFinite("a weight of the model".into()));
        }
        let (got, allowed) = (block.data.len() as u64 * 4, self.constants.page_size as u64 * 16);
        crate::limits::check("the number of bytes of a layer's weights", got, allowed)?;
        let slot = self.constants.place(block);
        let offsets: Vec<u32> = offsets.into_iter().map(|o| o + slot.offset).collect();
        self.constants.places.insert((self.node, part), (slot, offsets.clone()));
        Ok((slot, offsets))
    }

    /// Adds a launch. Its kernel's `Params` are `params`, and then `tail` as an array. Where there is one, `params`
    /// are a multiple of 16 bytes, because uniform memory aligns arrays so.
    pub fn dispatch(
        &mut self,
        kernel: &'static Kernel,
        variant: Variant,
        params: &impl bytemuck::NoUninit,
        tail: &[[f32; 4]],
        launch: Launch,
    ) -> Result<()> {
        let bytes = [bytemuck::bytes_of(params), bytemuck::cast_slice(tail)].concat();
        let mut groups = [0; 3];
        for (to, from) in groups.iter_mut().zip(launch.groups) {
            *to = u32::try_from(from).ok().filter(|_| from <= MOST_GROUPS).ok_or_else(|| {
                Error::gpu(
                    GpuFault::OutOfMemory,
                    "a layer is too large for the GPU; use a smaller batch or the CPU backend",
                )
            })?;
        }
        if groups.contains(&0) {
            return Ok(());
        }
        let (page, flops) = (launch.page, launch.flops);
        self.dispatches.push(Dispatch { kernel, variant, params: bytes, page, groups, flops });
        Ok(())
    }
}

/// The size of a launch.
#[derive(Clone, Copy, Debug)]
pub struct Launch {
    /// Workgroups along each axis.
    pub groups: [usize; 3],
    /// The page of constants that it reads.
    pub page: usize,
    /// Roughly how many floating-point operations it takes.
    pub flops: u64,
}
