//! A small graph in single static assignment form: each node makes one value, and stands after what it reads.
//!
//! The graph knows no operator; [`Operator`] is all that it asks of one. Shapes are those of one image: the
//! batch axis is implied, and how many rows it has is a matter of [`Rows`].
//!
//! A backward pass is such a graph too, which [`crate::network::differentiate`] makes of the rules in
//! [`Operator::gradient`]. [`lowering`] is how operators tell tract what they are; how they tell a GPU is in
//! [`crate::gpu`].

mod constant;
pub mod evaluate;
pub mod lowering;
pub mod native;
mod operator;
#[cfg(test)]
pub mod reference;

use std::sync::Arc;

pub use constant::{Constant, Elements, Quantization};
pub use lowering::Lowering;
pub use operator::{Adjoint, OnMasks, Operator, Rule};

use crate::{
    error::{Error, Result},
    limits::{self, VALUE_ELEMENTS},
};

/// The extents of a value of one image, without the batch axis: `[C, H, W]`, `[F]`, ...
pub type Shape = Vec<usize>;

/// Names a value of a [`Graph`], and the node that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ValueId(usize);

impl ValueId {
    /// The node's position in [`Graph::nodes`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// The things that a value's batch axis counts.
///
/// A backward pass for `k` targets has `n * k` rows, image-major (row `r` belongs to image `r / k`), while
/// what it remembers of the forward pass has `n`: the image is never run again for another target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rows {
    /// One row per image.
    Images,
    /// One row per image and target.
    Targets,
}

/// How a value's elements are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// 32-bit floats.
    Float,
    /// One bit per element: did the forward pass let a change through here?
    Bit,
    /// Eight bits per element: which position of a window won?
    Byte,
}

/// The producer of a value.
#[derive(Clone, Debug)]
pub enum Producer {
    /// The caller.
    Input,
    /// An operator, from the node's inputs.
    Operator(Arc<dyn Operator>),
}

/// One value of the graph and what makes it.
#[derive(Clone, Debug)]
pub struct Node {
    /// The ONNX node's name, or one derived from it.
    pub name: String,
    /// The producer of the value.
    pub producer: Producer,
    /// The values that the producer reads.
    pub inputs: Vec<ValueId>,
    /// The value's extents for one image.
    pub shape: Shape,
    /// The things that the value's batch axis counts.
    pub rows: Rows,
    /// How the value's elements are kept.
    pub storage: Storage,
}

impl Node {
    /// The operator, unless the node is an input.
    #[must_use]
    pub fn operator(&self) -> Option<&Arc<dyn Operator>> {
        match &self.producer {
            Producer::Input => None,
            Producer::Operator(op) => Some(op),
        }
    }

    /// The operator as a concrete type.
    #[must_use]
    pub fn as_op<T: Operator>(&self) -> Option<&T> {
        let op: &dyn std::any::Any = self.operator()?.as_ref();
        op.downcast_ref()
    }

    /// How many elements one row has.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A graph whose nodes stand in an order in which they can be run.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    inputs: Vec<ValueId>,
    outputs: Vec<ValueId>,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an input.
    pub fn input(&mut self, name: impl Into<String>, shape: impl Into<Shape>, rows: Rows) -> ValueId {
        let id = self.push(Node {
            name: name.into(),
            producer: Producer::Input,
            inputs: vec![],
            shape: shape.into(),
            rows,
            storage: Storage::Float,
        });
        self.inputs.push(id);
        id
    }

    /// Adds a node; its shape follows from the operator's shape rule, its rows from its inputs.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        operator: impl Operator,
        inputs: &[ValueId],
    ) -> Result<ValueId> {
        self.add_shared(name, Arc::new(operator), inputs)
    }

    /// [`Graph::add`] for an operator that another graph holds too.
    pub fn add_shared(
        &mut self,
        name: impl Into<String>,
        operator: Arc<dyn Operator>,
        inputs: &[ValueId],
    ) -> Result<ValueId> {
        let name = name.into();
        let shape = self
            .shape_of(operator.as_ref(), inputs)
            .map_err(|why| Error::Model(format!("{} (node {name:?}): {why}", operator.name())))?;
        limits::check("the number of elements of an activation", limits::product(&shape), VALUE_ELEMENTS)?;
        let rows = inputs.iter().map(|&i| self.node(i).rows).max().unwrap_or(Rows::Images);
        let storage = operator.storage();
        let producer = Producer::Operator(operator);
        Ok(self.push(Node { name, producer, inputs: inputs.to_vec(), shape, rows, storage }))
    }

    /// The shape that an operator gives these inputs, or why it has none; every value has at least one element.
    pub fn shape_of(&self, operator: &dyn Operator, inputs: &[ValueId]) -> Result<Shape, String> {
        let shape = operator.shape(&self.shapes(inputs))?;
        if shape.contains(&0) {
            return Err(format!("its result, {shape:?} per image, would have no elements"));
        }
        Ok(shape)
    }

    fn shapes(&self, values: &[ValueId]) -> Vec<&[usize]> {
        values.iter().map(|&i| self.node(i).shape.as_slice()).collect()
    }

    /// How many products and sums one image takes, roughly, all nodes together.
    #[must_use]
    pub fn work(&self) -> u64 {
        let of = |node: &Node| {
            let op = node.operator()?;
            Some(op.work(&self.shapes(&node.inputs), &node.shape))
        };
        self.nodes.iter().filter_map(of).fold(0, u64::saturating_add)
    }

    /// Puts another operator in a node's place; the value's shape and storage must stay.
    ///
    /// # Errors
    /// [`Error::Model`] when they would not.
    pub fn replace(&mut self, id: ValueId, operator: Arc<dyn Operator>) -> Result<()> {
        let node = self.node(id);
        if operator.shape(&self.shapes(&node.inputs)).as_ref() != Ok(&node.shape)
            || operator.storage() != node.storage
        {
            return Err(Error::Model(format!(
                "{} does not fit in the place of {:?}",
                operator.name(),
                node.name
            )));
        }
        self.nodes[id.0].producer = Producer::Operator(operator);
        Ok(())
    }

    fn push(&mut self, node: Node) -> ValueId {
        self.nodes.push(node);
        ValueId(self.nodes.len() - 1)
    }

    /// All nodes, each after what it reads.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Every value with its node, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (ValueId, &Node)> {
        self.nodes.iter().enumerate().map(|(i, n)| (ValueId(i), n))
    }

    /// The node that makes a value.
    #[must_use]
    pub fn node(&self, id: ValueId) -> &Node {
        &self.nodes[id.0]
    }

    /// The inputs, in the order in which they were added.
    #[must_use]
    pub fn inputs(&self) -> &[ValueId] {
        &self.inputs
    }

    /// The values that the caller wants.
    #[must_use]
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// Says which values the caller wants, in which order.
    pub fn set_outputs(&mut self, outputs: impl Into<Vec<ValueId>>) {
        self.outputs = outputs.into();
    }

    /// How often each value is read, by nodes and as an output.
    #[must_use]
    pub fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.nodes.len()];
        let reads = self.nodes.iter().flat_map(|n| &n.inputs).chain(&self.outputs);
        for id in reads {
            uses[id.0] += 1;
        }
        uses
    }

    /// Which nodes an output depends on.
    #[must_use]
    pub fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for id in &self.outputs {
            live[id.0] = true;
        }
        for (id, node) in self.iter().rev() {
            if live[id.0] {
                node.inputs.iter().for_each(|i| live[i.0] = true);
            }
        }
        live
    }

    /// The graph without the nodes that no output needs (inputs stay). Returns where each value went.
    #[must_use]
    pub fn pruned(&self) -> (Self, Vec<Option<ValueId>>) {
        let live = self.live();
        self.kept(|id, node| live[id.0] || matches!(node.producer, Producer::Input))
    }

    /// The graph from a value on, which becomes an input. Of the other inputs those stay that an output needs
    /// all the same: none, when everything passes through the value. Returns where each value went.
    #[must_use]
    pub fn cut(&self, at: ValueId) -> (Self, Vec<Option<ValueId>>) {
        let mut graph = self.clone();
        let node = &mut graph.nodes[at.0];
        node.producer = Producer::Input;
        node.inputs.clear();
        let live = graph.live();
        graph.kept(|id, _| live[id.0] || id == at)
    }

    fn kept(&self, keep: impl Fn(ValueId, &Node) -> bool) -> (Self, Vec<Option<ValueId>>) {
        let mut graph = Self::new();
        let mut places: Vec<Option<ValueId>> = vec![None; self.nodes.len()];
        for (id, node) in self.iter().filter(|(id, node)| keep(*id, node)) {
            let mut node = node.clone();
            node.inputs = node.inputs.iter().filter_map(|i| places[i.0]).collect();
            let is_input = matches!(node.producer, Producer::Input);
            let place = graph.push(node);
            if is_input {
                graph.inputs.push(place);
            }
            places[id.0] = Some(place);
        }
        graph.outputs = self.outputs.iter().filter_map(|o| places[o.0]).collect();
        (graph, places)
    }
}
