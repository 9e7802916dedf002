use super::*;

fn mixed(image: &Tensor, fill: &Tensor, masks: Masks) -> Vec<f32> {
    let masked = Masked { image, fill, masks: &masks };
    masked.check().unwrap();
    assert_eq!(masked.written().unwrap().row(0), masked.mixed(0));
    masked.mixed(masks.len() - 1)
}

fn pair() -> (Tensor, Tensor) {
    let image = Tensor::new([2, 2, 3], (1..=12u8).map(f32::from).collect()).unwrap();
    (image, Tensor::zeros([2, 2, 3]))
}

#[test]
fn segments_show_and_hide_in_every_channel() {
    let (image, fill) = pair();
    let map = Arc::new(Segmentation::new(2, 3, &[0, 0, 1, 2, 1, 1]).unwrap());
    let mut rows = BitRows::new(3);
    rows.push([true, true, true]);
    rows.push([false, true, false]);
    let got = mixed(&image, &fill, Masks::Segments(map, rows));
    assert_eq!(got, [0.0, 0.0, 3.0, 0.0, 5.0, 6.0, 0.0, 0.0, 9.0, 0.0, 11.0, 12.0]);
}

#[test]
fn elements_are_one_bit_each() {
    let (image, fill) = pair();
    let mut rows = BitRows::new(12);
    rows.push((0..12).map(|i| i % 5 == 0));
    let got = mixed(&image, &fill, Masks::Elements(rows));
    assert_eq!(got, [1.0, 0.0, 0.0, 0.0, 0.0, 6.0, 0.0, 0.0, 0.0, 0.0, 11.0, 0.0]);
}

/// The enlarged grid's weights by the definition of bilinear interpolation, pixel by pixel.
#[test]
fn grids_are_enlarged_bilinearly_and_shifted() {
    let grids = Grids {
        cells: [2, 3],
        enlarged: [9, 12],
        values: vec![0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
        shifts: vec![[2, 1]],
    };
    let weights = grids.weights(0, 6, 11);
    for y in 0..6 {
        for x in 0..11 {
            let mut expected = 0.0;
            for (r, row) in grids.values.chunks(3).enumerate() {
                for (c, v) in row.iter().enumerate() {
                    let place = |p: usize, n: usize, size: usize| {
                        ((p as f64 + 0.5) * n as f64 / size as f64 - 0.5).clamp(0.0, n as f64 - 1.0)
                    };
                    let tent = |a: f64, b: usize| (1.0 - (a - b as f64).abs()).max(0.0);
                    expected += f64::from(*v) * tent(place(y + 2, 2, 9), r) * tent(place(x + 1, 3, 12), c);
                }
            }
            assert!((f64::from(weights[y * 11 + x]) - expected).abs() < 1e-6);
        }
    }
    let image = Tensor::full([1, 6, 11], 3.0);
    let got = mixed(&image, &Tensor::full([1, 6, 11], 1.0), Masks::Grids(grids));
    assert!(got.iter().zip(&weights).all(|(g, w)| (g - (1.0 + 2.0 * w)).abs() < 1e-6));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (image, fill) = pair();
    let map = Arc::new(Segmentation::new(3, 2, &[0; 6]).unwrap());
    let mut rows = BitRows::new(1);
    rows.push([true]);
    let grids = Grids { cells: [1, 1], enlarged: [2, 3], values: vec![1.0], shifts: vec![[0, 1]] };
    for masks in [Masks::Segments(map, rows.clone()), Masks::Elements(rows), Masks::Grids(grids)] {
        let error = Masked { image: &image, fill: &fill, masks: &masks }.written().unwrap_err();
        assert_eq!(error.code(), "argument");
    }
}

#[test]
fn label_maps_are_checked() {
    for (labels, hint) in
        [(&[0, 1][..], "one a pixel"), (&[0, 1, -1, 1], "negative"), (&[0, 2, 2, 0], "segment 1 of 3")]
    {
        let error = Segmentation::new(2, 2, labels).unwrap_err();
        assert!(error.to_string().contains(hint), "{error}");
    }
    let map = Segmentation::renumbered(2, 2, &[7, 3, 7, 90]);
    assert_eq!((map.labels(), map.count()), (&[1, 0, 1, 2][..], 3));
    assert_eq!(map.sizes(), [1, 2, 1]);
}

/// The same bits as one by one, wherever runs begin and end.
#[test]
fn runs_are_set_whole() {
    for (bits, runs) in [
        (100, vec![(0, 100)]),
        (64, vec![(0, 32), (32, 32)]),
        (70, vec![(3, 0), (5, 1), (30, 5), (69, 1)]),
        (200, vec![(10, 150), (0, 20), (199, 1)]),
        (33, vec![(31, 2)]),
        (40, vec![]),
    ] {
        let (mut whole, mut single) = (BitRows::new(bits), BitRows::new(bits));
        whole.push_runs(&runs);
        whole.push_runs(&runs);
        let set = |i: usize| runs.iter().any(|&(from, n)| (from..from + n).contains(&i));
        single.push((0..bits).map(set));
        single.push((0..bits).map(set));
        assert_eq!(whole, single);
    }
}

#[test]
fn bits_keep_their_rows() {
    let mut rows = BitRows::new(40);
    for r in 0..3 {
        rows.push((0..40).map(|i| (i + r) % 3 == 0));
    }
    assert_eq!(rows.words(1).len(), 2);
    assert!(rows.row(2).enumerate().all(|(i, b)| b == ((i + 2) % 3 == 0)));
    assert_eq!(rows.slice(1..3).words(1), rows.words(2));
}
