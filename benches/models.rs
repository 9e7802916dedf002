//! The networks that the benches run beside the shipped one: `cargo run --example bench-models -- FOLDER`.
//!
//! - `lite0-float.onnx`: the shipped network with its weights made floats and its activations' quantizers taken out.
//! - `mobilenet-v1.onnx`: a network of MobileNet v1's shape (1.0, 224) with seeded random weights, and the same
//!   weights as bare float32 in `mobilenet-v1.bin`, for peers that read no ONNX.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use pellucid::rng;
use prost::Message;
use rand::RngExt;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType, type_proto,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("usage: bench-models FOLDER")?);
    fs::create_dir_all(&out)?;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/efficientnet-lite0-int8.onnx");
    let mut model = ModelProto::decode(&*fs::read(shipped)?)?;
    model.graph = Some(without_quantizers(model.graph.ok_or("the shipped model has no graph")?)?);
    fs::write(out.join("lite0-float.onnx"), model.encode_to_vec())?;

    let (mobilenet, weights) = mobilenet();
    fs::write(out.join("mobilenet-v1.onnx"), mobilenet.encode_to_vec())?;
    fs::write(out.join("mobilenet-v1.bin"), weights)?;
    Ok(())
}

/// The float network that a quantized one stands for.
fn without_quantizers(graph: GraphProto) -> Result<GraphProto> {
    let constants: HashMap<&str, &TensorProto> =
        graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
    // The name in the new graph of each value that a quantizer made.
    let mut names: HashMap<String, String> = HashMap::new();
    let mut made = Vec::new();
    let mut nodes = Vec::new();
    for node in &graph.node {
        let renamed = |name: &String| names.get(name).unwrap_or(name).clone();
        match (node.op_type.as_str(), constants.get(node.input[0].as_str())) {
            ("DequantizeLinear", Some(quantized)) => made.push(dequantized(node, quantized, &constants)?),
            ("QuantizeLinear" | "DequantizeLinear", _) => {
                names.insert(node.output[0].clone(), renamed(&node.input[0]));
            }
            _ => nodes.push(NodeProto { input: node.input.iter().map(renamed).collect(), ..node.clone() }),
        }
    }
    let is_read = |name: &str| nodes.iter().any(|node| node.input.iter().any(|input| input == name));
    made.extend(graph.initializer.iter().filter(|t| is_read(&t.name)).cloned());
    Ok(GraphProto { node: nodes, initializer: made, ..graph })
}

/// The floats of a constant: (q - zero point) * scale, with one scale or one for each index of `axis`.
fn dequantized(
    node: &NodeProto,
    quantized: &TensorProto,
    constants: &HashMap<&str, &TensorProto>,
) -> Result<TensorProto> {
    let constant = |i: usize| node.input.get(i).and_then(|name| constants.get(name.as_str()));
    let scales = values(constant(1).ok_or("a scale that is not constant")?)?;
    let zeros = constant(2).map_or(Ok(vec![0.0; scales.len()]), |t| values(t))?;
    let axis = node.attribute.iter().find(|a| a.name == "axis").map_or(1, |a| a.i);
    let inner: i64 = quantized.dims.iter().skip(usize::try_from(axis)? + 1).product();
    let inner = usize::try_from(inner)?;
    let floats = values(quantized)?.into_iter().enumerate().map(|(i, q)| {
        let channel = if scales.len() == 1 { 0 } else { i / inner % scales.len() };
        (q - zeros[channel]) * scales[channel]
    });
    Ok(float_tensor(&node.output[0], &quantized.dims, &floats.collect::<Vec<_>>()))
}

fn values(tensor: &TensorProto) -> Result<Vec<f32>> {
    let raw = &tensor.raw_data;
    let words = || raw.chunks_exact(4).map(|word| [word[0], word[1], word[2], word[3]]);
    Ok(match DataType::try_from(tensor.data_type)? {
        DataType::Float if raw.is_empty() => tensor.float_data.clone(),
        DataType::Float => words().map(f32::from_le_bytes).collect(),
        _ if raw.is_empty() => tensor.int32_data.iter().map(|&v| v as f32).collect(),
        DataType::Int8 => raw.iter().map(|&byte| f32::from(byte as i8)).collect(),
        DataType::Uint8 => raw.iter().map(|&byte| f32::from(byte)).collect(),
        DataType::Int32 => words().map(|word| i32::from_le_bytes(word) as f32).collect(),
        other => return Err(format!("constant {} is of type {other:?}", tensor.name).into()),
    })
}

/// A chain of nodes, each reading the one before.
struct Chain {
    graph: GraphProto,
    /// The last value of the chain, and how many channels it has.
    last: (String, i64),
    weights: Vec<u8>,
}

fn mobilenet() -> (ModelProto, Vec<u8>) {
    let input = value("input", &[1, 3, 224, 224]);
    let output = value("logits", &[1, 1000]);
    let graph = GraphProto {
        name: "mobilenet-v1".into(),
        input: vec![input],
        output: vec![output],
        ..<_>::default()
    };
    let mut chain = Chain { graph, last: ("input".into(), 3), weights: vec![] };
    chain.convolution("stem", 32, 3, 2, false);
    let blocks = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)];
    let blocks = blocks.into_iter().chain([(512, 1); 5]).chain([(1024, 2), (1024, 1)]);
    for (i, (channels, stride)) in blocks.enumerate() {
        chain.convolution(&format!("block{i}.depthwise"), chain.last.1, 3, stride, true);
        chain.convolution(&format!("block{i}.pointwise"), channels, 1, 1, false);
    }
    chain.node("GlobalAveragePool", "pool", &[], vec![]);
    chain.node("Flatten", "flatten", &[], vec![]);
    let weight = chain.random("classifier.weight", &[1000, 1024], 1024);
    let bias = chain.random("classifier.bias", &[1000], 1024);
    chain.node("Gemm", "logits", &[weight, bias], vec![integers("transB", &[1])]);
    let metadata = [("mean", "127,127,127"), ("std", "128,128,128"), ("resize", "224")]
        .map(|(key, value)| StringStringEntryProto { key: format!("pellucid.{key}"), value: value.into() });
    let model = ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { version: 13, ..<_>::default() }],
        metadata_props: metadata.into(),
        graph: Some(chain.graph),
        ..<_>::default()
    };
    (model, chain.weights)
}

impl Chain {
    /// A convolution with TensorFlow's SAME padding on an even side, and a ReLU6.
    fn convolution(&mut self, name: &str, channels: i64, kernel: i64, stride: i64, is_depthwise: bool) {
        let inputs = if is_depthwise { 1 } else { self.last.1 };
        let weight = self.random(
            &format!("{name}.weight"),
            &[channels, inputs, kernel, kernel],
            inputs * kernel * kernel,
        );
        let bias = self.random(&format!("{name}.bias"), &[channels], 100);
        let (before, after) = if kernel == 1 {
            (0, 0)
        } else if stride == 2 {
            (0, 1)
        } else {
            (1, 1)
        };
        let attributes = vec![
            integers("kernel_shape", &[kernel, kernel]),
            integers("strides", &[stride, stride]),
            integers("pads", &[before, before, after, after]),
            integers("group", &[if is_depthwise { channels } else { 1 }]),
        ];
        self.node("Conv", name, &[weight, bias], attributes);
        self.last.1 = channels;
        let bounds = [(0.0, "zero"), (6.0, "six")].map(|(bound, name)| {
            if !self.graph.initializer.iter().any(|t| t.name == name) {
                self.graph.initializer.push(float_tensor(name, &[], &[bound]));
            }
            name.to_owned()
        });
        self.node("Clip", &format!("{name}.relu6"), &bounds, vec![]);
    }

    fn node(&mut self, operator: &str, name: &str, constants: &[String], attribute: Vec<AttributeProto>) {
        let mut input = vec![self.last.0.clone()];
        input.extend_from_slice(constants);
        let (op_type, output) = (operator.to_owned(), vec![name.to_owned()]);
        self.graph.node.push(NodeProto {
            op_type,
            name: name.into(),
            input,
            output,
            attribute,
            ..<_>::default()
        });
        self.last.0 = name.into();
    }

    /// A constant with values of about unit variance after a ReLU.
    fn random(&mut self, name: &str, dims: &[i64], fan_in: i64) -> String {
        let mut rng = rng::for_sample(1, self.graph.initializer.len() as u64);
        let bound = (6.0 / fan_in as f32).sqrt();
        let values: Vec<f32> = (0..dims.iter().product()).map(|_| rng.random_range(-bound..bound)).collect();
        let tensor = float_tensor(name, dims, &values);
        self.weights.extend_from_slice(&tensor.raw_data);
        self.graph.initializer.push(tensor);
        name.to_owned()
    }
}

fn float_tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: DataType::Float.into(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..<_>::default()
    }
}

fn integers(name: &str, values: &[i64]) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.into(), ..<_>::default() };
    if matches!(name, "group" | "transB") {
        attribute.r#type = AttributeType::Int.into();
        attribute.i = values[0];
    } else {
        attribute.r#type = AttributeType::Ints.into();
        attribute.ints = values.to_vec();
    }
    attribute
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = |&size: &i64| Dimension { value: Some(dimension::Value::DimValue(size)), ..<_>::default() };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float.into(), shape: Some(shape) };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..<_>::default() };
    ValueInfoProto { name: name.into(), r#type: Some(r#type), ..<_>::default() }
}
