//! One scale for several maps, so that their colours can be compared.

use super::display::{Blend, Display};
use super::portrait;
use super::values::{Plane, magnitude};
use crate::error::Result;
use crate::tensor::Tensor;

/// The magnitude of one scale for several maps shown as `display` says, in the maps' unit: the percentile of
/// all their values together, or `display`'s own fixed scale. `None` when all of them are zero.
///
/// Fails as [`super::render`] does.
pub fn shared_scale(maps: &[&Tensor], display: &Display) -> Result<Option<f32>> {
    display.check()?;
    let mut values = Vec::new();
    let picture = display.blend == Blend::Picture;
    for map in maps {
        let plane = Plane::reduce(map, display.channels)?;
        if picture {
            portrait::planes(map, &plane).into_iter().for_each(|p| values.extend(p));
        } else {
            values.extend(plane.show(display.sign).values);
        }
    }
    let own = || if picture { portrait::magnitude(&values) } else { magnitude(&values, display.clip) };
    let magnitude = display.scale.unwrap_or_else(own);
    Ok((magnitude > 0.0).then_some(magnitude))
}

#[cfg(test)]
mod tests {
    use super::super::Sign;
    use super::*;

    #[test]
    fn maps_share_a_scale() {
        let (a, b) = (Tensor::full([1, 1], 1.0), Tensor::full([1, 1], -3.0));
        let display = Display { clip: 100.0, ..Display::default() };
        assert_eq!(shared_scale(&[&a, &b], &display).unwrap(), Some(3.0));
        let positive = Display { sign: Sign::Positive, ..display };
        assert_eq!(shared_scale(&[&a, &b], &positive).unwrap(), Some(1.0));
        assert_eq!(shared_scale(&[&b], &positive).unwrap(), None);
        assert_eq!(shared_scale(&[], &positive).unwrap(), None);
    }
}
