//! Inpainting: filling a hole of a picture from its rim inwards.

mod canvas;
mod front;

use canvas::{Canvas, RADIUS};
use front::Front;

use crate::picture::Picture;

/// How a pixel is made from the known ones around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    whole: Canvas,
}

impl Inpainter {
    /// Looks at the picture once.
    #[must_use]
    pub fn new(picture: Picture, scheme: Scheme) -> Self {
        let whole = Canvas::new(&picture, scheme);
        Self { picture, scheme, whole }
    }

    /// Fills the hidden pixels of the picture from those within three pixels, the nearest to the rim first; the result
    /// of OpenCV's `inpaint` but for rounding. A picture without a pixel that shows stays as it is.
    #[must_use]
    pub fn fill(&self, hidden: &[bool]) -> Picture {
        let mut canvas = self.whole.clone();
        let mut front = Front::new(canvas.grid, hidden);
        canvas.open(hidden);
        if self.scheme == Scheme::Telea {
            front.measure_outside(RADIUS);
        }
        front.start();
        while let Some(from) = front.pop() {
            for i in canvas.grid.around(from) {
                if !front.is_inside(i) {
                    continue;
                }
                let time = front.arrive(i);
                let rgb = match self.scheme {
                    Scheme::Telea => canvas.telea(i, &front),
                    Scheme::NavierStokes => canvas.navier_stokes(i),
                };
                front.push(i, time);
                canvas.set(i, rgb, &front);
            }
        }
        Picture { rgb: canvas.rgb(), ..self.picture }
    }
}

#[cfg(test)]
mod tests;
