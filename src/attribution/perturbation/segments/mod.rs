//! Cuts a picture into segments: the pieces that LIME and KernelSHAP show and hide.
//!
//! Each algorithm follows its paper as scikit-image implements it, on the picture that the network sees.

mod colour;
mod felzenszwalb;
mod quickshift;
mod slic;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::{
    attribution::{Context, Kind, Parameter, Settings},
    backend::Segmentation,
    error::{Error, Result},
    picture::{Picture, Preprocessing},
    tensor::Tensor,
};

/// The parameters of a segmentation, which every method has that takes segments.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "algorithm",
        label: "Segments",
        help: "How the picture is cut into segments.",
        kind: Kind::Choice {
            options: &["quickshift", "slic", "felzenszwalb", "grid"],
            default: "quickshift",
        },
    },
    Parameter {
        key: "kernel_size",
        label: "Kernel",
        help: "Quickshift: the deviation of the density's kernel, in pixels; larger makes fewer segments.",
        kind: Kind::Number { min: 0.5, max: 20.0, default: 4.0 },
    },
    Parameter {
        key: "max_dist",
        label: "Greatest distance",
        help: "Quickshift: from where on pixels are not joined; larger makes fewer segments.",
        kind: Kind::Number { min: 0.0, max: 1e6, default: 200.0 },
    },
    Parameter {
        key: "ratio",
        label: "Colour ratio",
        help: "Quickshift: how much colour counts beside place, from 0 to 1.",
        kind: Kind::Number { min: 0.0, max: 1.0, default: 0.2 },
    },
    Parameter {
        key: "segments",
        label: "Number of segments",
        help: "SLIC and grid: about how many segments to make.",
        kind: Kind::Integer { min: 1, max: 4096, default: 50 },
    },
    Parameter {
        key: "compactness",
        label: "Compactness",
        help: "SLIC: how much place counts beside colour; larger makes squarer segments.",
        kind: Kind::Number { min: 1e-3, max: 1e4, default: 10.0 },
    },
    Parameter {
        key: "scale",
        label: "Scale",
        help: "Felzenszwalb: how much contrast a border needs; larger makes fewer segments.",
        kind: Kind::Number { min: 0.0, max: 1e6, default: 100.0 },
    },
    Parameter {
        key: "sigma",
        label: "Smoothing",
        help: "Felzenszwalb: the deviation of the Gaussian that smooths the picture first, in pixels.",
        kind: Kind::Number { min: 0.0, max: 20.0, default: 0.8 },
    },
    Parameter {
        key: "min_size",
        label: "Least size",
        help: "Felzenszwalb: the fewest pixels of a segment.",
        kind: Kind::Integer { min: 0, max: 1_000_000, default: 40 },
    },
];

/// The segments of a run: the caller's own, or cut as the parameters say.
pub fn of(context: &Context<'_>) -> Result<Arc<Segmentation>> {
    let [_, height, width] = *context.image.shape() else {
        return Err(Error::Argument("segments need an image".into()));
    };
    let question = context.question;
    let Some(given) = &question.segments else {
        return image(context.image, &question.preprocessing, &question.settings).map(Arc::new);
    };
    if (given.height(), given.width()) != (height, width) {
        return Err(Error::Argument(format!(
            "the segments are {} x {}, and the network's input is {height} x {width} (rows, columns)",
            given.height(),
            given.width()
        )));
    }
    Ok(given.clone())
}

/// Cuts a network's input, `[C, H, W]`, as the parameters say: the picture that it was made from, or for a grid
/// whatever it is.
pub fn image(image: &Tensor, preprocessing: &Preprocessing, settings: &Settings) -> Result<Segmentation> {
    match *image.shape() {
        [_, height, width] if settings.text("algorithm") == "grid" => {
            Ok(grid(height, width, settings.integer("segments")))
        }
        _ => cut(&preprocessing.denormalise(image)?, settings),
    }
}

/// Cuts a picture as the parameters say.
pub fn cut(picture: &Picture, settings: &Settings) -> Result<Segmentation> {
    let number = |key: &str| settings.number(key);
    picture.check()?;
    Ok(match settings.text("algorithm") {
        "slic" => slic::slic(picture, settings.integer("segments"), number("compactness")),
        "felzenszwalb" => felzenszwalb::felzenszwalb(
            picture,
            number("scale"),
            number("sigma"),
            settings.integer("min_size"),
        ),
        "grid" => grid(picture.height, picture.width, settings.integer("segments")),
        _ => quickshift::quickshift(picture, number("kernel_size"), number("max_dist"), number("ratio")),
    })
}

/// About `wanted` rectangles of nearly one size, as square as may be.
fn grid(height: usize, width: usize, wanted: usize) -> Segmentation {
    let (short, long) = (height.min(width), height.max(width));
    let few = (wanted as f64 * short as f64 / long as f64).sqrt().round();
    let few = (few as usize).clamp(1, short);
    let many = ((wanted as f64 / few as f64).round() as usize).clamp(1, long);
    let (rows, columns) = if height <= width { (few, many) } else { (many, few) };
    let label = |i: usize| i / width * rows / height * columns + i % width * columns / width;
    Segmentation::renumbered(height, width, &(0..height * width).map(label).collect::<Vec<_>>())
}
