//! Rust values as JavaScript ones.

use js_sys::{Array, Object, Reflect, Uint8Array, Uint8ClampedArray};
use wasm_bindgen::JsValue;

use crate::error::Error;

/// A plain object. Setting a field of a new object cannot fail.
pub fn object<const N: usize>(fields: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (key, value) in fields {
        let _ = Reflect::set(&object, &key.into(), &value);
    }
    object
}

/// Texts.
pub fn texts(texts: &[String]) -> JsValue {
    texts.iter().map(|text| JsValue::from(text.as_str())).collect::<Array>().into()
}

/// Pixels, as canvases take them.
pub fn clamped(bytes: &[u8]) -> JsValue {
    Uint8ClampedArray::from(bytes).into()
}

/// A file's bytes.
pub fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// An `Error` with the stable code in its `code`, and in `files` the names of those that are missing.
pub fn error(error: &Error) -> JsValue {
    let value = js_sys::Error::new(&error.to_string());
    let _ = Reflect::set(&value, &"code".into(), &error.code().into());
    if let Error::MissingData(names) = error {
        let _ = Reflect::set(&value, &"files".into(), &texts(names));
    }
    value.into()
}
