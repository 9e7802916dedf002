//! Attribution methods: one file a method, and the registry that pages, command line and tests read.
//!
//! A method knows no device: it asks a [`Backend`](crate::backend::Backend) for scores, activations and gradients of a
//! batch. Values stay signed and unscaled; what they mean is said by [`Map::unit`].

mod ablation_cam;
mod cost;
mod eigen_cam;
pub mod expected_gradients;
mod grad_cam;
mod grad_cam_plus_plus;
mod guided_backprop;
mod guided_grad_cam;
mod hires_cam;
mod input_x_gradient;
mod integrated_gradients;
mod kernel_shap;
mod layer_cam;
mod lime;
mod occlusion;
pub mod parameters;
mod rise;
mod run;
mod saliency;
mod score_cam;
mod shap_partition;
mod smooth_grad;
pub mod support;
mod vargrad;
mod xgrad_cam;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;

pub use cost::Cost;
pub use parameters::{Kind, Parameter, Settings};
pub use run::{Run, cotangents};

use crate::{
    backend::Segmentation,
    error::{Error, Result},
    network::{Layer, Score},
    tensor::Tensor,
};

/// Every method, in the order in which they are shown.
pub const METHODS: &[&dyn Method] = &[
    &grad_cam::GradCam,
    &grad_cam_plus_plus::GradCamPlusPlus,
    &hires_cam::HiResCam,
    &layer_cam::LayerCam,
    &xgrad_cam::XGradCam,
    &score_cam::ScoreCam,
    &ablation_cam::AblationCam,
    &eigen_cam::EigenCam,
    &saliency::Saliency,
    &input_x_gradient::InputXGradient,
    &integrated_gradients::IntegratedGradients,
    &expected_gradients::ExpectedGradients,
    &smooth_grad::SmoothGrad,
    &vargrad::VarGrad,
    &guided_backprop::GuidedBackprop,
    &guided_grad_cam::GuidedGradCam,
    &occlusion::Occlusion,
    &lime::Lime,
    &shap_partition::ShapPartition,
    &kernel_shap::KernelShap,
    &rise::Rise,
];

/// Finds a method by its id.
pub fn method(id: &str) -> Result<&'static dyn Method> {
    METHODS.iter().copied().find(|m| m.about().id == id).ok_or_else(|| {
        let known: Vec<&str> = METHODS.iter().map(|m| m.about().id).collect();
        Error::Argument(format!("there is no method {id:?}; choose one of {}", known.join(", ")))
    })
}

/// A method as the page and the command line list it: what it is, and what it takes.
#[must_use]
pub fn describe(method: &dyn Method) -> Value {
    let mut value = serde_json::json!(method.about());
    value["layer"] = match (method.needs_layer(), method.takes_layer()) {
        (true, _) => "needed".into(),
        (false, true) => "optional".into(),
        (false, false) => "none".into(),
    };
    value["sweeps"] = method.sweeps().into();
    value["background"] = method.needs_background().into();
    value["contrasts"] = method.contrasts().into();
    value["segments"] = method.takes_segments().into();
    value["samples"] = method.takes_samples().into();
    value
}

/// The question that a method answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// "Which region spoke for the class?"
    Regions,
    /// "Which pixels would change the score if they changed a little?"
    Pixels,
    /// "What happens to the score when something is hidden?"
    Hiding,
}

/// The layout of a method's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MapKind {
    /// `[C, H, W]`: one value per channel and pixel of the input.
    Channels,
    /// `[H, W]`: one value per pixel of the input.
    Image,
    /// `[h, w]`: one value per position of a layer.
    Layer,
}

/// The publication of a method.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Paper {
    /// The authors, as papers cite them.
    pub authors: &'static str,
    /// The title.
    pub title: &'static str,
    /// The year.
    pub year: u16,
    /// A link to the text.
    pub url: &'static str,
}

/// The description of a method, from which the page's controls and the command line's help are made.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct About {
    /// The stable id.
    pub id: &'static str,
    /// The name that people know.
    pub label: &'static str,
    /// The question that it answers.
    pub group: Group,
    /// Its meaning in plain words.
    pub sentence: &'static str,
    /// Its publication.
    pub paper: Paper,
    /// The parameters that can be set.
    pub parameters: &'static [Parameter],
    /// The score that it explains unless told otherwise.
    pub default_score: Score,
    /// The number of passes through the network that it takes.
    pub cost: Cost,
    /// The layout of its map.
    pub map: MapKind,
}

/// One target's attribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The class that is explained.
    pub target: usize,
    /// The values: signed, neither scaled nor upsampled; see [`MapKind`] for the shape.
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

    /// One weight a segment, for methods that hide segments.
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

/// Hears of a method's progress.
#[async_trait(?Send)]
pub trait Observer {
    /// `done` of `total` steps are done; `partial` is what the maps would be now, for methods that sharpen.
    /// An error, [`Error::Cancelled`] for one, stops the method.
    async fn progress(&mut self, done: u64, total: u64, partial: Option<&[Map]>) -> Result<()>;
}

/// An observer that does not care.
pub struct Silent;

#[async_trait(?Send)]
impl Observer for Silent {
    async fn progress(&mut self, _: u64, _: u64, _: Option<&[Map]>) -> Result<()> {
        Ok(())
    }
}

/// An attribution method.
#[async_trait(?Send)]
pub trait Method: Sync {
    /// The method's description.
    fn about(&self) -> &'static About;

    /// True if the method needs a layer.
    fn needs_layer(&self) -> bool {
        self.about().map == MapKind::Layer
    }

    /// True if the method hides segments, and so takes the caller's own.
    fn takes_segments(&self) -> bool {
        false
    }

    /// True if the method draws rows of shown segments, and so takes the caller's own.
    fn takes_samples(&self) -> bool {
        false
    }

    /// True if a layer may be named; without one the method explains the input, unless it needs a layer.
    fn takes_layer(&self) -> bool {
        self.needs_layer()
    }

    /// True if the map at a layer follows from the layer's activation and gradient alone: then all layers together
    /// cost one pass.
    fn sweeps(&self) -> bool {
        false
    }

    /// True if the method compares with other images.
    fn needs_background(&self) -> bool {
        false
    }

    /// True if a contrast of two classes can be explained: gradient methods can.
    fn contrasts(&self) -> bool {
        matches!(self.about().group, Group::Pixels | Group::Regions)
    }

    /// True if the map is made from gradients, which a quantizer's range cuts off.
    fn differentiates(&self) -> bool {
        matches!(self.about().group, Group::Pixels | Group::Regions)
    }

    /// The layout of the map, at a layer or at the input.
    fn map(&self, _layer: Option<&Layer>) -> MapKind {
        self.about().map
    }

    /// Fills in what the defaults leave to the image, whose extents are `[C, H, W]`, or to other parameters.
    fn complete(&self, _settings: &mut Settings, _input: &[usize]) {}

    /// Explains every target: one map each, in their order.
    async fn explain(&self, run: &mut Run<'_>) -> Result<Vec<Map>>;
}
