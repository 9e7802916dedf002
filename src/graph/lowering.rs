//! Lowering of operators to tract: the model that is being built.
//!
//! A model works on one row: values have the shapes that the graph gives them, without a batch axis. So what
//! a row comes to cannot depend on what else is in its batch.
//!
//! The graph's values are `[C, H, W]`. Convolutions and pools transpose to `[H, W, C]`, so that SIMD runs over channels,
//! of which every layer has many, and back. Tract cancels adjacent transposes, and moves them through operators that
//! are marked `is_free`.

use std::{fmt, sync::Arc};

use tract_onnx::tract_core::{
    internal::*,
    ops::{binary::TypedBinOp, change_axes::AxisOp, element_wise::ElementWiseOp},
};

use super::{
    Graph, Node, Producer, ValueId,
    native::{ElementFunction, Native, NativeLoop, Slice, fact},
};
use crate::{
    chain::Grid,
    error::{Error, Result},
};

/// A tract model while it is built, at one node of the graph.
pub struct Lowering<'a> {
    /// The model, to which the operator adds nodes.
    pub model: &'a mut TypedModel,
    /// The graph's node.
    pub node: &'a Node,
    /// The shapes of what it reads.
    pub shapes: &'a [&'a [usize]],
    /// The values that it reads.
    pub inputs: &'a [OutletId],
    /// Which reals the first of them is made of, where they are few.
    pub grid: Option<Grid>,
    /// The name of every node that is added here, to which a suffix is added: no two of a model are alike.
    pub name: String,
}

/// Adds a node of a graph, whose inputs stand at `outlets`, to a tract model.
///
/// # Errors
/// [`Error::Model`] where an input has no place, or tract refuses.
pub fn lower(
    graph: &Graph,
    node: &Node,
    id: ValueId,
    model: &mut TypedModel,
    outlets: &[Option<OutletId>],
) -> Result<OutletId> {
    let Producer::Operator(op) = &node.producer else {
        return Err(Error::Model(format!("the input {:?} has no value", node.name)));
    };
    let inputs: Option<Vec<OutletId>> = node.inputs.iter().map(|i| outlets[i.index()]).collect();
    let inputs = inputs.ok_or_else(|| Error::Model(format!("{:?} reads what is not made", node.name)))?;
    let shapes: Vec<&[usize]> = node.inputs.iter().map(|i| graph.node(*i).shape.as_slice()).collect();
    let name = format!("{}#{}", node.name, id.index());
    let grid = node.inputs.first().and_then(|i| graph.node(*i).operator()?.grid());
    op.tract(&mut Lowering { model, node, shapes: &shapes, inputs: &inputs, grid, name })
}

impl Lowering<'_> {
    /// Adds one of tract's operators.
    pub fn wire(
        &mut self,
        suffix: &str,
        op: impl Into<Box<dyn TypedOp>>,
        inputs: &[OutletId],
    ) -> Result<OutletId> {
        let name = format!("{}{suffix}", self.name);
        let made = self.model.wire_node(name, op, inputs).map_err(|e| self.failed(&e))?;
        made.first().copied().ok_or_else(|| self.failed(&"it makes nothing"))
    }

    /// Adds a constant.
    pub fn constant(&mut self, suffix: &str, shape: &[usize], values: &[f32]) -> Result<OutletId> {
        let tensor = Tensor::from_shape(shape, values).map_err(|e| self.failed(&e))?;
        let name = format!("{}{suffix}", self.name);
        self.model.add_const(name, tensor).map_err(|e| self.failed(&e))
    }

    /// Adds one of tract's element-wise operators with one number as its other operand.
    pub fn with_scalar(
        &mut self,
        suffix: &str,
        op: TypedBinOp,
        input: OutletId,
        value: f32,
    ) -> Result<OutletId> {
        let ones = vec![1; self.node.shape.len()];
        let value = self.constant(&format!("{suffix}.value"), &ones, &[value])?;
        self.wire(suffix, op, &[input, value])
    }

    /// Gives a value another shape of as many elements.
    pub fn reshape(
        &mut self,
        suffix: &str,
        input: OutletId,
        from: &[usize],
        to: &[usize],
    ) -> Result<OutletId> {
        if from == to {
            return Ok(input);
        }
        let dims = |shape: &[usize]| shape.iter().map(|d| d.to_dim()).collect();
        self.wire(suffix, AxisOp::Reshape(0, dims(from), dims(to)), &[input])
    }

    /// Adds an operator of our own that changes its first input in place (a copy of it, where others still
    /// read it): `f(values, the other inputs)`.
    pub fn in_place(
        &mut self,
        f: impl Fn(&mut [f32], &[Slice<'_>]) + Send + Sync + 'static,
    ) -> Result<OutletId> {
        self.native(NativeLoop::InPlace(Arc::new(f)), false)
    }

    /// The same as [`Self::in_place`], where each element depends only on those at its own place, and never on where
    /// that is. Tract may then give the axes of all of them another order.
    pub fn each_in_place(
        &mut self,
        f: impl Fn(&mut [f32], &[Slice<'_>]) + Send + Sync + 'static,
    ) -> Result<OutletId> {
        self.native(NativeLoop::InPlace(Arc::new(f)), true)
    }

    /// Adds a function of one element, the same for all, that changes its input in place: `f(values)`. Tract may
    /// then give the axes another order, as its convolutions like it.
    pub fn element_wise(&mut self, f: impl Fn(&mut [f32]) + Send + Sync + 'static) -> Result<OutletId> {
        let name = self.node.operator().map_or("ElementWise", |op| op.name());
        let op = ElementWiseOp(Box::new(ElementFunction { name, f: Arc::new(f) }), None);
        self.wire("", op, self.inputs)
    }

    /// Adds an operator of our own that writes floats into zeros: `f(inputs, output)`.
    pub fn floats(
        &mut self,
        f: impl Fn(&[Slice<'_>], &mut [f32]) + Send + Sync + 'static,
    ) -> Result<OutletId> {
        self.native(NativeLoop::Floats(Arc::new(f)), false)
    }

    /// Adds what works on `[H, W, C]` between two transposes: `wire` is given the inputs with their first axis, the
    /// channels, as the last, and makes such a value.
    pub fn in_hwc(
        &mut self,
        wire: impl FnOnce(&mut Self, &[OutletId]) -> Result<OutletId>,
    ) -> Result<OutletId> {
        let mut inputs = self.inputs.to_vec();
        for (i, shape) in self.shapes.iter().enumerate().filter(|(_, shape)| shape.len() > 1) {
            let transpose = AxisOp::Move(0, shape.len() - 1);
            inputs[i] = self.wire(&format!(".in{i}"), transpose, &[inputs[i]])?;
        }
        let made = wire(self, &inputs)?;
        match self.node.shape.len() {
            0 | 1 => Ok(made),
            axes => self.wire(".out", AxisOp::Move(axes - 1, 0), &[made]),
        }
    }

    /// The same as [`Self::floats`], [in HWC](Self::in_hwc): `f` reads and writes channels last.
    pub fn channels_last(
        &mut self,
        f: impl Fn(&[Slice<'_>], &mut [f32]) + Send + Sync + 'static,
    ) -> Result<OutletId> {
        self.transposed(NativeLoop::Floats(Arc::new(f)))
    }

    /// The same as [`Self::bytes`], [in HWC](Self::in_hwc): `f` reads and writes channels last.
    pub fn channels_last_bytes(
        &mut self,
        f: impl Fn(&[Slice<'_>], &mut [u8]) + Send + Sync + 'static,
    ) -> Result<OutletId> {
        self.transposed(NativeLoop::Bytes(Arc::new(f)))
    }

    fn transposed(&mut self, body: NativeLoop) -> Result<OutletId> {
        let mut shape = self.node.shape.clone();
        let channels = shape.len().min(1);
        shape.rotate_left(channels);
        let op =
            Native { name: self.operator(), body, fact: fact(&shape, self.node.storage), is_free: false };
        self.in_hwc(|at, inputs| at.wire("", op, inputs))
    }

    fn operator(&self) -> &'static str {
        self.node.operator().map_or("Native", |op| op.name())
    }

    /// Adds an operator of our own that writes bytes, one for each bit or byte of the graph's value.
    pub fn bytes(&mut self, f: impl Fn(&[Slice<'_>], &mut [u8]) + Send + Sync + 'static) -> Result<OutletId> {
        self.native(NativeLoop::Bytes(Arc::new(f)), false)
    }

    /// The same as [`Self::bytes`], with the freedom of [`Self::each_in_place`].
    pub fn each_byte(
        &mut self,
        f: impl Fn(&[Slice<'_>], &mut [u8]) + Send + Sync + 'static,
    ) -> Result<OutletId> {
        self.native(NativeLoop::Bytes(Arc::new(f)), true)
    }

    fn native(&mut self, body: NativeLoop, is_free: bool) -> Result<OutletId> {
        let fact = fact(&self.node.shape, self.node.storage);
        let op = Native { name: self.operator(), body, fact, is_free };
        self.wire("", op, self.inputs)
    }

    /// The error of a node that tract refuses.
    pub fn failed(&self, why: &dyn fmt::Display) -> Error {
        let operator = self.node.operator().map_or("Input", |op| op.name());
        Error::Model(format!("{operator} (node {:?}) cannot be run on the CPU: {why:#}", self.node.name))
    }
}
