//! Lowering of operators to tract: the model that is being built, and operators of our own in it.
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
    ops::{
        binary::TypedBinOp,
        change_axes::AxisOp,
        element_wise::{ElementWiseMiniOp, ElementWiseOp},
    },
};

use super::{Graph, Node, Producer, Storage, ValueId};
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

/// The type and shape of a value in a tract model.
#[must_use]
pub fn fact(shape: &[usize], storage: Storage) -> TypedFact {
    match storage {
        Storage::Float => f32::fact(shape),
        Storage::Bit | Storage::Byte => u8::fact(shape),
    }
}

/// A value that one of our own operators reads.
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a> {
    /// Floats.
    Float(&'a [f32]),
    /// Bits, a byte each, or bytes.
    Byte(&'a [u8]),
}

impl<'a> Slice<'a> {
    /// The floats; none where they are bytes, which no graph asks for.
    #[must_use]
    pub fn floats(self) -> &'a [f32] {
        match self {
            Self::Float(v) => v,
            Self::Byte(_) => &[],
        }
    }

    /// The bytes; none where they are floats, which no graph asks for.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Float(_) => &[],
            Self::Byte(v) => v,
        }
    }
}

type InPlace = dyn Fn(&mut [f32], &[Slice<'_>]) + Send + Sync;
type Fill<T> = dyn Fn(&[Slice<'_>], &mut [T]) + Send + Sync;

/// A loop over whole values. A boxed closure, not a generic: one copy of what surrounds it is enough.
#[derive(Clone)]
enum NativeLoop {
    InPlace(Arc<InPlace>),
    Floats(Arc<Fill<f32>>),
    Bytes(Arc<Fill<u8>>),
}

/// An operator of our own in a tract model.
#[derive(Clone)]
struct Native {
    name: &'static str,
    body: NativeLoop,
    /// The value that it makes, as the graph has it.
    fact: TypedFact,
    /// True if its axes may come in another order, the same for all that it reads and makes.
    is_free: bool,
}

impl Native {
    /// The shape of what it makes of a first input.
    fn shape(&self, first: Option<&[usize]>) -> TractResult<TVec<usize>> {
        match first.filter(|_| self.is_free) {
            Some(shape) => Ok(shape.into()),
            None => Ok(self.fact.shape.as_concrete().context("shapes are fixed")?.into()),
        }
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

/// Loops cannot be compared: an operator equals only itself.
impl PartialEq for Native {
    fn eq(&self, other: &Self) -> bool {
        match (&self.body, &other.body) {
            (NativeLoop::InPlace(a), NativeLoop::InPlace(b)) => Arc::ptr_eq(a, b),
            (NativeLoop::Floats(a), NativeLoop::Floats(b)) => Arc::ptr_eq(a, b),
            (NativeLoop::Bytes(a), NativeLoop::Bytes(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Eq for Native {}

impl Op for Native {
    fn name(&self) -> StaticName {
        self.name.into()
    }

    op_as_typed_op!();
}

fn slices(inputs: &[TValue]) -> TractResult<TVec<Slice<'_>>> {
    inputs.iter().map(view).collect()
}

fn view(value: &TValue) -> TractResult<Slice<'_>> {
    let plain = value.try_as_plain_ram()?;
    if value.datum_type() == u8::datum_type() {
        Ok(Slice::Byte(plain.as_slice()?))
    } else {
        Ok(Slice::Float(plain.as_slice()?))
    }
}

impl EvalOp for Native {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, mut inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let shape = &self.shape(inputs.first().map(|i| i.shape()))?;
        let made = match &self.body {
            NativeLoop::InPlace(f) => {
                ensure!(!inputs.is_empty(), "{self:?} has no input");
                let mut first = inputs.remove(0).into_tensor();
                f(first.try_as_plain_ram_mut()?.as_slice_mut()?, &slices(&inputs)?);
                first
            }
            NativeLoop::Floats(f) => {
                let mut made = Tensor::zero::<f32>(shape)?;
                f(&slices(&inputs)?, made.try_as_plain_ram_mut()?.as_slice_mut()?);
                made
            }
            NativeLoop::Bytes(f) => {
                let mut made = Tensor::zero::<u8>(shape)?;
                f(&slices(&inputs)?, made.try_as_plain_ram_mut()?.as_slice_mut()?);
                made
            }
        };
        Ok(tvec!(made.into_tvalue()))
    }
}

impl TypedOp for Native {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let shape = self.shape(inputs.first().and_then(|fact| fact.shape.as_concrete()))?;
        Ok(tvec!(self.fact.datum_type.fact(shape)))
    }

    fn axes_mapping(&self, inputs: &[&TypedFact], outputs: &[&TypedFact]) -> TractResult<AxesMapping> {
        match self.is_free {
            true => AxesMapping::natural(inputs, outputs),
            false => AxesMapping::disconnected(inputs, outputs),
        }
    }

    fn change_axes(
        &self,
        model: &TypedModel,
        node: &TypedNode,
        _: InOut,
        change: &AxisOp,
    ) -> TractResult<Option<AxisChangeConsequence>> {
        Ok(self.is_free.then(|| AxisChangeConsequence::new(model, node, None, change)))
    }

    as_op!();
}

/// A function that changes each of some values.
type OnEach = Arc<dyn Fn(&mut [f32]) + Send + Sync>;

/// A function of one element, in a tract model.
#[derive(Clone)]
struct ElementFunction {
    name: &'static str,
    f: OnEach,
}

impl fmt::Debug for ElementFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

impl PartialEq for ElementFunction {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.f, &other.f)
    }
}

impl Eq for ElementFunction {}

impl ElementWiseMiniOp for ElementFunction {
    fn name(&self) -> String {
        self.name.into()
    }

    fn eval_in_place(&self, values: &mut Tensor, _: Option<DatumType>) -> TractResult<()> {
        (self.f)(values.try_as_plain_ram_mut()?.as_slice_mut()?);
        Ok(())
    }
}
