//! LIME and SHAP Partition against the packages that define them, on the same network, image, segments and
//! samples. `tests/reference` makes the fixtures.

mod support;

use std::collections::BTreeMap;

use async_trait::async_trait;
use pellucid::{
    Result, Tensor,
    attribution::{Map, Observer, Silent},
    backend::{Segmentation, fallback::Choice},
    session::{Explanation, Options, Request, Session},
};
use serde_json::Value;
use support::{bytes, cosine, fixture, json, npy, relative_l2};

/// How far values under inpainting may be from shap's with OpenCV's filling, in relative L2.
const INPAINTED: [(&str, f64); 2] = [("inpaint-telea", 1e-4), ("inpaint-ns", 1e-4)];

fn session(choice: Choice) -> Session {
    let model = bytes(&fixture("networks/resnet/model.onnx"));
    pollster::block_on(Session::open(&model, Options { backend: choice, ..Options::default() })).unwrap()
}

fn input() -> Tensor {
    npy(&fixture("networks/resnet/input.npy")).at(0)
}

fn targets(entry: &Value) -> Vec<usize> {
    entry["targets"].as_array().unwrap().iter().map(|t| t.as_u64().unwrap() as usize).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn set(pairs: &[(&str, &str)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), Value::from(*v))).collect()
}

fn explain(session: &mut Session, request: &Request) -> Explanation {
    pollster::block_on(session.explain(&input(), request, &mut Silent)).unwrap()
}

/// The package's segments and samples for a fill.
fn lime_request(fill: &str, entry: &Value) -> Request {
    let raw = bytes(&fixture("lime/segments.npy"));
    let file = npyz::NpyFile::new(&raw[..]).unwrap();
    let &[height, width] = file.shape() else { panic!("two axes") };
    let labels: Vec<i64> = file.into_vec::<i32>().unwrap().into_iter().map(i64::from).collect();
    let samples = npy(&fixture("lime").join(entry["samples"].as_str().unwrap()));
    let row = |i: usize| samples.row(i).iter().map(|&z| z as u8).collect();
    Request {
        method: "lime".into(),
        targets: targets(entry),
        parameters: set(&[("fill", fill)]),
        segments: Some(Segmentation::new(height as usize, width as usize, &labels).unwrap()),
        samples: Some((0..samples.shape()[0]).map(row).collect()),
        ..Request::default()
    }
}

fn lime_is_the_package_s(choice: Choice) {
    let manifest = json(&fixture("lime/manifest.json"));
    let mut session = session(choice);
    for (fill, entry) in manifest["fills"].as_object().unwrap() {
        let request = lime_request(fill, entry);
        let explained = explain(&mut session, &request);
        let want = npy(&fixture("lime").join(entry["weights"].as_str().unwrap()));
        let (intercepts, r2) = (numbers(&entry["intercept"]), numbers(&entry["r2"]));
        assert_eq!(explained.evaluations, request.samples.unwrap().len() as u64);
        for (k, target) in explained.targets.iter().enumerate() {
            let extras = &target.map.extras;
            let weights = numbers(&extras["weights"]);
            let gaps = weights.iter().zip(want.row(k)).map(|(g, w)| (g - f64::from(*w)).abs());
            let gap = gaps.fold(0.0, f64::max);
            println!("lime {fill} [{k}] on {choice:?}: {gap:.1e}");
            assert!(gap < 1e-4, "{fill} [{k}]: {gap}");
            assert!((extras["intercept"].as_f64().unwrap() - intercepts[k]).abs() < 1e-4);
            assert!((extras["r2"].as_f64().unwrap() - r2[k]).abs() < 1e-4);
        }
    }
}

#[test]
fn lime_on_the_cpu() {
    lime_is_the_package_s(Choice::Cpu);
}

#[test]
fn lime_on_the_gpu() {
    lime_is_the_package_s(Choice::Gpu);
}

fn shap_is_the_package_s(choice: Choice) {
    let manifest = json(&fixture("shap/manifest.json"));
    let mut session = session(choice);
    for (masker, entry) in manifest["maskers"].as_object().unwrap() {
        let request = Request {
            method: "shap-partition".into(),
            targets: targets(entry),
            parameters: BTreeMap::from([
                ("masker".to_owned(), masker.clone().into()),
                ("max_evals".to_owned(), entry["max_evals"].clone()),
                ("batch".to_owned(), entry["batch"].clone()),
            ]),
            ..Request::default()
        };
        let explained = explain(&mut session, &request);
        assert_eq!(Some(explained.evaluations), entry["evaluations"].as_u64());
        let want = npy(&fixture("shap").join(entry["values"].as_str().unwrap()));
        let (sums, bases) = (numbers(&entry["sum"]), numbers(&entry["base"]));
        for (k, target) in explained.targets.iter().enumerate() {
            assert_eq!(target.map.values.shape(), &want.shape()[1..]);
            let gap = relative_l2(target.map.values.data(), want.row(k));
            println!("shap {masker} [{k}] on {choice:?}: {gap:.1e}");
            assert!(gap < 1e-4, "{masker} [{k}]: {gap}");
            assert!((target.map.values.sum() - sums[k]).abs() < 1e-5);
            assert!((target.map.extras["base"].as_f64().unwrap() - bases[k]).abs() < 1e-5);
        }
    }
}

#[test]
fn shap_partition_on_the_cpu() {
    shap_is_the_package_s(Choice::Cpu);
}

#[test]
fn shap_partition_on_the_gpu() {
    shap_is_the_package_s(Choice::Gpu);
}

/// Under inpainting: the fillings are OpenCV's to the byte, as far as rounding goes.
#[test]
fn shap_partition_under_inpainting() {
    let manifest = json(&fixture("shap/manifest.json"));
    let mut session = session(Choice::Cpu);
    for (masker, bound) in INPAINTED {
        let entry = &manifest["inpainting"][masker];
        let request = Request {
            method: "shap-partition".into(),
            targets: targets(entry),
            parameters: BTreeMap::from([
                ("masker".to_owned(), masker.into()),
                ("max_evals".to_owned(), entry["max_evals"].clone()),
                ("batch".to_owned(), entry["batch"].clone()),
            ]),
            ..Request::default()
        };
        let explained = explain(&mut session, &request);
        assert_eq!(Some(explained.evaluations), entry["evaluations"].as_u64());
        let want = npy(&fixture("shap").join(entry["values"].as_str().unwrap()));
        let (sums, bases) = (numbers(&entry["sum"]), numbers(&entry["base"]));
        for (k, target) in explained.targets.iter().enumerate() {
            let (map, row) = (&target.map.values, want.row(k));
            let (gap, along) = (relative_l2(map.data(), row), cosine(map.data(), row));
            println!("{masker} [{k}]: relative L2 {gap:.4}, cosine {along:.5}");
            assert!(gap <= bound, "{masker} [{k}]: {gap}");
            assert!((map.sum() - sums[k]).abs() < 1e-3, "{} {}", map.sum(), sums[k]);
            assert!((target.map.extras["base"].as_f64().unwrap() - bases[k]).abs() < 1e-3);
            // Canary: another class's values are farther away by far.
            assert!(relative_l2(map.data(), want.row((k + 1) % 3)) > 3.0 * bound);
        }
    }
}

/// The same seed gives the same map whatever the batch: to the bit on the CPU, within 1e-6 of the largest value
/// on a GPU.
#[test]
fn the_batch_changes_nothing() {
    for (choice, bound) in [(Choice::Cpu, 0.0), (Choice::Gpu, 1e-6)] {
        let mut session = session(choice);
        for method in ["lime", "kernel-shap", "rise"] {
            let maps = ["1", "5", "40"].map(|batch| {
                let parameters = set(&[("samples", "40"), ("batch", batch)]);
                let request = Request { method: method.into(), parameters, seed: 3, ..Request::default() };
                explain(&mut session, &request).targets.remove(0).map.values
            });
            let largest = maps[0].data().iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let [one, others @ ..] = &maps;
            for other in others {
                let gaps = one.data().iter().zip(other.data()).map(|(a, b)| (a - b).abs());
                let gap = gaps.fold(0.0, f32::max);
                assert!(gap <= bound * largest, "{method} on {choice:?}: {gap} of {largest}");
            }
        }
    }
}

/// Canary: another kernel width, or another refinement, is found out by the bounds above.
#[test]
fn the_bounds_can_fail() {
    let mut session = session(Choice::Cpu);
    let entry = &json(&fixture("lime/manifest.json"))["fills"]["zero"];
    let mut request = lime_request("zero", entry);
    request.parameters = set(&[("fill", "zero"), ("kernel_width", "0.3")]);
    let weights = numbers(&explain(&mut session, &request).targets[0].map.extras["weights"]);
    let want = npy(&fixture("lime").join(entry["weights"].as_str().unwrap()));
    assert!(weights.iter().zip(want.row(0)).any(|(g, w)| (g - f64::from(*w)).abs() > 1e-4));
    let entry = &json(&fixture("shap/manifest.json"))["maskers"]["zero"];
    let request = Request {
        method: "shap-partition".into(),
        targets: targets(entry),
        parameters: set(&[("masker", "zero"), ("max_evals", "300"), ("batch", "50")]),
        ..Request::default()
    };
    let map = explain(&mut session, &request).targets.remove(0).map;
    let want = npy(&fixture("shap").join(entry["values"].as_str().unwrap()));
    assert!(relative_l2(map.values.data(), want.row(0)) > 1e-4);
}

/// Hears when the first picture came.
#[derive(Default)]
struct First {
    done: Option<u64>,
    last: (u64, u64),
}

#[async_trait(?Send)]
impl Observer for First {
    async fn progress(&mut self, done: u64, total: u64, partial: Option<&[Map]>) -> Result<()> {
        if partial.is_some_and(|maps| !maps.is_empty()) && self.done.is_none() {
            self.done = Some(done);
        }
        assert!(done <= total && done >= self.last.0, "progress goes forward");
        self.last = (done, total);
        Ok(())
    }
}

#[test]
fn the_first_picture_comes_within_64_evaluations() {
    let mut session = session(Choice::Cpu);
    for (method, key) in [
        ("lime", "samples"),
        ("shap-partition", "max_evals"),
        ("kernel-shap", "samples"),
        ("rise", "samples"),
    ] {
        let mut first = First::default();
        let request =
            Request { method: method.into(), parameters: set(&[(key, "150")]), ..Request::default() };
        let explained = pollster::block_on(session.explain(&input(), &request, &mut first)).unwrap();
        assert!(first.done.is_some_and(|n| n <= 64), "{method}: {:?}", first.done);
        assert_eq!(first.last.0, first.last.1, "{method} ends full");
        assert_eq!(first.last.0, explained.evaluations, "{method}");
    }
}

/// What is the caller's own is refused where nothing can be done with it, or it does not fit.
#[test]
fn own_segments_and_samples_must_fit() {
    let mut session = session(Choice::Cpu);
    let map = |h, w| Some(Segmentation::new(h, w, &vec![0; h * w]).unwrap());
    let (h, w) = (input().shape()[1], input().shape()[2]);
    for (method, segments, samples, hint) in [
        ("rise", map(h, w), None, "takes no segments"),
        ("kernel-shap", None, Some(vec![vec![1]]), "takes no samples"),
        ("lime", map(w, h), None, "rows, columns"),
        ("lime", map(h, w), Some(vec![vec![1, 0]]), "for 2 segments, and there are 1"),
        ("lime", map(h, w), Some(vec![vec![2]]), "1 (shown) or 0 (hidden)"),
    ] {
        let request = Request { method: method.into(), segments, samples, ..Request::default() };
        let error = pollster::block_on(session.explain(&input(), &request, &mut Silent)).unwrap_err();
        assert_eq!(error.code(), "argument");
        assert!(error.to_string().contains(hint), "{error}");
    }
}
