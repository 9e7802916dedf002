//! The other workers of the page, one instance of this module each, as helpers.

use async_trait::async_trait;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

use crate::backend::share::{Answer, Helpers};

#[wasm_bindgen]
extern "C" {
    /// What www/core/pool.js makes.
    pub type Pool;

    #[wasm_bindgen(method)]
    fn wanted(this: &Pool) -> usize;

    #[wasm_bindgen(method)]
    fn ready(this: &Pool) -> usize;

    #[wasm_bindgen(method)]
    fn ask(this: &Pool, i: usize, job: Uint8Array) -> Promise;

    #[wasm_bindgen(method)]
    fn rest(this: &Pool) -> Promise;
}

/// The workers of a pool.
pub struct Workers(pub Pool);

#[async_trait(?Send)]
impl Helpers for Workers {
    fn wanted(&self) -> usize {
        self.0.wanted()
    }

    fn ready(&self) -> usize {
        self.0.ready()
    }

    fn ask(&self, i: usize, job: Vec<u8>) -> Answer {
        let answer = self.0.ask(i, Uint8Array::from(&job[..]));
        Box::pin(async {
            let outputs = JsFuture::from(answer).await.ok()?.dyn_into::<Uint8Array>().ok()?;
            Some(outputs.to_vec())
        })
    }

    async fn rest(&self) {
        // A pool that cannot rest does not stop the work.
        let _ = JsFuture::from(self.0.rest()).await;
    }
}
