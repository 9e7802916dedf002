//! Which of a model's outputs are the scores.

use serde::Serialize;
use tract_onnx::pb::{
    GraphProto, NodeProto, ValueInfoProto,
    tensor_proto::DataType,
    tensor_shape_proto::{self, dimension},
    type_proto,
};

use super::import::needed;
use crate::{
    error::{Error, Result},
    limits,
    ops::onnx::short,
};

/// Most outputs that a message names.
const MOST_TOLD: usize = 8;

/// An output of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its element type and extents as the file states them, for people; an open extent has a name or is `?`.
    pub shape: String,
}

/// The outputs of a file.
pub fn all(file: &GraphProto) -> Vec<Output> {
    file.output.iter().map(|output| Output { name: output.name.clone(), shape: shape(output) }).collect()
}

/// The element type and extents of a value, for people.
pub fn shape(output: &ValueInfoProto) -> String {
    let kind = output.r#type.as_ref().and_then(|t| t.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = kind else { return "no tensor".into() };
    let kind =
        DataType::try_from(tensor.elem_type).unwrap_or(DataType::Undefined).as_str_name().to_lowercase();
    let Some(shape) = &tensor.shape else { return format!("{kind} of any shape") };
    let extent = |dim: &tensor_shape_proto::Dimension| match &dim.value {
        Some(dimension::Value::DimValue(v)) => v.to_string(),
        Some(dimension::Value::DimParam(name)) if !name.is_empty() => short(name),
        _ => "?".into(),
    };
    let extents: Vec<String> = shape.dim.iter().take(limits::RANK as usize).map(extent).collect();
    format!("{kind} [{}]", extents.join(", "))
}

/// The output that is explained.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The name of the value that has the scores.
    pub name: String,
    /// The name of the file's output: another where a ZipMap reads the scores.
    pub output: String,
    /// The class names that the file has for it, where a classical converter wrote them.
    pub labels: Option<Vec<String>>,
    /// The note on the choice.
    pub note: Option<String>,
}

impl Scores {
    /// Takes the output that is wanted, or chooses the one that looks like one score per class: a float tensor with one
    /// axis beside the batch that has classes. Of several the one that is computed from another is taken, then the
    /// first. Where none looks like it, the first output is taken, for its shape may be open.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is no such output, with those that there are, [`Error::Model`] when there is none
    /// at all.
    pub fn choose(file: &GraphProto, wanted: Option<&str>) -> Result<Self> {
        let first = file
            .output
            .first()
            .ok_or_else(|| Error::Model("the model has no output; export it again".into()))?;
        if let Some(wanted) = wanted {
            return Self::named(file, wanted);
        }
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
        let mut scores = chosen.cloned().unwrap_or_else(|| Self::plain(&first.name));
        if file.output.len() > 1 {
            let all: Vec<_> = file.output.iter().map(|o| format!("{:?}", short(&o.name))).collect();
            scores.note = Some(format!(
                "The model has {} outputs ({}); {:?} is explained, since it looks like one score per class.",
                all.len(),
                all.get(..MOST_TOLD).unwrap_or(&all).join(", "),
                short(&scores.name)
            ));
        }
        Ok(scores)
    }

    fn named(file: &GraphProto, wanted: &str) -> Result<Self> {
        if let Some(output) = file.output.iter().find(|output| output.name == wanted) {
            return Ok(Self::of(file, output).unwrap_or_else(|| Self::plain(wanted)));
        }
        let told: Vec<String> = all(file)
            .into_iter()
            .take(MOST_TOLD)
            .map(|Output { name, shape }| format!("{:?} ({shape})", short(&name)))
            .collect();
        let more = file.output.len().saturating_sub(told.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Err(Error::Argument(format!(
            "the model has no output {:?}; it has {}{more}",
            short(wanted),
            told.join(", ")
        )))
    }

    fn plain(name: &str) -> Self {
        Self { name: name.into(), output: name.into(), labels: None, note: None }
    }

    fn of(file: &GraphProto, output: &ValueInfoProto) -> Option<Self> {
        if let Some(node) = file.node.iter().find(|node| node.output.first() == Some(&output.name))
            && node.op_type == "ZipMap"
        {
            let name = node.input.first()?.clone();
            return Some(Self { name, output: output.name.clone(), labels: class_labels(node), note: None });
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
        (wide <= 1).then(|| Self::plain(&output.name))
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
        Scores::choose(&GraphProto { node, output, ..<_>::default() }, None).unwrap()
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
        assert_eq!(scores, Scores::plain("y"));
    }

    #[test]
    fn another_output_can_be_named() {
        let outputs =
            vec![output("map", DataType::Float, &[1, 8, 7, 7]), output("y", DataType::Float, &[-1, 5])];
        let file = GraphProto { node: vec![], output: outputs, ..<_>::default() };
        assert_eq!(Scores::choose(&file, Some("map")).unwrap(), Scores::plain("map"));
        let why = Scores::choose(&file, Some("z")).unwrap_err();
        assert_eq!(why.code(), "argument");
        assert!(why.to_string().contains(r#""map" (float [1, 8, 7, 7]), "y" (float [-1, 5])"#), "{why}");
    }
}
