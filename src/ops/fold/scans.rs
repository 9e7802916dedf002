//! Constants whose elements depend on others along an axis or of a channel: running sums, and normalised weights.

use super::{Inputs, exact, integers};
use crate::{
    graph::{Constant, Elements},
    ops::onnx::{Reader, axis_of},
};

/// ONNX `CumSum`.
pub fn running_sum(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let input = inputs.get(0)?;
    let axis = match inputs.get(1)?.to_i64().as_deref() {
        Some(&[axis]) => axis_of(axis, input.shape.len())?,
        _ => return Err("its axis is no integer".into()),
    };
    let (is_exclusive, is_reversed) = (node.int("exclusive", 0) != 0, node.int("reverse", 0) != 0);
    let whole = input.to_i64().filter(|_| input.quantization.is_none());
    let mut values: Vec<f64> = match &whole {
        Some(integers) => exact(integers)?,
        None => input.to_f32().into_iter().map(f64::from).collect(),
    };
    let (extent, inner) = (input.shape[axis], input.shape[axis + 1..].iter().product::<usize>());
    for line in 0..values.len() / extent.max(1) {
        let start = line / inner * extent * inner + line % inner;
        let mut sum = 0.0;
        for i in 0..extent {
            let place = start + inner * if is_reversed { extent - 1 - i } else { i };
            let value = values[place];
            values[place] = if is_exclusive { sum } else { sum + value };
            sum += value;
        }
    }
    let elements = match whole {
        Some(_) => integers(&values)?,
        None => Elements::F32(values.into_iter().map(|v| v as f32).collect()),
    };
    Ok(Constant { shape: input.shape.clone(), elements, quantization: None })
}

/// ONNX BatchNormalization. In training mode the statistics are the constant's own: that is how exporters write weights
/// that are standardised.
pub fn batch_normalization(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let input = inputs.get(0)?;
    let (&[outer, channels, ..], [_, _, rest @ ..]) = (&input.shape[..], &input.shape[..]) else {
        return Err(format!("a constant of the shape {:?} has no channels", input.shape));
    };
    let inner = rest.iter().product::<usize>();
    let mut values = input.to_f32();
    let per_channel = |i: usize| -> Result<Vec<f64>, String> {
        let values = inputs.get(i)?.to_f32();
        match values.len() == channels {
            true => Ok(values.into_iter().map(f64::from).collect()),
            false => Err(format!("{} numbers are not one for each of {channels} channels", values.len())),
        }
    };
    let (scale, shift) = (per_channel(1)?, per_channel(2)?);
    // The mode is told as in `ops::affine`: the first opsets and opset 14 have an attribute each; between them only the
    // statistics tell that are made.
    let makes_statistics = node.proto.output.iter().skip(1).any(|output| !output.is_empty());
    let is_training = node.int("training_mode", 0) != 0
        || node.opset < 7 && node.int("is_test", 0) == 0
        || node.opset < 14 && makes_statistics;
    if node.int("spatial", 1) == 0 {
        return Err("spatial=0, statistics of each element, is not supported".into());
    }
    let given = match is_training {
        true => None,
        false => Some((per_channel(3)?, per_channel(4)?)),
    };
    let epsilon = f64::from(node.float("epsilon", 1e-5));
    for channel in 0..channels {
        let places = || {
            (0..outer).flat_map(move |o| {
                let start = (o * channels + channel) * inner;
                start..start + inner
            })
        };
        let (mean, variance) = match &given {
            Some((means, variances)) => (means[channel], variances[channel]),
            None => moments(places().map(|i| f64::from(values[i]))),
        };
        let factor = scale[channel] / (variance + epsilon).sqrt();
        for i in places() {
            values[i] = ((f64::from(values[i]) - mean) * factor + shift[channel]) as f32;
        }
    }
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(Constant::floats(input.shape.clone(), values)),
        false => Err("it computes what is not a number".into()),
    }
}

/// The mean and the variance of some numbers.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, values.map(|v| (v - mean).powi(2)).sum::<f64>() / count)
}
