//! The geometry that convolutions and pools share: a window that slides over height and width.

use tract_onnx::tract_core::ops::{cnn, nn::DataFormat};

use super::onnx::{Reader, bounded};
use crate::{error::Error, limits};

/// A sliding window over `[height, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Taps along each axis.
    pub kernel: [usize; 2],
    /// Steps between windows.
    pub strides: [usize; 2],
    /// Steps between taps.
    pub dilations: [usize; 2],
    /// Padding before: top, left.
    pub before: [usize; 2],
    /// Padding after: bottom, right.
    pub after: [usize; 2],
    /// True if a last window that starts inside the padded input may reach over its end (pools only).
    pub ceil: bool,
}

impl Window {
    /// A window with strides and dilations of one and no padding.
    #[must_use]
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, strides: [1; 2], dilations: [1; 2], before: [0; 2], after: [0; 2], ceil: false }
    }

    /// Reads `kernel_shape`, `strides`, `dilations`, `pads`, `auto_pad` and `ceil_mode` of an ONNX node whose
    /// input has the extents `input`.
    pub fn read(node: &Reader<'_>, kernel: Option<[usize; 2]>, input: [usize; 2]) -> Result<Self, String> {
        let from_weights = kernel.unwrap_or([0; 2]);
        let mut window = Self::new(node.pair("kernel_shape", from_weights)?);
        if kernel.is_some_and(|k| k != window.kernel) {
            return Err(format!(
                "kernel_shape {:?} contradicts the weights' {from_weights:?}",
                window.kernel
            ));
        }
        window.strides = node.pair("strides", [1; 2])?;
        window.dilations = node.pair("dilations", [1; 2])?;
        window.ceil = node.int("ceil_mode", 0) != 0;
        if window.kernel.contains(&0) || window.strides.contains(&0) || window.dilations.contains(&0) {
            return Err("kernel, strides and dilations must be positive".into());
        }
        let phases = |axis: usize| window.strides[axis].min(input[axis]);
        let phases = limits::product(&[phases(0), phases(1)]);
        if phases > limits::PHASES {
            return Err(format!(
                "strides {:?} have {phases} phases on a plane of {input:?}; at most {} are allowed",
                window.strides,
                limits::PHASES
            ));
        }
        match node.text("auto_pad", "NOTSET").as_str() {
            "NOTSET" => window.read_pads(node)?,
            "VALID" => {}
            "SAME_UPPER" => window.pad_same(input, false),
            "SAME_LOWER" => window.pad_same(input, true),
            other => return Err(format!("auto_pad {other:?} is unknown")),
        }
        window.end_with_the_input(input);
        Ok(window)
    }

    /// Cuts a window that `ceil` lets reach over the end of a smaller input: the taps beyond count for nothing.
    fn end_with_the_input(&mut self, input: [usize; 2]) {
        for (axis, &extent) in input.iter().enumerate() {
            let padded = extent + self.before[axis] + self.after[axis];
            let beyond = self.kernel[axis].saturating_sub(padded);
            if self.ceil && self.dilations[axis] == 1 && (1..self.strides[axis]).contains(&beyond) {
                self.kernel[axis] = padded;
            }
        }
    }

    fn read_pads(&mut self, node: &Reader<'_>) -> Result<(), String> {
        match node.ints("pads") {
            None => Ok(()),
            Some(&[top, left, bottom, right]) => {
                let pad = |v| bounded("pads", v, limits::WINDOW);
                self.before = [pad(top)?, pad(left)?];
                self.after = [pad(bottom)?, pad(right)?];
                Ok(())
            }
            Some(other) => Err(format!("pads {other:?} are not for two spatial axes")),
        }
    }

    /// Pads so that there is an output for every `stride` inputs; an odd one goes after, or before (`lower`).
    fn pad_same(&mut self, input: [usize; 2], lower: bool) {
        for (axis, &extent) in input.iter().enumerate() {
            let outputs = extent.div_ceil(self.strides[axis]);
            let needed = (outputs.max(1) - 1) * self.strides[axis] + self.extent(axis);
            let total = needed.saturating_sub(extent);
            let small = total / 2;
            (self.before[axis], self.after[axis]) =
                if lower { (total - small, small) } else { (small, total - small) };
        }
    }

    /// How many inputs a window spans along an axis.
    #[must_use]
    pub fn extent(&self, axis: usize) -> usize {
        self.dilations[axis] * (self.kernel[axis] - 1) + 1
    }

    /// How many taps a window has.
    #[must_use]
    pub fn taps(&self) -> u64 {
        limits::product(&self.kernel)
    }

    /// True if padding is as wide as a window, so that some windows may see nothing else.
    #[must_use]
    pub fn sees_nothing(&self) -> bool {
        (0..2).any(|axis| self.before[axis].max(self.after[axis]) >= self.extent(axis))
    }

    /// Fails where a pool with this window costs more than it is worth: see [`limits::POOL_WORK`].
    pub fn check_work(&self, (channels, input): (usize, [usize; 2])) -> Result<(), String> {
        let output = self.output(input)?;
        let work = limits::product(&[channels, output[0], output[1]]).saturating_mul(self.taps());
        if work > limits::POOL_WORK {
            return Err(format!(
                "windows of {:?} over {input:?} take {work} sums; at most {} are allowed",
                self.kernel,
                limits::POOL_WORK
            ));
        }
        Ok(())
    }

    /// How many windows there are along each axis.
    pub fn output(&self, input: [usize; 2]) -> Result<[usize; 2], String> {
        let mut out = [0; 2];
        for axis in 0..2 {
            let padded = input[axis] + self.before[axis] + self.after[axis];
            let span = padded
                .checked_sub(self.extent(axis))
                .ok_or_else(|| format!("a window of {} does not fit into {padded}", self.extent(axis)))?;
            out[axis] = span / self.strides[axis] + 1;
            let last_starts_inside = out[axis] * self.strides[axis] < input[axis] + self.before[axis];
            if self.ceil && span % self.strides[axis] != 0 && last_starts_inside {
                out[axis] += 1;
            }
        }
        Ok(out)
    }

    /// The input position of tap `tap` of window `window` along an axis, or `None` where it is padding.
    #[must_use]
    pub fn position(&self, axis: usize, window: usize, tap: usize, input: usize) -> Option<usize> {
        (window * self.strides[axis] + tap * self.dilations[axis])
            .checked_sub(self.before[axis])
            .filter(|&p| p < input)
    }

    /// Calls `f(output index, tap index, input index)` for each tap of each window that is not padding; the
    /// indices run over one channel's plane (and one kernel), row-major.
    pub fn for_each(&self, input: [usize; 2], output: [usize; 2], mut f: impl FnMut(usize, usize, usize)) {
        for oy in 0..output[0] {
            for ky in 0..self.kernel[0] {
                let Some(y) = self.position(0, oy, ky, input[0]) else { continue };
                for ox in 0..output[1] {
                    for kx in 0..self.kernel[1] {
                        if let Some(x) = self.position(1, ox, kx, input[1]) {
                            f(oy * output[1] + ox, ky * self.kernel[1] + kx, y * input[1] + x);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
impl Window {
    /// The same as [`Self::for_each`], written apart from all that runs: oracles walk it, so that a fault there
    /// is found.
    pub fn taps_of(&self, input: [usize; 2], output: [usize; 2], mut f: impl FnMut(usize, usize, usize)) {
        let signed = |v: usize| i64::try_from(v).unwrap();
        for window in 0..output[0] * output[1] {
            for tap in 0..self.kernel[0] * self.kernel[1] {
                let y =
                    signed(window / output[1] * self.strides[0] + tap / self.kernel[1] * self.dilations[0]);
                let x =
                    signed(window % output[1] * self.strides[1] + tap % self.kernel[1] * self.dilations[1]);
                let (y, x) = (y - signed(self.before[0]), x - signed(self.before[1]));
                if (0..signed(input[0])).contains(&y) && (0..signed(input[1])).contains(&x) {
                    f(window, tap, usize::try_from(y * signed(input[1]) + x).unwrap());
                }
            }
        }
    }
}

/// How the CPU's loops walk: one tap at a time over a row of windows, without a test inside.
impl Window {
    /// Hands each window's value to what lies under its taps: `f(input, window's value, tap)`.
    pub fn scatter<T, U>(
        &self,
        input: [usize; 2],
        output: [usize; 2],
        to: &mut [U],
        from: &[T],
        mut f: impl FnMut(&mut U, &T, usize),
    ) {
        let step = self.strides[1];
        self.tap_rows(input, output, &mut |row| {
            let from = &from[row.window..][..row.count];
            let to = &mut to[row.tap_at..];
            if step == 1 {
                from.iter().zip(to).for_each(|(y, x)| f(x, y, row.tap));
            } else {
                from.iter().zip(to.iter_mut().step_by(step)).for_each(|(y, x)| f(x, y, row.tap));
            }
        });
    }

    /// Calls `f` for each row of windows and each tap, leaving out windows whose tap is padding.
    fn tap_rows(&self, input: [usize; 2], output: [usize; 2], f: &mut dyn FnMut(TapRow)) {
        let columns: Vec<(usize, usize)> =
            (0..self.kernel[1]).map(|tap| self.columns(tap, input[1], output[1])).collect();
        for oy in 0..output[0] {
            for ky in 0..self.kernel[0] {
                let Some(y) = self.position(0, oy, ky, input[0]) else { continue };
                for (kx, &(first, end)) in columns.iter().enumerate() {
                    if first < end {
                        f(TapRow {
                            tap: ky * self.kernel[1] + kx,
                            window: oy * output[1] + first,
                            tap_at: y * input[1] + first * self.strides[1] + kx * self.dilations[1]
                                - self.before[1],
                            count: end - first,
                        });
                    }
                }
            }
        }
    }

    /// The columns of windows, `first..end`, whose tap in column `tap` is not padding.
    fn columns(&self, tap: usize, input: usize, output: usize) -> (usize, usize) {
        let (at, before, step) = (tap * self.dilations[1], self.before[1], self.strides[1]);
        let first = before.saturating_sub(at).div_ceil(step);
        let end = (input + before).saturating_sub(at).div_ceil(step);
        (first, end.min(output))
    }

    /// The window as tract describes it, over `[H, W, C]`.
    #[must_use]
    pub fn pool_spec(&self, inputs: usize, outputs: usize) -> cnn::PoolSpec {
        let axes = |pair: [usize; 2]| pair.into_iter().collect();
        cnn::PoolSpec {
            data_format: DataFormat::HWC,
            kernel_shape: axes(self.kernel),
            padding: cnn::PaddingSpec::Explicit(axes(self.before), axes(self.after)),
            dilations: Some(axes(self.dilations)),
            strides: Some(axes(self.strides)),
            input_channels: inputs,
            output_channels: outputs,
        }
    }
}

/// A tap of some windows of one row.
struct TapRow {
    /// Which tap, row-major.
    tap: usize,
    /// The first window.
    window: usize,
    /// The position of the first window's tap; the others' follow in steps of the stride.
    tap_at: usize,
    /// How many windows.
    count: usize,
}

/// The channels of place `i`, where they lie side by side.
#[must_use]
pub fn row<T>(values: &[T], i: usize, channels: usize) -> &[T] {
    &values[i * channels..][..channels]
}

/// The channels of place `i`, to change.
pub fn row_mut<T>(values: &mut [T], i: usize, channels: usize) -> &mut [T] {
    &mut values[i * channels..][..channels]
}

/// Channel `c`'s plane.
#[must_use]
pub fn plane_of<T>(values: &[T], c: usize, extents: [usize; 2]) -> &[T] {
    let size = extents[0] * extents[1];
    &values[c * size..][..size]
}

/// Channel `c`'s plane, to change.
pub fn plane_mut<T>(values: &mut [T], c: usize, extents: [usize; 2]) -> &mut [T] {
    let size = extents[0] * extents[1];
    &mut values[c * size..][..size]
}

/// Takes the extents of an image-like value apart: channels, and height with width.
pub fn image(shape: &[usize]) -> Result<(usize, [usize; 2]), String> {
    match *shape {
        [c, h, w] => Ok((c, [h, w])),
        _ => Err(format!("it works on [N, C, H, W], and its input has {} axes", shape.len() + 1)),
    }
}

/// Takes the shape of a convolution's weights apart: output channels, input channels per group, height and width.
///
/// # Errors
/// [`Error::Model`] when there are not four axes; the shape rule refuses such weights earlier.
pub fn kernels_of(weights: &[usize]) -> crate::Result<[usize; 4]> {
    weights.try_into().map_err(|_| Error::Model("a convolution's weights must have four axes".into()))
}
