//! The segments that counted most, as LIME's image explanations show them.

use serde::{Deserialize, Serialize};

use super::Sign;
use crate::backend::Segmentation;
use crate::picture::Picture;

/// The colour of boundaries: yellow, as scikit-image has it.
const BOUNDARY: [u8; 3] = [255, 255, 0];

/// Which segments are shown, and how: the arguments of `get_image_and_mask` in the `lime` package (0.2.0.1), with
/// its defaults, and whether scikit-image's `mark_boundaries` (mode `outer`) is drawn over its result.
///
/// `mark_boundaries` is taken at its definition: with int64 masks, which the package makes, scikit-image's overflows
/// and marks the inner side too.
///
/// [`Sign::Positive`] is its `positive_only`, [`Sign::Negative`] its `negative_only`; else both are shown, in the
/// package's colours: what counts for the score has all green that the picture has, what counts against it all red.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Features {
    /// The most segments that are shown: those with the largest weights.
    pub count: usize,
    /// Segments whose weight is no larger are not shown; with both signs one that is equal is, as in the package.
    pub min_weight: f64,
    /// True if all else is black.
    pub hide_rest: bool,
    /// True if shown segments get a boundary.
    pub boundaries: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self { count: 5, min_weight: 0.0, hide_rest: false, boundaries: true }
    }
}

impl Features {
    /// For each segment 1 when it is shown as counting for the score, -1 against it, 0 when it is not shown.
    fn chosen(&self, weights: &[f64], sign: Sign) -> Vec<i8> {
        let wanted = |w: f64| match sign {
            Sign::Positive => w > 0.0 && w > self.min_weight,
            Sign::Negative => w < 0.0 && -w > self.min_weight,
            Sign::Both | Sign::Absolute => true,
        };
        let mut order: Vec<usize> = (0..weights.len()).filter(|&s| wanted(weights[s])).collect();
        order.sort_by(|&a, &b| weights[b].abs().total_cmp(&weights[a].abs()));
        let mut chosen = vec![0; weights.len()];
        let one_sign = matches!(sign, Sign::Positive | Sign::Negative);
        for &s in order.iter().take(self.count).filter(|&&s| one_sign || weights[s].abs() >= self.min_weight)
        {
            chosen[s] = if one_sign || weights[s] >= 0.0 { 1 } else { -1 };
        }
        chosen
    }

    /// The RGBA of the picture with the segments of largest weight, one weight per segment, shown.
    pub(super) fn draw(
        &self,
        segments: &Segmentation,
        weights: &[f64],
        sign: Sign,
        picture: &Picture,
    ) -> Vec<u8> {
        let (width, height) = (picture.width, picture.height);
        let chosen = self.chosen(weights, sign);
        let label = |x: usize, y: usize| {
            segments.labels()
                [y * segments.height() / height * segments.width() + x * segments.width() / width]
        };
        let mask: Vec<i8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| chosen[label(x, y) as usize])
            .collect();
        let full = picture.rgb.iter().copied().max().unwrap_or(0);
        let one_sign = matches!(sign, Sign::Positive | Sign::Negative);
        let colour = |(&m, p): (&i8, &[u8])| match (m, one_sign) {
            (0, _) if self.hide_rest => [0; 3],
            (0, _) | (_, true) => [p[0], p[1], p[2]],
            (1, false) => [p[0], full, p[2]],
            (_, false) => [full, p[1], p[2]],
        };
        let mut pixels: Vec<[u8; 3]> = mask.iter().zip(picture.rgb.chunks_exact(3)).map(colour).collect();
        if self.boundaries {
            // A line of one pixel is lost on a picture of many more pixels than the map.
            let wide = (width / segments.width().max(1)).div_ceil(2).max(1);
            let lines = boundaries(&mask, width);
            for (i, _) in lines.iter().enumerate().filter(|(_, line)| **line) {
                let (x, y) = (i % width, i / width);
                for y in y..(y + wide).min(height) {
                    pixels[y * width + x..y * width + (x + wide).min(width)].fill(BOUNDARY);
                }
            }
        }
        pixels.iter().flat_map(|p| [p[0], p[1], p[2], 255]).collect()
    }
}

/// Pixels at which labels meet, as scikit-image's `find_boundaries` with mode `outer` and background 0: pixels of the
/// background beside an object, and those of an object where another label is beside or across a corner.
fn boundaries(labels: &[i8], width: usize) -> Vec<bool> {
    let height = labels.len() / width.max(1);
    // The smallest and largest label around a pixel, its own among them.
    let around = |i: usize, corners: bool, skip_background: bool| {
        let (x, y) = (i % width, i / width);
        let (mut low, mut high) = (i8::MAX, i8::MIN);
        for v in y.saturating_sub(1)..(y + 2).min(height) {
            for u in x.saturating_sub(1)..(x + 2).min(width) {
                if corners || u == x || v == y {
                    let label = labels[v * width + u];
                    high = high.max(label);
                    low = low.min(if skip_background && label == 0 { i8::MAX } else { label });
                }
            }
        }
        (low, high)
    };
    let line = |i: usize| {
        let (low, high) = around(i, false, false);
        let (least, most) = around(i, true, true);
        low != high && (labels[i] == 0 || least != most)
    };
    (0..labels.len()).map(line).collect()
}

#[cfg(test)]
#[path = "features_tests.rs"]
mod tests;
