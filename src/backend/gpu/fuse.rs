//! Rewrites a graph for the GPU: what is done to one element at a time moves into the kernel that makes it,
//! masks are made as soon as they can be, and masked pictures are read through their masks.

use std::sync::Arc;

use crate::{
    chain::Epilogue,
    error::Result,
    gpu::MaskEncoding,
    graph::{Graph, Node, OnMasks, Operator, Producer, Storage, ValueId},
    ops::{fused::Fused, kernels::MOST_STEPS, materialize_masked::MaterializeMasked},
};

/// The longest chain of functions that a kernel's parameters hold.
const LONGEST_CHAIN: usize = 16;

/// The graph as the GPU runs it. With an encoding the first input is one picture under many masks of that encoding.
pub fn fuse(graph: &Graph, encoding: Option<MaskEncoding>) -> Result<Graph> {
    let early = mask_early(&graph.pruned().0)?;
    let fused = merge(&early)?.pruned().0;
    match encoding {
        Some(encoding) => Ok(materialize_masked(&fused, encoding)?.pruned().0),
        None => Ok(fused),
    }
}

/// Which values stand for one picture under many masks: what [`materialize_masked`] leaves so.
#[must_use]
pub fn masked_values(graph: &Graph, encoding: MaskEncoding) -> Vec<bool> {
    let mut masked = vec![false; graph.nodes().len()];
    for (id, node) in graph.iter() {
        masked[id.index()] = match &node.producer {
            Producer::Input => graph.inputs().first() == Some(&id),
            Producer::Operator(op) => masked[node.inputs[0].index()] && keeps_masks(op, encoding),
        };
    }
    masked
}

/// Copies a graph node by node: `change` may add other nodes in a node's stead. It is told where each node of
/// the old graph stands in the new one, and where the inputs of its own do.
fn rebuild(
    graph: &Graph,
    order: impl Iterator<Item = ValueId>,
    mut change: impl FnMut(&mut Graph, ValueId, &[Option<ValueId>], &[ValueId]) -> Result<Option<ValueId>>,
) -> Result<(Graph, Vec<Option<ValueId>>)> {
    let mut new = Graph::new();
    let mut places: Vec<Option<ValueId>> = vec![None; graph.nodes().len()];
    for id in order {
        let node = graph.node(id);
        let inputs: Vec<ValueId> = node.inputs.iter().filter_map(|i| places[i.index()]).collect();
        let place = match &node.producer {
            Producer::Input => new.input(&node.name, node.shape.clone(), node.rows),
            Producer::Operator(op) => match change(&mut new, id, &places, &inputs)? {
                Some(place) => place,
                None => new.add_shared(&node.name, op.clone(), &inputs)?,
            },
        };
        places[id.index()] = Some(place);
    }
    let outputs: Vec<ValueId> = graph.outputs().iter().filter_map(|o| places[o.index()]).collect();
    new.set_outputs(outputs);
    Ok((new, places))
}

/// Moves bits and bytes to right behind what they are made of, so that the backward pass keeps them instead
/// of the activations.
fn mask_early(graph: &Graph) -> Result<Graph> {
    let mut order: Vec<ValueId> = vec![];
    let small = |node: &Node| node.storage != Storage::Float && node.inputs.len() == 1;
    let mut followers: Vec<Vec<ValueId>> = vec![vec![]; graph.nodes().len()];
    for (id, node) in graph.iter().filter(|(_, n)| small(n)) {
        followers[node.inputs[0].index()].push(id);
    }
    for (id, _) in graph.iter().filter(|(_, n)| !small(n)) {
        order.push(id);
        order.extend(&followers[id.index()]);
    }
    Ok(rebuild(graph, order.into_iter(), |_, _, _, _| Ok(None))?.0)
}

/// A node as a base operator and an epilogue, if its kernels can end with one.
fn parts(node: &Node) -> Option<(Option<Arc<dyn Operator>>, Epilogue)> {
    if let Some(fused) = node.as_op::<Fused>() {
        return Some((fused.base.clone(), fused.epilogue.clone()));
    }
    let op = node.operator()?;
    match op.as_epilogue() {
        Some(epilogue) => Some((None, epilogue)),
        None => op.takes_epilogue().then(|| (Some(op.clone()), Epilogue::default())),
    }
}

/// Merges functions of one element, sums and gates into what makes their input, where nobody else reads it.
fn merge(graph: &Graph) -> Result<Graph> {
    let uses = graph.uses();
    let ids = graph.iter().map(|(id, _)| id);
    let (new, _) = rebuild(graph, ids, |new, id, _, inputs| {
        let node = graph.node(id);
        let Some(end) = node.operator().and_then(|op| op.as_epilogue()) else { return Ok(None) };
        // The later one of the two sides of a sum takes in the other.
        let mut sides: Vec<usize> = (0..if end.add_at.is_some() { 2 } else { 1 }).collect();
        sides.sort_by_key(|&s| std::cmp::Reverse(inputs.get(s).copied()));
        for side in sides {
            let Some(&main) = inputs.get(side) else { continue };
            let sole = uses[node.inputs[side].index()] == 1;
            let made = new.node(main).clone();
            let Some((base, before)) = parts(&made).filter(|_| sole && made.rows == node.rows) else {
                continue;
            };
            let Some(epilogue) = before.then(&end).filter(|e| e.steps.len() <= LONGEST_CHAIN) else {
                continue;
            };
            let others = inputs.iter().enumerate().filter(|(i, _)| *i != side).map(|(_, id)| *id);
            let read: Vec<ValueId> = made.inputs.iter().copied().chain(others).collect();
            return new.add(&node.name, Fused { prologue: vec![], base, epilogue }, &read).map(Some);
        }
        Ok(None)
    })?;
    Ok(new)
}

/// True if the masks stay on what an operator makes of one picture under masks of an encoding.
fn keeps_masks(op: &Arc<dyn Operator>, encoding: MaskEncoding) -> bool {
    match op.on_masks() {
        OnMasks::Affine => true,
        OnMasks::PerElement => encoding != MaskEncoding::Grids,
        OnMasks::Mixes => false,
    }
}

/// A convolution that reads a masked picture through a chain of functions.
struct Prologued {
    /// The masked picture.
    picture: ValueId,
    /// A scale and shift of it, if any, which comes first.
    scaling: Option<Arc<dyn Operator>>,
    /// The convolution, with the chain as its prologue.
    fused: Fused,
}

/// A convolution as one operator with the chain of functions in front of it, if they lie on a masked picture.
fn prologued(graph: &Graph, masked: &[bool], node: &Node) -> Option<Prologued> {
    let chain = graph.node(*node.inputs.first()?);
    let (scaling, Epilogue { steps, add_at: None, gate: None }) = parts(chain)? else { return None };
    let picture = *chain.inputs.first().filter(|i| masked[i.index()])?;
    let linear = scaling.as_ref().is_none_or(|op| op.on_masks() == OnMasks::Affine);
    let (base, epilogue) = parts(node).filter(|_| node.operator().is_some_and(|op| op.reads_masks()))?;
    let fits = !steps.is_empty() && steps.len() + epilogue.steps.len() <= MOST_STEPS;
    let fused = Fused { prologue: steps, base, epilogue };
    (linear && fits).then_some(Prologued { picture, scaling, fused })
}

/// Writes masked pictures out where they are read by what cannot read them through their masks.
fn materialize_masked(graph: &Graph, encoding: MaskEncoding) -> Result<Graph> {
    let masked = masked_values(graph, encoding);
    let mut written: Vec<Option<ValueId>> = vec![None; graph.nodes().len()];
    let mut write = |new: &mut Graph, old: ValueId, place: ValueId| -> Result<ValueId> {
        if let Some(done) = written[old.index()] {
            return Ok(done);
        }
        let done = new.add(format!("{}/masked", graph.node(old).name), MaterializeMasked, &[place])?;
        written[old.index()] = Some(done);
        Ok(done)
    };
    let ids = graph.iter().map(|(id, _)| id);
    let (mut new, places) = rebuild(graph, ids, |new, id, places, inputs| {
        let node = graph.node(id);
        let Some(op) = node.operator() else { return Ok(None) };
        let mut read = inputs.to_vec();
        if let Some(prologued) = prologued(graph, &masked, node)
            && let Some(mut picture) = places[prologued.picture.index()]
        {
            if let Some(scaling) = prologued.scaling {
                picture = new.add_shared(format!("{}/scaled", node.name), scaling, &[picture])?;
            }
            read[0] = picture;
            return new.add(&node.name, prologued.fused, &read).map(Some);
        }
        for (i, old) in node.inputs.iter().enumerate() {
            let through = masked[id.index()] || (i == 0 && op.reads_masks());
            if masked[old.index()] && !through {
                read[i] = write(new, *old, inputs[i])?;
            }
        }
        new.add_shared(&node.name, op.clone(), &read).map(Some)
    })?;
    let mut outputs = vec![];
    for old in graph.outputs() {
        let Some(place) = places[old.index()] else { continue };
        outputs.push(if masked[old.index()] { write(&mut new, *old, place)? } else { place });
    }
    new.set_outputs(outputs);
    Ok(new)
}
