//! Operators of our own in a tract model: loops over whole values, and functions of one element.

use std::{fmt, sync::Arc};

use tract_onnx::tract_core::{internal::*, ops::element_wise::ElementWiseMiniOp};

use super::Storage;

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
pub(super) enum NativeLoop {
    InPlace(Arc<InPlace>),
    Floats(Arc<Fill<f32>>),
    Bytes(Arc<Fill<u8>>),
}

/// An operator of our own in a tract model.
#[derive(Clone)]
pub(super) struct Native {
    pub name: &'static str,
    pub body: NativeLoop,
    /// The value that it makes, as the graph has it.
    pub fact: TypedFact,
    /// True if its axes may come in another order, the same for all that it reads and makes.
    pub is_free: bool,
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
pub(super) struct ElementFunction {
    pub name: &'static str,
    pub f: OnEach,
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
