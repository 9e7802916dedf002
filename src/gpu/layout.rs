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
            for (pixel, value) in values.iter().enumerate() {
                to[pixel * width + channel] = *value;
            }
        }
    }
    packed
}

/// The inverse of [`pack`], for `rows` rows.
#[must_use]
pub fn unpack(packed: &[f32], rows: usize, channels: usize, plane: usize) -> Vec<f32> {
    let width = channels.next_multiple_of(4);
    let mut data = vec![0.0; rows * channels * plane];
    let rows =
        data.chunks_exact_mut((channels * plane).max(1)).zip(packed.chunks_exact((plane * width).max(1)));
    for (to, from) in rows {
        for (channel, values) in to.chunks_exact_mut(plane).enumerate() {
            for (pixel, value) in values.iter_mut().enumerate() {
                *value = from[pixel * width + channel];
            }
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let data: Vec<f32> = (0..2 * 5 * 6).map(|v| v as f32).collect();
        let packed = pack(&data, 5, 6);
        assert_eq!(packed.len(), 2 * 6 * 8);
        assert_eq!(packed[8..16], [1.0, 7.0, 13.0, 19.0, 25.0, 0.0, 0.0, 0.0]);
        assert_eq!(unpack(&packed, 2, 5, 6), data);
    }
}
