//! How well integrated gradients add up on the shipped network's float twin.

mod support;

use std::{collections::BTreeMap, sync::Arc};

use pellucid::{
    Tensor,
    attribution::{Context, Map, Question, Settings, Silent, method},
    backend::cpu::CpuBackend,
    chain::{Clip, Step},
    network::Network,
    ops::pointwise::Pointwise,
    picture::Preprocessing,
};
use serde_json::Value;
use support::{bytes, cosine, fixture, npy};

/// The shipped network with its activations' quantizers taken out: EfficientNet-Lite0 in floats.
fn float_twin() -> Network {
    let network = Network::from_onnx(bytes(&fixture("../../models/efficientnet-lite0-int8.onnx"))).unwrap();
    let mut graph = network.graph().clone();
    let values: Vec<_> = graph.iter().map(|(id, _)| id).collect();
    for id in values {
        let Some(chain) = graph.node(id).as_op::<Pointwise>() else { continue };
        let rounds = |s: &&Step| matches!(s, Step::Quantize(_) | Step::Dequantize(_) | Step::FakeQuantize(_));
        let mut steps: Vec<Step> = chain.steps.iter().filter(|s| !rounds(s)).cloned().collect();
        if steps.is_empty() {
            steps.push(Step::Clip(Clip { low: f32::NEG_INFINITY, high: f32::INFINITY }));
        }
        graph.replace(id, Arc::new(Pointwise { steps })).unwrap();
    }
    network.with_graph(graph).unwrap()
}

/// The cat as the network sees it.
fn cat() -> Tensor {
    let crop = npy(&fixture("quantized/cat_crop.npy"));
    let [h, w, c] = *crop.shape() else { panic!("an image has three axes") };
    let at = |channel: usize| crop.data().iter().skip(channel).step_by(c).map(|v| (v - 127.0) / 128.0);
    Tensor::new([c, h, w], (0..c).flat_map(at).collect()).unwrap()
}

fn explain(backend: &mut CpuBackend, image: &Tensor, target: usize, set: &[(&str, &str)]) -> Map {
    let method = method("integrated-gradients").unwrap();
    let given: BTreeMap<String, Value> = set.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let settings = Settings::resolve(method.about().parameters, &given).unwrap();
    let question = Question::new(vec![target], settings, Preprocessing::default());
    let mut observer = Silent;
    let mut context = Context::new(&question, image, backend, &mut observer);
    pollster::block_on(method.explain(&mut context)).unwrap().remove(0)
}

/// By how much a map's sum misses the rise of the score, as a share of that rise.
fn miss(map: &Map) -> f64 {
    let delta = map.extras["delta"].as_f64().unwrap();
    (delta / (map.values.sum() - delta)).abs()
}

/// At the default 50 steps: calibrated weights add up, and change the map but little. Captum's own do not on this
/// path: close to its start the score's slope is many times its mean, and changes its sign.
#[test]
fn fifty_steps_add_up_when_calibrated() {
    let (network, image) = (float_twin(), cat());
    let mut backend = CpuBackend::new(Arc::new(network)).unwrap();
    let plain = explain(&mut backend, &image, 282, &[]);
    let calibrated = explain(&mut backend, &image, 282, &[("quadrature", "calibrated")]);
    let (before, after) = (miss(&plain), miss(&calibrated));
    let along = cosine(plain.values.data(), calibrated.values.data());
    println!("misses {before:.4} by Gauss-Legendre, {after:.1e} calibrated; cosine {along:.4}");
    assert!(after < 1e-4, "{after}");
    assert!(along > 0.99, "{along}");
    // Canary, and the reason for the parameter.
    assert!(before > 0.01, "{before}");
    // Of all maps that add up to within a hundredth, the nearest to Captum's is further from it than 1e-4.
    let values = plain.values.data();
    let norm = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    let rise = plain.values.sum() - plain.extras["delta"].as_f64().unwrap();
    let least = (before - 0.01) * rise.abs() / (values.len() as f64).sqrt() / norm;
    println!("a map within a hundredth is at least {least:.1e} away, relatively");
    assert!(least > 1e-4, "{least}");
}
