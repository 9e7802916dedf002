//! Attribution methods: one file per method, and the registry that pages, command line and tests read.
//!
//! A method lies in the folder of its family: [`cam`] weights the channels of a layer, [`gradient`] differentiates the
//! score by the input, [`perturbation`] hides parts of the image. What methods of a family share lies beside them.
//!
//! A method knows no device: it asks a [`Backend`](crate::backend::Backend) for scores, activations and gradients of a
//! batch. Values stay signed and unscaled; [`Map::unit`] says what they mean.

pub mod cam;
mod context;
mod cost;
pub mod fill;
pub mod gradient;
mod map;
pub mod masker;
mod method;
mod observer;
#[cfg(test)]
mod oracle;
pub mod parameters;
pub mod perturbation;
mod question;

use serde_json::Value;

pub use context::Context;
pub use cost::Cost;
pub use map::{Map, score_unit, spread};
pub use method::{About, Group, MapKind, Method, Paper};
pub use observer::{Observer, Silent};
pub use parameters::{Kind, Parameter, Settings};
pub use question::Question;

use crate::error::{Error, Result};

/// Every method, in the order in which they are shown.
pub const METHODS: &[&dyn Method] = &[
    &cam::grad_cam::GradCam,
    &cam::grad_cam_plus_plus::GradCamPlusPlus,
    &cam::hires_cam::HiResCam,
    &cam::layer_cam::LayerCam,
    &cam::xgrad_cam::XGradCam,
    &cam::score_cam::ScoreCam,
    &cam::ablation_cam::AblationCam,
    &cam::eigen_cam::EigenCam,
    &gradient::saliency::Saliency,
    &gradient::input_x_gradient::InputXGradient,
    &gradient::integrated_gradients::IntegratedGradients,
    &gradient::expected_gradients::ExpectedGradients,
    &gradient::smooth_grad::SmoothGrad,
    &gradient::vargrad::VarGrad,
    &gradient::guided_backprop::GuidedBackprop,
    &gradient::guided_grad_cam::GuidedGradCam,
    &perturbation::occlusion::Occlusion,
    &perturbation::lime::Lime,
    &perturbation::shap_partition::ShapPartition,
    &perturbation::kernel_shap::KernelShap,
    &perturbation::rise::Rise,
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
