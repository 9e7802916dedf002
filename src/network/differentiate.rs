//! Reverse-mode differentiation: a graph in, the same graph with its backward pass out.

use std::collections::HashMap;

use crate::{
    error::{Error, Result},
    graph::{Adjoint, Graph, Producer, Rows, Rule, ValueId},
    ops::add::Add,
};

/// Adds to `graph` an input `cotangent`, of the shape of `score` and with a row per image and target, and the
/// nodes that make the gradient of `<cotangent, score>` with respect to `at`. Returns the gradient's value.
///
/// # Errors
/// [`Error::Unsupported`] when an operator on the way has no gradient rule, [`Error::Argument`] when the
/// score does not depend on `at`.
pub fn differentiate(graph: &mut Graph, score: ValueId, at: ValueId, rule: Rule) -> Result<ValueId> {
    Ok(differentiate_all(graph, score, &[at], rule)?.swap_remove(0))
}

/// [`differentiate`] with respect to several values in one backward pass: their gradients, in their order. Each
/// is what it would be alone, as if the value were an input.
///
/// # Errors
/// The same as [`differentiate`].
pub fn differentiate_all(
    graph: &mut Graph,
    score: ValueId,
    at: &[ValueId],
    rule: Rule,
) -> Result<Vec<ValueId>> {
    let depends = dependants(graph, at);
    let forward: Vec<ValueId> = graph.iter().map(|(id, _)| id).collect();
    let shape = graph.node(score).shape.clone();
    let cotangent = graph.input("cotangent", shape, Rows::Targets);
    let mut gradients = HashMap::from([(score, cotangent)]);
    for &output in forward.iter().rev().filter(|v| depends[v.index()]) {
        let Some(&cotangent) = gradients.get(&output) else { continue };
        let node = graph.node(output).clone();
        if !node.inputs.iter().any(|i| depends[i.index()]) {
            continue;
        }
        let Producer::Operator(op) = &node.producer else { continue };
        let name = node.name.clone();
        let mut adjoint = Adjoint { graph, name, inputs: node.inputs.clone(), output, cotangent, rule };
        let made = op.gradient(&mut adjoint)?;
        for (&input, &gradient) in node.inputs.iter().zip(&made) {
            if depends[input.index()] {
                accumulate(graph, &mut gradients, input, gradient)?;
            }
        }
    }
    let none =
        |v: &ValueId| Error::Argument(format!("the scores do not depend on {:?}", graph.node(*v).name));
    at.iter().map(|v| gradients.get(v).copied().ok_or_else(|| none(v))).collect()
}

/// Which values depend on any of `at`, themselves included.
fn dependants(graph: &Graph, at: &[ValueId]) -> Vec<bool> {
    let mut depends = vec![false; graph.nodes().len()];
    for (id, node) in graph.iter() {
        depends[id.index()] = at.contains(&id) || node.inputs.iter().any(|i| depends[i.index()]);
    }
    depends
}

/// A value that is read several times receives the sum of what each reader sends.
fn accumulate(
    graph: &mut Graph,
    gradients: &mut HashMap<ValueId, ValueId>,
    input: ValueId,
    gradient: ValueId,
) -> Result<()> {
    if graph.node(gradient).shape != graph.node(input).shape {
        let name = &graph.node(input).name;
        return Err(Error::Model(format!(
            "the gradient of {name:?} has the wrong shape; please report this"
        )));
    }
    let total = match gradients.get(&input) {
        None => gradient,
        Some(&sum) => graph.add(format!("{}/gradient/sum", graph.node(input).name), Add, &[sum, gradient])?,
    };
    gradients.insert(input, total);
    Ok(())
}
