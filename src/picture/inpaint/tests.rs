use std::path::Path;

use super::*;

fn bytes(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/inpaint").join(file);
    let raw = std::fs::read(path).unwrap();
    npyz::NpyFile::new(&raw[..]).unwrap().into_vec::<u8>().unwrap()
}

fn distance(a: &[u8], b: &[u8]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

/// OpenCV's own answers, for a half, a rectangle, and all but a rectangle.
#[test]
fn fills_as_opencv_does() {
    let picture = Picture::new(64, 64, bytes("picture.npy")).unwrap();
    let masks = bytes("masks.npy");
    for (scheme, file) in [(Scheme::Telea, "telea.npy"), (Scheme::NavierStokes, "ns.npy")] {
        let want = bytes(file);
        let mut inpainter = Inpainter::new(picture.clone(), scheme);
        for (mask, want) in masks.chunks(64 * 64).zip(want.chunks(3 * 64 * 64)) {
            let hidden: Vec<bool> = mask.iter().map(|m| *m == 1).collect();
            let got = inpainter.fill(&hidden);
            let share = hidden.iter().filter(|h| **h).count() as f64 / hidden.len() as f64;
            let apart = distance(&got.rgb, want);
            println!("{scheme:?}: {apart:.4} over all, {:.4} over what was hidden", apart / share);
            // To the byte, but where a tie of rounding falls the other way.
            assert!(apart / share <= 0.01, "{scheme:?} {apart}");
            // Canary: the picture itself, and a filling that is a little off, are refused.
            assert!(distance(&picture.rgb, want) / share > 2.0);
        }
    }
}

#[test]
fn plain_pictures_stay_plain_and_wholes_stay() {
    let picture = Picture::plain(9, 7, [40, 90, 200]);
    let hidden: Vec<bool> = (0..63).map(|i| i % 9 > 2).collect();
    let off = |p: &Picture| p.rgb.iter().zip(&picture.rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    // Telea's scheme as OpenCV has it steps a whole grey level up or down where there is no slope to follow.
    for (scheme, most) in [(Scheme::Telea, 4), (Scheme::NavierStokes, 0)] {
        assert!(off(&Inpainter::new(picture.clone(), scheme).fill(&hidden)) <= most);
        assert_eq!(Inpainter::new(picture.clone(), scheme).fill(&[true; 63]), picture);
        assert_eq!(Inpainter::new(picture.clone(), scheme).fill(&[false; 63]), picture);
    }
}
