//! Colours over pictures.

use super::ColourMap;
use super::display::{Blend, Display, Underlay};
use super::upsample::stretched;
use super::values::{Plane, Scale};
use crate::picture::{Interpolation, Picture, luma};

/// The RGBA of [`Blend::Overlay`] and [`Blend::AlphaByMagnitude`].
pub(super) fn overlay(shown: &Plane, scale: Scale, picture: &Picture, display: &Display) -> Vec<u8> {
    let table = display.colours.table();
    let by_magnitude = display.blend == Blend::AlphaByMagnitude;
    let mut rgba = Vec::with_capacity(picture.rgb.len() / 3 * 4);
    stretched(shown, picture.height, picture.width, display.interpolation, |i, value| {
        let position = scale.position(value, display);
        let colour = match display.colours {
            ColourMap::Shap if by_magnitude => ColourMap::end(f64::from(position)),
            _ => table[(256.0 * position).round() as usize],
        };
        let alpha = if by_magnitude { display.opacity * scale.share(value).abs() } else { display.opacity };
        let below = under(display.underlay, &picture.rgb[3 * i..3 * i + 3]);
        for (over, under) in colour.into_iter().zip(below) {
            rgba.push((alpha * f32::from(over) + (1.0 - alpha) * f32::from(under)).round() as u8);
        }
        rgba.push(255);
    });
    rgba
}

/// A pixel of the underlay.
pub(super) fn under(underlay: Underlay, pixel: &[u8]) -> [u8; 3] {
    let colour = [pixel[0], pixel[1], pixel[2]];
    match underlay {
        Underlay::Colour => colour,
        Underlay::Grey => [luma(colour); 3],
        // A third of the contrast, next to white.
        Underlay::Pale => [170 + luma(colour) / 3; 3],
        Underlay::Faint => [(0.85 * 255.0 + 0.15 * f32::from(luma(colour))).round() as u8; 3],
    }
}

/// The RGBA of [`Blend::Tutorial`], step by step in f32 as in Keras's example "Grad-CAM class activation
/// visualization" (<https://keras.io/examples/vision/grad_cam/>), so that the bytes are the same too.
pub(super) fn tutorial(shown: &Plane, scale: Scale, picture: &Picture, display: &Display) -> Vec<u8> {
    let colours = shown.values.iter().flat_map(|&value| {
        let level = (255.0 * scale.position(value, display)).floor();
        display.colours.unit(f64::from(level) / 255.0).map(|v| v as f32)
    });
    let small = Picture {
        width: shown.width,
        height: shown.height,
        rgb: stretch_levels(colours.collect()),
        rgba: None,
    };
    // Both have pixels: `render` has checked the picture, and `Plane::reduce` the map.
    let Ok(large) = small.resize(picture.width, picture.height, Interpolation::Bicubic) else {
        return Vec::new();
    };
    let pixels = picture.rgb.chunks_exact(3).flat_map(|p| under(display.underlay, p));
    let sum = large.rgb.iter().zip(pixels).map(|(&c, p)| f32::from(c) * display.opacity + f32::from(p));
    let rgb = stretch_levels(sum.collect());
    rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect()
}

/// Keras's `array_to_img`: the smallest value becomes 0 and the largest 255, cut off to whole numbers.
fn stretch_levels(mut values: Vec<f32>) -> Vec<u8> {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let mut high = 0.0_f32;
    for value in &mut values {
        *value -= low;
        high = high.max(*value);
    }
    let divisor = if high == 0.0 { 1.0 } else { high };
    values.iter().map(|v| (v / divisor * 255.0) as u8).collect()
}
