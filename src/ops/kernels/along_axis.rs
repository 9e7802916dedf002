//! Kernels whose threads each go through the elements along one axis.

use super::{LANES, flops, linear, targets};
use crate::gpu::{Launch, Recording, Variant, as_u32};

/// The snippet by which a thread finds its elements.
pub const ALONG_AXIS: (&str, &str) = ("along_axis", include_str!("along_axis.wgsl"));

/// A dispatch of such a kernel. It reads a value, or a cotangent and a value whose rows may be shared by several targets.
pub struct AlongAxis {
    /// The constants that the snippet and the entry point need.
    pub variant: Variant,
    /// The first members of `Params`, from `input` to `targets`.
    pub params: [u32; 10],
    /// The threads, one per group.
    pub launch: Launch,
}

impl AlongAxis {
    /// Along an axis of the output, at `cost` operations per vec4.
    #[must_use]
    pub fn new(at: &Recording<'_>, axis: usize, cost: usize) -> Self {
        let (input, output) = (&at.inputs[0], &at.output);
        let (blocks, plane) = (output.blocks(), output.plane());
        let extent = output.shape.get(axis).copied().unwrap_or(1);
        let (count, step, threads) = match axis {
            0 => (blocks, 1, output.pixels()),
            _ => (extent, output.shape[axis + 1..].iter().product(), output.vectors() / extent.max(1)),
        };
        let (other, shared) = at.inputs.get(1).map_or((0, 1), |other| (other.offset, targets(output, other)));
        let [channels, blocks, plane, count, step, groups, shared] =
            [output.channels(), blocks, plane, count, step, threads, shared].map(as_u32);
        Self {
            variant: vec![("LANES", LANES.into()), ("CHANNELS", (axis == 0).into())],
            params: [
                input.offset,
                output.offset,
                other,
                channels,
                blocks,
                plane,
                count,
                step,
                groups,
                shared,
            ],
            launch: Launch { groups: linear(threads), page: 0, flops: flops(&[cost, output.vectors()]) },
        }
    }
}
