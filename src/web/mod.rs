//! The engine as JavaScript sees it, in the page's worker. The only place that names wasm_bindgen or js_sys.
//!
//! Structured values cross as JSON text, pixels and maps as typed arrays. What uses the network takes turns
//! (the worker sees to that); drawing a map that is there does not wait.

mod convert;
mod engine;
mod helper;
mod listener;
mod npy;
mod pool;
mod view;

use js_sys::{Array, JsString};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

pub use engine::Engine;

use crate::{
    attribution::{METHODS, MapKind, Method, describe},
    render::{ColourMap, Display, Sign},
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
            "signed": if about.id == "shap-partition" { Display::image_plot() } else { display(about.map, true) },
            "unsigned": display(about.map, false),
            // For methods that may be asked of a layer, and else of the input.
            "layer": display(MapKind::Image, true),
        });
        value
    };
    METHODS.iter().map(method).collect::<Value>().to_string()
}

/// How Keras's Grad-CAM example shows a map, as JSON.
#[wasm_bindgen]
#[must_use]
pub fn tutorial_display() -> String {
    json!(Display::tutorial()).to_string()
}

/// How a map is shown unless someone chooses otherwise.
fn display(map: MapKind, signed: bool) -> Display {
    match map {
        // The CAM papers show what counts for the class; the rest is one click away.
        MapKind::Layer => Display { sign: Sign::Positive, ..Display::for_map(false, false) },
        MapKind::Image => Display::for_map(signed, false),
        MapKind::Channels => Display::for_map(signed, true),
    }
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
