//! An ONNX node as operators read it: its attributes, its constant inputs, and the graph to add to.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tract_onnx::pb::{AttributeProto, NodeProto};

use super::bounded;
use crate::{
    error::Error,
    graph::{Constant, Graph, Node, Operator, ValueId},
    limits,
};

/// An input or output of an ONNX node.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A tensor from the file, or computed of such.
    Constant(Arc<Constant>),
    /// Computed from the image.
    Value(ValueId),
}

/// An ONNX node while it is read.
pub struct Reader<'a> {
    /// The node's name; its first output's where the file gives none.
    pub name: String,
    /// The version of the default operator set.
    pub opset: i64,
    /// The inputs; `None` where an optional one is left out.
    pub inputs: Vec<Option<Operand>>,
    /// The graph that is being built.
    pub graph: &'a mut Graph,
    /// How many values constants were repeated to so far, in the whole model.
    pub repeated: &'a mut u64,
    /// The bound on that sum.
    pub most_repeated: u64,
    /// How many products and sums constants took so far, in the whole model.
    pub constant_work: &'a mut u64,
    /// How many values the constants have so far that the file only says the shape of.
    pub filled: u64,
    /// The bound that a value is over, where one is: then the whole file is refused for it.
    pub over: Option<Error>,
    /// How many images the file was exported for; 1 where it leaves that open.
    pub batch: usize,
    /// The dequantized value of each value of integers that has one.
    pub reals: &'a mut HashMap<ValueId, ValueId>,
    /// The values that have all of their ONNX axes, none of which is a batch axis left out: see [`crate::ops::unbatched`].
    pub unbatched: &'a mut HashSet<ValueId>,
    /// The value that people look at as the node's, where it is another than its first output: an operator of integers
    /// makes reals before it quantizes them.
    pub layer: Option<ValueId>,
    /// The node's outputs beside its first, in order.
    pub others: Vec<Operand>,
    /// The names of all values that a node or the caller reads.
    pub is_read: &'a HashSet<String>,
    /// The node as the file has it.
    pub proto: &'a NodeProto,
}

impl Reader<'_> {
    /// The same place in the same graph, to read another node there.
    pub fn again<'b>(&'b mut self, proto: &'b NodeProto, inputs: Vec<Option<Operand>>) -> Reader<'b> {
        Reader {
            name: self.name.clone(),
            opset: self.opset,
            inputs,
            graph: self.graph,
            repeated: self.repeated,
            most_repeated: self.most_repeated,
            constant_work: self.constant_work,
            filled: self.filled,
            over: None,
            batch: self.batch,
            reals: self.reals,
            unbatched: self.unbatched,
            layer: None,
            others: vec![],
            is_read: self.is_read,
            proto,
        }
    }

    /// Whether the node makes an `i`-th output that something reads.
    #[must_use]
    pub fn makes(&self, i: usize) -> bool {
        self.proto.output.get(i).is_some_and(|name| !name.is_empty() && self.is_read.contains(name))
    }

    /// An attribute, as the file has it.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|a| a.name == name)
    }

    /// An integer attribute, or its default.
    #[must_use]
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |a| a.i)
    }

    /// A float attribute, or its default.
    #[must_use]
    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |a| a.f)
    }

    /// A text attribute, or its default.
    #[must_use]
    pub fn text(&self, name: &str, default: &str) -> String {
        self.attribute(name).map_or_else(|| default.into(), |a| String::from_utf8_lossy(&a.s).into_owned())
    }

    /// An integer list attribute; `None` where it is absent or empty.
    #[must_use]
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| a.ints.as_slice()).filter(|v| !v.is_empty())
    }

    /// A tensor attribute.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Option<Result<Constant, String>> {
        self.attribute(name)?.t.as_ref().map(super::constant)
    }

    /// A list of two integers of a window, for the height and the width: neither negative nor over [`limits::WINDOW`].
    pub fn pair(&self, name: &str, default: [usize; 2]) -> Result<[usize; 2], String> {
        match self.ints(name) {
            None => Ok(default),
            Some(&[h, w]) => Ok([bounded(name, h, limits::WINDOW)?, bounded(name, w, limits::WINDOW)?]),
            Some(other) => Err(format!("{name} {other:?} is not for two spatial axes")),
        }
    }

    /// The node that makes the `i`-th input, which must depend on the image.
    pub fn value(&self, i: usize) -> Result<ValueId, String> {
        match self.inputs.get(i) {
            Some(Some(Operand::Value(id))) => Ok(*id),
            Some(Some(Operand::Constant(_))) => {
                Err(format!("input {i} is a constant, and should depend on the image"))
            }
            _ => Err(format!("input {i} is missing")),
        }
    }

    /// The `i`-th input, which must be a constant with at least one element; `None` where it is left out.
    pub fn optional_constant(&self, i: usize) -> Result<Option<Arc<Constant>>, String> {
        match self.inputs.get(i) {
            Some(Some(Operand::Constant(c))) if c.is_empty() => Err(format!("input {i} has no elements")),
            Some(Some(Operand::Constant(c))) => Ok(Some(c.clone())),
            Some(Some(Operand::Value(_))) => {
                Err(format!("input {i} depends on the image, and should be a constant"))
            }
            _ => Ok(None),
        }
    }

    /// The `i`-th input, which must be there and a constant.
    pub fn constant(&self, i: usize) -> Result<Arc<Constant>, String> {
        self.optional_constant(i)?.ok_or_else(|| format!("input {i} is missing"))
    }

    /// The node that makes a value.
    #[must_use]
    pub fn node(&self, id: ValueId) -> &Node {
        self.graph.node(id)
    }

    /// Takes note that a constant is repeated to `count` values, before it is.
    pub fn repeat(&mut self, count: usize) -> Result<(), String> {
        *self.repeated = self.repeated.saturating_add(count as u64);
        let what = "the number of values that constants are repeated to";
        self.within(limits::check(what, *self.repeated, self.most_repeated))
    }

    /// The error of a bound, kept for whoever reads the file.
    fn within<T>(&mut self, checked: crate::Result<T>) -> Result<T, String> {
        checked.map_err(|error| {
            let text = error.to_string();
            if matches!(error, Error::Limit { .. }) {
                self.over = Some(error);
            }
            text
        })
    }

    /// The same as [`Self::add`], of a part of what the node does.
    pub fn value_of(&mut self, operator: impl Operator, inputs: &[ValueId]) -> Result<ValueId, String> {
        match self.add(operator, inputs)? {
            Operand::Value(value) => Ok(value),
            Operand::Constant(_) => Err("it is a constant".into()),
        }
    }

    /// Adds a node under this node's name.
    pub fn add(&mut self, operator: impl Operator, inputs: &[ValueId]) -> Result<Operand, String> {
        // Asked first, because the graph's own error names the node, as the caller's does.
        self.graph.shape_of(&operator, inputs)?;
        let added = self.graph.add(self.name.clone(), operator, inputs);
        self.within(added).map(Operand::Value)
    }
}
