//! GatherND by constant indices, and ScatterND of values: that only where it replaces all that there is, as a part of a
//! value that is the whole is written.

use super::{
    onnx::{Operand, Reader, axis_of},
    rearrange::{IndexMap, check_axes, of_constant, placed},
    reshape::shaped,
};
use crate::{graph::ValueId, limits};

/// Which elements or slices a GatherND takes from what has the axes `shape`.
fn taken(node: &Reader<'_>, shape: &[usize]) -> Result<IndexMap, String> {
    let indices = node.constant(1)?;
    let (Some(listed), Some((&depth, places))) = (indices.to_i64(), indices.shape.split_last()) else {
        return Err("its indices are no integers".into());
    };
    let outer = shape.get(..depth).filter(|_| depth > 0).ok_or("its indices do not fit its axes")?;
    if node.int("batch_dims", 0) != 0 {
        return Err("batch_dims is not supported".into());
    }
    let flat = |index: &[i64]| {
        index.iter().zip(outer).try_fold(0, |sum, (&at, &extent)| Ok(sum * extent + axis_of(at, extent)?))
    };
    let list = listed.chunks_exact(depth).map(flat).collect::<Result<Vec<usize>, String>>()?;
    let rest = &shape[depth..];
    let (from, to) = ([&[outer.iter().product()], rest].concat(), [places, rest].concat());
    check_axes(&[from.as_slice(), &[list.len()]].concat())?;
    let what = "the number of elements of a value";
    limits::check(what, limits::product(&to), limits::VALUE_ELEMENTS).map_err(|e| e.to_string())?;
    Ok(IndexMap::take(&from, 0, list).with_shape(&to))
}

/// Reads an ONNX GatherND of a constant.
pub fn read_gather_nd(node: &mut Reader<'_>) -> Result<Operand, String> {
    let Some(Some(Operand::Constant(constant))) = node.inputs.first().cloned() else {
        return Err("it would mix the images of a batch".into());
    };
    let map = taken(node, &constant.shape)?;
    node.repeat(map.shape().iter().product())?;
    Ok(Operand::Constant(of_constant(&map, &constant).into()))
}

/// Reads an ONNX GatherND of a value with all of its axes.
pub(super) fn gathered(node: &mut Reader<'_>, value: ValueId) -> Result<Operand, String> {
    let map = taken(node, &node.node(value).shape)?;
    placed(node, value, map).map(Operand::Value)
}

/// Reads an ONNX ScatterND whose indices name every element or slice of its first input, in order: it makes its updates.
pub fn read_scatter_nd(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (data, updates, indices) = (node.value(0)?, node.value(2)?, node.constant(1)?);
    let own = node.node(data).shape.clone();
    let all = [&[1], own.as_slice()].concat();
    let (Some(listed), Some(&depth)) = (indices.to_i64(), indices.shape.last()) else {
        return Err("its indices are no integers".into());
    };
    let outer = all.get(..depth).ok_or("its indices have too many axes")?;
    let axis_at =
        |place: usize, axis: usize| place / outer[axis + 1..].iter().product::<usize>() % outer[axis];
    let is_in_order = |(place, index): (usize, &[i64])| {
        index.iter().enumerate().all(|(axis, &at)| usize::try_from(at) == Ok(axis_at(place, axis)))
    };
    let is_whole = depth > 0
        && listed.len() / depth == outer.iter().product::<usize>()
        && listed.chunks_exact(depth).enumerate().all(is_in_order)
        && node.node(updates).elements() == node.node(data).elements();
    match is_whole && node.text("reduction", "none") == "none" {
        true => shaped(node, updates, &own).map(Operand::Value),
        false => Err("it depends on the image, and is supported where it replaces all elements".into()),
    }
}
