use super::*;
use crate::{attribution::Map, render::Display, tensor::Tensor};

const SIDES: [usize; 2] = [9, 11];
const WEIGHTS: [f64; 9] = [0.5, -0.3, 0.2, 0.0, -0.6, 0.1, 0.05, -0.05, 0.3];

fn segments() -> Segmentation {
    let label = |i: usize| (i / SIDES[1] / 3 * 3 + i % SIDES[1] / 4) as i64;
    let labels: Vec<i64> = (0..SIDES[0] * SIDES[1]).map(label).collect();
    Segmentation::new(SIDES[0], SIDES[1], &labels).unwrap()
}

fn picture(times: usize) -> Picture {
    let (height, width) = (SIDES[0] * times, SIDES[1] * times);
    let pixel = |i: usize| {
        let (y, x) = (i / width / times, i % width / times);
        (0..3).map(move |c| ((x * 37 + y * 11 + c * 53) % 200) as u8)
    };
    Picture { width, height, rgb: (0..width * height).flat_map(pixel).collect(), rgba: None }
}

fn drawn(features: Features, sign: Sign, times: usize) -> Vec<u8> {
    let rgba = features.draw(&segments(), &WEIGHTS, sign, &picture(times));
    rgba.chunks_exact(4).flat_map(|p| p[..3].to_vec()).collect()
}

/// The Fowler-Noll-Vo hash (1a) of bytes.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// Hashes of what lime 0.2.0.1 and scikit-image 0.26.0 made of the same picture, segments and weights: the hash of
/// `get_image_and_mask`'s image, and of `mark_boundaries` over it with the mask as int32.
#[test]
fn equals_lime_and_scikit_image() {
    let cases = [
        (Sign::Positive, 2, false, 0.0, 0xd2f2_6efd_400d_4459, 0x4eb0_0d22_1000_656b),
        (Sign::Positive, 5, true, 0.1, 0xb21f_44aa_88b1_1309, 0xc976_7c58_d582_73a7),
        (Sign::Negative, 5, false, 0.05, 0xd2f2_6efd_400d_4459, 0xc007_b0d0_505e_5367),
        (Sign::Both, 4, false, 0.3, 0xf4f6_4541_6292_14cd, 0x0d20_7629_0606_6579),
        (Sign::Both, 9, true, 0.0, 0x608a_da66_609f_72b0, 0x9854_e413_d151_b282),
    ];
    for (sign, count, hide_rest, min_weight, plain, marked) in cases {
        let features = Features { count, min_weight, hide_rest, boundaries: false };
        assert_eq!(hash(&drawn(features, sign, 1)), plain, "{features:?}");
        let features = Features { boundaries: true, ..features };
        assert_eq!(hash(&drawn(features, sign, 1)), marked, "{features:?}");
    }
}

/// scikit-image's boundaries of a mask of both signs, row by row.
#[test]
fn boundaries_are_outside_but_between_two_objects_on_both_sides() {
    let chosen = Features { count: 4, min_weight: 0.3, ..Features::default() }.chosen(&WEIGHTS, Sign::Both);
    assert_eq!(chosen, [1, -1, 0, 0, -1, 0, 0, 0, 1]);
    let map = segments();
    let mask: Vec<i8> = map.labels().iter().map(|&l| chosen[l as usize]).collect();
    let lines = boundaries(&mask, map.width());
    let rows: Vec<String> =
        lines.chunks(11).map(|row| row.iter().map(|&b| if b { '#' } else { '.' }).collect()).collect();
    assert_eq!(
        rows.join(" "),
        "...##..##.. ...##..##.. ...##..##.. #####..##.. ...##..##.. ...######## ....#####.. .......#... .......#..."
    );
}

#[test]
fn larger_pictures_show_the_same_segments() {
    let features = Features { hide_rest: true, boundaries: false, ..Features::default() };
    let (small, large) = (drawn(features, Sign::Positive, 1), drawn(features, Sign::Positive, 3));
    for y in 0..27 {
        for x in 0..33 {
            let (at, from) = ((y * 33 + x) * 3, (y / 3 * 11 + x / 3) * 3);
            assert_eq!(large[at..at + 3], small[from..from + 3]);
        }
    }
    let lined = drawn(Features { boundaries: true, ..features }, Sign::Positive, 3);
    let yellow = lined.chunks(3).filter(|p| *p == BOUNDARY).count();
    assert!(yellow > 100, "lines of two pixels, not {yellow} pixels");
}

#[test]
fn only_maps_of_segments_are_drawn_so() {
    let display = Display { features: Some(Features::default()), ..Display::default() };
    let mut map = Map::new(0, Tensor::full([9, 11], 0.5), "probability");
    let picture = picture(1);
    let plain = crate::render::render(&map.values, &picture, &display).unwrap();
    assert_eq!(crate::render::render_map(&map, &picture, &display).unwrap(), plain);
    map.segments = Some(std::sync::Arc::new(segments()));
    map.extras.insert("weights", WEIGHTS.to_vec().into());
    let shown = crate::render::render_map(&map, &picture, &display).unwrap();
    assert_eq!(shown.rgba.len(), plain.rgba.len());
    assert_ne!(shown.rgba, plain.rgba);
    assert_eq!(shown.scale, plain.scale);
}
