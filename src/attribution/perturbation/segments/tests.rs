use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::*;

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)).unwrap()
}

fn picture() -> Picture {
    let bytes = fixture("quantized/cat_crop.npy");
    let rgb = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<u8>().unwrap();
    Picture::new(224, 224, rgb).unwrap()
}

fn labels(file: &str) -> Vec<u32> {
    let bytes = fixture(&format!("segments/{file}"));
    let raw = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<u16>().unwrap();
    raw.into_iter().map(u32::from).collect()
}

fn settings(pairs: &[(&str, Value)]) -> Settings {
    let given: BTreeMap<String, Value> = pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
    Settings::resolve(PARAMETERS, &given).unwrap()
}

/// How many pixels each pair of segments shares.
fn contingency(a: &[u32], b: &[u32]) -> BTreeMap<(u32, u32), f64> {
    let mut shared = BTreeMap::new();
    a.iter().zip(b).for_each(|(&a, &b)| *shared.entry((a, b)).or_insert(0.0) += 1.0);
    shared
}

/// The share of pixels that lie where the partitions agree, each segment of one paired with at most one of the
/// other, largest overlaps first.
fn agreement(a: &[u32], b: &[u32]) -> f64 {
    let mut pairs: Vec<_> = contingency(a, b).into_iter().collect();
    pairs.sort_by(|x, y| y.1.total_cmp(&x.1));
    let (mut lefts, mut rights, mut agreed) = (vec![], vec![], 0.0);
    for ((l, r), n) in pairs {
        if !lefts.contains(&l) && !rights.contains(&r) {
            lefts.push(l);
            rights.push(r);
            agreed += n;
        }
    }
    agreed / a.len() as f64
}

/// Hubert and Arabie's adjusted Rand index.
fn adjusted_rand(a: &[u32], b: &[u32]) -> f64 {
    let pairs = |n: f64| n * (n - 1.0) / 2.0;
    let sizes = |labels: &[u32]| {
        let mut sizes = BTreeMap::new();
        labels.iter().for_each(|&l| *sizes.entry(l).or_insert(0.0) += 1.0);
        sizes.into_values().map(pairs).sum::<f64>()
    };
    let together: f64 = contingency(a, b).into_values().map(pairs).sum();
    let (left, right) = (sizes(a), sizes(b));
    let chance = left * right / pairs(a.len() as f64);
    (together - chance) / ((left + right) / 2.0 - chance)
}

#[test]
fn quickshift_is_scikit_image_s() {
    let got = cut(&picture(), &settings(&[])).unwrap();
    let want = labels("quickshift.npy");
    let agreed = agreement(got.labels(), &want);
    println!("quickshift: {agreed:.5} of pixels, {} segments", got.count());
    assert!(agreed >= 0.95, "{agreed}");
}

#[test]
fn slic_is_scikit_image_s() {
    let got = cut(&picture(), &settings(&[("algorithm", "slic".into())])).unwrap();
    let want = labels("slic.npy");
    let index = adjusted_rand(got.labels(), &want);
    println!("slic: {index:.5}, {:.5} of pixels, {} segments", agreement(got.labels(), &want), got.count());
    assert!(index >= 0.9, "{index}");
}

#[test]
fn felzenszwalb_is_scikit_image_s() {
    let got = cut(&picture(), &settings(&[("algorithm", "felzenszwalb".into())])).unwrap();
    let want = labels("felzenszwalb.npy");
    let index = adjusted_rand(got.labels(), &want);
    println!(
        "felzenszwalb: {index:.5}, {:.5} of pixels, {} segments",
        agreement(got.labels(), &want),
        got.count()
    );
    assert!(index >= 0.9, "{index}");
}

/// Canary: other parameters make segments that the bounds above refuse.
#[test]
fn the_bounds_can_fail() {
    let other = cut(&picture(), &settings(&[("kernel_size", 6.into())])).unwrap();
    assert!(agreement(other.labels(), &labels("quickshift.npy")) < 0.95);
    let other =
        cut(&picture(), &settings(&[("algorithm", "slic".into()), ("compactness", 100.into())])).unwrap();
    assert!(adjusted_rand(other.labels(), &labels("slic.npy")) < 0.9);
}

#[test]
fn grids_are_even() {
    for (height, width, wanted) in [(224, 224, 50), (10, 200, 7), (200, 10, 7), (3, 2, 100), (5, 5, 1)] {
        let map = grid(height, width, wanted);
        let sizes = map.sizes();
        assert!(map.count() <= height * width && *sizes.iter().min().unwrap() > 0);
        assert!(wanted > height * width || map.count().abs_diff(wanted) <= 1 + wanted / 5, "{}", map.count());
    }
}

/// No algorithm stumbles over tiny or plain pictures.
#[test]
fn small_and_plain_pictures_are_cut_too() {
    for (width, height) in [(1, 1), (1, 9), (7, 1), (3, 3), (40, 2)] {
        for algorithm in ["quickshift", "slic", "felzenszwalb", "grid"] {
            let plain = Picture::plain(width, height, [90, 90, 90]);
            let map = cut(&plain, &settings(&[("algorithm", algorithm.into())])).unwrap();
            assert_eq!(map.labels().len(), width * height, "{algorithm} {width} x {height}");
        }
    }
}
