//! Quantized networks against onnxruntime with its optimisations off: every integer of a small network whose
//! values stay clear of ties, and the shipped one as far as engines agree at all (tests/reference/README.md).

mod support;

use std::{path::Path, sync::Arc};

use pellucid::{
    Tensor,
    backend::{
        Backend, Images,
        cpu::{CpuBackend, run_graph},
    },
    graph::Rule,
    network::{
        Network, Program, Score,
        onnx::{decode, import},
    },
    ops::onnx::Operand,
};
use serde_json::Value;
use support::{bytes, cosine, extents, fixture, json, npy, relative_l2};

const SHIPPED: &str = "models/efficientnet-lite0-int8.onnx";

/// How far every listed tensor's integers are from the reference's: the largest distance of each.
fn distances(model: &Path, image: &Tensor, manifest: &Value, reference: &Tensor, stride: usize) -> Vec<f32> {
    let mut imported = import(&mut decode(bytes(model)).unwrap()).unwrap();
    let tensors = manifest.as_array().unwrap();
    let value = |t: &Value| match &imported.names[t["quantized"].as_str().unwrap()] {
        Operand::Value(v) => *v,
        Operand::Constant(_) => panic!("{t} is a constant"),
    };
    let wanted: Vec<_> = tensors.iter().map(value).collect();
    imported.graph.set_outputs(wanted);
    let made = run_graph(&imported.graph, std::slice::from_ref(image)).unwrap();
    let distance = |(t, made): (&Value, &Tensor)| {
        assert_eq!(made.shape(), extents(&t["shape"]));
        let truth = &reference.data()[t["offset"].as_u64().unwrap() as usize..];
        let pairs = made.data().iter().step_by(stride).zip(truth);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    tensors.iter().zip(&made).map(distance).collect()
}

fn backend(model: &Path) -> CpuBackend {
    CpuBackend::new(Arc::new(Network::from_onnx(bytes(model)).unwrap())).unwrap()
}

fn run(backend: &mut CpuBackend, program: &Program, image: &Tensor, targets: &[usize]) -> Vec<Tensor> {
    let classes = backend.network().classes();
    let mut cotangents = Tensor::zeros([targets.len(), classes]);
    for (row, target) in targets.iter().enumerate() {
        cotangents.data_mut()[row * classes + target] = 1.0;
    }
    let cotangents = (!targets.is_empty()).then_some(&cotangents);
    pollster::block_on(backend.run(program, Images::Batch(image), cotangents)).unwrap()
}

/// The straight-through gradients with respect to the image and, as Grad-CAM maps, to a layer.
fn gradients(backend: &mut CpuBackend, image: &Tensor, layer: &str, targets: &[usize]) -> (Tensor, Tensor) {
    let layer = Some(backend.network().layer(layer).unwrap().value);
    let program = |layer| Program::Gradient { score: Score::Logit, layer, rule: Rule::Plain };
    let saliency = run(backend, &program(None), image, targets).swap_remove(1);
    let made = run(backend, &program(layer), image, targets);
    let (activation, gradient) = (&made[1], &made[2]);
    let plane = gradient.shape()[2] * gradient.shape()[3];
    let mut maps = Tensor::zeros([targets.len(), gradient.shape()[2], gradient.shape()[3]]);
    for (k, map) in maps.data_mut().chunks_exact_mut(plane).enumerate() {
        for (g, a) in gradient.row(k).chunks_exact(plane).zip(activation.row(0).chunks_exact(plane)) {
            let weight = g.iter().sum::<f32>() / plane as f32;
            map.iter_mut().zip(a).for_each(|(m, a)| *m += weight * a);
        }
    }
    (saliency, maps)
}

#[test]
fn every_integer_is_within_a_step_of_onnxruntimes() {
    let folder = fixture("int8");
    let manifest = json(&folder.join("manifest.json"));
    let (image, reference) = (npy(&folder.join("input.npy")), npy(&folder.join("activations.npy")));
    let model = folder.join("model.onnx");
    let found = distances(&model, &image, &manifest["tensors"], &reference, 1);
    assert_eq!(found.len(), 23);
    assert!(found.iter().all(|&d| d <= 1.0), "{found:?}");

    // Canary: another image is not within a step.
    let mut other = image.clone();
    other.data_mut().iter_mut().for_each(|v| *v *= 1.05);
    let found = distances(&model, &other, &manifest["tensors"], &reference, 1);
    assert!(found.iter().any(|&d| d > 1.0));
}

#[test]
fn straight_through_gradients_match_torch() {
    let folder = fixture("int8");
    let manifest = json(&folder.join("manifest.json"));
    let mut backend = backend(&folder.join("model.onnx"));
    let image = npy(&folder.join("input.npy"));
    let logits = run(&mut backend, &Program::Forward { layer: None }, &image, &[]).swap_remove(0);
    assert!(relative_l2(logits.data(), npy(&folder.join("logits.npy")).data()) <= 1e-4);
    let layer = manifest["layer"].as_str().unwrap();
    let (saliency, cam) = gradients(&mut backend, &image, layer, &extents(&manifest["targets"]));
    for (made, file) in [(saliency, "saliency.npy"), (cam, "grad-cam_last.npy")] {
        let error = relative_l2(made.data(), npy(&folder.join(file)).data());
        assert!(error <= 1e-4, "{file} differs by {error}");
    }
}

#[test]
fn the_shipped_network_agrees_as_far_as_engines_do() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED);
    let folder = fixture("quantized");
    let manifest = json(&folder.join("manifest.json"));
    let mut backend = backend(&model);
    for (name, photo) in manifest["photos"].as_object().unwrap() {
        let image = normalised(&npy(&folder.join(photo["crop"].as_str().unwrap())));
        let logits = run(&mut backend, &Program::Forward { layer: None }, &image, &[]).swap_remove(0);
        let truth = npy(&folder.join(photo["logits"].as_str().unwrap()));
        let top = logits.data().iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert_eq!(top as u64, photo["top"].as_u64().unwrap(), "{name}");
        let pairs = logits.data().iter().zip(truth.data());
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= 0.25, "{name}: logits differ by {worst}");
    }
    let image = normalised(&npy(&folder.join("cat_crop.npy")));
    let activations = &manifest["activations"];
    let reference = npy(&folder.join("cat_activations.npy"));
    let found = distances(&model, &image, &activations["tensors"], &reference, 97);
    // The first projection amplifies what float32 leaves open.
    assert!(found[..6].iter().all(|&d| d <= 1.0), "{found:?}");
    let gradient = &manifest["gradient"];
    let (saliency, cam) = gradients(&mut backend, &image, gradient["layer"].as_str().unwrap(), &[282]);
    let (a, b) = (
        cosine(saliency.data(), npy(&folder.join("cat_saliency.npy")).data()),
        cosine(cam.data(), npy(&folder.join("cat_grad-cam.npy")).data()),
    );
    assert!(a >= 0.9 && b >= 0.99, "cosines {a} {b}");
}

/// `[H, W, C]` bytes as the shipped network takes them.
fn normalised(crop: &Tensor) -> Tensor {
    let [h, w, c] = *crop.shape() else { panic!("an image has three axes") };
    let at = |channel: usize| crop.data().iter().skip(channel).step_by(c).map(|v| (v - 127.0) / 128.0);
    Tensor::new([1, c, h, w], (0..c).flat_map(at).collect()).unwrap()
}
