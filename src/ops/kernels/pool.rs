//! Pools over windows, and their gradients.

use super::{GRID, GatherAxis, GridParams, LANES, THREAD, flops, linear, pairs, targets};
use crate::{
    error::{Error, Result},
    gpu::{Kernel, Launch, Recording, Value, as_u32},
    ops::window::Window,
};

/// The value of a pool.
pub static POOL: Kernel =
    Kernel { name: "pool", source: include_str!("pool.wgsl"), snippets: &[GRID, THREAD] };
/// The gradient of a pool.
pub static POOL_GRADIENT: Kernel =
    Kernel { name: "pool_gradient", source: include_str!("pool_gradient.wgsl"), snippets: &[GRID, THREAD] };

/// The value that a window becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Its maximum.
    Maximum,
    /// Its mean.
    Mean,
    /// Which tap holds the maximum.
    Winner,
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct Params {
    input: u32,
    output: u32,
    divisors: u32,
    blocks: u32,
    threads: u32,
    unused: [u32; 7],
    grid: GridParams,
}

/// Records a pool; `divisors` are what each window's sum is divided by.
pub fn pool(at: &mut Recording<'_>, window: &Window, kind: PoolKind, divisors: &[f32]) -> Result<()> {
    let (from, to) = (at.inputs[0].extents(), at.output.extents());
    let axes = [0, 1].map(|i| GatherAxis::forward(window, i, from[i], to[i]));
    let (slot, places) = at.constants(0, |block| vec![block.push(divisors)])?;
    let (threads, blocks) = (at.output.vectors(), at.output.blocks());
    let params = Params {
        input: at.inputs[0].offset,
        output: at.output.offset,
        divisors: places[0],
        blocks: as_u32(blocks),
        threads: as_u32(threads),
        unused: [0; 7],
        grid: GridParams::new(&axes),
    };
    let kind = match kind {
        PoolKind::Maximum => 0,
        PoolKind::Mean => 1,
        PoolKind::Winner => 2,
    };
    let work = flops(&[32, threads, window.kernel[0], window.kernel[1]]);
    let launch = Launch { groups: linear(threads), page: slot.page, flops: work };
    at.dispatch(&POOL, vec![("LANES", LANES.into()), ("KIND", Value::Int(kind))], &params, &[], launch)
}

/// The taps that a window's gradient goes to.
#[derive(Clone, Debug, PartialEq)]
pub enum PoolGradient {
    /// All to the tap that won; the second input says which.
    Maximum,
    /// Evenly, by the window's divisor.
    Mean(Vec<f32>),
}

#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
struct GradientParams {
    input: u32,
    output: u32,
    side: u32,
    blocks: u32,
    threads: u32,
    targets: u32,
    first_tap: [u32; 2],
    tap_step: [u32; 2],
    columns: u32,
    unused: u32,
    grid: GridParams,
}

/// Records the gradient of a pool whose input has height and width `large`.
pub fn pool_gradient(
    at: &mut Recording<'_>,
    window: &Window,
    large: [usize; 2],
    kind: &PoolGradient,
) -> Result<()> {
    let small = at.inputs[0].extents();
    let [rows, columns] = [0, 1].map(|i| GatherAxis::backward(window, i, small[i], large[i]));
    let divisors: &[f32] = if let PoolGradient::Mean(d) = kind { d } else { &[] };
    let (slot, places) = at.constants(0, |block| vec![block.push(divisors)])?;
    let maximum = *kind == PoolGradient::Maximum;
    let winner = at.inputs.get(1);
    if maximum && winner.is_none() {
        return Err(Error::Model("a pool's gradient lacks the winners".into()));
    }
    let (side, shared) = winner.map_or((places[0], 1), |w| (w.offset, targets(&at.output, w)));
    let blocks = at.output.blocks();
    for axes in pairs(&rows, &columns) {
        let threads = at.output.rows * axes[0].grid * axes[1].grid * blocks;
        let first = axes.each_ref().map(|a| as_u32(a.taps.first().copied().unwrap_or(0)));
        let step = |a: &GatherAxis| a.taps.first().zip(a.taps.get(1)).map_or(0, |(a, b)| as_u32(a - b));
        let params = GradientParams {
            input: at.inputs[0].offset,
            output: at.output.offset,
            side,
            blocks: as_u32(blocks),
            threads: as_u32(threads),
            targets: as_u32(shared),
            first_tap: first,
            tap_step: axes.each_ref().map(step),
            columns: as_u32(window.kernel[1]),
            unused: 0,
            grid: GridParams::new(&axes),
        };
        let variant = vec![("LANES", LANES.into()), ("KIND", (!maximum).into())];
        let work = flops(&[48, threads, (axes[0].taps.len() * axes[1].taps.len()).max(1)]);
        let launch = Launch { groups: linear(threads), page: slot.page, flops: work };
        at.dispatch(&POOL_GRADIENT, variant, &params, &[], launch)?;
    }
    Ok(())
}
