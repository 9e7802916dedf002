//! The other workers of the page, one instance of this module each, as helpers.

use async_trait::async_trait;
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

use crate::{
    backend::work_stealing::{Completion, Helpers},
    error::{Error, Result},
};

#[wasm_bindgen]
extern "C" {
    /// The object that www/worker/pool.js makes.
    pub type Pool;

    #[wasm_bindgen(method)]
    fn wanted(this: &Pool) -> usize;

    #[wasm_bindgen(method)]
    fn ready(this: &Pool) -> Vec<u32>;

    #[wasm_bindgen(method)]
    fn submit(this: &Pool, helper: u32, job: Uint8Array);

    #[wasm_bindgen(method)]
    fn truncate(this: &Pool, helper: u32, end: usize);

    #[wasm_bindgen(method)]
    fn poll(this: &Pool, wait: bool) -> Promise;
}

/// The workers of a pool.
pub struct Workers(pub Pool);

#[async_trait(?Send)]
impl Helpers for Workers {
    fn wanted(&self) -> usize {
        self.0.wanted()
    }

    fn ready(&self) -> Vec<u32> {
        self.0.ready()
    }

    fn submit(&self, helper: u32, job: Vec<u8>) {
        self.0.submit(helper, Uint8Array::from(&job[..]));
    }

    fn truncate(&self, helper: u32, end: usize) {
        self.0.truncate(helper, end);
    }

    async fn poll(&self, wait: bool) -> Result<Vec<Completion>> {
        match JsFuture::from(self.0.poll(wait)).await {
            Ok(polled) if polled.is_array() => {
                Ok(Array::from(&polled).iter().filter_map(completion).collect())
            }
            _ => Err(Error::Cancelled),
        }
    }
}

/// `[helper, outputs]`, where `outputs` is bytes or null.
fn completion(pair: JsValue) -> Option<Completion> {
    let pair = Array::from(&pair);
    let outputs = pair.get(1).dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec());
    Some((pair.get(0).as_f64()? as u32, outputs))
}
