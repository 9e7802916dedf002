//! Colours as segmentation sees them: CIE L*a*b*, and Gaussian smoothing.

use crate::picture::Picture;

/// Three values a pixel, row by row.
pub struct Planes {
    /// Rows.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// The values of each pixel.
    pub pixels: Vec<[f64; 3]>,
}

/// Red, green and blue, from 0 to 1.
pub fn rgb(picture: &Picture) -> Planes {
    let pixel = |p: &[u8]| [p[0], p[1], p[2]].map(|v| f64::from(v) / 255.0);
    Planes {
        height: picture.height,
        width: picture.width,
        pixels: picture.rgb.chunks_exact(3).map(pixel).collect(),
    }
}

/// L*, a* and b* under D65 of colours from 0 to 1: IEC 61966-2-1 and CIE 15.
pub fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let linear = |v: f64| if v > 0.04045 { ((v + 0.055) / 1.055).powf(2.4) } else { v / 12.92 };
    let (r, g, b) = (linear(r), linear(g), linear(b));
    let x = 0.412_453 * r + 0.357_580 * g + 0.180_423 * b;
    let y = 0.212_671 * r + 0.715_160 * g + 0.072_169 * b;
    let z = 0.019_334 * r + 0.119_193 * g + 0.950_227 * b;
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let (x, y, z) = (f(x / 0.950_47), f(y), f(z / 1.088_83));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

impl Planes {
    /// The same pixels through a function.
    pub fn map(self, f: impl Fn([f64; 3]) -> [f64; 3]) -> Self {
        Self { pixels: self.pixels.into_iter().map(f).collect(), ..self }
    }

    /// Smoothed by a Gaussian cut off at four deviations; the picture is mirrored at its edges.
    pub fn smooth(self, sigma: f64) -> Self {
        let reach = (4.0 * sigma + 0.5) as usize;
        if reach == 0 {
            return self;
        }
        let raw: Vec<f64> = (0..=reach).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
        let total = raw[0] + 2.0 * raw[1..].iter().sum::<f64>();
        let kernel: Vec<f64> = raw.iter().map(|w| w / total).collect();
        let (h, w) = (self.height, self.width);
        let along = |source: &[[f64; 3]], at: &dyn Fn(usize, usize) -> (usize, usize, usize, usize)| {
            let mut out = vec![[0.0; 3]; source.len()];
            for (i, value) in out.iter_mut().enumerate() {
                // The line's start, the distance of its pixels, their number, and the place of this one.
                let (start, step, length, place) = at(i / w, i % w);
                for (distance, weight) in kernel.iter().enumerate() {
                    let sides: &[isize] = if distance == 0 { &[0] } else { &[-1, 1] };
                    for side in sides {
                        let j = mirrored(place as isize + side * distance as isize, length);
                        let pixel = source[start + j * step];
                        (0..3).for_each(|c| value[c] += weight * pixel[c]);
                    }
                }
            }
            out
        };
        let down = along(&self.pixels, &|y, x| (x, w, h, y));
        Self { pixels: along(&down, &|y, x| (y * w, 1, w, x)), ..self }
    }
}

/// An index beyond an edge, mirrored so that the edge's pixel stands twice: d c b a | a b c d | d c b a.
fn mirrored(i: isize, length: usize) -> usize {
    let i = i.rem_euclid(2 * length as isize) as usize;
    i.min(2 * length - 1 - i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        // CIE L*a*b* of sRGB's corners under D65, to the published decimals.
        for (colour, want) in [
            ([1.0, 1.0, 1.0], [100.0, 0.0, 0.0]),
            ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
            ([1.0, 0.0, 0.0], [53.24, 80.09, 67.20]),
            ([0.0, 0.0, 1.0], [32.30, 79.19, -107.86]),
        ] {
            let got = lab(colour);
            assert!(got.iter().zip(want).all(|(g, w): (&f64, f64)| (g - w).abs() < 0.01), "{got:?} {want:?}");
        }
    }

    #[test]
    fn smoothing_keeps_the_sum_and_a_plain_picture() {
        let pixels: Vec<[f64; 3]> = (0..35).map(|i| [f64::from(i % 7), f64::from(i * i % 11), 1.0]).collect();
        let sum = |p: &Planes, c: usize| p.pixels.iter().map(|v| v[c]).sum::<f64>();
        let before = Planes { height: 5, width: 7, pixels };
        let sums = [sum(&before, 0), sum(&before, 1)];
        let after = before.smooth(1.3);
        assert!((sum(&after, 0) - sums[0]).abs() < 1e-9 && (sum(&after, 1) - sums[1]).abs() < 1e-9);
        assert!(after.pixels.iter().all(|v| (v[2] - 1.0).abs() < 1e-12));
    }
}
