//! ONNX Where with a constant condition: what is not chosen is multiplied by zero.

use std::sync::Arc;

use super::{
    arithmetic::{read_add, read_mul},
    fold,
    onnx::{Operand, Reader},
};
use crate::graph::Constant;

/// Reads an ONNX Where: the first operand where the condition holds, plus the second where it does not.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let condition = node.constant(0).map_err(|why| format!("its condition: {why}"))?;
    let holds = condition.to_f32().into_iter().map(|c| f32::from(c != 0.0));
    let mut inputs = std::mem::take(&mut node.inputs);
    inputs.resize(3, None);
    let mut halves = vec![];
    for (operand, is_first) in inputs.into_iter().skip(1).zip([true, false]) {
        let shares = holds.clone().map(|c| if is_first { c } else { 1.0 - c }).collect();
        let shares = Constant::floats(condition.shape.clone(), shares);
        halves.push(Some(masked(node, operand.ok_or("an operand is missing")?, shares)?));
    }
    node.inputs = halves;
    read_add(node)
}

/// An operand where the shares are one, and zero where they are.
fn masked(node: &mut Reader<'_>, operand: Operand, shares: Constant) -> Result<Operand, String> {
    let is_constant = matches!(operand, Operand::Constant(_));
    let shares = Some(Operand::Constant(Arc::new(shares)));
    if !is_constant {
        node.inputs = vec![Some(operand), shares];
        return read_mul(node);
    }
    // Not a product: what is not chosen may be infinite.
    let zero = Some(Operand::Constant(Arc::new(Constant::floats([], vec![0.0]))));
    node.inputs = vec![shares, Some(operand), zero];
    let inputs = fold::Inputs::of(node).ok_or("its operands are mixed; please report this")?;
    fold::select(node, &inputs).map(|chosen| Operand::Constant(Arc::new(chosen)))
}
