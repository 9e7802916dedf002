//! Bounds on the integers and names that a file gives.

use crate::limits;

/// A non-negative integer of a file as a size.
pub fn size(name: &str, value: i64) -> Result<usize, String> {
    bounded(name, value, limits::INTEGER)
}

/// A non-negative integer of a file that is at most `allowed`.
pub fn bounded(name: &str, value: i64, allowed: u64) -> Result<usize, String> {
    let size = usize::try_from(value).map_err(|_| format!("{name} {value} is negative or too large"))?;
    match size as u64 > allowed {
        true => Err(format!("{name} {value} is too large; at most {allowed} is allowed")),
        false => Ok(size),
    }
}

/// An axis that may count from the last one of `rank`.
pub fn axis_of(axis: i64, rank: usize) -> Result<usize, String> {
    let counted = if axis < 0 { axis.saturating_add(rank.cast_signed() as i64) } else { axis };
    let counted = usize::try_from(counted).ok().filter(|&axis| axis < rank);
    counted.ok_or_else(|| format!("axis {axis} is none of the {rank} axes"))
}

/// A name of a file, cut where it is too long for a message.
#[must_use]
pub fn short(name: &str) -> String {
    const MOST: usize = 80;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}
