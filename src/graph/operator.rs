//! The trait of operators: what the graph, its derivative and the two backends ask of one.

use std::{any::Any, fmt::Debug, sync::Arc};

use tract_onnx::tract_core::internal::OutletId;

use super::{Constant, Graph, Lowering, Shape, Storage, ValueId};
use crate::{
    chain::{Epilogue, Grid, Step},
    error::{Error, Result},
    gpu::Recording,
};

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

/// The argument of [`Operator::gradient`]: the graph that is being extended, and one node of it.
pub struct Adjoint<'a> {
    /// The graph, to which the rule adds nodes.
    pub graph: &'a mut Graph,
    /// The name of the forward node, from which new nodes' names derive.
    pub name: String,
    /// The values that the forward node read.
    pub inputs: Vec<ValueId>,
    /// The value that the forward node made.
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

/// How an operator acts on one picture under many masks, if it does the same to the picture, to its fill and
/// to each mixture of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMasks {
    /// It mixes elements, so the masked picture must be written out first.
    Mixes,
    /// It acts on each element alone: masks that choose between picture and fill stay.
    PerElement,
    /// It is affine per element: masks that blend picture and fill stay too.
    Affine,
}

/// An operator: one struct, in the file of its family.
///
/// The graph only asks for shapes. `gradient` is asked for by `network::differentiate`, `tract` by the CPU
/// backend, `record` by the GPU backend. What an operator lacks is an error that names it, never zeros.
///
/// The methods from `chain` on are capabilities: they let rewrites treat an operator better than any other.
/// Each default is the slow way, which is right for every operator.
pub trait Operator: Any + Debug + Send + Sync {
    /// The operator's own name, in ONNX's style. Users see the ONNX node's operator, which [`crate::network`] keeps.
    fn name(&self) -> &'static str;

    /// The output's shape for one image, or why there is none.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Shape, String>;

    /// How many products and sums it takes for one image, roughly, given the shapes that `shape` was given and gave.
    fn work(&self, _inputs: &[&[usize]], output: &[usize]) -> u64 {
        crate::limits::product(output)
    }

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
        Err(Error::Unsupported(vec![crate::error::UnsupportedNode {
            operator: self.name().into(),
            node: at.name.clone(),
            reason: "it has no gradient rule".into(),
        }]))
    }

    /// Adds the operator to a tract model: how the CPU runs it.
    fn tract(&self, at: &mut Lowering<'_>) -> Result<OutletId>;

    /// Says which GPU kernels make the output.
    fn record(&self, at: &mut Recording<'_>) -> Result<()>;

    /// The chain of functions of one element that it is, if it is one.
    fn chain(&self) -> Option<&[Step]> {
        None
    }

    /// The end of a kernel that it can become: then the GPU merges it into the kernel that makes its first
    /// input (either input, of a sum).
    fn as_epilogue(&self) -> Option<Epilogue> {
        self.chain().map(Epilogue::of_chain)
    }

    /// True if its GPU kernels can end with an epilogue; then it has [`Operator::record_with`].
    fn takes_epilogue(&self) -> bool {
        false
    }

    /// True if its GPU kernels can read one picture through masks, and a chain before it; then it has
    /// [`Operator::record_with`].
    fn reads_masks(&self) -> bool {
        false
    }

    /// Records the kernels with a chain in front, done to a masked picture as it is read, and an epilogue.
    fn record_with(&self, at: &mut Recording<'_>, prologue: &[Step], epilogue: &Epilogue) -> Result<()> {
        if prologue.is_empty() && epilogue.is_empty() {
            return self.record(at);
        }
        Err(Error::Model(format!("{} cannot be fused; please report this", self.name())))
    }

    /// How it acts on one picture under many masks.
    fn on_masks(&self) -> OnMasks {
        if self.chain().is_some() { OnMasks::PerElement } else { OnMasks::Mixes }
    }

    /// True if it only gives its input another shape, with the elements where they are.
    fn is_view(&self) -> bool {
        false
    }

    /// The one operator that does this and then `next`, where there is one with the same values.
    fn followed_by(&self, _next: &dyn Operator) -> Option<Arc<dyn Operator>> {
        None
    }

    /// The factors and summands, one pair per channel, that it scales and shifts by, if that is all it does.
    fn scale_and_shift(&self) -> Option<(&[f32], &[f32])> {
        None
    }

    /// The weights that it was trained to have, biases and normalisations left out.
    fn weights(&self) -> Option<&Arc<Constant>> {
        None
    }

    /// The same operator with other weights of the same shape.
    fn with_weights(&self, _weights: Arc<Constant>) -> Option<Arc<dyn Operator>> {
        None
    }

    /// True if its output counts as a layer of the network, which people look at and name.
    fn is_layer(&self) -> bool {
        !self.is_view() && !self.chain().is_some_and(|steps| steps.iter().all(|s| s.quantizer().is_some()))
    }

    /// True if its value has the channels first, whatever the names of the axes that it read: what convolves or pools.
    fn makes_channels_first(&self) -> bool {
        false
    }

    /// True if it is an activation with a slope at every point, which guided backpropagation leaves alone.
    fn is_smooth_activation(&self) -> bool {
        false
    }

    /// The operator in double precision for one image, written as plainly as can be: what tests hold every
    /// kernel and every gradient rule against.
    #[cfg(test)]
    fn evaluate(&self, inputs: &[&super::reference::Array]) -> super::reference::Array;
}
