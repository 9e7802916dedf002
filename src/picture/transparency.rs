//! Transparent pictures, for networks of four channels.
//!
//! Other networks see a picture over white. What is fully transparent has no colour to give to its neighbours, so a resize
//! weighs colours by their opacity: the bytes of Pillow's `Image.resize` of an RGBA image.

use super::Picture;

/// Resizes red, green, blue and opacity; `resize` does so with three channels. Where it copies pixels as they are, the
/// colours are not `weighed`.
pub(super) fn resize(rgba: &[u8], weighed: bool, resize: impl Fn(Vec<u8>) -> Picture) -> Vec<u8> {
    let pixels = || rgba.chunks_exact(4);
    let colours = pixels().flat_map(|p| [0, 1, 2].map(|c| if weighed { times(p[c], p[3]) } else { p[c] }));
    let colours = resize(colours.collect()).rgb;
    let opacity = resize(pixels().flat_map(|p| [p[3]; 3]).collect()).rgb;
    let both = colours.chunks_exact(3).zip(opacity.chunks_exact(3));
    both.flat_map(|(p, o)| {
        let [r, g, b] = [0, 1, 2].map(|c| if weighed { over(p[c], o[0]) } else { p[c] });
        [r, g, b, o[0]]
    })
    .collect()
}

/// The colour times the opacity, rounded: Pillow's `MULDIV255`.
fn times(colour: u8, opacity: u8) -> u8 {
    let product = u32::from(colour) * u32::from(opacity) + 128;
    (((product >> 8) + product) >> 8) as u8
}

/// The colour that [`times`] was taken of, rounded down as in Pillow.
fn over(colour: u8, opacity: u8) -> u8 {
    if opacity == 0 { colour } else { (255 * u32::from(colour) / u32::from(opacity)).min(255) as u8 }
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, RgbaImage};

    use super::super::geometry::{Resize, Side};
    use super::super::{
        Interpolation, Preprocessing,
        test_files::{encode, noise},
    };
    use super::*;

    /// A picture of 5 x 4 pixels, some of them transparent.
    fn transparent() -> Picture {
        let bytes = noise(5, 8).rgb;
        let mut rgba = bytes[..80].to_vec();
        rgba[3] = 0;
        rgba[23] = 255;
        Picture::decode(&encode(RgbaImage::from_raw(5, 4, rgba).unwrap(), ImageFormat::Png)).unwrap()
    }

    /// Of Pillow 13.0.0: `Image.fromarray(rgba.reshape(4, 5, 4), "RGBA").resize((3, 2), resample)`.
    #[test]
    fn resizes_are_pillows() {
        let cases: [(Interpolation, [u8; 24]); 4] = [
            (
                Interpolation::Bilinear,
                [
                    56, 78, 82, 117, 65, 182, 114, 98, 145, 200, 140, 153, 170, 123, 47, 97, 187, 202, 139,
                    53, 122, 132, 197, 102,
                ],
            ),
            (
                Interpolation::Bicubic,
                [
                    47, 71, 84, 118, 55, 184, 113, 101, 148, 204, 135, 158, 183, 127, 42, 96, 219, 225, 148,
                    43, 118, 123, 206, 99,
                ],
            ),
            (
                Interpolation::Lanczos3,
                [
                    48, 65, 90, 116, 48, 191, 112, 100, 151, 207, 128, 157, 178, 119, 38, 100, 247, 255, 172,
                    34, 116, 126, 204, 101,
                ],
            ),
            (
                Interpolation::Nearest,
                [
                    55, 26, 18, 255, 67, 192, 238, 45, 119, 254, 224, 182, 207, 104, 37, 156, 255, 205, 116,
                    100, 106, 37, 230, 191,
                ],
            ),
        ];
        for (interpolation, expected) in cases {
            let small = transparent().resize(3, 2, interpolation).unwrap();
            assert_eq!(small.rgba.as_deref(), Some(&expected[..]), "{interpolation:?}");
        }
    }

    #[test]
    fn only_networks_of_four_channels_see_it() {
        let picture = transparent();
        let how = Preprocessing {
            mean: [0.0; 3],
            std: [1.0; 3],
            resize: Resize::Squash(Side::Crop(1.0)),
            ..<_>::default()
        };
        let seen = how.fit(&picture, 4, 5).unwrap();
        let input = how.normalise(&seen, 4).unwrap();
        let stored = picture.rgba.as_ref().unwrap();
        for (i, &value) in input.data().iter().enumerate() {
            assert_eq!(value, f32::from(stored[4 * (i % 20) + i / 20]));
        }
        let white = how.normalise(&seen, 3).unwrap();
        assert_eq!([0, 20, 40].map(|i| white.data()[i]), [255.0; 3], "the first pixel is transparent");
    }

    #[test]
    fn what_is_around_a_picture_is_opaque() {
        let how = Preprocessing { resize: Resize::Pad(Side::Crop(1.0)), ..<_>::default() };
        let seen = how.fit(&transparent(), 5, 5).unwrap();
        let rgba = seen.rgba.unwrap();
        assert_eq!(rgba.len(), 100);
        assert_eq!(rgba[96..], [124, 116, 104, 255]);
    }
}
