//! Sums, means, largest and smallest elements of a value over any axes but the batch's.

use super::{
    arithmetic::scaled,
    fold::axes,
    global_average_pool::GlobalAveragePool,
    max_pool::MaxPool,
    onnx::{Operand, Reader},
    rearrange::{IndexMap, SumGroups, Sums, check_axes, placed},
    reshape::Reshape,
    window::Window,
};
use crate::graph::{Shape, ValueId};

/// Reads an ONNX `ReduceSum`.
pub fn read_sum(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 13, sum_over)
}

/// Reads an ONNX `ReduceMean`.
pub fn read_mean(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 18, mean_over)
}

type Reduce = fn(&mut Reader<'_>, ValueId, &[usize]) -> Result<ValueId, String>;

/// The first input reduced over a node's axes, which are kept with the extent 1 or not.
pub(super) fn reduced(node: &mut Reader<'_>, input_since: i64, of: Reduce) -> Result<Operand, String> {
    let input = node.value(0)?;
    let shape = node.node(input).shape.clone();
    let axes = axes(node, shape.len() + 1, input_since)?;
    if axes.is_empty() {
        return Ok(Operand::Value(input));
    }
    let made = of(node, input, &axes)?;
    if node.int("keepdims", 1) != 0 {
        return Ok(Operand::Value(made));
    }
    let kept = shape.iter().enumerate().filter(|(i, _)| !axes.contains(&(i + 1))).map(|(_, &extent)| extent);
    let kept: Shape = kept.collect();
    node.add(Reshape { shape: kept }, &[made])
}

/// The mean over some axes, counted with the batch's, which stay with the extent 1.
pub(super) fn mean_over(node: &mut Reader<'_>, input: ValueId, axes: &[usize]) -> Result<ValueId, String> {
    let shape = node.node(input).shape.clone();
    if shape.len() == 3 && axes == [2, 3] {
        return node.value_of(GlobalAveragePool, &[input]);
    }
    let sum = sum_over(node, input, axes)?;
    let count: usize = axes.iter().map(|&axis| shape[axis - 1]).product();
    scaled(node, sum, 1.0 / count as f32, 0.0)
}

/// The sum over some axes, in ascending order and counted with the batch's, which stay with the extent 1.
pub(super) fn sum_over(node: &mut Reader<'_>, input: ValueId, axes: &[usize]) -> Result<ValueId, String> {
    let shape = node.node(input).shape.clone();
    let Some((&first, &last)) = axes.first().zip(axes.last()) else { return Ok(input) };
    if first == 0 {
        return Err("a reduction of axis 0 would mix the images of a batch".into());
    }
    check_axes(&shape)?;
    let from: usize = axes.iter().map(|&axis| shape[axis - 1]).product();
    node.repeat(from)?;
    let (input, [outer, from, inner]) = arranged(node, input, axes, [first, last])?;
    let result = kept(&shape, axes);
    let sums = Sums { outer, from, inner, groups: vec![(0..from).collect()] };
    node.value_of(SumGroups { sums, shape: Some(result) }, &[input])
}

/// A shape with the extent 1 for the axes that are reduced, which count the batch's.
fn kept(shape: &[usize], axes: &[usize]) -> Shape {
    shape.iter().enumerate().map(|(i, &extent)| if axes.contains(&(i + 1)) { 1 } else { extent }).collect()
}

/// A value whose reduced axes, of which the first and the last are given, lie side by side, and its extents before them,
/// along them, and behind.
fn arranged(
    node: &mut Reader<'_>,
    input: ValueId,
    axes: &[usize],
    [first, last]: [usize; 2],
) -> Result<(ValueId, [usize; 3]), String> {
    let shape = node.node(input).shape.clone();
    check_axes(&shape)?;
    let from: usize = axes.iter().map(|&axis| shape[axis - 1]).product();
    check_axes(&[from])?;
    // Axes side by side are one; others are brought to the end.
    if last - first + 1 == axes.len() {
        let (outer, inner) = (shape[..first - 1].iter().product(), shape[last..].iter().product());
        return Ok((input, [outer, from, inner]));
    }
    let stay = (0..shape.len()).filter(|i| !axes.contains(&(i + 1)));
    let order: Vec<usize> = stay.chain(axes.iter().map(|axis| axis - 1)).collect();
    let input = placed(node, input, IndexMap::transpose(&shape, &order))?;
    Ok((input, [kept(&shape, axes).iter().product(), from, 1]))
}

/// Reads an ONNX `ReduceMax`.
pub fn read_max(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 18, largest_over)
}

/// Reads an ONNX `GlobalMaxPool`.
pub fn read_global_max_pool(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (input, places) = places(node)?;
    largest_over(node, input, &places).map(Operand::Value)
}

/// Reads an ONNX `GlobalAveragePool`.
pub fn read_global_average_pool(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (input, places) = places(node)?;
    mean_over(node, input, &places).map(Operand::Value)
}

/// A global pool's input, and its axes behind the channels', counted with the batch's.
fn places(node: &Reader<'_>) -> Result<(ValueId, Vec<usize>), String> {
    let input = node.value(0)?;
    let axes = node.node(input).shape.len() + 1;
    if axes < 3 {
        return Err(format!("it works on [N, C, ...], and its input has {axes} axes"));
    }
    Ok((input, (2..axes).collect()))
}

/// Reads an ONNX `ReduceMin`.
pub fn read_min(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 18, |node, input, axes| {
        let negated = scaled(node, input, -1.0, 0.0)?;
        let largest = largest_over(node, negated, axes)?;
        scaled(node, largest, -1.0, 0.0)
    })
}

/// The largest elements over some axes, in ascending order and counted with the batch's, which stay with the extent 1: pools
/// of pools, as a pool counts its taps in a byte. Of equals the first has the gradient.
pub(super) fn largest_over(node: &mut Reader<'_>, input: ValueId, axes: &[usize]) -> Result<ValueId, String> {
    let shape = node.node(input).shape.clone();
    let Some((&first, &last)) = axes.first().zip(axes.last()) else { return Ok(input) };
    if first == 0 {
        return Err("a reduction of axis 0 would mix the images of a batch".into());
    }
    let result = kept(&shape, axes);
    let mut value = input;
    if shape.len() != 3 || axes != [2, 3] {
        let (moved, extents) = arranged(node, input, axes, [first, last])?;
        value = node.value_of(Reshape { shape: extents.to_vec() }, &[moved])?;
    }
    let is_plane = node.node(value).shape == shape;
    while let [_, height, width] = node.node(value).shape[..]
        && (height > 1 || is_plane && width > 1)
    {
        let kernel = if is_plane { [height.min(15), width.min(15)] } else { [height.min(225), 1] };
        let window = Window { strides: kernel, ceil: true, ..Window::new(kernel) };
        value = node.value_of(MaxPool { window }, &[value])?;
    }
    match node.node(value).shape == result {
        true => Ok(value),
        false => node.value_of(Reshape { shape: result }, &[value]),
    }
}
