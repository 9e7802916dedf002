//! How JavaScript opens a model.

use std::collections::HashMap;

use js_sys::{Array, Reflect, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::JsValue;

use crate::{
    backend::fallback::Choice,
    error::Result,
    network::Head,
    picture::{Channels, Config, Interpolation, Preset, Resize},
    session::PreprocessingOptions,
};

/// The options of a model that JavaScript opens; see [`Options`](crate::session::Options).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenOptions {
    #[serde(default)]
    pub backend: Choice,
    preset: Option<Preset>,
    /// The text of a configuration file.
    config: Option<String>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    channels: Option<Channels>,
    resize: Option<Resize>,
    interpolation: Option<Interpolation>,
    pub scores: Option<String>,
    pub size: Option<[usize; 2]>,
    pub labels: Option<Vec<String>>,
    pub head: Option<Head>,
}

impl OpenOptions {
    /// How pictures are prepared, and the height and width that the configuration file names.
    pub fn preprocessing(&mut self) -> Result<(PreprocessingOptions, Option<[usize; 2]>)> {
        let config = self.config.take().map(|text| Config::read(text.as_bytes())).transpose()?;
        let size = config.as_ref().and_then(|config| config.size);
        let options = PreprocessingOptions {
            preset: self.preset,
            config,
            mean: self.mean,
            std: self.std,
            channels: self.channels,
            resize: self.resize,
            interpolation: self.interpolation,
        };
        Ok((options, size))
    }
}

/// The files that were given with a model: `[{ name, bytes }]`.
pub fn files_of(files: &Array) -> HashMap<String, Vec<u8>> {
    let get = |file: &JsValue, key: &str| Reflect::get(file, &key.into()).unwrap_or_default();
    let one = |file: JsValue| {
        Some((get(&file, "name").as_string()?, Uint8Array::new(&get(&file, "bytes")).to_vec()))
    };
    files.iter().filter_map(one).collect()
}
