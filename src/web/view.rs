//! The page's view of a model, a picture and a map.

use js_sys::Object;
use serde_json::{Value, json};

use super::convert;
use crate::{
    error::{Error, Result},
    picture::{Interpolation, Picture, Preprocessing, Resize},
    render::{self, Display, Rendered},
    session::Session,
};

/// Longest side of the picture that maps are drawn over, in pixels.
const FINE_SIDE: usize = 1024;
/// The same for maps that stand side by side.
const SMALL_SIDE: usize = 256;
/// Pixels of the colour bar, which the page stretches.
const LEGEND_WIDTH: usize = 256;
/// Most numbers beside the colour bar.
const TICKS: usize = 5;

/// The part of the picture that the network sees, in more pixels where the picture has them: maps are drawn
/// over this one.
pub fn fine_view(session: &Session, picture: &Picture) -> Result<Picture> {
    let [_, height, width] = *session.network().input() else {
        return Err(Error::Model("the model's input is not an image".into()));
    };
    let preprocessing = session.preprocessing();
    let (full_width, full_height) = preprocessing.resize.full_size(picture, height, width)?;
    let useful = picture.width.div_ceil(full_width).min(picture.height.div_ceil(full_height));
    let scale = match preprocessing.resize {
        Resize::Keep => 1,
        _ => useful.min(FINE_SIDE / height.max(width).max(1)).max(1),
    };
    let resize = preprocessing.resize.scaled(scale);
    let fine = Preprocessing { resize, interpolation: Interpolation::Bicubic, ..preprocessing.clone() };
    fine.fit(picture, height * scale, width * scale)
}

/// A picture that is as small as a tile.
pub fn smaller(picture: &Picture) -> Result<Picture> {
    let (width, height) = (picture.width, picture.height);
    let long = width.max(height).max(SMALL_SIDE);
    let side = |length: usize| (length * SMALL_SIDE / long).max(1);
    picture.resize(side(width), side(height), Interpolation::Bilinear)
}

pub fn opaque(picture: &Picture) -> Vec<u8> {
    picture.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect()
}

/// The model for people: what it is, what it reads, which classes and layers it has, and what its file leaves
/// open.
pub fn describe(session: &Session, name: &str) -> Value {
    let network = session.network();
    let metadata = network.metadata();
    let labels: Vec<String> = (0..network.classes()).map(|i| session.target(i).label).collect();
    let gaps = [("scaling", session.guess().is_some()), ("labels", !session.is_labelled())];
    let missing = gaps.into_iter().filter(|(_, is_missing)| *is_missing).map(|(gap, _)| gap);
    json!({
        "name": metadata.name.as_deref().unwrap_or(name),
        "license": metadata.license,
        "source": metadata.source,
        "input": network.input(),
        "classes": network.classes(),
        "labels": labels,
        "layers": network.layers(),
        "default_layer": network.default_layer().map(|l| &l.name),
        "head": network.head(),
        "notes": session.notes(),
        // Notes on the options, and on what the file says instead.
        "remarks": session.notes().get(network.notes().len()..),
        "missing": missing.collect::<Vec<_>>(),
        "guess": session.guess(),
        "preprocessing": session.preprocessing(),
        "summary": network.summary(),
        "scores": network.scores(),
        "outputs": network.outputs(),
        "is_size_open": network.is_size_open(),
    })
}

pub fn frame(rendered: &Rendered, display: &Display) -> Object {
    let facts = json!({ "rendered": rendered, "ticks": render::ticks(rendered.scale, TICKS) });
    // Segments by themselves have no colours to explain.
    let legend = match display.features {
        Some(_) => vec![],
        None => render::legend(display, rendered.scale, LEGEND_WIDTH, 1),
    };
    convert::object([
        ("width", rendered.width.into()),
        ("height", rendered.height.into()),
        ("rgba", convert::clamped(&rendered.rgba)),
        ("legend", convert::clamped(&legend)),
        ("facts", facts.to_string().into()),
    ])
}
