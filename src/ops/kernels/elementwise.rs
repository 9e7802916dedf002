//! Element-wise operators on the GPU.

use super::{EPILOGUE, EpilogueParams, LANES, THREAD, flops, linear};
use crate::{
    chain::Epilogue,
    error::Result,
    gpu::{Kernel, Launch, Recording, Value, as_u32, pack},
};

/// The kernel.
pub static ELEMENTWISE: Kernel =
    Kernel { name: "elementwise", source: include_str!("elementwise.wgsl"), snippets: &[EPILOGUE, THREAD] };

/// Factors and summands, one per channel or one per element.
#[derive(Clone, Copy, Debug)]
pub struct Scaling<'a> {
    /// The factors.
    pub scale: &'a [f32],
    /// The summands.
    pub shift: &'a [f32],
    /// True if there is one per element.
    pub per_element: bool,
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct Params {
    input: u32,
    output: u32,
    scale: u32,
    shift: u32,
    out_blocks: u32,
    plane: u32,
    threads: u32,
    unused: u32,
    epilogue: EpilogueParams,
}

/// Records `epilogue(scale * x + shift)`. Of one picture under many masks, the picture and what hides it are
/// changed alike, and the masks stay.
pub fn elementwise(at: &mut Recording<'_>, scaling: Option<Scaling<'_>>, epilogue: &Epilogue) -> Result<()> {
    let extra = epilogue.params(at, 1)?;
    let (channels, plane) = (at.output.channels(), at.output.plane());
    let (slot, places) = at.constants(0, |block| {
        let mut places = vec![];
        if let Some(s) = scaling {
            let plane = if s.per_element { plane } else { 1 };
            places.extend([
                block.push(&pack(s.scale, channels, plane)),
                block.push(&pack(s.shift, channels, plane)),
            ]);
        }
        places.extend(epilogue.constants(block, channels));
        places
    })?;
    let (own, tables) = places.split_at(if scaling.is_some() { 2 } else { 0 });
    let scaled = scaling.map_or(0, |s| if s.per_element { 2 } else { 1 });
    let (input, output) = (at.inputs[0].clone(), at.output.clone());
    let mut pairs = vec![(input.offset, output.offset)];
    pairs.extend(input.mask.zip(output.mask).map(|(from, to)| (from.fill, to.fill)));
    let vectors = if output.mask.is_some() { plane * output.blocks() } else { output.vectors() };
    for (from, to) in pairs {
        let params = Params {
            input: from,
            output: to,
            scale: own.first().copied().unwrap_or(0),
            shift: own.get(1).copied().unwrap_or(0),
            out_blocks: as_u32(output.blocks()),
            plane: as_u32(plane),
            threads: as_u32(vectors),
            unused: 0,
            epilogue: extra,
        };
        let mut variant = vec![("LANES", LANES.into()), ("SCALED", Value::Int(scaled))];
        variant.extend(epilogue.variant(&extra));
        let launch = Launch { groups: linear(vectors), page: slot.page, flops: flops(&[64, vectors]) };
        at.dispatch(&ELEMENTWISE, variant, &params, &epilogue.tail(tables), launch)?;
    }
    Ok(())
}
