//! Every number here is Pillow 13.0.0's, for the noise of `test_files::noise`.

use super::super::test_files::{hash, noise};
use super::*;

#[test]
fn shrinks_as_pillow_does() {
    let picture = noise(5, 4);
    let cases: [(Interpolation, [u8; 18]); 4] = [
        (
            Interpolation::Bicubic,
            [179, 112, 94, 129, 97, 84, 109, 141, 141, 174, 128, 79, 117, 197, 143, 90, 104, 142],
        ),
        (
            Interpolation::Bilinear,
            [176, 114, 95, 129, 107, 89, 111, 137, 139, 173, 127, 83, 114, 185, 135, 94, 107, 140],
        ),
        (
            Interpolation::Nearest,
            [251, 220, 83, 26, 18, 81, 97, 67, 192, 41, 126, 44, 4, 243, 59, 11, 88, 33],
        ),
        (
            Interpolation::Lanczos3,
            [186, 107, 94, 130, 94, 86, 107, 147, 147, 175, 131, 76, 118, 203, 149, 86, 101, 145],
        ),
    ];
    for (interpolation, expected) in cases {
        assert_eq!(picture.resize(3, 2, interpolation).unwrap().rgb, expected, "{interpolation}");
    }
}

/// Width and height before and after, and the hash for each of `Interpolation::ALL`.
type Case = (usize, usize, usize, usize, [u64; 4]);

#[test]
fn equals_pillow_at_many_sizes() {
    #[rustfmt::skip]
    let cases: [Case; 7] = [
        (5, 4, 3, 2, [0xc6fd_c936_767e_4622, 0x7a04_975d_9a59_6737, 0xec8a_ff18_3e07_29df, 0x6476_8b1b_99f3_e3d7]),
        (37, 23, 16, 11, [0xb264_098d_fb4b_e1f8, 0xd3fe_851f_20ab_18f9, 0x43eb_274b_6cd0_29ba, 0x0b35_d74f_6679_0b79]),
        (37, 23, 64, 101, [0x6dce_f80a_cfcf_8f41, 0xcd68_41e2_b760_5790, 0xfcc1_25f8_2d69_73b3, 0x5ac3_f2ee_6cc1_19d7]),
        (640, 3, 7, 5, [0x64fb_0625_8f2f_77da, 0xafcc_bd8b_7ee5_c136, 0x812c_aedb_c759_8636, 0xcfb6_ef63_f712_d7a2]),
        (1, 1, 4, 3, [0xd652_503c_a8de_c4a9; 4]),
        (200, 150, 224, 224, [0xf1e5_9aa4_eb40_e70c, 0x7415_fe63_4471_72de, 0xf3f1_2980_6715_488d, 0x1bc7_7957_5d4f_0a88]),
        (333, 500, 170, 256, [0x5658_c887_7037_04f2, 0xaace_c9a0_990b_2b89, 0x2f86_c029_c78b_60a0, 0xa67b_1c02_610d_d1e1]),
    ];
    for (width, height, to_width, to_height, expected) in cases {
        let picture = noise(width, height);
        for (interpolation, expected) in Interpolation::ALL.into_iter().zip(expected) {
            let resized = picture.resize(to_width, to_height, interpolation).unwrap();
            assert_eq!(
                hash(&resized.rgb),
                expected,
                "{width}x{height} to {to_width}x{to_height}, {interpolation}"
            );
        }
    }
}

#[test]
fn a_window_is_the_part_of_the_whole() {
    let picture = noise(31, 17);
    for interpolation in Interpolation::ALL {
        let whole = picture.resize(40, 9, interpolation).unwrap();
        let part = resize_window(&picture, (40, 13..19), (9, 2..7), interpolation);
        for y in 0..part.height {
            for x in 0..part.width {
                assert_eq!(part.pixel(x, y), whole.pixel(13 + x, 2 + y));
            }
        }
    }
}

#[test]
fn the_same_size_changes_nothing() {
    let picture = noise(19, 8);
    for interpolation in Interpolation::ALL {
        assert_eq!(picture.resize(19, 8, interpolation).unwrap(), picture);
    }
    assert_eq!(picture.resize(0, 8, Interpolation::Bicubic).unwrap_err().code(), "argument");
}

#[test]
fn names_are_read_and_written() {
    for interpolation in Interpolation::ALL {
        assert_eq!(interpolation.to_string().parse::<Interpolation>().unwrap(), interpolation);
    }
    assert_eq!(Interpolation::Lanczos3.to_string(), "lanczos3");
    let error = "cubic".parse::<Interpolation>().unwrap_err();
    assert_eq!(error.code(), "argument");
    assert!(error.to_string().contains("bicubic"), "{error}");
}
