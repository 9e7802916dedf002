//! Nodes that move the batch axis, as attention does: behind other axes, or into one with windows or heads.
//!
//! A file that was exported for one image, or leaves their number open, says in full what it makes of one image. A value
//! whose batch axis is not the first one of extent 1 is kept with all of its ONNX axes: it is *unbatched*. A node that
//! reads such a value, or that would mix the images of a batch, is read as if one more axis, of extent 1, stood in front
//! of all; the axes that it names then count one more. A result whose first axis has the extent 1 has its batch axis again.

use std::sync::Arc;

use tract_onnx::pb::{AttributeProto, NodeProto, attribute_proto::AttributeType};

use super::{
    affine, einsum,
    entry::Entry,
    matmul, merged, nd,
    onnx::{Operand, Reader, axis_of},
    rearrange::below_transposes,
    reshape::Reshape,
};
use crate::graph::{Constant, Elements, ValueId};

/// Reads a node whatever stands in front of its values' axes.
pub fn read(node: &mut Reader<'_>, entry: &Entry) -> Result<Operand, String> {
    if matches!(entry.operator, "Shape" | "Size") {
        return (entry.read)(node);
    }
    let is_unbatched = values(node).any(|value| node.unbatched.contains(&value));
    if !is_unbatched {
        let inputs = node.inputs.clone();
        let refusal = match plainly(node, entry) {
            Err(refusal) if node.batch == 1 && node.over.is_none() && !entry.is_element_wise => refusal,
            read => return read,
        };
        node.inputs = inputs;
        node.others.clear();
        return with_axis_in_front(node, entry).map_err(|_| refusal);
    }
    with_axis_in_front(node, entry)
}

fn plainly(node: &mut Reader<'_>, entry: &Entry) -> Result<Operand, String> {
    match entry.is_element_wise {
        true => below_transposes(node, entry.read),
        false => (entry.read)(node),
    }
}

fn values(node: &Reader<'_>) -> impl Iterator<Item = ValueId> {
    node.inputs.iter().flatten().filter_map(|input| match input {
        Operand::Value(value) => Some(*value),
        Operand::Constant(_) => None,
    })
}

/// Reads a node with one more axis in front of all of its values.
fn with_axis_in_front(node: &mut Reader<'_>, entry: &Entry) -> Result<Operand, String> {
    let mut inputs = node.inputs.clone();
    let mut rank = 0;
    for input in inputs.iter_mut().flatten() {
        let Operand::Value(value) = input else { continue };
        let value = unbatched(node, *value)?;
        rank = rank.max(node.node(value).shape.len());
        *input = Operand::Value(value);
    }
    if entry.operator == "Flatten" {
        return flattened(node, &inputs);
    }
    if let ("GatherND", Some(Some(Operand::Value(value)))) = (entry.operator, inputs.first()) {
        let made = nd::gathered(node, *value)?;
        return batched(node, made);
    }
    if let Some(Some(Operand::Value(value))) = inputs.first()
        && let Ok(shape) = <[usize; 4]>::try_from(node.node(*value).shape.as_slice())
    {
        let made = match entry.operator {
            "Conv" => Some(merged::read_conv(node, *value, shape)),
            "AveragePool" | "MaxPool" => Some(merged::read_pool(node, *value, shape, entry.read)),
            _ => None,
        };
        if let Some(made) = made {
            return batched(node, made?);
        }
    }
    let mut shifted = Shifted { proto: node.proto.clone(), inputs, rank, opset: node.opset };
    shifted.shift(node, entry)?;
    let Shifted { proto, inputs, .. } = shifted;
    let mut inner = node.again(&proto, inputs);
    let first = match entry.operator {
        "BatchNormalization" => affine::read_batch_normalization_of(&mut inner, 2),
        "Gemm" => matmul::read_gemm_of_rows(&mut inner),
        _ => plainly(&mut inner, entry),
    };
    let (others, over, layer) = (std::mem::take(&mut inner.others), inner.over.take(), inner.layer);
    (node.over, node.layer) = (over, layer);
    let first = batched(node, first?)?;
    node.others = others.into_iter().map(|other| batched(node, other)).collect::<Result<_, _>>()?;
    Ok(first)
}

/// A value with all of its ONNX axes.
fn unbatched(node: &mut Reader<'_>, value: ValueId) -> Result<ValueId, String> {
    if node.unbatched.contains(&value) {
        return Ok(value);
    }
    let shape = [&[1], node.node(value).shape.as_slice()].concat();
    let made = node.value_of(Reshape { shape }, &[value])?;
    node.unbatched.insert(made);
    Ok(made)
}

/// An unbatched value with its batch axis, if its first axis can be one.
fn batched(node: &mut Reader<'_>, operand: Operand) -> Result<Operand, String> {
    let Operand::Value(value) = operand else { return Ok(operand) };
    match node.node(value).shape.split_first() {
        Some((1, rest)) => {
            let shape = rest.to_vec();
            node.add(Reshape { shape }, &[value])
        }
        _ => {
            node.unbatched.insert(value);
            Ok(operand)
        }
    }
}

/// A Flatten makes two axes; with another one in front of them it is a Reshape.
fn flattened(node: &mut Reader<'_>, inputs: &[Option<Operand>]) -> Result<Operand, String> {
    let Some(Some(Operand::Value(value))) = inputs.first() else { return Err("input 0 is missing".into()) };
    let own = node.node(*value).shape.clone();
    let axis = match node.int("axis", 1) {
        axis if axis == own.len() as i64 => own.len(),
        axis => axis_of(axis, own.len())?,
    };
    let shape = vec![own[..axis].iter().product(), own[axis..].iter().product()];
    let made = node.add(Reshape { shape }, &[*value])?;
    batched(node, made)
}

/// A node while the axes that it names are made to count one more.
struct Shifted {
    proto: NodeProto,
    inputs: Vec<Option<Operand>>,
    /// How many axes the largest value has, without the one in front.
    rank: usize,
    opset: i64,
}

impl Shifted {
    fn shift(&mut self, node: &mut Reader<'_>, entry: &Entry) -> Result<(), String> {
        match entry.operator {
            _ if entry.is_element_wise && self.opset < 7 && self.attribute("axis").is_some() => {
                Err("axes of a constant before opset 7 are not supported here".into())
            }
            _ if entry.is_element_wise => self.align(node),
            "FusedMatMul" | "MatMul" | "SkipLayerNormalization" | "Where" => self.align(node),
            "Einsum" => self.shift_equation(),
            "BatchNormalization" | "Dropout" | "Gemm" | "Identity" => Ok(()),
            "BiasGelu" | "FastGelu" | "Gelu" | "QuickGelu" => Ok(()),
            "LayerNormalization" => self.shift_axis(-1),
            "LogSoftmax" | "Softmax" => self.shift_axis(if self.opset < 13 { 1 } else { -1 }),
            "Gather" | "Split" => self.shift_axis(0),
            "Concat" => self.shift_concat(),
            "Transpose" => self.shift_order(),
            "Reshape" => self.prepend(1, "shape", 5, 1),
            "Tile" => self.prepend(1, "repeats", 1, 1),
            "Expand" => self.shift_expand(node),
            "Slice" => self.shift_slice(),
            "Pad" => self.shift_pads(),
            "Squeeze" => self.shift_axes(13, Missing::OfExtentOne, node),
            "Unsqueeze" | "ReduceSum" => self.shift_axes(13, Missing::All, node),
            operator if operator.starts_with("Reduce") => self.shift_axes(18, Missing::All, node),
            "DequantizeLinear" | "QuantizeLinear" if self.has_one_scale() => Ok(()),
            _ => Err("it would mix the images of a batch".into()),
        }
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|a| a.name == name)
    }

    fn set(&mut self, name: &str, kind: AttributeType, of: impl FnOnce(&mut AttributeProto)) {
        self.proto.attribute.retain(|a| a.name != name);
        let mut made = AttributeProto { name: name.into(), r#type: kind as i32, ..Default::default() };
        of(&mut made);
        self.proto.attribute.push(made);
    }

    /// A list of integers that is an input since an opset, and an attribute before it.
    fn list(&self, place: usize, name: &str, since: i64) -> Result<Option<Vec<i64>>, String> {
        if self.opset < since {
            return Ok(self.attribute(name).map(|a| a.ints.clone()).filter(|list| !list.is_empty()));
        }
        match self.inputs.get(place) {
            None | Some(None) => Ok(None),
            Some(Some(Operand::Constant(c))) => match c.to_i64() {
                Some(list) => Ok(Some(list).filter(|list| !list.is_empty())),
                None => Err(format!("{name} must be integers")),
            },
            Some(Some(Operand::Value(_))) => Err(format!("{name} depends on the image")),
        }
    }

    fn set_list(&mut self, place: usize, name: &str, since: i64, list: Vec<i64>) {
        if self.opset < since {
            return self.set(name, AttributeType::Ints, |a| a.ints = list);
        }
        let shape = vec![list.len()];
        let constant = Constant { shape, elements: Elements::I64(list), quantization: None };
        self.inputs.resize(self.inputs.len().max(place + 1), None);
        self.inputs[place] = Some(Operand::Constant(Arc::new(constant)));
    }

    /// Brings values to as many axes, so that the last ones meet.
    fn align(&mut self, node: &mut Reader<'_>) -> Result<(), String> {
        for input in self.inputs.iter_mut().flatten() {
            let Operand::Value(value) = input else { continue };
            let own = &node.node(*value).shape;
            if own.len() < self.rank {
                let shape = [&vec![1; self.rank - own.len()], own.as_slice()].concat();
                *value = node.value_of(Reshape { shape }, &[*value])?;
            }
        }
        Ok(())
    }

    fn shift_equation(&mut self) -> Result<(), String> {
        let equation =
            self.attribute("equation").map_or_else(String::new, |a| String::from_utf8_lossy(&a.s).into());
        let is_value = |i: usize| matches!(self.inputs.get(i), Some(Some(Operand::Value(_))));
        let equation = einsum::with_axis_in_front(&equation, is_value)?;
        self.set("equation", AttributeType::String, |a| a.s = equation.into_bytes());
        Ok(())
    }

    fn shift_axis(&mut self, default: i64) -> Result<(), String> {
        let axis = self.attribute("axis").map_or(default, |a| a.i);
        let axis = shifted(axis);
        self.set("axis", AttributeType::Int, |a| a.i = axis);
        Ok(())
    }

    fn shift_concat(&mut self) -> Result<(), String> {
        for input in self.inputs.iter_mut().flatten() {
            if let Operand::Constant(constant) = input {
                let shape = [&[1], constant.shape.as_slice()].concat();
                *constant = Arc::new(Constant { shape, ..(**constant).clone() });
            }
        }
        self.shift_axis(1)
    }

    fn shift_order(&mut self) -> Result<(), String> {
        let last = self.rank.cast_signed() as i64 - 1;
        let order = match self.attribute("perm") {
            Some(perm) => perm.ints.clone(),
            None => (0..=last).rev().collect(),
        };
        let order = [0].into_iter().chain(order.into_iter().map(shifted)).collect();
        self.set("perm", AttributeType::Ints, |a| a.ints = order);
        Ok(())
    }

    /// Puts a number for the axis in front before others.
    fn prepend(&mut self, place: usize, name: &str, since: i64, first: i64) -> Result<(), String> {
        let list = self.list(place, name, since)?.ok_or_else(|| format!("{name} is missing"))?;
        self.set_list(place, name, since, [&[first], list.as_slice()].concat());
        Ok(())
    }

    /// Before the axis in front, values have as many axes as they are expanded to.
    fn shift_expand(&mut self, node: &mut Reader<'_>) -> Result<(), String> {
        let axes = self.list(1, "shape", 1)?.map_or(0, |shape| shape.len());
        self.rank = self.rank.max(axes);
        self.align(node)?;
        self.prepend(1, "shape", 1, 1)
    }

    fn shift_slice(&mut self) -> Result<(), String> {
        let count = self.list(1, "starts", 10)?.map_or(0, |starts| starts.len().cast_signed() as i64);
        let axes = self.list(3, "axes", 10)?.unwrap_or_else(|| (0..count).collect());
        self.set_list(3, "axes", 10, axes.into_iter().map(shifted).collect());
        Ok(())
    }

    fn shift_pads(&mut self) -> Result<(), String> {
        let listed = if self.opset < 18 { None } else { self.list(3, "axes", 18)? };
        if let Some(axes) = listed {
            self.set_list(3, "axes", 18, axes.into_iter().map(shifted).collect());
            return Ok(());
        }
        let mut pads = self.list(1, "pads", 11)?.ok_or("pads are missing")?;
        pads.insert(pads.len() / 2, 0);
        pads.insert(0, 0);
        self.set_list(1, "pads", 11, pads);
        Ok(())
    }

    fn shift_axes(&mut self, since: i64, missing: Missing, node: &Reader<'_>) -> Result<(), String> {
        let all = 0..self.rank.cast_signed() as i64;
        let axes = match (self.list(1, "axes", since)?, missing) {
            (Some(axes), _) => axes,
            (None, _) if self.attribute("noop_with_empty_axes").is_some_and(|a| a.i != 0) => return Ok(()),
            (None, Missing::All) => all.collect(),
            (None, Missing::OfExtentOne) => match self.inputs.first() {
                Some(Some(Operand::Value(value))) => {
                    let shape = &node.node(*value).shape;
                    all.zip(shape).filter(|(_, extent)| **extent == 1).map(|(axis, _)| axis).collect()
                }
                _ => return Err("input 0 is missing".into()),
            },
        };
        self.set_list(1, "axes", since, axes.into_iter().map(shifted).collect());
        Ok(())
    }

    fn has_one_scale(&self) -> bool {
        matches!(self.inputs.get(1), Some(Some(Operand::Constant(scale))) if scale.len() == 1)
    }
}

/// The axes of a node that names none.
#[derive(Clone, Copy)]
enum Missing {
    All,
    OfExtentOne,
}

/// An axis with one more before it; one that counts from the end stays.
fn shifted(axis: i64) -> i64 {
    if axis < 0 { axis } else { axis.saturating_add(1) }
}
