//! Operators of constants: what a file computes from its weights and shapes alone is computed when it is read.
//!
//! Integers stay integers, and truth values are the bytes 0 and 1. Reals are computed in double precision and kept in
//! single. The batch axis is the file's own, or 1 where it is open: what comes out for one image is then what a run on
//! one image gives.

mod elements;
mod reduce;
mod scans;
mod scatter;
mod shapes;

use std::sync::Arc;

pub use elements::{
    absolute, add, and, cast, ceil, clip, cosine, divide, equal, erf, exp, floor, greater, greater_or_equal,
    less, less_or_equal, logarithm, maximum, minimum, modulo, multiply, negate, not, or, power, reciprocal,
    rectified, round, select, sigmoid, sine, square_root, subtract, tanh,
};
pub use reduce::{axes, reduce_max, reduce_mean, reduce_min, reduce_prod, reduce_sum};
pub use scans::{batch_normalization, running_sum};
pub use scatter::scatter_nd;
pub use shapes::{concat, constant_of_shape, eye_like, range, shape, size_of};

use super::onnx::{Operand, Reader};
use crate::graph::{Constant, Elements};

/// Computes a node whose inputs are all constants; the text says what of it is not supported.
pub type Fold = fn(&Reader<'_>, &Inputs) -> Result<Constant, String>;

/// The inputs of a node, all constants; none where an optional one is left out.
pub struct Inputs(Vec<Option<Arc<Constant>>>);

impl Inputs {
    /// Those of a node, if none depends on the image.
    #[must_use]
    pub fn of(node: &Reader<'_>) -> Option<Self> {
        let constant = |input: &Option<Operand>| match input {
            None => Some(None),
            Some(Operand::Constant(constant)) => Some(Some(constant.clone())),
            Some(Operand::Value(_)) => None,
        };
        node.inputs.iter().map(constant).collect::<Option<_>>().map(Self)
    }

    /// The `i`-th, which must be there.
    pub fn get(&self, i: usize) -> Result<&Constant, String> {
        self.optional(i).ok_or_else(|| format!("input {i} is missing"))
    }

    /// The `i`-th.
    #[must_use]
    pub fn optional(&self, i: usize) -> Option<&Constant> {
        self.0.get(i)?.as_deref()
    }

    /// All that are there.
    pub fn iter(&self) -> impl Iterator<Item = &Constant> {
        self.0.iter().filter_map(|input| input.as_deref())
    }
}

/// Up to here doubles hold every integer; shapes never reach it.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Integers as doubles.
fn exact(integers: &[i64]) -> Result<Vec<f64>, String> {
    let doubles: Vec<f64> = integers.iter().map(|&v| v as f64).collect();
    match doubles.iter().all(|v| v.abs() < EXACT) {
        true => Ok(doubles),
        false => Err("its integers are too large".into()),
    }
}

/// Doubles that hold integers, as these.
fn integers(doubles: &[f64]) -> Result<Elements, String> {
    match doubles.iter().all(|v| v.abs() < EXACT) {
        true => Ok(Elements::I64(doubles.iter().map(|&v| v as i64).collect())),
        false => Err("its integers overflow".into()),
    }
}

/// The reader of operators that are supported of constants only.
pub fn constants_only(_: &mut Reader<'_>) -> Result<Operand, String> {
    Err("it depends on the image, and is supported of constants only".into())
}
