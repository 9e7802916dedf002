//! Each kind of network that is no image classifier, as its exporters write it, is called by its name.

use prost::Message;
use tract_onnx::pb::{
    NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorShapeProto, TypeProto,
    tensor_shape_proto::Dimension,
};

use super::*;
use crate::network::Network;

/// An open extent.
const OPEN: i64 = -1;

fn value(&(name, kind, shape): &Port) -> ValueInfoProto {
    let dim = |&extent: &i64| {
        let value = match extent {
            OPEN => dimension::Value::DimParam("n".into()),
            extent => dimension::Value::DimValue(extent),
        };
        Dimension { value: Some(value), ..<_>::default() }
    };
    let shape = Some(TensorShapeProto { dim: shape.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: kind as i32, shape };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value, ..<_>::default() }),
        ..<_>::default()
    }
}

type Port = (&'static str, DataType, &'static [i64]);

const F: DataType = DataType::Float;
const I: DataType = DataType::Int64;
const IMAGE: Port = ("images", F, &[1, 3, 640, 640]);

/// A file whose nodes each read the first input, and of which the last makes all outputs.
fn file(inputs: &[Port], operators: &[&str], outputs: &[Port], task: Option<&str>) -> Vec<u8> {
    let count = operators.len();
    let node = |(i, operator): (usize, &&str)| NodeProto {
        name: format!("node {i}"),
        op_type: (*operator).into(),
        domain: if operator.starts_with("Tree") { "ai.onnx.ml".into() } else { String::new() },
        input: vec![inputs[0].0.into()],
        output: match i + 1 == count {
            true => outputs.iter().map(|output| output.0.into()).collect(),
            false => vec![format!("value {i}")],
        },
        ..<_>::default()
    };
    let graph = GraphProto {
        node: operators.iter().enumerate().map(node).collect(),
        input: inputs.iter().map(value).collect(),
        output: outputs.iter().map(value).collect(),
        ..<_>::default()
    };
    let entry = |task: &str| StringStringEntryProto { key: "task".into(), value: task.into() };
    ModelProto {
        graph: Some(graph),
        metadata_props: task.map(entry).into_iter().collect(),
        opset_import: vec![OperatorSetIdProto { version: 17, ..<_>::default() }],
        ..<_>::default()
    }
    .encode_to_vec()
}

#[test]
fn what_is_no_classifier_is_named() {
    type Row = (
        &'static [Port],
        &'static [&'static str],
        &'static [Port],
        Option<&'static str>,
        &'static str,
        &'static str,
    );
    let rows: [Row; 30] = [
        // Ultralytics' YOLO 8 and 11, YOLO 5, and YOLO 8 with open anchors.
        (&[IMAGE], &["Relu"], &[("output0", F, &[1, 84, 8400])], None, "an object detector", "yolo11n-cls"),
        (&[IMAGE], &["Relu"], &[("output0", F, &[1, 25200, 85])], None, "an object detector", "yolo11n-cls"),
        (
            &[IMAGE],
            &["Relu"],
            &[("output0", F, &[OPEN, 84, OPEN])],
            None,
            "an object detector",
            "yolo11n-cls",
        ),
        (
            &[IMAGE],
            &["Relu"],
            &[("output0", F, &[1, 56, 8400])],
            Some("pose"),
            "another task (\"pose\")",
            "yolo11n-cls",
        ),
        // YOLO 5 and 7 before their boxes are decoded.
        (
            &[IMAGE],
            &["Relu"],
            &[("378", F, &[1, 3, 80, 80, 85]), ("439", F, &[1, 3, 40, 40, 85])],
            None,
            "an object detector",
            "classifier",
        ),
        // torchvision's Faster R-CNN, and an SSD of the ONNX model zoo.
        (
            &[IMAGE],
            &["NonMaxSuppression"],
            &[("boxes", F, &[OPEN, 4]), ("labels", I, &[OPEN])],
            None,
            "(it has a NonMaxSuppression)",
            "backbone",
        ),
        (
            &[IMAGE],
            &["Relu"],
            &[("bboxes", F, &[1, OPEN, 4]), ("labels", I, &[1, OPEN])],
            None,
            "an object detector",
            "backbone",
        ),
        // DETR.
        (
            &[IMAGE],
            &["Relu"],
            &[("logits", F, &[1, 100, 92]), ("pred_boxes", F, &[1, 100, 4])],
            None,
            "an object detector",
            "backbone",
        ),
        // DeepLab, its classes chosen, and SegFormer.
        (
            &[IMAGE],
            &["Relu"],
            &[("out", F, &[1, 21, 520, 520])],
            None,
            "a segmentation network",
            "pools its scores",
        ),
        (
            &[IMAGE],
            &["Relu"],
            &[("out", I, &[1, 520, 520])],
            None,
            "a segmentation network",
            "pools its scores",
        ),
        (
            &[IMAGE],
            &["Relu"],
            &[("logits", F, &[OPEN, 150, OPEN, OPEN])],
            None,
            "a segmentation network",
            "pools its scores",
        ),
        (
            &[IMAGE],
            &["Relu"],
            &[("depth", F, &[1, 1, 384, 384])],
            None,
            "depth, saliency or masks",
            "pools its scores",
        ),
        // BERT, GPT, a tokenizer's numbers under another name, and CLIP.
        (
            &[("input_ids", I, &[OPEN, OPEN]), ("attention_mask", I, &[OPEN, OPEN])],
            &["Relu"],
            &[("logits", F, &[OPEN, 2])],
            None,
            "a language model",
            "one image",
        ),
        (
            &[("x", I, &[1, OPEN])],
            &["Relu"],
            &[("y", F, &[1, OPEN, 50257])],
            None,
            "a language model",
            "one image",
        ),
        (
            &[("pixel_values", F, &[1, 3, 224, 224]), ("input_ids", I, &[1, 77])],
            &["Relu"],
            &[("logits", F, &[1, 1])],
            None,
            "pictures with text",
            "image part",
        ),
        // Whisper, wav2vec 2, a spectrogram and bare samples.
        (
            &[("input_features", F, &[1, 80, 3000])],
            &["Relu"],
            &[("last_hidden_state", F, &[1, 1500, 512])],
            None,
            "speech or sound",
            "one image",
        ),
        (
            &[("input_values", F, &[1, OPEN])],
            &["Relu"],
            &[("logits", F, &[1, OPEN, 32])],
            None,
            "speech or sound",
            "one image",
        ),
        (&[("x", F, &[1, 64, OPEN])], &["Relu"], &[("y", F, &[1, 527])], None, "a spectrogram", "one image"),
        (&[("x", F, &[1, 16000])], &["Relu"], &[("y", F, &[1, 35])], None, "sound", "one image"),
        (&[("x", F, &[1, 30])], &["Relu"], &[("y", F, &[1, 2])], None, "rows of numbers", "TreeSHAP"),
        (
            &[("x", F, &[OPEN, 4])],
            &["TreeEnsembleClassifier"],
            &[("label", I, &[OPEN]), ("probabilities", F, &[OPEN, 3])],
            None,
            "a tree ensemble",
            "TreeSHAP",
        ),
        (
            &[("x", F, &[OPEN, 4])],
            &["TreeEnsembleRegressor"],
            &[("variable", F, &[OPEN, 1])],
            None,
            "a tree ensemble",
            "TreeSHAP",
        ),
        // A GAN, a diffusion network, a super-resolution.
        (
            &[("z", F, &[1, 512])],
            &["Relu"],
            &[("img", F, &[1, 3, 256, 256])],
            None,
            "an image generator",
            "one image",
        ),
        (
            &[("sample", F, &[1, 4, 64, 64]), ("timestep", F, &[1])],
            &["Relu"],
            &[("out_sample", F, &[1, 4, 64, 64])],
            None,
            "an image generator",
            "one image",
        ),
        (
            &[("input", F, &[1, 3, 64, 64])],
            &["Relu"],
            &[("output", F, &[1, 3, 256, 256])],
            None,
            "super-resolution",
            "one image",
        ),
        // Networks without their classes.
        (
            &[IMAGE],
            &["Relu"],
            &[("feature", F, &[1, 2048, 7, 7])],
            None,
            "a network without its classes",
            "the whole network",
        ),
        (
            &[IMAGE],
            &["Relu"],
            &[("last_hidden_state", F, &[1, 257, 1024])],
            None,
            "a network without its classes",
            "the whole network",
        ),
        (
            &[("video", F, &[1, 3, 16, 112, 112])],
            &["Relu"],
            &[("y", F, &[1, 400])],
            None,
            "videos or volumes",
            "single images",
        ),
        (
            &[IMAGE],
            &["MultiHeadAttention", "Unknown"],
            &[("logits", F, &[1, 1000])],
            None,
            "a vision transformer",
            "Unknown (node",
        ),
        (
            &[IMAGE],
            &["Conv", "Conv", "Conv", "Conv", "Conv", "Attention", "Unknown"],
            &[("logits", F, &[1, 1000])],
            None,
            "a network with attention",
            "Unknown (node",
        ),
    ];
    for (inputs, operators, outputs, task, what, way) in rows {
        let why = Network::from_onnx(file(inputs, operators, outputs, task)).unwrap_err().to_string();
        assert!(
            why.starts_with("this is ") && why.contains(what) && why.contains(way),
            "{what}, {way}: {why}"
        );
        assert!(!why.contains('\n') && why.len() < 400, "one sentence: {why}");
    }
}

/// A name is given where something fails, or where nothing else can be meant.
#[test]
fn classifiers_are_called_nothing() {
    let rows: [(&[Port], &[&str], &[Port]); 6] = [
        // A ConvNeXt.
        (&[IMAGE], &["LayerNormalization", "MatMul", "Unknown"], &[("logits", F, &[1, 1000])]),
        (&[IMAGE], &["Unknown"], &[("logits", F, &[1, 1000])]),
        (
            &[("input", F, &[OPEN, 224, 224, 3])],
            &["Unknown"],
            &[("features", F, &[OPEN, 8, 7, 7]), ("logits", F, &[OPEN, 5])],
        ),
        (&[("melanoma", F, &[1, 3, 224, 224])], &["Unknown"], &[("y", F, &[1, 1])]),
        (&[("input", F, &[1, 1, 28, 28])], &["Unknown"], &[("y", F, &[1, 10])]),
        (&[("camera", F, &[OPEN, OPEN, OPEN, OPEN])], &["Unknown"], &[("y", F, &[OPEN, 10])]),
    ];
    for (inputs, operators, outputs) in rows {
        let error = Network::from_onnx(file(inputs, operators, outputs, None)).unwrap_err();
        assert!(error.code() == "unsupported" && !error.to_string().contains("this is"), "{error}");
    }
}

/// A language model is called one before somebody looks for its weights, a classifier's are missed.
#[test]
fn what_is_sure_goes_before_missing_weights() {
    use tract_onnx::pb::{TensorProto, tensor_proto::DataLocation};
    let with_weights = |inputs: &[Port], outputs: &[Port]| {
        let mut model = ModelProto::decode(&file(inputs, &["Relu"], outputs, None)[..]).unwrap();
        let place = StringStringEntryProto { key: "location".into(), value: "model.onnx_data".into() };
        model.graph.as_mut().unwrap().initializer.push(TensorProto {
            name: "weights".into(),
            dims: vec![1],
            data_type: F as i32,
            data_location: Some(DataLocation::External as i32),
            external_data: vec![place],
            ..<_>::default()
        });
        Network::from_onnx(model.encode_to_vec()).unwrap_err()
    };
    let text = with_weights(&[("input_ids", I, &[OPEN, OPEN])], &[("logits", F, &[OPEN, OPEN, 50257])]);
    assert!(text.to_string().contains("a language model"), "{text}");
    let image = with_weights(&[IMAGE], &[("logits", F, &[1, 1000])]);
    assert!(image.code() == "missing-data" && image.to_string().contains("model.onnx_data"), "{image}");
}
