//! Reads an Einsum: sums of products over named axes, as Keras writes attention and its projections. It is a matrix product
//! of two values, or a convolution of one pixel with constant weights, between transposes.

use std::sync::Arc;

use super::{
    conv::Conv,
    matrix_product,
    onnx::{Operand, Reader},
    rearrange::{IndexMap, check_axes, in_order, of_constant},
    reshape::shaped,
    window::Window,
};
use crate::{
    graph::{Constant, ValueId},
    limits,
};

/// A name of an axis: a letter, or a number above all letters for one that an ellipsis stands for.
type Label = u8;

/// Names of the axes that an ellipsis stands for, counted from the last one.
const ELLIPSIS: Label = 128;

/// The names of the axes of each operand and of the result.
struct Equation {
    operands: Vec<Vec<Label>>,
    result: Vec<Label>,
}

/// The labels of one term, of which an ellipsis stands for so many axes.
fn term(text: &str, ellipsis: usize) -> Result<Vec<Label>, String> {
    let refuse = || format!("{:?} is not understood", super::onnx::short(text));
    let letters = |text: &str| match text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        true => Ok(text.as_bytes().to_vec()),
        false => Err(refuse()),
    };
    let Some((before, behind)) = text.split_once("...") else { return letters(text) };
    let count = Label::try_from(ellipsis).ok().filter(|&count| count < ELLIPSIS).ok_or_else(refuse)?;
    Ok([letters(before)?, (ELLIPSIS..ELLIPSIS + count).rev().collect(), letters(behind)?].concat())
}

impl Equation {
    /// Reads an equation for operands of so many axes.
    fn read(text: &str, ranks: &[usize]) -> Result<Self, String> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, right) = text.split_once("->").map_or((text.as_str(), None), |(l, r)| (l, Some(r)));
        let terms: Vec<&str> = left.split(',').collect();
        if terms.len() != ranks.len() {
            return Err(format!("its equation has {} operands, and the node {}", terms.len(), ranks.len()));
        }
        let mut most = 0;
        let mut operands = vec![];
        for (text, &rank) in terms.iter().zip(ranks) {
            let hidden = rank.saturating_sub(text.replace("...", "").len());
            let labels = term(text, hidden)?;
            if labels.len() != rank {
                return Err(format!(
                    "{:?} is for {} axes, not {rank}",
                    super::onnx::short(text),
                    labels.len()
                ));
            }
            if text.contains("...") {
                most = most.max(hidden);
            }
            operands.push(labels);
        }
        let result = match right {
            Some(right) => term(right, most)?,
            None => Self::implied(&operands),
        };
        Ok(Self { operands, result })
    }

    /// The result's labels where the equation does not say them: an ellipsis, then those that occur once, sorted.
    fn implied(operands: &[Vec<Label>]) -> Vec<Label> {
        let mut all: Vec<Label> = operands.concat();
        all.sort_unstable();
        let mut once: Vec<Label> = all.iter().rev().filter(|&&label| label >= ELLIPSIS).copied().collect();
        once.dedup();
        let is_single = |label: &&Label| **label < ELLIPSIS && all.iter().filter(|l| l == label).count() == 1;
        once.extend(all.iter().filter(is_single));
        once
    }
}

/// An operand with the names of its axes, the batch axis not among them.
struct Named {
    operand: Operand,
    labels: Vec<Label>,
    shape: Vec<usize>,
}

impl Named {
    fn extent(&self, label: Label) -> Option<usize> {
        self.labels.iter().zip(&self.shape).find(|(own, _)| **own == label).map(|(_, &extent)| extent)
    }

    fn product(&self, labels: &[Label]) -> usize {
        labels.iter().filter_map(|&label| self.extent(label)).product()
    }

    /// The places of labels among its axes.
    fn order(&self, labels: &[Label]) -> Vec<usize> {
        labels.iter().filter_map(|label| self.labels.iter().position(|own| own == label)).collect()
    }

    /// The value with its axes in the order of these labels, under another shape.
    fn value(&self, node: &mut Reader<'_>, labels: &[Label], shape: &[usize]) -> Result<ValueId, String> {
        let Operand::Value(value) = self.operand else { return Err("it is a constant".into()) };
        let moved = in_order(node, value, &self.order(labels))?;
        shaped(node, moved, shape)
    }
}

/// Reads an ONNX Einsum of one or two operands.
pub fn read(node: &mut Reader<'_>) -> Result<Operand, String> {
    let (mut operands, result) = named(node)?;
    if operands.len() == 1 {
        operands.extend(ones(&operands[0], &result));
    }
    match <[Named; 2]>::try_from(operands) {
        Ok([a, b]) => match (&a.operand, &b.operand) {
            (Operand::Value(_), _) => product(node, &a, &b, &result),
            _ => product(node, &b, &a, &result),
        },
        Err(one) => match one.first() {
            Some(one) if one.order(&result).len() == one.labels.len() && result.len() == one.labels.len() => {
                let shape: Vec<usize> = result.iter().filter_map(|&label| one.extent(label)).collect();
                one.value(node, &result, &shape).map(Operand::Value)
            }
            _ => Err("only products of two operands are supported".into()),
        },
    }
}

/// Ones, by which an operand is multiplied where only a sum of it is asked for.
fn ones(operand: &Named, result: &[Label]) -> Option<Named> {
    let labels: Vec<Label> = operand.labels.iter().filter(|label| !result.contains(label)).copied().collect();
    if labels.is_empty() {
        return None;
    }
    let shape: Vec<usize> = labels.iter().filter_map(|&label| operand.extent(label)).collect();
    let values = vec![1.0; shape.iter().product()];
    Some(Named { operand: Operand::Constant(Constant::floats(shape.clone(), values).into()), labels, shape })
}

/// The operands with their labels, and those of the result. The batch axis is the first one of every value and of the
/// result, and of no constant.
fn named(node: &Reader<'_>) -> Result<(Vec<Named>, Vec<Label>), String> {
    let operands: Option<Vec<Operand>> = node.inputs.iter().cloned().collect();
    let operands = operands.ok_or("an operand is missing")?;
    let shape = |operand: &Operand| match operand {
        Operand::Value(value) => node.node(*value).shape.clone(),
        Operand::Constant(constant) => constant.shape.clone(),
    };
    let is_value = |operand: &Operand| matches!(operand, Operand::Value(_));
    let ranks: Vec<usize> =
        operands.iter().map(|operand| shape(operand).len() + usize::from(is_value(operand))).collect();
    let Equation { operands: labels, mut result } = Equation::read(&node.text("equation", ""), &ranks)?;
    let batch = *result.first().ok_or("its result has no axes")?;
    result.remove(0);
    let mut all = vec![];
    for (operand, mut labels) in operands.into_iter().zip(labels) {
        if is_value(&operand) && labels.first() == Some(&batch) {
            labels.remove(0);
        } else if is_value(&operand) {
            return Err("it would mix the images of a batch".into());
        }
        let mut sorted = labels.clone();
        sorted.sort_unstable();
        if labels.contains(&batch) || sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("diagonals, and constants that differ between images, are not supported".into());
        }
        let shape = shape(&operand);
        check_axes(&shape)?;
        all.push(Named { operand, labels, shape });
    }
    Ok((all, result))
}

/// The product of a value and another operand.
fn product(node: &mut Reader<'_>, a: &Named, b: &Named, result: &[Label]) -> Result<Operand, String> {
    let of = |one: &Named, in_other: bool, in_result: bool, other: &Named| -> Vec<Label> {
        let is =
            |label: &&Label| other.labels.contains(label) == in_other && result.contains(label) == in_result;
        one.labels.iter().filter(is).copied().collect()
    };
    let (stack, summed) = (of(a, true, true, b), of(a, true, false, b));
    let (rows, columns) = (of(a, false, true, b), of(b, false, true, a));
    if !of(a, false, false, b).is_empty() || !of(b, false, false, a).is_empty() {
        return Err("sums over an axis of one operand of two are not supported".into());
    }
    if stack.iter().chain(&summed).any(|&label| a.extent(label) != b.extent(label)) {
        return Err("its operands have different extents along an axis".into());
    }
    let made = [stack.as_slice(), &columns, &rows].concat();
    if made.len() != result.len() || result.iter().any(|label| !made.contains(label)) {
        return Err("its result names an axis that no operand has, or one twice".into());
    }
    let [stacked, m] = [&stack, &rows].map(|labels| a.product(labels));
    let [k, n] = [&summed, &columns].map(|labels| b.product(labels));
    let value = match &b.operand {
        Operand::Constant(constant) => {
            let weights = IndexMap::transpose(&b.shape, &b.order(&[&stack[..], &columns, &summed].concat()));
            let mut weights = of_constant(&weights, constant);
            weights.shape = vec![stacked * n, k, 1, 1];
            let x = a.value(node, &[&stack[..], &summed, &rows].concat(), &[stacked * k, m, 1])?;
            let conv =
                Conv { weights: Arc::new(weights), bias: None, groups: stacked, window: Window::new([1, 1]) };
            node.value_of(conv, &[x])?
        }
        Operand::Value(_) => {
            let left = b.value(node, &[&stack[..], &columns, &summed].concat(), &[stacked, n, k])?;
            let right = a.value(node, &[&stack[..], &summed, &rows].concat(), &[stacked, k, m])?;
            matrix_product::product(node, left, right)?
        }
    };
    let extent = |&label: &Label| a.extent(label).or_else(|| b.extent(label));
    let shape: Vec<usize> = made.iter().filter_map(extent).collect();
    let whole = Named { operand: Operand::Value(shaped(node, value, &shape)?), labels: made, shape };
    let shape: Vec<usize> = result.iter().filter_map(|&label| whole.extent(label)).collect();
    whole.value(node, result, &shape).map(Operand::Value)
}

/// The product of a value's matrices and as many of a constant, which stands on the left or on the right.
pub(super) fn of_matrices(
    node: &mut Reader<'_>,
    value: ValueId,
    constant: &Constant,
    is_left: bool,
) -> Result<Operand, String> {
    let own = node.node(value).shape.clone();
    let extra = constant.shape.len().saturating_sub(own.len());
    let is_one = |&extent: &usize| extent == 1;
    if own.len() < 2 || own.len() as u64 > limits::RANK || !constant.shape[..extra].iter().all(is_one) {
        return Err(format!("matrices {:?} do not fit a value of {own:?} per image", constant.shape));
    }
    // Axes of the stack are named by their place from the last one; those of extent 1 broadcast.
    let named = |operand: Operand, shape: &[usize], last: [Label; 2]| {
        let stack = (2..shape.len()).rev().map(|place| ELLIPSIS + place as Label);
        let (labels, shape) = stack
            .chain(last)
            .zip(shape.iter().copied())
            .filter(|&(label, extent)| label < ELLIPSIS || extent != 1)
            .unzip();
        Named { operand, labels, shape }
    };
    let (of_value, of_constant) = if is_left { (*b"kn", *b"mk") } else { (*b"mk", *b"kn") };
    let mut b = named(Operand::Value(value), &constant.shape[extra..], of_constant);
    let floats = Constant::floats(b.shape.clone(), constant.to_f32());
    b.operand = Operand::Constant(floats.into());
    let mut a = named(Operand::Value(value), &own, of_value);
    a.operand = Operand::Value(shaped(node, value, &a.shape)?);
    let extent = |label: Label| a.extent(label).or_else(|| b.extent(label));
    let all: Vec<Label> = (2..own.len()).rev().map(|place| ELLIPSIS + place as Label).chain(*b"mn").collect();
    let result: Vec<Label> = all.iter().copied().filter(|&label| extent(label).is_some()).collect();
    let shape: Vec<usize> = all.iter().map(|&label| extent(label).unwrap_or(1)).collect();
    match product(node, &a, &b, &result)? {
        Operand::Value(made) => shaped(node, made, &shape).map(Operand::Value),
        made => Ok(made),
    }
}

/// An equation in which every value, and the result, has one more axis in front.
pub(super) fn with_axis_in_front(equation: &str, is_value: impl Fn(usize) -> bool) -> Result<String, String> {
    let (left, right) = equation.split_once("->").ok_or("its equation does not say the result's axes")?;
    let letter = (b'a'..=b'z').chain(b'A'..=b'Z').map(char::from).find(|&c| !equation.contains(c));
    let letter = letter.ok_or("its equation has too many axes")?;
    let term = |(i, term): (usize, &str)| match is_value(i) {
        true => format!("{letter}{}", term.trim()),
        false => term.trim().into(),
    };
    let terms: Vec<String> = left.split(',').enumerate().map(term).collect();
    Ok(format!("{}->{letter}{}", terms.join(","), right.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_numpys() {
        let read = |text: &str, ranks: &[usize]| {
            let equation = Equation::read(text, ranks)?;
            Ok::<_, String>((equation.operands, equation.result))
        };
        let [b, i, j, k] = *b"bijk";
        assert_eq!(read("bij, bjk -> bik", &[3, 3]), Ok((vec![vec![b, i, j], vec![b, j, k]], vec![b, i, k])));
        assert_eq!(read("bji", &[3]), Ok((vec![vec![b, j, i]], vec![b, i, j])));
        let (x, y) = (ELLIPSIS + 1, ELLIPSIS);
        assert_eq!(read("...j,jk->...k", &[3, 2]), Ok((vec![vec![x, y, j], vec![j, k]], vec![x, y, k])));
        assert_eq!(read("...j,jk", &[3, 2]), Ok((vec![vec![x, y, j], vec![j, k]], vec![x, y, k])));
        assert!(read("ij,jk->ik", &[3, 2]).is_err());
        assert!(read("ij->i.", &[2]).is_err());
        assert!(read("ij,jk->ik", &[2]).is_err());
        assert_eq!(with_axis_in_front("ab,bc->ac", |i| i == 0).as_deref(), Ok("dab,bc->dac"));
    }
}
