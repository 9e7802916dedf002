//! Constants of which some elements are replaced.

use super::{Inputs, exact, integers};
use crate::{
    graph::{Constant, Elements},
    ops::onnx::{Reader, axis_of},
};

/// ONNX `ScatterND`: slices of the first input, where indices say, replaced by updates or combined with them.
pub fn scatter_nd(node: &Reader<'_>, inputs: &Inputs) -> Result<Constant, String> {
    let (data, updates) = (inputs.get(0)?, inputs.get(2)?);
    let indices = inputs.get(1)?;
    let combine: fn(f64, f64) -> f64 = match node.text("reduction", "none").as_str() {
        "none" => |_, update| update,
        "add" => |own, update| own + update,
        "mul" => |own, update| own * update,
        "max" => f64::max,
        "min" => f64::min,
        other => return Err(format!("reduction {other:?} is unknown")),
    };
    let (Some((&depth, _)), Some(listed)) = (indices.shape.split_last(), indices.to_i64()) else {
        return Err("its indices are no integers".into());
    };
    let (Some(outer), Some(rest)) = (data.shape.get(..depth), data.shape.get(depth..)) else {
        return Err(format!("indices of {depth} axes do not fit the shape {:?}", data.shape));
    };
    let slice = rest.iter().product::<usize>();
    let places = listed.len().checked_div(depth).ok_or("its indices have no axes")?;
    if updates.len() != places * slice {
        return Err(format!("{} updates are not {places} slices of {slice}", updates.len()));
    }
    let (mut values, updates, is_whole) = match (data.to_i64(), updates.to_i64()) {
        (Some(data), Some(updates)) => (exact(&data)?, exact(&updates)?, true),
        _ => {
            let [data, updates] =
                [data, updates].map(|c| (0..c.len()).map(|i| c.real(i)).collect::<Vec<f64>>());
            (data, updates, false)
        }
    };
    for (place, index) in listed.chunks_exact(depth).enumerate() {
        let mut start = 0;
        for (&at, &extent) in index.iter().zip(outer) {
            let at = axis_of(at, extent).map_err(|_| format!("index {at} is none of {extent}"))?;
            start = start * extent + at;
        }
        for i in 0..slice {
            let to = start * slice + i;
            values[to] = combine(values[to], updates[place * slice + i]);
        }
    }
    let elements = match is_whole {
        true => integers(&values)?,
        false => Elements::F32(values.into_iter().map(|v| v as f32).collect()),
    };
    Ok(Constant { shape: data.shape.clone(), elements, quantization: None })
}
