//! ONNX files, as tract's protobuf parser gives them, to graphs.

use std::{borrow::Cow, collections::HashMap};

use prost::{
    Message,
    bytes::{Buf, Bytes},
};
use tract_onnx::pb::ModelProto;

pub use super::import::{Imported, import, import_for};
pub use super::reading::InputSize;
use super::{
    Guess, Head, Metadata, Network, Reading, Summary, external, functions,
    head::{Chooser, Ending},
    import::needed,
    input_type::InputType,
    layers::{default_layer, layers},
    not_onnx, order,
    outputs::{self, Scores},
    position_embedding,
    purpose::Purpose,
    wire,
};
use crate::{
    chain::Step,
    error::{Error, Result},
    graph::{Graph, ValueId},
    limits,
    ops::{onnx::Operand, pointwise::Pointwise, reshape::Reshape},
    picture::Preset,
};

/// Decodes an ONNX file. One that is given away (a `Vec<u8>`) is freed when it is decoded.
///
/// # Errors
/// [`Error::Limit`] when it is too large, [`Error::Model`] when it is no ONNX file or cut short.
pub fn decode<'a>(file: impl Into<Cow<'a, [u8]>>) -> Result<ModelProto> {
    match file.into() {
        Cow::Borrowed(bytes) => decode_from(bytes, bytes),
        // The decoder copies each field twice from a slice, and once from a buffer that owns its bytes.
        Cow::Owned(bytes) => {
            let bytes = Bytes::from(bytes);
            decode_from(&bytes, bytes.clone())
        }
    }
}

/// Decodes `bytes`, which `buffer` gives too.
fn decode_from(bytes: &[u8], buffer: impl Buf) -> Result<ModelProto> {
    limits::check("the model file's size in bytes", bytes.len() as u64, limits::MODEL_BYTES)?;
    if let Err(fault) = wire::check(bytes) {
        return Err(if not_onnx::is_known(bytes) { Error::Model(not_onnx::reason(bytes)) } else { fault });
    }
    let model = ModelProto::decode(buffer).ok();
    let model = model.filter(|m| m.graph.as_ref().is_some_and(|g| !g.node.is_empty()));
    let mut model = model.ok_or_else(|| Error::Model(not_onnx::reason(bytes)))?;
    functions::put_in(&mut model)?;
    if let Some(graph) = &mut model.graph {
        order::sort(graph);
    }
    Ok(model)
}

impl Network {
    /// Reads a classifier: one image in, one score per class out. A file that is given away (a `Vec<u8>`) is freed as
    /// soon as it is decoded.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::Model`], [`Error::NotFinite`], or [`Error::Unsupported`] naming every
    /// operator and node that cannot be honoured.
    pub fn from_onnx<'a>(file: impl Into<Cow<'a, [u8]>>) -> Result<Self> {
        Self::read(file, &Reading::default())
    }

    /// Reads a file as [`Self::from_onnx`] does, with choices for what the file leaves open.
    ///
    /// # Errors
    /// As [`Self::from_onnx`]; [`Error::MissingData`] where the file keeps weights in files that are not there, and
    /// [`Error::Argument`] for an output that it does not have, or a size where it fixes another.
    pub fn read<'a>(file: impl Into<Cow<'a, [u8]>>, reading: &Reading<'_>) -> Result<Self> {
        let file = file.into();
        let size = file.len() as u64;
        let mut model = decode(file)?;
        let purpose = Purpose::of(&model);
        Purpose::check(purpose.as_ref())?;
        Self::of(&mut model, size, reading).map_err(|error| Purpose::explain(purpose, error))
    }

    /// Reads a decoded file of this many bytes.
    fn of(model: &mut ModelProto, size: u64, reading: &Reading<'_>) -> Result<Self> {
        reading.check()?;
        let none = HashMap::new();
        external::put_in(model, reading.files.unwrap_or(&none), size)?;
        let mut metadata = Metadata::read(&model.metadata_props)?;
        let file = model.graph.as_ref().ok_or_else(|| Error::Model(EMPTY.into()))?;
        let scores = Scores::choose(file, reading.scores)?;
        let outputs = (outputs::all(file), scores.output.clone());
        let mut guess = Guess::of(model, file);
        let summary = Summary::of(file, &needed(file, &scores.name));
        let usual = reading.usual_size.or(metadata.size).or_else(|| position_embedding::image_size(file));
        let size = InputSize { wanted: reading.size, usual };
        let Imported { mut graph, names, operators, mut notes, is_size_open } =
            import_for(model, Some(&scores.name), size)?;
        metadata.labels = metadata.labels.or(scores.labels);
        notes.extend(scores.note);
        notes.extend(metadata.note.clone());
        let image = image_of(&graph)?;
        guess.for_channels(graph.node(image).shape[0]);
        let name = &graph.node(image).name;
        let input_type = model.graph.as_ref().map(|file| InputType::of(file, name)).transpose()?;
        if input_type.is_some_and(|input_type| input_type != InputType::Floats) {
            guess = Guess { preset: Preset::Raw, why: "its input has 8-bit pixels".into() };
        }
        if input_type == Some(InputType::SignedBytes) && metadata.centre_bytes() {
            notes.push(SIGNED.into());
        }
        let Some(Operand::Value(output)) = names.get(&scores.name) else {
            return Err(Error::Model(CONSTANT.into()));
        };
        let ending = class_scores(&mut graph, *output)?;
        let classes = graph.node(ending.scores).elements() as u64;
        limits::check("the number of classes", classes, limits::CLASSES)?;
        if graph.nodes().iter().filter_map(|n| n.as_op::<Pointwise>()).any(is_quantizer) {
            notes.push(QUANTIZED.into());
        }
        let layers = layers(&graph, &operators, |value| operators.contains_key(&value));
        let default_layer = default_layer(&graph, ending.scores, &layers);
        let value = |(name, operand)| if let Operand::Value(v) = operand { Some((name, v)) } else { None };
        let chosen = metadata.head.map(|head| (head, Chooser::Metadata));
        let mut network = Self {
            image,
            logits: ending.scores,
            head: Head::None,
            ending,
            head_note: None,
            names: names.into_iter().filter_map(value).collect(),
            operators,
            layers,
            default_layer,
            metadata,
            guess,
            summary: summary.with_activations(&graph),
            outputs,
            is_size_open,
            notes,
            graph,
        };
        network.settle(chosen)?;
        Ok(network)
    }
}

/// The one input, which must be an image `[C, H, W]`.
fn image_of(graph: &Graph) -> Result<ValueId> {
    let &[image] = graph.inputs() else {
        return Err(Error::Model(format!(
            "the model has {} inputs, and should have one image; export it with constants in place of the others",
            graph.inputs().len()
        )));
    };
    let shape = &graph.node(image).shape;
    if shape.len() != 3 {
        return Err(Error::Model(format!(
            "the model's input is {shape:?} per image, and should be [C, H, W] (channels, height, width)"
        )));
    }
    Ok(image)
}

/// The error for a file without a graph.
const EMPTY: &str = "the file holds no graph; export it again";
/// The error for scores that are constants.
const CONSTANT: &str = "the model's output does not depend on its input; export the whole network again";
/// The note on an input of int8.
const SIGNED: &str = "Its input has signed 8-bit pixels: 128 is subtracted from each, as most quantizers for small devices want \
    it. Other numbers can be given as the mean and the deviation.";
/// The note on every quantized network.
pub const QUANTIZED: &str = "The network is quantized. The forward pass is the quantized one; gradients are \
    straight-through: one where a value was inside its quantizer's range, zero where it saturated.";

fn is_quantizer(chain: &Pointwise) -> bool {
    chain.steps.iter().any(|s| matches!(s, Step::Quantize(_)))
}

/// How the output ends, with the value before its head as `[classes]`.
fn class_scores(graph: &mut Graph, output: ValueId) -> Result<Ending> {
    let ending = Ending::of(graph, output);
    let node = graph.node(ending.scores);
    let classes = node.elements();
    if node.shape.len() == 1 {
        return Ok(ending);
    }
    if !node.shape.contains(&classes) {
        return Err(Error::Model(format!(
            "the model's output is {:?} per image, and should be one score per class; only classifiers can be explained",
            node.shape
        )));
    }
    let name = format!("{}/flat", node.name);
    Ok(Ending { scores: graph.add(name, Reshape { shape: vec![classes] }, &[ending.scores])?, ..ending })
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{
        GraphProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
        tensor_proto::DataType,
        tensor_shape_proto::{Dimension, dimension},
        type_proto,
    };

    use super::*;

    fn shape(dims: &[i64]) -> TypeProto {
        let dim = |&d| Dimension { value: Some(dimension::Value::DimValue(d)), ..Default::default() };
        let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
        let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
        TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }
    }

    /// A model of one node that reads the image and a weight, followed by what pools it to two classes.
    fn model(operator: &str, domain: &str, weights: Vec<f32>) -> Vec<u8> {
        let value = |name: &str, dims: &[i64]| ValueInfoProto {
            name: name.into(),
            r#type: Some(shape(dims)),
            ..Default::default()
        };
        let node = |op: &str, domain: &str, inputs: &[&str], output: &str| NodeProto {
            op_type: op.into(),
            domain: domain.into(),
            name: format!("{output}-node"),
            input: inputs.iter().map(|&i| i.into()).collect(),
            output: vec![output.into()],
            ..Default::default()
        };
        let graph = GraphProto {
            node: vec![
                node(operator, domain, &["image", "weights"], "first"),
                node("GlobalAveragePool", "", &["first"], "pooled"),
                node("Flatten", "", &["pooled"], "scores"),
            ],
            initializer: vec![TensorProto {
                name: "weights".into(),
                dims: vec![2, 3, 1, 1],
                data_type: DataType::Float as i32,
                float_data: weights,
                ..Default::default()
            }],
            input: vec![value("image", &[1, 3, 8, 8])],
            output: vec![value("scores", &[1, 2])],
            ..Default::default()
        };
        let opset_import = vec![OperatorSetIdProto { version: 13, ..Default::default() }];
        ModelProto { graph: Some(graph), opset_import, ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn a_small_model_is_read() {
        let network = Network::from_onnx(model("Conv", "", vec![1.0; 6])).unwrap();
        assert_eq!((network.classes(), network.default_layer().unwrap().name.as_str()), (2, "first-node"));
    }

    #[test]
    fn nan_weights_are_refused_by_name() {
        let mut weights = vec![1.0; 6];
        weights[4] = f32::NAN;
        let error = Network::from_onnx(model("Conv", "", weights)).unwrap_err();
        assert_eq!(error.code(), "not-finite");
        assert!(error.to_string().contains("weights"), "{error}");
    }

    #[test]
    fn weights_of_the_wrong_size_are_refused() {
        assert_eq!(Network::from_onnx(model("Conv", "", vec![1.0; 5])).unwrap_err().code(), "model");
    }

    #[test]
    fn unknown_operators_are_named_with_their_domain() {
        let error =
            Network::from_onnx(model("QEmbedLayerNormalization", "com.microsoft", vec![1.0; 6])).unwrap_err();
        assert_eq!(error.code(), "unsupported");
        assert!(
            error.to_string().contains("com.microsoft.QEmbedLayerNormalization (node \"first-node\""),
            "{error}"
        );
    }
}
