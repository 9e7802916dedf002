//! Operators that change no number: Reshape, Flatten, Identity, Dropout, Constant.

use std::sync::Arc;

use tract_onnx::tract_core::internal::OutletId;

use super::onnx::{Operand, Reader, axis_of, size};
use crate::{
    error::Result,
    gpu::{Kernel, Launch, Recording, as_u32},
    graph::{Adjoint, Constant, Elements, Lowering, Operator, Shape, ValueId},
    limits,
    ops::{
        affine::TRAINING,
        kernels::{LANES, THREAD, flops, linear},
    },
};

/// Collects elements under another shape.
pub static RESHAPE: Kernel =
    Kernel { name: "reshape", source: include_str!("reshape.wgsl"), snippets: &[THREAD] };

/// The same elements, row-major, under another shape.
#[derive(Clone, Debug)]
pub struct Reshape {
    /// The new shape of one image's value.
    pub shape: Shape,
}

/// Reads an ONNX Identity.
pub fn read_identity(node: &mut Reader<'_>) -> Result<Operand, String> {
    node.inputs.first().cloned().flatten().ok_or_else(|| "input 0 is missing".into())
}

/// Reads an ONNX Dropout, which does nothing at inference.
pub fn read_dropout(node: &mut Reader<'_>) -> Result<Operand, String> {
    if node.opset < 7 && node.int("is_test", 0) == 0 {
        return Err(TRAINING.into());
    }
    if let Some(Some(mode)) = node.inputs.get(2) {
        let Operand::Constant(c) = mode else { return Err("training_mode must be a constant".into()) };
        if (0..c.len()).any(|i| c.real(i) != 0.0) {
            return Err(TRAINING.into());
        }
    }
    if node.makes(1) {
        return Err("the second output (mask) is not supported".into());
    }
    read_identity(node)
}

/// Reads an ONNX Constant.
pub fn read_constant(node: &mut Reader<'_>) -> Result<Operand, String> {
    let constant = node.tensor("value").transpose()?;
    let ints = |v: &[i64], shape: Vec<usize>| Constant {
        shape,
        elements: Elements::I64(v.to_vec()),
        quantization: None,
    };
    let one = |name: &str| node.proto.attribute.iter().find(|a| a.name == name);
    let constant = constant
        .or_else(|| one("value_float").map(|a| Constant::floats([], vec![a.f])))
        .or_else(|| one("value_floats").map(|a| Constant::floats([a.floats.len()], a.floats.clone())))
        .or_else(|| one("value_int").map(|a| ints(&[a.i], vec![])))
        .or_else(|| one("value_ints").map(|a| ints(&a.ints, vec![a.ints.len()])))
        .ok_or("only numeric constants are supported")?;
    if let Elements::F32(values) = &constant.elements
        && values.iter().any(|v| v.is_nan() || v.is_infinite() && values.len() > 1)
    {
        return Err("a value is infinite or not a number".into());
    }
    Ok(Operand::Constant(Arc::new(constant)))
}

/// A value's elements under another shape.
pub(super) fn shaped(node: &mut Reader<'_>, value: ValueId, shape: &[usize]) -> Result<ValueId, String> {
    match node.node(value).shape == shape {
        true => Ok(value),
        false => node.value_of(Reshape { shape: shape.to_vec() }, &[value]),
    }
}

/// Reads an ONNX Flatten that keeps the batch axis; of a constant, any.
pub fn read_flatten(node: &mut Reader<'_>) -> Result<Operand, String> {
    if let Some(Some(Operand::Constant(c))) = node.inputs.first() {
        let axis = node.int("axis", 1);
        let axis = if axis == c.shape.len() as i64 { c.shape.len() } else { axis_of(axis, c.shape.len())? };
        let shape = [&c.shape[..axis], &c.shape[axis..]].map(|extents| extents.iter().product());
        return Ok(Operand::Constant(Arc::new(of_constant(c, shape.to_vec()))));
    }
    let input = node.value(0)?;
    let shape = &node.node(input).shape;
    let axis = node.int("axis", 1);
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX) + 1;
    if axis != 1 && axis != 1 - rank {
        return Err(format!("axis {axis} would mix the images of a batch; only axis 1 is supported"));
    }
    let shape = vec![shape.iter().product()];
    node.add(Reshape { shape }, &[input])
}

/// Reads an ONNX Reshape that keeps the batch axis; of a constant, any.
pub fn read_reshape(node: &mut Reader<'_>) -> Result<Operand, String> {
    let target = match node.opset < 5 {
        true => node.ints("shape").ok_or("the new shape is missing")?.to_vec(),
        false => node.constant(1)?.to_i64().ok_or("the new shape must be integers")?,
    };
    let keep_zero = node.int("allowzero", 0) != 0;
    if let Some(Some(Operand::Constant(c))) = node.inputs.first().cloned() {
        let shape = resolve(&target, &c.shape, keep_zero)?;
        return Ok(Operand::Constant(Arc::new(of_constant(&c, shape))));
    }
    let input = node.value(0)?;
    let own = node.node(input).shape.clone();
    let mut whole = vec![1];
    whole.extend_from_slice(&own);
    // The batch axis is written as 0 (keep), 1 (exported for one image) or -1 (what is left).
    let shape = match target.as_slice() {
        [-1, rest @ ..] if !rest.contains(&-1) => resolve(&[&[1], rest].concat(), &whole, keep_zero)?,
        [0 | 1, ..] => resolve(&target, &whole, keep_zero)?,
        [n, rest @ ..] if usize::try_from(*n) == Ok(node.batch) => {
            resolve(&[&[1], rest].concat(), &whole, keep_zero)?
        }
        _ => return Err(format!("the new shape {target:?} would mix the images of a batch")),
    };
    node.add(Reshape { shape: shape[1..].to_vec() }, &[input])
}

/// Reads an ONNX Squeeze that keeps the batch axis.
pub fn read_squeeze(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = whole(node)?;
    let is_one = |axis: &usize| shape.get(*axis) == Some(&1);
    let axes = match axes(node, shape.len())? {
        Some(axes) => axes,
        None => (0..shape.len()).filter(is_one).collect(),
    };
    if let Some(axis) = axes.iter().find(|axis| !is_one(axis)) {
        return Err(format!("axis {axis} of {shape:?} has not the extent 1"));
    }
    if is_value(node) && axes.contains(&0) {
        return Err("it would take away the batch axis".into());
    }
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, &extent)| extent);
    let kept = kept.collect();
    reshaped(node, kept)
}

/// Reads an ONNX Unsqueeze that keeps the batch axis first.
pub fn read_unsqueeze(node: &mut Reader<'_>) -> Result<Operand, String> {
    let mut shape = whole(node)?;
    let added = match node.opset < 13 {
        true => node.ints("axes").map_or(0, <[i64]>::len),
        false => node.constant(1)?.len(),
    };
    let rank = shape.len() + added;
    limits::check("the number of axes", rank as u64, limits::RANK).map_err(|e| e.to_string())?;
    let mut axes = axes(node, rank)?.ok_or("axes are missing")?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("axes {axes:?} name one twice"));
    }
    if is_value(node) && axes.contains(&0) {
        return Err("it would put an axis before the batch's".into());
    }
    axes.into_iter().for_each(|axis| shape.insert(axis, 1));
    reshaped(node, shape)
}

fn is_value(node: &Reader<'_>) -> bool {
    matches!(node.inputs.first(), Some(Some(Operand::Value(_))))
}

/// The first input's shape as ONNX has it: with the batch axis, where it depends on the image.
fn whole(node: &Reader<'_>) -> Result<Vec<usize>, String> {
    match node.inputs.first() {
        Some(Some(Operand::Constant(c))) => Ok(c.shape.clone()),
        Some(Some(Operand::Value(id))) => Ok([&[1], node.node(*id).shape.as_slice()].concat()),
        _ => Err("input 0 is missing".into()),
    }
}

/// The axes that a Squeeze or Unsqueeze names, among `rank`; an input since opset 13.
fn axes(node: &Reader<'_>, rank: usize) -> Result<Option<Vec<usize>>, String> {
    let listed = match node.opset < 13 {
        true => node.ints("axes").map(<[i64]>::to_vec),
        false => match node.optional_constant(1)? {
            Some(c) => Some(c.to_i64().ok_or("axes must be integers")?),
            None => None,
        },
    };
    let all = rank.cast_signed() as i64;
    let counted = |&axis: &i64| {
        let from_front = if axis < 0 { axis.saturating_add(all) } else { axis };
        let axis = usize::try_from(from_front).ok().filter(|&axis| axis < rank);
        axis.ok_or_else(|| format!("axes {listed:?} are not of {rank} axes"))
    };
    listed.as_ref().map(|listed| listed.iter().map(counted).collect()).transpose()
}

/// The first input, a constant or a value, with the same elements under another shape, which begins with the batch axis.
fn reshaped(node: &mut Reader<'_>, shape: Vec<usize>) -> Result<Operand, String> {
    match node.inputs.first().cloned().flatten() {
        Some(Operand::Constant(constant)) => Ok(Operand::Constant(Arc::new(of_constant(&constant, shape)))),
        _ => {
            let input = node.value(0)?;
            node.add(Reshape { shape: shape[1..].to_vec() }, &[input])
        }
    }
}

/// A constant's elements under another shape. Scales along an axis do not survive it; what they make of the integers does.
fn of_constant(constant: &Constant, shape: Vec<usize>) -> Constant {
    match constant.quantization.as_ref().is_some_and(|q| q.scales.len() > 1) {
        true => Constant::floats(shape, constant.to_f32()),
        false => Constant { shape, ..constant.clone() },
    }
}

/// Fills in ONNX's 0 (as it was) and -1 (what is left).
fn resolve(target: &[i64], own: &[usize], keep_zero: bool) -> Result<Vec<usize>, String> {
    if target.len() as u64 > limits::RANK {
        return Err(format!(
            "the new shape has {} axes, and at most {} are allowed",
            target.len(),
            limits::RANK
        ));
    }
    let refuse = || format!("{own:?} cannot take the shape {target:?}");
    let mut shape = Vec::with_capacity(target.len());
    for (i, &d) in target.iter().enumerate() {
        shape.push(match d {
            0 if !keep_zero => *own.get(i).ok_or_else(refuse)?,
            -1 => 1,
            _ => size("a dimension", d)?,
        });
    }
    let have: usize = own.iter().product();
    let want = shape.iter().try_fold(1, |product: usize, &d| product.checked_mul(d)).ok_or_else(refuse)?;
    if target.iter().filter(|&&d| d == -1).count() > 1 {
        return Err(refuse());
    }
    if let Some(open) = target.iter().position(|&d| d == -1) {
        if want == 0 || !have.is_multiple_of(want) {
            return Err(refuse());
        }
        shape[open] = have / want;
    } else if have != want {
        return Err(refuse());
    }
    Ok(shape)
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "Reshape"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String> {
        if inputs[0].iter().product::<usize>() == self.shape.iter().product::<usize>() {
            Ok(self.shape.clone())
        } else {
            Err(format!("{:?} cannot take the shape {:?}", inputs[0], self.shape))
        }
    }

    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        let (g, shape) = (at.cotangent, at.input_shape(0));
        Ok(vec![at.add("gradient", Self { shape }, &[g])?])
    }

    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId> {
        let (input, from) = (at.inputs[0], at.shapes[0]);
        at.reshape("", input, from, &self.shape)
    }

    fn record(&self, at: &mut Recording<'_>) -> Result<()> {
        let (input, output) = (&at.inputs[0], &at.output);
        let from = [input.offset, output.offset, as_u32(input.blocks()), as_u32(input.plane())];
        let vectors = output.vectors();
        let to = [output.blocks(), output.plane(), output.channels(), vectors].map(as_u32);
        let launch = Launch { groups: linear(vectors), page: 0, flops: flops(&[128, vectors]) };
        at.dispatch(&RESHAPE, vec![("LANES", LANES.into())], &[from, to], &[], launch)
    }

    fn is_view(&self) -> bool {
        true
    }

    #[cfg(test)]
    fn evaluate(&self, inputs: &[&crate::graph::reference::Array]) -> crate::graph::reference::Array {
        crate::graph::reference::Array::new(&self.shape, inputs[0].data.clone())
    }
}

#[cfg(test)]
pub(crate) mod cases {
    use rand::RngExt;

    use super::Reshape;
    use crate::{
        graph::Graph,
        ops::cases::{Case, image_shape, single},
        rng::Rng,
    };

    pub const ALL: &[Case] =
        &[Case::new("Reshape", &["Flatten", "Reshape", "Squeeze", "Unsqueeze"], reshape)];

    fn reshape(rng: &mut Rng) -> Graph {
        let shape = image_shape(rng);
        let [c, h, w] = shape[..] else { unreachable!("an image has three axes") };
        let new = if rng.random() { vec![c * h * w] } else { vec![h, c * w] };
        single(&shape, Reshape { shape: new })
    }
}
