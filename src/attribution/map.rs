//! A map: the attribution of one class, with its unit.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use crate::{backend::Segmentation, network::Score, tensor::Tensor};

/// One target's attribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The class that is explained.
    pub target: usize,
    /// The values: signed, neither scaled nor upsampled; see [`super::MapKind`] for the shape.
    pub values: Tensor,
    /// The unit of one value.
    pub unit: &'static str,
    /// Further results by name: an error bar, a completeness gap.
    pub extras: BTreeMap<&'static str, Value>,
    /// The segments that the method hid, which are one value each.
    pub segments: Option<Arc<Segmentation>>,
}

impl Map {
    /// A map with nothing said besides.
    #[must_use]
    pub fn new(target: usize, values: Tensor, unit: &'static str) -> Self {
        Self { target, values, unit, extras: BTreeMap::new(), segments: None }
    }

    /// The numbers of an extra; what is no number, as a standard error that is not known yet, is left out.
    fn extra(&self, key: &str) -> Vec<f64> {
        let value = self.extras.get(key);
        let many = value.and_then(Value::as_array).into_iter().flatten();
        many.chain(value).filter_map(Value::as_f64).collect()
    }

    /// One weight per segment, for methods that hide segments.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        self.extra("weights")
    }
}

/// A bound on how far maps are from their final values, in their unit: the largest standard error, or for methods
/// that refine parts the largest change of a part that is still whole.
#[must_use]
pub fn spread(maps: &[Map]) -> Option<f64> {
    let keys = ["standard_error", "standard_errors", "largest_unrefined"];
    maps.iter().flat_map(|map| keys.into_iter().flat_map(|key| map.extra(key))).reduce(f64::max)
}

/// The unit of a map whose values add up to a score.
#[must_use]
pub fn score_unit(score: Score) -> &'static str {
    match score {
        Score::Logit => "logit",
        Score::Probability => "probability",
    }
}
