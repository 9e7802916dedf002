//! Which of a model's outputs are the scores.

use tract_onnx::pb::{
    GraphProto, NodeProto, ValueInfoProto, tensor_proto::DataType, tensor_shape_proto::dimension, type_proto,
};

use super::import::needed;
use crate::{
    error::{Error, Result},
    ops::onnx::short,
};

/// The output that is explained.
#[derive(Debug, PartialEq)]
pub struct Scores {
    /// Its name in the file.
    pub name: String,
    /// The class names that the file has for it, where a classical converter wrote them.
    pub labels: Option<Vec<String>>,
    /// What a reader should know of the choice.
    pub note: Option<String>,
}

impl Scores {
    /// Chooses the output that looks like one score per class: a float tensor with one axis beside the batch that has
    /// classes. Of several the one that is computed from another is taken, then the first. Where none looks like it,
    /// the first output is taken, for its shape may be open.
    pub fn choose(file: &GraphProto) -> Result<Self> {
        let first = file
            .output
            .first()
            .ok_or_else(|| Error::Model("the model has no output; export it again".into()))?;
        let candidates: Vec<Self> = file.output.iter().filter_map(|output| Self::of(file, output)).collect();
        let last = |scores: &&Self| {
            let needed = needed(file, &scores.name);
            let reads = |other: &Self| {
                let made_here =
                    |(node, needed): (&NodeProto, &bool)| *needed && node.output.contains(&other.name);
                other != *scores && file.node.iter().zip(&needed).any(made_here)
            };
            candidates.iter().any(reads)
        };
        let chosen = candidates.iter().find(last).or(candidates.first());
        let fallback = || Self { name: first.name.clone(), labels: None, note: None };
        let mut scores = chosen.map_or_else(fallback, |s| Self {
            note: None,
            labels: s.labels.clone(),
            name: s.name.clone(),
        });
        if file.output.len() > 1 {
            let all: Vec<_> = file.output.iter().map(|o| format!("{:?}", short(&o.name))).collect();
            scores.note = Some(format!(
                "The model has {} outputs ({}); {:?} is explained, since it looks like one score per class.",
                all.len(),
                all.get(..8).unwrap_or(&all).join(", "),
                short(&scores.name)
            ));
        }
        Ok(scores)
    }

    fn of(file: &GraphProto, output: &ValueInfoProto) -> Option<Self> {
        if let Some(node) = file.node.iter().find(|node| node.output.first() == Some(&output.name))
            && node.op_type == "ZipMap"
        {
            let name = node.input.first()?.clone();
            return Some(Self { name, labels: class_labels(node), note: None });
        }
        let Some(type_proto::Value::TensorType(tensor)) = output.r#type.as_ref()?.value.as_ref() else {
            return None;
        };
        let float = [DataType::Float, DataType::Float16, DataType::Double, DataType::Bfloat16];
        if !float.iter().any(|&kind| kind as i32 == tensor.elem_type) {
            return None;
        }
        let extents = tensor.shape.as_ref()?.dim.iter().skip(1);
        let is_one = |dim: &dimension::Value| matches!(dim, dimension::Value::DimValue(1));
        let wide = extents.filter(|dim| !dim.value.as_ref().is_some_and(is_one)).count();
        (wide <= 1).then(|| Self { name: output.name.clone(), labels: None, note: None })
    }
}

/// The class names of a ZipMap of `ai.onnx.ml`: texts or numbers.
fn class_labels(node: &NodeProto) -> Option<Vec<String>> {
    let attribute = |name: &str| node.attribute.iter().find(|a| a.name == name);
    let texts = attribute("classlabels_strings")
        .map(|a| a.strings.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect());
    texts.or_else(|| attribute("classlabels_int64s").map(|a| a.ints.iter().map(i64::to_string).collect()))
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{AttributeProto, TensorShapeProto, TypeProto, tensor_shape_proto::Dimension};

    use super::*;

    fn output(name: &str, kind: DataType, extents: &[i64]) -> ValueInfoProto {
        let dim =
            |&extent: &i64| Dimension { value: Some(dimension::Value::DimValue(extent)), ..<_>::default() };
        let shape = TensorShapeProto { dim: extents.iter().map(dim).collect() };
        let tensor = type_proto::Tensor { elem_type: kind as i32, shape: Some(shape) };
        let value = Some(type_proto::Value::TensorType(tensor));
        ValueInfoProto {
            name: name.into(),
            r#type: Some(TypeProto { value, ..<_>::default() }),
            ..<_>::default()
        }
    }

    fn node(operator: &str, input: &str, output: &str) -> NodeProto {
        NodeProto {
            op_type: operator.into(),
            input: vec![input.into()],
            output: vec![output.into()],
            ..<_>::default()
        }
    }

    fn chosen(node: Vec<NodeProto>, output: Vec<ValueInfoProto>) -> Scores {
        Scores::choose(&GraphProto { node, output, ..<_>::default() }).unwrap()
    }

    #[test]
    fn features_and_labels_are_passed_over() {
        let nodes = vec![node("Conv", "x", "map"), node("ArgMax", "y", "label"), node("Gemm", "map", "y")];
        let scores = chosen(
            nodes,
            vec![
                output("map", DataType::Float, &[1, 8, 7, 7]),
                output("label", DataType::Int64, &[1]),
                output("y", DataType::Float, &[1, 5]),
            ],
        );
        assert_eq!(scores.name, "y");
        assert!(scores.note.unwrap().contains("3 outputs"));
    }

    #[test]
    fn what_is_computed_from_another_is_the_scores() {
        let nodes = vec![node("Flatten", "x", "embedding"), node("Gemm", "embedding", "y")];
        let outputs =
            vec![output("embedding", DataType::Float, &[1, 64]), output("y", DataType::Float, &[1, 5])];
        assert_eq!(chosen(nodes, outputs).name, "y");
    }

    #[test]
    fn a_zip_map_names_the_classes_of_what_it_reads() {
        let texts = |texts: &[&str]| texts.iter().map(|t| t.as_bytes().to_vec()).collect();
        let attribute = AttributeProto {
            name: "classlabels_strings".into(),
            strings: texts(&["cat", "dog"]),
            ..<_>::default()
        };
        let zip = NodeProto { attribute: vec![attribute], ..node("ZipMap", "y", "map") };
        let scores = chosen(
            vec![node("Softmax", "x", "y"), zip],
            vec![
                output("label", DataType::Int64, &[1]),
                ValueInfoProto { name: "map".into(), ..<_>::default() },
            ],
        );
        assert_eq!(
            (scores.name.as_str(), scores.labels.unwrap().as_slice()),
            ("y", &["cat".to_owned(), "dog".to_owned()][..])
        );
    }

    #[test]
    fn one_output_of_an_open_shape_is_taken_as_it_is() {
        let scores =
            chosen(vec![node("Gemm", "x", "y")], vec![ValueInfoProto { name: "y".into(), ..<_>::default() }]);
        assert_eq!(scores, Scores { name: "y".into(), labels: None, note: None });
    }
}
