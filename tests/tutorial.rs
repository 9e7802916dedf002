//! The tutorial's three networks (ResNet50, InceptionV3, VGG16) in 8 bits, at small width, as onnxruntime quantizes them:
//! scores against onnxruntime, straight-through gradients against torch, on both backends. Their scales are powers of
//! two, so that all arithmetic is exact; see `tests/reference/make_tutorial.py`.

mod support;

use std::{io::Read, sync::Arc};

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::GpuBackend},
    graph::Rule,
    network::{Network, Program, Score},
};
use support::{bytes, fixture, json, npy, relative_l2};

/// The references hold every seventh value of gradients.
const STRIDE: usize = 7;

fn network(name: &str) -> Arc<Network> {
    let packed = bytes(&fixture(&format!("tutorial/{name}.onnx.gz")));
    let mut model = vec![];
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut model).unwrap();
    Arc::new(Network::from_onnx(model).unwrap())
}

fn check(open: impl Fn(Arc<Network>) -> Box<dyn Backend>) {
    let manifest = json(&fixture("tutorial/manifest.json"));
    let manifest = manifest.as_object().unwrap();
    assert_eq!(manifest.len(), 12);
    let mut faults = vec![];
    for (name, entry) in manifest {
        let mut backend = open(network(name));
        let image = npy(&fixture(&format!("architectures/image_{}.npy", entry["image"].as_str().unwrap())));
        let mut cotangent = Tensor::zeros([1, backend.network().classes()]);
        cotangent.data_mut()[entry["target"].as_u64().unwrap() as usize] = 1.0;
        let program = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
        let made =
            pollster::block_on(backend.run(&program, Images::Batch(&image), Some(&cotangent))).unwrap();
        let wanted: Vec<f32> =
            entry["scores"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect();
        let saliency: Vec<f32> = made[1].data().iter().copied().step_by(STRIDE).collect();
        let truth = npy(&fixture(&format!("tutorial/{name}.saliency.npy")));
        let errors = [relative_l2(made[0].data(), &wanted), relative_l2(&saliency, truth.data())];
        // Not a step of the last quantizer, which is a thirtieth of the scores; the gradients are sums of floats.
        if errors[0] > 1e-6 || errors[1] > 1e-5 {
            faults.push(format!("{name}: scores and saliency differ by {errors:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_tutorials_networks_in_8_bits_are_onnxruntimes_on_the_cpu() {
    check(|network| Box::new(CpuBackend::new(network).unwrap()));
}

#[test]
fn the_tutorials_networks_in_8_bits_are_onnxruntimes_on_the_gpu() {
    check(|network| Box::new(pollster::block_on(GpuBackend::open(network, true)).unwrap()));
}
