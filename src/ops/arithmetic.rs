//! ONNX's arithmetic of two or more operands, as sums, products and scalings.
//!
//! Operands broadcast as numpy's do. A constant becomes a scale or a shift; two values of different shapes are first
//! brought to one shape, unless one has a number per channel, which products take as it is.

use std::sync::Arc;

use super::{
    add::Add,
    affine::{Affine, Per},
    broadcast::{broadcast, check_values},
    multiply::Multiply,
    onnx::{Operand, Reader},
    pointwise::Pointwise,
    rearrange::{IndexMap, check_axes, placed},
    reshape::Reshape,
    smooth_activation::{Kind, SmoothActivation},
};
use crate::{
    chain::{Clip, Step},
    graph::{Constant, ValueId},
    limits,
};

/// The operands of a node of two, of which one at least is a value.
enum Operands {
    Values(ValueId, ValueId),
    /// A value, then a constant.
    Right(ValueId, Arc<Constant>),
    /// A constant, then a value.
    Left(Arc<Constant>, ValueId),
}

fn operands(node: &mut Reader<'_>) -> Result<Operands, String> {
    let extra = node.inputs.len().saturating_sub(2);
    if extra > 0 {
        return Err(format!("it has {} operands, and should have two", extra + 2));
    }
    match (node.inputs.first().cloned().flatten(), node.inputs.get(1).cloned().flatten()) {
        (Some(Operand::Value(a)), Some(Operand::Value(b))) => {
            check_values(node, [a, b])?;
            let axes = node.node(a).shape.len().max(node.node(b).shape.len());
            Ok(Operands::Values(aligned(node, a, axes)?, aligned(node, b, axes)?))
        }
        (Some(Operand::Value(a)), Some(Operand::Constant(c))) => {
            let a = with_axes(node, a, axes_of(&c))?;
            Ok(Operands::Right(expanded(node, a, &c)?, c))
        }
        (Some(Operand::Constant(c)), Some(Operand::Value(b))) => {
            let b = with_axes(node, b, axes_of(&c))?;
            Ok(Operands::Left(c.clone(), expanded(node, b, &c)?))
        }
        _ => Err("an operand is missing".into()),
    }
}

/// How many axes an image's value has that a constant was broadcast to, whose first axis of one may be the batch's.
fn axes_of(constant: &Constant) -> usize {
    match constant.shape.as_slice() {
        _ if constant.len() == 1 => 0,
        [1, rest @ ..] if !rest.is_empty() => rest.len(),
        shape => shape.len(),
    }
}

/// A number that an image has, with axes of extent 1, so that it meets what has so many; other values as they are. A file
/// that was exported for several images has one number for all of them, or an axis of them that meets another one.
fn with_axes(node: &mut Reader<'_>, value: ValueId, axes: usize) -> Result<ValueId, String> {
    match node.node(value).shape.is_empty() && axes > 0 {
        true if node.batch > 1 => Err("a number for all images of the batch is not supported".into()),
        true => node.value_of(Reshape { shape: vec![1; axes] }, &[value]),
        false => Ok(value),
    }
}

/// A value with as many axes as another one, those that it lacks in front: as last axes align, its batch axis, or the one
/// that it never had, meets none but 1. Only so do shapes fit where a file has one image.
fn aligned(node: &mut Reader<'_>, value: ValueId, axes: usize) -> Result<ValueId, String> {
    let own = node.node(value).shape.clone();
    if own.is_empty() || own.len() >= axes || node.batch > 1 {
        return with_axes(node, value, axes);
    }
    let shape = [vec![1; axes - own.len()], own].concat();
    node.value_of(Reshape { shape }, &[value])
}

/// The shape of an image's values that both broadcast to.
fn common(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let refuse = || format!("shapes {a:?} and {b:?} per image do not broadcast");
    if a.len() != b.len() {
        return Err(refuse());
    }
    let extent = |(&a, &b): (&usize, &usize)| match (a, b) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    a.iter().zip(b).map(extent).collect::<Option<Vec<_>>>().ok_or_else(refuse)
}

pub(super) fn to_shape(node: &mut Reader<'_>, value: ValueId, shape: &[usize]) -> Result<ValueId, String> {
    let own = node.node(value).shape.clone();
    if own == shape {
        return Ok(value);
    }
    check_axes(shape)?;
    if limits::product(shape) > limits::VALUE_ELEMENTS {
        return Err(format!("its result, {shape:?} per image, would be too large"));
    }
    placed(node, value, IndexMap::expand(&own, shape))
}

/// The value in the shape that it has together with a constant, if the constant has more elements along some axis.
fn expanded(node: &mut Reader<'_>, value: ValueId, constant: &Constant) -> Result<ValueId, String> {
    let own = node.node(value).shape.clone();
    // A constant's axes align with the value's last ones; one for the batch may stand in front.
    let extra = constant.shape.len().saturating_sub(own.len());
    let aligned = match constant.shape.get(extra..) {
        Some(aligned) if node.opset >= 7 && constant.shape[..extra].iter().all(|&d| d == 1) => aligned,
        _ => return Ok(value),
    };
    let padded = [&vec![1; own.len() - aligned.len()], aligned].concat();
    match common(&own, &padded) {
        Ok(shape) => to_shape(node, value, &shape),
        Err(_) => Ok(value),
    }
}

/// `scale * value + shift`, of which one is the constant; the value is the node's `place`-th input.
pub(super) fn affine(
    node: &mut Reader<'_>,
    value: ValueId,
    (place, constant): (usize, &Constant),
    of: impl Fn(f32) -> (f32, f32),
) -> Result<ValueId, String> {
    let (values, per) = broadcast(node, (place, constant), value)?;
    let (scale, shift): (Vec<f32>, Vec<f32>) = values.into_iter().map(of).unzip();
    if scale.iter().chain(&shift).any(|v| !v.is_finite()) {
        return Err("its constant makes a number that is not finite".into());
    }
    node.value_of(Affine { scale, shift, per }, &[value])
}

/// `scale * value + shift`, with the same numbers for all elements.
pub(super) fn scaled(
    node: &mut Reader<'_>,
    value: ValueId,
    scale: f32,
    shift: f32,
) -> Result<ValueId, String> {
    let channels = node.node(value).shape.first().copied().unwrap_or(1);
    node.value_of(
        Affine { scale: vec![scale; channels], shift: vec![shift; channels], per: Per::Channel },
        &[value],
    )
}

/// Both values in one shape.
fn alike(node: &mut Reader<'_>, a: ValueId, b: ValueId) -> Result<[ValueId; 2], String> {
    let shape = common(&node.node(a).shape, &node.node(b).shape)?;
    Ok([to_shape(node, a, &shape)?, to_shape(node, b, &shape)?])
}

fn sum(node: &mut Reader<'_>, a: ValueId, b: ValueId) -> Result<ValueId, String> {
    let pair = alike(node, a, b)?;
    node.value_of(Add, &pair)
}

pub(super) fn difference(node: &mut Reader<'_>, a: ValueId, b: ValueId) -> Result<ValueId, String> {
    let b = scaled(node, b, -1.0, 0.0)?;
    sum(node, a, b)
}

pub(super) fn product(node: &mut Reader<'_>, a: ValueId, b: ValueId) -> Result<ValueId, String> {
    // The larger one first: the product is the same.
    let (a, b) = if node.node(a).elements() < node.node(b).elements() { (b, a) } else { (a, b) };
    // The gradient of a number per channel is a sum over a plane, whose places are listed.
    let is_short = limits::product(&node.node(a).shape) <= limits::AXIS || node.node(a).shape.len() == 3;
    if is_short && node.graph.shape_of(&Multiply, &[a, b]).is_ok() {
        return node.value_of(Multiply, &[a, b]);
    }
    let pair = alike(node, a, b)?;
    node.value_of(Multiply, &pair)
}

/// Reads an ONNX Add.
pub fn read_add(node: &mut Reader<'_>) -> Result<Operand, String> {
    let made = match operands(node)? {
        Operands::Values(a, b) => sum(node, a, b)?,
        Operands::Right(value, c) => affine(node, value, (0, &c), |c| (1.0, c))?,
        Operands::Left(c, value) => affine(node, value, (1, &c), |c| (1.0, c))?,
    };
    Ok(Operand::Value(made))
}

/// Reads an ONNX Sub.
pub fn read_sub(node: &mut Reader<'_>) -> Result<Operand, String> {
    let made = match operands(node)? {
        Operands::Values(a, b) => difference(node, a, b)?,
        Operands::Right(value, c) => affine(node, value, (0, &c), |c| (1.0, -c))?,
        Operands::Left(c, value) => affine(node, value, (1, &c), |c| (-1.0, c))?,
    };
    Ok(Operand::Value(made))
}

/// Reads an ONNX Mul.
pub fn read_mul(node: &mut Reader<'_>) -> Result<Operand, String> {
    let made = match operands(node)? {
        Operands::Values(a, b) => product(node, a, b)?,
        Operands::Right(value, c) => affine(node, value, (0, &c), |c| (c, 0.0))?,
        Operands::Left(c, value) => affine(node, value, (1, &c), |c| (c, 0.0))?,
    };
    Ok(Operand::Value(made))
}

/// Reads an ONNX Div of floats.
pub fn read_div(node: &mut Reader<'_>) -> Result<Operand, String> {
    let made = match operands(node)? {
        Operands::Values(a, b) => {
            let b = power(node, b, -1.0)?;
            product(node, a, b)?
        }
        Operands::Right(value, c) => affine(node, value, (0, &c), |c| (c.recip(), 0.0))?,
        Operands::Left(c, value) => {
            let value = power(node, value, -1.0)?;
            affine(node, value, (1, &c), |c| (c, 0.0))?
        }
    };
    Ok(Operand::Value(made))
}

/// Reads an ONNX Pow with a constant exponent, the same for all elements.
pub fn read_pow(node: &mut Reader<'_>) -> Result<Operand, String> {
    let Operands::Right(value, exponents) = operands(node)? else {
        return Err("its exponent depends on the image, and should be a constant".into());
    };
    let exponent = alone(&exponents.to_f32()).ok_or("exponents that differ are not supported")?;
    power(node, value, exponent).map(Operand::Value)
}

pub(super) fn power(node: &mut Reader<'_>, value: ValueId, exponent: f32) -> Result<ValueId, String> {
    match exponent {
        1.0 => Ok(value),
        2.0 => node.value_of(Multiply, &[value, value]),
        3.0 => {
            let square = node.value_of(Multiply, &[value, value])?;
            node.value_of(Multiply, &[square, value])
        }
        exponent if exponent.is_finite() => {
            node.value_of(SmoothActivation { kind: Kind::Power { exponent } }, &[value])
        }
        _ => Err(format!("an exponent of {exponent} is not supported")),
    }
}

/// Reads an ONNX Reciprocal.
pub fn read_reciprocal(node: &mut Reader<'_>) -> Result<Operand, String> {
    let value = node.value(0)?;
    power(node, value, -1.0).map(Operand::Value)
}

/// Reads an ONNX Sqrt.
pub fn read_sqrt(node: &mut Reader<'_>) -> Result<Operand, String> {
    let value = node.value(0)?;
    power(node, value, 0.5).map(Operand::Value)
}

/// Reads an ONNX Neg.
pub fn read_neg(node: &mut Reader<'_>) -> Result<Operand, String> {
    let value = node.value(0)?;
    scaled(node, value, -1.0, 0.0).map(Operand::Value)
}

/// The operands of a node of any number of them, taken together two by two.
fn folded(
    node: &mut Reader<'_>,
    of: impl Fn(&mut Reader<'_>) -> Result<Operand, String>,
) -> Result<Operand, String> {
    let inputs = std::mem::take(&mut node.inputs);
    let mut all = inputs.into_iter();
    let first = all.next().flatten().ok_or("it has no inputs")?;
    // Values first: a constant then always meets a value.
    let mut made = vec![first];
    for input in all {
        made.push(input.ok_or("an input is missing")?);
    }
    made.sort_by_key(|operand| matches!(operand, Operand::Constant(_)));
    let mut made = made.into_iter();
    let first = made.next().ok_or("it has no inputs")?;
    made.try_fold(first, |a, b| {
        node.inputs = vec![Some(a), Some(b)];
        of(node)
    })
}

/// Reads an ONNX Sum.
pub fn read_sum(node: &mut Reader<'_>) -> Result<Operand, String> {
    folded(node, read_add)
}

/// Reads an ONNX Mean.
pub fn read_mean(node: &mut Reader<'_>) -> Result<Operand, String> {
    let count = node.inputs.len();
    let Operand::Value(sum) = read_sum(node)? else { return Err("it has no inputs".into()) };
    scaled(node, sum, 1.0 / count as f32, 0.0).map(Operand::Value)
}

/// Reads an ONNX Max.
pub fn read_max(node: &mut Reader<'_>) -> Result<Operand, String> {
    folded(node, |node| extremum(node, 1.0))
}

/// Reads an ONNX Min.
pub fn read_min(node: &mut Reader<'_>) -> Result<Operand, String> {
    folded(node, |node| extremum(node, -1.0))
}

/// The greater of two operands, or the lesser where `sign` is negative: `a + sign relu(sign (b - a))`. At a tie the gradient
/// is the first's.
fn extremum(node: &mut Reader<'_>, sign: f32) -> Result<Operand, String> {
    let (a, difference) = match operands(node)? {
        Operands::Values(a, b) => {
            let [a, b] = alike(node, a, b)?;
            let (more, less) = if sign > 0.0 { (b, a) } else { (a, b) };
            (a, difference(node, more, less)?)
        }
        Operands::Right(value, bound) | Operands::Left(bound, value) => {
            if let Some(bound) = alone(&bound.to_f32()) {
                return clipped(node, value, bound, sign);
            }
            let place = usize::from(matches!(node.inputs.first(), Some(Some(Operand::Constant(_)))));
            (value, affine(node, value, (place, &bound), |c| (-sign, sign * c))?)
        }
    };
    let over =
        node.value_of(Pointwise::one(Step::Clip(Clip { low: 0.0, high: f32::INFINITY })), &[difference])?;
    let over = if sign > 0.0 { over } else { scaled(node, over, -1.0, 0.0)? };
    node.add(Add, &[a, over])
}

/// The number that all of some are.
fn alone(values: &[f32]) -> Option<f32> {
    let (&first, rest) = values.split_first()?;
    rest.iter().all(|v| *v == first).then_some(first)
}

fn clipped(node: &mut Reader<'_>, value: ValueId, bound: f32, sign: f32) -> Result<Operand, String> {
    let clip = match sign > 0.0 {
        true => Clip { low: bound, high: f32::INFINITY },
        false => Clip { low: f32::NEG_INFINITY, high: bound },
    };
    node.add(Pointwise::one(Step::Clip(clip)), &[value])
}
