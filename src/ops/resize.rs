//! Resampling along any axes but the batch's: Resize and Upsample.
//!
//! Each axis is resampled alone. Nearest neighbours are a rearrangement; interpolation is a matrix with a few weights per
//! row. Source: the ONNX specification of Resize, opset 19.

use super::{
    linear_along::linear_along,
    onnx::{Operand, Reader, axis_of, size},
    rearrange::{IndexMap, check_axes, placed},
    reshape::read_identity,
};
use crate::{
    graph::{Constant, ValueId},
    limits,
};

/// How places of the output lie in the input.
#[derive(Clone, Copy, Debug)]
enum Places {
    HalfPixel,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
}

impl Places {
    fn read(name: &str) -> Result<Self, String> {
        match name {
            "half_pixel" => Ok(Self::HalfPixel),
            "pytorch_half_pixel" => Ok(Self::PytorchHalfPixel),
            "align_corners" => Ok(Self::AlignCorners),
            "asymmetric" => Ok(Self::Asymmetric),
            other => Err(format!("coordinate_transformation_mode {other:?} is not supported")),
        }
    }

    /// The position of place `i` of `out` among `from`.
    fn at(self, i: usize, out: usize, from: usize, scale: f64) -> f64 {
        let i = i as f64;
        match self {
            Self::PytorchHalfPixel if out == 1 => 0.0,
            Self::HalfPixel | Self::PytorchHalfPixel => (i + 0.5) / scale - 0.5,
            Self::AlignCorners if out == 1 => 0.0,
            // The extent that the scale asks for, which need not be whole.
            Self::AlignCorners => i * (from - 1) as f64 / (scale * from as f64 - 1.0),
            Self::Asymmetric => i / scale,
        }
    }
}

/// The neighbour that a place takes its value from.
fn nearest(mode: &str, at: f64) -> Result<f64, String> {
    Ok(match mode {
        "round_prefer_floor" => (at - 0.5).ceil(),
        "round_prefer_ceil" => (at + 0.5).floor(),
        "floor" => at.floor(),
        "ceil" => at.ceil(),
        other => return Err(format!("nearest_mode {other:?} is not supported")),
    })
}

/// The weights of the neighbours from `floor(at) + first` on.
fn weights(mode: &str, fraction: f64, coefficient: f64) -> Result<(isize, Vec<f64>), String> {
    match mode {
        "linear" => Ok((0, vec![1.0 - fraction, fraction])),
        // Keys 1981, "Cubic convolution interpolation for digital image processing", equation 4.
        "cubic" => {
            let a = coefficient;
            let near = |d: f64| ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
            let far = |d: f64| ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a;
            let f = fraction;
            Ok((-1, vec![far(1.0 + f), near(f), near(1.0 - f), far(2.0 - f)]))
        }
        other => Err(format!("mode {other:?} is not supported")),
    }
}

struct Resampling {
    mode: String,
    nearest_mode: String,
    places: Places,
    coefficient: f64,
}

/// Reads an ONNX Resize that keeps the batch axis.
pub fn read_resize(node: &mut Reader<'_>) -> Result<Operand, String> {
    let is_old = node.opset < 11;
    if !is_old && keeps_size(node) {
        return read_identity(node);
    }
    for (name, usual) in [("antialias", 0), ("exclude_outside", 0)] {
        if node.int(name, usual) != usual {
            return Err(format!("{name} is not supported"));
        }
    }
    if node.text("keep_aspect_ratio_policy", "stretch") != "stretch" {
        return Err("keep_aspect_ratio_policy is not supported".into());
    }
    let resampling = Resampling {
        mode: node.text("mode", "nearest"),
        nearest_mode: node.text("nearest_mode", if is_old { "floor" } else { "round_prefer_floor" }),
        places: match is_old {
            true => Places::Asymmetric,
            false => Places::read(&node.text("coordinate_transformation_mode", "half_pixel"))?,
        },
        coefficient: node.float("cubic_coeff_a", -0.75).into(),
    };
    let (scales, sizes) = if is_old { (1, 9) } else { (2, 3) };
    resized(node, &resampling, scales, sizes)
}

/// Whether the result has the extents of the input: then every place takes the value of its own, however it is smoothed.
fn keeps_size(node: &Reader<'_>) -> bool {
    let own = match node.inputs.first() {
        Some(Some(Operand::Constant(c))) => c.shape.clone(),
        Some(Some(Operand::Value(id))) => [&[node.batch], node.node(*id).shape.as_slice()].concat(),
        _ => return false,
    };
    let sizes = node.optional_constant(3).ok().flatten().and_then(|sizes| sizes.to_i64());
    let is_of_all = node.ints("axes").is_none()
        && node.text("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize";
    is_of_all && sizes.is_some_and(|sizes| sizes.iter().map(|&size| size as usize).eq(own))
}

/// Reads an ONNX Upsample.
pub fn read_upsample(node: &mut Reader<'_>) -> Result<Operand, String> {
    let resampling = Resampling {
        mode: node.text("mode", "nearest"),
        nearest_mode: "floor".into(),
        places: Places::Asymmetric,
        coefficient: 0.0,
    };
    resized(node, &resampling, 1, 9)
}

/// The first input with every axis in its new extent.
fn resized(node: &mut Reader<'_>, how: &Resampling, scales: usize, sizes: usize) -> Result<Operand, String> {
    let mut value = node.value(0)?;
    let shape = [&[1], node.node(value).shape.as_slice()].concat();
    let axes: Vec<usize> = match node.ints("axes") {
        None => (0..shape.len()).collect(),
        Some(axes) => axes.iter().map(|&axis| axis_of(axis, shape.len())).collect::<Result<_, _>>()?,
    };
    let extents = extents(node, &shape, &axes, scales, sizes)?;
    for (&axis, (out, scale)) in axes.iter().zip(extents) {
        if out == shape[axis] && scale == 1.0 {
            continue;
        }
        if axis == 0 {
            return Err("it would resize the batch".into());
        }
        value = along(node, value, axis - 1, (out, scale), how)?;
    }
    Ok(Operand::Value(value))
}

/// The new extent of each axis, and the scale that places are computed with.
fn extents(
    node: &Reader<'_>,
    shape: &[usize],
    axes: &[usize],
    scales: usize,
    sizes: usize,
) -> Result<Vec<(usize, f64)>, String> {
    let given = match node.opset < 9 && node.proto.op_type == "Upsample" {
        true => node.attribute("scales").map(|a| a.floats.clone()),
        // An empty constant stands for one that is left out.
        false => match node.inputs.get(scales) {
            Some(Some(Operand::Constant(c))) if !c.is_empty() => Some(c.to_f32()),
            Some(Some(Operand::Value(_))) => {
                return Err("its scales depend on the image, and should be constants".into());
            }
            _ => None,
        },
    };
    let pairs: Vec<(usize, f64)> = match given {
        Some(scales) if scales.len() == axes.len() => {
            let of = |(&axis, &scale): (&usize, &f32)| {
                (((shape[axis] as f64) * f64::from(scale)).floor(), f64::from(scale))
            };
            let pairs = axes.iter().zip(&scales).map(of);
            let checked = pairs.map(|(out, scale)| {
                match (1.0..=limits::VALUE_ELEMENTS as f64).contains(&out) && scale > 0.0 {
                    true => Ok((out as usize, scale)),
                    false => Err(format!("a scale of {scale} is not supported")),
                }
            });
            checked.collect::<Result<_, _>>()?
        }
        Some(scales) => {
            return Err(format!("{} scales are not one for each of {} axes", scales.len(), axes.len()));
        }
        None => {
            let sizes = node.constant(sizes)?.to_i64().ok_or("sizes must be integers")?;
            if sizes.len() != axes.len() {
                return Err(format!("{} sizes are not one for each of {} axes", sizes.len(), axes.len()));
            }
            let pair = |(&axis, &out): (&usize, &i64)| {
                let out = size("sizes", if axis == 0 && out == node.batch as i64 { 1 } else { out })?;
                Ok((out, out as f64 / shape[axis] as f64))
            };
            axes.iter().zip(&sizes).map(pair).collect::<Result<_, String>>()?
        }
    };
    let mut whole = shape.to_vec();
    axes.iter().zip(&pairs).for_each(|(&axis, (out, _))| whole[axis] = *out);
    match limits::product(&whole) > limits::VALUE_ELEMENTS || whole.contains(&0) {
        true => Err(format!("its result, {whole:?}, would be too large, or empty")),
        false => Ok(pairs),
    }
}

/// One axis resampled, the batch axis not counted.
fn along(
    node: &mut Reader<'_>,
    value: ValueId,
    axis: usize,
    (out, scale): (usize, f64),
    how: &Resampling,
) -> Result<ValueId, String> {
    let shape = node.node(value).shape.clone();
    let from = shape[axis];
    check_axes(&[out])?;
    check_axes(&shape)?;
    let inside = |i: f64| i.clamp(0.0, (from - 1) as f64) as usize;
    if how.mode == "nearest" {
        let source = |i| Ok(inside(nearest(&how.nearest_mode, how.places.at(i, out, from, scale))?));
        let sources = (0..out).map(source).collect::<Result<Vec<_>, String>>()?;
        return placed(node, value, IndexMap::take(&shape, axis, sources));
    }
    node.repeat(out.saturating_mul(from))?;
    let mut matrix = vec![0.0; out * from];
    for (i, row) in matrix.chunks_exact_mut(from).enumerate() {
        let at = how.places.at(i, out, from, scale);
        let (first, weights) = weights(&how.mode, at - at.floor(), how.coefficient)?;
        for (k, weight) in weights.iter().enumerate() {
            row[inside(at.floor() + (first + k as isize) as f64)] += *weight as f32;
        }
    }
    linear_along(node, value, axis, Constant::floats([out, from], matrix))
}
