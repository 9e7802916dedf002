//! Tells JavaScript of progress, and hears whether to go on.

use std::cell::RefCell;

use async_trait::async_trait;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::{
    attribution::{Map, Observer, spread},
    error::{Error, Result},
    session::Results,
};

/// Calls `callback(done, total, id, spread)`; `id` is given when there are maps to draw, `spread` (see
/// [`spread`]) when they tell of one. The callback answers (or promises) whether to go on.
pub struct Listener<'a> {
    /// The JavaScript function.
    pub callback: &'a Function,
    /// The store of partial maps.
    pub results: &'a RefCell<Results>,
    /// The run's id.
    pub id: u32,
}

#[async_trait(?Send)]
impl Observer for Listener<'_> {
    async fn progress(&mut self, done: u64, total: u64, partial: Option<&[Map]>) -> Result<()> {
        if let Some(maps) = partial {
            self.results.borrow_mut().put(self.id, maps.to_vec());
        }
        let id = if partial.is_some() { JsValue::from(self.id) } else { JsValue::UNDEFINED };
        let spread = partial.and_then(spread).map_or(JsValue::UNDEFINED, JsValue::from);
        tell(self.callback, done as usize, total as usize, [&id, &spread]).await
    }
}

/// Calls `callback(done, total, ...what)`, and fails with [`Error::Cancelled`] where it does not say to go on.
pub async fn tell(callback: &Function, done: usize, total: usize, what: [&JsValue; 2]) -> Result<()> {
    let [first, second] = what;
    let arguments = Array::of4(&JsValue::from(done as f64), &JsValue::from(total as f64), first, second);
    let answer = callback.apply(&JsValue::NULL, &arguments).map_err(|_| Error::Cancelled)?;
    let goes_on = JsFuture::from(Promise::resolve(&answer)).await.map_err(|_| Error::Cancelled)?;
    if goes_on.is_truthy() { Ok(()) } else { Err(Error::Cancelled) }
}
