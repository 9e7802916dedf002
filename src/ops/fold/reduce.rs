//! Reductions of constants over any axes.

use super::Inputs;
use crate::{
    graph::{Constant, Elements},
    ops::onnx::{Operand, Reader},
};

/// The axes that a Reduce node names, of a first input of `rank` axes; all where it names none.
pub fn axes(node: &Reader<'_>, rank: usize, input_since: i64) -> Result<Vec<usize>, String> {
    let listed = match node.opset < input_since {
        true => node.ints("axes").map(<[i64]>::to_vec),
        false => match node.inputs.get(1) {
            None | Some(None) => None,
            Some(Some(Operand::Constant(c))) => Some(c.to_i64().ok_or("axes must be integers")?),
            Some(Some(Operand::Value(_))) => {
                return Err("axes depend on the image, and should be constants".into());
            }
        },
    };
    let listed = listed.filter(|axes| !axes.is_empty());
    let Some(listed) = listed else {
        return Ok(if node.int("noop_with_empty_axes", 0) != 0 { vec![] } else { (0..rank).collect() });
    };
    let all = rank.cast_signed() as i64;
    let counted = |axis: i64| {
        let from_front = if axis < 0 { axis.saturating_add(all) } else { axis };
        usize::try_from(from_front).ok().filter(|&axis| axis < rank)
    };
    let mut axes = listed.iter().map(|&a| counted(a)).collect::<Option<Vec<_>>>();
    if let Some(axes) = &mut axes {
        axes.sort_unstable();
        axes.dedup();
    }
    axes.ok_or_else(|| format!("axes {listed:?} are not of {rank} axes"))
}

fn reduced(
    node: &Reader<'_>,
    inputs: &Inputs,
    input_since: i64,
    of: fn(&[f64]) -> f64,
) -> Result<Constant, String> {
    let input = inputs.get(0)?;
    let axes = axes(node, input.shape.len(), input_since)?;
    let whole = input.to_i64().is_some() && input.quantization.is_none();
    let kept = |axis: usize| !axes.contains(&axis);
    let mut groups =
        vec![vec![]; (0..input.shape.len()).filter(|&a| kept(a)).map(|a| input.shape[a]).product()];
    for i in 0..input.len() {
        let (mut rest, mut place, mut step) = (i, 0, 1);
        for axis in (0..input.shape.len()).rev() {
            let at = rest % input.shape[axis];
            rest /= input.shape[axis];
            if kept(axis) {
                place += at * step;
                step *= input.shape[axis];
            }
        }
        groups[place].push(input.real(i));
    }
    if groups.iter().any(Vec::is_empty) {
        return Err("it reduces nothing".into());
    }
    let keep = node.int("keepdims", 1) != 0;
    let shape =
        (0..input.shape.len()).filter(|&a| kept(a) || keep).map(|a| if kept(a) { input.shape[a] } else { 1 });
    let shape: Vec<usize> = shape.collect();
    let values = groups.iter().map(|group| of(group));
    Ok(match whole {
        true => {
            let elements = Elements::I64(values.map(|v| v as i64).collect());
            Constant { shape, elements, quantization: None }
        }
        false => Constant::floats(shape, values.map(|v| v as f32).collect()),
    })
}

macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident($since:expr, $of:expr);)*) => {$(
        $(#[$doc])*
        pub fn $name(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
            reduced(node, inputs, $since, $of)
        }
    )*};
}

reductions! {
    /// ONNX `ReduceSum`.
    reduce_sum(13, |v| v.iter().sum());
    /// ONNX `ReduceMean`; of integers cut towards zero.
    reduce_mean(18, |v| v.iter().sum::<f64>() / v.len() as f64);
    /// ONNX `ReduceProd`.
    reduce_prod(18, |v| v.iter().product());
    /// ONNX `ReduceMax`.
    reduce_max(18, |v| v.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    /// ONNX `ReduceMin`.
    reduce_min(18, |v| v.iter().copied().fold(f64::INFINITY, f64::min));
}
