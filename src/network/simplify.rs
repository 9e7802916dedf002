//! Rewrites that change no number: two operators become one where [`Operator::followed_by`] has it. So batch
//! normalisation goes into the convolution before it, and chains of functions of one element become one.
//!
//! A value that the caller wants is never merged into what reads it, so any layer can be asked for.

use std::sync::Arc;

use crate::{
    error::Result,
    graph::{Graph, Node, Operator, Producer, ValueId},
};

/// The simplified graph, with the same inputs and outputs, and where each value went.
pub fn simplify(graph: &Graph) -> Result<(Graph, Vec<Option<ValueId>>)> {
    let (graph, pruned) = graph.pruned();
    let uses = graph.uses();
    let mut new = Graph::new();
    let mut places: Vec<ValueId> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let inputs: Vec<ValueId> = node.inputs.iter().map(|i| places[i.index()]).collect();
        let place = match &node.producer {
            Producer::Input => new.input(&node.name, node.shape.clone(), node.rows),
            Producer::Operator(op) => {
                let sole = node.inputs.first().is_some_and(|i| uses[i.index()] == 1);
                match merged(&new, node, inputs.first().copied().filter(|_| sole)) {
                    Some((both, inputs)) => new.add_shared(&node.name, both, &inputs)?,
                    None => new.add_shared(&node.name, op.clone(), &inputs)?,
                }
            }
        };
        places.push(place);
    }
    new.set_outputs(graph.outputs().iter().map(|o| places[o.index()]).collect::<Vec<_>>());
    let (new, kept) = new.pruned();
    let through = |id: ValueId| kept[places[id.index()].index()];
    Ok((new, pruned.into_iter().map(|p| p.and_then(through)).collect()))
}

/// The operator that does what `node` does and, before it, what the only thing it reads does, which nobody
/// else reads; and what that reads.
fn merged(graph: &Graph, node: &Node, before: Option<ValueId>) -> Option<(Arc<dyn Operator>, Vec<ValueId>)> {
    let before = graph.node(before?);
    let both = before.operator()?.followed_by(node.operator()?.as_ref())?;
    Some((both, before.inputs.clone()))
}
