//! How ONNX nodes become maps.
//!
//! ONNX counts the batch axis, which values of the graph do not have. Maps are made for the shape with a batch of one in
//! front, and what would touch that axis is refused.

use std::sync::Arc;

use super::{IndexMap, PadMode, Rearrange};
use crate::{
    graph::{Constant, Elements, Node, ValueId},
    limits,
    ops::{
        onnx::{Operand, Reader, axis_of, size},
        reshape::Reshape,
    },
};

/// The first input's shape as ONNX has it: with the batch axis, where it depends on the image.
fn shape_of(node: &Reader<'_>) -> Result<Vec<usize>, String> {
    let shape = match node.inputs.first() {
        Some(Some(Operand::Constant(c))) => c.shape.clone(),
        Some(Some(Operand::Value(id))) => [&[1], node.node(*id).shape.as_slice()].concat(),
        _ => return Err("input 0 is missing".into()),
    };
    check_axes(&shape)?;
    Ok(shape)
}

/// Fails where an axis is longer than places are listed of.
pub(in crate::ops) fn check_axes(shape: &[usize]) -> Result<(), String> {
    match shape.iter().find(|&&extent| extent as u64 > limits::AXIS) {
        Some(extent) => Err(format!("an axis of {extent} is too long; at most {} is allowed", limits::AXIS)),
        None => Ok(()),
    }
}

fn is_value(node: &Reader<'_>) -> bool {
    matches!(node.inputs.first(), Some(Some(Operand::Value(_))))
}

fn batch(what: &str) -> String {
    format!("{what} would mix the images of a batch")
}

/// Refuses an axis that is the batch's.
fn image_axis(node: &Reader<'_>, axis: usize) -> Result<(), String> {
    match axis == 0 && is_value(node) {
        true => Err(batch("axis 0")),
        false => Ok(()),
    }
}

/// Fails where a map would have more elements than a value may.
fn bounded_shape(shape: impl IntoIterator<Item = usize>) -> Result<(), String> {
    let shape: Vec<usize> = shape.into_iter().collect();
    check_axes(&shape)?;
    let count = limits::product(&shape);
    match count > limits::VALUE_ELEMENTS {
        true => Err(format!(
            "its result would have {count} elements, and at most {} are allowed",
            limits::VALUE_ELEMENTS
        )),
        false => Ok(()),
    }
}

/// The elements of the first input at other places.
pub(super) fn rearranged(node: &mut Reader<'_>, map: IndexMap) -> Result<Operand, String> {
    let Some(Some(Operand::Constant(constant))) = node.inputs.first().cloned() else {
        let input = node.value(0)?;
        if map.shape().first() != Some(&1) {
            return Err(batch("it"));
        }
        let (input, map) = joined(node, input, map.of_image());
        return placed(node, input, map).map(Operand::Value);
    };
    node.repeat(map.shape().iter().product())?;
    Ok(Operand::Constant(Arc::new(of_constant(&map, &constant))))
}

/// A value's elements where a map puts them. Its lists count with the constants that the model is made to repeat.
pub(in crate::ops) fn placed(
    node: &mut Reader<'_>,
    input: ValueId,
    map: IndexMap,
) -> Result<ValueId, String> {
    node.repeat(map.listed())?;
    let shape = map.shape().to_vec();
    match map.is_view() {
        true if shape == node.node(input).shape => Ok(input),
        true => node.value_of(Reshape { shape }, &[input]),
        false => node.value_of(Rearrange { map }, &[input]),
    }
}

/// A transpose of a transpose is one transpose of what the first one reads; exporters write many that undo each other.
pub(super) fn joined(node: &Reader<'_>, input: ValueId, map: IndexMap) -> (ValueId, IndexMap) {
    let before = node.node(input);
    let first = before.as_op::<Rearrange>().and_then(|op| Some((op.map.input(), op.map.order()?)));
    match (first, map.order()) {
        (Some((shape, first)), Some(second)) if before.shape == map.input() => {
            let order: Vec<usize> = second.iter().map(|&axis| first[axis]).collect();
            (before.inputs[0], IndexMap::transpose(shape, &order))
        }
        _ => (input, map),
    }
}

pub(in crate::ops) fn of_constant(map: &IndexMap, constant: &Constant) -> Constant {
    fn moved<T: Copy>(map: &IndexMap, values: &[T], zero: T, fill: T) -> Vec<T> {
        let mut out = vec![zero; map.shape().iter().product()];
        map.apply(values, &mut out, fill);
        out
    }
    let fill = map.fill();
    // Scales along an axis do not survive another order; what they make of the integers does.
    let per_axis = constant.quantization.as_ref().is_some_and(|q| q.scales.len() > 1);
    let elements = match &constant.elements {
        _ if per_axis => Elements::F32(moved(map, &constant.to_f32(), 0.0, fill)),
        Elements::F32(v) => Elements::F32(moved(map, v, 0.0, fill)),
        Elements::I8(v) => Elements::I8(moved(map, v, 0, fill as i8)),
        Elements::U8(v) => Elements::U8(moved(map, v, 0, fill as u8)),
        Elements::I32(v) => Elements::I32(moved(map, v, 0, fill as i32)),
        Elements::I64(v) => Elements::I64(moved(map, v, 0, fill as i64)),
    };
    let quantization = constant.quantization.clone().filter(|_| !per_axis);
    Constant { shape: map.shape().to_vec(), elements, quantization }
}

/// Integers that an input gives, or an attribute in opsets before `since`.
fn integers(
    node: &Reader<'_>,
    input: usize,
    attribute: &str,
    since: i64,
) -> Result<Option<Vec<i64>>, String> {
    if node.opset < since {
        return Ok(node.ints(attribute).map(<[i64]>::to_vec));
    }
    match node.inputs.get(input) {
        None | Some(None) => Ok(None),
        Some(Some(Operand::Constant(c))) => match c.to_i64() {
            Some(integers) => Ok(Some(integers)),
            None => Err(format!("input {input} ({attribute}) must be integers")),
        },
        Some(Some(Operand::Value(_))) => {
            Err(format!("input {input} ({attribute}) depends on the image, and should be a constant"))
        }
    }
}

fn needed(node: &Reader<'_>, input: usize, attribute: &str, since: i64) -> Result<Vec<i64>, String> {
    integers(node, input, attribute, since)?.ok_or_else(|| format!("{attribute} is missing"))
}

/// Reads an ONNX Transpose that keeps the batch axis.
pub fn read_transpose(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = shape_of(node)?;
    let order: Vec<usize> = match node.ints("perm") {
        None => (0..shape.len()).rev().collect(),
        Some(perm) => perm.iter().map(|&axis| size("perm", axis)).collect::<Result<_, _>>()?,
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..shape.len()) {
        return Err(format!("perm {order:?} is no order of {} axes", shape.len()));
    }
    if is_value(node) && order.first() != Some(&0) {
        return Err(batch(&format!("perm {order:?}")));
    }
    rearranged(node, IndexMap::transpose(&shape, &order))
}

/// Reads an ONNX Slice that keeps the batch axis.
pub fn read_slice(node: &mut Reader<'_>) -> Result<Operand, String> {
    let mut shape = shape_of(node)?;
    let (starts, ends) = (needed(node, 1, "starts", 10)?, needed(node, 2, "ends", 10)?);
    let axes = integers(node, 3, "axes", 10)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = match node.opset < 10 {
        true => None,
        false => integers(node, 4, "steps", 10)?,
    };
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err("starts, ends, axes and steps differ in length".into());
    }
    let mut seen = vec![];
    for i in 0..starts.len() {
        let axis = axis_of(axes[i], shape.len())?;
        if seen.contains(&axis) {
            return Err(format!("axis {axis} is cut twice"));
        }
        seen.push(axis);
        let extent = if axis == 0 && is_value(node) { node.batch } else { shape[axis] };
        let indices = sliced(extent, starts[i], ends[i], steps[i])?;
        if indices.len() == extent && indices.first() == Some(&0) {
            continue;
        }
        image_axis(node, axis)?;
        let map = IndexMap::take(&shape, axis, indices);
        shape = map.shape().to_vec();
        let cut = rearranged(node, map)?;
        node.inputs[0] = Some(cut);
    }
    node.inputs[0].clone().ok_or_else(|| "input 0 is missing".into())
}

/// The indices of a slice, clamped as ONNX has it.
fn sliced(extent: usize, start: i64, end: i64, step: i64) -> Result<Vec<usize>, String> {
    let all = extent.cast_signed() as i64;
    let from_front = |at: i64| if at < 0 { at.saturating_add(all) } else { at };
    let (start, end) = (from_front(start), from_front(end));
    let indices: Vec<i64> = match step {
        0 => return Err("a step is 0".into()),
        1.. => {
            let every = usize::try_from(step).unwrap_or(usize::MAX);
            (start.clamp(0, all)..end.clamp(0, all)).step_by(every).collect()
        }
        _ => {
            let every = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            (end.clamp(-1, all - 1) + 1..=start.clamp(-1, all - 1)).rev().step_by(every).collect()
        }
    };
    Ok(indices.into_iter().map(|i| i.unsigned_abs() as usize).collect())
}

/// Reads an ONNX Split; the parts after the first are the node's further outputs.
pub fn read_split(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = shape_of(node)?;
    let axis = axis_of(node.int("axis", 0), shape.len())?;
    image_axis(node, axis)?;
    let parts = node.proto.output.len();
    let extent = shape[axis];
    let sizes: Vec<usize> = match integers(node, 1, "split", 13)? {
        Some(sizes) => sizes.iter().map(|&s| size("split", s)).collect::<Result<_, _>>()?,
        None => {
            let most = extent.div_ceil(parts.max(1));
            (0..parts).map(|i| most.min(extent.saturating_sub(i * most))).collect()
        }
    };
    if sizes.len() != parts || sizes.iter().sum::<usize>() != extent {
        return Err(format!("{parts} parts of {sizes:?} do not make {extent}"));
    }
    let whole = node.inputs[0].clone();
    let name = node.name.clone();
    let (mut start, mut made) = (0, vec![]);
    for (i, count) in sizes.into_iter().enumerate() {
        node.inputs[0].clone_from(&whole);
        if i > 0 {
            node.name = format!("{name}.{i}");
        }
        made.push(rearranged(node, IndexMap::take(&shape, axis, start..start + count))?);
        start += count;
    }
    node.name = name;
    let first = made.remove(0);
    node.others = made;
    Ok(first)
}

/// Reads an ONNX Gather whose indices are constant.
pub fn read_gather(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = shape_of(node)?;
    let axis = axis_of(node.int("axis", 0), shape.len())?;
    image_axis(node, axis)?;
    let indices = node.constant(1)?;
    let extent = shape[axis];
    let at = |i: i64| axis_of(i, extent).map_err(|_| format!("index {i} is none of {extent}"));
    let list = indices.to_i64().ok_or("the indices must be integers")?;
    let list = list.into_iter().map(at).collect::<Result<Vec<_>, _>>()?;
    let result = [&shape[..axis], &indices.shape, &shape[axis + 1..]].concat();
    bounded_shape(result.iter().copied())?;
    rearranged(node, IndexMap::take(&shape, axis, list).with_shape(&result))
}

/// Reads an ONNX Pad that keeps the batch axis.
pub fn read_pad(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = shape_of(node)?;
    let attribute = if node.opset < 2 { "paddings" } else { "pads" };
    let pads = needed(node, 1, attribute, 11)?;
    let axes: Vec<usize> = match node.opset < 18 {
        true => (0..shape.len()).collect(),
        false => match integers(node, 3, "axes", 18)? {
            Some(axes) => axes.iter().map(|&axis| axis_of(axis, shape.len())).collect::<Result<_, _>>()?,
            None => (0..shape.len()).collect(),
        },
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} pads are not two per axis of {}", pads.len(), axes.len()));
    }
    let mut margins = vec![[0; 2]; shape.len()];
    for (i, &axis) in axes.iter().enumerate() {
        let margin = |pad: i64| {
            let most = (limits::INTEGER / 4).cast_signed();
            isize::try_from(pad)
                .ok()
                .filter(|_| (-most..=most).contains(&pad))
                .ok_or_else(|| format!("pad {pad} is too large"))
        };
        margins[axis] = [margin(pads[i])?, margin(pads[i + axes.len()])?];
    }
    if is_value(node) && margins[0] != [0; 2] {
        return Err(batch("padding axis 0"));
    }
    let padded = shape.iter().zip(&margins).map(|(&d, m)| d.checked_add_signed(m[0] + m[1]).unwrap_or(0));
    let padded: Vec<usize> = padded.collect();
    bounded_shape(padded.iter().copied())?;
    if padded.contains(&0) || shape.contains(&0) {
        return Err("it would leave no elements".into());
    }
    let mode = match node.text("mode", "constant").as_str() {
        "constant" => PadMode::Constant(fill(node)?),
        "edge" => PadMode::Edge,
        "reflect" => PadMode::Reflect,
        "wrap" => PadMode::Wrap,
        other => return Err(format!("mode {other:?} is not supported")),
    };
    rearranged(node, IndexMap::pad(&shape, &margins, mode))
}

/// The padding in the place of minus infinity, which GPUs need not have: a maximum that is taken with it is the same.
const LOWEST: f32 = f32::MIN;

/// True if a value is padded with what stands for minus infinity, so that only a maximum of it is right.
pub fn is_for_maxima(node: &Node) -> bool {
    node.as_op::<Rearrange>().is_some_and(|op| op.map.fill() == LOWEST)
}

/// The number that Pad continues with.
fn fill(node: &Reader<'_>) -> Result<f32, String> {
    let fill = match node.opset < 11 {
        true => node.float("value", 0.0),
        false => node.optional_constant(2)?.map_or(0.0, |c| c.to_f32()[0]),
    };
    match fill {
        f32::NEG_INFINITY => Ok(LOWEST),
        _ if fill.is_finite() => Ok(fill),
        _ => Err(format!("it pads with {fill}")),
    }
}

/// Reads an ONNX Expand that keeps the batch axis.
pub fn read_expand(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = shape_of(node)?;
    let wanted = needed(node, 1, "shape", 8)?;
    let wanted: Vec<usize> = wanted.iter().map(|&d| size("shape", d)).collect::<Result<_, _>>()?;
    limits::check("the number of axes", wanted.len() as u64, limits::RANK).map_err(|e| e.to_string())?;
    let rank = wanted.len().max(shape.len());
    let extent =
        |shape: &[usize], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let mut to = vec![];
    for i in 0..rank {
        to.push(match (extent(&shape, i), extent(&wanted, i)) {
            (a, b) if a == b || b == 1 => a,
            (1, b) => b,
            (a, b) => return Err(format!("an extent of {a} does not expand to {b}")),
        });
    }
    if is_value(node) && rank > shape.len() {
        return Err(batch("another axis in front"));
    }
    if is_value(node) && to[0] == node.batch {
        to[0] = 1;
    }
    bounded_shape(to.iter().copied())?;
    if to.contains(&0) {
        return Err("it would leave no elements".into());
    }
    rearranged(node, IndexMap::expand(&shape, &to))
}

/// Reads an ONNX Tile that keeps the batch axis.
pub fn read_tile(node: &mut Reader<'_>) -> Result<Operand, String> {
    let shape = shape_of(node)?;
    let repeats = needed(node, 1, "repeats", 6)?;
    let repeats: Vec<usize> = repeats.iter().map(|&r| size("repeats", r)).collect::<Result<_, _>>()?;
    if repeats.len() != shape.len() || repeats.contains(&0) {
        return Err(format!(
            "repeats {repeats:?} are not one number, at least 1, for each of {} axes",
            shape.len()
        ));
    }
    if is_value(node) && repeats[0] != 1 {
        return Err(batch("repeating axis 0"));
    }
    bounded_shape(shape.iter().zip(&repeats).map(|(&d, &r)| d.saturating_mul(r)))?;
    rearranged(node, IndexMap::tile(&shape, &repeats))
}

/// Batch, channels, height, width and the block's side.
fn blocks(node: &Reader<'_>) -> Result<([usize; 4], usize), String> {
    let shape = shape_of(node)?;
    let side = size("blocksize", node.int("blocksize", 0))?;
    match shape[..] {
        [n, c, h, w] if (1..=4096).contains(&side) => Ok(([n, c, h, w], side)),
        _ => Err(format!("a blocksize of {side} and the shape {shape:?} do not fit")),
    }
}

/// Reads an ONNX DepthToSpace.
pub fn read_depth_to_space(node: &mut Reader<'_>) -> Result<Operand, String> {
    let ([n, c, h, w], side) = blocks(node)?;
    if !c.is_multiple_of(side * side) {
        return Err(format!("{c} channels are no multiple of {}", side * side));
    }
    let depth = c / side / side;
    let (split, order) = match node.text("mode", "DCR").as_str() {
        "DCR" => ([n, side, side, depth, h, w], [0, 3, 4, 1, 5, 2]),
        "CRD" => ([n, depth, side, side, h, w], [0, 1, 4, 2, 5, 3]),
        other => return Err(format!("mode {other:?} is not supported")),
    };
    rearranged(node, IndexMap::reordered(&split, &order, &[n, depth, h * side, w * side]))
}

/// Reads an ONNX SpaceToDepth.
pub fn read_space_to_depth(node: &mut Reader<'_>) -> Result<Operand, String> {
    let ([n, c, h, w], side) = blocks(node)?;
    if !h.is_multiple_of(side) || !w.is_multiple_of(side) {
        return Err(format!("{h} by {w} is no multiple of {side}"));
    }
    let split = [n, c, h / side, side, w / side, side];
    let shape = [n, c * side * side, h / side, w / side];
    let order = match node.text("mode", "DCR").as_str() {
        "DCR" => [0, 3, 5, 1, 2, 4],
        "CRD" => [0, 1, 3, 5, 2, 4],
        other => return Err(format!("mode {other:?} is not supported")),
    };
    rearranged(node, IndexMap::reordered(&split, &order, &shape))
}
