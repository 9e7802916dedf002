//! The answer to a request, and how it is reported.

use serde_json::Value;

use super::{Class, Saturation, Target};
use crate::{
    attribution::{Map, MapKind, Settings},
    backend::Description,
    network::{Head, Score},
};

/// One target's map with what it belongs to.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The class and its scores for the image.
    pub class: Class,
    /// The map.
    pub map: Map,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The method's id.
    pub method: &'static str,
    /// The method that made the maps.
    pub map_kind: MapKind,
    /// One map a target.
    pub targets: Vec<Explained>,
    /// The class that every target was held against.
    pub versus: Option<Target>,
    /// The layer, for methods that looked at one.
    pub layer: Option<String>,
    /// The score that was explained.
    pub score: Score,
    /// The function that turned the network's outputs into probabilities.
    pub head: Head,
    /// The parameters, defaults included.
    pub parameters: Settings,
    /// The seed of random numbers.
    pub seed: u64,
    /// How many images the network was run on.
    pub evaluations: u64,
    /// Which backend ran it.
    pub backend: Description,
    /// How many of a quantized network's values were saturated for this image, where gradients were taken.
    pub saturation: Option<Saturation>,
    /// True if the method was stopped: the maps are then the last that it had shown.
    pub stopped: bool,
    /// Notes for a reader of the numbers.
    pub notes: Vec<String>,
}

impl Explanation {
    /// The report that `--json` prints, but for the time that it took.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let per_target = |e: &Explained| {
            let (low, high) = e.map.values.range();
            let mut entry = serde_json::json!({
                "target": e.class.target,
                "logit": e.class.logit,
                "probability": e.class.probability,
                "sum": e.map.values.sum(),
                "min": low,
                "max": high,
                "unit": e.map.unit,
                "shape": e.map.values.shape(),
            });
            for (key, value) in &e.map.extras {
                entry[*key] = value.clone();
            }
            entry
        };
        let mut report = serde_json::json!({
            "method": self.method,
            "versus": self.versus,
            "layer": self.layer,
            "score": self.score,
            "head": self.head,
            "parameters": self.parameters,
            "seed": self.seed,
            "backend": self.backend.kind,
            "adapter": self.backend.adapter,
            "evaluations": self.evaluations,
            "saturation": self.saturation,
            "notes": self.notes,
        });
        let targets: Vec<Value> = self.targets.iter().map(per_target).collect();
        if let Value::Object(report) = &mut report {
            match <[Value; 1]>::try_from(targets) {
                Ok([Value::Object(only)]) => report.extend(only),
                Ok(other) => drop(report.insert("targets".into(), Value::from(other.to_vec()))),
                Err(several) => drop(report.insert("targets".into(), Value::from(several))),
            }
        }
        report
    }
}

/// The note on a map on which nothing speaks for its class.
pub(super) fn empty_note(map: &Map, label: &str) -> Option<String> {
    match map.values.range() {
        (0.0, 0.0) => Some(format!("The map of {label:?} is zero everywhere.")),
        (_, high) if high <= 0.0 => {
            Some(format!("The map of {label:?} is nowhere positive: nothing in it speaks for the class."))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::empty_note;
    use crate::{attribution::Map, tensor::Tensor};

    #[test]
    fn maps_that_say_nothing_for_a_class_say_so() {
        let note = |values: [f32; 2]| {
            empty_note(&Map::new(0, Tensor::new([1, 2], values.to_vec()).unwrap(), "logit"), "cat")
        };
        assert!(note([0.0, 0.0]).unwrap().contains("zero everywhere"));
        assert!(note([-1.0, 0.0]).unwrap().contains("nowhere positive"));
        assert_eq!(note([-1.0, 0.5]), None);
        assert_eq!(note([0.0, 0.5]), None);
    }
}
