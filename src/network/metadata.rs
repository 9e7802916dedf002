//! Labels and preprocessing that an ONNX file carries in its own metadata.
//!
//! The keys are `pellucid.labels` (one per line, in class order, or whatever else [`labels::read`] reads),
//! `pellucid.preset`, `pellucid.mean` and `pellucid.std` (`R,G,B` on the 0..255 scale), `pellucid.channels`,
//! `pellucid.resize` (the short side before the centre crop, `squash` or `pad`), `pellucid.interpolation`,
//! `pellucid.size` (`HxW`, where the input leaves it open), `pellucid.head` (`softmax`, `sigmoid` or `none`), `pellucid.name`,
//! `pellucid.license` and `pellucid.source`; `models/README.md` shows how to write them. What Ultralytics writes into its
//! YOLO classifiers is understood too: `task`, `names` and `imgsz`.

use std::str::FromStr;

use tract_onnx::pb::StringStringEntryProto;

use super::{Head, labels};
use crate::{
    error::{Error, Result},
    picture::{Channels, Interpolation, Preset, Resize, Side},
};

/// The metadata of a model file; every part may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The name of the model.
    pub name: Option<String>,
    /// The class names, in class order.
    pub labels: Option<Vec<String>>,
    /// The mean, which is subtracted from each channel, on the 0..255 scale.
    pub mean: Option<[f32; 3]>,
    /// The deviation, by which each channel is divided then, on the 0..255 scale.
    pub std: Option<[f32; 3]>,
    /// A named way of preprocessing; the other keys go before it.
    pub preset: Option<Preset>,
    /// The order of the channels.
    pub channels: Option<Channels>,
    /// How an image is resized before the centre crop.
    pub resize: Option<Resize>,
    /// How pixels are interpolated.
    pub interpolation: Option<Interpolation>,
    /// The height and width of the input, where the file leaves them open.
    pub size: Option<[usize; 2]>,
    /// The function that turns its outputs into probabilities.
    pub head: Option<Head>,
    /// The licence of the weights.
    pub license: Option<String>,
    /// The origin of the weights.
    pub source: Option<String>,
    /// A note on what was concluded rather than read.
    pub note: Option<String>,
}

/// The note on a YOLO classifier.
const YOLO: &str = "The file says that it is a YOLO classifier: its class names are taken, and pixels are scaled to 0 to 1. \
    Other numbers can be given as the mean and the deviation.";

impl Metadata {
    /// Has 128 subtracted of pixels that are read as signed bytes, unless the file says itself how they are scaled.
    /// Returns whether it did.
    pub fn centre_bytes(&mut self) -> bool {
        let is_silent = self.mean.is_none() && self.preset.is_none();
        if is_silent {
            (self.mean, self.std) = (Some([128.0; 3]), self.std.or(Some([1.0; 3])));
        }
        is_silent
    }

    /// Reads the metadata of an ONNX file.
    ///
    /// # Errors
    /// [`Error::Model`] when a key of ours has a value that cannot be read.
    pub fn read(entries: &[StringStringEntryProto]) -> Result<Self> {
        let get = |key: &str| {
            let full = format!("pellucid.{key}");
            entries.iter().find(|e| e.key == full).map(|e| e.value.clone())
        };
        let bad = |key: &str, value: &str, wanted: &str| {
            Error::Model(format!(
                "the model's metadata pellucid.{key} is {value:?}; write {wanted} there, or remove it"
            ))
        };
        let triple = |key: &str| {
            let wanted = "R,G,B on the 0..255 scale, or one number for all three";
            get(key).map(|v| parse_triple(&v).ok_or_else(|| bad(key, &v, wanted))).transpose()
        };
        let own = Self {
            name: get("name"),
            labels: get("labels").map(|v| labels::read(v.as_bytes())).transpose().map_err(|why| {
                Error::Model(format!("the model's metadata pellucid.labels: {why}, or remove it"))
            })?,
            mean: triple("mean")?,
            std: triple("std")?,
            preset: named(&get, "preset")?,
            channels: named(&get, "channels")?,
            resize: named(&get, "resize")?,
            interpolation: named(&get, "interpolation")?,
            size: get("size")
                .map(|v| parse_size(&v).ok_or_else(|| bad("size", &v, "HxW, as 224x224")))
                .transpose()?,
            head: get("head")
                .map(|v| v.trim().parse().map_err(|()| bad("head", &v, "softmax, sigmoid or none")))
                .transpose()?,
            license: get("license"),
            source: get("source"),
            note: None,
        };
        Ok(own.or_yolo(entries))
    }

    /// Fills in what a YOLO classifier says of itself. Its pixels are 0 to 1, its short side is resized bilinearly to
    /// `imgsz` and the centre is cropped (Ultralytics 8, `classify_transforms`).
    fn or_yolo(self, entries: &[StringStringEntryProto]) -> Self {
        let get = |key: &str| entries.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let names = get("names").and_then(|names| labels::read(names.as_bytes()).ok());
        let (Some("classify"), Some(names)) = (get("task"), names) else { return self };
        let first = |list: &str| {
            list.trim_start_matches('[').split([',', ']']).next().and_then(|n| n.trim().parse().ok())
        };
        let is_silent = self.mean.is_none() && self.std.is_none() && self.preset.is_none();
        Self {
            labels: self.labels.or(Some(names)),
            mean: self.mean.or(is_silent.then_some([0.0; 3])),
            std: self.std.or(is_silent.then_some([255.0; 3])),
            resize: self
                .resize
                .or(get("imgsz").and_then(first).map(|side| Resize::Short(Side::Pixels(side)))),
            interpolation: self.interpolation.or(Some(Interpolation::Bilinear)),
            size: self.size.or_else(|| sides(get("imgsz")?)),
            note: Some(YOLO.into()),
            ..self
        }
    }
}

/// The value of a key that is one of several words.
fn named<T: FromStr<Err = Error>>(get: &impl Fn(&str) -> Option<String>, key: &str) -> Result<Option<T>> {
    let bad = |error: Error| {
        Error::Model(format!("the model's metadata pellucid.{key}: {error}; write that there, or remove it"))
    };
    get(key).map(|value| value.trim().parse().map_err(bad)).transpose()
}

/// `[64, 96]` or `64`, as Ultralytics writes a height and a width.
fn sides(text: &str) -> Option<[usize; 2]> {
    let list: Option<Vec<usize>> =
        text.trim_matches(['[', ']', ' ']).split(',').map(|side| side.trim().parse().ok()).collect();
    match list?[..] {
        [side] => Some([side; 2]),
        [height, width] => Some([height, width]),
        _ => None,
    }
}

/// `HxW`, above zero.
#[must_use]
pub fn parse_size(text: &str) -> Option<[usize; 2]> {
    let (height, width) = text.trim().split_once(['x', 'X'])?;
    let side = |text: &str| text.trim().parse().ok().filter(|&side: &usize| side > 0);
    Some([side(height)?, side(width)?])
}

/// `R,G,B`, or one number for all three.
#[must_use]
pub fn parse_triple(text: &str) -> Option<[f32; 3]> {
    let parts: Vec<f32> = text.split(',').map(|p| p.trim().parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [v] if v.is_finite() => Some([v; 3]),
        [r, g, b] if [r, g, b].iter().all(|v| v.is_finite()) => Some([r, g, b]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(side: u32) -> Resize {
        Resize::Short(Side::Pixels(side))
    }

    #[test]
    fn a_yolo_classifier_is_known_by_its_own_keys() {
        let entry = |k: &str, v: &str| StringStringEntryProto { key: k.into(), value: v.into() };
        let mut entries = vec![
            entry("task", "classify"),
            entry("imgsz", "[64, 96]"),
            entry("names", r#"{0: 'ant', 1: "bird's nest", 2: 'cat, black'}"#),
        ];
        let read = Metadata::read(&entries).unwrap();
        assert_eq!(read.labels.unwrap(), ["ant", "bird's nest", "cat, black"]);
        assert_eq!((read.mean, read.std, read.resize), (Some([0.0; 3]), Some([255.0; 3]), Some(short(64))));
        assert_eq!(read.size, Some([64, 96]));
        assert!(read.note.unwrap().contains("YOLO"));
        entries.push(entry("pellucid.std", "58"));
        let own = Metadata::read(&entries).unwrap();
        assert_eq!((own.mean, own.std), (None, Some([58.0; 3])), "our own keys go first");
        entries[0].value = "detect".into();
        assert_eq!(Metadata::read(&entries).unwrap().labels, None);
    }

    #[test]
    fn keys_are_read_and_nonsense_is_named() {
        let entry = |k: &str, v: &str| StringStringEntryProto { key: k.into(), value: v.into() };
        let good = Metadata::read(&[
            entry("pellucid.labels", "cat\ndog\n"),
            entry("pellucid.mean", "1, 2,3"),
            entry("pellucid.std", "5"),
            entry("pellucid.resize", "256"),
            entry("pellucid.head", "sigmoid"),
            entry("other", "x"),
        ])
        .unwrap();
        assert_eq!(good.labels.unwrap(), ["cat", "dog"]);
        assert_eq!(
            (good.mean, good.std, good.resize),
            (Some([1.0, 2.0, 3.0]), Some([5.0; 3]), Some(short(256)))
        );
        assert_eq!(good.head, Some(Head::Sigmoid));
        let bad = Metadata::read(&[entry("pellucid.head", "softplus")]).unwrap_err().to_string();
        assert!(bad.contains("pellucid.head") && bad.contains("softmax, sigmoid or none"), "{bad}");
        let json = Metadata::read(&[entry("pellucid.labels", r#"{"dog": 1, "cat": 0}"#)]).unwrap();
        assert_eq!(json.labels.unwrap(), ["cat", "dog"]);
        let gap = Metadata::read(&[entry("pellucid.labels", r#"{"dog": 2, "cat": 0}"#)]).unwrap_err();
        assert!(gap.code() == "model" && gap.to_string().contains("pellucid.labels: "), "{gap}");
        let bad = Metadata::read(&[entry("pellucid.mean", "a,b,c")]).unwrap_err();
        assert!(
            bad.to_string().contains("pellucid.mean") && bad.to_string().contains("write R,G,B"),
            "{bad}"
        );
    }
}
