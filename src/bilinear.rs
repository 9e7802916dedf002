//! Bilinear interpolation: where a place on one axis lies between samples.

/// The samples on both sides of a place, by index, and the share of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbours {
    /// The sample at or before the place.
    pub before: usize,
    /// The next one; the same where there is none.
    pub after: usize,
    /// The weight of `after`, from 0 to 1; that of `before` is the rest.
    pub share: f64,
}

impl Neighbours {
    /// The neighbours of a place, in samples, among `samples` of them. Beyond the outermost the value stays.
    #[must_use]
    pub fn of(place: f64, samples: usize) -> Self {
        let place = place.max(0.0);
        let before = (place as usize).min(samples - 1);
        Self { before, after: (before + 1).min(samples - 1), share: place - before as f64 }
    }
}

/// The place of pixel `i` of `to` among `from` samples that cover the same length: centres lie at halves.
#[must_use]
pub fn by_centres(i: usize, from: usize, to: usize) -> f64 {
    (i as f64 + 0.5) * from as f64 / to as f64 - 0.5
}

/// The place of pixel `i` of `to` among `from` samples whose outermost centres coincide.
#[must_use]
pub fn by_corners(i: usize, from: usize, to: usize) -> f64 {
    i as f64 * (from - 1) as f64 / (to - 1).max(1) as f64
}

/// A plane of `from` rows and columns, enlarged to `to`, row by row, in double precision; `place` is [`by_centres`] or
/// [`by_corners`].
#[must_use]
pub fn enlarged(
    plane: &[f32],
    from: [usize; 2],
    to: [usize; 2],
    place: fn(usize, usize, usize) -> f64,
) -> Vec<f64> {
    let axis = |a: usize| (0..to[a]).map(move |i| Neighbours::of(place(i, from[a], to[a]), from[a]));
    let columns: Vec<_> = axis(1).collect();
    let mut pixels = Vec::with_capacity(to[0] * to[1]);
    for y in axis(0) {
        let mixed = |row: usize, x: &Neighbours| {
            let at = |column: usize| f64::from(plane[row * from[1] + column]);
            at(x.before) * (1.0 - x.share) + at(x.after) * x.share
        };
        let pixel = |x: &Neighbours| mixed(y.before, x) * (1.0 - y.share) + mixed(y.after, x) * y.share;
        pixels.extend(columns.iter().map(pixel));
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch.nn.functional.interpolate(mode="bilinear", align_corners=False).
    #[test]
    fn centres_are_pytorch_s() {
        assert_eq!(enlarged(&[0.0, 1.0], [1, 2], [1, 4], by_centres), [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn corners_are_kept() {
        let big = enlarged(&[0.0, 1.0, 2.0, 3.0], [2, 2], [3, 5], by_corners);
        assert_eq!([big[0], big[4], big[10], big[14]], [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(big[7], 1.5);
        assert_eq!(enlarged(&[4.0], [1, 1], [2, 2], by_corners), [4.0; 4]);
    }
}
