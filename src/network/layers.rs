//! The values of a network that methods can look at.

use std::collections::HashMap;

use super::Network;
use crate::{
    error::{Error, Result},
    graph::{Graph, Node, ValueId},
    ops::{average_pool::AveragePool, rearrange::transposed},
};

/// A layer that can be asked for: a value with height and width.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Layer {
    /// The ONNX node's name.
    pub name: String,
    /// The ONNX operator, as the file spells it.
    pub operator: String,
    /// `[C, H, W]`.
    pub shape: Vec<usize>,
    /// Its value in the graph.
    #[serde(skip)]
    pub value: ValueId,
}

impl Network {
    /// The layers that can be asked for, first to last.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The last layer before the last pooling or flattening on the way to the scores.
    #[must_use]
    pub fn default_layer(&self) -> Option<&Layer> {
        self.default_layer.map(|i| &self.layers[i])
    }

    /// Which layers the scores depend on.
    #[must_use]
    pub fn live_layers(&self) -> Vec<&Layer> {
        let mut graph = self.graph.clone();
        graph.set_outputs([self.logits]);
        let live = graph.live();
        self.layers.iter().filter(|l| live[l.value.index()]).collect()
    }

    /// Finds a layer by its ONNX node's name or by its output's name.
    pub fn layer(&self, name: &str) -> Result<Layer> {
        if let Some(layer) = self.layers.iter().find(|l| l.name == name) {
            return Ok(layer.clone());
        }
        let value = self.names.get(name).and_then(|value| self.channels_first(*value));
        let value = value.ok_or_else(|| {
            Error::Argument(format!(
                "there is no layer {name:?} with height and width; list them with `pellucid layers`"
            ))
        })?;
        let node = self.graph.node(value);
        let operator = operator_of(&self.operators, value, node);
        Ok(Layer { name: name.to_owned(), operator, shape: node.shape.clone(), value })
    }
}

impl Network {
    /// The value itself where its axes are `[C, H, W]`, or what it is a transpose of.
    fn channels_first(&self, value: ValueId) -> Option<ValueId> {
        let axes = channel_axes(&self.graph);
        let candidates = [Some(value), transposed(&self.graph, value).map(|(input, _)| input)];
        let is_map = |v: &ValueId| self.graph.node(*v).shape.len() == 3 && axes[v.index()] == Some(0);
        candidates.into_iter().flatten().find(is_map)
    }
}

/// The place of a value's channels.
#[derive(Clone, Copy)]
enum Channels {
    /// Along this axis.
    Axis(usize),
    /// Within an axis that a reshape merged of several: so many, with so many places before them.
    Merged { before: usize, count: usize },
}

/// For each value the axis of its channels, where it is known: the image's first, and where transposes take it. What
/// convolves or pools has channels first, as it reads them. A reshape that merges it loses it until another one splits the
/// merged axis, and a sum with a value of which it is known finds it again.
fn channel_axes(graph: &Graph) -> Vec<Option<usize>> {
    let mut channels: Vec<Option<Channels>> = vec![None; graph.nodes().len()];
    for (value, node) in graph.iter() {
        channels[value.index()] = match (transposed(graph, value), node.operator()) {
            (_, None) => Some(Channels::Axis(0)),
            (Some((before, order)), _) => match channels[before.index()] {
                Some(Channels::Axis(before)) => {
                    order.iter().position(|&axis| axis == before).map(Channels::Axis)
                }
                _ => None,
            },
            (None, Some(operator)) if operator.makes_channels_first() => Some(Channels::Axis(0)),
            (None, Some(_)) => {
                let after = |input: &ValueId| after(graph.node(*input), node, channels[input.index()]?);
                node.inputs.iter().find_map(after)
            }
        };
    }
    let axis = |channels| if let Some(Channels::Axis(axis)) = channels { Some(axis) } else { None };
    channels.into_iter().map(axis).collect()
}

/// The place of the channels after an operator that moves no elements. After another shape their axis is the one of as many
/// places with as many before it, if there is one. A pooled value, which has no other axes, may be given any shape.
fn after(input: &Node, output: &Node, channels: Channels) -> Option<Channels> {
    let places_before = |shape: &[usize], axis: usize| shape[..axis].iter().product::<usize>();
    let (before, count) = match channels {
        Channels::Axis(axis) => {
            (places_before(&input.shape, axis), input.shape.get(axis).copied().unwrap_or(1))
        }
        Channels::Merged { before, count } => (before, count),
    };
    let holds_all = |node: &Node| node.elements() == count;
    let mut axes = output.shape.iter().enumerate().filter(|(_, extent)| **extent == count).map(|(i, _)| i);
    if count > 1 && holds_all(input) && holds_all(output) {
        return axes.next().map(Channels::Axis);
    }
    if output.operator().is_some_and(|op| op.is_view()) && input.shape != output.shape {
        let split = axes.find(|&axis| places_before(&output.shape, axis) == before);
        return Some(split.map_or(Channels::Merged { before, count }, Channels::Axis));
    }
    match channels {
        Channels::Axis(_) => (input.shape.len() == output.shape.len()).then_some(channels),
        Channels::Merged { .. } => (input.shape == output.shape).then_some(channels),
    }
}

/// The name that users know an operator by: that of the ONNX node which the value was read from. Several ONNX operators
/// become one of the graph's (Add or Mul of a constant is an Affine, MatMul a Dense), so the graph's name would mislead.
fn operator_of(operators: &HashMap<ValueId, String>, value: ValueId, node: &Node) -> String {
    let own = || node.operator().map_or("Input", |op| op.name()).to_owned();
    operators.get(&value).cloned().unwrap_or_else(own)
}

/// The values with channels, height and width, in this order, that are an output of an ONNX node, as `is_output` knows;
/// those of quantizers and reshapes left out.
pub(super) fn layers(
    graph: &Graph,
    operators: &HashMap<ValueId, String>,
    is_output: impl Fn(ValueId) -> bool,
) -> Vec<Layer> {
    let axes = channel_axes(graph);
    graph
        .iter()
        .filter_map(|(value, node)| {
            let is_map = node.shape.len() == 3 && axes[value.index()] == Some(0);
            node.operator().filter(|op| is_map && op.is_layer() && is_output(value))?;
            Some(Layer {
                name: node.name.clone(),
                operator: operator_of(operators, value, node),
                shape: node.shape.clone(),
                value,
            })
        })
        .collect()
}

/// The last layer with more than one place on the way to the scores: what the last pooling reads, global or not, or the
/// flattening before fully connected layers. A pooling that keeps every place, as before the classifier of AlexNet and
/// VGG, is passed over. The way is followed back from the scores, so what a squeeze-and-excite
/// block pools on the side is never on it. Where nothing is on it, the last such layer of all.
pub(super) fn default_layer(graph: &Graph, scores: ValueId, layers: &[Layer]) -> Option<usize> {
    let is_map = |value: ValueId| matches!(*graph.node(value).shape, [_, h, w] if h * w > 1);
    let mut at = Some(scores);
    while let Some(value) = at {
        if is_map(value)
            && !keeps_places(graph, value)
            && let Some(i) = layers.iter().position(|l| l.value == value)
        {
            return Some(i);
        }
        at = graph.node(value).inputs.first().copied();
    }
    layers.iter().rposition(|l| l.shape[1] * l.shape[2] > 1)
}

/// True of an average pool whose output has the places of its input.
fn keeps_places(graph: &Graph, value: ValueId) -> bool {
    let node = graph.node(value);
    let before = node.inputs.first().map(|input| &graph.node(*input).shape);
    node.as_op::<AveragePool>().is_some() && before == Some(&node.shape)
}
