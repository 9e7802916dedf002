//! An entry of the table of ONNX operators that can be read.

use super::{
    fold::{self, Fold},
    onnx::{Operand, Reader, attributes::Attribute},
};

/// Reads one ONNX node; the text says what of it is not supported.
pub type Read = fn(&mut Reader<'_>) -> Result<Operand, String>;

/// How an ONNX operator is read.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its domain; empty for the default one.
    pub domain: &'static str,
    /// The operator.
    pub operator: &'static str,
    /// Reads a node of it.
    pub read: Read,
    /// The attributes that it has; others are refused.
    pub attributes: &'static [Attribute],
    /// Computes a node of it whose inputs are all constants.
    pub fold: Option<Fold>,
    /// True if it treats every element alike, so that its inputs' axes may come in any order, the same for all; constants
    /// and smaller values broadcast.
    pub is_element_wise: bool,
}

pub(super) const fn entry(operator: &'static str, read: Read, attributes: &'static [Attribute]) -> Entry {
    Entry { domain: "", operator, read, attributes, fold: None, is_element_wise: false }
}

impl Entry {
    /// Whether it is supported of constants only.
    #[must_use]
    pub fn is_of_constants_only(&self) -> bool {
        std::ptr::fn_addr_eq(self.read, fold::constants_only as Read)
    }

    pub(super) const fn element_wise(self) -> Self {
        Self { is_element_wise: true, ..self }
    }

    pub(super) const fn folds(self, fold: Fold) -> Self {
        Self { fold: Some(fold), ..self }
    }
}
