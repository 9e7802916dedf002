//! Inpainting: filling a hole of a picture from its rim inwards.

mod canvas;
mod disc;
mod front;
mod queue;

use canvas::{Canvas, Colour};
use disc::{Disc, RADIUS};
use front::{FramedArea, Front};

use super::Picture;

/// The scheme that makes a pixel from the known ones around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Scheme {
    /// Telea, "An Image Inpainting Technique Based on the Fast Marching Method", 2004.
    Telea,
    /// After Bertalmio, Bertozzi and Sapiro, "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting",
    /// 2001: along the lines of equal brightness.
    NavierStokes,
}

/// One picture, to be filled under many masks.
pub struct Inpainter {
    picture: Picture,
    scheme: Scheme,
    area: FramedArea,
    disc: Disc,
    whole: Canvas,
    /// Holes are made and filled here; equal to `whole` in between.
    canvas: Canvas,
    front: Front,
}

impl Inpainter {
    /// Looks at the picture once.
    #[must_use]
    pub fn new(picture: Picture, scheme: Scheme) -> Self {
        let area = FramedArea { height: picture.height, width: picture.width, frame: RADIUS };
        let whole = Canvas::new(&picture, area, scheme);
        let (disc, canvas, front) = (Disc::new(area), whole.clone(), Front::new(area));
        Self { picture, scheme, area, disc, whole, canvas, front }
    }

    /// Fills the hidden pixels of the picture from those within three pixels, the nearest to the rim first; the result
    /// of OpenCV's `inpaint` but for rounding. A picture without a pixel that shows stays as it is.
    #[must_use]
    pub fn fill(&mut self, hidden: &[bool]) -> Picture {
        let Self { front, canvas, disc, .. } = self;
        front.start(hidden, (self.scheme == Scheme::Telea).then_some(RADIUS));
        canvas.open(hidden, front);
        match self.scheme {
            Scheme::Telea => march(front, canvas, |i, canvas, front| disc.telea(i, canvas, front)),
            Scheme::NavierStokes => march(front, canvas, |i, canvas, _| disc.navier_stokes(i, canvas)),
        }
        let filled = self.filled(hidden);
        self.canvas.restore(&self.whole, hidden);
        filled
    }

    /// The picture with its hidden pixels from the canvas.
    fn filled(&self, hidden: &[bool]) -> Picture {
        let mut picture = self.picture.clone();
        let width = self.area.width;
        let rows = picture.rgb.chunks_exact_mut(3 * width).zip(hidden.chunks_exact(width));
        for (y, (rgb, hidden)) in rows.enumerate() {
            let cells = &self.canvas.cells()[self.area.row(y)];
            for ((rgb, cell), _) in rgb.chunks_exact_mut(3).zip(cells).zip(hidden).filter(|(_, h)| **h) {
                let [r, g, b, _] = cell.colour.fast_trunc_int().to_array();
                rgb.copy_from_slice(&[r as u8, g as u8, b as u8]);
            }
        }
        picture
    }
}

/// Moves the front through the hole and fills each pixel that it reaches.
#[inline]
fn march(front: &mut Front, canvas: &mut Canvas, mean: impl Fn(usize, &Canvas, &Front) -> Colour) {
    while let Some(from) = front.pop() {
        for i in front.around(from) {
            if front.is_hidden(i) {
                front.arrive(i);
                let colour = mean(i, canvas, front);
                front.push(i);
                canvas.set(i, colour, front);
            }
        }
    }
}

#[cfg(test)]
mod tests;
