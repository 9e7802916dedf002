//! Random graphs around one operator each. Both backends and every gradient rule are held to the oracle on them; the
//! cases of an operator stand in its own file.

use rand::RngExt;

use super::{
    affine::{Affine, Per},
    window::Window,
};
use crate::{
    graph::{Graph, Operator, Rows, ValueId},
    rng::Rng,
};

/// How graphs around an operator are made.
pub struct Case {
    /// A name for messages, which also seeds the random numbers.
    pub name: &'static str,
    /// The ONNX operators that are read as this one.
    pub onnx: &'static [&'static str],
    /// Makes a graph with one input, on which each operand depends, and the operator's result as the output.
    pub build: fn(&mut Rng) -> Graph,
    /// True if the gradient rule is the derivative. A quantizer's is the straight-through estimator, which finite
    /// differences contradict.
    pub is_derivative: bool,
}

impl Case {
    /// A case of an operator whose gradient rule is its derivative.
    pub const fn new(
        name: &'static str,
        onnx: &'static [&'static str],
        build: fn(&mut Rng) -> Graph,
    ) -> Self {
        Self { name, onnx, build, is_derivative: true }
    }
}

/// A number from `low..=high`.
pub fn int(rng: &mut Rng, low: usize, high: usize) -> usize {
    rng.random_range(low..=high)
}

/// `n` floats between -1 and 1, multiples of 1/4096: sums of a few are exact.
pub fn floats(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.random_range(-4096..=4096) as f32 / 4096.0).collect()
}

/// `[C, H, W]`, often odd.
pub fn image_shape(rng: &mut Rng) -> Vec<usize> {
    vec![int(rng, 1, 9), int(rng, 1, 13), int(rng, 1, 13)]
}

/// The shape of a value of one to three axes, and one of them.
pub fn shape_and_axis(rng: &mut Rng) -> (Vec<usize>, usize) {
    let shape = match int(rng, 1, 3) {
        1 => vec![int(rng, 1, 40)],
        2 => vec![int(rng, 1, 9), int(rng, 1, 13)],
        _ => image_shape(rng),
    };
    let axis = int(rng, 0, shape.len() - 1);
    (shape, axis)
}

/// A window that fits, and the extents of an input for it. Padding is narrower than the window, so no window is empty.
pub fn window(rng: &mut Rng) -> (Window, [usize; 2]) {
    loop {
        let mut window = Window::new([int(rng, 1, 5), int(rng, 1, 4)]);
        window.strides = [int(rng, 1, 3), int(rng, 1, 3)];
        window.dilations = [int(rng, 1, 2), int(rng, 1, 3)];
        for axis in 0..2 {
            let most = if window.dilations[axis] == 1 { window.kernel[axis] - 1 } else { 0 };
            window.before[axis] = int(rng, 0, most);
            window.after[axis] = int(rng, 0, most);
        }
        let hw = [int(rng, 1, 15), int(rng, 1, 15)];
        if window.output(hw).is_ok() {
            return (window, hw);
        }
    }
}

/// The operator on an input of this shape.
pub fn single(shape: &[usize], operator: impl Operator) -> Graph {
    let mut graph = Graph::new();
    let x = graph.input("x", shape, Rows::Images);
    finished(graph, operator, &[x])
}

/// The operator on the input times `scale`, moved by 1/8192 off the multiples of 1/4096: a kink at one of those is not
/// met.
pub fn off_the_kinks(shape: &[usize], scale: f32, operator: impl Operator) -> Graph {
    let mut graph = Graph::new();
    let x = graph.input("x", shape, Rows::Images);
    let (scale, shift) = (vec![scale; shape[0]], vec![1.0 / 8192.0; shape[0]]);
    let moved = graph.add("moved", Affine { scale, shift, per: Per::Channel }, &[x]).unwrap();
    finished(graph, operator, &[moved])
}

/// The graph whose output is the operator on these values.
pub fn finished(mut graph: Graph, operator: impl Operator, inputs: &[ValueId]) -> Graph {
    let y = graph.add("node", operator, inputs).unwrap();
    graph.set_outputs([y]);
    graph
}

/// A value times a random factor per channel, plus a random summand: another operand that depends on the input.
pub fn other(graph: &mut Graph, x: ValueId, name: &str, rng: &mut Rng) -> ValueId {
    let channels = graph.node(x).shape[0];
    let op = Affine { scale: floats(rng, channels), shift: floats(rng, channels), per: Per::Channel };
    graph.add(name, op, &[x]).unwrap()
}

mod tests {
    use std::collections::BTreeSet;

    use crate::ops;

    /// ONNX operators that are read as no operator: their result is a constant, or their input.
    const READ_AS_NONE: [&str; 7] = ["Cast", "Constant", "Dropout", "Identity", "ScatterND", "Shape", "Size"];

    #[test]
    fn every_operator_that_can_be_read_has_a_case() {
        let cases = ops::cases().flat_map(|case| case.onnx).copied();
        let covered: BTreeSet<&str> = cases.chain(READ_AS_NONE).collect();
        let read = ops::entries().filter(|entry| !entry.is_of_constants_only());
        assert_eq!(covered, read.map(|entry| entry.operator).collect());
        let names: BTreeSet<&str> = ops::cases().map(|case| case.name).collect();
        assert_eq!(names.len(), ops::cases().count(), "two cases of one name have the same random numbers");
    }
}
