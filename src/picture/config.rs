//! Preprocessing from the configuration files that lie beside models: `preprocessor_config.json` of transformers
//! (Hugging Face) and `config.json` of timm.

use serde_json::{Map, Value};

use super::{Centre, Channels, Interpolation, Preprocessing, Resize, Side};
use crate::{
    error::{Error, Result},
    limits,
};

/// Largest configuration, in bytes.
const CONFIG_BYTES: u64 = 4 << 20;
/// The part of the resized side that ConvNeXT crops where its configuration does not say.
const CONVNEXT_CROP: f64 = 224.0 / 256.0;
/// ConvNeXT squashes from this size on.
const CONVNEXT_SQUASHES: u32 = 384;
/// The meanings of `resample` in Pillow.
const RESAMPLE: [&str; 6] = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

/// A configuration, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How a picture becomes the network's input.
    pub preprocessing: Preprocessing,
    /// The height and width of the network's input.
    pub size: Option<[usize; 2]>,
}

type Read<T> = std::result::Result<T, String>;

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`Error::Argument`] that says which of its keys is not understood, [`Error::Limit`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        limits::check("the configuration's size in bytes", bytes.len() as u64, CONFIG_BYTES)?;
        let refused = |why: String| Error::Argument(format!("the preprocessing cannot be read: {why}"));
        let file: Value =
            serde_json::from_slice(bytes).map_err(|e| refused(format!("it is no JSON ({e})")))?;
        let Value::Object(file) = &file else { return Err(refused("it is no JSON object".into())) };
        Self::of(Keys(file)).map_err(refused)
    }

    /// Whether a file is timm's: others are called `config.json` too.
    #[must_use]
    pub fn is_timm(bytes: &[u8]) -> bool {
        let is_small = bytes.len() as u64 <= CONFIG_BYTES;
        let file = serde_json::from_slice::<Value>(bytes).ok().filter(|_| is_small);
        file.as_ref().and_then(Value::as_object).is_some_and(|file| Keys(file).timm().is_some())
    }

    fn of(file: Keys<'_>) -> Read<Self> {
        if let Some(inner) = file.timm() {
            return timm(inner);
        }
        let is_any = |keys: &[&str]| keys.iter().any(|key| file.get(key).is_some());
        // CLIP's processor keeps the images' part under a key of its own.
        if let Some(inner) = file.object("image_processor") {
            return transformers(inner);
        }
        if is_any(&["do_resize", "do_normalize", "do_rescale", "image_mean", "size", "crop_size"]) {
            return transformers(file);
        }
        Err("it is neither a preprocessor_config.json of transformers nor a config.json of timm, which has \
             pretrained_cfg"
            .into())
    }
}

/// The evaluation transform of timm's `create_transform`.
fn timm(config: Keys<'_>) -> Read<Config> {
    let size = match config.numbers("input_size")?.as_deref() {
        None => None,
        Some(&[_, height, width]) => Some([extent("input_size", height)?, extent("input_size", width)?]),
        Some(_) => return Err("input_size should be [channels, height, width]".into()),
    };
    let part = config.number("crop_pct")?.unwrap_or(0.875);
    if !(part > 0.0 && part <= 1.0) {
        return Err(format!("crop_pct is {part}, and should be above 0 and at most 1"));
    }
    let side = Side::Crop(part);
    let resize = match config.text("crop_mode").unwrap_or("center") {
        "squash" => Resize::Squash(side),
        "border" => Resize::Pad(side),
        "center" if size.is_none_or(|[h, w]| h == w) => Resize::Short(side),
        "center" => return Err("an input that is not square with crop_mode center is not supported".into()),
        other => return Err(format!("crop_mode {other:?} is not supported")),
    };
    let defaults = Preprocessing::default();
    let scaled = |v: [f64; 3]| v.map(|v| (v * 255.0) as f32);
    let preprocessing = Preprocessing {
        mean: config.triple("mean")?.map_or(defaults.mean, scaled),
        std: config.triple("std")?.map_or(defaults.std, scaled),
        resize,
        interpolation: filter("interpolation", config.text("interpolation").unwrap_or("bicubic"))?,
        ..defaults
    };
    Ok(Config { preprocessing, size })
}

/// The image processors of transformers.
fn transformers(config: Keys<'_>) -> Read<Config> {
    let kind = config.text("image_processor_type").or(config.text("feature_extractor_type")).unwrap_or("");
    let crops = config.flag("do_center_crop")?.unwrap_or(config.get("crop_size").is_some());
    let crop = if crops { config.size("crop_size")? } else { None };
    let (resize, resized) = match config.flag("do_resize")?.unwrap_or(true) {
        false => (Resize::Keep, None),
        true => transformers_resize(&config, kind, crop)?,
    };
    let (mean, std) = transformers_scale(&config, kind)?;
    let channels = match config.flag("do_flip_channel_order")? {
        Some(true) => Channels::Bgr,
        _ => Channels::Rgb,
    };
    let default = if ["CLIP", "Deit", "DeiT", "Blip"].iter().any(|k| kind.contains(k)) { 3 } else { 2 };
    let interpolation = match config.get("resample") {
        Some(Value::String(name)) => filter("resample", name)?,
        None => filter("resample", RESAMPLE[default])?,
        Some(number) => {
            let name = number.as_u64().and_then(|n| RESAMPLE.get(usize::try_from(n).ok()?));
            filter("resample", name.ok_or_else(|| format!("resample {number} is none of Pillow's numbers"))?)?
        }
    };
    let preprocessing = Preprocessing { mean, std, channels, resize, interpolation, centre: Centre::Down };
    Ok(Config { preprocessing, size: crop.or(resized) })
}

/// How a processor resizes, and to which height and width where it crops nothing.
fn transformers_resize(
    config: &Keys<'_>,
    kind: &str,
    crop: Option<[usize; 2]>,
) -> Read<(Resize, Option<[usize; 2]>)> {
    let is = |names: &[&str]| names.iter().any(|name| kind.contains(name));
    // These take a plain number as the short side, the others as both.
    const BY_SHORT_SIDE: [&str; 8] =
        ["CLIP", "ConvNext", "MobileNet", "MobileViT", "MobileVit", "PoolFormer", "Levit", "Bit"];
    let (short, both) = match config.get("size") {
        None => return Err("size is missing".into()),
        Some(Value::Object(size)) => {
            let size = Keys(size);
            (size.number("shortest_edge")?, size.size_of("height", "width")?)
        }
        Some(_) if is(&BY_SHORT_SIDE) => (config.number("size")?, None),
        Some(_) => (None, config.size("size")?),
    };
    let Some(short) = short else {
        let Some([h, w]) = both else {
            return Err("size should be a number, shortest_edge, or height and width".into());
        };
        return match crop {
            // Without a crop the size is the network's own.
            None => Ok((Resize::Squash(Side::Crop(1.0)), Some([h, w]))),
            Some(_) if h == w => Ok((Resize::Squash(pixels("size", h as f64)?), None)),
            Some(_) => Err("a size that is not square with a centre crop is not supported".into()),
        };
    };
    let short = extent("shortest_edge", short)?;
    let part = config.number("crop_pct")?;
    if part.is_some_and(|part| !(part > 0.0 && part <= 1.0)) {
        return Err("crop_pct should be above 0 and at most 1".into());
    }
    if is(&["ConvNext"]) || part.is_some() && crop.is_none() {
        let resize = match short as u64 >= u64::from(CONVNEXT_SQUASHES) {
            true => Resize::Squash(pixels("shortest_edge", short as f64)?),
            false => Resize::Short(pixels("shortest_edge", short as f64 / part.unwrap_or(CONVNEXT_CROP))?),
        };
        return Ok((resize, Some([short; 2])));
    }
    let long = match part {
        Some(part) => short as f64 / part,
        None if is(&["Levit"]) => 256.0 / 224.0 * short as f64,
        None => short as f64,
    };
    Ok((Resize::Short(pixels("shortest_edge", long)?), crop.is_none().then_some([short; 2])))
}

/// The mean and the deviation on the 0..255 scale.
fn transformers_scale(config: &Keys<'_>, kind: &str) -> Read<([f32; 3], [f32; 3])> {
    let factor = match config.flag("do_rescale")?.unwrap_or(true) {
        true => config.number("rescale_factor")?.unwrap_or(1.0 / 255.0),
        false => 1.0,
    };
    if !(factor > 0.0 && factor.is_finite()) {
        return Err(format!("rescale_factor is {factor}, and should be above 0"));
    }
    let normalizes = config.flag("do_normalize")?.unwrap_or(config.get("image_mean").is_some());
    let (mut mean, mut std) = ([0.0; 3], [1.0; 3]);
    if normalizes {
        mean = config.triple("image_mean")?.ok_or("image_mean is missing")?;
        std = config.triple("image_std")?.ok_or("image_std is missing")?;
    }
    if config.flag("rescale_offset")?.unwrap_or(false) {
        mean = mean.map(|m| m + 1.0);
    }
    // EfficientNet's processor divides by the deviation once more for classifiers.
    if kind.contains("EfficientNet") && config.flag("include_top")?.unwrap_or(true) && normalizes {
        std = std.map(|s| s * s);
    }
    Ok((mean.map(|v| (v / factor) as f32), std.map(|v| (v / factor) as f32)))
}

/// The filter that Pillow, timm or transformers call so.
fn filter(key: &str, name: &str) -> Read<Interpolation> {
    match name {
        "nearest" => Ok(Interpolation::Nearest),
        "bilinear" => Ok(Interpolation::Bilinear),
        "bicubic" => Ok(Interpolation::Bicubic),
        "lanczos" | "lanczos3" => Ok(Interpolation::Lanczos3),
        _ => Err(format!(
            "{key}: the filter {name} is not supported; nearest, bilinear, bicubic and lanczos are"
        )),
    }
}

/// A number of pixels, rounded down.
fn extent(key: &str, value: f64) -> Read<usize> {
    match value >= 1.0 && value <= limits::IMAGE_SIDE as f64 {
        true => Ok(value as usize),
        false => Err(format!("{key} is {value}, and should be from 1 to {} pixels", limits::IMAGE_SIDE)),
    }
}

fn pixels(key: &str, value: f64) -> Read<Side> {
    extent(key, value).map(|side| Side::Pixels(side as u32))
}

/// The keys of a JSON object; null is as good as nothing.
#[derive(Clone, Copy)]
struct Keys<'a>(&'a Map<String, Value>);

impl<'a> Keys<'a> {
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn object(&self, key: &str) -> Option<Self> {
        self.get(key).and_then(Value::as_object).map(Keys)
    }

    /// The part of the object that is timm's.
    fn timm(self) -> Option<Self> {
        let is_any = |keys: &[&str]| keys.iter().any(|key| self.get(key).is_some());
        let is_plain = is_any(&["input_size", "crop_pct"]) && is_any(&["mean", "interpolation"]);
        self.object("pretrained_cfg").or(self.object("default_cfg")).or(is_plain.then_some(self))
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Value::as_str)
    }

    fn flag(&self, key: &str) -> Read<Option<bool>> {
        let bad = |value: &Value| format!("{key} is {value}, and should be true or false");
        self.get(key).map(|value| value.as_bool().ok_or_else(|| bad(value))).transpose()
    }

    fn number(&self, key: &str) -> Read<Option<f64>> {
        let bad = |value: &Value| format!("{key} is {value}, and should be a number");
        self.get(key).map(|value| value.as_f64().ok_or_else(|| bad(value))).transpose()
    }

    fn numbers(&self, key: &str) -> Read<Option<Vec<f64>>> {
        let list = |value: &Value| value.as_array()?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
        let bad = |value: &Value| format!("{key} is {value}, and should be a list of numbers");
        self.get(key).map(|value| list(value).ok_or_else(|| bad(value))).transpose()
    }

    fn triple(&self, key: &str) -> Read<Option<[f64; 3]>> {
        let bad = || format!("{key} should be three numbers, or one for all");
        let three = |list: Vec<f64>| match list[..] {
            [v] => Ok([v; 3]),
            [a, b, c] => Ok([a, b, c]),
            _ => Err(bad()),
        };
        match self.get(key).and_then(Value::as_f64) {
            Some(v) => Ok(Some([v; 3])),
            None => self.numbers(key)?.map(three).transpose(),
        }
    }

    /// A height and a width: one number for both, or an object of the two.
    fn size(&self, key: &str) -> Read<Option<[usize; 2]>> {
        match self.object(key) {
            Some(size) => match (size.size_of("height", "width")?, size.number("shortest_edge")?) {
                (None, Some(short)) => extent(key, short).map(|side| Some([side; 2])),
                (None, None) => Err(format!("{key} should be a number, or have height and width")),
                (both, _) => Ok(both),
            },
            None => self.number(key)?.map(|v| extent(key, v).map(|side| [side; 2])).transpose(),
        }
    }

    fn size_of(&self, height: &str, width: &str) -> Read<Option<[usize; 2]>> {
        match (self.number(height)?, self.number(width)?) {
            (Some(h), Some(w)) => Ok(Some([extent(height, h)?, extent(width, w)?])),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
