//! From a map to the values that are shown, and their scale.

use serde::{Deserialize, Serialize};

use super::{
    Sign,
    display::{Blend, Channels, Display},
};
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Which values the ends of a colour map stand for, in the map's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The value at the lower end.
    pub low: f32,
    /// The value at the upper end.
    pub high: f32,
    /// The share of the map's values, 0 to 1, that lie beyond the ends.
    pub clipped_fraction: f32,
}

impl Scale {
    /// The larger distance from zero: what to put into [`Display::scale`] to show another map alike.
    #[must_use]
    pub fn magnitude(&self) -> f32 {
        self.low.abs().max(self.high.abs())
    }

    /// The position of `value` on a colour map, 0 to 1.
    ///
    /// With both signs, zero is in the middle. One sign alone takes the whole of a sequential map, from zero
    /// on, but its own half of a diverging one, so that a colour keeps its meaning. A map that is a picture of
    /// its own runs from one end to the other.
    pub(super) fn position(&self, value: f32, display: &Display) -> f32 {
        if display.blend == Blend::Picture {
            let span = self.high - self.low;
            return if span > 0.0 { ((value - self.low) / span).clamp(0.0, 1.0) } else { 0.5 };
        }
        let share = self.share(value);
        if display.sign == Sign::Both || display.colours.diverging() {
            0.5 + 0.5 * share
        } else {
            share.abs()
        }
    }

    /// `value` over the magnitude, -1 to 1; 0 when the scale is empty.
    pub(super) fn share(&self, value: f32) -> f32 {
        let magnitude = self.magnitude();
        if magnitude > 0.0 { (value / magnitude).clamp(-1.0, 1.0) } else { 0.0 }
    }
}

/// One value for each place of a map.
pub(super) struct Plane {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) values: Vec<f32>,
}

impl Plane {
    /// The plane of a map `[H, W]` or `[C, H, W]`.
    pub(super) fn reduce(map: &Tensor, channels: Channels) -> Result<Self> {
        let (height, width) = match *map.shape() {
            [h, w] | [_, h, w] if !map.is_empty() => (h, w),
            _ => {
                return Err(Error::Argument(format!(
                    "a map of shape {:?} cannot be shown; [H, W] or [C, H, W] can",
                    map.shape()
                )));
            }
        };
        map.check_finite("the map")?;
        let area = height * width;
        let mut values = map.data()[..area].to_vec();
        for channel in map.data().chunks_exact(area).skip(1) {
            for (value, &other) in values.iter_mut().zip(channel) {
                match channels {
                    Channels::Sum => *value += other,
                    Channels::MaxAbs if other.abs() > value.abs() => *value = other,
                    Channels::MaxAbs => {}
                }
            }
        }
        // A sum of finite values can overflow.
        for value in &mut values {
            *value = value.clamp(f32::MIN, f32::MAX);
        }
        Ok(Self { height, width, values })
    }

    /// The values of the sign asked for; the others are zero.
    pub(super) fn show(mut self, sign: Sign) -> Self {
        for value in &mut self.values {
            *value = match sign {
                Sign::Both => *value,
                Sign::Positive => value.max(0.0),
                Sign::Negative => value.min(0.0),
                Sign::Absolute => value.abs(),
            };
        }
        self
    }

    /// The scale of values that [`Self::show`] gave.
    pub(super) fn scale(&self, display: &Display) -> Scale {
        let magnitude = display.scale.unwrap_or_else(|| magnitude(&self.values, display.clip));
        let clipped = self.values.iter().filter(|v| v.abs() > magnitude).count();
        let (low, high) = match display.sign {
            Sign::Both => (-magnitude, magnitude),
            Sign::Positive | Sign::Absolute => (0.0, magnitude),
            Sign::Negative => (-magnitude, 0.0),
        };
        Scale { low, high, clipped_fraction: clipped as f32 / self.values.len() as f32 }
    }
}

/// The `clip`th percentile of the values' sizes, interpolated as `numpy.percentile` does. The largest where
/// that is zero: in a map that is mostly zero, the rest is no outlier.
pub(super) fn magnitude(values: &[f32], clip: f32) -> f32 {
    let mut sizes: Vec<f32> = values.iter().map(|v| v.abs()).collect();
    if sizes.is_empty() {
        return 0.0;
    }
    let largest = sizes.iter().copied().fold(0.0, f32::max);
    let place = (sizes.len() - 1) as f64 * f64::from(clip) / 100.0;
    let (_, &mut low, above) = sizes.select_nth_unstable_by(place as usize, f32::total_cmp);
    let high = above.iter().copied().fold(f32::INFINITY, f32::min);
    let percentile = if high.is_finite() {
        (f64::from(low) + (f64::from(high) - f64::from(low)) * place.fract()) as f32
    } else {
        low
    };
    if percentile > 0.0 { percentile } else { largest }
}

/// The signs that occur in a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signs {
    None,
    Positive,
    Negative,
    Both,
}

impl Signs {
    pub(super) fn of(plane: &Plane) -> Self {
        let positive = plane.values.iter().any(|&v| v > 0.0);
        let negative = plane.values.iter().any(|&v| v < 0.0);
        match (positive, negative) {
            (false, false) => Self::None,
            (true, false) => Self::Positive,
            (false, true) => Self::Negative,
            (true, true) => Self::Both,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        // numpy.percentile(numpy.abs(values), clip).
        let values = [5.0, -1.0, 3.0, -2.0, 4.0];
        for (clip, expected) in [(100.0, 5.0), (50.0, 3.0), (90.0, 4.6), (10.0, 1.4)] {
            assert_eq!(magnitude(&values, clip), expected);
        }
        assert_eq!(magnitude(&[7.0], 50.0), 7.0);
        assert_eq!(magnitude(&[], 50.0), 0.0);
    }

    #[test]
    fn a_mostly_zero_map_keeps_its_values() {
        let mut values = vec![0.0; 1000];
        values[3] = -2.0;
        assert_eq!(magnitude(&values, 99.0), 2.0);
    }

    #[test]
    fn channels_are_reduced() {
        let map = Tensor::new([2, 1, 3], vec![1.0, -5.0, 2.0, -3.0, 4.0, 2.0]).unwrap();
        assert_eq!(Plane::reduce(&map, Channels::Sum).unwrap().values, [-2.0, -1.0, 4.0]);
        assert_eq!(Plane::reduce(&map, Channels::MaxAbs).unwrap().values, [-3.0, -5.0, 2.0]);
        let huge = Plane::reduce(&Tensor::full([2, 1, 1], f32::MAX), Channels::Sum).unwrap();
        assert_eq!(huge.values, [f32::MAX]);
    }

    #[test]
    fn positions_keep_the_meaning_of_colours() {
        use super::super::ColourMap;
        let at = |sign, colours, low, high, value| {
            let display = Display { sign, colours, ..Display::default() };
            Scale { low, high, clipped_fraction: 0.0 }.position(value, &display)
        };
        assert_eq!(at(Sign::Both, ColourMap::BlueRed, -2.0, 2.0, 0.0), 0.5);
        assert_eq!(at(Sign::Both, ColourMap::Jet, -2.0, 2.0, -9.0), 0.0);
        assert_eq!(at(Sign::Positive, ColourMap::BlueRed, 0.0, 2.0, 2.0), 1.0);
        assert_eq!(at(Sign::Positive, ColourMap::BlueRed, 0.0, 2.0, 0.0), 0.5);
        assert_eq!(at(Sign::Positive, ColourMap::Jet, 0.0, 2.0, 1.0), 0.5);
        assert_eq!(at(Sign::Negative, ColourMap::Jet, -2.0, 0.0, -1.0), 0.5);
        assert_eq!(at(Sign::Negative, ColourMap::BlueRed, -2.0, 0.0, -2.0), 0.0);
        assert_eq!(at(Sign::Positive, ColourMap::Jet, 0.0, 0.0, 0.0), 0.0);
    }
}
