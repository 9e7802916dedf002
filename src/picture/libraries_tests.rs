//! Pictures as transformers, timm, torchvision and Keras prepare them; see `tests/reference/make_preprocessing.py`.

use serde_json::Value;

use super::{Interpolation, Preprocessing, Preset, config::Config, test_files::noise};

fn entries(key: &str) -> Vec<Value> {
    let all: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/fixtures/preprocessing.json")).unwrap();
    all.into_iter().filter(|entry| entry.get(key).is_some()).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Holds what `preprocessing` makes of the entry's picture against the library's values.
fn compare(entry: &Value, preprocessing: &Preprocessing) {
    let (picture, shape) = (numbers(&entry["picture"]), numbers(&entry["shape"]));
    let [height, width] = [shape[1] as usize, shape[2] as usize];
    let what = format!("{} {} {} {picture:?}", entry["config"], entry["preset"], entry["resize"]);
    let picture = noise(picture[0] as usize, picture[1] as usize);
    let input = preprocessing.normalise(&preprocessing.fit(&picture, height, width).unwrap(), 3).unwrap();
    // Pillow 13 resizes some pictures by columns first, so that a value may be rounded to the level beside it. In noise
    // a crop that is one pixel off differs by tens of levels.
    let level = |place: usize| 1.01 / f64::from(preprocessing.std[place / (height * width)]);
    let mean = input.data().iter().map(|&v| f64::from(v)).sum::<f64>() / input.len() as f64;
    let wanted = entry["mean"].as_f64().unwrap();
    assert!((mean - wanted).abs() < 0.05 * level(0), "{what}: {mean} for {wanted}");
    for (place, wanted) in numbers(&entry["places"]).into_iter().zip(numbers(&entry["values"])) {
        let got = f64::from(input.data()[place as usize]);
        assert!((got - wanted).abs() < level(place as usize), "{what}: {got} for {wanted}");
    }
}

#[test]
fn configurations_are_those_of_transformers_and_timm() {
    let entries = entries("config");
    assert_eq!(entries.len(), 42);
    for entry in entries {
        let Config { preprocessing, size } = Config::read(entry["config"].to_string().as_bytes()).unwrap();
        let shape = numbers(&entry["shape"]);
        assert_eq!(size, Some([shape[1] as usize, shape[2] as usize]), "{}", entry["config"]);
        compare(&entry, &preprocessing);
    }
}

#[test]
fn presets_are_those_of_torchvision_and_keras() {
    let entries = entries("preset");
    assert_eq!(entries.len(), 3 * Preset::ALL.len());
    for entry in entries {
        let preset: Preset = entry["preset"].as_str().unwrap().parse().unwrap();
        compare(&entry, &preset.preprocessing());
    }
}

#[test]
fn resizes_are_those_of_pillow_and_timm_in_every_interpolation() {
    let entries = entries("resize");
    assert_eq!(entries.len(), 3 * 3 * Interpolation::ALL.len());
    for entry in entries {
        let name = entry["interpolation"].as_str().unwrap().replace("lanczos", "lanczos3");
        let resize = entry["resize"].as_str().unwrap().parse().unwrap();
        let interpolation = name.parse().unwrap();
        // The values are pixels; the mean, whose colour surrounds what is padded, is added back.
        let preprocessing =
            Preprocessing { resize, interpolation, std: [1.0; 3], ..Preprocessing::default() };
        let mean = preprocessing.mean.map(f64::from);
        let mut centred = entry.clone();
        let area = 32 * 32;
        let places = numbers(&entry["places"]);
        let values =
            numbers(&entry["values"]).into_iter().zip(places).map(|(v, p)| v - mean[p as usize / area]);
        centred["values"] = values.collect();
        centred["mean"] = (entry["mean"].as_f64().unwrap() - mean.iter().sum::<f64>() / 3.0).into();
        compare(&centred, &preprocessing);
    }
}
