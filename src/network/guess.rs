//! How a network's pixels are probably scaled, where nobody says: by what its file computes first, and by who wrote it.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use crate::{graph::Elements, ops::onnx, picture::Preset};

/// A guess at the preprocessing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The preset that is guessed.
    pub preset: Preset,
    /// Why, as the end of a sentence.
    pub why: String,
}

/// Most nodes that are looked at behind the image.
const DEPTH: usize = 8;
/// Most elements of a constant that scales channels.
const SCALE_ELEMENTS: i64 = 16;

impl Default for Guess {
    fn default() -> Self {
        Self { preset: Preset::Torchvision, why: "most networks read that".into() }
    }
}

impl Guess {
    /// Guesses from a decoded file.
    #[must_use]
    pub fn of(model: &ModelProto, file: &GraphProto) -> Self {
        if let Some(guess) = inside(file) {
            return guess;
        }
        let producer = model.producer_name.to_lowercase();
        if ["tf2onnx", "keras"].iter().any(|name| producer.contains(name)) {
            return keras(file, &model.producer_name);
        }
        if producer.contains("pytorch") {
            return Self { preset: Preset::Torchvision, why: "the file was written by PyTorch".into() };
        }
        Self::default()
    }

    /// Corrects the guess for networks that read no colours.
    pub(super) fn for_channels(&mut self, channels: usize) {
        if channels != 3 && self.preset != Preset::Raw {
            *self = Self { preset: Preset::Unit, why: "the network reads no colours".into() };
        }
    }

    /// The guess in a sentence.
    #[must_use]
    pub fn note(&self) -> String {
        format!(
            "Nothing says how pixels are scaled. The preset {} is a guess, since {}; if the model was trained with \
             another, choose that.",
            self.preset, self.why
        )
    }
}

/// Keras's own networks are of three kinds, which the names of their layers tell.
fn keras(file: &GraphProto, producer: &str) -> Guess {
    let named = |names: &[&str]| {
        let is_named = |text: &str| names.iter().any(|name| text.to_lowercase().contains(name));
        is_named(&file.name) || file.node.iter().any(|node| is_named(&node.name))
    };
    let (preset, kind) = if named(&["vgg16", "vgg19", "resnet50/", "resnet101/", "resnet152/"]) {
        (Preset::KerasCaffe, " and its layers are called as those of VGG or ResNet")
    } else if named(&["densenet"]) {
        (Preset::KerasTorch, " and its layers are called as those of DenseNet")
    } else {
        (Preset::KerasTf, "")
    };
    let producer = onnx::short(producer);
    Guess { preset, why: format!("the file was written by {producer}, from Keras{kind}") }
}

/// Whether a constant is small enough to scale channels. Its dimensions are the file's word, so their product may not fit.
fn is_scale(tensor: &TensorProto) -> bool {
    let elements = tensor.dims.iter().try_fold(1_i64, |product, &extent| product.checked_mul(extent));
    elements.is_some_and(|elements| (0..=SCALE_ELEMENTS).contains(&elements))
}

/// The guess where the file scales pixels itself: what it subtracts or divides by tells whether it wants 0 to 255.
fn inside(file: &GraphProto) -> Option<Guess> {
    let constants: HashMap<&str, &TensorProto> =
        file.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
    let held = |node: &NodeProto| {
        node.input.iter().find_map(|name| {
            let tensor = constants.get(name.as_str()).filter(|t| is_scale(t))?;
            let constant = onnx::constant(tensor).ok()?;
            match constant.elements {
                Elements::F32(values) => values.into_iter().map(f32::abs).reduce(f32::max),
                _ => None,
            }
        })
    };
    let image = file.input.iter().find(|input| !constants.contains_key(input.name.as_str()))?;
    let mut values = HashSet::from([image.name.as_str()]);
    let (mut unit, mut raw) = (false, false);
    for node in file.node.iter().take(DEPTH) {
        if !node.input.iter().any(|input| values.contains(input.as_str())) {
            continue;
        }
        let scale = match node.op_type.as_str() {
            "Cast" | "Transpose" | "Identity" => None,
            // Core ML's own scaling, which is of pixels.
            "ImageScaler" => {
                raw = true;
                None
            }
            "Sub" | "Add" | "Mul" | "Div" => Some(held(node)?),
            _ => break,
        };
        match (node.op_type.as_str(), scale) {
            // -1 to 1 from 0 to 1, or ImageNet's mean and deviation of that scale.
            ("Sub" | "Add", Some(v)) => (unit, raw) = (unit || v < 2.0, raw || v > 10.0),
            ("Div", Some(v)) => (unit, raw) = (unit || v < 2.0, raw || v > 10.0),
            ("Mul", Some(v)) => (unit, raw) = (unit || v > 1.5, raw || v < 0.1),
            _ => {}
        }
        values.extend(node.output.iter().map(String::as_str));
    }
    let (preset, range) = match (raw, unit) {
        (true, _) => (Preset::Raw, "0 to 255"),
        (false, true) => (Preset::Unit, "0 to 1"),
        (false, false) => return None,
    };
    Some(Guess { preset, why: format!("the file scales pixels itself, from {range}") })
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{ValueInfoProto, tensor_proto::DataType};

    use super::*;

    fn guess(producer: &str, nodes: &[(&str, f32)], name: &str) -> Preset {
        let mut file = GraphProto { name: name.into(), ..Default::default() };
        file.input = vec![ValueInfoProto { name: "v0".into(), ..Default::default() }];
        for (i, &(operator, value)) in nodes.iter().enumerate() {
            file.initializer.push(TensorProto {
                name: format!("c{i}"),
                dims: vec![1],
                data_type: DataType::Float as i32,
                float_data: vec![value],
                ..Default::default()
            });
            file.node.push(NodeProto {
                op_type: operator.into(),
                input: vec![format!("v{i}"), format!("c{i}")],
                output: vec![format!("v{}", i + 1)],
                ..Default::default()
            });
        }
        let model = ModelProto { producer_name: producer.into(), ..Default::default() };
        Guess::of(&model, &file).preset
    }

    #[test]
    fn scaling_inside_the_file_goes_first() {
        let conv = ("Conv", 1.0);
        assert_eq!(guess("pytorch", &[("Sub", 0.485), ("Div", 0.229), conv], ""), Preset::Unit);
        assert_eq!(guess("pytorch", &[("Sub", 123.7), ("Div", 58.4), conv], ""), Preset::Raw);
        assert_eq!(guess("tf2onnx", &[("Mul", 1.0 / 255.0), ("Sub", 0.485), conv], ""), Preset::Raw);
        assert_eq!(guess("tf2onnx", &[("Div", 127.5), ("Add", -1.0), conv], ""), Preset::Raw);
        assert_eq!(guess("tf2onnx", &[("Mul", 2.0), ("Sub", 1.0), conv], ""), Preset::Unit);
        assert_eq!(guess("onnxmltools", &[("ImageScaler", 1.0), conv], ""), Preset::Raw);
    }

    #[test]
    fn then_the_producer() {
        let conv = [("Conv", 1.0), ("Mul", 0.001)];
        assert_eq!(guess("pytorch", &conv, ""), Preset::Torchvision);
        assert_eq!(guess("tf2onnx", &conv, "mobilenet"), Preset::KerasTf);
        assert_eq!(guess("tf2onnx", &conv, "vgg16"), Preset::KerasCaffe);
        assert_eq!(guess("keras2onnx", &conv, "densenet121"), Preset::KerasTorch);
        assert_eq!(guess("", &conv, ""), Preset::Torchvision);
    }
}
