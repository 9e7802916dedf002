//! Fills: the pixels that show where a part of the image is hidden.

use crate::{
    error::{Error, Result},
    picture::Preprocessing,
    tensor::Tensor,
};

/// The pixels that show where a part of the image is hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Zero at the network's input: the preprocessing's mean colour.
    Zero,
    /// The image's own mean colour.
    Mean,
    /// A colour, on the 0..255 scale.
    Colour([u8; 3]),
    /// The image, blurred by a box of so many columns and rows.
    Blur([usize; 2]),
}

impl Fill {
    /// Reads `zero`, `mean`, `blur:KX,KY` or `#rrggbb`.
    pub fn parse(text: &str) -> Result<Self> {
        let colour = |hex: &str| -> Option<Self> {
            let bytes = Some(hex).filter(|h| h.len() == 6 && h.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let bytes = u32::from_str_radix(bytes, 16).ok()?.to_be_bytes();
            Some(Self::Colour([bytes[1], bytes[2], bytes[3]]))
        };
        let blur = |sizes: &str| {
            let (across, down) = sizes.split_once(',')?;
            let side = |t: &str| t.trim().parse().ok().filter(|k| (1..=1000).contains(k));
            Some(Self::Blur([side(across)?, side(down)?]))
        };
        let read = match text {
            "zero" => Some(Self::Zero),
            "mean" => Some(Self::Mean),
            _ => match text.strip_prefix("blur:") {
                Some(sizes) => blur(sizes),
                None => text.strip_prefix('#').and_then(colour),
            },
        };
        read.ok_or_else(|| {
            Error::Argument(format!(
                "the fill {text:?} is unknown; use zero, mean, blur:KX,KY with sides from 1 to 1000, or a colour as #rrggbb"
            ))
        })
    }

    /// The fill as an image of the same extents: `[C, H, W]`, normalised.
    #[must_use]
    pub fn image(&self, image: &Tensor, preprocessing: &Preprocessing) -> Tensor {
        let channels = image.shape()[0];
        let plane = image.row_len();
        if let Self::Blur(sides) = *self {
            return box_blur(image, sides);
        }
        let mut fill = Tensor::zeros(image.shape());
        for (c, values) in fill.data_mut().chunks_exact_mut(plane).enumerate() {
            let value = match self {
                Self::Zero | Self::Blur(_) => 0.0,
                Self::Mean => (image.row(c).iter().map(|&v| f64::from(v)).sum::<f64>() / plane as f64) as f32,
                Self::Colour(rgb) => {
                    let [r, g, b] = rgb.map(f32::from);
                    let v = match (channels, preprocessing.in_order([r, g, b]).get(c)) {
                        (3.., Some(&v)) => v,
                        (4, None) => 255.0,
                        _ => 0.299 * r + 0.587 * g + 0.114 * b,
                    };
                    let (mean, std) = preprocessing.scale(c);
                    (v - mean) / std
                }
            };
            values.fill(value);
        }
        fill
    }
}

/// The mean of a box around each pixel, `sides` columns and rows of it, an even side reaching one farther up or
/// left; the image is mirrored at its edges with the edge's pixel standing once. OpenCV's `blur`.
fn box_blur(image: &Tensor, sides: [usize; 2]) -> Tensor {
    let [_, height, width] = *image.shape() else { return image.clone() };
    let area = (sides[0] * sides[1]) as f64;
    let mut blurred = image.clone();
    let (mut sums, mut line) = (vec![0.0; height * width], vec![]);
    for plane in blurred.data_mut().chunks_exact_mut(height * width) {
        for (row, out) in plane.chunks_exact(width).zip(sums.chunks_exact_mut(width)) {
            line.clear();
            line.extend(row.iter().map(|&v| f64::from(v)));
            out.iter_mut().zip(running(&line, sides[0])).for_each(|(o, s)| *o = s);
        }
        for x in 0..width {
            line.clear();
            line.extend((0..height).map(|y| sums[y * width + x]));
            running(&line, sides[1]).enumerate().for_each(|(y, s)| plane[y * width + x] = (s / area) as f32);
        }
    }
    blurred
}

/// The sum over a window of `side` around each value.
fn running(line: &[f64], side: usize) -> impl Iterator<Item = f64> + '_ {
    let n = line.len() as isize;
    let at = move |i: isize| {
        let i = if n == 1 { 0 } else { i.rem_euclid(2 * n - 2) };
        line[i.min(2 * n - 2 - i).max(0) as usize]
    };
    let first = -(side as isize / 2);
    (0..n).map(move |i| (first + i..first + i + side as isize).map(at).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_blur_is_the_mean_of_a_mirrored_box() {
        let values: Vec<f32> = (0..15u8).map(|i| f32::from(i * i % 11)).collect();
        let image = Tensor::new([1, 3, 5], values.clone()).unwrap();
        let got = Fill::parse("blur:4,5").unwrap().image(&image, &Preprocessing::default());
        let mirror = |i: i32, n: i32| {
            if i < 0 {
                -i
            } else if i >= n {
                2 * n - 2 - i
            } else {
                i
            }
        };
        for y in 0..3i32 {
            for x in 0..5i32 {
                let mut sum = 0.0;
                for dy in -2..=2 {
                    for dx in -2..=1 {
                        sum += values[(mirror(y + dy, 3) * 5 + mirror(x + dx, 5)) as usize];
                    }
                }
                assert!((got.data()[(y * 5 + x) as usize] - sum / 20.0).abs() < 1e-5);
            }
        }
        let wide = Fill::Blur([99, 1]).image(&image, &Preprocessing::default());
        assert!((wide.sum() - image.sum()).abs() < 3.0, "a huge box is a mean");
    }

    #[test]
    fn fills_are_read() {
        assert_eq!(Fill::parse("#ff8000").unwrap(), Fill::Colour([255, 128, 0]));
        assert_eq!(Fill::parse("zero").unwrap(), Fill::Zero);
        for bad in ["", "#ff80", "#gg0000", "blue", "#+f8000", "blur:0,3", "blur:3", "blur:-1,2"] {
            assert_eq!(Fill::parse(bad).unwrap_err().code(), "argument", "{bad}");
        }
    }

    #[test]
    fn colours_are_normalised_like_pixels() {
        let preprocessing =
            Preprocessing { mean: [10.0, 20.0, 30.0], std: [2.0, 4.0, 5.0], ..Default::default() };
        let image = Tensor::new([3, 1, 2], vec![1.0, 3.0, 0.0, 0.0, -1.0, 1.0]).unwrap();
        let fill = Fill::Colour([12, 40, 80]).image(&image, &preprocessing);
        assert_eq!(fill.data(), [1.0, 1.0, 5.0, 5.0, 10.0, 10.0]);
        assert_eq!(Fill::Mean.image(&image, &preprocessing).data(), [2.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
