//! An engine's maps: drawn over its picture, as files, and taken back.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

use super::{convert, engine::Engine, maps, view::frame};
use crate::{
    attribution::Map,
    error::{Error, Result},
    npy,
    render::{self, Display, Rendered},
    tensor::Tensor,
};

#[wasm_bindgen]
impl Engine {
    /// Draws target `k`'s map over the picture: pixels, scale, legend and what has to be said with it. `shared`
    /// puts all of the run's maps on one scale; `small` draws over a smaller picture.
    pub fn render(
        &self,
        id: u32,
        k: usize,
        display: &str,
        shared: bool,
        small: bool,
    ) -> Result<Object, JsValue> {
        let frame = || {
            let display = self.display(id, display, shared)?;
            let rendered = self.draw(id, k, &display, small)?;
            Ok(frame(&rendered, &display))
        };
        frame().map_err(|e: Error| convert::error(&e))
    }

    /// The PNG file of what [`Self::render`] draws.
    pub fn png(&self, id: u32, k: usize, display: &str, shared: bool) -> Result<JsValue, JsValue> {
        let file = || render::write_png(&self.draw(id, k, &self.display(id, display, shared)?, false)?);
        file().map(|f| convert::bytes(&f)).map_err(|e| convert::error(&e))
    }

    /// Target `k`'s map as a .npy file: signed float32, neither scaled nor upsampled.
    pub fn npy(&self, id: u32, k: usize) -> Result<JsValue, JsValue> {
        let results = self.results.borrow();
        results
            .get(id, k)
            .map(|m| convert::bytes(&npy::write(m.values.shape(), m.values.data())))
            .map_err(|e| convert::error(&e))
    }

    /// Target `k`'s map: `{ shape, data, unit, segments }`; see [`maps::values`].
    pub fn values(&self, id: u32, k: usize) -> Result<Object, JsValue> {
        let results = self.results.borrow();
        results.get(id, k).map(maps::values).map_err(|e| convert::error(&e))
    }

    /// Takes a run's maps back, as [`maps::read`] has them, to draw them over the picture that is open now; returns
    /// their id.
    pub fn restore(&self, maps: &Array) -> Result<u32, JsValue> {
        let maps: Result<Vec<Map>> = maps.iter().map(|map| maps::read(&map)).collect();
        let maps = maps.map_err(|e| convert::error(&e))?;
        let mut results = self.results.borrow_mut();
        let id = results.reserve();
        results.put(id, maps);
        Ok(id)
    }
}

impl Engine {
    /// How a run's maps are shown, with the scale that they share where they are to.
    fn display(&self, id: u32, json: &str, shared: bool) -> Result<Display> {
        let mut display = Display::from_json(json)?;
        if shared {
            let results = self.results.borrow();
            let maps: Vec<&Tensor> = results.all(id).iter().map(|m| &m.values).collect();
            display.scale = render::shared_scale(&maps, &display)?;
        }
        Ok(display)
    }

    fn draw(&self, id: u32, k: usize, display: &Display, small: bool) -> Result<Rendered> {
        let none = || Error::Argument("there is no picture to draw over; open one first".into());
        let seen = self.seen.borrow();
        let seen = seen.as_ref().ok_or_else(none)?;
        self.results.borrow_mut().touch(id);
        let picture = if small { &seen.small } else { &seen.fine };
        render::render_map(self.results.borrow().get(id, k)?, picture, display)
    }
}
