//! The signs that are shown of a map.

use serde::{Deserialize, Serialize};

use crate::picture::names::named;

/// Which values are shown; the others count as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// All values, zero in the middle of the colour map.
    Both,
    /// Values that count for the score.
    Positive,
    /// Values that count against the score.
    Negative,
    /// The size of each value, whatever its sign.
    Absolute,
}

named!(Sign, "sign");
