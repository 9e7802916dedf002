//! Reads the ONNX operators QuantizeLinear and DequantizeLinear, of activations and of weights.

use std::sync::Arc;

use super::Pointwise;
use crate::{
    chain::{QuantParams, Quantizer, Step},
    graph::{Constant, Elements, Quantization, ValueId},
    ops::{
        blocks::Blocks,
        onnx::{Operand, Reader},
        rearrange::{in_order, transposed},
    },
};

/// Scales and zero points of a value of an image. Their `axis` is one of a batch: the first axis of an image's value is
/// axis 1.
fn quant_params(
    scales: &Constant,
    zero: Option<&Constant>,
    axis: i64,
    rank: usize,
) -> Result<QuantParams, String> {
    let scales = scales.to_f32();
    if scales.len() > 1 && axis != 1 && axis != 1 - rank_i64(rank) {
        return Err(format!("scales along axis {axis} are not supported, only along the channels"));
    }
    if zero.is_some_and(|z| matches!(z.elements, Elements::F32(_))) {
        return Err("the zero point must be an integer".into());
    }
    let zero_points = zero.map_or_else(|| vec![0.0; scales.len()], Constant::raw_f32);
    if scales.is_empty()
        || zero_points.len() != scales.len()
        || scales.iter().any(|s| *s <= 0.0 || !s.is_finite())
    {
        return Err("every scale must be a positive number and have its zero point".into());
    }
    Ok(QuantParams { scales, zero_points })
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

/// The axis of a node's scales.
fn axis(node: &Reader<'_>) -> Result<i64, String> {
    match node.int("block_size", 0) {
        0 => Ok(node.int("axis", 1)),
        _ => Err("blocks are supported of weights alone".into()),
    }
}

/// Reads an ONNX QuantizeLinear.
pub fn read_quantize(node: &mut Reader<'_>) -> Result<Operand, String> {
    if let Some(Some(Operand::Constant(c))) = node.inputs.first().cloned() {
        return quantize_constant(node, &c);
    }
    let (input, axis) = (node.value(0)?, axis(node)?);
    let (scales, zero) = (node.constant(1)?, node.optional_constant(2)?);
    let kind = if zero.is_none() { node.int("output_dtype", 0) } else { 0 };
    let range = match kind {
        3 => (-128.0, 127.0),
        ..=2 => range(zero.as_deref())?,
        _ => return Err("only uint8 and int8 activations are supported".into()),
    };
    quantized(node, input, (&scales, zero.as_deref(), axis), range)
}

/// The integers, in a range, that stand for a value's reals. One scale treats every element alike, and is below a transpose.
fn quantized(
    node: &mut Reader<'_>,
    input: ValueId,
    (scales, zero, axis): (&Constant, Option<&Constant>, i64),
    (low, high): (f32, f32),
) -> Result<Operand, String> {
    if let Some((below, order)) = transposed(node.graph, input).filter(|_| scales.len() == 1) {
        let Operand::Value(made) = quantized(node, below, (scales, zero, axis), (low, high))? else {
            return Err("it does not depend on the image".into());
        };
        return in_order(node, made, &order).map(Operand::Value);
    }
    let params = quant_params(scales, zero, axis, node.node(input).shape.len() + 1)?;
    node.add(Pointwise::one(Step::Quantize(Arc::new(Quantizer { params, low, high }))), &[input])
}

/// The integers that stand for a value's reals, by one scale and one zero point, whose type they have.
pub(in crate::ops) fn requantized(
    node: &mut Reader<'_>,
    input: ValueId,
    scale: &Constant,
    zero: &Constant,
) -> Result<Operand, String> {
    if scale.len() != 1 {
        return Err(format!("its result has {} scales, and should have one", scale.len()));
    }
    quantized(node, input, (scale, Some(zero), 1), range(Some(zero))?)
}

/// Weights that the file keeps as floats although a quantizer follows: quantized here, once.
fn quantize_constant(node: &mut Reader<'_>, constant: &Constant) -> Result<Operand, String> {
    let zero = node.optional_constant(2)?;
    let (scales, axis) = (node.constant(1)?, axis(node)?);
    let quantization = constant_quantization(constant, &scales, zero.as_deref(), axis)?;
    if quantization.scales.contains(&0.0) {
        return Err("every scale must be a positive number".into());
    }
    let (low, high) = range(zero.as_deref())?;
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
fn constant_quantization(
    constant: &Constant,
    scales: &Constant,
    zero: Option<&Constant>,
    axis: i64,
) -> Result<Quantization, String> {
    let scales = scales.to_f32();
    if scales.iter().any(|s| *s < 0.0 || !s.is_finite()) {
        return Err("every scale must be a positive number".into());
    }
    let zero_points = match zero {
        None => vec![0; scales.len()],
        Some(z) => {
            z.to_i64().ok_or("the zero point must be an integer")?.iter().map(|&v| clamp_i32(v)).collect()
        }
    };
    let axis = if axis < 0 { axis + rank_i64(constant.shape.len()) } else { axis };
    let per_axis = scales.len() > 1;
    let axis = if per_axis { crate::ops::onnx::size("axis", axis)? } else { 0 };
    if scales.is_empty()
        || zero_points.len() != scales.len()
        || per_axis && constant.shape.get(axis) != Some(&scales.len())
    {
        return Err(format!("{} scales do not fit a constant of shape {:?}", scales.len(), constant.shape));
    }
    Ok(Quantization { axis, scales, zero_points })
}

fn clamp_i32(v: i64) -> i32 {
    v.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

/// Reads an ONNX DequantizeLinear, of an activation or of weights.
pub fn read_dequantize(node: &mut Reader<'_>) -> Result<Operand, String> {
    let integers = node.inputs.first().cloned().flatten().ok_or("input 0 is missing")?;
    let (scales, zero) = (node.constant(1)?, node.optional_constant(2)?);
    if let (size @ 1.., Operand::Constant(weights)) = (node.int("block_size", 0), &integers) {
        let blocks = Blocks { scales: &scales, zero: zero.as_deref(), axis: node.int("axis", 1), size };
        return Ok(Operand::Constant(blocks.reals(node, weights)?.into()));
    }
    let axis = axis(node)?;
    dequantized(node, integers, &scales, zero.as_deref(), axis)
}

/// The reals that integers stand for. A value has the same reals for all that read it.
pub(in crate::ops) fn dequantized(
    node: &mut Reader<'_>,
    integers: Operand,
    scales: &Constant,
    zero: Option<&Constant>,
    axis: i64,
) -> Result<Operand, String> {
    let input = match integers {
        Operand::Value(value) => value,
        Operand::Constant(c) => {
            if matches!(c.elements, Elements::F32(_)) || c.quantization.is_some() {
                return Err("its input must be integers".into());
            }
            let quantization = Some(constant_quantization(&c, scales, zero, axis)?);
            return Ok(Operand::Constant(Arc::new(Constant { quantization, ..(*c).clone() })));
        }
    };
    if let Some((below, order)) = transposed(node.graph, input).filter(|_| scales.len() == 1) {
        let Operand::Value(made) = dequantized(node, Operand::Value(below), scales, zero, axis)? else {
            return Err("it does not depend on the image".into());
        };
        return in_order(node, made, &order).map(Operand::Value);
    }
    let params = quant_params(scales, zero, axis, node.node(input).shape.len() + 1)?;
    let (low, high) = range(zero).unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
    let operator = Pointwise::one(Step::Dequantize(Arc::new(Quantizer { params, low, high })));
    if let Some(&made) = node.reals.get(&input)
        && node.node(made).as_op() == Some(&operator)
    {
        return Ok(Operand::Value(made));
    }
    let made = node.value_of(operator, &[input])?;
    node.reals.insert(input, made);
    Ok(Operand::Value(made))
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

    /// Operators of integers too: they are those of reals between quantizers.
    const ONNX: &[&str] = &[
        "DequantizeLinear",
        "QGemm",
        "QLinearAdd",
        "QLinearAveragePool",
        "QLinearConcat",
        "QLinearConv",
        "QLinearGlobalAveragePool",
        "QLinearLeakyRelu",
        "QLinearMatMul",
        "QLinearMul",
        "QLinearSigmoid",
        "QLinearSoftmax",
        "QuantizeLinear",
    ];

    pub const ALL: &[Case] = &[Case { is_derivative: false, ..Case::new("Quantizer", ONNX, quantizers) }];

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
