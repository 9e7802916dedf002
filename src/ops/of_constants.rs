//! Operators of constants that have no fold of their own: read in a graph of their own, and run.

use std::collections::{HashMap, HashSet};

use super::{
    entry::Entry,
    fold::Inputs,
    onnx::{Operand, Reader},
    unbatched,
};
use crate::{
    graph::{Constant, Elements, Graph, Rows, evaluate::evaluate},
    limits,
};

/// The cost of building a model for a node, in products and sums.
const MODEL: u64 = 1 << 18;

/// Reads a node that has no fold of its own, whether it depends on the image or not.
pub fn read(node: &mut Reader<'_>, entry: &Entry) -> Result<Operand, String> {
    let Some(inputs) = Inputs::of(node) else { return unbatched::read(node, entry) };
    let given = node.inputs.clone();
    unbatched::read(node, entry).or_else(|refusal| {
        node.inputs = given;
        computed(node, entry, &inputs).map(|made| Operand::Constant(made.into())).map_err(|_| refusal)
    })
}

/// Computes a node of constants, the first of them floats, whose first axis is taken as the batch.
fn computed(node: &mut Reader<'_>, entry: &Entry, inputs: &Inputs) -> Result<Constant, String> {
    let first = inputs.get(0)?;
    let (Elements::F32(_), Some((&rows, shape))) = (&first.elements, first.shape.split_first()) else {
        return Err("of constants it is supported where they are floats with axes".into());
    };
    let mut graph = Graph::new();
    let input = graph.input("constant", shape, Rows::Images);
    let mut given = node.inputs.clone();
    given[0] = Some(Operand::Value(input));
    let (mut unbatched, mut reals) = (HashSet::new(), HashMap::new());
    let made = {
        let mut inner = node.again(node.proto, given);
        inner.graph = &mut graph;
        (inner.unbatched, inner.reals, inner.batch) = (&mut unbatched, &mut reals, rows);
        unbatched::read(&mut inner, entry)?
    };
    let Operand::Value(output) = made else { return Err("it is a constant".into()) };
    if unbatched.contains(&output) {
        return Err("of constants it is supported where it keeps their first axis".into());
    }
    graph.set_outputs([output]);
    let work = graph.work().saturating_mul(rows as u64).saturating_add(MODEL);
    *node.constant_work = node.constant_work.saturating_add(work);
    let what = "the number of products and sums of the model's constants";
    limits::check(what, *node.constant_work, limits::CONSTANT_WORK).map_err(|e| e.to_string())?;
    let shape = [&[rows], graph.node(output).shape.as_slice()].concat();
    let mut values = Vec::with_capacity(shape.iter().product());
    node.repeat(shape.iter().product())?;
    for row in first.to_f32().chunks_exact(graph.node(input).elements().max(1)) {
        values.extend(evaluate(&graph, row).map_err(|e| e.to_string())?);
    }
    match values.iter().all(|v| v.is_finite()) && values.len() == shape.iter().product::<usize>() {
        true => Ok(Constant::floats(shape, values)),
        false => Err("it computes what is not a number".into()),
    }
}
