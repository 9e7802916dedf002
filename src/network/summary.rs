//! The parts of a network, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use tract_onnx::pb::{GraphProto, tensor_proto::DataType};

use crate::{graph::Graph, ops::onnx::short};

/// Most kinds of operators that are listed.
const MOST_OPERATORS: usize = 64;

/// The parts of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many nodes there are of each ONNX operator, the most frequent first.
    pub operators: Vec<(String, u64)>,
    /// How many numbers its weights are.
    pub parameters: u64,
    /// The element types of its weights, as ONNX calls them, those of the most weights first.
    pub element_types: Vec<String>,
    /// An estimate of the bytes that its weights and the activations of one image take.
    pub memory: u64,
}

impl Summary {
    /// Counts the nodes that are needed, and the weights.
    #[must_use]
    pub fn of(file: &GraphProto, needed: &[bool]) -> Self {
        let mut operators = BTreeMap::<String, u64>::new();
        for (node, _) in file.node.iter().zip(needed).filter(|(_, needed)| **needed) {
            *operators.entry(short(&node.op_type)).or_default() += 1;
        }
        let mut types = BTreeMap::<i32, u64>::new();
        // Paddle's converter has every weight in a node of its own.
        let constants =
            file.node.iter().filter(|node| node.op_type == "Constant").flat_map(|node| &node.attribute);
        for tensor in file.initializer.iter().chain(constants.filter_map(|a| a.t.as_ref())) {
            let extents = tensor.dims.iter().map(|&d| u64::try_from(d).unwrap_or(0));
            let count = extents.fold(1, u64::saturating_mul);
            let sum = types.entry(tensor.data_type).or_default();
            *sum = sum.saturating_add(count);
        }
        // Integers of 64 bits are shapes and axes, not weights.
        types.retain(|&kind, count| kind != DataType::Int64 as i32 && *count > 0);
        let bytes = |kind: i32| if matches!(kind, 2 | 3) { 1 } else { 4 };
        let weight = |(&kind, &count): (&i32, &u64)| count.saturating_mul(bytes(kind));
        Self {
            operators: most_first(operators).into_iter().take(MOST_OPERATORS).collect(),
            parameters: types.values().fold(0, |sum: u64, &count| sum.saturating_add(count)),
            memory: types.iter().map(weight).fold(0, u64::saturating_add),
            element_types: most_first(types).into_iter().map(|(kind, _)| name(kind)).collect(),
        }
    }

    /// Adds the activations of one image.
    #[must_use]
    pub fn with_activations(mut self, graph: &Graph) -> Self {
        let bytes = graph.nodes().iter().map(|node| (node.elements() as u64).saturating_mul(4));
        self.memory = bytes.fold(self.memory, u64::saturating_add);
        self
    }
}

fn most_first<T: Ord>(counts: BTreeMap<T, u64>) -> Vec<(T, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn name(kind: i32) -> String {
    DataType::try_from(kind).unwrap_or(DataType::Undefined).as_str_name().to_lowercase()
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

    use super::*;

    #[test]
    fn nodes_and_weights_are_counted() {
        let node = |operator: &str| NodeProto { op_type: operator.into(), ..Default::default() };
        let tensor = |kind: DataType, dims: &[i64]| TensorProto {
            data_type: kind as i32,
            dims: dims.to_vec(),
            ..Default::default()
        };
        let file = GraphProto {
            node: ["Conv", "Relu", "Conv", "ArgMax"].map(node).to_vec(),
            initializer: vec![
                tensor(DataType::Float, &[2, 3]),
                tensor(DataType::Int8, &[10]),
                tensor(DataType::Int64, &[4]),
                tensor(DataType::Float, &[]),
            ],
            ..Default::default()
        };
        let summary = Summary::of(&file, &[true, true, true, false]);
        assert_eq!(summary.operators, [("Conv".to_owned(), 2), ("Relu".to_owned(), 1)]);
        assert_eq!((summary.parameters, summary.memory), (17, 7 * 4 + 10));
        assert_eq!(summary.element_types, ["int8", "float"]);
        let value = AttributeProto { t: Some(tensor(DataType::Float, &[4, 5])), ..Default::default() };
        let constant = NodeProto { attribute: vec![value], ..node("Constant") };
        let file = GraphProto { node: vec![constant], ..Default::default() };
        assert_eq!(Summary::of(&file, &[true]).parameters, 20);
    }

    #[test]
    fn lying_extents_overflow_nothing() {
        let tensor = TensorProto { data_type: 1, dims: vec![i64::MAX, i64::MAX, -1], ..Default::default() };
        let file = GraphProto { initializer: vec![tensor; 3], ..Default::default() };
        assert_eq!(Summary::of(&file, &[]).parameters, 0, "a negative extent is none");
    }
}
