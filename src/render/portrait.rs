//! A map as a picture in its own right, as tutorials show guided backpropagation.

use super::blend::under;
use super::display::Display;
use super::upsample::stretched;
use super::values::{Plane, Scale};
use crate::picture::Picture;
use crate::tensor::Tensor;

/// Keeps a map without contrast from a division by zero: Keras's `epsilon`.
const EPSILON: f64 = 1e-7;

/// Distance of the scale's ends from the mean, in deviations: 0.5 at a deviation of 0.25.
const REACH: f64 = 2.0;

/// The planes that become red, green and blue: the map's own three channels, or else `plane` thrice.
pub(super) fn planes<'a>(map: &'a Tensor, plane: &'a Plane) -> Vec<&'a [f32]> {
    match *map.shape() {
        [3, h, w] => map.data().chunks_exact(h * w).collect(),
        _ => vec![&plane.values],
    }
}

/// The scale on which the values have mean 0.5 and deviation 0.25; a fixed one has zero in the middle.
pub(super) fn scale(planes: &[&[f32]], display: &Display) -> Scale {
    let values = || planes.iter().flat_map(|plane| plane.iter().map(|&v| f64::from(v)));
    let count = values().count() as f64;
    let mean = values().sum::<f64>() / count;
    let deviation = (values().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    let (low, high) = match display.scale {
        Some(size) => (-size, size),
        None if deviation == 0.0 => (mean as f32, mean as f32),
        None => {
            let reach = REACH * (deviation + EPSILON);
            ((mean - reach) as f32, (mean + reach) as f32)
        }
    };
    let beyond = values().filter(|&v| v < f64::from(low) || v > f64::from(high)).count();
    Scale { low, high, clipped_fraction: (beyond as f64 / count) as f32 }
}

/// The magnitude of one scale for several maps: as many deviations from zero, of all their values together.
pub(super) fn magnitude(values: &[f32]) -> f32 {
    let squares: f64 = values.iter().map(|&v| f64::from(v).powi(2)).sum();
    (REACH * (squares / values.len().max(1) as f64).sqrt()) as f32
}

/// The RGBA of [`super::Blend::Picture`].
pub(super) fn draw(
    planes: &[&[f32]],
    size: &Plane,
    scale: Scale,
    picture: &Picture,
    display: &Display,
) -> Vec<u8> {
    let mut rgba = vec![255; picture.rgb.len() / 3 * 4];
    for channel in 0..3 {
        let values = planes[channel % planes.len()].to_vec();
        let plane = Plane { height: size.height, width: size.width, values };
        stretched(&plane, picture.height, picture.width, display.interpolation, |i, value| {
            // Cut off to whole numbers, as numpy's `astype` does.
            let own = (scale.position(value, display) * 255.0).floor();
            let below = under(display.underlay, &picture.rgb[3 * i..3 * i + 3])[channel];
            let mixed = display.opacity * own + (1.0 - display.opacity) * f32::from(below);
            rgba[4 * i + channel] = mixed.round() as u8;
        });
    }
    rgba
}
