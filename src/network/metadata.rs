//! Labels and preprocessing that an ONNX file carries in its own metadata.
//!
//! The keys are `pellucid.labels` (one per line, in class order, or whatever else [`labels::read`] reads),
//! `pellucid.mean` and `pellucid.std` (`R,G,B` on the 0..255 scale), `pellucid.resize` (the short side before the
//! centre crop), `pellucid.interpolation`, `pellucid.head` (`softmax`, `sigmoid` or `none`), `pellucid.name`,
//! `pellucid.license` and `pellucid.source`; `models/README.md` shows how to write them.

use tract_onnx::pb::StringStringEntryProto;

use super::{Head, labels};
use crate::error::{Error, Result};

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
    /// The length of an image's short side, in pixels, before the centre crop.
    pub resize: Option<u32>,
    /// How pixels are interpolated: `bicubic`, `bilinear`, `nearest` or `lanczos3`.
    pub interpolation: Option<String>,
    /// The function that turns its outputs into probabilities.
    pub head: Option<Head>,
    /// The licence of the weights.
    pub license: Option<String>,
    /// The origin of the weights.
    pub source: Option<String>,
}

impl Metadata {
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
        let number = |key: &str| {
            get(key).map(|v| v.trim().parse().map_err(|_| bad(key, &v, "a number of pixels"))).transpose()
        };
        Ok(Self {
            name: get("name"),
            labels: get("labels").map(|v| labels::read(v.as_bytes())).transpose().map_err(|why| {
                Error::Model(format!("the model's metadata pellucid.labels: {why}, or remove it"))
            })?,
            mean: triple("mean")?,
            std: triple("std")?,
            resize: number("resize")?,
            interpolation: get("interpolation"),
            head: get("head")
                .map(|v| v.trim().parse().map_err(|()| bad("head", &v, "softmax, sigmoid or none")))
                .transpose()?,
            license: get("license"),
            source: get("source"),
        })
    }
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
        assert_eq!((good.mean, good.std, good.resize), (Some([1.0, 2.0, 3.0]), Some([5.0; 3]), Some(256)));
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
