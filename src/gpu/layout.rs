//! Between row-major channels-first on the host and vec4 channels-last on the device.

/// Rows of `channels * plane` floats, channels first, as the device wants them; padding is zero.
#[must_use]
pub fn pack(data: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    let width = channels.next_multiple_of(4);
    let rows = data.len().checked_div(channels * plane).unwrap_or(0);
    let mut packed = vec![0.0; rows * plane * width];
    let rows =
        data.chunks_exact((channels * plane).max(1)).zip(packed.chunks_exact_mut((plane * width).max(1)));
    for (from, to) in rows {
        for (channel, values) in from.chunks_exact(plane).enumerate() {
            // Two iterators instead of indices, so that nothing is tested in the loop.
            let places = to[channel..].iter_mut().step_by(width);
            places.zip(values).for_each(|(place, value)| *place = *value);
        }
    }
    packed
}

/// The inverse of [`pack`]: adds rows to `data`, and says whether all of their values are finite.
#[must_use]
pub fn unpack(packed: &[f32], channels: usize, plane: usize, data: &mut Vec<f32>) -> bool {
    let width = channels.next_multiple_of(4);
    let rows = packed.len().checked_div(plane * width).unwrap_or(0);
    let before = data.len();
    data.resize(before + rows * channels * plane, 0.0);
    let rows = data[before..]
        .chunks_exact_mut((channels * plane).max(1))
        .zip(packed.chunks_exact((plane * width).max(1)));
    let mut finite = true;
    for (to, from) in rows {
        for (channel, values) in to.chunks_exact_mut(plane).enumerate() {
            let places = from[channel..].iter().step_by(width);
            values.iter_mut().zip(places).for_each(|(value, place)| *value = *place);
        }
        finite &= to.iter().fold(true, |all, v| all & v.is_finite());
    }
    finite
}

/// A size as a kernel sees it. Arenas have fewer than 2^32 vec4s, so nothing is cut off.
#[must_use]
pub fn as_u32(v: usize) -> u32 {
    u32::try_from(v).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let data: Vec<f32> = (0..2 * 5 * 6).map(|v| v as f32).collect();
        let mut packed = pack(&data, 5, 6);
        assert_eq!(packed.len(), 2 * 6 * 8);
        assert_eq!(packed[8..16], [1.0, 7.0, 13.0, 19.0, 25.0, 0.0, 0.0, 0.0]);
        let mut back = vec![7.0];
        assert!(unpack(&packed, 5, 6, &mut back));
        assert_eq!(back[1..], data);
        // Values in the padding do not matter; all others do.
        packed[5] = f32::NAN;
        assert!(unpack(&packed, 5, 6, &mut back));
        packed[4] = f32::INFINITY;
        assert!(!unpack(&packed, 5, 6, &mut back));
    }
}
