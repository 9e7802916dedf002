//! A dense float32 tensor on the host, row-major.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A dense row-major float32 tensor. Images are `[C, H, W]`, batches `[N, C, H, W]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

/// A tensor as it is read, before its extents are checked.
#[derive(Deserialize)]
struct Raw {
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl TryFrom<Raw> for Tensor {
    type Error = Error;

    fn try_from(raw: Raw) -> Result<Self> {
        Self::new(raw.shape, raw.data)
    }
}

impl Tensor {
    /// Wraps `data`; `shape`'s product must be its length.
    pub fn new(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Result<Self> {
        let shape = shape.into();
        if shape.iter().product::<usize>() == data.len() {
            Ok(Self { shape, data })
        } else {
            Err(Error::Argument(format!("a tensor of shape {shape:?} cannot hold {} values", data.len())))
        }
    }

    /// A tensor of one repeated value.
    #[must_use]
    pub fn full(shape: impl Into<Vec<usize>>, value: f32) -> Self {
        let shape = shape.into();
        let data = vec![value; shape.iter().product()];
        Self { shape, data }
    }

    /// A tensor of zeros.
    #[must_use]
    pub fn zeros(shape: impl Into<Vec<usize>>) -> Self {
        Self::full(shape, 0.0)
    }

    /// The extent of each axis.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The values, row-major.
    #[must_use]
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The values, row-major, to change in place.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The values, row-major, taken out.
    #[must_use]
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The same values under another shape of equal size.
    pub fn reshape(self, shape: impl Into<Vec<usize>>) -> Result<Self> {
        Self::new(shape, self.data)
    }

    /// How many values one step along the first axis spans.
    #[must_use]
    pub fn row_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The values at index `i` of the first axis.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f32] {
        let n = self.row_len();
        &self.data[i * n..(i + 1) * n]
    }

    /// The sub-tensor at index `i` of the first axis.
    #[must_use]
    pub fn at(&self, i: usize) -> Self {
        Self { shape: self.shape[1..].to_vec(), data: self.row(i).to_vec() }
    }

    /// Stacks tensors of one shape along a new first axis.
    pub fn stack(parts: &[Self]) -> Result<Self> {
        let Some(first) = parts.first() else {
            return Err(Error::Argument("nothing to stack".into()));
        };
        if parts.iter().any(|p| p.shape != first.shape) {
            return Err(Error::Argument("tensors of different shapes cannot be stacked".into()));
        }
        let mut shape = vec![parts.len()];
        shape.extend_from_slice(&first.shape);
        Ok(Self { shape, data: parts.iter().flat_map(|p| p.data.iter().copied()).collect() })
    }

    /// The indices `rows` of the first axis.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> Self {
        let n = self.row_len();
        let mut shape = self.shape.clone();
        shape[0] = rows.len();
        Self { shape, data: self.data[rows.start * n..rows.end * n].to_vec() }
    }

    /// Fails with [`Error::NotFinite`] naming `what` when a value is infinite or NaN.
    pub fn check_finite(&self, what: &str) -> Result<()> {
        if self.data.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(Error::NotFinite(what.into())) }
    }

    /// The sum of all values, accumulated in f64.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.data.iter().map(|&v| f64::from(v)).sum()
    }

    /// The smallest and largest value; zeros when empty.
    #[must_use]
    pub fn range(&self) -> (f32, f32) {
        self.data
            .iter()
            .copied()
            .map(|v| (v, v))
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            .unwrap_or((0.0, 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_must_match_data() {
        assert!(Tensor::new([2, 3], vec![0.0; 6]).is_ok());
        assert_eq!(Tensor::new([2, 3], vec![0.0; 5]).unwrap_err().code(), "argument");
    }

    #[test]
    fn rows_and_stacks_agree() {
        let a = Tensor::new([2], vec![1.0, 2.0]).unwrap();
        let b = Tensor::new([2], vec![3.0, 4.0]).unwrap();
        let s = Tensor::stack(&[a, b.clone()]).unwrap();
        assert_eq!(s.shape(), [2, 2]);
        assert_eq!(s.row(1), b.data());
        assert_eq!(s.at(1), b);
        assert_eq!(s.range(), (1.0, 4.0));
    }

    #[test]
    fn nan_is_found() {
        assert_eq!(Tensor::full([1], f32::NAN).check_finite("x").unwrap_err().code(), "not-finite");
    }
}
