//! Whole float networks against Captum: scores, gradients, guided gradients and Grad-CAM of each class.

mod support;

use std::{path::PathBuf, sync::Arc};

use pellucid::{
    Tensor,
    attribution::method,
    backend::{Backend, Images, LayerInput, cpu::CpuBackend, gpu::GpuBackend},
    graph::Rule,
    network::{Network, Program, Score},
};
use serde_json::Value;
use support::{bytes, fixture, json, npy, relative_l2};

const BOUND: f64 = 1e-4;

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
        let network = Arc::new(Network::from_onnx(bytes(&folder.join("model.onnx")))?);
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

    /// What a manifest's entry asks for, where that is one program's output; methods.rs compares the rest.
    fn explain(&mut self, entry: &Value) -> Option<Tensor> {
        let id = entry["method"].as_str().unwrap();
        assert!(method(id).is_ok(), "there is no method {id:?}");
        match id {
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
        let mut subject = Subject::open(&name, gpu).unwrap_or_else(|e| panic!("{name}: {e}"));
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
    // Saliency, input x gradient and guided backpropagation of five networks, and Grad-CAM at two layers.
    assert_eq!(compared, 5 * 5);
}

/// A program that starts at a layer, given what the image makes of it, gives the whole network's scores and its
/// gradient at the layer, whether or not the image gets past.
fn heads_continue_the_network(gpu: bool) {
    let mut bypassed = 0;
    for (name, kept) in
        [("resnet", "middle"), ("densenet", "middle"), ("mobilenet_v3", "middle"), ("lite", "last")]
    {
        let mut subject = Subject::open(name, gpu).unwrap();
        let value = subject.manifest["layers"][kept]["value"].as_str().unwrap().to_owned();
        let from = subject.backend.network().layer(&value).unwrap().value;
        bypassed += usize::from(subject.backend.network().is_bypassed(from));
        let (score, rule) = (Score::Logit, Rule::Plain);
        let whole = subject.run(&Program::Gradient { score, layer: Some(from), rule }, true);
        let points = Tensor::stack(&[whole[1].at(0), whole[1].at(0)]).unwrap();
        let image = subject.image.at(0);
        let at = Images::AtLayer(LayerInput { points: &points, image: &image });
        let mut cotangents = Tensor::zeros([2 * subject.targets.len(), subject.backend.network().classes()]);
        let classes = cotangents.row_len();
        for (row, target) in subject.targets.iter().cycle().take(2 * subject.targets.len()).enumerate() {
            cotangents.data_mut()[row * classes + target] = 1.0;
        }
        let program = Program::HeadGradient { from, score, rule };
        let made = pollster::block_on(subject.backend.run(&program, at, Some(&cotangents))).unwrap();
        for i in 0..2 {
            assert!(relative_l2(made[0].row(i), whole[0].row(0)) < 1e-5, "{name}: scores");
            for k in 0..subject.targets.len() {
                let gradient = made[1].row(i * subject.targets.len() + k);
                assert!(relative_l2(gradient, whole[2].row(k)) < 1e-5, "{name}: gradient");
            }
        }
        let head = pollster::block_on(subject.backend.run(&Program::Head { from }, at, None)).unwrap();
        assert!(relative_l2(head[0].row(1), whole[0].row(0)) < 1e-5, "{name}: head");
        // Canary: the layer's values count, and so does what gets past them.
        let zeros = Tensor::zeros(points.shape());
        let other = Images::AtLayer(LayerInput { points: &zeros, image: &image });
        let changed = pollster::block_on(subject.backend.run(&Program::Head { from }, other, None)).unwrap();
        assert!(relative_l2(changed[0].row(0), whole[0].row(0)) > 1e-3, "{name}");
    }
    assert_eq!(bypassed, 1, "the middle of resnet is the only layer here that the image gets past");
}

#[test]
fn heads_continue_the_network_on_the_cpu() {
    heads_continue_the_network(false);
}

#[test]
fn heads_continue_the_network_on_a_gpu() {
    heads_continue_the_network(true);
}

#[test]
fn the_wrong_rule_is_found() {
    let mut subject = Subject::open("resnet", false).unwrap();
    let truth = npy(&subject.folder.join("guided-backprop.npy"));
    assert!(relative_l2(subject.gradient(Rule::Guided).data(), truth.data()) <= BOUND);
    assert!(relative_l2(subject.gradient(Rule::Plain).data(), truth.data()) > 10.0 * BOUND);
}
