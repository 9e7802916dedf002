//! Expected gradients against shap's GradientExplainer and Captum's GradientShap, with the same draws.

mod support;

use std::{collections::BTreeMap, sync::Arc};

use pellucid::{
    Result, Tensor,
    attribution::{
        Context, Map, Question, Settings, Silent,
        gradient::expected_gradients::{Draw, with_draws},
    },
    backend::fallback::{Choice, FallbackBackend},
    network::{Layer, Network},
    picture::Preprocessing,
};
use serde_json::Value;
use support::{bytes, fixture, json, npy, relative_l2};

const NETWORKS: &[&str] = &["lite", "resnet", "vgg", "densenet", "mobilenet_v3"];

/// Runs the fixtures' draws through the engine.
fn explain(network: &str, entry: &Value, targets: &[usize], choice: Choice, shift: f64) -> Result<Vec<Map>> {
    let folder = fixture("networks").join(network);
    let file = |key: &str| npy(&folder.join(entry["draws"][key].as_str().unwrap()));
    let read = Arc::new(Network::from_onnx(bytes(&folder.join("model.onnx"))).unwrap());
    let layers = &json(&folder.join("manifest.json"))["layers"];
    let layer: Option<Layer> =
        entry["layer"].as_str().map(|l| read.layer(layers[l]["node"].as_str().unwrap()).unwrap());
    let mut backend = pollster::block_on(FallbackBackend::open(read, choice)).unwrap();
    let (image, background, t) = (npy(&folder.join("input.npy")).at(0), file("background"), file("t"));
    let indices: Vec<i32> = {
        let raw = bytes(&folder.join(entry["draws"]["indices"].as_str().unwrap()));
        npyz::NpyFile::new(raw.as_slice()).unwrap().into_vec().unwrap()
    };
    let noise = entry["draws"]["noise"].as_str().map(|name| npy(&folder.join(name)));
    let settings = Settings::resolve(&[], &BTreeMap::new()).unwrap();
    let question = Question {
        layer,
        background: Some(background),
        ..Question::new(targets.to_vec(), settings, Preprocessing::default())
    };
    let mut observer = Silent;
    let mut context = Context::new(&question, &image, &mut backend, &mut observer);
    let draw = |i: usize, _| Draw {
        background: indices[i] as usize,
        t: f64::from(t.data()[i]) + shift,
        noise: noise.as_ref().map_or(vec![], |n| n.row(i).iter().map(|&v| v.into()).collect()),
    };
    pollster::block_on(with_draws(&mut context, indices.len(), &draw))
}

/// The entries of a network's manifest, with the targets.
fn entries(network: &str) -> (Vec<Value>, Vec<usize>) {
    let manifest = json(&fixture("networks").join(network).join("manifest.json"));
    let all = manifest["methods"].as_array().unwrap().iter();
    let own = all.filter(|e| e["method"] == "expected-gradients").cloned().collect();
    (own, support::extents(&manifest["targets"]))
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64
}

fn compare(choice: Choice, bound: f64) {
    let mut compared = 0;
    for network in NETWORKS {
        let (entries, targets) = entries(network);
        for entry in &entries {
            let file = entry["file"].as_str().unwrap();
            let want: Tensor = npy(&fixture("networks").join(network).join(file));
            // The middle of "resnet" lies inside a residual block: what goes past it is held at the image's values.
            let maps = explain(network, entry, &targets, choice, 0.0).unwrap();
            for (k, map) in maps.iter().enumerate() {
                let gap = if file.contains("standard-error") {
                    // The engine reports the mean over the elements.
                    let error = map.extras["standard_error"].as_f64().unwrap();
                    (error / mean(want.row(k)) - 1.0).abs()
                } else {
                    assert_eq!(map.values.shape(), &want.shape()[1..], "{network}/{file}");
                    relative_l2(map.values.data(), want.row(k))
                };
                assert!(gap <= bound, "{network}/{file} [{k}]: {gap:.2e}");
                compared += 1;
            }
        }
    }
    // At the input, its standard error, and at a layer: five networks, three classes.
    assert_eq!(compared, 5 * 3 * 3);
}

#[test]
fn equal_shap_and_captum_on_the_cpu() {
    compare(Choice::Cpu, 1e-4);
}

#[test]
fn equal_shap_and_captum_on_the_gpu() {
    compare(Choice::Gpu, 2e-4);
}

/// Canary: points a little further along the paths give other numbers.
#[test]
fn other_draws_are_found_out() {
    let (entries, targets) = entries("vgg");
    for entry in entries.iter().filter(|e| !e["file"].as_str().unwrap().contains("standard-error")) {
        let want = npy(&fixture("networks/vgg").join(entry["file"].as_str().unwrap()));
        let map = explain("vgg", entry, &targets, Choice::Cpu, 0.02).unwrap().remove(0);
        assert!(relative_l2(map.values.data(), want.row(0)) > 1e-3);
    }
}
