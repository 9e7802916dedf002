//! Stretching a map to the size of a picture, pixel by pixel.

use super::display::Upsampling;
use super::values::Plane;
use crate::bilinear::Neighbours;

/// Calls `pixel` with the value of each of `height` x `width` pixels, row by row. Half-pixel centres: the map
/// and the picture cover the same area, and beyond the outermost centres the value stays.
pub(super) fn stretched(
    plane: &Plane,
    height: usize,
    width: usize,
    how: Upsampling,
    mut pixel: impl FnMut(usize, f32),
) {
    let rows = neighbours(plane.height, height, how);
    let columns = neighbours(plane.width, width, how);
    let row = |y: usize| &plane.values[y * plane.width..(y + 1) * plane.width];
    let mut at = 0;
    for y in &rows {
        let (upper, lower) = (row(y.before), row(y.after));
        for x in &columns {
            let across = |row: &[f32]| mix(row[x.before], row[x.after], x.share as f32);
            let value = mix(across(upper), across(lower), y.share as f32);
            pixel(at, value);
            at += 1;
        }
    }
}

/// Exactly `a` for weight 0, and never infinite for finite values.
fn mix(a: f32, b: f32, weight: f32) -> f32 {
    a * (1.0 - weight) + b * weight
}

fn neighbours(from: usize, to: usize, how: Upsampling) -> Vec<Neighbours> {
    let scale = from as f64 / to as f64;
    let one = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        match how {
            Upsampling::Nearest => {
                let place = (centre as usize).min(from - 1);
                Neighbours { before: place, after: place, share: 0.0 }
            }
            Upsampling::Bilinear => Neighbours::of(centre - 0.5, from),
        }
    };
    (0..to).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(values: &[f32], to: usize, how: Upsampling) -> Vec<f32> {
        let plane = Plane { height: 1, width: values.len(), values: values.to_vec() };
        let mut out = Vec::new();
        stretched(&plane, 1, to, how, |_, v| out.push(v));
        out
    }

    #[test]
    fn bilinear_has_half_pixel_centres() {
        // torch.nn.functional.interpolate(mode="bilinear", align_corners=False).
        assert_eq!(stretch(&[0.0, 4.0], 4, Upsampling::Bilinear), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(stretch(&[1.0, 2.0, 5.0], 3, Upsampling::Bilinear), [1.0, 2.0, 5.0]);
        assert_eq!(stretch(&[7.0], 3, Upsampling::Bilinear), [7.0; 3]);
        let ends = stretch(&[f32::MIN, f32::MAX], 8, Upsampling::Bilinear);
        assert!(ends.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn nearest_makes_blocks() {
        assert_eq!(stretch(&[0.0, 4.0], 4, Upsampling::Nearest), [0.0, 0.0, 4.0, 4.0]);
        assert_eq!(stretch(&[0.0, 4.0, 8.0], 2, Upsampling::Nearest), [0.0, 8.0]);
    }

    #[test]
    fn both_axes_are_stretched() {
        let plane = Plane { height: 2, width: 1, values: vec![0.0, 4.0] };
        let mut out = Vec::new();
        stretched(&plane, 4, 2, Upsampling::Bilinear, |i, v| out.push((i, v)));
        assert_eq!(out[2..6], [(2, 1.0), (3, 1.0), (4, 3.0), (5, 3.0)]);
    }
}
