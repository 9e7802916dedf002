//! Resizing, equal to Pillow's to the byte.
//!
//! Networks are trained on pictures that Pillow resized, and a preview that differs by a grey level here and
//! there gives other scores than the reference. So this follows Pillow's definition: a separable filter whose
//! support grows with the reduction (no aliasing), weights in 22-bit fixed point, rows first, rounded to 8
//! bits between the passes. The filters are the classic ones (Keys 1981 for the cubic, with a = -1/2).

use std::{f64::consts::PI, iter, ops::Range};

use serde::{Deserialize, Serialize};

use super::{Picture, names, transparency};

/// The filter that resizes a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// Keys' cubic convolution with a = -1/2 (Catmull-Rom).
    Bicubic,
    /// A triangle.
    #[default]
    Bilinear,
    /// The nearest pixel; aliases when it shrinks.
    Nearest,
    /// A sinc windowed by a sinc, three lobes.
    Lanczos3,
}

names::named!(Interpolation, "interpolation");

impl Interpolation {
    /// Every one, in the order in which to offer them.
    pub const ALL: [Self; 4] = [Self::Bilinear, Self::Bicubic, Self::Lanczos3, Self::Nearest];

    /// The half width of the filter, in source pixels when enlarging.
    fn support(self) -> f64 {
        match self {
            Self::Bicubic => 2.0,
            Self::Bilinear => 1.0,
            Self::Nearest => 0.0,
            Self::Lanczos3 => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => -0.5 * (((x - 5.0) * x + 8.0) * x - 4.0),
            Self::Lanczos3 if x < 3.0 => sinc(x) * sinc(x / 3.0),
            Self::Bilinear | Self::Bicubic | Self::Lanczos3 => 0.0,
            Self::Nearest => 1.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Fraction bits of a weight: eight fewer than fit beside an 8-bit value, so that overshoot fits too.
const BITS: u32 = 22;

/// The source pixels that make one output pixel: those from `start` on, each with its weight.
struct Taps {
    start: usize,
    weights: Vec<i32>,
}

impl Taps {
    fn end(&self) -> usize {
        self.start + self.weights.len()
    }
}

/// The part `window` (columns, rows) of `picture` resized to `full` (columns, rows), each given as
/// `(full, window)`. Only the window is computed, so that a panorama costs no more than what is kept of it.
/// The picture and the windows must not be empty, and the windows lie inside.
pub(super) fn resize_window(
    picture: &Picture,
    columns: (usize, Range<usize>),
    rows: (usize, Range<usize>),
    interpolation: Interpolation,
) -> Picture {
    let copies =
        interpolation == Interpolation::Nearest || (columns.0, rows.0) == (picture.width, picture.height);
    let rgba = picture.rgba.as_ref().map(|rgba| {
        let windows = (columns.clone(), rows.clone());
        transparency::resize(rgba, !copies, |rgb| {
            let part = Picture { rgb, rgba: None, ..*picture };
            resize_window(&part, windows.0.clone(), windows.1.clone(), interpolation)
        })
    });
    let across = taps(picture.width, columns.0, columns.1, interpolation);
    let down = taps(picture.height, rows.0, rows.1, interpolation);
    let first = down.iter().map(|t| t.start).min().unwrap_or(0);
    let last = down.iter().map(Taps::end).max().unwrap_or(0);
    let mut middle = Vec::with_capacity(3 * across.len() * (last - first));
    for row in picture.rgb.chunks_exact(3 * picture.width).take(last).skip(first) {
        for taps in &across {
            let source = &row[3 * taps.start..3 * taps.end()];
            middle.extend(weigh(taps, source.chunks_exact(3)));
        }
    }
    let stride = 3 * across.len();
    let mut rgb = Vec::with_capacity(stride * down.len());
    for taps in &down {
        let source = &middle[stride * (taps.start - first)..stride * (taps.end() - first)];
        for x in (0..stride).step_by(3) {
            rgb.extend(weigh(taps, source.chunks_exact(stride).map(|row| &row[x..x + 3])));
        }
    }
    Picture { width: across.len(), height: down.len(), rgb, rgba }
}

fn weigh<'a>(taps: &Taps, pixels: impl Iterator<Item = &'a [u8]>) -> [u8; 3] {
    let mut sum = [1 << (BITS - 1); 3];
    for (pixel, weight) in pixels.zip(&taps.weights) {
        for (sum, &value) in sum.iter_mut().zip(pixel) {
            *sum += i32::from(value) * weight;
        }
    }
    sum.map(|s| (s >> BITS).clamp(0, 255) as u8)
}

/// The taps of the outputs in `window`, of `full` outputs over `length` source pixels.
fn taps(length: usize, full: usize, window: Range<usize>, interpolation: Interpolation) -> Vec<Taps> {
    let scale = length as f64 / full as f64;
    let stretch = scale.max(1.0);
    let support = interpolation.support() * stretch;
    if interpolation == Interpolation::Nearest {
        // Pillow adds up the places, which decides between two pixels where a place lies on their border.
        let places = iter::successors(Some(0.5 * scale), |place| Some(place + scale)).take(window.end);
        let one = |place: f64| Taps { start: (place as usize).min(length - 1), weights: vec![1 << BITS] };
        return places.skip(window.start).map(one).collect();
    }
    let one = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(length);
        // Pillow multiplies by the reciprocal; dividing differs in the last bit, which can change a rounding.
        let shrink = 1.0 / stretch;
        let weight = |x: usize| interpolation.weight((x as f64 - centre + 0.5) * shrink);
        let raw: Vec<f64> = (start..end).map(weight).collect();
        let total: f64 = raw.iter().sum();
        let unit = f64::from(1 << BITS);
        Taps { start, weights: raw.iter().map(|w| (w / total * unit).round() as i32).collect() }
    };
    window.map(one).collect()
}

#[cfg(test)]
#[path = "resample_tests.rs"]
mod tests;
