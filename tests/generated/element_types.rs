//! Files whose weights, values, image or scores are of other types than float32, beside a plain network of float32. Its
//! weights are multiples of 1/16 below 1/2, which every type here holds: the scores are the same to the bit, or as near as
//! another order of sums leaves them.

use prost::Message as _;
use tract_onnx::pb::{GraphProto, TensorProto, ValueInfoProto, tensor_proto::DataType, type_proto};

use crate::{
    models::{floats, int, node},
    semantics::{refusal, scores},
    twins::{assert_near, graph, plain},
};

/// The bytes of a float in a type.
fn encoded(v: f32, kind: DataType) -> Vec<u8> {
    match kind {
        DataType::Float16 => half::f16::from_f32(v).to_le_bytes().to_vec(),
        DataType::Bfloat16 => half::bf16::from_f32(v).to_le_bytes().to_vec(),
        DataType::Double => f64::from(v).to_le_bytes().to_vec(),
        // A sixteenth is one.
        DataType::Int8 => vec![(v * 16.0) as u8],
        other => panic!("no case of {other:?}"),
    }
}

/// Rewrites every weight in a type.
fn encode_weights(graph: &mut GraphProto, kind: DataType) {
    for tensor in &mut graph.initializer {
        tensor.raw_data = tensor.float_data.drain(..).flat_map(|v| encoded(v, kind)).collect();
        tensor.data_type = kind as i32;
    }
}

/// Says that the file's image or scores are of a type.
fn declare(value: &mut ValueInfoProto, kind: DataType) {
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_mut().unwrap().value.as_mut() else {
        panic!("no tensor")
    };
    tensor.elem_type = kind as i32;
}

const FLOATS: [DataType; 3] = [DataType::Float16, DataType::Bfloat16, DataType::Double];

#[test]
fn other_floats_inside_are_floats() {
    let _turn = crate::turn();
    for kind in FLOATS {
        let mut written = plain();
        let inner = graph(&mut written);
        encode_weights(inner, kind);
        inner.node.insert(0, node("Cast", &["x"], "other", vec![int("to", kind as i64)]));
        inner.node[1].input[0] = "other".into();
        inner.node.push(node("Cast", &["scores"], "floats", vec![int("to", 1)]));
        inner.output[0].name = "floats".into();
        assert_eq!(scores(&written), scores(&plain()), "{kind:?}");
    }
}

#[test]
fn images_and_scores_may_be_other_floats() {
    let _turn = crate::turn();
    for kind in FLOATS {
        let mut written = plain();
        let inner = graph(&mut written);
        encode_weights(inner, kind);
        declare(&mut inner.input[0], kind);
        declare(&mut inner.output[0], kind);
        assert_eq!(scores(&written), scores(&plain()), "{kind:?}");
    }
}

/// Files that are made small keep their weights in another type, and cast each before it is used; integers are scaled, too.
#[test]
fn weights_may_be_cast_from_other_types() {
    let _turn = crate::turn();
    for kind in [FLOATS.as_slice(), &[DataType::Int8]].concat() {
        let mut written = plain();
        let inner = graph(&mut written);
        encode_weights(inner, kind);
        let (mut nodes, is_scaled) = (vec![], kind == DataType::Int8);
        for tensor in &mut inner.initializer {
            let name = tensor.name.clone();
            tensor.name = format!("{name}_stored");
            let real = if is_scaled { format!("{name}_steps") } else { name.clone() };
            nodes.push(node("Cast", &[&tensor.name], &real, vec![int("to", 1)]));
            if is_scaled {
                nodes.push(node("Mul", &[&real, "sixteenth"], &name, vec![]));
            }
        }
        inner.node.splice(0..0, nodes);
        inner.initializer.push(TensorProto { float_data: vec![1.0 / 16.0], ..floats("sixteenth", &[]) });
        assert_eq!(scores(&written), scores(&plain()), "{kind:?}");
    }
}

#[test]
fn pixels_of_eight_bits_may_be_cast_to_floats() {
    let _turn = crate::turn();
    let bytes = |reader: &str| {
        let mut written = plain();
        let graph = graph(&mut written);
        declare(&mut graph.input[0], DataType::Uint8);
        graph.node.insert(0, node(reader, &["x"], "real", vec![int("to", 1)]));
        if reader != "Cast" {
            graph.node[0].attribute.clear();
        }
        graph.node[1].input[0] = "real".into();
        written
    };
    assert_eq!(scores(&bytes("Cast")), scores(&plain()));
    let network = pellucid::network::Network::from_onnx(bytes("Cast").encode_to_vec()).unwrap();
    assert!(network.guess().note().contains("raw"), "{}", network.guess().note());
    assert!(refusal(&bytes("Neg")).contains("bytes that a Cast or a DequantizeLinear makes floats of"));
}

/// As full-integer networks of TensorFlow Lite are converted.
#[test]
fn pixels_of_eight_bits_may_be_dequantized() {
    let _turn = crate::turn();
    let quantized = |kind: DataType| {
        let mut written = plain();
        let graph = graph(&mut written);
        declare(&mut graph.input[0], kind);
        graph.node.insert(0, node("DequantizeLinear", &["x", "s", "z"], "real", vec![]));
        graph.node[1].input[0] = "real".into();
        let zero =
            TensorProto { data_type: kind as i32, float_data: vec![], raw_data: vec![3], ..floats("z", &[]) };
        graph.initializer.extend([TensorProto { float_data: vec![0.5], ..floats("s", &[]) }, zero]);
        written
    };
    // The integers less three, times a half.
    let mut twin = plain();
    let inner = graph(&mut twin);
    let scalar = |name: &str, value: f32| TensorProto { float_data: vec![value], ..floats(name, &[]) };
    inner.initializer.extend([scalar("three", 3.0), scalar("half", 0.5)]);
    inner.node.insert(0, node("Sub", &["x", "three"], "steps", vec![]));
    inner.node.insert(1, node("Mul", &["steps", "half"], "real", vec![]));
    inner.node[2].input[0] = "real".into();
    for kind in [DataType::Uint8, DataType::Int8] {
        assert_near(&scores(&quantized(kind)), &scores(&twin));
    }
    let open = |kind| pellucid::network::Network::from_onnx(quantized(kind).encode_to_vec()).unwrap();
    assert_eq!(open(DataType::Uint8).metadata().mean, None);
    assert_eq!(open(DataType::Int8).metadata().mean, Some([128.0; 3]));
}
