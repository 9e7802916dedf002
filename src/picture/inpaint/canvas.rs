//! The picture while it is filled: colours, and how they change around each pixel.

use wide::f32x4;

use super::{
    Scheme,
    front::{FramedArea, Front},
};
use crate::picture::Picture;

/// Red, green, blue; of a colour, the fourth is one where it is known, else zero.
pub type Colour = f32x4;

/// A pixel's state. Slopes are those of the scheme, and kept up to date as neighbours are filled.
#[derive(Clone, Copy, Default)]
pub struct Cell {
    pub colour: Colour,
    pub down: Colour,
    pub across: Colour,
}

impl Cell {
    /// One where the pixel is known, else zero.
    #[inline]
    pub fn known(&self) -> f32 {
        self.colour.as_array()[3]
    }
}

/// The picture with a frame around it. Hidden pixels keep their colours until they are filled.
#[derive(Clone)]
pub struct Canvas {
    area: FramedArea,
    scheme: Scheme,
    cells: Vec<Cell>,
    /// Pixels whose slopes are not those of the inside: pixels at the picture's edge, and beside such.
    edge: Vec<bool>,
}

impl Canvas {
    /// The whole picture.
    pub fn new(picture: &Picture, area: FramedArea, scheme: Scheme) -> Self {
        let mut canvas =
            Self { area, scheme, cells: vec![Cell::default(); area.len()], edge: vec![true; area.len()] };
        for y in 0..area.height {
            for x in 0..area.width {
                let [r, g, b] = picture.pixel(x, y).map(f32::from);
                let i = area.at(y, x);
                canvas.cells[i].colour = Colour::new([r, g, b, 1.0]);
                canvas.edge[i] = y.min(x) < 2 || y + 2 >= area.height || x + 2 >= area.width;
            }
        }
        for y in 0..area.height {
            for i in area.row(y) {
                canvas.survey(i, [true; 4]);
            }
        }
        canvas
    }

    /// Becomes `whole` again, of which it differs by a filled hole.
    pub fn restore(&mut self, whole: &Self, hidden: &[bool]) {
        let area = self.area;
        let rows: Vec<_> = hidden
            .chunks_exact(area.width)
            .map(|row| {
                let first = row.iter().position(|h| *h)?;
                Some((first, row.iter().rposition(|h| *h)? + 1))
            })
            .collect();
        for y in 0..area.height {
            // Slopes beside the hole have changed as well.
            let near = &rows[y.saturating_sub(1)..(y + 2).min(area.height)];
            let span = near.iter().flatten().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            let Some((first, last)) = span else { continue };
            let span = area.at(y, first) - 1..area.at(y, last) + 1;
            self.cells[span.clone()].copy_from_slice(&whole.cells[span]);
        }
    }

    /// Makes a hole, where the front has not started yet.
    pub fn open(&mut self, hidden: &[bool], front: &Front) {
        for (y, row) in hidden.chunks_exact(self.area.width).enumerate() {
            let cells = &mut self.cells[self.area.row(y)];
            let closed = cells.iter_mut().zip(row).filter(|(_, h)| **h);
            closed.for_each(|(cell, _)| cell.colour.as_mut_array()[3] = 0.0);
        }
        for &i in front.rim() {
            self.survey(i, self.area.around(i).map(|j| !front.is_hidden(j)));
        }
    }

    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Fills a pixel that the front has reached.
    #[inline]
    pub fn set(&mut self, i: usize, colour: Colour, front: &Front) {
        let [r, g, b, _] = colour.to_array();
        self.cells[i].colour = Colour::new([r, g, b, 1.0]);
        if self.edge[i] {
            return self.set_at_edge(i, front);
        }
        let stride = self.area.stride();
        for j in [i - stride, i, i + stride] {
            self.cells[j].down = self.slope([j - stride, j, j + stride], front);
        }
        for j in [i - 1, i, i + 1] {
            self.cells[j].across = self.slope([j - 1, j, j + 1], front);
        }
    }

    /// The slope along three places far from the edge.
    #[inline]
    fn slope(&self, [before, here, after]: [usize; 3], front: &Front) -> Colour {
        let (has_before, has_after) = (!front.is_hidden(before), !front.is_hidden(after));
        let colour = |i: usize| self.cells[i].colour;
        slope(self.scheme, [before, here, after].map(colour), has_before, has_after)
    }

    /// Renews the slopes around a pixel that was filled at or beside the edge.
    #[cold]
    fn set_at_edge(&mut self, i: usize, front: &Front) {
        let (area, stride) = (self.area, self.area.stride());
        let (y, x) = (i / stride - area.frame, i % stride - area.frame);
        let mut renew = |j: usize| {
            if self.cells[j].known() > 0.0 {
                self.survey(j, area.around(j).map(|k| !front.is_hidden(k)));
            }
        };
        std::iter::once(i).chain(area.around(i)).for_each(&mut renew);
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
    fn survey(&mut self, i: usize, known: [bool; 4]) {
        let (area, stride) = (self.area, self.area.stride());
        let (y, x) = (i / stride - area.frame, i % stride - area.frame);
        let (is_first_row, is_first_column) = (y == 0 && area.height > 1, x == 0 && area.width > 1);
        let (row, column) = (y + usize::from(is_first_row), x + usize::from(is_first_column));
        let colour = |y: usize, x: usize| self.cells[area.at(y, x)].colour;
        let (above, below) = (y.saturating_sub(1), (y + 1).min(area.height - 1));
        let (left, right) = (x.saturating_sub(1), (x + 1).min(area.width - 1));
        let middle = match self.scheme {
            Scheme::Telea => (y, x),
            Scheme::NavierStokes => (if y + 1 == area.height { above } else { y }, column),
        };
        let down = [above, middle.0, below].map(|y| colour(y, column));
        let across = [left, middle.1, right].map(|x| colour(row, x));
        self.cells[i].down = slope(self.scheme, down, known[0], known[2]);
        self.cells[i].across = slope(self.scheme, across, known[1], known[3]);
    }
}

/// The slope from the pixel before, the pixel and the one after it, of which the outer ones may not be known: those count
/// as the pixel itself.
#[inline]
fn slope(scheme: Scheme, [before, here, after]: [Colour; 3], has_before: bool, has_after: bool) -> Colour {
    let (before, after) = (if has_before { before } else { here }, if has_after { after } else { here });
    match scheme {
        // OpenCV's rule: between two neighbours it is four times the mean one.
        Scheme::Telea => (after - before) * if has_before & has_after { 2.0 } else { 1.0 },
        // The steps to both neighbours, without their signs.
        Scheme::NavierStokes => {
            ((after - here).abs() + (before - here).abs()) * if has_before & has_after { 1.0 } else { 2.0 }
        }
    }
}
