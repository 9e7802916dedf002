use super::super::{
    geometry::Side,
    test_files::{hash, noise},
};
use super::*;

#[test]
fn fits_as_torchvision_does() {
    // Pillow 13.0.0's resize, with the rounding of torchvision 0.27's Resize and CenterCrop, on noise.
    let cases: [(usize, usize, u32, usize, usize, Interpolation, u64); 6] = [
        (300, 200, 256, 224, 224, Interpolation::Bilinear, 0xfbf5_6613_b99d_ab62),
        (201, 333, 37, 32, 32, Interpolation::Bicubic, 0xb1d4_889e_5691_fc40),
        (100, 67, 35, 32, 32, Interpolation::Bicubic, 0xbc93_f06e_8be1_78fa),
        (40, 30, 16, 24, 20, Interpolation::Bilinear, 0xb2c5_3f1d_f1e8_ab4d),
        (1000, 2, 9, 8, 8, Interpolation::Lanczos3, 0x0abf_a6fd_cb79_51ed),
        (2, 1000, 9, 8, 8, Interpolation::Nearest, 0xa5ba_6425_82f3_29b5),
    ];
    for (width, height, resize, to_height, to_width, interpolation, expected) in cases {
        let how = Preprocessing {
            resize: Resize::Short(Side::Pixels(resize)),
            interpolation,
            ..Preprocessing::default()
        };
        let fitted = how.fit(&noise(width, height), to_height, to_width).unwrap();
        assert_eq!((fitted.width, fitted.height), (to_width, to_height));
        assert_eq!(hash(&fitted.rgb), expected, "{width} x {height}, {interpolation}");
    }
}

#[test]
fn the_default_is_a_crop_of_seven_eighths() {
    let picture = noise(320, 256);
    let fitted = Preprocessing::default().fit(&picture, 224, 224).unwrap();
    // The short side is 256 already, so only the crop is left.
    for (x, y) in [(0, 0), (223, 0), (7, 223), (100, 50)] {
        assert_eq!(fitted.pixel(x, y), picture.pixel(x + 48, y + 16));
    }
}

#[test]
fn extreme_pictures_fit() {
    let how = Preprocessing::default();
    let dot = how.fit(&Picture::plain(1, 1, [9, 8, 7]), 224, 224).unwrap();
    assert!(dot.rgb.chunks_exact(3).all(|p| p == [9, 8, 7]));
    let line = how.fit(&Picture::plain(16_384, 1, [1, 2, 3]), 224, 224).unwrap();
    assert!(line.rgb.chunks_exact(3).all(|p| p == [1, 2, 3]));
    let tall = how.fit(&Picture::plain(1, 16_384, [1, 2, 3]), 96, 224).unwrap();
    assert_eq!((tall.width, tall.height), (224, 96));
}

#[test]
fn sizes_are_checked() {
    let picture = noise(4, 4);
    let error = |resize: Option<u32>, height, width| {
        let resize = resize.map_or(Resize::default(), |side| Resize::Short(Side::Pixels(side)));
        let how = Preprocessing { resize, ..Preprocessing::default() };
        how.fit(&picture, height, width).unwrap_err().code()
    };
    assert_eq!(error(None, 0, 8), "argument");
    assert_eq!(error(Some(0), 8, 8), "argument");
    assert_eq!(error(Some(u32::MAX), 8, 8), "limit");
}

#[test]
fn normalises_and_back() {
    let how = Preprocessing::default();
    let picture = noise(7, 5);
    let input = how.normalise(&picture, 3).unwrap();
    assert_eq!(input.shape(), [3, 5, 7]);
    let expected = (f32::from(picture.pixel(3, 2)[1]) - 0.456 * 255.0) / (0.224 * 255.0);
    assert_eq!(input.data()[35 + 2 * 7 + 3], expected);
    assert_eq!(how.denormalise(&input).unwrap(), picture);
    let batch = input.reshape([1, 3, 5, 7]).unwrap();
    assert_eq!(how.denormalise(&batch).unwrap(), picture);
}

#[test]
fn one_channel_is_luma() {
    let how = Preprocessing { mean: [0.0; 3], std: [1.0; 3], ..Preprocessing::default() };
    let grey = how.normalise(&Picture::new(2, 1, vec![255, 0, 0, 0, 255, 0]).unwrap(), 1).unwrap();
    assert_eq!(grey, Tensor::new([1, 1, 2], vec![76.0, 150.0]).unwrap());
    assert_eq!(how.denormalise(&grey).unwrap().rgb, [76, 76, 76, 150, 150, 150]);
}

#[test]
fn useless_arguments_are_errors() {
    let how = Preprocessing::default();
    let picture = noise(2, 2);
    for channels in [0, 2, 5, usize::MAX] {
        assert_eq!(how.normalise(&picture, channels).unwrap_err().code(), "argument");
    }
    let zero = Preprocessing { std: [1.0, 0.0, 1.0], ..how.clone() };
    assert_eq!(zero.normalise(&picture, 3).unwrap_err().code(), "argument");
    assert_eq!(how.denormalise(&Tensor::zeros([4, 4])).unwrap_err().code(), "argument");
    assert_eq!(how.denormalise(&Tensor::full([3, 2, 2], f32::NAN)).unwrap_err().code(), "not-finite");
    let beyond = how.denormalise(&Tensor::full([3, 1, 1], 1e9)).unwrap();
    assert_eq!(beyond.rgb, [255; 3]);
}

#[test]
fn channels_are_put_in_order_and_back() {
    let how =
        Preprocessing { mean: [10.0, 20.0, 30.0], std: [1.0; 3], channels: Channels::Bgr, ..<_>::default() };
    let picture = Picture::new(1, 1, vec![200, 100, 50]).unwrap();
    let input = how.normalise(&picture, 3).unwrap();
    assert_eq!(input.data(), [40.0, 80.0, 170.0], "blue, green, red, each less its own mean");
    assert_eq!(how.denormalise(&input).unwrap(), picture);
}

#[test]
fn a_fourth_channel_is_opacity() {
    let picture = Picture::new(1, 1, vec![200, 100, 50]).unwrap();
    let alike = Preprocessing { mean: [127.5; 3], std: [127.5; 3], ..<_>::default() };
    let input = alike.normalise(&picture, 4).unwrap();
    assert_eq!((input.shape(), input.data()[3]), (&[4, 1, 1][..], 1.0));
    assert_eq!(alike.denormalise(&input).unwrap(), picture);
    assert_eq!(Preprocessing::default().normalise(&picture, 4).unwrap().data()[3], 1.0, "0 to 1");
    let many = alike.denormalise(&Tensor::zeros([7, 1, 1])).unwrap();
    assert_eq!(many.rgb, [128; 3], "the first of them, in grey");
}

/// Pillow leaves what is squashed without a crop as it resized it, and what is padded in the middle of the mean's colour.
#[test]
fn pictures_are_squashed_and_padded() {
    let picture = noise(40, 20);
    let squash = Preprocessing {
        resize: "squash".parse().unwrap(),
        interpolation: Interpolation::Nearest,
        ..<_>::default()
    };
    assert_eq!(squash.fit(&picture, 8, 8).unwrap(), picture.resize(8, 8, Interpolation::Nearest).unwrap());
    let pad = Preprocessing { resize: "pad".parse().unwrap(), ..<_>::default() };
    let padded = pad.fit(&picture, 8, 8).unwrap();
    let inner = picture.resize(8, 4, Interpolation::Bilinear).unwrap();
    assert_eq!((padded.pixel(0, 0), padded.pixel(7, 7)), ([124, 116, 104], [124, 116, 104]));
    for (x, y) in [(0, 0), (7, 3), (3, 1)] {
        assert_eq!(padded.pixel(x, y + 2), inner.pixel(x, y));
    }
}
