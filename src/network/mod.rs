//! From an ONNX file to a graph, and from a graph to the programs that methods ask for.
//!
//! 1. [`Network::from_onnx`], or [`Network::read`] with the choices of a [`Reading`], decodes the file, takes weights from
//!    the [`Files`] beside it, and refuses by its name what is no image classifier.
//! 2. Its nodes are imported one by one, through the readers of [`crate::ops`]. Functions of the file are inlined, and
//!    what follows from constants is computed.
//! 3. The [`Head`] is split off the output: only it turns logits into probabilities. [`Metadata`], or else a [`Guess`],
//!    says how pictures become the input.
//! 4. A method asks with a [`Program`]: scores, a layer's activation, a gradient. [`Network::graph_for`] answers with a
//!    graph, cut at a layer, [simplified](simplify()) and, for a gradient, [differentiated](differentiate()). The network
//!    itself stays as the file has it.

use std::collections::HashMap;

use crate::{
    error::{Error, Result},
    graph::{Graph, ValueId},
};

mod attention;
mod differentiate;
mod external;
mod functions;
mod guess;
mod head;
mod import;
mod input_shape;
mod input_type;
pub mod labels;
mod layers;
pub mod metadata;
mod not_onnx;
pub mod onnx;
mod order;
mod outputs;
mod position_embedding;
mod program;
mod purpose;
mod reading;
mod score;
mod simplify;
mod summary;
mod wire;

pub use differentiate::{differentiate, differentiate_all};
pub use external::Files;
pub use guess::Guess;
pub use head::{Head, softmax};
pub use layers::Layer;
pub use metadata::Metadata;
pub use onnx::QUANTIZED;
pub use outputs::Output;
pub use program::Program;
pub use reading::Reading;
pub use score::Score;
pub use simplify::simplify;
pub use summary::Summary;

/// A network as its file describes it: at least one node per ONNX node, int8 weights kept.
#[derive(Clone, Debug)]
pub struct Network {
    graph: Graph,
    image: ValueId,
    logits: ValueId,
    head: Head,
    /// How the file's output ends, and what is said of the head.
    ending: head::Ending,
    head_note: Option<String>,
    names: HashMap<String, ValueId>,
    /// The ONNX operator of each value that was read from the file.
    operators: HashMap<ValueId, String>,
    layers: Vec<Layer>,
    default_layer: Option<usize>,
    metadata: Metadata,
    guess: Guess,
    summary: Summary,
    /// The file's outputs, and the name of the one that is explained.
    outputs: (Vec<Output>, String),
    /// Whether the file leaves its input's height or width open.
    is_size_open: bool,
    notes: Vec<String>,
}

impl Network {
    /// A network made by a test.
    #[cfg(test)]
    pub(crate) fn from_graph(graph: Graph, image: ValueId, logits: ValueId) -> Self {
        let operators = HashMap::new();
        let layers = layers::layers(&graph, &operators, |_| true);
        let default_layer = layers::default_layer(&graph, logits, &layers);
        Self {
            graph,
            image,
            logits,
            head: Head::Softmax,
            ending: head::Ending::bare(logits),
            head_note: None,
            names: HashMap::new(),
            operators,
            layers,
            default_layer,
            metadata: Metadata::default(),
            guess: Guess::default(),
            summary: Summary::default(),
            outputs: Default::default(),
            is_size_open: false,
            notes: vec![],
        }
    }

    /// The same network with a head that the caller chooses in place of the file's metadata or of a guess.
    ///
    /// # Errors
    /// [`Error::Argument`] when the file's operators say that it is another.
    pub fn with_head(mut self, head: Head) -> Result<Self> {
        self.settle(Some((head, head::Chooser::Caller)))?;
        Ok(self)
    }

    /// The network's logits under another head, and that head; the file's own where none is chosen.
    ///
    /// # Errors
    /// Those of [`Self::with_head`].
    pub fn logits_under(&self, head: Option<Head>, logits: &[f32]) -> Result<(Head, Vec<f32>)> {
        let outputs = self.graph.node(self.ending.scores).elements();
        let own = self.metadata.head.map(|head| (head, head::Chooser::Metadata));
        let head =
            head::decide(self.ending, outputs, head.map(|head| (head, head::Chooser::Caller)).or(own))?;
        Ok(match logits {
            // The second of two answers is the only output itself.
            &[z] | &[_, z] if outputs == 1 && head::is_two(head, outputs) => (head, vec![-z, z]),
            &[z] | &[_, z] if outputs == 1 => (head, vec![z]),
            logits => (head, logits.to_vec()),
        })
    }

    fn settle(&mut self, chosen: Option<(Head, head::Chooser)>) -> Result<()> {
        let settled = head::settle(&mut self.graph, self.ending, chosen)?;
        if let Some(old) = self.head_note.take() {
            self.notes.retain(|n| *n != old);
        }
        (self.head, self.logits) = (settled.head, settled.logits);
        self.notes.extend(settled.note.clone());
        self.head_note = settled.note;
        Ok(())
    }

    /// The same network with other operators in its graph: see [`Graph::replace`].
    ///
    /// # Errors
    /// [`Error::Argument`] when the graph's values are not this network's.
    pub fn with_graph(&self, graph: Graph) -> Result<Self> {
        let shapes = |g: &Graph| g.nodes().iter().map(|n| n.shape.clone()).collect::<Vec<_>>();
        if shapes(&graph) != shapes(&self.graph) || graph.inputs() != self.graph.inputs() {
            return Err(Error::Argument("the graph has other values than the network's own".into()));
        }
        Ok(Self { graph, ..self.clone() })
    }

    /// The extents of the input image: `[C, H, W]`.
    #[must_use]
    pub fn input(&self) -> &[usize] {
        &self.graph.node(self.image).shape
    }

    /// How many classes there are.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.graph.node(self.logits).elements()
    }

    /// The function that turns logits into probabilities.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// The class names, from the names of the file's outputs: where one output makes two answers, one name is that of
    /// class 1.
    #[must_use]
    pub fn class_names(&self, labels: Vec<String>) -> Vec<String> {
        if self.logits == self.ending.scores { labels } else { head::two_labels(labels) }
    }

    /// The graph as the file describes it.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Labels and preprocessing that the file carries.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How pixels are probably scaled, where neither the caller nor the file says.
    #[must_use]
    pub fn guess(&self) -> &Guess {
        &self.guess
    }

    /// Its parts, in numbers.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The outputs that the file has.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.outputs.0
    }

    /// The name of the output that is explained.
    #[must_use]
    pub fn scores(&self) -> &str {
        &self.outputs.1
    }

    /// Whether the file leaves its input's height or width open, so that [`Reading::size`] may choose it.
    #[must_use]
    pub fn is_size_open(&self) -> bool {
        self.is_size_open
    }

    /// Notes for readers of results on how this network was read.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::Rule, ops::pointwise::Pointwise};

    fn shipped() -> Network {
        Network::from_onnx(include_bytes!("../../models/efficientnet-lite0-int8.onnx")).unwrap()
    }

    #[test]
    fn the_shipped_model_is_read_whole() {
        let network = shipped();
        assert_eq!(network.input(), [3, 224, 224]);
        assert_eq!(network.classes(), 1000);
        assert_eq!(network.metadata().labels.as_ref().unwrap().len(), 1000);
        assert_eq!(network.default_layer().unwrap().name, "head/conv/relu6");
        assert_eq!(network.default_layer().unwrap().shape, [1280, 7, 7]);
        assert_eq!(network.layer("stem/conv").unwrap().operator, "Conv");
        assert_eq!(network.layer("nowhere").unwrap_err().code(), "argument");
        assert!(network.notes().iter().any(|n| n.contains("straight-through")));
    }

    #[test]
    fn quantizer_chains_become_one_node() {
        let graph = shipped().graph_for(&Program::Forward { layer: None }).unwrap();
        let chains: Vec<usize> =
            graph.nodes().iter().filter_map(|n| n.as_op::<Pointwise>()).map(|p| p.steps.len()).collect();
        // One for the input, 33 of quantize-clip-quantize, the rest quantizers alone.
        assert_eq!(chains.iter().filter(|&&n| n == 3).count(), 33);
        assert!(
            graph.nodes().iter().all(|n| !matches!(n.operator().map(|o| o.name()), Some("QuantizeLinear")))
        );
    }

    #[test]
    fn a_wanted_layer_is_not_merged_away() {
        let network = shipped();
        let layer = network.layer("stem/conv").unwrap();
        let graph = network.graph_for(&Program::Forward { layer: Some(layer.value) }).unwrap();
        let wanted = graph.node(graph.outputs()[1]);
        assert_eq!((wanted.name.as_str(), wanted.shape.as_slice()), ("stem/conv", &[32, 112, 112][..]));
    }

    #[test]
    fn the_gradient_at_the_last_layer_needs_no_convolution() {
        let network = shipped();
        let layer = network.default_layer().map(|l| l.value);
        let program = Program::Gradient { score: Score::Logit, layer, rule: Rule::Plain };
        let graph = network.graph_for(&program).unwrap();
        let backward = graph.nodes().iter().filter(|n| n.rows == crate::graph::Rows::Targets);
        assert!(backward.filter_map(|n| n.operator()).all(|op| !op.name().starts_with("Conv")));
        let gradient = graph.node(graph.outputs()[2]);
        assert_eq!(gradient.shape, [1280, 7, 7]);
    }

    #[test]
    fn what_is_no_model_is_refused() {
        for (bytes, code) in [(&b"hello"[..], "model"), (&[][..], "model")] {
            assert_eq!(Network::from_onnx(bytes).unwrap_err().code(), code);
        }
        let whole = include_bytes!("../../models/efficientnet-lite0-int8.onnx");
        assert_eq!(Network::from_onnx(&whole[..whole.len() / 2]).unwrap_err().code(), "model");
    }
}
