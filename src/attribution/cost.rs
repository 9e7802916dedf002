//! The number of passes through the network that a method takes.

use serde::Serialize;

/// Passes through the network per image, however many classes are explained at once (gradients: per class).
///
/// Each is a sum of numbers and names: a parameter's key, or `channels` (of the layer), `images` (of the background) or
/// `windows` (positions of the hidden square). It is the most that the method takes: the CAM family leaves out channels
/// that are zero, and sampling may stop early. A gradient is a forward and a backward pass: 2.5 forward passes at most
/// on the CPU, which `cargo bench --bench cost` checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Forward passes; empty where there are none.
    pub forward: &'static str,
    /// Gradients; empty where there are none.
    pub gradient: &'static str,
}

impl Cost {
    /// One gradient, and nothing else.
    pub const GRADIENT: Self = Self { forward: "", gradient: "1" };

    /// Forward passes alone.
    #[must_use]
    pub const fn forward(forward: &'static str) -> Self {
        Self { forward, gradient: "" }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        attribution::{METHODS, oracle::Case},
        network::Score,
    };

    /// The value of a sum, by the settings of [`every_method_costs_what_it_says`].
    fn value(sum: &str) -> u64 {
        let term = |term: &str| match term {
            "" => 0,
            "channels" => 6,
            "images" => 4,
            // Squares of 4 every 3 on 9 x 11 pixels: 3 by 4 of them cover all.
            "windows" => 12,
            "samples" | "max_evals" | "steps" => 16,
            number => number.parse().unwrap(),
        };
        sum.split(" + ").map(term).sum()
    }

    #[test]
    fn every_method_costs_what_it_says() {
        for method in METHODS {
            let (about, mut case) = (method.about(), Case::new(Score::Logit));
            for (key, set) in [("samples", "16"), ("max_evals", "16"), ("steps", "16")] {
                if about.parameters.iter().any(|p| p.key == key) {
                    case.set(key, set);
                }
            }
            for (key, set) in [("window", "4"), ("stride", "3"), ("algorithm", "grid"), ("segments", "6")] {
                if about.parameters.iter().any(|p| p.key == key) {
                    case.set(key, set);
                }
            }
            case.explain(about.id, &[1]);
            let most = [value(about.cost.forward), value(about.cost.gradient)];
            let [forward, gradient] = case.passes();
            assert!(
                forward <= most[0] && gradient <= most[1],
                "{}: {:?}, not {most:?}",
                about.id,
                case.passes()
            );
            // Channels of zeros are left out; a half of KernelSHAP's pair may not fit any more.
            let is_exact = !matches!(about.id, "ablation-cam" | "score-cam" | "kernel-shap");
            assert!(
                !is_exact || [forward, gradient] == most,
                "{}: {:?}, not {most:?}",
                about.id,
                case.passes()
            );
            assert!(2 * (forward + gradient) > most[0] + most[1], "{}: {:?}", about.id, case.passes());
        }
    }
}
