//! Maps over pictures: colour maps, overlay, legends.
//!
//! Everything is composed here, as opaque RGBA, so that the page, the command line and the tests show the
//! same pixels. Values stay signed until here; what is lost on the way to a colour (sign, outliers) is
//! chosen in [`Display`] and reported in [`Rendered`].

mod blend;
mod colour;
mod display;
mod features;
mod legend;
mod portrait;
mod shared_scale;
mod sign;
mod upsample;
mod values;

pub use colour::ColourMap;
pub use display::{Blend, Channels, Display, Underlay, Upsampling};
pub use features::Features;
pub use legend::{Tick, legend, ticks};
pub use shared_scale::shared_scale;
pub use sign::Sign;
pub use values::Scale;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use serde::Serialize;

use crate::attribution::Map;
use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::tensor::Tensor;
use values::{Plane, Signs};

/// A map drawn over a picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rendered {
    /// Pixels in a row: the picture's.
    pub width: usize,
    /// Rows: the picture's.
    pub height: usize,
    /// Red, green, blue and alpha (always 255) of each pixel, row by row.
    #[serde(skip)]
    pub rgba: Vec<u8>,
    /// Which values the ends of the colour map stand for.
    pub scale: Scale,
    /// True if every value of the map is zero.
    pub all_zero: bool,
    /// True if no value is above zero, and some are below.
    pub all_negative: bool,
    /// True if no value is below zero, and some are above.
    pub all_positive: bool,
    /// A note without which the picture would mislead: that the map is zero, or all of one sign.
    pub notice: Option<&'static str>,
}

/// Draws `map` (`[H, W]`, or `[C, H, W]` whose channels are reduced as `display` says; any unit) over
/// `picture`. The map is stretched to the picture's size; it should cover the same part of the image.
///
/// Fails with [`Error::Argument`] when the map has another rank or no values, or `display` a value out of
/// range, and with [`Error::NotFinite`].
pub fn render(map: &Tensor, picture: &Picture, display: &Display) -> Result<Rendered> {
    display.check()?;
    picture.check()?;
    let plane = Plane::reduce(map, display.channels)?;
    let signs = Signs::of(&plane);
    let (scale, rgba, sign) = if display.blend == Blend::Picture {
        let planes = portrait::planes(map, &plane);
        let scale = portrait::scale(&planes, display);
        (scale, portrait::draw(&planes, &plane, scale, picture, display), Sign::Both)
    } else {
        let shown = plane.show(display.sign);
        let scale = shown.scale(display);
        let draw = if display.blend == Blend::Tutorial { blend::tutorial } else { blend::overlay };
        (scale, draw(&shown, scale, picture, display), display.sign)
    };
    Ok(Rendered {
        width: picture.width,
        height: picture.height,
        rgba,
        scale,
        all_zero: signs == Signs::None,
        all_negative: signs == Signs::Negative,
        all_positive: signs == Signs::Positive,
        notice: notice(signs, sign),
    })
}

/// Draws an attribution over `picture`: as [`render`] does, or where `display` asks for [`Features`] and the map
/// is one of segments, the segments themselves.
///
/// # Errors
/// Those of [`render`].
pub fn render_map(map: &Map, picture: &Picture, display: &Display) -> Result<Rendered> {
    let rendered = render(&map.values, picture, display)?;
    match (display.features, &map.segments) {
        (Some(features), Some(segments)) => {
            let rgba = features.draw(segments, &map.weights(), display.sign, picture);
            Ok(Rendered { rgba, ..rendered })
        }
        _ => Ok(rendered),
    }
}

fn notice(signs: Signs, shown: Sign) -> Option<&'static str> {
    match (signs, shown) {
        (Signs::None, _) => {
            Some("Every value is zero: nothing in the picture counts for or against this score.")
        }
        (Signs::Negative, Sign::Positive) => Some(
            "Every value is negative: nothing in the picture counts for this score. Show the negative values to \
             see what counts against it.",
        ),
        (Signs::Negative, _) => {
            Some("Every value is negative: nothing in the picture counts for this score, only against it.")
        }
        (Signs::Positive, Sign::Negative) => Some(
            "Every value is positive: nothing in the picture counts against this score. Show the positive \
             values to see what counts for it.",
        ),
        (Signs::Positive | Signs::Both, _) => None,
    }
}

/// Panels of one height in a row, left to right: their pixels, and nothing of what else they say.
///
/// # Errors
/// [`Error::Argument`] when there are none, or when they differ in height.
pub fn side_by_side(panels: &[Rendered]) -> Result<Rendered> {
    let Some(first) = panels.first() else { return Err(Error::Argument("there is nothing to draw".into())) };
    if panels.iter().any(|p| p.height != first.height) {
        return Err(Error::Argument("pictures of different heights do not fit side by side".into()));
    }
    let row = |p: &Rendered, y: usize| p.rgba[y * p.width * 4..(y + 1) * p.width * 4].to_vec();
    let rgba = (0..first.height).flat_map(|y| panels.iter().flat_map(move |p| row(p, y))).collect();
    let width = panels.iter().map(|p| p.width).sum();
    Ok(Rendered { width, rgba, ..first.clone() })
}

/// The PNG file of a rendered map.
///
/// Fails with [`Error::Argument`] when the pixels do not match the size.
pub fn write_png(rendered: &Rendered) -> Result<Vec<u8>> {
    let (width, height) = (rendered.width, rendered.height);
    let mut file = Vec::new();
    let whole = width.checked_mul(height).and_then(|n| n.checked_mul(4)) == Some(rendered.rgba.len());
    let (Ok(columns), Ok(rows), true) = (u32::try_from(width), u32::try_from(height), whole) else {
        return Err(Error::Argument(format!(
            "a PNG of {width} x {height} pixels cannot have {} bytes",
            rendered.rgba.len()
        )));
    };
    PngEncoder::new(&mut file)
        .write_image(&rendered.rgba, columns, rows, ExtendedColorType::Rgba8)
        .map_err(|e| Error::Io(format!("the PNG cannot be written: {e}")))?;
    Ok(file)
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
