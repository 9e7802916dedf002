//! The colour bar and its numbers.

use serde::Serialize;

use super::ColourMap;
use super::display::{Blend, Display};
use super::values::Scale;

/// A number beside a colour bar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tick {
    /// The value, in the map's unit.
    pub value: f64,
    /// Its position, from 0 at the scale's low end to 1 at its high end.
    pub position: f32,
    /// The value as text, as many decimals as needed.
    pub label: String,
}

/// The RGBA of a colour bar: from low on the left to high on the right where it is at least as wide as high,
/// else from low at the bottom to high at the top. Opaque: the colours at full strength, whatever the blend.
#[must_use]
pub fn legend(display: &Display, scale: Scale, width: usize, height: usize) -> Vec<u8> {
    let colours = if display.blend == Blend::Picture { ColourMap::Grey } else { display.colours };
    let table = colours.table();
    let length = width.max(height);
    let colour = |i: usize| {
        let share = if length > 1 { i as f32 / (length - 1) as f32 } else { 0.5 };
        let value = scale.low * (1.0 - share) + scale.high * share;
        let [r, g, b] = table[(256.0 * scale.position(value, display)).round() as usize];
        [r, g, b, 255]
    };
    let bar: Vec<[u8; 4]> = (0..length).map(colour).collect();
    let mut rgba = Vec::with_capacity(4 * width * height);
    for y in 0..height {
        if width >= height {
            rgba.extend(bar.iter().flatten());
        } else {
            rgba.extend(bar[height - 1 - y].repeat(width));
        }
    }
    rgba
}

/// At most `most` round numbers on a scale, lowest first, a step of 1, 2 or 5 times a power of ten apart. Zero
/// alone where the scale is empty.
#[must_use]
pub fn ticks(scale: Scale, most: usize) -> Vec<Tick> {
    let (low, high) = (f64::from(scale.low), f64::from(scale.high));
    let span = high - low;
    if !span.is_finite() || span <= 0.0 || most == 0 {
        return vec![Tick { value: 0.0, position: 0.5, label: "0".into() }];
    }
    // The finest steps that are few enough. Ends that are multiples but for rounding count.
    let ends = |(mantissa, exponent): (i64, i32)| {
        let size = mantissa as f64 * 10_f64.powi(exponent);
        ((low / size - 1e-6).ceil() as i64, (high / size + 1e-6).floor() as i64)
    };
    let mut step = step(span / (most + 1) as f64);
    while ends(step).1 - ends(step).0 >= most as i64 {
        step = coarser(step);
    }
    let ((first, last), (mantissa, exponent)) = (ends(step), step);
    let ends_large = low.abs().max(high.abs()) >= 1e6;
    let one = |i: i64| {
        let digits = i * mantissa;
        let value = decimal(digits, exponent);
        Tick {
            value,
            position: ((value - low) / span).clamp(0.0, 1.0) as f32,
            label: if ends_large || exponent < -4 {
                scientific(digits, exponent)
            } else {
                format!("{value:.*}", usize::try_from(-exponent).unwrap_or(0))
            },
        }
    };
    (first..=last).map(one).collect()
}

/// The smallest step of 1, 2 or 5 times a power of ten that is at least `least`.
fn step(least: f64) -> (i64, i32) {
    let exponent = least.log10().floor() as i32;
    let mantissa = least / 10_f64.powi(exponent);
    // Room for the rounding of the division: a step that is right should not be passed over.
    match [1, 2, 5].into_iter().find(|&m| mantissa <= m as f64 * (1.0 + 1e-6)) {
        Some(m) => (m, exponent),
        None => (1, exponent + 1),
    }
}

/// The next step after one.
fn coarser((mantissa, exponent): (i64, i32)) -> (i64, i32) {
    match mantissa {
        1 => (2, exponent),
        2 => (5, exponent),
        _ => (1, exponent + 1),
    }
}

/// `digits` times a power of ten, correctly rounded where the power is moderate.
fn decimal(digits: i64, exponent: i32) -> f64 {
    if exponent < 0 { digits as f64 / 10_f64.powi(-exponent) } else { digits as f64 * 10_f64.powi(exponent) }
}

/// `digits` times a power of ten, as 1.5e-6.
fn scientific(digits: i64, exponent: i32) -> String {
    if digits == 0 {
        return "0".into();
    }
    let text = digits.abs().to_string();
    let power = exponent + text.len() as i32 - 1;
    let (first, rest) = text.split_at(1);
    let rest = rest.trim_end_matches('0');
    let (sign, point) = (if digits < 0 { "-" } else { "" }, if rest.is_empty() { "" } else { "." });
    format!("{sign}{first}{point}{rest}e{power}")
}

#[cfg(test)]
mod tests {
    use super::super::{ColourMap, Sign};
    use super::*;

    fn labels(low: f32, high: f32, most: usize) -> Vec<String> {
        ticks(Scale { low, high, clipped_fraction: 0.0 }, most).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn steps_are_round() {
        assert_eq!(labels(0.0, 1.0, 6), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.7, 3.7, 5), ["-2", "0", "2"]);
        assert_eq!(labels(0.0, 0.3, 4), ["0.0", "0.1", "0.2", "0.3"]);
        assert_eq!(labels(-250.0, 250.0, 5), ["-200", "-100", "0", "100", "200"]);
        // Not zero alone, where the next round number lies outside.
        assert_eq!(labels(-1.65e-5, 1.65e-5, 4), ["-1e-5", "0", "1e-5"]);
        assert_eq!(labels(0.0, 7e-6, 5), ["0", "2e-6", "4e-6", "6e-6"]);
        assert_eq!(labels(-1.2e7, 0.0, 4), ["-1e7", "-5e6", "0"]);
        assert_eq!(labels(0.0, 2.5e6, 6), ["0", "5e5", "1e6", "1.5e6", "2e6", "2.5e6"]);
        assert_eq!(labels(0.0, 1e-40, 3).first().map(String::as_str), Some("0"));
    }

    #[test]
    fn never_more_than_asked_for() {
        for most in 1..12 {
            for high in [1.0_f32, 1.1, 1.9, 2.0, 3.3, 4.99, 5.0, 7.2, 9.99, 1e-9, 3e30, f32::MAX] {
                for low in [0.0, -high, -0.3 * high] {
                    let ticks = ticks(Scale { low, high, clipped_fraction: 0.0 }, most);
                    assert!(!ticks.is_empty() && ticks.len() <= most, "{low} to {high}, {most}: {ticks:?}");
                    assert!(ticks.iter().all(|t| (0.0..=1.0).contains(&t.position)));
                }
            }
        }
    }

    #[test]
    fn an_empty_scale_has_zero_alone() {
        assert_eq!(labels(0.0, 0.0, 5), ["0"]);
        assert_eq!(labels(f32::NAN, 1.0, 5), ["0"]);
    }

    #[test]
    fn the_bar_runs_from_low_to_high() {
        let display = Display { colours: ColourMap::Grey, sign: Sign::Both, ..Display::default() };
        let scale = Scale { low: -2.0, high: 2.0, clipped_fraction: 0.0 };
        let row = [0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255];
        assert_eq!(legend(&display, scale, 3, 1), row);
        assert_eq!(legend(&display, scale, 3, 2), row.repeat(2));
        let column = [255, 255, 255, 255, 128, 128, 128, 255, 0, 0, 0, 255];
        assert_eq!(legend(&display, scale, 1, 3), column);
        let negative = Display { sign: Sign::Negative, ..display };
        let below = Scale { low: -2.0, high: 0.0, clipped_fraction: 0.0 };
        assert_eq!(legend(&negative, below, 2, 1), [255, 255, 255, 255, 0, 0, 0, 255]);
        assert!(legend(&negative, below, 0, 0).is_empty());
    }
}
