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

/// A neighbour within the radius.
#[derive(Clone, Copy)]
struct Offset {
    down: f32,
    across: f32,
    square: f32,
    /// What distance leaves of a weight under Telea's scheme; nothing at the pixel itself.
    near: f32,
}

/// The picture with a frame around it, into which the pixels of its edge are continued by one.
#[derive(Clone)]
pub struct Canvas {
    pub grid: Grid,
    scheme: Scheme,
    cells: Vec<Cell>,
    /// One where a pixel of the picture is known, else zero.
    known: Vec<f32>,
    /// The rows of the disc around a pixel: where each begins, from the pixel on, and its offsets.
    disc: Vec<(usize, Vec<Offset>)>,
    /// From a pixel back to the corner of the disc's square.
    corner: usize,
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
        let (disc, corner) = (disc(grid), RADIUS * grid.stride() + RADIUS);
        let (cells, known) = (vec![Cell::default(); grid.len()], vec![0.0; grid.len()]);
        let mut canvas = Self { grid, scheme, cells, known, disc, corner };
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

    /// Telea's mean of what the known pixels around predict, weighted by direction, distance and level.
    pub fn telea(&self, i: usize, front: &Front) -> Colour {
        let here = front.times(i, 1)[0];
        let [slope_down, slope_across] = front.slope(i);
        let (mut sum, mut down, mut across, mut total) = ([0.0f32; 4], [0.0f32; 4], [0.0f32; 4], 1e-20f32);
        for (start, offsets) in &self.disc {
            let start = i - self.corner + start;
            let (times, known) =
                (front.times(start, offsets.len()), &self.known[start..start + offsets.len()]);
            let mut weights = [0.0f32; LANES];
            for (((w, o), time), known) in weights.iter_mut().zip(offsets).zip(times).zip(known) {
                let direction = -(o.down * slope_down + o.across * slope_across);
                let direction = if direction.abs() <= 0.01 { 1e-6 } else { direction };
                let level = 1.0 / (1.0 + (time - here).abs());
                *w = (o.near * level * direction).abs() * known;
            }
            for ((w, o), cell) in weights.iter().zip(offsets).zip(&self.cells[start..]) {
                for c in 0..4 {
                    sum[c] += w * cell.colour[c];
                    down[c] += w * o.down * cell.down[c];
                    across[c] += w * o.across * cell.across[c];
                }
                total += w;
            }
        }
        std::array::from_fn(|c| {
            let (a, b) = (down[c], across[c]);
            let step = (a + b) / ((a * a + b * b).sqrt() + 1e-20);
            (sum[c] / total + step + 0.5).round_ties_even().clamp(0.0, 255.0)
        })
    }

    /// The mean of the known pixels around, weighted by how much each lies along its own line of equal brightness.
    pub fn navier_stokes(&self, i: usize) -> Colour {
        let (mut sum, mut total) = ([0.0f32; 4], [1e-20f32; 4]);
        for (start, offsets) in &self.disc {
            let start = i - self.corner + start;
            let known = &self.known[start..start + offsets.len()];
            for ((o, cell), _) in
                offsets.iter().zip(&self.cells[start..]).zip(known).filter(|(_, k)| **k > 0.0)
            {
                for c in 0..4 {
                    let (down, across) = (cell.down[c], cell.across[c]);
                    let along = o.down * across - o.across * down;
                    let straight = (along / (o.square * (down * down + across * across)).sqrt()).abs();
                    let direction = if along.abs() <= 0.01 { 1e-6 } else { straight };
                    let weight = direction / (o.square * o.square + 1.0);
                    sum[c] += weight * cell.colour[c];
                    total[c] += weight;
                }
            }
        }
        std::array::from_fn(|c| (sum[c] / total[c]).round_ties_even().clamp(0.0, 255.0))
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

/// The rows of a disc that have a pixel.
#[allow(clippy::cast_precision_loss)]
fn disc(grid: Grid) -> Vec<(usize, Vec<Offset>)> {
    let row = |v: usize| {
        let offset = |u: usize| {
            let (down, across) = (v as f32 - RADIUS as f32, u as f32 - RADIUS as f32);
            let square = down * down + across * across;
            let near = if square > 0.0 { 1.0 / (square * square.sqrt()) } else { 0.0 };
            Offset { down, across, square, near }
        };
        let inside = |u: &usize| offset(*u).square <= (RADIUS * RADIUS) as f32;
        let first = (0..=2 * RADIUS).find(inside).unwrap_or(RADIUS);
        (v * grid.stride() + first, (first..=2 * RADIUS - first).map(offset).collect())
    };
    (0..=2 * RADIUS).map(row).collect()
}

/// Telea's slope, as OpenCV has it: between two neighbours it is four times the mean one.
fn straight(before: Colour, here: Colour, after: Colour, has_before: bool, has_after: bool) -> Colour {
    std::array::from_fn(|c| match (has_before, has_after) {
        (true, true) => (after[c] - before[c]) * 2.0,
        (false, true) => after[c] - here[c],
        (true, false) => here[c] - before[c],
        (false, false) => 0.0,
    })
}

/// The steps to both neighbours, without their signs.
fn total(before: Colour, here: Colour, after: Colour, has_before: bool, has_after: bool) -> Colour {
    let step = |c: usize, other: Colour| (other[c] - here[c]).abs();
    std::array::from_fn(|c| match (has_before, has_after) {
        (true, true) => step(c, after) + step(c, before),
        (false, true) => 2.0 * step(c, after),
        (true, false) => 2.0 * step(c, before),
        (false, false) => 0.0,
    })
}
