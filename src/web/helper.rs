//! An engine as another's helper: parts of its work come in, and what the network makes of them goes back.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::{convert, engine::Engine};
use crate::{
    backend::work_stealing::Job,
    error::{Error, Result},
};

#[wasm_bindgen]
impl Engine {
    /// Takes a part of the work of another worker's engine, which has sent it; answers how many images it has.
    pub fn take(&self, job: &[u8]) -> Result<usize, JsValue> {
        let job = Job::read(job).map_err(|e| convert::error(&e))?;
        let count = job.count();
        self.job.replace(Some(Rc::new(job)));
        Ok(count)
    }

    /// Does one image of the work that was taken last; the outputs are for who has sent it.
    pub async fn work(&self, image: usize) -> Result<JsValue, JsValue> {
        let done = self.try_work(image).await;
        done.map(|outputs| convert::bytes(&outputs)).map_err(|e| convert::error(&e))
    }
}

impl Engine {
    async fn try_work(&self, image: usize) -> Result<Vec<u8>> {
        let none = || Error::Argument("there is no work of another engine".into());
        let job = self.job.borrow().clone().ok_or_else(none)?;
        self.with_session(async |session| session.work(&job, image).await).await
    }
}
