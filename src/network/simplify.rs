//! Rewrites that change no number: batch normalisation into the convolution before it, chains of pointwise
//! functions into one, quantize-dequantize pairs into fake quantization.
//!
//! A value that the caller wants is never merged into what reads it, so any layer can be asked for.

use std::sync::Arc;

use crate::{
    error::Result,
    graph::{Constant, Graph, Node, Producer, ValueId},
    ops::{
        affine::{Affine, Per},
        conv::Conv,
        pointwise::{Pointwise, Step},
    },
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
                    Some((Replacement::Conv(conv), inputs)) => new.add(&node.name, conv, &inputs)?,
                    Some((Replacement::Pointwise(chain), inputs)) => new.add(&node.name, chain, &inputs)?,
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

enum Replacement {
    Conv(Conv),
    Pointwise(Pointwise),
}

/// What `node` becomes when it absorbs `before`, the only thing it reads and that nobody else reads.
fn merged(graph: &Graph, node: &Node, before: Option<ValueId>) -> Option<(Replacement, Vec<ValueId>)> {
    if let Some(chain) = node.as_op::<Pointwise>() {
        let before = graph.node(before?);
        let first = before.as_op::<Pointwise>()?;
        let steps = paired(first.steps.iter().chain(&chain.steps).cloned());
        return Some((Replacement::Pointwise(Pointwise { steps }), before.inputs.clone()));
    }
    let affine = node.as_op::<Affine>().filter(|a| a.per == Per::Channel)?;
    let conv = graph.node(before?);
    Some((Replacement::Conv(folded(conv.as_op::<Conv>()?, affine)), conv.inputs.clone()))
}

/// A chain with each quantize that its own dequantize follows made one step.
fn paired(steps: impl Iterator<Item = Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::new();
    for step in steps {
        let pair = match (out.last(), &step) {
            (Some(Step::Quantize(q)), Step::Dequantize(d)) if q.affinity == d.affinity => Some(q.clone()),
            _ => None,
        };
        match pair {
            Some(q) => {
                out.pop();
                // Quantizing twice by the same quantizer changes nothing more.
                if !matches!(out.last(), Some(Step::FakeQuantize(last)) if *last == q) {
                    out.push(Step::FakeQuantize(q));
                }
            }
            None => out.push(step),
        }
    }
    out
}

/// `scale * conv(x) + shift` as one convolution, computed in double precision.
#[allow(clippy::cast_possible_truncation)]
fn folded(conv: &Conv, affine: &Affine) -> Conv {
    let per_output = conv.weights.len() / conv.outputs();
    let scaled = |i: usize| (conv.weights.real(i) * f64::from(affine.scale[i / per_output])) as f32;
    let weights = Constant::floats(conv.weights.shape.clone(), (0..conv.weights.len()).map(scaled).collect());
    let bias = |o: usize| conv.bias.as_ref().map_or(0.0, |b| f64::from(b[o]));
    let shifted = |o: usize| (bias(o) * f64::from(affine.scale[o]) + f64::from(affine.shift[o])) as f32;
    Conv {
        weights: Arc::new(weights),
        bias: Some(Arc::new((0..conv.outputs()).map(shifted).collect())),
        groups: conv.groups,
        window: conv.window,
    }
}
