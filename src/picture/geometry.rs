//! The size to which a picture is resized, and the part of it that is kept.

use std::{fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Picture, names};
use crate::{
    error::{Error, Result},
    limits::{self, IMAGE_SIDE},
};

/// How a picture is resized before the centre of it is cropped.
///
/// The size of a resize. As text: `256` (the short side), `squash`, `pad`, `keep`; with a second word, `crop 0.95`,
/// `squash 0.9` and `pad 0.9` say which part of the resized side the crop is, and `squash 256` and `pad 256` give the
/// side in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Resize {
    /// Makes the short side so long; the sides keep their ratio.
    Short(Side),
    /// Makes both sides so long, whatever their ratio was.
    Squash(Side),
    /// Makes the picture fit into so much; the sides keep their ratio, and colour surrounds it.
    Pad(Side),
    /// Leaves the size as it is.
    Keep,
}

/// The length of a side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    /// In pixels.
    Pixels(u32),
    /// The crop is this part of it, above 0 and at most 1; rounded down to whole pixels.
    Crop(f64),
}

impl Default for Resize {
    fn default() -> Self {
        Self::Short(Side::Crop(0.875))
    }
}

impl Side {
    fn of(self, extent: usize) -> usize {
        match self {
            Self::Pixels(pixels) => pixels as usize,
            Self::Crop(part) => (extent as f64 / part) as usize,
        }
    }

    fn scaled(self, scale: usize) -> Self {
        match self {
            Self::Pixels(pixels) => {
                Self::Pixels(pixels.saturating_mul(u32::try_from(scale).unwrap_or(u32::MAX)))
            }
            crop => crop,
        }
    }
}

impl Resize {
    /// The width and height of the whole picture when it is resized for a crop of `height` x `width`.
    ///
    /// # Errors
    /// [`Error::Argument`] when a size is zero, [`Error::Limit`] when a side that is asked for is longer than
    /// [`IMAGE_SIDE`].
    pub fn full_size(self, picture: &Picture, height: usize, width: usize) -> Result<(usize, usize)> {
        let [h, w] = match self {
            Self::Short(side) => [side.of(height.max(width)); 2],
            Self::Squash(side) | Self::Pad(side) => [side.of(height), side.of(width)],
            Self::Keep => [picture.height, picture.width],
        };
        // Keeps the long side of the resized picture, which is at most this squared, within 32 bits.
        limits::check("the side to resize to in pixels", h.max(w) as u64, IMAGE_SIDE)?;
        if [height, width, h, w].contains(&0) {
            return Err(Error::Argument(format!(
                "a picture cannot be resized to {w} x {h} and cropped to {width} x {height} pixels"
            )));
        }
        Ok(match self {
            Self::Short(_) => with_short_side(picture, h),
            Self::Squash(_) | Self::Keep => (w, h),
            Self::Pad(_) => within(picture, w, h),
        })
    }

    /// The same for a crop that is `scale` times as large.
    #[must_use]
    pub fn scaled(self, scale: usize) -> Self {
        match self {
            Self::Short(side) => Self::Short(side.scaled(scale)),
            Self::Squash(side) => Self::Squash(side.scaled(scale)),
            Self::Pad(side) => Self::Pad(side.scaled(scale)),
            Self::Keep => Self::Keep,
        }
    }
}

/// The width and height at which the shorter one is `short`; the longer one is rounded down.
fn with_short_side(picture: &Picture, short: usize) -> (usize, usize) {
    let longer = |long: usize, side: usize| (short as u64 * long as u64 / side as u64) as usize;
    let (w, h) = (picture.width, picture.height);
    if w <= h { (short, longer(h, w)) } else { (longer(w, h), short) }
}

/// The largest width and height of the same ratio within others, rounded as timm's `ResizeKeepRatio` does.
fn within(picture: &Picture, width: usize, height: usize) -> (usize, usize) {
    let (w, h) = (picture.width as f64, picture.height as f64);
    let ratio = (w / width as f64).max(h / height as f64);
    let side = |length: f64| ((length / ratio).round_ties_even() as usize).max(1);
    (side(w), side(h))
}

impl fmt::Display for Resize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, side) = match self {
            Self::Short(Side::Pixels(pixels)) => return write!(f, "{pixels}"),
            Self::Keep => return f.write_str("keep"),
            Self::Short(side) => ("crop", side),
            Self::Squash(side) => ("squash", side),
            Self::Pad(side) => ("pad", side),
        };
        match side {
            Side::Pixels(pixels) => write!(f, "{word} {pixels}"),
            Side::Crop(1.0) if word != "crop" => f.write_str(word),
            Side::Crop(part) => write!(f, "{word} {part:?}"),
        }
    }
}

impl FromStr for Resize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::Argument(format!(
                "resize: {text:?} is unknown; give the short side in pixels, or squash, or pad, or keep"
            ))
        };
        let (word, side) = match text.trim().split_once(' ') {
            None => (text.trim(), Side::Crop(1.0)),
            Some((word, side)) => (word, side.trim().parse().map_err(|()| bad())?),
        };
        Ok(match (word, side) {
            ("crop", side @ Side::Crop(_)) => Self::Short(side),
            ("squash", side) => Self::Squash(side),
            ("pad", side) => Self::Pad(side),
            ("keep", Side::Crop(1.0)) => Self::Keep,
            (word, Side::Crop(1.0)) => match word.parse() {
                Ok(Side::Pixels(pixels)) => Self::Short(Side::Pixels(pixels)),
                _ => return Err(bad()),
            },
            _ => return Err(bad()),
        })
    }
}

impl FromStr for Side {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(pixels) = text.parse() {
            return if pixels == 0 { Err(()) } else { Ok(Self::Pixels(pixels)) };
        }
        match text.parse() {
            Ok(part) if 0.0 < part && part <= 1.0 => Ok(Self::Crop(part)),
            _ => Err(()),
        }
    }
}

impl TryFrom<String> for Resize {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Resize> for String {
    fn from(resize: Resize) -> Self {
        resize.to_string()
    }
}

/// How the place of a centre crop is rounded where the middle lies between two pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Centre {
    /// To an even start, and padding that is short first: torchvision, timm.
    #[default]
    Even,
    /// Down, and padding that is long first: transformers.
    Down,
}

names::named!(Centre, "centre");

impl Centre {
    /// The middle `wanted` of `full` pixels, and how many are missing before it.
    #[must_use]
    pub fn part(self, full: usize, wanted: usize) -> (Range<usize>, usize) {
        if full <= wanted {
            let missing = wanted - full;
            let before = if self == Self::Even { missing / 2 } else { missing.div_ceil(2) };
            return (0..full, before);
        }
        let start = match self {
            Self::Even => ((full - wanted) as f64 / 2.0).round_ties_even() as usize,
            Self::Down => (full - wanted) / 2,
        };
        (start..start + wanted, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_written() {
        for text in ["256", "squash", "pad", "keep", "crop 0.95", "squash 0.9", "pad 300", "crop 1.0"] {
            let resize: Resize = text.parse().unwrap();
            assert_eq!(resize.to_string(), text);
            assert_eq!(
                serde_json::from_str::<Resize>(&serde_json::to_string(&resize).unwrap()).unwrap(),
                resize
            );
        }
        for text in ["", "0", "-1", "0.5", "crop 256", "crop 1.5", "squash 0", "keep 3", "NaN", "pad nan"] {
            assert_eq!(text.parse::<Resize>().unwrap_err().code(), "argument", "{text}");
        }
    }

    #[test]
    fn parts_are_those_of_torchvision_and_transformers() {
        // int(round((full - wanted) / 2.0)) of Python, and (full - wanted) // 2.
        for (full, even, down) in [(10, 0, 0), (11, 0, 0), (12, 1, 1), (13, 2, 1), (14, 2, 2), (15, 2, 2)] {
            assert_eq!(Centre::Even.part(full, 10), (even..even + 10, 0));
            assert_eq!(Centre::Down.part(full, 10), (down..down + 10, 0));
        }
        assert_eq!((Centre::Even.part(7, 10).1, Centre::Down.part(7, 10).1), (1, 2));
    }
}
