//! What lies around a model's file: its weights, a configuration; and what is chosen of it: outputs, sizes, preprocessing.

use pellucid::npy;
use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, StringStringEntryProto, tensor_proto::DataLocation,
    tensor_shape_proto::dimension, type_proto,
};

use super::{Path, cat, error, folder, fs, json, pellucid, small_model::small_model};

/// The network's file after a change.
fn changed(change: impl Fn(&mut GraphProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(&small_model(4, &[])[..]).unwrap();
    change(model.graph.as_mut().unwrap());
    model.encode_to_vec()
}

/// A model that keeps its weights at a place in another file, and the bytes of these.
fn external(place: &[(&str, &str)]) -> (Vec<u8>, Vec<u8>) {
    let whole = ModelProto::decode(&small_model(4, &[])[..]).unwrap().graph.unwrap();
    let weights = whole.initializer[0].float_data.iter().flat_map(|v| v.to_le_bytes()).collect();
    let entry =
        |&(key, value): &(&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
    let model = changed(|graph| {
        let tensor = &mut graph.initializer[0];
        tensor.float_data.clear();
        tensor.data_location = Some(DataLocation::External as i32);
        tensor.external_data = place.iter().map(entry).collect();
    });
    (model, weights)
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

fn logits(model: &str, rest: &[&str]) -> Vec<f64> {
    let picture = cat();
    let arguments = ["classify", &picture, "--model", model, "--backend", "cpu", "--json"];
    let report = json(&[&arguments, rest].concat());
    let mut classes = report["classes"].as_array().unwrap().clone();
    classes.sort_by_key(|class| class["index"].as_u64());
    classes.iter().map(|class| class["logit"].as_f64().unwrap()).collect()
}

fn refusal(model: &str, rest: &[&str]) -> String {
    error(&[&["classify", &cat(), "--model", model, "--backend", "cpu"], rest].concat())
}

#[test]
fn weights_are_read_from_the_models_folder() {
    let folder = folder("external");
    let whole = written(&folder, "whole.onnx", &small_model(4, &[]));
    let (model, weights) = external(&[("location", "model.onnx.data"), ("offset", "8"), ("length", "48")]);
    let best = written(&folder, "best.onnx", &model);
    let _ = fs::remove_file(folder.join("model.onnx.data"));
    let why = refusal(&best, &[]);
    assert!(
        why.starts_with("error[missing-data]") && why.contains("\"model.onnx.data\", which is missing"),
        "{why}"
    );
    written(&folder, "model.onnx.data", &[&[0; 8], &weights[..]].concat());
    assert_eq!(logits(&best, &[]), logits(&whole, &[]));
    written(&folder, "model.onnx.data", &weights);
    let why = refusal(&best, &[]);
    assert!(why.contains("48 bytes from byte 8 on") && why.contains("which has 48 bytes"), "{why}");
}

#[test]
fn weights_are_read_from_nowhere_else() {
    let outer = folder("external-outside");
    let inner = folder("external-outside/inner");
    let (_, weights) = external(&[]);
    let outside = written(&outer, "outside.data", &weights);
    for location in ["../outside.data", &outside, "sub/../../outside.data"] {
        let (model, _) = external(&[("location", location)]);
        let why = refusal(&written(&inner, "model.onnx", &model), &[]);
        assert!(why.starts_with("error[model]") && why.contains("never read from elsewhere"), "{why}");
    }
    #[cfg(unix)]
    {
        let link = inner.join("link.data");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let (model, _) = external(&[("location", "link.data")]);
        let why = refusal(&written(&inner, "model.onnx", &model), &[]);
        assert!(why.contains("link that leads out of the model's folder"), "{why}");
    }
    let (model, _) = external(&[("location", ".")]);
    assert!(refusal(&written(&inner, "model.onnx", &model), &[]).contains("no file in the model's folder"));
}

#[test]
fn an_output_is_chosen_by_its_name() {
    let two = changed(|graph| {
        let mut other = graph.output[0].clone();
        other.name = "other".into();
        let mut node = graph.node[2].clone();
        (node.name, node.output) = ("other".into(), vec!["other".into()]);
        graph.node.push(node);
        graph.output.push(other);
    });
    let model = written(&folder("scores"), "two.onnx", &two);
    assert_eq!(logits(&model, &["--scores", "other"]), logits(&model, &[]));
    let report = json(&["classify", &cat(), "--model", &model, "--backend", "cpu", "--json"]);
    assert!(report["notes"].to_string().contains("2 outputs"), "{report}");
    let why = refusal(&model, &["--scores", "third"]);
    assert!(why.contains(r#"no output "third""#) && why.contains(r#""other" (float [1, 4])"#), "{why}");
}

#[test]
fn an_open_size_is_chosen_and_a_fixed_one_is_not() {
    let open = changed(|graph| {
        let kind = graph.input[0].r#type.as_mut().unwrap().value.as_mut().unwrap();
        let type_proto::Value::TensorType(tensor) = kind;
        for dim in &mut tensor.shape.as_mut().unwrap().dim[2..] {
            dim.value = Some(dimension::Value::DimParam("side".into()));
        }
    });
    let folder = folder("size");
    let (open, fixed) =
        (written(&folder, "open.onnx", &open), written(&folder, "fixed.onnx", &small_model(4, &[])));
    let shape = |rest: &[&str]| {
        let layers = json(&[&["layers", "--model", &open, "--backend", "cpu", "--json"], rest].concat());
        layers["layers"][0]["shape"].to_string()
    };
    assert_eq!(shape(&[]), "[4,224,224]");
    assert_eq!(shape(&["--size", "96x160"]), "[4,96,160]");
    assert_eq!(logits(&fixed, &["--size", "32x32"]), logits(&fixed, &[]));
    let why = refusal(&fixed, &["--size", "64x64"]);
    assert!(why.contains("fixes the size of its input at 32x32"), "{why}");
    assert_eq!(pellucid(&["layers", "--size", "64"]).status.code(), Some(2));
}

#[test]
fn a_guess_is_told_and_corrected() {
    let mut silent = ModelProto::decode(&small_model(4, &[])[..]).unwrap();
    silent.metadata_props.clear();
    let model = written(&folder("guess"), "model.onnx", &silent.encode_to_vec());
    let notes = |rest: &[&str]| {
        let picture = cat();
        let arguments = ["classify", &picture, "--model", &model, "--backend", "cpu", "--json"];
        json(&[&arguments, rest].concat())["notes"].to_string()
    };
    assert!(notes(&[]).contains("preset torchvision is a guess"));
    let plain = pellucid(&["classify", &cat(), "--model", &model, "--backend", "cpu"]);
    assert!(String::from_utf8_lossy(&plain.stderr).contains("is a guess"));
    assert!(!notes(&["--preset", "torchvision"]).contains("guess"));
    assert_eq!(logits(&model, &["--preset", "torchvision"]), logits(&model, &[]));
    let caffe = logits(&model, &["--preset", "keras-caffe"]);
    assert_ne!(caffe, logits(&model, &[]));
    let flags =
        ["--channels", "bgr", "--mean", "103.939,116.779,123.68", "--std", "1.00001", "--resize", "squash"];
    let close = logits(&model, &[&flags[..], &["--interpolation", "nearest"]].concat());
    assert!(caffe.iter().zip(&close).all(|(a, b)| (a - b).abs() < 1e-2), "{caffe:?} {close:?}");
    assert_eq!(pellucid(&["classify", &cat(), "--preset", "caffe"]).status.code(), Some(2));
}

#[test]
fn a_configuration_is_read_where_it_is_named_or_lies_beside_the_model() {
    let folder = folder("configuration");
    let mut silent = ModelProto::decode(&small_model(4, &[])[..]).unwrap();
    silent.metadata_props.clear();
    let model = written(&folder, "model.onnx", &silent.encode_to_vec());
    let beside = folder.join("preprocessor_config.json");
    let _ = fs::remove_file(&beside);
    let config = r#"{"image_processor_type": "ViTImageProcessor", "size": 32, "resample": 0, "image_mean": 0.5, "image_std": 0.5}"#;
    let named = written(&folder, "named.json", config.as_bytes());
    let as_flags = ["--resize", "squash", "--interpolation", "nearest", "--mean", "127.5", "--std", "127.5"];
    let wanted = logits(&model, &as_flags);
    assert_eq!(logits(&model, &["--preprocessing", &named]), wanted);
    fs::write(&beside, config).unwrap();
    assert_eq!(logits(&model, &[]), wanted);
    let notes =
        json(&["classify", &cat(), "--model", &model, "--backend", "cpu", "--json"])["notes"].to_string();
    assert!(notes.contains("lies beside the model") && !notes.contains("guess"), "{notes}");
    assert_eq!(logits(&model, &["--preset", "torchvision"]).len(), 4);
    let bad = written(&folder, "bad.json", br#"{"size": 32, "do_normalize": false, "resample": 4}"#);
    let why = refusal(&model, &["--preprocessing", &bad]);
    assert!(why.contains("bad.json") && why.contains("the filter box is not supported"), "{why}");
}

/// timm calls its configuration as everybody does, so another program's of that name is left alone.
#[test]
fn the_configuration_of_timm_is_read_beside_the_model() {
    let folder = folder("configuration-timm");
    let mut silent = ModelProto::decode(&small_model(4, &[])[..]).unwrap();
    silent.metadata_props.clear();
    let model = written(&folder, "model.onnx", &silent.encode_to_vec());
    let beside = folder.join("config.json");
    for other in [r#"{"id2label": {"0": "cat"}}"#, "no JSON", "[]"] {
        fs::write(&beside, other).unwrap();
        assert_eq!(logits(&model, &[]), logits(&model, &["--preset", "torchvision"]), "{other}");
    }
    let config = r#"{"architecture": "resnet18", "pretrained_cfg": {"input_size": [3, 32, 32], "crop_pct": 1.0,
        "crop_mode": "squash", "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}}"#;
    fs::write(&beside, config).unwrap();
    let flags = ["--resize", "squash", "--interpolation", "bicubic", "--mean", "127.5", "--std", "63.75"];
    assert_eq!(logits(&model, &[]), logits(&model, &flags));
    let report = json(&["classify", &cat(), "--model", &model, "--backend", "cpu", "--json"]);
    assert!(report["notes"].to_string().contains("config.json lies beside the model"), "{report}");
    // transformers' own goes before it.
    written(&folder, "preprocessor_config.json", br#"{"size": 32, "do_normalize": false, "resample": 0}"#);
    assert_ne!(logits(&model, &[]), logits(&model, &flags));
}

#[test]
fn a_damaged_configuration_stops_what_needs_it_alone() {
    let folder = folder("configuration-damaged");
    let mut silent = ModelProto::decode(&small_model(4, &[])[..]).unwrap();
    silent.metadata_props.clear();
    let (model, told) = (
        written(&folder, "model.onnx", &silent.encode_to_vec()),
        written(&folder, "told.onnx", &small_model(4, &[])),
    );
    written(&folder, "preprocessor_config.json", br#"{"size": 32, "#);
    let why = refusal(&model, &[]);
    assert!(why.contains("preprocessor_config.json") && why.contains("--preset"), "{why}");
    assert!(
        refusal(&model, &["--mean", "127"]).contains("preprocessor_config.json"),
        "the deviation is not told"
    );
    let notes = |model: &str, input: &str, rest: &[&str]| {
        let arguments = ["classify", input, "--model", model, "--backend", "cpu", "--json"];
        json(&[&arguments, rest].concat())["notes"].to_string()
    };
    let array = written(&folder, "image.npy", &npy::write(&[1, 3, 32, 32], &[0.5; 3 * 32 * 32]));
    let not_used = |notes: &str| notes.contains("was not used") && notes.contains("preprocessor_config.json");
    assert!(not_used(&notes(&model, &array, &[])));
    assert!(not_used(&notes(&model, &cat(), &["--mean", "127", "--std", "128"])));
    assert!(not_used(&notes(&told, &cat(), &[])), "the file says it itself");
    assert!(!not_used(&notes(&model, &cat(), &["--preset", "unit"])));
    assert!(pellucid(&["layers", "--model", &model, "--backend", "cpu"]).status.success());
    let explain = |method: &str| {
        let run = ["explain", &array, "--model", &model, "--backend", "cpu", "--method", method, "--json"];
        pellucid(&run).status.success()
    };
    assert!(explain("grad-cam"));
    assert!(!explain("expected-gradients"), "its photographs are prepared");
}
