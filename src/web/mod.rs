//! The engine as JavaScript sees it, in the page's worker. The only place that names wasm_bindgen or js_sys.
//!
//! Structured values cross as JSON text, pixels and maps as typed arrays. What uses the network takes turns
//! (the worker sees to that); drawing a map that is there does not wait.

mod convert;
mod drawing;
mod engine;
mod helper;
mod listener;
mod maps;
mod opening;
mod pool;
mod view;

use js_sys::{Array, JsString};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

pub use engine::Engine;

use crate::{
    attribution::{METHODS, MapKind, Method, describe},
    limits,
    network::labels,
    picture::Picture,
    render::{ColourMap, Display},
};

/// Steps of a colour map's strip.
const STRIP: usize = 64;

/// Makes a panic say where it was, before it traps.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// The method registry as JSON, each method with the way its map is best shown, if it has both signs and if not.
#[wasm_bindgen]
#[must_use]
pub fn methods() -> String {
    let method = |method: &&dyn Method| {
        let (about, mut value) = (method.about(), describe(*method));
        value["display"] = json!({
            "signed": Display::suited(about.id, about.map_kind, true),
            "unsigned": Display::suited(about.id, about.map_kind, false),
            // For methods that may be asked of a layer, and else of the input.
            "layer": Display::suited(about.id, MapKind::Image, true),
        });
        value
    };
    METHODS.iter().map(method).collect::<Value>().to_string()
}

/// The class names in a file, in class order; see [`labels::read`].
#[wasm_bindgen]
pub fn labels(file: &[u8]) -> Result<Vec<String>, JsValue> {
    labels::read(file).map_err(|e| convert::error(&e))
}

/// Whether files that start like this are of a picture format that the engine reads.
#[wasm_bindgen]
#[must_use]
pub fn reads_picture(start: &[u8]) -> bool {
    Picture::is_format_read(start)
}

/// Throws when a picture of this size is larger than is taken.
#[wasm_bindgen]
pub fn check_picture_size(width: u32, height: u32) -> Result<(), JsValue> {
    Picture::check_size(width, height).map_err(|e| convert::error(&e))
}

/// Refuses a file by its size alone, before its bytes are read; `kind` is `model` or `picture`.
#[wasm_bindgen]
pub fn check_size(kind: &str, bytes: f64) -> Result<(), JsValue> {
    let checked = match kind {
        "model" => limits::check_page_model(bytes as u64),
        _ => limits::check("the image file's size in bytes", bytes as u64, limits::IMAGE_BYTES),
    };
    checked.map_err(|e| convert::error(&e))
}

/// How Keras's Grad-CAM example shows a map, as JSON.
#[wasm_bindgen]
#[must_use]
pub fn tutorial_display() -> String {
    json!(Display::tutorial()).to_string()
}

/// The colour maps: `{ id, label, diverging, strip }` each, the strip as RGBA.
#[wasm_bindgen]
#[must_use]
pub fn colour_maps() -> Array {
    ColourMap::ALL.into_iter().map(|map| JsValue::from(colour_map(map))).collect()
}

fn colour_map(map: ColourMap) -> js_sys::Object {
    let colour = |i: usize| {
        let [r, g, b] = map.at(i as f64 / (STRIP - 1) as f64);
        [r, g, b, 255]
    };
    let strip: Vec<u8> = (0..STRIP).flat_map(colour).collect();
    convert::object([
        ("id", JsString::from(map.id()).into()),
        ("label", JsString::from(map.label()).into()),
        ("diverging", map.diverging().into()),
        ("strip", convert::clamped(&strip)),
    ])
}
