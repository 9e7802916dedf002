//! Helpers of both backends' tests, for the operators' cases: inputs, the oracle's answers, finite differences.

use rand::RngExt;

pub use crate::ops::cases::floats;
use crate::{
    graph::{Graph, Rows, Rule, Storage, ValueId, reference, reference::Array},
    network::differentiate,
    ops::{self, cases::Case},
    rng::{Rng, for_sample},
    tensor::Tensor,
};

/// How many random shapes each operator is tried with.
pub const SHAPES: u64 = 32;

/// Calls `f` with a description, each case of each operator, a graph of it, and the generator for its inputs.
pub fn each(mut f: impl FnMut(&str, &Case, &Graph, &mut Rng)) {
    for case in ops::cases() {
        for i in 0..SHAPES {
            let mut rng = rng(case.name, i);
            let graph = (case.build)(&mut rng);
            f(&format!("{} {i}: {:?}", case.name, graph.nodes()), case, &graph, &mut rng);
        }
    }
}

/// The generator of an operator's `i`-th shape.
pub fn rng(name: &str, i: u64) -> Rng {
    for_sample(name.bytes().fold(0, |h: u64, b| h.wrapping_mul(31) ^ u64::from(b)), i)
}

/// The graph with the gradient of its output with respect to its first input, and with every mask and winner
/// that was made on the way, as outputs; the cotangent is its last input.
pub fn with_gradient(graph: &Graph, rule: Rule) -> Graph {
    let mut graph = graph.clone();
    let (y, x) = (graph.outputs()[0], graph.inputs()[0]);
    let gradient = differentiate(&mut graph, y, x, rule).unwrap();
    let stored = graph.iter().filter(|(_, n)| n.storage != Storage::Float).map(|(id, _)| id);
    let outputs: Vec<ValueId> = [y, gradient].into_iter().chain(stored).collect();
    graph.set_outputs(outputs);
    graph
}

/// Inputs of `images` images and `targets` targets each. No two elements of a row are equal, and none is
/// closer to another than 1/4096: away from the kinks of max pools.
pub fn inputs(graph: &Graph, images: usize, targets: usize, rng: &mut Rng) -> Vec<Tensor> {
    let make = |id: &ValueId| {
        let node = graph.node(*id);
        let rows = if node.rows == Rows::Images { images } else { images * targets };
        let data = (0..rows).flat_map(|_| distinct(rng, node.elements())).collect();
        let shape: Vec<usize> = [rows].into_iter().chain(node.shape.iter().copied()).collect();
        Tensor::new(shape, data).unwrap()
    };
    graph.inputs().iter().map(make).collect()
}

fn distinct(rng: &mut Rng, n: usize) -> Vec<f32> {
    let step = (8192 / n.max(1)).max(1) as i32;
    let mut values: Vec<i32> =
        (0..n as i32).map(|i| (i - n as i32 / 2) * step + rng.random_range(0..step)).collect();
    for i in (1..n).rev() {
        values.swap(i, rng.random_range(0..=i));
    }
    values.iter().map(|&v| v as f32 / 4096.0).collect()
}

/// The outputs that the oracle makes of row `image` (and target `target` of it), output by output.
pub fn oracle(graph: &Graph, inputs: &[Tensor], image: usize, target: usize, targets: usize) -> Vec<Array> {
    let row = |(id, tensor): (&ValueId, &Tensor)| {
        let node = graph.node(*id);
        let row = if node.rows == Rows::Images { image } else { image * targets + target };
        let data = tensor.row(row).iter().map(|&v| v.into()).collect();
        (*id, Array::new(&node.shape, data))
    };
    let rows: Vec<_> = graph.inputs().iter().zip(inputs).map(row).collect();
    reference::run(graph, &rows, graph.outputs()).unwrap()
}

/// Says where a backend's outputs for a batch are further than `absolute + relative * |truth|` from the oracle.
pub fn compare(
    graph: &Graph,
    inputs: &[Tensor],
    outputs: &[Tensor],
    (images, targets): (usize, usize),
    (absolute, relative): (f64, f64),
) -> Result<(), String> {
    for image in 0..images {
        for target in 0..targets {
            let truth = oracle(graph, inputs, image, target, targets);
            for (i, (id, truth)) in graph.outputs().iter().zip(&truth).enumerate() {
                let per_image = graph.node(*id).rows == Rows::Images;
                let row = if per_image { image } else { image * targets + target };
                for (k, (&got, &want)) in outputs[i].row(row).iter().zip(&truth.data).enumerate() {
                    // Not `>`: a NaN must fail.
                    let near = (f64::from(got) - want).abs() <= absolute + relative * want.abs();
                    if !near {
                        return Err(format!("output {i}, row {row}, element {k}: {got}, not {want}"));
                    }
                }
            }
        }
    }
    Ok(())
}

/// `<u, f(x + h v)>` by the oracle.
fn along(graph: &Graph, x: &[Array], v: &Array, u: &Array, h: f64) -> f64 {
    let moved = x[0].zip(v, |x, v| x + h * v);
    let rows: Vec<(ValueId, Array)> =
        graph.inputs().iter().copied().zip([&moved].into_iter().chain(&x[1..]).cloned()).collect();
    reference::run(graph, &rows, &graph.outputs()[..1]).unwrap()[0].dot(u)
}

/// The derivative along `v` of `<u, f>`, by central differences in f64.
pub fn slope(graph: &Graph, given: &[Tensor], v: &Array, u: &Array) -> f64 {
    let x: Vec<Array> = given.iter().map(|t| array(&t.shape()[1..], t.row(0))).collect();
    // Kinks are 1/8192 away or further, and directions at most 2 long in each element.
    let h = 1e-5;
    (along(graph, &x, v, u, h) - along(graph, &x, v, u, -h)) / (2.0 * h)
}

/// The values as the oracle takes them.
pub fn array(shape: &[usize], data: &[f32]) -> Array {
    Array::new(shape, data.iter().map(|&v| v.into()).collect())
}

/// The gradient graph of a graph, inputs of it, and the direction `v` and cotangent `u` among them.
pub fn setting(graph: &Graph, rng: &mut Rng) -> (Graph, Vec<Tensor>, Array, Array) {
    let with = with_gradient(graph, Rule::Plain);
    let given = inputs(&with, 1, 1, rng);
    let directions = inputs(&with, 1, 1, rng);
    let v = array(&directions[0].shape()[1..], directions[0].row(0));
    let u = given.last().map(|t| array(&t.shape()[1..], t.row(0))).unwrap();
    (with, given, v, u)
}

/// True if two numbers differ by at most `bound` of `scale`.
pub fn near(a: f64, b: f64, scale: f64, bound: f64) -> bool {
    (a - b).abs() <= bound * scale
}
