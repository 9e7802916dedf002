//! Maps as JavaScript keeps them: it outlives what the engine remembers of them, and may want them drawn again.

use std::sync::Arc;

use js_sys::{Float32Array, Float64Array, Object, Reflect, Uint32Array};
use serde_json::json;
use wasm_bindgen::{JsCast, JsValue};

use super::convert;
use crate::{
    attribution::Map,
    backend::Segmentation,
    error::{Error, Result},
    tensor::Tensor,
};

/// A map as `{ shape, data, unit, segments }`; `segments` is `{ width, height, labels }`, or undefined where the method
/// hid none.
pub fn values(map: &Map) -> Object {
    let shape: Vec<u32> = map.values.shape().iter().map(|&n| n as u32).collect();
    let segments = map.segments.as_deref().map_or(JsValue::UNDEFINED, |s| segments(s).into());
    convert::object([
        ("shape", Uint32Array::from(&shape[..]).into()),
        ("data", Float32Array::from(map.values.data()).into()),
        ("unit", map.unit.into()),
        ("segments", segments),
    ])
}

fn segments(segments: &Segmentation) -> Object {
    convert::object([
        ("width", segments.width().into()),
        ("height", segments.height().into()),
        ("labels", Uint32Array::from(segments.labels()).into()),
    ])
}

/// A map from `{ shape, data, segments, weights }`, for drawing alone: it has no target and no unit.
///
/// # Errors
/// [`Error::Argument`] when the shape does not fit the data, or the labels are none of segments.
pub fn read(map: &JsValue) -> Result<Map> {
    let shape: Vec<usize> =
        typed::<Uint32Array>(map, "shape")?.to_vec().into_iter().map(|n| n as usize).collect();
    // The product of hostile sides does not fit.
    shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side)).ok_or_else(too_large)?;
    let values = Tensor::new(shape, typed::<Float32Array>(map, "data")?.to_vec())?;
    values.check_finite("a value of the map")?;
    let mut read = Map::new(0, values, "");
    if let Ok(weights) = typed::<Float64Array>(map, "weights") {
        read.extras.insert("weights", json!(weights.to_vec()));
    }
    let segments = get(map, "segments");
    if segments.is_object() {
        let side = |key: &str| get(&segments, key).as_f64().map_or(0, |n| n as usize);
        let labels: Vec<i64> =
            typed::<Uint32Array>(&segments, "labels")?.to_vec().into_iter().map(i64::from).collect();
        read.segments = Some(Arc::new(Segmentation::new(side("height"), side("width"), &labels)?));
    }
    Ok(read)
}

fn too_large() -> Error {
    Error::Argument("the map's shape is too large".into())
}

/// A field; undefined where it is missing.
fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

fn typed<T: JsCast>(object: &JsValue, key: &str) -> Result<T> {
    get(object, key)
        .dyn_into()
        .map_err(|_| Error::Argument(format!("the map's {key} is not an array of its type")))
}
