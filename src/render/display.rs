//! Options for showing a map.

use serde::{Deserialize, Serialize};

use super::{ColourMap, Features, Sign};
use crate::attribution::MapKind;
use crate::error::{Error, Result};
use crate::json::{parse, read};
use crate::picture::names::named;

/// The rule that reduces the channels of a `[C, H, W]` map to one value per pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// Their sum: what the pixel as a whole contributes.
    Sum,
    /// The one that is farthest from zero, with its sign. With [`Sign::Absolute`] this is the saliency map of
    /// Simonyan et al. (2013).
    MaxAbs,
}

named!(Channels, "channels");

/// Interpolation of a map with fewer values than the picture has pixels, from centres of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Upsampling {
    /// Smoothly, between the four values around (`align_corners=False`).
    Bilinear,
    /// Blocks of one value.
    Nearest,
}

named!(Upsampling, "interpolation");

/// The way in which colours and picture are blended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blend {
    /// `opacity * colour + (1 - opacity) * picture`.
    Overlay,
    /// An overlay with an opacity that grows from zero with the size of the value: what has no value stays
    /// untouched.
    AlphaByMagnitude,
    /// `opacity * colour + picture`, stretched to black and white, as in Keras's Grad-CAM example: the colours
    /// of 256 levels, stretched likewise, are enlarged by Pillow's bicubic filter, whatever the interpolation.
    Tutorial,
    /// `opacity * map + (1 - opacity) * picture`, where the map is a picture of its own, as tutorials show guided
    /// backpropagation: its three channels are red, green and blue (any other number is reduced, and grey), shifted
    /// and scaled to mean 0.5 and deviation 0.25 and clipped to 0..1. Signs, colours and percentile play no part.
    Picture,
}

named!(Blend, "blend");

/// The ground under the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Underlay {
    /// The picture.
    Colour,
    /// The picture in grey.
    Grey,
    /// The picture in light grey, so that no colour is taken for a value.
    Pale,
    /// The picture in grey at an opacity of 0.15 over white, as in SHAP's plots.
    Faint,
}

named!(Underlay, "underlay");

/// Options for showing a map. In JSON, all names are words in lower case joined by hyphens; what is left out has the
/// value of [`Display::default`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Display {
    /// The colour map.
    pub colours: ColourMap,
    /// Opacity of the colours, 0 to 1.
    pub opacity: f32,
    /// Which values are shown.
    pub sign: Sign,
    /// The rule that reduces channels.
    pub channels: Channels,
    /// The percentile of the shown values' sizes that the end of the colour map stands for, above 0 and up to
    /// 100: a few outliers should not take all the contrast.
    pub clip: f32,
    /// The size that the end of the colour map stands for, in the map's unit, instead of a percentile: to
    /// compare maps. See [`super::shared_scale()`] and [`super::Scale::magnitude`].
    pub scale: Option<f32>,
    /// The interpolation of small maps.
    pub interpolation: Upsampling,
    /// The way in which colours and picture are blended.
    pub blend: Blend,
    /// The ground under the map.
    pub underlay: Underlay,
    /// For maps of segments: shows the segments themselves, and no colours.
    pub features: Option<Features>,
}

impl Default for Display {
    /// For a signed map with a value for each pixel.
    fn default() -> Self {
        Self::for_map(true, true)
    }
}

impl Display {
    /// The defaults for a kind of map: `signed` when values below zero mean something, `fine` when it has a
    /// value for each pixel and not for each region.
    ///
    /// Signed maps get a diverging map whose opacity grows with the value; unsigned ones a sequential map.
    /// Signed maps lie over a grey picture, lest a red coat be taken for evidence; fine ones over a pale one,
    /// where single pixels would be lost otherwise. Fine maps have outliers, which are clipped.
    #[must_use]
    pub fn for_map(signed: bool, fine: bool) -> Self {
        Self {
            colours: if signed { ColourMap::BlueRed } else { ColourMap::Inferno },
            opacity: match (signed, fine) {
                (true, true) => 1.0,
                (true, false) | (false, true) => 0.85,
                (false, false) => 0.6,
            },
            sign: match (signed, fine) {
                (true, _) => Sign::Both,
                (false, true) => Sign::Absolute,
                (false, false) => Sign::Positive,
            },
            channels: if signed { Channels::Sum } else { Channels::MaxAbs },
            clip: if fine { 99.5 } else { 100.0 },
            scale: None,
            interpolation: Upsampling::Bilinear,
            blend: if signed { Blend::AlphaByMagnitude } else { Blend::Overlay },
            underlay: match (signed, fine) {
                (true, true) => Underlay::Pale,
                (true, false) => Underlay::Grey,
                (false, _) => Underlay::Colour,
            },
            features: None,
        }
    }

    /// How a method's map is shown unless someone chooses otherwise, in the page and in files: `signed` when it has
    /// values below zero.
    #[must_use]
    pub fn suited(method: &str, map: MapKind, signed: bool) -> Self {
        match map {
            _ if method == "shap-partition" && signed => Self::image_plot(),
            // The CAM papers show what counts for the class; the rest is one choice away.
            MapKind::Layer => Self { sign: Sign::Positive, ..Self::for_map(false, false) },
            MapKind::Image => Self::for_map(signed, false),
            MapKind::Channels => Self::for_map(signed, true),
        }
    }

    /// These options with some of them replaced: pairs of an option's name and its value, as JSON or a bare word.
    ///
    /// # Errors
    /// [`Error::Argument`] as for [`Display::from_json`].
    pub fn with(&self, changes: &[(String, String)]) -> Result<Self> {
        let mut options = serde_json::to_value(self).map_err(|e| Error::Argument(e.to_string()))?;
        for (key, text) in changes {
            options[key.as_str()] = serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
        }
        Self::from_json(&options.to_string())
    }

    /// Keras's Grad-CAM example: jet at 0.4 over the picture.
    #[must_use]
    pub fn tutorial() -> Self {
        Self {
            colours: ColourMap::Jet,
            opacity: 0.4,
            blend: Blend::Tutorial,
            underlay: Underlay::Colour,
            ..Self::for_map(false, false)
        }
    }

    /// The style of `shap.image_plot` (shap 0.51): channels summed, blue against and red for the score, as
    /// opaque as they are large up to the 99.9th percentile of their sizes, over a faint grey picture (which the
    /// package stretches to its own black and white first). With [`super::shared_scale()`] over several classes, one
    /// panel each, it is that plot.
    #[must_use]
    pub fn image_plot() -> Self {
        Self {
            colours: ColourMap::Shap,
            clip: 99.9,
            interpolation: Upsampling::Nearest,
            underlay: Underlay::Faint,
            ..Self::for_map(true, true)
        }
    }

    /// Reads options from JSON, and checks them. An unknown name is an [`Error::Argument`] that lists the known
    /// ones.
    pub fn from_json(json: &str) -> Result<Self> {
        let display: Self = read("display option", parse("display options", json)?)?;
        display.check()?;
        Ok(display)
    }

    /// Fails with [`Error::Argument`] when a number is out of its range.
    pub fn check(&self) -> Result<()> {
        let bad = |what: &str, got: f32, range: &str| {
            Err(Error::Argument(format!("the display option {what} is {got}, and must be {range}")))
        };
        if !(0.0..=1.0).contains(&self.opacity) {
            return bad("opacity", self.opacity, "between 0 and 1");
        }
        if !(self.clip > 0.0 && self.clip <= 100.0) {
            return bad("clip", self.clip, "a percentile above 0 and up to 100");
        }
        match self.scale {
            Some(scale) if !(scale > 0.0 && scale.is_finite()) => {
                bad("scale", scale, "above zero, and finite")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_defaults_and_round_trips() {
        assert_eq!(Display::from_json("{}").unwrap(), Display::default());
        let text = r#"{"colours": "purple-orange", "blend": "alpha-by-magnitude", "channels": "max-abs", "scale": 2}"#;
        let display = Display::from_json(text).unwrap();
        assert_eq!(display.colours, ColourMap::PurpleOrange);
        assert_eq!((display.channels, display.scale), (Channels::MaxAbs, Some(2.0)));
        for (signed, fine) in [(false, false), (false, true), (true, false), (true, true)] {
            let display = Display::for_map(signed, fine);
            assert_eq!(Display::from_json(&serde_json::to_string(&display).unwrap()).unwrap(), display);
            assert_eq!(display.colours.diverging(), signed);
        }
    }

    #[test]
    fn unknown_names_list_the_known_ones() {
        for (text, known) in [
            (r#"{"colours": "rainbow"}"#, "viridis"),
            (r#"{"blend": "Overlay"}"#, "alpha-by-magnitude"),
            (r#"{"sign": "plus"}"#, "negative"),
            (r#"{"opaque": 1}"#, "opacity"),
        ] {
            let error = Display::from_json(text).unwrap_err();
            assert_eq!(error.code(), "argument");
            assert!(error.to_string().contains(known), "{error}");
        }
        assert!("up".parse::<Sign>().unwrap_err().to_string().contains("absolute"));
        assert_eq!("max-abs".parse::<Channels>().unwrap().to_string(), "max-abs");
    }

    #[test]
    fn ranges_are_checked() {
        for text in [
            r#"{"opacity": -0.1}"#,
            r#"{"opacity": 1.1}"#,
            r#"{"clip": 0}"#,
            r#"{"clip": 101}"#,
            r#"{"scale": 0}"#,
            r#"{"scale": -1}"#,
            r#"{"opacity": "much"}"#,
            "7",
        ] {
            assert_eq!(Display::from_json(text).unwrap_err().code(), "argument", "{text}");
        }
        let change = |key: &str, value: &str| Display::default().with(&[(key.into(), value.into())]);
        let changed = change("colours", "inferno").unwrap();
        assert_eq!(changed, Display { colours: ColourMap::Inferno, ..Display::default() });
        assert_eq!(change("scale", "0.25").unwrap().scale, Some(0.25));
        assert_eq!(change("features", r#"{"count": 3}"#).unwrap().features.map(|f| f.count), Some(3));
        for (key, value) in [("opacity", "2"), ("opacity", "much"), ("colour", "inferno"), ("sign", "plus")] {
            assert_eq!(change(key, value).unwrap_err().code(), "argument", "{key}={value}");
        }
        let nan = Display { opacity: f32::NAN, ..Display::default() };
        assert_eq!(nan.check().unwrap_err().code(), "argument");
    }
}
