//! Shapes as constants, and constants of a shape.

use tract_onnx::pb::tensor_proto::DataType;

use super::Inputs;
use crate::{
    graph::{Constant, Elements},
    limits,
    ops::onnx::{Operand, Reader, size},
};

/// The shape that ONNX gives the first input: with the batch axis, where it depends on the image.
fn whole(node: &Reader<'_>) -> Result<Vec<usize>, String> {
    match node.inputs.first() {
        Some(Some(Operand::Constant(c))) => Ok(c.shape.clone()),
        Some(Some(Operand::Value(id))) if node.unbatched.contains(id) => Ok(node.node(*id).shape.clone()),
        Some(Some(Operand::Value(id))) => Ok([&[node.batch], node.node(*id).shape.as_slice()].concat()),
        _ => Err("input 0 is missing".into()),
    }
}

fn integers(values: Vec<i64>, shape: Vec<usize>) -> Operand {
    Operand::Constant(Constant { shape, elements: Elements::I64(values), quantization: None }.into())
}

/// Reads an ONNX Shape, of a constant or of a value: what it makes is a constant.
pub fn shape(node: &mut Reader<'_>) -> Result<Operand, String> {
    let extents = whole(node)?;
    let rank = extents.len().cast_signed() as i64;
    let clamped =
        |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank).unsigned_abs() as usize;
    let (start, end) = (clamped(node.int("start", 0)), clamped(node.int("end", rank)));
    let part = extents.get(start..end).unwrap_or_default();
    Ok(integers(part.iter().map(|&d| d.cast_signed() as i64).collect(), vec![part.len()]))
}

/// Reads an ONNX Size.
pub fn size_of(node: &mut Reader<'_>) -> Result<Operand, String> {
    let count = limits::product(&whole(node)?);
    Ok(integers(vec![i64::try_from(count).unwrap_or(i64::MAX)], vec![]))
}

/// Fails where a constant would be larger than constants may be made.
fn check(shape: &[usize]) -> Result<(), String> {
    match limits::product(shape) > limits::REPEATED || shape.len() as u64 > limits::RANK {
        true => Err(format!("its result, {shape:?}, is larger than constants may be made")),
        false => Ok(()),
    }
}

/// ONNX `ConstantOfShape`.
pub fn constant_of_shape(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let shape = inputs.get(0)?.to_i64().ok_or("the shape must be integers")?;
    limits::check("the number of axes", shape.len() as u64, limits::RANK).map_err(|e| e.to_string())?;
    let shape: Vec<usize> = shape.iter().map(|&d| size("shape", d)).collect::<Result<_, _>>()?;
    let value = node.tensor("value").transpose()?;
    // Weights are floats; integers of 64 bits are shapes.
    if value.as_ref().is_some_and(|v| v.to_i64().is_some()) {
        check(&shape)?;
    }
    let filled = node.filled.saturating_add(limits::product(&shape));
    let what = "the number of values of constants of a shape";
    limits::check(what, filled, limits::FILLED).map_err(|e| e.to_string())?;
    let count = shape.iter().product();
    let elements = match value.as_ref().map(|value| &value.elements) {
        None => Elements::F32(vec![0.0; count]),
        Some(_) if value.as_ref().is_some_and(|v| v.len() != 1) => {
            return Err("value has not one element".into());
        }
        Some(Elements::F32(v)) => Elements::F32(vec![v[0]; count]),
        Some(Elements::I8(v)) => Elements::I8(vec![v[0]; count]),
        Some(Elements::U8(v)) => Elements::U8(vec![v[0]; count]),
        Some(Elements::I32(v)) => Elements::I32(vec![v[0]; count]),
        Some(Elements::I64(v)) => Elements::I64(vec![v[0]; count]),
    };
    Ok(Constant { shape, elements, quantization: None })
}

/// ONNX `EyeLike`: ones on a diagonal.
pub fn eye_like(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let input = inputs.get(0)?;
    let &[rows, columns] = &input.shape[..] else {
        return Err(format!("a constant of the shape {:?} is no matrix", input.shape));
    };
    let shift = i128::from(node.int("k", 0));
    let is_one = |i: usize| (i % columns) as i128 - (i / columns) as i128 == shift;
    let ones: Vec<bool> = (0..rows * columns).map(is_one).collect();
    let is_real = match node.attribute("dtype").map(|a| i32::try_from(a.i).map(DataType::try_from)) {
        None => matches!(input.elements, Elements::F32(_)),
        Some(Ok(Ok(DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16))) => true,
        Some(_) => false,
    };
    let elements = match is_real {
        true => Elements::F32(ones.into_iter().map(f32::from).collect()),
        false => Elements::I64(ones.into_iter().map(i64::from).collect()),
    };
    Ok(Constant { shape: input.shape.clone(), elements, quantization: None })
}

/// ONNX Range.
pub fn range(_: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    if inputs.iter().any(|c| c.to_i64().is_none()) {
        return range_of_reals(inputs);
    }
    let one = |i: usize| -> Result<i64, String> {
        match inputs.get(i)?.to_i64().as_deref() {
            Some(&[value]) => Ok(value),
            _ => Err("its inputs are no numbers".into()),
        }
    };
    let (start, limit, delta) = (i128::from(one(0)?), i128::from(one(1)?), i128::from(one(2)?));
    if delta == 0 {
        return Err("delta is 0".into());
    }
    let count = ((limit - start + delta - delta.signum()) / delta).max(0);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    check(&[count])?;
    let values = (0..count as i128).map(|i| (start + i * delta) as i64).collect();
    Ok(Constant { shape: vec![count], elements: Elements::I64(values), quantization: None })
}

fn range_of_reals(inputs: &Inputs) -> Result<Constant, String> {
    let one = |i: usize| match inputs.get(i)?.to_f32().as_slice() {
        &[value] => Ok(f64::from(value)),
        _ => Err("its inputs are no numbers".to_owned()),
    };
    let (start, limit, delta) = (one(0)?, one(1)?, one(2)?);
    let count = ((limit - start) / delta).ceil().max(0.0);
    // A delta of zero makes it infinite, or no number.
    if !(0.0..=limits::REPEATED as f64).contains(&count) {
        return Err("its result is larger than constants may be made".into());
    }
    let values: Vec<f32> = (0..count as usize).map(|i| (start + i as f64 * delta) as f32).collect();
    Ok(Constant::floats([values.len()], values))
}

/// ONNX Concat along any axis.
pub fn concat(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let first = inputs.get(0)?;
    let rank = first.shape.len().cast_signed() as i64;
    let axis = node.int("axis", 1);
    let axis = usize::try_from(if axis < 0 { axis.saturating_add(rank) } else { axis }).unwrap_or(usize::MAX);
    let others = |shape: &[usize]| {
        let mut shape = shape.to_vec();
        (axis < shape.len()).then(|| {
            shape[axis] = 0;
            shape
        })
    };
    let common = others(&first.shape).ok_or_else(|| format!("axis {axis} is none of {rank}"))?;
    if inputs.iter().any(|c| others(&c.shape).as_ref() != Some(&common)) {
        return Err("its inputs differ in more than one axis".into());
    }
    let mut shape = common;
    shape[axis] = inputs.iter().map(|c| c.shape[axis]).sum();
    check(&shape)?;
    let outer: usize = shape[..axis].iter().product();
    let rows: Vec<usize> = inputs.iter().map(|c| c.shape[axis..].iter().product()).collect();
    let integers: Option<Vec<Vec<i64>>> = inputs.iter().map(Constant::to_i64).collect();
    let elements = match integers.filter(|_| inputs.iter().all(|c| c.quantization.is_none())) {
        Some(parts) => Elements::I64(interleaved(&parts, &rows, outer)),
        None => {
            let parts: Vec<Vec<f32>> = inputs.iter().map(Constant::to_f32).collect();
            Elements::F32(interleaved(&parts, &rows, outer))
        }
    };
    Ok(Constant { shape, elements, quantization: None })
}

/// Rows of all parts in turn.
fn interleaved<T: Copy>(parts: &[Vec<T>], rows: &[usize], outer: usize) -> Vec<T> {
    let row = |o: usize| {
        parts.iter().zip(rows).flat_map(move |(part, &n)| part[o * n..(o + 1) * n].iter().copied())
    };
    (0..outer).flat_map(row).collect()
}
