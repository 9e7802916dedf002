//! Functions of elements, with numpy's broadcasting.

use super::Inputs;
use crate::{
    graph::{Constant, Elements},
    limits,
    ops::{onnx::Reader, rearrange::IndexMap},
};

/// The elements of a constant as numbers of one kind.
enum Numbers {
    Integers(Vec<i64>),
    Reals(Vec<f64>),
}

fn numbers(constant: &Constant) -> Numbers {
    match constant.to_i64().filter(|_| constant.quantization.is_none()) {
        Some(integers) => Numbers::Integers(integers),
        None => Numbers::Reals(constant.to_f32().into_iter().map(f64::from).collect()),
    }
}

fn integers(shape: Vec<usize>, values: Vec<i64>) -> Constant {
    Constant { shape, elements: Elements::I64(values), quantization: None }
}

fn truths(shape: Vec<usize>, values: impl Iterator<Item = bool>) -> Constant {
    Constant { shape, elements: Elements::U8(values.map(u8::from).collect()), quantization: None }
}

fn reals(shape: Vec<usize>, values: impl Iterator<Item = f64>) -> Result<Constant, String> {
    let values: Vec<f32> = values.map(|v| v as f32).collect();
    match values.iter().any(|v| v.is_nan()) {
        true => Err("it computes what is not a number".into()),
        false => Ok(Constant::floats(shape, values)),
    }
}

/// The shape that shapes broadcast to.
pub fn broadcast(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let rank = shapes.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut to = vec![1; rank];
    for shape in shapes {
        for (to, &extent) in to[rank - shape.len()..].iter_mut().zip(*shape) {
            match (*to, extent) {
                (1, _) => *to = extent,
                (a, b) if a == b || b == 1 => {}
                _ => return Err(format!("{shapes:?} do not broadcast")),
            }
        }
    }
    let largest = shapes.iter().map(|s| limits::product(s)).max().unwrap_or(0);
    match limits::product(&to) > limits::REPEATED.max(largest) {
        true => Err(format!("its result, {to:?}, is larger than constants may be made")),
        false => Ok(to),
    }
}

/// The elements brought to a shape that they broadcast to.
fn spread<T: Copy>(values: &[T], from: &[usize], to: &[usize]) -> Vec<T> {
    let Some(&first) = values.first() else { return vec![] };
    let mut out = vec![first; to.iter().product()];
    IndexMap::expand(from, to).apply(values, &mut out, first);
    out
}

/// Combines two constants: integers where both are, else reals.
fn combined(
    inputs: &Inputs,
    of_integers: fn(i64, i64) -> Option<i64>,
    of_reals: fn(f64, f64) -> f64,
) -> Result<Constant, String> {
    let (a, b) = (inputs.get(0)?, inputs.get(1)?);
    let shape = broadcast(&[&a.shape, &b.shape])?;
    match (numbers(a), numbers(b)) {
        (Numbers::Integers(x), Numbers::Integers(y)) => {
            let pairs = spread(&x, &a.shape, &shape).into_iter().zip(spread(&y, &b.shape, &shape));
            let values = pairs.map(|(x, y)| of_integers(x, y)).collect::<Option<_>>();
            Ok(integers(shape, values.ok_or("its integers overflow, or are divided by zero")?))
        }
        (x, y) => {
            let [x, y] = [x, y].map(Numbers::reals);
            let pairs = spread(&x, &a.shape, &shape).into_iter().zip(spread(&y, &b.shape, &shape));
            reals(shape, pairs.map(|(x, y)| of_reals(x, y)))
        }
    }
}

impl Numbers {
    fn reals(self) -> Vec<f64> {
        match self {
            Self::Integers(values) => values.into_iter().map(|v| v as f64).collect(),
            Self::Reals(values) => values,
        }
    }
}

/// Compares two constants. Integers keep their order as doubles up to 2^53, which shapes never reach.
fn compared(inputs: &Inputs, of: fn(f64, f64) -> bool) -> Result<Constant, String> {
    let (a, b) = (inputs.get(0)?, inputs.get(1)?);
    let shape = broadcast(&[&a.shape, &b.shape])?;
    let [x, y] = [a, b].map(|c| spread(&numbers(c).reals(), &c.shape, &shape));
    Ok(truths(shape, x.into_iter().zip(y).map(|(x, y)| of(x, y))))
}

/// A function of each element: of integers where there is one, else of reals.
fn mapped(
    inputs: &Inputs,
    of_integers: fn(i64) -> Option<i64>,
    of_reals: fn(f64) -> f64,
) -> Result<Constant, String> {
    let input = inputs.get(0)?;
    match numbers(input) {
        Numbers::Integers(values) => {
            let values = values.into_iter().map(of_integers).collect::<Option<_>>();
            Ok(integers(input.shape.clone(), values.ok_or("its integers overflow, or are no reals")?))
        }
        Numbers::Reals(values) => reals(input.shape.clone(), values.into_iter().map(of_reals)),
    }
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident($integers:expr, $reals:expr);)*) => {$(
        $(#[$doc])*
        pub fn $name(_: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
            combined(inputs, $integers, $reals)
        }
    )*};
}

binary! {
    /// ONNX Add.
    add(i64::checked_add, |a, b| a + b);
    /// ONNX Sub.
    subtract(i64::checked_sub, |a, b| a - b);
    /// ONNX Mul.
    multiply(i64::checked_mul, |a, b| a * b);
    /// ONNX Div; integers are cut towards zero.
    divide(i64::checked_div, |a, b| a / b);
    /// ONNX Pow.
    power(|a, b| a.checked_pow(u32::try_from(b).ok()?), f64::powf);
}

macro_rules! comparison {
    ($($(#[$doc:meta])* $name:ident($of:expr);)*) => {$(
        $(#[$doc])*
        pub fn $name(_: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
            compared(inputs, $of)
        }
    )*};
}

comparison! {
    /// ONNX Equal.
    equal(|a, b| a == b);
    /// ONNX Greater.
    greater(|a, b| a > b);
    /// ONNX `GreaterOrEqual`.
    greater_or_equal(|a, b| a >= b);
    /// ONNX Less.
    less(|a, b| a < b);
    /// ONNX `LessOrEqual`.
    less_or_equal(|a, b| a <= b);
    /// ONNX And.
    and(|a, b| a != 0.0 && b != 0.0);
    /// ONNX Or.
    or(|a, b| a != 0.0 || b != 0.0);
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident($integers:expr, $reals:expr);)*) => {$(
        $(#[$doc])*
        pub fn $name(_: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
            mapped(inputs, $integers, $reals)
        }
    )*};
}

unary! {
    /// ONNX Neg.
    negate(i64::checked_neg, |v| -v);
    /// ONNX Abs.
    absolute(i64::checked_abs, f64::abs);
    /// ONNX Floor.
    floor(|_| None, f64::floor);
    /// ONNX Ceil.
    ceil(|_| None, f64::ceil);
    /// ONNX Round, half to even.
    round(|_| None, f64::round_ties_even);
    /// ONNX Sqrt.
    square_root(|_| None, f64::sqrt);
    /// ONNX Exp.
    exp(|_| None, f64::exp);
    /// ONNX Log.
    logarithm(|_| None, f64::ln);
    /// ONNX Reciprocal.
    reciprocal(|_| None, f64::recip);
    /// ONNX Relu.
    rectified(|v| Some(v.max(0)), |v| v.max(0.0));
    /// ONNX Sigmoid.
    sigmoid(|_| None, |v| 1.0 / (1.0 + (-v).exp()));
    /// ONNX Tanh.
    tanh(|_| None, f64::tanh);
    /// ONNX Erf.
    erf(|_| None, libm::erf);
    /// ONNX Sin.
    sine(|_| None, f64::sin);
    /// ONNX Cos.
    cosine(|_| None, f64::cos);
}

/// ONNX Mod: the sign is the divisor's, or the dividend's with `fmod`.
pub fn modulo(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    if node.int("fmod", 0) != 0 {
        return combined(inputs, i64::checked_rem, |a, b| a % b);
    }
    let floored = |a: i64, b: i64| {
        let rest = a.checked_rem(b)?;
        Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
    };
    combined(inputs, floored, |a, b| a - (a / b).floor() * b)
}

/// ONNX Min of any number of constants.
pub fn minimum(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    folded(node, inputs, binary_min)
}

/// ONNX Max of any number of constants.
pub fn maximum(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    folded(node, inputs, binary_max)
}

binary! {
    /// The lesser.
    binary_min(|a, b| Some(a.min(b)), f64::min);
    /// The greater.
    binary_max(|a, b| Some(a.max(b)), f64::max);
}

/// ONNX Clip: its bounds are attributes before opset 11.
pub fn clip(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let bound = |i: usize, name: &str| match node.opset < 11 {
        true => node.attribute(name).map(|a| Constant::floats([], vec![a.f])),
        false => inputs.optional(i).cloned(),
    };
    let mut clipped = inputs.get(0)?.clone();
    if let Some(low) = bound(1, "min") {
        clipped = binary_max(node, &Inputs(vec![Some(clipped.into()), Some(low.into())]))?;
    }
    if let Some(high) = bound(2, "max") {
        clipped = binary_min(node, &Inputs(vec![Some(clipped.into()), Some(high.into())]))?;
    }
    Ok(clipped)
}

fn folded(
    node: &Reader<'_>,
    inputs: &Inputs,
    of: fn(&Reader<'_>, &Inputs) -> Result<Constant, String>,
) -> Result<Constant, String> {
    let mut all = inputs.iter().cloned();
    let first = all.next().ok_or("it has no inputs")?;
    all.try_fold(first, |a, b| of(node, &Inputs(vec![Some(a.into()), Some(b.into())])))
}

/// ONNX Not.
pub fn not(_: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let input = inputs.get(0)?;
    Ok(truths(input.shape.clone(), numbers(input).reals().into_iter().map(|v| v == 0.0)))
}

/// ONNX Where.
pub fn select(_: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let [condition, a, b] = [inputs.get(0)?, inputs.get(1)?, inputs.get(2)?];
    let shape = broadcast(&[&condition.shape, &a.shape, &b.shape])?;
    let chosen = spread(&numbers(condition).reals(), &condition.shape, &shape);
    match (numbers(a), numbers(b)) {
        (Numbers::Integers(x), Numbers::Integers(y)) => {
            let (x, y) = (spread(&x, &a.shape, &shape), spread(&y, &b.shape, &shape));
            let values = chosen.iter().zip(x).zip(y).map(|((c, x), y)| if *c != 0.0 { x } else { y });
            Ok(integers(shape, values.collect()))
        }
        (x, y) => {
            let (x, y) = (spread(&x.reals(), &a.shape, &shape), spread(&y.reals(), &b.shape, &shape));
            reals(shape, chosen.iter().zip(x).zip(y).map(|((c, x), y)| if *c != 0.0 { x } else { y }))
        }
    }
}

/// ONNX Cast.
pub fn cast(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    use tract_onnx::pb::tensor_proto::DataType;
    let input = inputs.get(0)?;
    let kind = i32::try_from(node.int("to", 0)).ok().and_then(|kind| DataType::try_from(kind).ok());
    let (shape, values) = (input.shape.clone(), numbers(input));
    // A double's integer part as `as` takes it: cut towards zero, and saturated.
    let whole = |values: Numbers| match values {
        Numbers::Integers(values) => values,
        Numbers::Reals(values) => values.into_iter().map(|v| v as i64).collect(),
    };
    match kind {
        Some(DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16) => {
            reals(shape, values.reals().into_iter())
        }
        Some(DataType::Bool) => Ok(truths(shape, values.reals().into_iter().map(|v| v != 0.0))),
        Some(DataType::Int64) => Ok(integers(shape, whole(values))),
        Some(DataType::Int32) => {
            let values = whole(values).into_iter().map(|v| v as i32).collect();
            Ok(Constant { shape, elements: Elements::I32(values), quantization: None })
        }
        Some(DataType::Int8) => {
            let values = whole(values).into_iter().map(|v| v as i8).collect();
            Ok(Constant { shape, elements: Elements::I8(values), quantization: None })
        }
        Some(DataType::Uint8) => {
            let values = whole(values).into_iter().map(|v| v as u8).collect();
            Ok(Constant { shape, elements: Elements::U8(values), quantization: None })
        }
        other => Err(format!(
            "a cast to {} is not supported",
            other.map_or("an unknown type", |kind| kind.as_str_name())
        )),
    }
}
