//! The image that a file takes: its layout, and its size where the file leaves that open.

use tract_onnx::pb::{ValueInfoProto, tensor_shape_proto::dimension, type_proto};

use super::import::Importer;
use crate::{
    error::{Error, Result},
    graph::{Rows, ValueId},
    limits,
    ops::{
        onnx::{bounded, short},
        rearrange::{IndexMap, Rearrange},
    },
};

/// Height and width where a file leaves them open.
const OPEN_EXTENT: usize = 224;

/// Most channels of an image, which tell its layout: a last axis of at most so many is that of the channels.
const MOST_CHANNELS: usize = 4;

impl Importer {
    /// Adds an input. An image whose channels are its last axis is one of channels first, in another order of axes.
    pub(super) fn image(&mut self, name: &str, shape: Vec<usize>) -> Result<ValueId> {
        let [h, w, c] = shape[..] else { return Ok(self.graph.input(name, shape, Rows::Images)) };
        if !(1..=MOST_CHANNELS).contains(&c) || h <= MOST_CHANNELS || w <= MOST_CHANNELS {
            return Ok(self.graph.input(name, shape, Rows::Images));
        }
        let image = self.graph.input(name, [c, h, w], Rows::Images);
        let map = IndexMap::transpose(&[c, h, w], &[1, 2, 0]);
        self.graph.add(format!("{name}.channels_last"), Rearrange { map }, &[image])
    }

    /// The extents after the batch axis, with what the file leaves open filled in.
    pub(super) fn input_shape(&mut self, input: &ValueInfoProto) -> Result<Vec<usize>> {
        let Some(type_proto::Value::TensorType(tensor)) =
            input.r#type.as_ref().and_then(|t| t.value.as_ref())
        else {
            return Err(Error::Model(format!("input {:?} is not a tensor", input.name)));
        };
        let dims = tensor.shape.as_ref().map_or(&[][..], |s| &s.dim);
        limits::check("the number of axes of a tensor", dims.len() as u64, limits::RANK)?;
        let mut shape = vec![];
        if let Some(Some(dimension::Value::DimValue(batch @ 1..))) = dims.first().map(|dim| &dim.value) {
            self.batch = usize::try_from(*batch).unwrap_or(1);
        }
        for dim in dims.iter().skip(1) {
            shape.push(match dim.value {
                // Some exporters write -1 where they leave an extent open.
                Some(dimension::Value::DimValue(v)) if v != -1 => Some(self.extent(&input.name, v)?),
                _ => None,
            });
        }
        match <[_; 3]>::try_from(shape) {
            Ok(image) => self.image_shape(image),
            Err(shape) => Ok(shape.into_iter().map(|extent| extent.unwrap_or(OPEN_EXTENT)).collect()),
        }
    }

    /// The extents of an image, whose channels are the first axis or the last, with what the file leaves open filled in.
    fn image_shape(&mut self, image: [Option<usize>; 3]) -> Result<Vec<usize>> {
        let is_channels = |extent: Option<usize>| extent.is_some_and(|c| (1..=MOST_CHANNELS).contains(&c));
        let channels = if is_channels(image[2]) && !is_channels(image[0]) { 2 } else { 0 };
        let places = if channels == 2 { [0, 1] } else { [1, 2] };
        let fixed = places.map(|place| image[place]);
        let mut shape = image.map(|extent| extent.unwrap_or(OPEN_EXTENT));
        shape[channels] = image[channels].unwrap_or(3);
        if let Some(wanted) = self.size.wanted
            && fixed.iter().zip(wanted).any(|(fixed, wanted)| fixed.is_some_and(|fixed| fixed != wanted))
        {
            let told =
                fixed.map(|extent| extent.map_or_else(|| "any".into(), |extent: usize| extent.to_string()));
            return Err(Error::Argument(format!(
                "the model's file fixes the size of its input at {}x{} (height x width), so {}x{} cannot be chosen; leave \
                 the size out, or export the model with another",
                told[0], told[1], wanted[0], wanted[1]
            )));
        }
        if fixed.contains(&None) {
            self.is_size_open = true;
            let chosen = self.size.wanted.or(self.size.usual).unwrap_or([OPEN_EXTENT; 2]);
            for (&place, chosen) in places.iter().zip(chosen) {
                limits::check("an extent of the model's input", chosen as u64, limits::IMAGE_SIDE)?;
                shape[place] = image[place].unwrap_or(chosen.max(1));
            }
            if self.size.wanted.is_none() && self.size.usual.is_none() {
                self.assumed_size = Some(places.map(|place| shape[place]));
            }
            if self.size.wanted.is_none() {
                self.notes.push(format!(
                    "The file leaves the size of its input open; {}x{} (height x width) is used, and another can be chosen.",
                    shape[places[0]], shape[places[1]]
                ));
            }
        }
        Ok(shape.to_vec())
    }

    fn extent(&self, input: &str, extent: i64) -> Result<usize> {
        limits::check("an extent of the model's input", extent.max(0).unsigned_abs(), limits::IMAGE_SIDE)?;
        match bounded("an extent", extent, limits::IMAGE_SIDE) {
            Ok(extent) if extent > 0 => Ok(extent),
            _ => Err(Error::Model(format!(
                "input {:?} has an extent of {extent}, and should have at least 1; export it again",
                short(input)
            ))),
        }
    }
}
