//! The picture while it is filled: colours, and how they change around each pixel.

use wide::f32x4;

use super::{
    Scheme,
    front::{Front, Grid},
};
use crate::picture::Picture;

/// Red, green, blue and nothing.
type Colour = f32x4;

/// What is known of a pixel. Slopes are those of the scheme, and kept up to date as neighbours are filled.
#[derive(Clone, Copy, Default)]
struct Cell {
    colour: Colour,
    down: Colour,
    across: Colour,
}

/// A row of the disc around a pixel, eight places wide of which the last is not used.
#[derive(Clone, Copy)]
struct Row {
    /// How far down of the pixel.
    down: f32,
    /// How far across of the pixel.
    across: [f32; LANES],
    /// The squared distance.
    square: [f32; LANES],
    /// What distance leaves of a weight under Telea's scheme.
    near: [f32x4; 2],
    /// A bit for each place that lies in the disc; the pixel itself does not.
    inside: u32,
}

/// The picture with a frame around it. Hidden pixels keep their colours until they are filled.
#[derive(Clone)]
pub struct Canvas {
    pub grid: Grid,
    scheme: Scheme,
    cells: Vec<Cell>,
    /// One where a pixel of the picture is known, else zero.
    known: Vec<f32>,
    disc: [Row; 2 * RADIUS + 1],
}

/// How far a pixel looks: what shap asks of OpenCV.
pub const RADIUS: usize = 3;
/// A row of the disc, made even.
const LANES: usize = 8;

impl Canvas {
    /// The whole picture.
    pub fn new(picture: &Picture, scheme: Scheme) -> Self {
        let (height, width) = (picture.height, picture.width);
        let grid = Grid { height, width, frame: RADIUS };
        let (cells, known) = (vec![Cell::default(); grid.len()], vec![0.0; grid.len()]);
        let mut canvas = Self { grid, scheme, cells, known, disc: std::array::from_fn(row) };
        for y in 0..height {
            for x in 0..width {
                let [r, g, b] = picture.pixel(x, y).map(f32::from);
                let i = grid.at(y, x);
                canvas.known[i] = 1.0;
                canvas.cells[i].colour = Colour::new([r, g, b, 0.0]);
            }
        }
        for y in 0..height {
            for x in 0..width {
                canvas.survey(grid.at(y, x), [true; 4]);
            }
        }
        canvas
    }

    /// Makes a hole.
    pub fn open(&mut self, hidden: &[bool]) {
        let grid = self.grid;
        for (y, row) in hidden.chunks_exact(grid.width).enumerate() {
            let known = &mut self.known[grid.at(y, 0)..][..grid.width];
            known.iter_mut().zip(row).filter(|(_, h)| **h).for_each(|(k, _)| *k = 0.0);
        }
        let inside = |y: usize, x: usize| y < grid.height && x < grid.width && hidden[y * grid.width + x];
        for y in 0..grid.height {
            for x in 0..grid.width {
                let sides = [
                    inside(y.wrapping_sub(1), x),
                    inside(y, x.wrapping_sub(1)),
                    inside(y + 1, x),
                    inside(y, x + 1),
                ];
                if !inside(y, x) && sides != [false; 4] {
                    self.survey(grid.at(y, x), sides.map(|s| !s));
                }
            }
        }
    }

    /// Fills a pixel; the front must have it already.
    #[inline]
    pub fn set(&mut self, i: usize, colour: Colour, front: &Front) {
        self.known[i] = 1.0;
        self.cells[i].colour = colour;
        let (grid, stride) = (self.grid, self.grid.stride());
        let (y, x) = (i / stride - grid.frame, i % stride - grid.frame);
        let mut renew = |j: usize| {
            if self.known[j] > 0.0 {
                self.survey(j, grid.around(j).map(|k| !front.is_inside(k)));
            }
        };
        std::iter::once(i).chain(grid.around(i)).for_each(&mut renew);
        // The first row looks to the second for its slopes, the first column to the second.
        if y == 1 {
            [i - stride - 1, i - stride + 1].into_iter().for_each(&mut renew);
        }
        if x == 1 {
            [i - stride - 1, i + stride - 1].into_iter().for_each(&mut renew);
        }
    }

    /// Finds a pixel's slopes, from those neighbours that are known: above, left, below, right.
    ///
    /// At the picture's edge they are OpenCV's. What lies outside counts as known, and is the edge's pixel. Of the first
    /// row the slope across is that of the second, of the first column the slope down that of the second, known or
    /// not. And the Navier-Stokes scheme's steps from the first column start at the second, from the last row at the
    /// last but one.
    #[inline]
    fn survey(&mut self, i: usize, known: [bool; 4]) {
        let (grid, stride) = (self.grid, self.grid.stride());
        let (y, x) = (i / stride - grid.frame, i % stride - grid.frame);
        let (is_first_row, is_first_column) = (y == 0 && grid.height > 1, x == 0 && grid.width > 1);
        let (row, column) = (y + usize::from(is_first_row), x + usize::from(is_first_column));
        let colour = |y: usize, x: usize| self.cells[grid.at(y, x)].colour;
        let (above, below) = (y.saturating_sub(1), (y + 1).min(grid.height - 1));
        let (left, right) = (x.saturating_sub(1), (x + 1).min(grid.width - 1));
        let (slope, middle): (Slope, _) = match self.scheme {
            Scheme::Telea => (straight, (y, x)),
            Scheme::NavierStokes => (total, (if y + 1 == grid.height { above } else { y }, column)),
        };
        let down = [above, middle.0, below].map(|y| colour(y, column));
        let across = [left, middle.1, right].map(|x| colour(row, x));
        self.cells[i].down = slope(down, known[0], known[2]);
        self.cells[i].across = slope(across, known[1], known[3]);
    }

    /// The rows of the disc around a pixel, each with its first place and a bit for each place that is known.
    #[inline]
    fn around(&self, i: usize) -> impl Iterator<Item = (usize, &Row, u32)> {
        let corner = i - RADIUS * self.grid.stride() - RADIUS;
        self.disc.iter().enumerate().filter_map(move |(v, row)| {
            let start = corner + v * self.grid.stride();
            let [left, right] = eight(&self.known, start).map(|k| k.simd_gt(f32x4::ZERO).to_bitmask());
            let known = (left | right << 4) & row.inside;
            (known != 0).then_some((start, row, known))
        })
    }

    /// Telea's mean of what the known pixels around predict, weighted by direction, distance and level.
    #[inline]
    pub fn telea(&self, i: usize, front: &Front) -> Colour {
        let here = f32x4::splat(front.times()[i]);
        let [slope_down, slope_across] = front.slope(i);
        let (mut sum, mut down, mut across, mut total) = (Colour::ZERO, Colour::ZERO, Colour::ZERO, 1e-20f32);
        for (start, row, known) in self.around(i) {
            let times = eight(front.times(), start);
            let weights = [0, 1].map(|half| {
                let across = f32x4::new(std::array::from_fn(|l| row.across[4 * half + l]));
                let direction = (f32x4::splat(row.down * slope_down) + across * slope_across).abs();
                let is_flat = direction.simd_le(f32x4::splat(0.01));
                let level = f32x4::ONE / (f32x4::ONE + (times[half] - here).abs());
                (row.near[half] * level * is_flat.select(f32x4::splat(1e-6), direction)).to_array()
            });
            let cells = &self.cells[start..start + LANES];
            for l in ones(known) {
                let (weight, cell) = (weights[l / 4][l % 4], &cells[l]);
                sum += cell.colour * weight;
                down += cell.down * row.down * weight;
                across += cell.across * row.across[l] * weight;
                total += weight;
            }
        }
        let step = (down + across) / ((down * down + across * across).sqrt() + f32x4::splat(1e-20));
        rounded(sum / f32x4::splat(total) + step + f32x4::HALF)
    }

    /// The mean of the known pixels around, weighted by how much each lies along its own line of equal brightness.
    #[inline]
    pub fn navier_stokes(&self, i: usize) -> Colour {
        let (mut sum, mut total) = (Colour::ZERO, f32x4::splat(1e-20));
        for (start, row, known) in self.around(i) {
            let cells = &self.cells[start..start + LANES];
            for l in ones(known) {
                let (Cell { colour, down, across }, square) = (cells[l], row.square[l]);
                let along = (across * row.down - down * row.across[l]).abs();
                let straight = along / ((down * down + across * across) * square).sqrt();
                let is_across = along.simd_le(f32x4::splat(0.01));
                let weight = is_across.select(f32x4::splat(1e-6), straight) * (1.0 / (square * square + 1.0));
                sum += weight * colour;
                total += weight;
            }
        }
        rounded(sum / total)
    }

    /// The picture's bytes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn rgb(&self) -> Vec<u8> {
        let grid = self.grid;
        let mut rgb = Vec::with_capacity(3 * grid.height * grid.width);
        for y in 0..grid.height {
            for cell in &self.cells[grid.at(y, 0)..][..grid.width] {
                let [r, g, b, _] = cell.colour.fast_trunc_int().to_array();
                rgb.extend([r as u8, g as u8, b as u8]);
            }
        }
        rgb
    }
}

/// The `v`-th row of the disc.
#[allow(clippy::cast_precision_loss)]
fn row(v: usize) -> Row {
    let down = v as f32 - RADIUS as f32;
    let across: [f32; LANES] = std::array::from_fn(|u| u as f32 - RADIUS as f32);
    let square = across.map(|across| down * down + across * across);
    let is_inside = |u: &usize| square[*u] > 0.0 && square[*u] <= (RADIUS * RADIUS) as f32;
    let inside = (0..LANES).filter(is_inside).map(|u| 1 << u).sum();
    let near =
        [0, 4].map(|u| f32x4::new(std::array::from_fn(|l| 1.0 / (square[u + l] * square[u + l].sqrt()))));
    Row { down, across, square, near, inside }
}

/// Eight numbers, of more.
#[inline]
fn eight(numbers: &[f32], start: usize) -> [f32x4; 2] {
    let n = &numbers[start..start + LANES];
    [f32x4::new([n[0], n[1], n[2], n[3]]), f32x4::new([n[4], n[5], n[6], n[7]])]
}

/// The places of a word's set bits, from the lowest on.
#[inline]
fn ones(mut bits: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then_some(bits.trailing_zeros() as usize)?;
        bits &= bits - 1;
        Some(bit)
    })
}

/// A slope from the pixel before, the pixel and the one after it, of which the outer ones may not be known.
type Slope = fn([Colour; 3], bool, bool) -> Colour;

/// The nearest bytes, halves to even.
#[inline]
fn rounded(colour: Colour) -> Colour {
    // Added, it leaves no place for a fraction.
    let whole = f32x4::splat(12_582_912.0);
    (colour.fast_max(f32x4::ZERO).fast_min(f32x4::splat(255.0)) + whole) - whole
}

/// Telea's slope, as OpenCV has it: between two neighbours it is four times the mean one.
#[inline]
fn straight([before, here, after]: [Colour; 3], has_before: bool, has_after: bool) -> Colour {
    match (has_before, has_after) {
        (true, true) => (after - before) * 2.0,
        (false, true) => after - here,
        (true, false) => here - before,
        (false, false) => Colour::ZERO,
    }
}

/// The steps to both neighbours, without their signs.
#[inline]
fn total([before, here, after]: [Colour; 3], has_before: bool, has_after: bool) -> Colour {
    match (has_before, has_after) {
        (true, true) => (after - here).abs() + (before - here).abs(),
        (false, true) => (after - here).abs() * 2.0,
        (true, false) => (before - here).abs() * 2.0,
        (false, false) => Colour::ZERO,
    }
}
