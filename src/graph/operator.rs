//! What the graph, its derivative and the two backends ask of an operator.

use std::{any::Any, fmt::Debug};

use tract_onnx::tract_core::internal::OutletId;

use super::{Graph, Lowering, Shape, Storage, ValueId};
use crate::{error::Result, gpu::Recording};

/// How the backward pass treats what is not smooth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Rule {
    /// The derivative. Where a value was cut off (ReLU, ReLU6, Clip, a quantizer's range) it is zero, the
    /// bounds themselves counting as cut off for Clip; inside a quantizer's range it is the
    /// straight-through estimate.
    #[default]
    Plain,
    /// Guided backpropagation: as `Plain`, and at each ReLU, ReLU6 or Clip only what is positive goes on
    /// (Springenberg et al. 2015, "Striving for Simplicity", section 3).
    Guided,
}

/// What [`Operator::gradient`] works with: the graph that is being extended, and one node of it.
pub struct Adjoint<'a> {
    /// The graph, to which the rule adds nodes.
    pub graph: &'a mut Graph,
    /// The name of the forward node, from which new nodes' names derive.
    pub name: String,
    /// What the forward node read.
    pub inputs: Vec<ValueId>,
    /// What the forward node made.
    pub output: ValueId,
    /// The gradient of the objective with respect to `output`; rows count targets.
    pub cotangent: ValueId,
    /// How to treat what is not smooth.
    pub rule: Rule,
}

impl Adjoint<'_> {
    /// Adds a node called `NAME/gradient` (with `suffix` where one is given).
    pub fn add(&mut self, suffix: &str, operator: impl Operator, inputs: &[ValueId]) -> Result<ValueId> {
        self.graph.add(format!("{}/{suffix}", self.name), operator, inputs)
    }

    /// The shape of the forward node's `i`-th input.
    #[must_use]
    pub fn input_shape(&self, i: usize) -> Shape {
        self.graph.node(self.inputs[i]).shape.clone()
    }
}

/// What a quantizer leaves of the reals: `step` times the integers from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Reals an integer step.
    pub step: f32,
    /// The smallest integer.
    pub low: f32,
    /// The largest integer.
    pub high: f32,
}

/// An operator: one struct, one file.
///
/// The graph only asks for shapes. `gradient` is asked for by `network::differentiate`, `tract` by the CPU
/// backend, `record` by the GPU backend. What an operator lacks is an error that names it, never zeros.
pub trait Operator: Any + Debug + Send + Sync {
    /// The operator's own name, in ONNX's style. Users see the ONNX node's operator, which [`crate::network`] keeps.
    fn name(&self) -> &'static str;

    /// The output's shape for one image, or why there is none.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String>;

    /// How the output's elements are kept.
    fn storage(&self) -> Storage {
        Storage::Float
    }

    /// Which reals its values are, where they are few: then what reads them may count in integers.
    fn grid(&self) -> Option<Grid> {
        None
    }

    /// Adds the vector-Jacobian product: for each input, the gradient with respect to it.
    fn gradient(&self, at: &mut Adjoint<'_>) -> Result<Vec<ValueId>> {
        Err(crate::Error::Unsupported(vec![crate::error::UnsupportedNode {
            operator: self.name().into(),
            node: at.name.clone(),
            reason: "it has no gradient rule".into(),
        }]))
    }

    /// Adds the operator to a tract model: how the CPU runs it.
    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId>;

    /// Says which GPU kernels make the output.
    fn record(&self, at: &mut Recording<'_>) -> Result<()>;

    /// The operator in double precision for one image, written as plainly as can be: what tests hold every
    /// kernel and every gradient rule against.
    #[cfg(test)]
    fn evaluate(&self, inputs: &[&super::reference::Array]) -> super::reference::Array;
}
