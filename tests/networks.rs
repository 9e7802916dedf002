//! Whole float networks against Captum: scores, gradients, guided gradients and Grad-CAM of each class.

mod support;

use std::{path::PathBuf, sync::Arc};

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::GpuBackend},
    graph::Rule,
    network::{Network, Program, Score},
};
use serde_json::Value;
use support::{bytes, fixture, json, npy, relative_l2};

const BOUND: f64 = 1e-4;

/// Networks with operators that cannot be read yet.
const UNSUPPORTED: &[&str] = &[];

/// A network with the image and the classes that its references are for.
struct Subject {
    folder: PathBuf,
    manifest: Value,
    backend: Box<dyn Backend>,
    image: Tensor,
    targets: Vec<usize>,
}

impl Subject {
    fn open(name: &str, gpu: bool) -> pellucid::Result<Self> {
        let folder = fixture(&format!("networks/{name}"));
        let manifest = json(&folder.join("manifest.json"));
        let network = Arc::new(Network::from_onnx(&bytes(&folder.join("model.onnx")))?);
        let backend: Box<dyn Backend> = if gpu {
            Box::new(pollster::block_on(GpuBackend::open(network, true))?)
        } else {
            Box::new(CpuBackend::new(network)?)
        };
        let image = npy(&folder.join("input.npy"));
        let targets = support::extents(&manifest["targets"]);
        Ok(Self { folder, manifest, backend, image, targets })
    }

    fn run(&mut self, program: &Program, gradient: bool) -> Vec<Tensor> {
        let classes = self.backend.network().classes();
        let mut cotangents = Tensor::zeros([self.targets.len(), classes]);
        for (row, target) in self.targets.iter().enumerate() {
            cotangents.data_mut()[row * classes + target] = 1.0;
        }
        let cotangents = gradient.then_some(&cotangents);
        pollster::block_on(self.backend.run(program, Images::Batch(&self.image), cotangents)).unwrap()
    }

    fn gradient(&mut self, rule: Rule) -> Tensor {
        self.run(&Program::Gradient { score: Score::Logit, layer: None, rule }, true).swap_remove(1)
    }

    fn grad_cam(&mut self, layer: &str) -> Tensor {
        let name = self.manifest["layers"][layer]["value"].as_str().unwrap();
        let layer = Some(self.backend.network().layer(name).unwrap().value);
        let made = self.run(&Program::Gradient { score: Score::Logit, layer, rule: Rule::Plain }, true);
        let [_, activation, gradient] = made.as_slice() else { panic!("three outputs") };
        let (activation, shape) = (activation.row(0), gradient.shape());
        let plane = shape[2] * shape[3];
        let mut maps = Tensor::zeros([shape[0], shape[2], shape[3]]);
        for (k, map) in maps.data_mut().chunks_exact_mut(plane).enumerate() {
            for (g, a) in gradient.row(k).chunks_exact(plane).zip(activation.chunks_exact(plane)) {
                let weight = g.iter().sum::<f32>() / plane as f32;
                map.iter_mut().zip(a).for_each(|(m, a)| *m += weight * a);
            }
        }
        maps
    }

    /// Whatever a manifest's entry asks for, where this test knows how to make it.
    fn explain(&mut self, entry: &Value) -> Option<Tensor> {
        match entry["method"].as_str().unwrap() {
            "saliency" => Some(self.gradient(Rule::Plain)),
            "guided-backprop" => Some(self.gradient(Rule::Guided)),
            "grad-cam" => Some(self.grad_cam(entry["layer"].as_str().unwrap())),
            "input-x-gradient" => {
                let mut made = self.gradient(Rule::Plain);
                let factors = self.image.data().to_vec();
                made.data_mut().iter_mut().zip(factors.iter().cycle()).for_each(|(g, x)| *g *= x);
                Some(made)
            }
            _ => None,
        }
    }
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(fixture("networks")).unwrap().map(|e| e.unwrap());
    let folders = entries.filter(|e| e.path().is_dir());
    folders.map(|e| e.file_name().into_string().unwrap()).collect()
}

#[test]
fn gradients_match_captum() {
    compare(false, BOUND);
}

#[test]
fn gradients_match_captum_on_a_gpu() {
    compare(true, 2.0 * BOUND);
}

fn compare(gpu: bool, bound: f64) {
    let mut compared = 0;
    for name in names() {
        let mut subject = match Subject::open(&name, gpu) {
            Ok(_) if UNSUPPORTED.contains(&name.as_str()) => {
                panic!("{name} is supported now: take it off the list")
            }
            Ok(subject) => subject,
            Err(e) if UNSUPPORTED.contains(&name.as_str()) => {
                assert_eq!(e.code(), "unsupported", "{name}: {e}");
                continue;
            }
            Err(e) => panic!("{name}: {e}"),
        };
        let logits = subject.run(&Program::Forward { layer: None }, false).swap_remove(0);
        let error = relative_l2(logits.data(), npy(&subject.folder.join("logits.npy")).data());
        assert!(error <= bound, "{name}: logits differ by {error}");
        for entry in subject.manifest["methods"].clone().as_array().unwrap() {
            let Some(made) = subject.explain(entry) else { continue };
            let truth = npy(&subject.folder.join(entry["file"].as_str().unwrap()));
            assert_eq!(made.shape(), truth.shape(), "{name}: {}", entry["file"]);
            let error = relative_l2(made.data(), truth.data());
            assert!(error <= bound, "{name}: {} differs by {error}", entry["file"]);
            compared += 1;
        }
    }
    assert!(compared >= 12, "only {compared} references");
}

#[test]
fn the_wrong_rule_is_found() {
    let mut subject = Subject::open("resnet", false).unwrap();
    let truth = npy(&subject.folder.join("guided-backprop.npy"));
    assert!(relative_l2(subject.gradient(Rule::Guided).data(), truth.data()) <= BOUND);
    assert!(relative_l2(subject.gradient(Rule::Plain).data(), truth.data()) > 10.0 * BOUND);
}
