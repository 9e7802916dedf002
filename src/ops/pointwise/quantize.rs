//! Reads the ONNX operators QuantizeLinear and DequantizeLinear, of activations and of weights.

use std::sync::Arc;

use super::Pointwise;
use crate::{
    chain::{QuantParams, Quantizer, Step},
    graph::{Constant, Elements, Quantization},
    ops::onnx::{Operand, Reader},
};

/// Reads scales and zero points. Their `axis` is one of a batch: the first axis of an image's value is axis 1.
fn quant_params(node: &Reader<'_>, rank: usize) -> Result<(QuantParams, Option<Arc<Constant>>), String> {
    let scales = node.constant(1)?.to_f32();
    if node.int("block_size", 0) != 0 {
        return Err("blocked quantization is not supported".into());
    }
    let axis = node.int("axis", 1);
    if scales.len() > 1 && axis != 1 && axis != 1 - rank_i64(rank) {
        return Err(format!("scales along axis {axis} are not supported, only along the channels"));
    }
    let zero = node.optional_constant(2)?;
    if zero.as_ref().is_some_and(|z| matches!(z.elements, Elements::F32(_))) {
        return Err("the zero point must be an integer".into());
    }
    let zero_points = zero.as_ref().map_or_else(|| vec![0.0; scales.len()], |z| z.raw_f32());
    if zero_points.len() != scales.len() || scales.iter().any(|s| *s <= 0.0 || !s.is_finite()) {
        return Err("every scale must be a positive number and have its zero point".into());
    }
    Ok((QuantParams { scales, zero_points }, zero))
}

fn rank_i64(rank: usize) -> i64 {
    rank as i64
}

/// The range of the integer type that a zero point has; uint8 where there is none.
fn range(zero_point: Option<&Constant>) -> Result<(f32, f32), String> {
    match zero_point.map(|z| &z.elements) {
        None | Some(Elements::U8(_)) => Ok((0.0, 255.0)),
        Some(Elements::I8(_)) => Ok((-128.0, 127.0)),
        Some(_) => Err("only uint8 and int8 activations are supported".into()),
    }
}

/// Reads an ONNX QuantizeLinear.
pub fn read_quantize(node: &mut Reader<'_>) -> Result<Operand, String> {
    if let Some(Some(Operand::Constant(c))) = node.inputs.first().cloned() {
        return quantize_constant(node, &c);
    }
    let input = node.value(0)?;
    let rank = node.node(input).shape.len() + 1;
    let (params, zero) = quant_params(node, rank)?;
    if zero.is_none() && node.int("output_dtype", 0) > 3 {
        return Err("only uint8 and int8 activations are supported".into());
    }
    let (low, high) = if zero.is_none() && node.int("output_dtype", 0) == 3 {
        (-128.0, 127.0)
    } else {
        range(zero.as_deref())?
    };
    node.add(Pointwise::one(Step::Quantize(Arc::new(Quantizer { params, low, high }))), &[input])
}

/// Weights that the file keeps as floats although a quantizer follows: quantized here, once.
fn quantize_constant(node: &mut Reader<'_>, constant: &Constant) -> Result<Operand, String> {
    let quantization = constant_quantization(node, constant)?;
    if quantization.scales.contains(&0.0) {
        return Err("every scale must be a positive number".into());
    }
    let (low, high) = range(node.optional_constant(2)?.as_deref())?;
    let marked = Constant { quantization: Some(quantization.clone()), ..constant.clone() };
    let per = |i: usize| {
        let inner: usize = marked.shape.iter().skip(quantization.axis + 1).product();
        if quantization.scales.len() == 1 { 0 } else { i / inner % quantization.scales.len() }
    };
    let values = constant.to_f32().into_iter().enumerate().map(|(i, v)| {
        let (scale, zero) = (quantization.scales[per(i)], quantization.zero_points[per(i)]);
        ((v / scale).round_ties_even() + zero as f32).clamp(low, high)
    });
    let elements = if low < 0.0 {
        Elements::I8(values.map(|v| v as i8).collect())
    } else {
        Elements::U8(values.map(|v| v as u8).collect())
    };
    Ok(Operand::Constant(Arc::new(Constant { shape: constant.shape.clone(), elements, quantization: None })))
}

/// Scales and zero points of a constant, with the axis that they run along.
fn constant_quantization(node: &Reader<'_>, constant: &Constant) -> Result<Quantization, String> {
    let scales = node.constant(1)?.to_f32();
    if scales.iter().any(|s| *s < 0.0 || !s.is_finite()) {
        return Err("every scale must be a positive number".into());
    }
    let zero = node.optional_constant(2)?;
    let zero_points = match &zero {
        None => vec![0; scales.len()],
        Some(z) => {
            z.to_i64().ok_or("the zero point must be an integer")?.iter().map(|&v| clamp_i32(v)).collect()
        }
    };
    let axis = node.int("axis", 1);
    let axis = if axis < 0 { axis + rank_i64(constant.shape.len()) } else { axis };
    let per_axis = scales.len() > 1;
    let axis = if per_axis { crate::ops::onnx::size("axis", axis)? } else { 0 };
    if zero_points.len() != scales.len() || per_axis && constant.shape.get(axis) != Some(&scales.len()) {
        return Err(format!("{} scales do not fit a constant of shape {:?}", scales.len(), constant.shape));
    }
    Ok(Quantization { axis, scales, zero_points })
}

fn clamp_i32(v: i64) -> i32 {
    v.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// Reads an ONNX DequantizeLinear, of an activation or of weights.
pub fn read_dequantize(node: &mut Reader<'_>) -> Result<Operand, String> {
    if let Some(Some(Operand::Constant(c))) = node.inputs.first().cloned() {
        if matches!(c.elements, Elements::F32(_)) || c.quantization.is_some() {
            return Err("its input must be integers".into());
        }
        let quantization = Some(constant_quantization(node, &c)?);
        return Ok(Operand::Constant(Arc::new(Constant { quantization, ..(*c).clone() })));
    }
    let input = node.value(0)?;
    let rank = node.node(input).shape.len() + 1;
    let (params, zero) = quant_params(node, rank)?;
    let (low, high) = range(zero.as_deref()).unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
    node.add(Pointwise::one(Step::Dequantize(Arc::new(Quantizer { params, low, high }))), &[input])
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::{Arc, Pointwise, QuantParams, Quantizer, Step};
    use crate::{
        chain::Clip,
        graph::Graph,
        ops::cases::{Case, image_shape, int, single},
        rng::Rng,
    };

    pub const ALL: &[Case] = &[Case {
        is_derivative: false,
        ..Case::new("Quantizer", &["DequantizeLinear", "QuantizeLinear"], quantizers)
    }];

    /// A quantizer of 8 bits that some of the inputs saturate.
    pub fn random_quantizer(rng: &mut Rng, channels: usize) -> Arc<Quantizer> {
        let n = if rng.random() { 1 } else { channels };
        let (low, high): (f32, f32) = if rng.random() { (0.0, 255.0) } else { (-128.0, 127.0) };
        let scales = (0..n).map(|_| rng.random_range(0.001..0.01)).collect();
        let zero_points = (0..n).map(|_| rng.random_range(low..high).round()).collect();
        Arc::new(Quantizer { params: QuantParams { scales, zero_points }, low, high })
    }

    fn quantizers(rng: &mut Rng) -> Graph {
        let shape = image_shape(rng);
        let (q, r) = (random_quantizer(rng, shape[0]), random_quantizer(rng, shape[0]));
        let relu = Step::Clip(Clip { low: 1.0 / 8192.0, high: 0.75 });
        let steps = match int(rng, 0, 3) {
            0 => vec![Step::Quantize(q)],
            1 => vec![Step::Quantize(q.clone()), Step::Dequantize(q)],
            2 => vec![Step::FakeQuantize(q), relu, Step::FakeQuantize(r)],
            _ => vec![Step::Dequantize(q)],
        };
        single(&shape, Pointwise { steps })
    }
}
