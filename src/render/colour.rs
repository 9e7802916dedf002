//! The colour maps.

use serde::{Deserialize, Serialize};

use crate::picture::names::named;

/// A colour map, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColourMap {
    /// Blue through white to red: ColorBrewer's RdBu, the other way round. Safe for the colour-blind.
    BlueRed,
    /// Purple through white to orange: ColorBrewer's PuOr, the other way round. Safe for the colour-blind.
    PurpleOrange,
    /// The blue and the red of the `shap` package's plots, each from white.
    Shap,
    /// Black through purple to yellow (van der Walt and Smith 2015). Even steps, safe for the colour-blind.
    Inferno,
    /// Black through purple to pale yellow (van der Walt and Smith 2015). As even and safe as inferno.
    Magma,
    /// Purple through green to yellow (van der Walt and Smith 2015). As even and safe as inferno.
    Viridis,
    /// A rainbow of even steps (Mikhailov 2019).
    Turbo,
    /// The old rainbow, as matplotlib defines it. Its bright bands look like edges that the data do not have.
    Jet,
    /// Black to white.
    Grey,
}

named!(ColourMap, "colours");

/// The ends of ColorBrewer's diverging maps are so dark that on a photograph both look black: a tenth at each
/// end is left out.
const DARK_END: f64 = 0.1;

impl ColourMap {
    /// Every one, in the order in which to offer them.
    pub const ALL: [Self; 9] = [
        Self::BlueRed,
        Self::PurpleOrange,
        Self::Shap,
        Self::Inferno,
        Self::Magma,
        Self::Viridis,
        Self::Turbo,
        Self::Jet,
        Self::Grey,
    ];

    /// The name in JSON and on the command line.
    #[must_use]
    pub fn id(self) -> String {
        self.to_string()
    }

    /// The name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BlueRed => "Blue to red",
            Self::PurpleOrange => "Purple to orange",
            Self::Shap => "SHAP’s blue and red",
            Self::Inferno => "Inferno",
            Self::Magma => "Magma",
            Self::Viridis => "Viridis",
            Self::Turbo => "Turbo",
            Self::Jet => "Jet",
            Self::Grey => "Grey",
        }
    }

    /// True if the middle is neutral, and the ends stand for two signs.
    #[must_use]
    pub fn diverging(self) -> bool {
        matches!(self, Self::BlueRed | Self::PurpleOrange | Self::Shap)
    }

    /// The colour at `t`, from 0 to 1 (clamped).
    #[must_use]
    pub fn at(self, t: f64) -> [u8; 3] {
        self.unit(t).map(|v| (255.0 * v).round() as u8)
    }

    /// The colour at `t` with channels from 0 to 1.
    pub(super) fn unit(self, t: f64) -> [f64; 3] {
        let t = t.clamp(0.0, 1.0);
        let from = |gradient: colorous::Gradient, t: f64| {
            let c = gradient.eval_continuous(t);
            [c.r, c.g, c.b].map(|v| f64::from(v) / 255.0)
        };
        let inside = DARK_END + (1.0 - 2.0 * DARK_END) * t;
        match self {
            Self::BlueRed => from(colorous::RED_BLUE, 1.0 - inside),
            // colorous, unlike its d3 original, has this one from purple to orange.
            Self::PurpleOrange => from(colorous::PURPLE_ORANGE, inside),
            Self::Shap => {
                let share = (2.0 * t - 1.0).abs();
                Self::end(t).map(|c| 1.0 - share + share * f64::from(c) / 255.0)
            }
            Self::Inferno => from(colorous::INFERNO, t),
            Self::Magma => from(colorous::MAGMA, t),
            Self::Viridis => from(colorous::VIRIDIS, t),
            Self::Turbo => from(colorous::TURBO, t),
            Self::Jet => [&JET_RED[..], &JET_GREEN, &JET_BLUE].map(|points| piecewise(points, t)),
            Self::Grey => [t; 3],
        }
    }

    /// The colour at the end of [`Self::Shap`] that `t` is nearer to: `red_transparent_blue` in `shap/plots/colors`
    /// has no others, and fades by opacity alone.
    pub(super) fn end(t: f64) -> [u8; 3] {
        if t < 0.5 { [30, 136, 229] } else { [255, 13, 87] }
    }

    /// The colours at `i / 256` for `i` from 0 to 256: an odd number, so that zero is exactly in the middle.
    pub(super) fn table(self) -> Vec<[u8; 3]> {
        (0..=256).map(|i| self.at(f64::from(i) / 256.0)).collect()
    }
}

// The corners of jet, as (position, value): the data of matplotlib's `_jet_data` in
// https://github.com/matplotlib/matplotlib/blob/main/lib/matplotlib/_cm.py
const JET_RED: [(f64, f64); 5] = [(0.0, 0.0), (0.35, 0.0), (0.66, 1.0), (0.89, 1.0), (1.0, 0.5)];
const JET_GREEN: [(f64, f64); 6] =
    [(0.0, 0.0), (0.125, 0.0), (0.375, 1.0), (0.64, 1.0), (0.91, 0.0), (1.0, 0.0)];
const JET_BLUE: [(f64, f64); 5] = [(0.0, 0.5), (0.11, 1.0), (0.34, 1.0), (0.65, 0.0), (1.0, 0.0)];

/// The line through `points`, which start at 0 and end at 1, at `t`.
fn piecewise(points: &[(f64, f64)], t: f64) -> f64 {
    for pair in points.windows(2) {
        let [(from, low), (to, high)] = [pair[0], pair[1]];
        if t <= to {
            return low + (high - low) * (t - from) / (to - from);
        }
    }
    points.last().map_or(0.0, |p| p.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jet_is_matplotlibs() {
        // matplotlib.colormaps["jet"](i), matplotlib 3.11.2.
        let cases: [(u8, [f64; 3]); 9] = [
            (0, [0.000000, 0.000000, 0.500000]),
            (20, [0.000000, 0.000000, 0.856506]),
            (60, [0.000000, 0.441176, 1.000000]),
            (90, [0.009488, 0.911765, 0.958254]),
            (128, [0.490196, 1.000000, 0.477546]),
            (165, [0.958254, 0.973856, 0.009488]),
            (200, [1.000000, 0.465505, 0.000000]),
            (230, [0.945633, 0.029775, 0.000000]),
            (255, [0.500000, 0.000000, 0.000000]),
        ];
        for (i, expected) in cases {
            for (got, expected) in ColourMap::Jet.unit(f64::from(i) / 255.0).into_iter().zip(expected) {
                assert!((got - expected).abs() < 1e-6, "{i}: {got}, not {expected}");
            }
        }
    }

    #[test]
    fn ends_and_middles() {
        assert_eq!(ColourMap::Grey.at(0.5), [128; 3]);
        assert_eq!(ColourMap::Viridis.at(0.0), [68, 1, 84]);
        assert_eq!(ColourMap::Viridis.at(1.0), [253, 231, 37]);
        assert_eq!(ColourMap::Inferno.at(0.0), [0, 0, 4]);
        assert_eq!(ColourMap::Magma.at(7.0), ColourMap::Magma.at(1.0));
        for map in ColourMap::ALL.into_iter().filter(|m| m.diverging()) {
            let [r, g, b] = map.at(0.5);
            assert!(r.min(g).min(b) > 230, "{map} is neutral in the middle");
            assert_eq!(map.table()[128], map.at(0.5));
            let ([r0, _, b0], [r1, _, b1]) = (map.at(0.0), map.at(1.0));
            assert!(b0 > r0 && r1 > b1, "{map}: cold is against, warm is for");
        }
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for map in ColourMap::ALL {
            assert_eq!(map.id().parse::<ColourMap>().unwrap(), map);
            assert_eq!(ColourMap::ALL.iter().filter(|m| m.label() == map.label()).count(), 1);
        }
        let error = "rainbow".parse::<ColourMap>().unwrap_err().to_string();
        assert!(error.contains("blue-red") && error.contains("viridis"), "{error}");
    }
}
