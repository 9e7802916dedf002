//! Windows over one axis, as a regular grid of outputs that each gather the same taps.

use crate::{gpu::as_u32, ops::window::Window};

/// Outputs `out_offset + j * out_stride` for `j < grid`, each of which gathers, for tap `t < taps.len()`,
/// the input at `j * stride + t * dilation + offset` (nothing where that is outside `0..input`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatherAxis {
    /// How many outputs.
    pub grid: usize,
    /// Extent of what is read.
    pub input: usize,
    /// Extent of what is written.
    pub output: usize,
    /// Which taps of the window, in the order in which they are gathered.
    pub taps: Vec<usize>,
    /// Input steps between outputs.
    pub stride: usize,
    /// Input steps between taps.
    pub dilation: usize,
    /// The position that the first output's first tap reads.
    pub offset: isize,
    /// Steps between outputs.
    pub out_stride: usize,
    /// The first output.
    pub out_offset: usize,
}

impl GatherAxis {
    /// A window that gathers: one grid with all taps.
    #[must_use]
    pub fn forward(window: &Window, axis: usize, input: usize, output: usize) -> Self {
        Self {
            grid: output,
            input,
            output,
            taps: (0..window.kernel[axis]).collect(),
            stride: window.strides[axis],
            dilation: window.dilations[axis],
            offset: -window.before[axis].cast_signed(),
            out_stride: 1,
            out_offset: 0,
        }
    }

    /// A window that scatters from extent `small` to extent `large`, turned into gathers: one grid for each
    /// phase of the stride, with the taps that reach it. Position `x` receives tap `t` of window `o` where
    /// `x = o * stride + t * dilation - before`.
    #[must_use]
    pub fn backward(window: &Window, axis: usize, small: usize, large: usize) -> Vec<Self> {
        let (stride, dilation) = (window.strides[axis], window.dilations[axis]);
        let padded = |phase: usize| (phase + window.before[axis]).cast_signed();
        let phase = |phase: usize| {
            let source = |tap: usize| padded(phase) - (tap * dilation).cast_signed();
            let whole = stride.cast_signed();
            // Taken backwards, so that later taps read later inputs.
            let taps: Vec<usize> =
                (0..window.kernel[axis]).rev().filter(|&t| source(t).rem_euclid(whole) == 0).collect();
            let at = |i: usize| taps.get(i).map(|&t| source(t).div_euclid(whole));
            Self {
                grid: (large - phase).div_ceil(stride),
                input: small,
                output: large,
                stride: 1,
                dilation: at(1).zip(at(0)).map_or(1, |(b, a)| b.abs_diff(a)),
                offset: at(0).unwrap_or(0),
                out_stride: stride,
                out_offset: phase,
                taps,
            }
        };
        (0..stride.min(large)).map(phase).collect()
    }

    /// True if each output reads the one input at its own place.
    #[must_use]
    pub fn is_pointwise(&self) -> bool {
        self.taps.len() == 1
            && self.stride == 1
            && self.offset == 0
            && self.grid == self.input
            && self.is_whole()
    }

    /// True if the outputs are all that there are.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.out_stride == 1 && self.grid == self.output
    }
}

/// Every pair of phases.
pub fn pairs(rows: &[GatherAxis], columns: &[GatherAxis]) -> Vec<[GatherAxis; 2]> {
    rows.iter().flat_map(|r| columns.iter().map(move |c| [r.clone(), c.clone()])).collect()
}

/// The snippet that declares [`GridParams`] to kernels.
pub const GRID: (&str, &str) = ("grid", include_str!("grid.wgsl"));

/// The geometry as kernels see it: `struct Grid` in `grid.wgsl`, in the same order.
#[derive(Clone, Copy, Debug, Default, bytemuck::NoUninit)]
#[repr(C)]
pub struct GridParams {
    cells: [u32; 2],
    extent: [u32; 2],
    taps: [u32; 2],
    stride: [u32; 2],
    dilation: [i32; 2],
    offset: [i32; 2],
    out_extent: [u32; 2],
    out_stride: [u32; 2],
    out_offset: [u32; 2],
    /// Structs in uniform memory take multiples of 16 bytes.
    unused: [u32; 2],
}

impl GridParams {
    /// For rows and columns.
    #[must_use]
    pub fn new(axes: &[GatherAxis; 2]) -> Self {
        let each = |f: fn(&GatherAxis) -> usize| axes.each_ref().map(|a| as_u32(f(a)));
        let signed = |f: fn(&GatherAxis) -> isize| axes.each_ref().map(|a| i32::try_from(f(a)).unwrap_or(0));
        Self {
            cells: each(|a| a.grid),
            extent: each(|a| a.input),
            taps: each(|a| a.taps.len()),
            stride: each(|a| a.stride),
            dilation: signed(|a| a.dilation.cast_signed()),
            offset: signed(|a| a.offset),
            out_extent: each(|a| a.output),
            out_stride: each(|a| a.out_stride),
            out_offset: each(|a| a.out_offset),
            unused: [0; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_gather_what_a_window_scatters() {
        let mut seen = 0;
        for (kernel, stride, dilation) in [(3, 2, 1), (5, 3, 2), (2, 4, 1), (4, 2, 2), (1, 2, 1), (3, 1, 1)] {
            for before in 0..3 {
                let mut window = Window::new([kernel; 2]);
                (window.strides, window.dilations, window.before) = ([stride; 2], [dilation; 2], [before; 2]);
                let large = 13;
                let Ok([small, _]) = window.output([large; 2]) else { continue };
                let mut gathered = vec![];
                for axis in GatherAxis::backward(&window, 0, small, large) {
                    for j in 0..axis.grid {
                        for (t, tap) in axis.taps.iter().enumerate() {
                            let from = (j + t * axis.dilation).cast_signed() + axis.offset;
                            if (0..small.cast_signed()).contains(&from) {
                                gathered.push((
                                    axis.out_offset + j * axis.out_stride,
                                    *tap,
                                    from.unsigned_abs(),
                                ));
                            }
                        }
                    }
                }
                let mut scattered = vec![];
                for o in 0..small {
                    for tap in 0..kernel {
                        scattered.extend(window.position(0, o, tap, large).map(|x| (x, tap, o)));
                    }
                }
                gathered.sort_unstable();
                scattered.sort_unstable();
                assert_eq!(gathered, scattered);
                seen += scattered.len();
            }
        }
        assert!(seen > 200);
    }
}
