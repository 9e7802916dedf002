//! Every method against the library that defines it: Captum, shap, pytorch-grad-cam, on float networks with
//! seeded weights and on a quantized one. `tests/reference` makes the fixtures; their manifests say how.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use pellucid::{
    Tensor,
    attribution::{Silent, method},
    backend::{Backend, Images, cpu::CpuBackend, fallback::Choice},
    network::{Network, Program},
    session::{Options, Request, Session},
};
use serde_json::Value;

const NETWORKS: &[&str] = &["lite", "resnet", "vgg", "densenet", "mobilenet_v3"];

/// Relative L2, by backend.
fn bound(choice: Choice) -> f64 {
    if choice == Choice::Cpu { 1e-4 } else { 2e-4 }
}

/// The bound of an entry: at least four times what float32 arithmetic does to the reference itself, as the manifest
/// says. That counts for Grad-CAM++ only, which divides by what may be near to zero.
fn bound_of(entry: &Value, choice: Choice) -> f64 {
    bound(choice).max(4.0 * entry["float32_relative_l2"].as_f64().unwrap())
}

/// A folder of fixtures with its manifest.
struct Fixtures {
    folder: PathBuf,
    manifest: Value,
}

impl Fixtures {
    fn open(folder: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
        let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
        Self { folder, manifest: serde_json::from_str(&manifest).unwrap() }
    }

    fn array(&self, file: &str) -> Tensor {
        let bytes = fs::read(self.folder.join(file)).unwrap();
        let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
        let shape: Vec<usize> = npy.shape().iter().map(|&d| d as usize).collect();
        Tensor::new(shape, npy.into_vec::<f32>().unwrap()).unwrap()
    }

    fn session(&self, choice: Choice) -> Session {
        let model = fs::read(self.folder.join("model.onnx")).unwrap();
        let options = Options { backend: choice, ..Options::default() };
        pollster::block_on(Session::open(&model, options)).unwrap()
    }

    fn targets(&self) -> Vec<usize> {
        let all = self.manifest["targets"].as_array().unwrap();
        all.iter().map(|t| t.as_u64().unwrap() as usize).collect()
    }

    /// A layer's activation of the input, summed over its channels.
    fn activity(&self, layer: &str) -> Vec<f64> {
        let model = fs::read(self.folder.join("model.onnx")).unwrap();
        let network = Arc::new(Network::from_onnx(&model).unwrap());
        let program = Program::Forward { layer: Some(network.layer(layer).unwrap().value) };
        let input = self.array("input.npy");
        let mut backend = CpuBackend::new(network).unwrap();
        let made = pollster::block_on(backend.run(&program, Images::Batch(&input), None)).unwrap();
        let activation = made[1].at(0);
        let plane = activation.row_len();
        (0..plane)
            .map(|i| activation.data().iter().skip(i).step_by(plane).map(|&v| f64::from(v)).sum())
            .collect()
    }

    /// The ONNX node of a layer of the manifest.
    fn layer(&self, entry: &Value) -> Option<String> {
        let name = entry["layer"].as_str()?;
        Some(self.manifest["layers"][name]["node"].as_str().unwrap().to_owned())
    }
}

/// The parameters that an entry of a manifest asks for, as a caller would set them.
fn parameters(entry: &Value) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    match entry["method"].as_str().unwrap() {
        "occlusion" => {
            out.insert("window".into(), entry["parameters"]["window"][0].clone());
            out.insert("stride".into(), entry["parameters"]["stride"][0].clone());
            out.insert("fill".into(), "zero".into());
        }
        "integrated-gradients" => {
            out.insert("steps".into(), entry["parameters"]["steps"].clone());
        }
        "guided-grad-cam" => {
            let file = entry["file"].as_str().unwrap();
            let name = if file.contains("bilinear") { "bilinear" } else { "nearest" };
            out.insert("interpolation".into(), name.into());
        }
        _ => {}
    }
    out
}

/// `|a - b| / |b|`.
fn relative_l2(a: &[f32], b: &[f32]) -> f64 {
    let square = |v: f64| v * v;
    let gap: f64 = a.iter().zip(b).map(|(x, y)| square(f64::from(*x) - f64::from(*y))).sum();
    (gap / b.iter().map(|y| square(f64::from(*y))).sum::<f64>()).sqrt()
}

/// A principal component with the sign that Eigen-CAM promises: it agrees with the activation. The reference's sign is
/// the one that numpy's decomposition happens to give.
fn oriented(component: &[f32], activity: &[f64]) -> Vec<f32> {
    assert_eq!(component.len(), activity.len());
    let agreement: f64 = component.iter().zip(activity).map(|(&c, a)| f64::from(c) * a).sum();
    component.iter().map(|c| if agreement < 0.0 { -c } else { *c }).collect()
}

/// Says by how much a map misses its reference, if it misses the bound.
fn disagreement(got: &[f32], want: &[f32], bound: f64) -> Option<String> {
    let distance = relative_l2(got, want);
    (distance > bound || distance.is_nan()).then(|| format!("relative L2 {distance:.2e}"))
}

/// Runs every entry of a manifest, and says what disagrees.
fn compare(folder: &str, choice: Choice) -> (usize, Vec<String>) {
    let fixtures = Fixtures::open(folder);
    let mut session = fixtures.session(choice);
    let input = fixtures.array("input.npy").at(0);
    let (mut count, mut wrong) = (0, vec![]);
    for entry in fixtures.manifest["methods"].as_array().unwrap() {
        let id = entry["method"].as_str().unwrap();
        assert!(method(id).is_ok(), "{folder}: there is no method {id:?}");
        // It draws at random, and is compared where its draws can be given: in expected_gradients.rs.
        if id == "expected-gradients" {
            continue;
        }
        let request = Request {
            method: id.into(),
            targets: fixtures.targets(),
            layer: fixtures.layer(entry),
            parameters: parameters(entry),
            ..Request::default()
        };
        let explained = pollster::block_on(session.explain(&input, &request, &mut Silent)).unwrap();
        let file = entry["file"].as_str().unwrap();
        let want = fixtures.array(file);
        let activity = (id == "eigen-cam").then(|| fixtures.activity(request.layer.as_deref().unwrap()));
        for (k, target) in explained.targets.iter().enumerate() {
            assert_eq!(target.map.values.shape(), &want.shape()[1..], "{folder}/{file}");
            count += 1;
            let want = match &activity {
                Some(activity) => oriented(want.row(k), activity),
                None => want.row(k).to_vec(),
            };
            if let Some(how) = disagreement(target.map.values.data(), &want, bound_of(entry, choice)) {
                wrong.push(format!("{folder}/{file} [{k}]: {how}"));
            }
        }
    }
    (count, wrong)
}

fn all_networks(choice: Choice) {
    let (mut count, mut wrong) = (0, vec![]);
    for network in NETWORKS {
        let (n, bad) = compare(&format!("networks/{network}"), choice);
        count += n;
        wrong.extend(bad);
    }
    assert!(wrong.is_empty(), "{} of {count} maps disagree:\n{}", wrong.len(), wrong.join("\n"));
    // Twenty-one entries of each network's manifest, three classes each.
    assert_eq!(count, 5 * 21 * 3);
}

#[test]
fn float_networks_on_the_cpu() {
    all_networks(Choice::Cpu);
}

#[test]
fn float_networks_on_the_gpu() {
    all_networks(Choice::Gpu);
}

/// A quantized network against torch with fake quantization and straight-through estimators.
#[test]
fn quantized_network_on_both() {
    let fixtures = Fixtures::open("int8");
    let input = fixtures.array("input.npy").at(0);
    for choice in [Choice::Cpu, Choice::Gpu] {
        let mut session = fixtures.session(choice);
        let layer = fixtures.manifest["layer"].as_str().unwrap();
        for (id, layer, file) in
            [("saliency", None, "saliency.npy"), ("grad-cam", Some(layer), "grad-cam_last.npy")]
        {
            let request = Request {
                method: id.into(),
                targets: fixtures.targets(),
                layer: layer.map(Into::into),
                ..Request::default()
            };
            let explained = pollster::block_on(session.explain(&input, &request, &mut Silent)).unwrap();
            let want = fixtures.array(file);
            for (k, target) in explained.targets.iter().enumerate() {
                let wrong = disagreement(target.map.values.data(), want.row(k), bound(choice));
                assert_eq!(wrong, None, "{file} [{k}] on {choice:?}");
            }
        }
    }
}

/// Smooth activations are not guided, and the result says so; where there are none it does not.
#[test]
fn guided_maps_say_what_they_leave_alone() {
    for (network, id, said) in [
        ("mobilenet_v3", "guided-backprop", true),
        ("mobilenet_v3", "guided-grad-cam", true),
        ("mobilenet_v3", "saliency", false),
        ("vgg", "guided-backprop", false),
    ] {
        let fixtures = Fixtures::open(&format!("networks/{network}"));
        let request = Request { method: id.into(), ..Request::default() };
        let input = fixtures.array("input.npy").at(0);
        let mut session = fixtures.session(Choice::Cpu);
        let explained = pollster::block_on(session.explain(&input, &request, &mut Silent)).unwrap();
        assert_eq!(explained.notes.iter().any(|n| n.contains("smooth activations")), said, "{network} {id}");
    }
}

/// What was saturated is counted alike by both backends, and only in quantized networks.
#[test]
fn saturated_values_are_counted() {
    let fixtures = Fixtures::open("int8");
    let input = fixtures.array("input.npy").at(0);
    let request = Request { method: "saliency".into(), ..Request::default() };
    let count = |choice| {
        let mut session = fixtures.session(choice);
        pollster::block_on(session.explain(&input, &request, &mut Silent)).unwrap().saturation.unwrap()
    };
    let found = count(Choice::Cpu);
    assert!(0 < found.saturated && found.saturated < found.values, "{found:?}");
    assert_eq!(count(Choice::Gpu), found);
    let float = Fixtures::open("networks/vgg");
    let input = float.array("input.npy").at(0);
    let explained = pollster::block_on(float.session(Choice::Cpu).explain(&input, &request, &mut Silent));
    assert_eq!(explained.unwrap().saturation, None);
}

#[test]
fn logits_are_the_reference_s() {
    for network in NETWORKS {
        let fixtures = Fixtures::open(&format!("networks/{network}"));
        let mut session = fixtures.session(Choice::Cpu);
        let classes = pollster::block_on(session.classify(&fixtures.array("input.npy").at(0))).unwrap();
        let want = fixtures.array("logits.npy");
        for class in classes {
            let gap = (class.logit - want.data()[class.target.index]).abs();
            assert!(gap < 1e-4, "{network}: class {} is off by {gap}", class.target.index);
        }
    }
}

/// Canary: a map that is a little wrong, another target's, twice as large or of the other sign is found out.
#[test]
fn the_bounds_can_fail() {
    let fixtures = Fixtures::open("networks/resnet");
    let right = fixtures.array("saliency.npy");
    let mut bent = right.row(0).to_vec();
    let largest = bent.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    bent[100] += 0.1 * largest;
    assert!(disagreement(&bent, right.row(0), 2e-4).is_some());
    assert!(disagreement(right.row(0), right.row(0), 2e-4).is_none());
    for network in NETWORKS {
        let fixtures = Fixtures::open(&format!("networks/{network}"));
        for entry in fixtures.manifest["methods"].as_array().unwrap() {
            let (id, file) = (entry["method"].as_str().unwrap(), entry["file"].as_str().unwrap());
            let (want, bound) = (fixtures.array(file), bound_of(entry, Choice::Gpu));
            let scaled = |by: f32| want.row(0).iter().map(|v| v * by).collect::<Vec<_>>();
            for wrong in [scaled(2.0), scaled(0.5), scaled(-1.0), scaled(1.001)] {
                assert!(disagreement(&wrong, want.row(0), bound).is_some(), "{network}/{file}");
            }
            // Eigen-CAM does not depend on the class.
            let is_found = disagreement(want.row(1), want.row(0), bound).is_some();
            assert_eq!(is_found, id != "eigen-cam", "{network}/{file}");
        }
    }
}

/// Canary: a manifest that names what there is not is found out, and so is the sign of a component.
#[test]
fn unknown_methods_and_signs_are_found() {
    assert!(method("grad-cam-plus").is_err());
    let component = [1.0, -2.0, 0.5];
    assert_eq!(oriented(&component, &[1.0, 0.0, 1.0]), component);
    assert_eq!(oriented(&component, &[1.0, 1.0, 1.0]), [-1.0, 2.0, -0.5]);
}
