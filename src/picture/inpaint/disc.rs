//! Estimates the pixel in the middle of a disc from the known pixels within.

use std::array;

use wide::f32x4;

use super::{
    canvas::{Canvas, Colour},
    front::{FramedArea, Front},
};

/// Radius of the disc in pixels: the one that shap asks of OpenCV.
pub const RADIUS: usize = 3;
/// A row of the disc, made even.
const LANES: usize = 8;
/// OpenCV's stand-in for a direction that is almost zero.
const FLAT: f32x4 = f32x4::new([1e-6; 4]);

/// The disc around a pixel. The shapes of its rows are constants, so that the compiler makes straight code of them.
pub struct Disc {
    stride: isize,
    /// Telea's weight by distance, for each place of the square; zero at the pixel itself.
    near: [[f32; LANES]; 2 * RADIUS + 1],
}

impl Disc {
    pub fn new(area: FramedArea) -> Self {
        let near = |y: usize, x: usize| {
            let [y, x] = [y, x].map(|from_corner| from_corner as f32 - RADIUS as f32);
            let square = y * y + x * x;
            if square > 0.0 { 1.0 / (square * square.sqrt()) } else { 0.0 }
        };
        let near = array::from_fn(|y| array::from_fn(|x| near(y, x)));
        Self { stride: area.stride().cast_signed(), near }
    }

    /// The place that lies `DOWN` rows below and `side` places before `i`.
    #[inline(always)]
    fn start<const DOWN: isize>(&self, i: usize, side: usize) -> usize {
        i.wrapping_add_signed(DOWN * self.stride) - side
    }

    /// Telea's mean of what the known pixels around predict, weighted by direction, distance and level.
    #[inline]
    pub fn telea(&self, i: usize, canvas: &Canvas, front: &Front) -> Colour {
        let mut sums = Predictions::new(i, front);
        self.predict::<-3, 0>(canvas, front, &mut sums);
        self.predict::<-2, 2>(canvas, front, &mut sums);
        self.predict::<-1, 2>(canvas, front, &mut sums);
        self.predict::<0, 3>(canvas, front, &mut sums);
        self.predict::<1, 2>(canvas, front, &mut sums);
        self.predict::<2, 2>(canvas, front, &mut sums);
        self.predict::<3, 0>(canvas, front, &mut sums);
        sums.mean()
    }

    /// Adds what the pixels of a row predict, `SIDE` of them on either side of its middle.
    #[inline(always)]
    fn predict<const DOWN: isize, const SIDE: usize>(
        &self,
        canvas: &Canvas,
        front: &Front,
        sums: &mut Predictions,
    ) {
        let start = self.start::<DOWN>(sums.i, SIDE);
        let (cells, times) = (&canvas.cells()[start..start + LANES], &front.times()[start..start + LANES]);
        let near = &self.near[DOWN.wrapping_add_unsigned(RADIUS).cast_unsigned()][RADIUS - SIDE..];
        let across = |u: usize| u as f32 - SIDE as f32;
        let mut weights = [0.0; LANES];
        for four in 0..(2 * SIDE + 1).div_ceil(4) {
            let first = 4 * four;
            let offsets = f32x4::new(array::from_fn(|l| across(first + l)));
            let direction = (f32x4::splat(DOWN as f32 * sums.slope[0]) + offsets * sums.slope[1]).abs();
            let direction = direction.simd_le(f32x4::splat(0.01)).select(FLAT, direction);
            let [times, near] =
                [times, near].map(|row| f32x4::new(array::from_fn(|l| row[(first + l).min(2 * SIDE)])));
            // An unknown pixel is infinitely far, and has no weight.
            let level = f32x4::ONE / (f32x4::ONE + (times - sums.time).abs());
            weights[first..first + 4].copy_from_slice((near * level * direction).as_array());
        }
        for (u, cell) in cells.iter().enumerate().take(2 * SIDE + 1) {
            if (DOWN, u) == (0, SIDE) {
                continue;
            }
            sums.colour += cell.colour * weights[u];
            // Skip products with zero: they would only take time.
            if DOWN != 0 {
                sums.down += cell.down * DOWN as f32 * weights[u];
            }
            if u != SIDE {
                sums.across += cell.across * across(u) * weights[u];
            }
        }
    }

    /// The mean of the known pixels around, weighted by how much each lies along its own line of equal brightness.
    #[inline]
    pub fn navier_stokes(&self, i: usize, canvas: &Canvas) -> Colour {
        let mut sums = [Colour::ZERO, f32x4::splat(1e-20)];
        self.follow::<-3, 0>(i, canvas, &mut sums);
        self.follow::<-2, 2>(i, canvas, &mut sums);
        self.follow::<-1, 2>(i, canvas, &mut sums);
        self.follow::<0, 3>(i, canvas, &mut sums);
        self.follow::<1, 2>(i, canvas, &mut sums);
        self.follow::<2, 2>(i, canvas, &mut sums);
        self.follow::<3, 0>(i, canvas, &mut sums);
        rounded(sums[0] / sums[1])
    }

    /// Adds the pixels of a row, `SIDE` of them on either side of its middle, and their weights.
    #[inline(always)]
    fn follow<const DOWN: isize, const SIDE: usize>(
        &self,
        i: usize,
        canvas: &Canvas,
        [sum, total]: &mut [Colour; 2],
    ) {
        let start = self.start::<DOWN>(i, SIDE);
        let cells = &canvas.cells()[start..start + LANES];
        for (u, cell) in cells.iter().enumerate().take(2 * SIDE + 1) {
            if (DOWN, u) == (0, SIDE) {
                continue;
            }
            let (down, across) = (DOWN as f32, u as f32 - SIDE as f32);
            let square = down * down + across * across;
            let along = (cell.across * down - cell.down * across).abs();
            let straight = along / ((cell.down * cell.down + cell.across * cell.across) * square).sqrt();
            let direction = along.simd_le(f32x4::splat(0.01)).select(FLAT, straight);
            let weight = direction * (1.0 / (square * square + 1.0)) * cell.known();
            *sum += weight * cell.colour;
            *total += weight;
        }
    }
}

/// Weighted sums of what Telea's scheme makes of the pixels around one.
struct Predictions {
    i: usize,
    /// When the front is there, and how that changes down and across.
    time: f32x4,
    slope: [f32; 2],
    /// The fourth is the sum of the weights.
    colour: Colour,
    down: Colour,
    across: Colour,
}

impl Predictions {
    #[inline]
    fn new(i: usize, front: &Front) -> Self {
        let (time, slope) = (f32x4::splat(front.times()[i]), front.slope(i));
        let colour = Colour::new([0.0, 0.0, 0.0, 1e-20]);
        Self { i, time, slope, colour, down: Colour::ZERO, across: Colour::ZERO }
    }

    #[inline]
    fn mean(&self) -> Colour {
        let &Self { colour, down, across, .. } = self;
        let step = (down + across) / ((down * down + across * across).sqrt() + f32x4::splat(1e-20));
        rounded(colour / f32x4::splat(colour.as_array()[3]) + step + f32x4::HALF)
    }
}

/// The nearest bytes, halves to even.
#[inline]
fn rounded(colour: Colour) -> Colour {
    // Added, it leaves no place for a fraction.
    let whole = f32x4::splat(12_582_912.0);
    (colour.fast_max(f32x4::ZERO).fast_min(f32x4::splat(255.0)) + whole) - whole
}
