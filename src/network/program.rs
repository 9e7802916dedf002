//! Programs: the questions of methods to a network, and the graphs that answer them.

use super::{Head, Network, Score, differentiate_all, simplify};
use crate::{
    chain::{Gate, Step},
    error::{Error, Result},
    graph::{Graph, Rule, ValueId},
    ops::{
        affine::{Affine, Per},
        global_average_pool::GlobalAveragePool,
        pointwise::{Pointwise, gate::PassMask},
    },
};

/// A question of a method to a network; see [`Network::graph_for`] for inputs and outputs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Program {
    /// Image to logits, and to the activation of a layer where one is asked for.
    Forward {
        /// The layer.
        layer: Option<ValueId>,
    },
    /// Image and cotangents to the gradient of the score.
    Gradient {
        /// The score that is differentiated.
        score: Score,
        /// The layer with respect to which; the image where there is none.
        layer: Option<ValueId>,
        /// How the backward pass treats what is not smooth.
        rule: Rule,
    },
    /// Image and cotangents to the activations of several layers, and the gradient of the score at each.
    Layers {
        /// The score that is differentiated.
        score: Score,
        /// The layers, each one that the scores depend on.
        layers: Vec<ValueId>,
        /// How the backward pass treats what is not smooth.
        rule: Rule,
    },
    /// A layer's activation to logits: the network from there on.
    Head {
        /// The layer.
        from: ValueId,
    },
    /// A layer's activation and cotangents to the gradient of the score with respect to it.
    HeadGradient {
        /// The layer.
        from: ValueId,
        /// The score that is differentiated.
        score: Score,
        /// How the backward pass treats what is not smooth.
        rule: Rule,
    },
    /// Image to what share of the values was inside each quantizer's range.
    Saturation,
}

impl Network {
    /// The extents of one image of a program: of the input, or of the layer where the program starts.
    #[must_use]
    pub fn takes(&self, program: &Program) -> &[usize] {
        match program {
            Program::Forward { .. }
            | Program::Gradient { .. }
            | Program::Layers { .. }
            | Program::Saturation => self.input(),
            Program::Head { from } | Program::HeadGradient { from, .. } => &self.graph.node(*from).shape,
        }
    }

    /// The graph that answers a program, simplified.
    ///
    /// - Forward: inputs `[image]`; outputs `[logits]` or `[logits, activation]`.
    /// - Gradient: inputs `[image, cotangent]`; outputs `[logits, gradient]`, or with a layer
    ///   `[logits, activation, gradient]`.
    /// - Layers: inputs `[image, cotangent]`; outputs the logits, each layer's activation, each layer's gradient.
    /// - Head: inputs `[activation]`; outputs `[logits]`.
    /// - HeadGradient: inputs `[activation, cotangent]`; outputs `[logits, gradient]`. Where the image gets past
    ///   the layer, as around a residual block, it is the first input of both: what goes past is what the image
    ///   makes it, whatever the activation.
    /// - Saturation: inputs `[image]`; outputs one value a quantizer, in the order of
    ///   [`Network::quantized`]: `[C, 1, 1]`, the share of each channel that was inside the range, or of
    ///   the value's own shape, one where it was inside and else zero.
    ///
    /// # Errors
    /// [`Error::Argument`] when the scores do not depend on a program's layer; [`Error::Unsupported`] when an
    /// operator on the way has no gradient rule.
    pub fn graph_for(&self, program: &Program) -> Result<Graph> {
        match *program {
            Program::Forward { layer } => {
                let mut graph = self.graph.clone();
                graph.set_outputs([Some(self.logits), layer].into_iter().flatten().collect::<Vec<_>>());
                Ok(simplify(&graph)?.0)
            }
            Program::Gradient { score, layer, rule } => {
                let at = [layer.unwrap_or(self.image)];
                gradient(self.graph.clone(), self.logits, &at, layer.is_some(), (self.head, score), rule)
            }
            Program::Layers { score, ref layers, rule } => {
                gradient(self.graph.clone(), self.logits, layers, true, (self.head, score), rule)
            }
            Program::Head { from } => Ok(simplify(&self.after_layer(from)?.0)?.0),
            Program::HeadGradient { from, score, rule } => {
                let (graph, [logits, at]) = self.after_layer(from)?;
                gradient(graph, logits, &[at], false, (self.head, score), rule)
            }
            Program::Saturation => self.saturation(),
        }
    }

    /// True if the scores depend on the image past a layer too, as around a residual block.
    #[must_use]
    pub fn is_bypassed(&self, layer: ValueId) -> bool {
        let mut graph = self.graph.clone();
        graph.set_outputs([self.logits]);
        graph.cut(layer).1[self.image.index()].is_some() && layer != self.image
    }

    /// How many values each quantizer sees for one image.
    #[must_use]
    pub fn quantized(&self) -> Vec<usize> {
        self.quantizers().into_iter().map(|(read, _)| self.graph.node(read).elements()).collect()
    }

    /// Each quantizer of an activation on the way to the logits: what it reads, and its function.
    fn quantizers(&self) -> Vec<(ValueId, Pointwise)> {
        let mut graph = self.graph.clone();
        graph.set_outputs([self.logits]);
        let live = graph.live();
        let quantizer = |chain: &&Pointwise| matches!(chain.steps.as_slice(), [Step::Quantize(_)]);
        let nodes = self.graph.iter().filter(|(id, _)| live[id.index()]);
        nodes
            .filter_map(|(_, n)| n.as_op::<Pointwise>().filter(quantizer).map(|c| (n.inputs[0], c.clone())))
            .collect()
    }

    /// The graph from a layer on, which is an input, behind the image where that gets past it; the output is the
    /// logits. Where logits and layer stand is given too.
    fn after_layer(&self, from: ValueId) -> Result<(Graph, [ValueId; 2])> {
        let mut graph = self.graph.clone();
        graph.set_outputs([self.logits]);
        let (graph, places) = graph.cut(from);
        match (places[self.logits.index()], places[from.index()]) {
            (Some(logits), Some(at)) if graph.uses()[at.index()] > 0 => Ok((graph, [logits, at])),
            _ => {
                let name = &self.graph.node(from).name;
                Err(Error::Argument(format!("the scores do not depend on {name:?}; choose another layer")))
            }
        }
    }

    fn saturation(&self) -> Result<Graph> {
        let mut graph = self.graph.clone();
        let mut outputs = vec![];
        for (read, chain) in self.quantizers() {
            let (name, shape) = (graph.node(read).name.clone(), graph.node(read).shape.clone());
            let channels = shape.first().copied().unwrap_or(1);
            let one = Affine { scale: vec![0.0; channels], shift: vec![1.0; channels], per: Per::Channel };
            let ones = graph.add(format!("{name}/one"), one, &[read])?;
            let mask = graph.add(format!("{name}/inside"), PassMask { steps: chain.steps }, &[read])?;
            let mut inside =
                graph.add(format!("{name}/kept"), Gate { positive_only: false }, &[ones, mask])?;
            if shape.len() == 3 {
                inside = graph.add(format!("{name}/share"), GlobalAveragePool, &[inside])?;
            }
            outputs.push(inside);
        }
        graph.set_outputs(outputs);
        Ok(simplify(&graph)?.0)
    }
}

/// Outputs `[logits, at..., gradients at each...]`, or without `keep` `[logits, gradients...]`.
fn gradient(
    mut graph: Graph,
    logits: ValueId,
    at: &[ValueId],
    keep: bool,
    (head, score): (Head, Score),
    rule: Rule,
) -> Result<Graph> {
    let score = head.wire(&mut graph, logits, score)?;
    let kept = if keep { at } else { &[] };
    graph.set_outputs([&[logits], kept, &[score], at].concat());
    // Folding first makes the backward graph as small as the forward one.
    let (mut graph, _) = simplify(&graph)?;
    let folded = graph.outputs().to_vec();
    let (outputs, ends) = folded.split_at(1 + kept.len());
    let gradients = differentiate_all(&mut graph, ends[0], &ends[1..], rule)?;
    graph.set_outputs([outputs, &gradients].concat());
    Ok(graph.pruned().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Network {
        Network::from_onnx(include_bytes!("../../models/efficientnet-lite0-int8.onnx")).unwrap()
    }

    #[test]
    fn a_head_starts_at_its_layer() {
        let network = shipped();
        let from = network.default_layer().unwrap().value;
        for program in [
            Program::Head { from },
            Program::HeadGradient { from, score: Score::Probability, rule: Rule::Plain },
        ] {
            let graph = network.graph_for(&program).unwrap();
            assert_eq!(graph.node(graph.inputs()[0]).shape, network.takes(&program));
            assert!(graph.nodes().iter().all(|n| n.operator().is_none_or(|op| op.name() != "Conv")));
        }
    }

    /// Inside a residual block the image goes past the layer, and stays an input; else it does not.
    #[test]
    fn the_image_is_an_input_where_it_gets_past_the_layer() {
        let network = shipped();
        let inputs = |layer: &super::super::Layer| {
            let graph = network.graph_for(&Program::Head { from: layer.value }).unwrap();
            let shapes: Vec<_> = graph.inputs().iter().map(|i| graph.node(*i).shape.clone()).collect();
            assert_eq!(shapes.last(), Some(&layer.shape), "{}", layer.name);
            assert!(shapes.len() == 1 || shapes[..] == [network.input().to_vec(), layer.shape.clone()]);
            assert_eq!(network.is_bypassed(layer.value), shapes.len() == 2);
            shapes.len()
        };
        let bypassed = network.layers().iter().filter(|l| inputs(l) == 2).count();
        let layers = network.layers().len();
        assert!(bypassed > 20 && bypassed + 10 < layers, "{bypassed} of {layers} layers are bypassed");
    }

    #[test]
    fn every_quantizer_is_watched() {
        let network = shipped();
        let graph = network.graph_for(&Program::Saturation).unwrap();
        assert_eq!((graph.outputs().len(), network.quantized().len()), (94, 94));
    }
}
