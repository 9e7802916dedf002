//! The trait that each method implements, and the description that it gives of itself.

use async_trait::async_trait;
use serde::Serialize;

use super::{Context, Cost, Map, Parameter, Settings};
use crate::{
    error::Result,
    network::{Layer, Score},
};

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
    #[serde(rename = "map")]
    pub map_kind: MapKind,
}

/// An attribution method.
#[async_trait(?Send)]
pub trait Method: Sync {
    /// The method's description.
    fn about(&self) -> &'static About;

    /// True if the method needs a layer.
    fn needs_layer(&self) -> bool {
        self.about().map_kind == MapKind::Layer
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
    fn map_kind(&self, _layer: Option<&Layer>) -> MapKind {
        self.about().map_kind
    }

    /// Fills in what the defaults leave to the image, whose extents are `[C, H, W]`, or to other parameters.
    fn complete(&self, _settings: &mut Settings, _input: &[usize]) {}

    /// Explains every target: one map each, in their order.
    async fn explain(&self, context: &mut Context<'_>) -> Result<Vec<Map>>;
}
