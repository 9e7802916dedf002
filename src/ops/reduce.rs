//! Sums and means of a value over any axes but the batch's.

use super::{
    arithmetic::scaled,
    fold::axes,
    global_average_pool::GlobalAveragePool,
    onnx::{Operand, Reader},
    rearrange::{IndexMap, SumGroups, Sums, check_axes, placed},
    reshape::Reshape,
};
use crate::graph::{Shape, ValueId};

/// Reads an ONNX `ReduceSum`.
pub fn read_sum(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 13, sum_over)
}

/// As [`read_sum`], of a reduction whose axes became an input in opset 18.
pub(super) fn read_sum_since_18(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 18, sum_over)
}

/// Reads an ONNX `ReduceMean`.
pub fn read_mean(node: &mut Reader<'_>) -> Result<Operand, String> {
    reduced(node, 18, mean_over)
}

type Reduce = fn(&mut Reader<'_>, ValueId, &[usize]) -> Result<ValueId, String>;

/// The first input reduced over a node's axes, which are kept with the extent 1 or not.
fn reduced(node: &mut Reader<'_>, input_since: i64, of: Reduce) -> Result<Operand, String> {
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
pub(super) fn sum_over(node: &mut Reader<'_>, mut input: ValueId, axes: &[usize]) -> Result<ValueId, String> {
    let shape = node.node(input).shape.clone();
    let Some((&first, &last)) = axes.first().zip(axes.last()) else { return Ok(input) };
    if first == 0 {
        return Err("a reduction of axis 0 would mix the images of a batch".into());
    }
    let is_reduced = |i: usize| axes.contains(&(i + 1));
    let result: Shape = (0..shape.len()).map(|i| if is_reduced(i) { 1 } else { shape[i] }).collect();
    check_axes(&shape)?;
    let from: usize = axes.iter().map(|&axis| shape[axis - 1]).product();
    check_axes(&[from])?;
    node.repeat(from)?;
    // Axes side by side are one; others are brought to the end.
    let (outer, inner) = match last - first + 1 == axes.len() {
        true => (shape[..first - 1].iter().product(), shape[last..].iter().product()),
        false => {
            let stay = (0..shape.len()).filter(|&i| !is_reduced(i));
            let order: Vec<usize> = stay.chain(axes.iter().map(|axis| axis - 1)).collect();
            input = placed(node, input, IndexMap::transpose(&shape, &order))?;
            (result.iter().product(), 1)
        }
    };
    let sums = Sums { outer, from, inner, groups: vec![(0..from).collect()] };
    node.value_of(SumGroups { sums, shape: Some(result) }, &[input])
}
