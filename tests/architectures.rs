//! Architectures that people use, at small width, as each exporter writes them: scores, the gradient of the top one,
//! and the default layer, against onnxruntime and the framework that each is from. `tests/reference/architectures/` makes
//! them.

mod support;

use std::{io::Read, path::Path, sync::Arc};

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::GpuBackend},
    graph::Rule,
    network::{Network, Program, Reading, Score},
};
use serde_json::Value;
use support::{bytes, extents, fixture, json, npy, relative_l2};

/// The bound of scores and of the layer's values: `|a - b| / |b|`.
const VALUES: f64 = 1e-3;

/// The bound of gradients. The references are taken off the kinks.
const GRADIENT: f64 = 1e-3;

/// The references hold every seventh value of gradients and layers.
const STRIDE: usize = 7;

/// One file, with what is expected of it.
struct Subject<'a> {
    folder: &'a Path,
    name: &'a str,
    expected: &'a Value,
}

impl Subject<'_> {
    /// What differs, in words.
    fn compare(&self, export: &str, gpu: bool) -> Vec<String> {
        let image = self.expected["image"].as_str().unwrap();
        let side = image.split('_').next().unwrap().parse().unwrap();
        let reading = Reading { size: Some([side; 2]), ..Reading::default() };
        let network = match Network::read(self.model(export), &reading) {
            Ok(network) => Arc::new(network),
            Err(error) => return vec![format!("is not read: {error}")],
        };
        let backend: pellucid::Result<Box<dyn Backend>> = if gpu {
            pollster::block_on(GpuBackend::open(network, true)).map(|b| Box::new(b) as _)
        } else {
            CpuBackend::new(network).map(|b| Box::new(b) as _)
        };
        match backend.and_then(|mut backend| self.differences(backend.as_mut())) {
            Ok(differences) => differences,
            Err(error) => vec![format!("does not run: {error}")],
        }
    }

    fn model(&self, export: &str) -> Vec<u8> {
        let packed = bytes(&self.folder.join(format!("{}.{export}.onnx.gz", self.name)));
        let mut model = vec![];
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut model).unwrap();
        model
    }

    fn differences(&self, backend: &mut dyn Backend) -> pellucid::Result<Vec<String>> {
        let image = self.expected["image"].as_str().unwrap();
        let image = npy(&fixture(&format!("architectures/image_{image}.npy")));
        let (score, rule) = (Score::Logit, Rule::Plain);
        let mut cotangent = Tensor::zeros([1, backend.network().classes()]);
        cotangent.data_mut()[self.expected["target"].as_u64().unwrap() as usize] = 1.0;
        let program = Program::Gradient { score, layer: None, rule };
        let made = pollster::block_on(backend.run(&program, Images::Batch(&image), Some(&cotangent)))?;
        let scores = self.expected["scores"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32);
        let mut differences = vec![];
        let mut compare = |what: &str, made: &[f32], truth: &[f32], bound: f64| {
            let error = if made.len() == truth.len() { relative_l2(made, truth) } else { f64::INFINITY };
            if error.is_nan() || error > bound {
                differences.push(format!("{what} differ by {error:.1e}"));
            }
        };
        compare("scores", made[0].data(), &scores.collect::<Vec<_>>(), VALUES);
        compare("gradients", &thinned(&made[1]), self.reference("gradient").data(), GRADIENT);
        let layer = backend.network().default_layer().cloned();
        let Some(layer) = layer else {
            return Ok(vec!["there is no default layer".into()]);
        };
        if self.expected["layer_shape"] == false {
            return Ok(differences);
        }
        let shape = extents(&self.expected["layer_shape"]);
        if layer.shape == shape {
            let program = Program::Forward { layer: Some(layer.value) };
            let made = pollster::block_on(backend.run(&program, Images::Batch(&image), None))?;
            compare("the layer's values", &thinned(&made[1]), self.reference("layer").data(), VALUES);
        } else {
            differences.push(format!("the layer is {} {:?}, not {shape:?}", layer.name, layer.shape));
        }
        Ok(differences)
    }

    fn reference(&self, kind: &str) -> Tensor {
        npy(&self.folder.join(format!("{}.{kind}.npy", self.name)))
    }
}

fn thinned(values: &Tensor) -> Vec<f32> {
    values.data().iter().copied().step_by(STRIDE).collect()
}

/// Compares every file of a family of `count` architectures, and says all that differs at once.
fn compare(family: &str, gpu: bool, count: usize) {
    let folder = fixture(&format!("architectures/{family}"));
    let manifest = json(&folder.join("expected.json"));
    let mut found = String::new();
    for (name, expected) in manifest.as_object().unwrap() {
        let subject = Subject { folder: &folder, name, expected };
        for export in expected["exports"].as_array().unwrap() {
            let export = export.as_str().unwrap();
            for difference in subject.compare(export, gpu) {
                found += &format!("\n{name}, {export}: {difference}");
            }
        }
    }
    assert!(found.is_empty(), "{family}: {found}");
    assert_eq!(manifest.as_object().unwrap().len(), count);
}

#[test]
fn torchvision_is_explained_as_by_torch() {
    compare("torchvision", false, 17);
}

#[test]
fn torchvision_is_explained_as_by_torch_on_a_gpu() {
    compare("torchvision", true, 17);
}

#[test]
fn timm_is_explained_as_by_torch() {
    compare("timm", false, 15);
}

#[test]
fn timm_is_explained_as_by_torch_on_a_gpu() {
    compare("timm", true, 15);
}

#[test]
fn transformers_are_explained_as_by_torch() {
    compare("transformers", false, 11);
}

#[test]
fn transformers_are_explained_as_by_torch_on_a_gpu() {
    compare("transformers", true, 11);
}

#[test]
fn what_other_converters_write_is_explained_as_by_torch() {
    compare("converters", false, 5);
}

#[test]
fn what_other_converters_write_is_explained_as_by_torch_on_a_gpu() {
    compare("converters", true, 5);
}

/// One of transformers' networks, read without its size.
fn of_open_size(name: &str) -> pellucid::Result<Network> {
    let folder = fixture("architectures/transformers");
    let subject = Subject { folder: &folder, name, expected: &Value::Null };
    Network::from_onnx(subject.model("optimum"))
}

#[test]
fn an_open_size_is_the_one_that_positions_fit() {
    assert_eq!(of_open_size("vit").unwrap().input(), [3, 64, 64]);
}

#[test]
fn an_open_size_that_does_not_fit_is_told() {
    let error = of_open_size("mobilevit").unwrap_err();
    assert_eq!(error.code(), "unsupported");
    assert!(error.to_string().contains("224x224 (height x width) was tried; choose the one"), "{error}");
}

#[test]
fn keras_is_explained_as_by_tensorflow() {
    compare("keras", false, 12);
}

#[test]
fn keras_is_explained_as_by_tensorflow_on_a_gpu() {
    compare("keras", true, 12);
}
