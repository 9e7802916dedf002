//! Element-wise operators below transposes.
//!
//! `f(T(x))` is `T(f(x))` where `f` treats every element alike. Exporters write many transposes, around each convolution of
//! a channels-last graph or around each normalisation over channels. Read in this order, a transpose moves down until
//! another one undoes it, and what is between them has its channels first, as kernels and layers want them.

use std::sync::Arc;

use super::{
    IndexMap, Rearrange,
    onnx::{joined, of_constant, placed},
};
use crate::{
    graph::{Constant, Graph, ValueId},
    limits,
    ops::onnx::{Operand, Reader},
};

/// The value that a transpose reads, and the order in which it takes its axes; `None` of any other value.
pub fn transposed(graph: &Graph, value: ValueId) -> Option<(ValueId, Vec<usize>)> {
    let node = graph.node(value);
    let order = node.as_op::<Rearrange>()?.map.order()?;
    let input = *node.inputs.first()?;
    (graph.node(input).shape.len() == order.len()).then_some((input, order))
}

/// Gives a value the axes of another one in an order; transposes that undo each other leave nothing.
pub(in crate::ops) fn in_order(
    node: &mut Reader<'_>,
    value: ValueId,
    order: &[usize],
) -> Result<ValueId, String> {
    let map = IndexMap::transpose(&node.node(value).shape, order);
    let (value, map) = joined(node, value, map);
    placed(node, value, map)
}

/// Reads an element-wise operator: below the transpose of what it reads, where that is one.
pub fn below_transposes(
    node: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<Operand, String>,
) -> Result<Operand, String> {
    let Some(order) = common_order(node) else { return read(node) };
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
    let mut inputs = Vec::with_capacity(node.inputs.len());
    for input in node.inputs.clone() {
        inputs.push(match input {
            None => None,
            Some(Operand::Value(value)) => Some(Operand::Value(in_order(node, value, &back)?)),
            Some(Operand::Constant(constant)) => match broadcast_in_order(&constant, &back) {
                Some(moved) => Some(Operand::Constant(moved)),
                None => return read(node),
            },
        });
    }
    node.inputs = inputs;
    match read(node)? {
        Operand::Value(made) if node.node(made).shape.len() == order.len() => {
            in_order(node, made, &order).map(Operand::Value)
        }
        _ => Err("it is not element-wise; please report this".into()),
    }
}

/// The order of the transpose that made the largest input, where no other input would cost more to move than that saves.
fn common_order(node: &Reader<'_>) -> Option<Vec<usize>> {
    let values: Vec<ValueId> = node
        .inputs
        .iter()
        .flatten()
        .filter_map(|input| if let Operand::Value(value) = input { Some(*value) } else { None })
        .collect();
    let largest = values.iter().copied().max_by_key(|&value| node.node(value).elements())?;
    let (_, order) = transposed(node.graph, largest)?;
    let moves = |&value: &ValueId| {
        let of = node.node(value);
        let is_small = of.elements() < node.node(largest).elements();
        let same = transposed(node.graph, value).is_some_and(|(_, other)| other == order);
        of.shape.len() == order.len() && (is_small || same)
    };
    // Before opset 7 an attribute says which axes a constant belongs to.
    (node.opset >= 7 && values.iter().all(moves)).then_some(order)
}

/// A constant that broadcasts to a value, for that value with its axes in another order. `None` where it has more axes.
fn broadcast_in_order(constant: &Arc<Constant>, order: &[usize]) -> Option<Arc<Constant>> {
    let rank = order.len();
    if constant.len() == 1 && constant.shape.len() <= rank + 1 {
        return Some(constant.clone());
    }
    let batch = constant.shape.len().saturating_sub(rank);
    if constant.quantization.is_some()
        || constant.shape[..batch].iter().any(|&extent| extent != 1)
        || batch > 1
    {
        return None;
    }
    let own = &constant.shape[batch..];
    let shape = [&vec![1; rank - own.len()][..], own].concat();
    if shape.iter().any(|&extent| extent as u64 > limits::AXIS) {
        return None;
    }
    let map = IndexMap::transpose(&shape, order);
    Some(Arc::new(of_constant(&map, &Constant { shape, ..(**constant).clone() })))
}
