//! Whole pictures, compared without tolerance.

use super::*;
use crate::picture::test_files::{hash, noise};

fn row(values: &[f32]) -> Tensor {
    Tensor::new([1, values.len()], values.to_vec()).unwrap()
}

fn show(map: &Tensor, picture: &Picture, display: &Display) -> Rendered {
    render(map, picture, display).unwrap()
}

/// Grey colours, fully opaque: the bytes are the positions on the colour map.
fn plain(sign: Sign) -> Display {
    Display {
        colours: ColourMap::Grey,
        opacity: 1.0,
        sign,
        clip: 100.0,
        blend: Blend::Overlay,
        underlay: Underlay::Colour,
        interpolation: Upsampling::Nearest,
        ..Display::default()
    }
}

/// The red channel of each pixel.
fn reds(rendered: &Rendered) -> Vec<u8> {
    rendered.rgba.chunks_exact(4).map(|p| p[0]).collect()
}

#[test]
fn signs_choose_values() {
    let map = row(&[-4.0, -1.0, 0.0, 2.0]);
    let picture = Picture::plain(4, 1, [9; 3]);
    let cases = [
        (Sign::Both, [0, 96, 128, 191], -4.0, 4.0),
        (Sign::Positive, [0, 0, 0, 255], 0.0, 2.0),
        (Sign::Negative, [255, 64, 0, 0], -4.0, 0.0),
        (Sign::Absolute, [255, 64, 0, 128], 0.0, 4.0),
    ];
    for (sign, expected, low, high) in cases {
        let rendered = show(&map, &picture, &plain(sign));
        assert_eq!(reds(&rendered), expected, "{sign}");
        assert_eq!(rendered.scale, Scale { low, high, clipped_fraction: 0.0 });
        assert!(!rendered.all_zero && !rendered.all_negative && !rendered.all_positive);
        assert_eq!(rendered.notice, None);
    }
}

#[test]
fn an_overlay_mixes_by_opacity() {
    let picture = Picture::new(2, 1, vec![0, 100, 200, 255, 255, 255]).unwrap();
    let display = Display { opacity: 0.25, ..plain(Sign::Positive) };
    let rendered = show(&row(&[0.0, 1.0]), &picture, &display);
    assert_eq!(rendered.rgba, [0, 75, 150, 255, 255, 255, 255, 255]);
    let transparent = Display { opacity: 0.0, ..display };
    let rendered = show(&row(&[0.0, 1.0]), &picture, &transparent);
    assert_eq!(rendered.rgba, [0, 100, 200, 255, 255, 255, 255, 255]);
}

#[test]
fn alpha_by_magnitude_leaves_zero_untouched() {
    let picture = Picture::plain(3, 1, [10, 20, 30]);
    let display = Display {
        colours: ColourMap::BlueRed,
        blend: Blend::AlphaByMagnitude,
        underlay: Underlay::Colour,
        ..plain(Sign::Both)
    };
    let rendered = show(&row(&[-1.0, 0.0, 1.0]), &picture, &display);
    let (blue, red) = (ColourMap::BlueRed.at(0.0), ColourMap::BlueRed.at(1.0));
    assert_eq!(rendered.rgba[0..3], blue);
    assert_eq!(rendered.rgba[4..8], [10, 20, 30, 255]);
    assert_eq!(rendered.rgba[8..11], red);
}

#[test]
fn underlays() {
    let picture = Picture::plain(1, 1, [255, 0, 0]);
    let cases = [
        (Underlay::Colour, [255, 0, 0, 255]),
        (Underlay::Grey, [76, 76, 76, 255]),
        (Underlay::Pale, [195, 195, 195, 255]),
        (Underlay::Faint, [228, 228, 228, 255]),
    ];
    for (underlay, expected) in cases {
        let display = Display { opacity: 0.0, underlay, ..plain(Sign::Both) };
        assert_eq!(show(&row(&[1.0]), &picture, &display).rgba, expected);
    }
}

#[test]
fn small_maps_are_stretched() {
    let picture = Picture::plain(4, 2, [0; 3]);
    let map = row(&[0.0, 1.0]);
    assert_eq!(reds(&show(&map, &picture, &plain(Sign::Positive))), [0, 0, 255, 255, 0, 0, 255, 255]);
    let smooth = Display { interpolation: Upsampling::Bilinear, ..plain(Sign::Positive) };
    assert_eq!(reds(&show(&map, &picture, &smooth)), [0, 64, 191, 255, 0, 64, 191, 255]);
}

#[test]
fn outliers_are_clipped_and_counted() {
    let mut values = vec![1.0; 99];
    values.push(100.0);
    let map = row(&values);
    let picture = Picture::plain(100, 1, [0; 3]);
    let clipped = show(&map, &picture, &Display { clip: 90.0, ..plain(Sign::Positive) });
    assert_eq!(clipped.scale, Scale { low: 0.0, high: 1.0, clipped_fraction: 0.01 });
    assert_eq!(reds(&clipped), [255; 100]);
    assert_eq!(show(&map, &picture, &plain(Sign::Positive)).scale.high, 100.0);
}

#[test]
fn a_fixed_scale_locks() {
    let display = Display { scale: Some(4.0), ..plain(Sign::Both) };
    let rendered = show(&row(&[1.0, -8.0]), &Picture::plain(2, 1, [0; 3]), &display);
    assert_eq!(rendered.scale, Scale { low: -4.0, high: 4.0, clipped_fraction: 0.5 });
    assert_eq!(reds(&rendered), [159, 0]);
    assert_eq!(rendered.scale.magnitude(), 4.0);
}

#[test]
fn a_zero_map_says_so() {
    let picture = noise(3, 2);
    for sign in [Sign::Both, Sign::Positive, Sign::Negative, Sign::Absolute] {
        for blend in [Blend::Overlay, Blend::AlphaByMagnitude, Blend::Tutorial] {
            let rendered = show(&Tensor::zeros([2, 2]), &picture, &Display { blend, ..plain(sign) });
            assert!(rendered.all_zero && rendered.notice.is_some());
            assert_eq!(rendered.scale, Scale { low: 0.0, high: 0.0, clipped_fraction: 0.0 });
            assert_eq!(rendered.rgba.len(), 24);
        }
    }
    let display = Display { blend: Blend::AlphaByMagnitude, ..plain(Sign::Both) };
    let rendered = show(&Tensor::zeros([2, 2]), &picture, &display);
    assert!(rendered.rgba.chunks_exact(4).zip(picture.rgb.chunks_exact(3)).all(|(a, b)| a[..3] == *b));
}

#[test]
fn maps_of_one_sign_say_so() {
    let picture = Picture::plain(2, 1, [0; 3]);
    let (negative, positive) = (row(&[-1.0, 0.0]), row(&[1.0, 0.0]));
    let hidden = show(&negative, &picture, &plain(Sign::Positive));
    assert!(hidden.all_negative && !hidden.all_zero && !hidden.all_positive);
    assert!(hidden.notice.unwrap().contains("Show the negative"));
    let seen = show(&negative, &picture, &plain(Sign::Both));
    assert!(seen.all_negative && seen.notice.unwrap().contains("negative"));
    let hidden = show(&positive, &picture, &plain(Sign::Negative));
    assert!(hidden.all_positive && hidden.notice.unwrap().contains("Show the positive"));
    let seen = show(&positive, &picture, &plain(Sign::Positive));
    assert!(seen.all_positive && seen.notice.is_none());
}

#[test]
fn the_tutorials_overlay_to_the_byte() {
    // The steps of Keras's save_and_display_gradcam in numpy 2.4.6, matplotlib 3.11.2 and Pillow 13.0.0.
    let map = Tensor::new([2, 3], vec![0.0, 1.0, -2.0, 3.0, 0.5, 2.25]).unwrap();
    let rendered = show(&map, &noise(4, 3), &Display::tutorial());
    let expected = [
        [8, 37, 109],
        [109, 21, 110],
        [124, 128, 34],
        [95, 12, 92],
        [107, 138, 28],
        [174, 171, 94],
        [119, 111, 70],
        [23, 0, 46],
        [34, 110, 83],
        [50, 17, 178],
        [189, 23, 88],
        [255, 97, 75],
    ];
    let pixels: Vec<_> = rendered.rgba.chunks_exact(4).map(|p| [p[0], p[1], p[2]]).collect();
    assert_eq!(pixels, expected);
    let cells = noise(7, 7).rgb.chunks_exact(3).map(|p| f32::from(p[0]) / 8.0 - 10.0).collect();
    let map = Tensor::new([7, 7], cells).unwrap();
    let rendered = show(&map, &noise(56, 40), &Display::tutorial());
    assert_eq!(hash(&rendered.rgba), 0x8aea_b260_a4a0_52ed);
}

/// `shap.image_plot` from its definition: two classes, one scale, the 99.9th percentile of |sums over channels|.
#[test]
fn shap_values_are_shown_as_image_plot_does() {
    let draw = |seed: u32| -> Vec<f32> {
        (0..300_u32).map(|i| ((i * 7919 + seed * 104_729) % 2001) as f32 / 1000.0 - 1.0).collect()
    };
    let maps = [draw(1), draw(2)].map(|values| Tensor::new([3, 10, 10], values).unwrap());
    let picture = noise(20, 20);
    let sums = |map: &Tensor| -> Vec<f32> {
        (0..100).map(|i| map.data()[i] + map.data()[100 + i] + map.data()[200 + i]).collect()
    };
    let mut sizes: Vec<f32> = maps.iter().flat_map(sums).map(f32::abs).collect();
    sizes.sort_by(f32::total_cmp);
    // The 99.9th percentile of 200 values lies 0.801 of the way from the last but one to the last.
    let largest = sizes[198] + 0.801 * (sizes[199] - sizes[198]);
    let mut display = Display::image_plot();
    display.scale = shared_scale(&maps.iter().collect::<Vec<_>>(), &display).unwrap();
    assert!((display.scale.unwrap() - largest).abs() < 1e-5);
    for map in &maps {
        let shown = show(map, &picture, &display).rgba;
        for (i, value) in sums(map).into_iter().enumerate() {
            let at = i / 10 * 2 * 20 + i % 10 * 2;
            let [r, g, b] = [0, 1, 2].map(|c| f32::from(picture.rgb[3 * at + c]));
            let below = 0.15 * (0.2989 * r + 0.587 * g + 0.114 * b) + 0.85 * 255.0;
            let colour = if value < 0.0 { [30.0, 136.0, 229.0] } else { [255.0, 13.0, 87.0] };
            let alpha = (value.abs() / largest).min(1.0);
            for c in 0..3 {
                let expected = alpha * colour[c] + (1.0 - alpha) * below;
                assert!((f32::from(shown[4 * at + c]) - expected).abs() < 1.5, "{i} {c}");
            }
        }
    }
}

/// A display on which a map is a picture of its own.
fn portrait() -> Display {
    Display { blend: Blend::Picture, ..plain(Sign::Positive) }
}

#[test]
fn a_map_of_three_channels_is_the_tutorials_picture() {
    // x -= x.mean(); x /= x.std() + 1e-7; x *= 0.25; x += 0.5; (x.clip(0, 1) * 255).astype(uint8).
    let map = Tensor::new([3, 1, 2], vec![-1.0, 0.5, 2.0, 0.25, 40.0, -0.75]).unwrap();
    let rendered = show(&map, &noise(2, 1), &portrait());
    assert_eq!(rendered.rgba, [93, 106, 255, 255, 100, 99, 94, 255]);
    let (mean, deviation) = (41.0 / 6.0, 14.864_434);
    assert!((rendered.scale.low - (mean - 2.0 * deviation)).abs() < 1e-3, "{:?}", rendered.scale);
    assert!((rendered.scale.high - (mean + 2.0 * deviation)).abs() < 1e-3, "{:?}", rendered.scale);
    assert_eq!(rendered.scale.clipped_fraction, 1.0 / 6.0);
    let bar = legend(&portrait(), rendered.scale, 3, 1);
    assert_eq!(bar, [0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
}

#[test]
fn a_map_as_a_picture_mixes_shares_a_scale_and_stays_grey() {
    let below = Picture::plain(2, 1, [200, 100, 0]);
    let map = Tensor::new([3, 1, 2], vec![-1.0, 1.0, 1.0, -1.0, 1.0, -1.0]).unwrap();
    let half = show(&map, &below, &Display { opacity: 0.5, ..portrait() });
    assert_eq!(half.rgba, [132, 146, 96, 255, 196, 82, 32, 255]);
    let grey = show(&row(&[-1.0, 1.0]), &below, &portrait());
    assert_eq!(grey.rgba, [63, 63, 63, 255, 191, 191, 191, 255]);
    let scale = shared_scale(&[&map, &row(&[-3.0, 3.0])], &portrait()).unwrap();
    assert_eq!(scale, Some(2.0 * (24.0_f32 / 8.0).sqrt()));
    let locked = show(&map, &below, &Display { scale: Some(4.0), ..portrait() });
    assert_eq!((locked.scale.low, locked.scale.high), (-4.0, 4.0));
    let flat = show(&Tensor::zeros([3, 1, 2]), &below, &portrait());
    assert!(flat.all_zero && flat.notice.is_some());
    assert_eq!(flat.rgba[..3], [127; 3]);
}

#[test]
fn maps_that_cannot_be_shown_are_errors() {
    let picture = Picture::plain(2, 2, [0; 3]);
    let display = Display::default();
    let code = |map: Tensor| render(&map, &picture, &display).unwrap_err().code();
    assert_eq!(code(Tensor::zeros([4])), "argument");
    assert_eq!(code(Tensor::zeros([1, 1, 2, 2])), "argument");
    assert_eq!(code(Tensor::zeros([0, 2])), "argument");
    assert_eq!(code(Tensor::zeros([0, 2, 2])), "argument");
    assert_eq!(code(Tensor::full([2, 2], f32::NAN)), "not-finite");
    let map = Tensor::zeros([2, 2]);
    let wrong = Display { opacity: 2.0, ..display.clone() };
    assert_eq!(render(&map, &picture, &wrong).unwrap_err().code(), "argument");
    let broken = Picture { rgb: vec![0; 5], ..picture.clone() };
    assert_eq!(render(&map, &broken, &display).unwrap_err().code(), "argument");
}

#[test]
fn a_png_comes_back() {
    let rendered = show(&row(&[-1.0, 0.5, 1.0]), &noise(3, 2), &Display::default());
    let picture = Picture::decode(&write_png(&rendered).unwrap()).unwrap();
    assert_eq!((picture.width, picture.height), (3, 2));
    assert!(rendered.rgba.chunks_exact(4).zip(picture.rgb.chunks_exact(3)).all(|(a, b)| a[..3] == *b));
    let short = Rendered { rgba: vec![0; 4], ..rendered };
    assert_eq!(write_png(&short).unwrap_err().code(), "argument");
}

#[test]
fn the_summary_is_json_without_the_pixels() {
    let rendered = show(&row(&[1.0]), &Picture::plain(1, 1, [0; 3]), &plain(Sign::Positive));
    let json = serde_json::to_value(&rendered).unwrap();
    assert_eq!(json["scale"]["high"], 1.0);
    assert_eq!(json["all_positive"], true);
    assert!(json.get("rgba").is_none());
}
