//! The picture while it is filled: colours, and how they change around each pixel.

use super::{
    Scheme,
    front::{Front, Grid},
};
use crate::picture::Picture;

/// Red, green, blue and nothing: four lanes of a vector.
type Colour = [f32; 4];

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
    /// The places that lie in the disc.
    inside: (usize, usize),
    /// How far across of the pixel.
    across: [f32; LANES],
    /// The squared distance.
    square: [f32; LANES],
    /// What distance leaves of a weight under Telea's scheme; nothing outside the disc and at the pixel itself.
    near: [f32; LANES],
}

/// The picture with a frame around it, into which the pixels of its edge are continued by one.
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
                canvas.put(i, [r, g, b, 0.0]);
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
        self.put(i, colour);
        for j in std::iter::once(i).chain(self.grid.around(i)) {
            if self.known[j] > 0.0 {
                self.survey(j, self.grid.around(j).map(|k| !front.is_inside(k)));
            }
        }
    }

    /// Gives a pixel its colour, and the frame beside it.
    #[inline]
    fn put(&mut self, i: usize, colour: Colour) {
        self.cells[i].colour = colour;
        let Grid { height, width, frame } = self.grid;
        let (y, x) = (i / self.grid.stride() - frame, i % self.grid.stride() - frame);
        let [up, left, down, right] = self.grid.around(i);
        for (edge, beside) in [(y == 0, up), (x == 0, left), (y + 1 == height, down), (x + 1 == width, right)]
        {
            if edge {
                self.cells[beside].colour = colour;
            }
        }
    }

    /// Finds a pixel's slopes, from those neighbours that are known: above, left, below, right.
    #[inline]
    fn survey(&mut self, i: usize, known: [bool; 4]) {
        let here = self.cells[i].colour;
        let [up, left, down, right] = self.grid.around(i).map(|j| self.cells[j].colour);
        let slope = match self.scheme {
            Scheme::Telea => straight,
            Scheme::NavierStokes => total,
        };
        self.cells[i].down = slope(up, here, down, known[0], known[2]);
        self.cells[i].across = slope(left, here, right, known[1], known[3]);
    }

    /// The rows of the disc around a pixel, each with its first place.
    #[inline]
    fn around(&self, i: usize) -> impl Iterator<Item = (usize, &Row)> {
        let corner = i - RADIUS * self.grid.stride() - RADIUS;
        self.disc.iter().enumerate().map(move |(v, row)| (corner + v * self.grid.stride(), row))
    }

    /// Telea's mean of what the known pixels around predict, weighted by direction, distance and level.
    #[inline]
    pub fn telea(&self, i: usize, front: &Front) -> Colour {
        let here = front.times(i, 1)[0];
        let [slope_down, slope_across] = front.slope(i);
        let (mut sum, mut down, mut across, mut total) = ([0.0f32; 4], [0.0f32; 4], [0.0f32; 4], 1e-20f32);
        for (start, row) in self.around(i) {
            let (times, known) = (&front.times(start, LANES)[..LANES], &self.known[start..start + LANES]);
            let mut weights = [0.0f32; LANES];
            for l in 0..LANES {
                let direction = (row.down * slope_down + row.across[l] * slope_across).abs();
                let direction = if direction <= 0.01 { 1e-6 } else { direction };
                let level = 1.0 + (times[l] - here).abs();
                weights[l] = row.near[l] * known[l] * direction / level;
            }
            let mut row_down = [0.0f32; 4];
            let cells = &self.cells[start..start + LANES];
            for l in row.inside.0..row.inside.1 {
                let (w, cell) = (weights[l], &cells[l]);
                add(&mut sum, w, &cell.colour);
                add(&mut row_down, w, &cell.down);
                add(&mut across, w * row.across[l], &cell.across);
                total += w;
            }
            add(&mut down, row.down, &row_down);
        }
        std::array::from_fn(|c| {
            let (a, b) = (down[c], across[c]);
            let step = (a + b) / ((a * a + b * b).sqrt() + 1e-20);
            rounded(sum[c] / total + step + 0.5)
        })
    }

    /// The mean of the known pixels around, weighted by how much each lies along its own line of equal brightness.
    #[inline]
    pub fn navier_stokes(&self, i: usize) -> Colour {
        let (mut sum, mut total) = ([0.0f32; 4], [1e-20f32; 4]);
        for (start, row) in self.around(i) {
            let (cells, known) = (&self.cells[start..start + LANES], &self.known[start..start + LANES]);
            for l in (row.inside.0..row.inside.1).filter(|l| known[*l] > 0.0) {
                let (cell, square) = (&cells[l], row.square[l]);
                let weights: Colour = std::array::from_fn(|c| {
                    let (down, across) = (cell.down[c], cell.across[c]);
                    let along = row.down * across - row.across[l] * down;
                    let straight = (along / (square * (down * down + across * across)).sqrt()).abs();
                    let direction = if along.abs() <= 0.01 { 1e-6 } else { straight };
                    direction / (square * square + 1.0)
                });
                for c in 0..4 {
                    sum[c] += weights[c] * cell.colour[c];
                    total[c] += weights[c];
                }
            }
        }
        std::array::from_fn(|c| rounded(sum[c] / total[c]))
    }

    /// The picture's bytes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn rgb(&self) -> Vec<u8> {
        let grid = self.grid;
        let mut rgb = Vec::with_capacity(3 * grid.height * grid.width);
        for y in 0..grid.height {
            for cell in &self.cells[grid.at(y, 0)..][..grid.width] {
                rgb.extend([cell.colour[0] as u8, cell.colour[1] as u8, cell.colour[2] as u8]);
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
    let is_inside = |u: &usize| square[*u] <= (RADIUS * RADIUS) as f32;
    let first = (0..LANES).find(is_inside).unwrap_or(RADIUS);
    let inside = (first, 2 * RADIUS + 1 - first);
    let near = |u: usize| {
        let counts = (inside.0..inside.1).contains(&u) && square[u] > 0.0;
        if counts { 1.0 / (square[u] * square[u].sqrt()) } else { 0.0 }
    };
    Row { down, inside, across, square, near: std::array::from_fn(near) }
}

/// `sum += weight * value`.
#[inline]
fn add(sum: &mut Colour, weight: f32, value: &Colour) {
    sum[0] += weight * value[0];
    sum[1] += weight * value[1];
    sum[2] += weight * value[2];
    sum[3] += weight * value[3];
}

/// The nearest byte, halves to even.
#[inline]
fn rounded(v: f32) -> f32 {
    // Added, it leaves no place for a fraction.
    const WHOLE: f32 = 12_582_912.0;
    (v.clamp(0.0, 255.0) + WHOLE) - WHOLE
}

/// Telea's slope, as OpenCV has it: between two neighbours it is four times the mean one.
#[inline]
fn straight(before: Colour, here: Colour, after: Colour, has_before: bool, has_after: bool) -> Colour {
    std::array::from_fn(|c| match (has_before, has_after) {
        (true, true) => (after[c] - before[c]) * 2.0,
        (false, true) => after[c] - here[c],
        (true, false) => here[c] - before[c],
        (false, false) => 0.0,
    })
}

/// The steps to both neighbours, without their signs.
#[inline]
fn total(before: Colour, here: Colour, after: Colour, has_before: bool, has_after: bool) -> Colour {
    let step = |c: usize, other: Colour| (other[c] - here[c]).abs();
    std::array::from_fn(|c| match (has_before, has_after) {
        (true, true) => step(c, after) + step(c, before),
        (false, true) => 2.0 * step(c, after),
        (true, false) => 2.0 * step(c, before),
        (false, false) => 0.0,
    })
}
