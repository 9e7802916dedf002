//! The number that is explained.

use serde::{Deserialize, Serialize};

/// Class scores as the network's last layer gives them, or as probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Before the network's [`super::Head`].
    Logit,
    /// After it.
    Probability,
}
