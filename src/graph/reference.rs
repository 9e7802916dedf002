//! Plain double-precision arrays, and a graph interpreter over them: the oracle of the tests.

#![expect(missing_docs, reason = "only tests see the oracle")]

use crate::{
    error::Result,
    graph::{Graph, Producer, ValueId},
};

/// A row-major array of f64: one image's value.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

impl Array {
    pub fn new(shape: &[usize], data: Vec<f64>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len());
        Self { shape: shape.to_vec(), data }
    }

    pub fn zeros(shape: &[usize]) -> Self {
        Self::new(shape, vec![0.0; shape.iter().product()])
    }

    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(&self.shape, self.data.iter().map(|&v| f(v)).collect())
    }

    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        assert_eq!(self.shape, other.shape);
        Self::new(&self.shape, self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect())
    }

    pub fn dot(&self, other: &Self) -> f64 {
        self.data.iter().zip(&other.data).map(|(a, b)| a * b).sum()
    }
}

/// Runs a graph on one image (and one target) in double precision, and returns the wanted values.
pub fn run(graph: &Graph, inputs: &[(ValueId, Array)], wanted: &[ValueId]) -> Result<Vec<Array>> {
    let mut values: Vec<Option<Array>> = vec![None; graph.nodes().len()];
    for (id, array) in inputs {
        values[id.index()] = Some(array.clone());
    }
    for (id, node) in graph.iter() {
        if let Producer::Operator(op) = &node.producer {
            let read: Vec<&Array> =
                node.inputs.iter().map(|i| values[i.index()].as_ref().expect("inputs come first")).collect();
            let made = op.evaluate(&read);
            assert_eq!(made.shape, node.shape, "{} ({})", op.name(), node.name);
            values[id.index()] = Some(made);
        }
    }
    Ok(wanted.iter().map(|id| values[id.index()].clone().expect("a value of the graph")).collect())
}
