//! Small networks that onnxruntime quantized, in each of its formats: scores against onnxruntime, straight-through
//! gradients against torch, on both backends. See `tests/reference/make_integers.py`.

mod support;

use std::sync::Arc;

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::GpuBackend},
    graph::Rule,
    network::{Network, Program, Score},
};
use support::{bytes, fixture, json, npy, relative_l2};

fn network(name: &str) -> Arc<Network> {
    Arc::new(Network::from_onnx(bytes(&fixture(&format!("integers/{name}.onnx")))).unwrap())
}

fn names() -> Vec<String> {
    let manifest = json(&fixture("integers/manifest.json"));
    manifest.as_object().unwrap().keys().cloned().collect()
}

/// Scores and the gradient of the top class's, of each image.
fn answers(backend: &mut dyn Backend, images: &Tensor, target: usize) -> [Tensor; 2] {
    let classes = backend.network().classes();
    let mut cotangents = Tensor::zeros([images.shape()[0], classes]);
    cotangents.data_mut().iter_mut().skip(target).step_by(classes).for_each(|v| *v = 1.0);
    let program = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
    let made = pollster::block_on(backend.run(&program, Images::Batch(images), Some(&cotangents))).unwrap();
    made.try_into().unwrap()
}

fn check(open: impl Fn(Arc<Network>) -> Box<dyn Backend>) {
    let manifest = json(&fixture("integers/manifest.json"));
    let mut faults = vec![];
    for name in names() {
        let entry = &manifest[&name];
        let target = entry["target"].as_u64().unwrap() as usize;
        let image = npy(&fixture(&format!("integers/{name}_input.npy")));
        let mut backend = open(network(&name));
        let [scores, saliency] = answers(backend.as_mut(), &image, target);
        let wanted: Vec<f32> =
            entry["scores"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
        let truth = npy(&fixture(&format!("integers/{name}_saliency.npy")));
        let errors = [relative_l2(scores.data(), &wanted), relative_l2(saliency.data(), truth.data())];
        if errors.iter().any(|&e| e > 1e-4) {
            faults.push(format!("{name}: scores and saliency differ by {errors:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_format_is_what_onnxruntime_and_torch_say_on_the_cpu() {
    assert_eq!(names().len(), 25);
    check(|network| Box::new(CpuBackend::new(network).unwrap()));
}

#[test]
fn every_format_is_what_onnxruntime_and_torch_say_on_the_gpu() {
    check(|network| Box::new(pollster::block_on(GpuBackend::open(network, true)).unwrap()));
}
