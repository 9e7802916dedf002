//! Every method on architectures of each exporter: two engines that share nothing but the graph, the CPU's and the GPU's,
//! draw the same map. What each method should answer is held on the small networks of `methods.rs` and `perturbation.rs`;
//! here it is that each runs on what people bring, attention and channels-last included.

mod support;

use std::{collections::BTreeMap, io::Read, sync::Arc};

use pellucid::{
    Tensor,
    attribution::{Context, METHODS, Method, Question, Settings, Silent},
    backend::{Backend, cpu::CpuBackend, gpu::GpuBackend},
    network::{Network, Reading},
    picture::Preprocessing,
};
use serde_json::{Value, json};
use support::{bytes, fixture, npy, relative_l2};

/// How far the maps may be apart, relative.
const BOUND: f64 = 1e-3;

/// Settings that make each method quick.
fn few(method: &dyn Method) -> Settings {
    let wanted: BTreeMap<&str, Value> = [
        ("samples", json!(12)),
        ("steps", json!(3)),
        ("channels", json!(4)),
        ("window", json!(24)),
        ("stride", json!(20)),
        ("algorithm", json!("grid")),
        ("segments", json!(4)),
        ("max_evals", json!(12)),
        ("masker", json!("zero")),
        ("cells", json!(3)),
    ]
    .into();
    let parameters = method.about().parameters;
    let given = parameters.iter().filter_map(|p| Some((p.key.to_owned(), wanted.get(p.key)?.clone())));
    Settings::resolve(parameters, &given.collect()).unwrap()
}

/// A network of the fixtures, and the image that it is asked about.
fn opened(path: &str, image: &str) -> (Arc<Network>, Tensor) {
    let packed = bytes(&fixture(&format!("architectures/{path}.onnx.gz")));
    let mut model = vec![];
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut model).unwrap();
    let image = npy(&fixture(&format!("architectures/image_{image}.npy"))).at(0);
    let size = [image.shape()[1], image.shape()[2]];
    let reading = Reading { size: Some(size), ..Reading::default() };
    (Arc::new(Network::read(model, &reading).unwrap()), image)
}

fn map(backend: &mut dyn Backend, method: &dyn Method, image: &Tensor, target: usize) -> Tensor {
    let network = backend.network();
    let layer = network.default_layer().filter(|_| method.needs_layer()).cloned();
    let mut question =
        Question { layer, seed: 7, ..Question::new(vec![target], few(method), Preprocessing::default()) };
    if method.needs_background() {
        let dark = Tensor::zeros([&[1], image.shape()].concat());
        question.background = Some(dark);
    }
    let mut observer = Silent;
    let mut context = Context::new(&question, image, backend, &mut observer);
    pollster::block_on(method.explain(&mut context)).unwrap().remove(0).values
}

/// Draws every method's map on both backends; says what is wrong.
fn compare(path: &str, image: &str) {
    let (network, image) = opened(path, image);
    let mut cpu = CpuBackend::new(network.clone()).unwrap();
    let mut gpu = pollster::block_on(GpuBackend::open(network.clone(), true)).unwrap();
    let target = network.classes() - 1;
    let mut faults = String::new();
    for &method in METHODS {
        let about = method.about();
        let [ours, theirs] = [&mut cpu as &mut dyn Backend, &mut gpu].map(|b| map(b, method, &image, target));
        assert_eq!(ours.shape(), theirs.shape(), "{path}: {}", about.id);
        let error = relative_l2(theirs.data(), ours.data());
        let size: f32 = ours.data().iter().map(|v| v.abs()).fold(0.0, f32::max);
        println!("{path}: {}: {error:.1e} of {size:.1e}", about.id);
        if !(error <= BOUND && size > 0.0 && size.is_finite()) {
            faults += &format!("\n{}: {error:.1e} apart, the largest value {size:.1e}", about.id);
        }
    }
    assert!(faults.is_empty(), "{path}: {faults}");
}

#[test]
fn every_method_explains_convnext() {
    compare("torchvision/convnext_tiny.dynamo", "64");
}

#[test]
fn every_method_explains_a_keras_network_with_channels_last() {
    compare("keras/EfficientNetB0.nhwc", "64_pixels");
}

#[test]
fn every_method_explains_densenet() {
    compare("torchvision/densenet121.legacy", "64");
}

#[test]
fn every_method_explains_swin() {
    compare("timm/swin_tiny_patch4_window7_224.legacy", "64");
}
