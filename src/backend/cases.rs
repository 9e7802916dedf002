//! Small random graphs, one operator each, that both backends are held against the oracle with.

use std::sync::Arc;

use rand::RngExt;

use crate::{
    chain::{Affinity, Clip, Quantizer, Step},
    graph::{Constant, Elements, Graph, Quantization, Rows, Rule, ValueId, reference},
    network::differentiate,
    ops::{
        add::Add,
        affine::{Affine, Per},
        average_pool::AveragePool,
        concat::Concat,
        conv::{Conv, dense::Dense},
        curve::{Curve, Kind},
        global_average_pool::GlobalAveragePool,
        log_softmax::LogSoftmax,
        max_pool::MaxPool,
        multiply::Multiply,
        pointwise::Pointwise,
        reshape::Reshape,
        softmax::Softmax,
        window::Window,
    },
    rng::{Rng, for_sample},
    tensor::Tensor,
};

/// How many random shapes each operator is tried with.
pub const SHAPES: u64 = 32;

/// Makes a graph with one input an argument of the operator, and its result as the output.
pub type Build = fn(&mut Rng) -> Graph;

/// Every operator of a forward pass; those of the backward pass come out of their gradient rules.
pub const OPERATORS: &[(&str, Build)] = &[
    ("Add", add),
    ("Affine", affine),
    ("AveragePool", average_pool),
    ("Clip", clip),
    ("Concat", concat),
    ("Conv", conv),
    ("Curve", curve),
    ("Dense", dense),
    ("Elu", elu),
    ("GlobalAveragePool", global_average_pool),
    ("LogSoftmax", log_softmax),
    ("MaxPool", max_pool),
    ("Multiply", multiply),
    ("Quantizer", quantizer),
    ("Reshape", reshape),
    ("Softmax", softmax),
];

/// Which of them each ONNX operator is read as; none where it makes a constant or changes nothing.
pub const READ_AS: &[(&str, &str)] = &[
    ("Add", "Add"),
    ("AveragePool", "AveragePool"),
    ("BatchNormalization", "Affine"),
    ("Clip", "Clip"),
    ("Concat", "Concat"),
    ("Constant", ""),
    ("Conv", "Conv"),
    ("DequantizeLinear", "Quantizer"),
    ("Dropout", ""),
    ("Elu", "Curve"),
    ("Flatten", "Reshape"),
    ("Gemm", "Dense"),
    ("GlobalAveragePool", "GlobalAveragePool"),
    ("HardSigmoid", "Curve"),
    ("HardSwish", "Curve"),
    ("Identity", ""),
    ("LogSoftmax", "LogSoftmax"),
    ("MatMul", "Dense"),
    ("MaxPool", "MaxPool"),
    ("Mul", "Multiply"),
    ("QuantizeLinear", "Quantizer"),
    ("ReduceMean", "GlobalAveragePool"),
    ("Relu", "Clip"),
    ("Reshape", "Reshape"),
    ("Sigmoid", "Curve"),
    ("Softmax", "Softmax"),
];

/// A number from `low..=high`.
pub fn int(rng: &mut Rng, low: usize, high: usize) -> usize {
    rng.random_range(low..=high)
}

/// `n` floats between -1 and 1, multiples of 1/4096: sums of a few are exact.
pub fn floats(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.random_range(-4096..=4096) as f32 / 4096.0).collect()
}

/// The generator of an operator's `i`-th shape.
pub fn rng(name: &str, i: u64) -> Rng {
    for_sample(name.bytes().fold(0, |h: u64, b| h.wrapping_mul(31) ^ u64::from(b)), i)
}

fn image_shape(rng: &mut Rng) -> Vec<usize> {
    vec![int(rng, 1, 9), int(rng, 1, 13), int(rng, 1, 13)]
}

fn one(graph: &mut Graph, shape: &[usize], op: impl crate::graph::Operator) {
    let x = graph.input("x", shape, Rows::Images);
    let y = graph.add("node", op, &[x]).unwrap();
    graph.set_outputs([y]);
}

fn single(shape: &[usize], op: impl crate::graph::Operator) -> Graph {
    let mut graph = Graph::new();
    one(&mut graph, shape, op);
    graph
}

fn add(rng: &mut Rng) -> Graph {
    let (shape, mut graph) = (image_shape(rng), Graph::new());
    let (a, b) = (graph.input("a", shape.clone(), Rows::Images), graph.input("b", shape, Rows::Images));
    let y = graph.add("node", Add, &[a, b]).unwrap();
    graph.set_outputs([y]);
    graph
}

fn affine(rng: &mut Rng) -> Graph {
    let shape = image_shape(rng);
    let (per, n) =
        if rng.random() { (Per::Channel, shape[0]) } else { (Per::Element, shape.iter().product()) };
    single(&shape, Affine { scale: floats(rng, n), shift: floats(rng, n), per })
}

/// `x` and what a factor and a summand a channel make of it, a different one each time.
fn beside(graph: &mut Graph, x: ValueId, name: &str, rng: &mut Rng) -> ValueId {
    let channels = graph.node(x).shape[0];
    let op = Affine { scale: floats(rng, channels), shift: floats(rng, channels), per: Per::Channel };
    graph.add(name, op, &[x]).unwrap()
}

/// The input among values that follow from it, so that the gradient of each operand counts.
fn concat(rng: &mut Rng) -> Graph {
    let mut graph = Graph::new();
    let x = graph.input("x", image_shape(rng), Rows::Images);
    let (a, b) = (beside(&mut graph, x, "a", rng), beside(&mut graph, x, "b", rng));
    let y = graph.add("node", Concat, &[a, x, b, x]).unwrap();
    graph.set_outputs([y]);
    graph
}

/// Of two values of a shape, or of a value and one number a channel, on either side.
fn multiply(rng: &mut Rng) -> Graph {
    let mut graph = Graph::new();
    let x = graph.input("x", image_shape(rng), Rows::Images);
    let mut a = beside(&mut graph, x, "a", rng);
    if rng.random() {
        a = graph.add("pooled", GlobalAveragePool, &[a]).unwrap();
    }
    let y = graph.add("node", Multiply, &[x, a]).unwrap();
    graph.set_outputs([y]);
    graph
}

fn curve(rng: &mut Rng) -> Graph {
    let kinds = [
        Kind::Sigmoid,
        Kind::HardSigmoid { alpha: 0.7, beta: 0.4 },
        Kind::HardSwish,
        Kind::Elu { alpha: 0.8 },
    ];
    let shape = image_shape(rng);
    let mut graph = Graph::new();
    let x = graph.input("x", shape.clone(), Rows::Images);
    // Wider than the input and between its multiples of 1/4096, so that no kink is met and all are passed.
    let (scale, shift) = (vec![4.0; shape[0]], vec![1.0 / 8192.0; shape[0]]);
    let wide = graph.add("wide", Affine { scale, shift, per: Per::Channel }, &[x]).unwrap();
    let y = graph.add("node", Curve { kind: kinds[int(rng, 0, 3)] }, &[wide]).unwrap();
    graph.set_outputs([y]);
    graph
}

/// A window that fits, and an input for it. Padding stays under the window's reach, so no window is empty.
fn window(rng: &mut Rng, dilated: bool) -> (Window, [usize; 2]) {
    loop {
        let mut window = Window::new([int(rng, 1, 5), int(rng, 1, 4)]);
        window.strides = [int(rng, 1, 3), int(rng, 1, 3)];
        if dilated {
            window.dilations = [int(rng, 1, 2), int(rng, 1, 3)];
        }
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

/// A convolution: dense, grouped or depthwise; float or int8 weights; any padding.
pub fn conv(rng: &mut Rng) -> Graph {
    let (mut window, hw) = window(rng, true);
    if rng.random_range(0..4) == 0 {
        // Wider than the kernel reaches: its gradient cannot be a convolution.
        window.before[0] += window.kernel[0];
    }
    let groups = [1, 1, 2, 3, 8, 17][int(rng, 0, 5)];
    let depthwise = groups > 2 && rng.random();
    let (c, o) = if depthwise { (1, 1) } else { (int(rng, 1, 6), int(rng, 1, 6)) };
    let shape = vec![o * groups, c, window.kernel[0], window.kernel[1]];
    let n = shape.iter().product();
    let weights = if rng.random() {
        Constant::floats(shape, floats(rng, n))
    } else {
        let scales = (0..o * groups).map(|_| rng.random_range(1..64) as f32 / 1024.0).collect();
        Constant {
            shape,
            elements: Elements::I8((0..n).map(|_| rng.random()).collect()),
            quantization: Some(Quantization { axis: 0, scales, zero_points: vec![0; o * groups] }),
        }
    };
    let bias = rng.random::<bool>().then(|| Arc::new(floats(rng, o * groups)));
    single(&[c * groups, hw[0], hw[1]], Conv { weights: Arc::new(weights), bias, groups, window })
}

fn dense(rng: &mut Rng) -> Graph {
    let (features, outputs) = (int(rng, 1, 90), int(rng, 1, 40));
    let weights = Arc::new(Constant::floats([outputs, features], floats(rng, features * outputs)));
    let bias = rng.random::<bool>().then(|| Arc::new(floats(rng, outputs)));
    single(&[features], Dense { weights, bias })
}

fn elu(rng: &mut Rng) -> Graph {
    let (shape, mut graph) = (image_shape(rng), Graph::new());
    // Inputs may be zero, where the slope jumps unless alpha is one: move them off.
    let shift = Affine { scale: vec![1.0; shape[0]], shift: vec![1.0 / 8192.0; shape[0]], per: Per::Channel };
    let alpha = rng.random_range(1..64) as f32 / 16.0;
    let x = graph.input("x", shape, Rows::Images);
    let moved = graph.add("moved", shift, &[x]).unwrap();
    let y = graph.add("node", Curve { kind: Kind::Elu { alpha } }, &[moved]).unwrap();
    graph.set_outputs([y]);
    graph
}

fn average_pool(rng: &mut Rng) -> Graph {
    let (mut window, hw) = window(rng, true);
    window.ceil = rng.random();
    single(&[int(rng, 1, 9), hw[0], hw[1]], AveragePool { window, count_padding: rng.random() })
}

fn max_pool(rng: &mut Rng) -> Graph {
    let (mut window, hw) = window(rng, true);
    window.ceil = rng.random();
    single(&[int(rng, 1, 9), hw[0], hw[1]], MaxPool { window })
}

fn global_average_pool(rng: &mut Rng) -> Graph {
    single(&image_shape(rng), GlobalAveragePool)
}

fn clip(rng: &mut Rng) -> Graph {
    // Odd 8192ths: no input lies on a bound.
    let bound = |rng: &mut Rng| (2 * rng.random_range(-2048..2048) + 1) as f32 / 8192.0;
    let (a, b) = (bound(rng), bound(rng));
    let (low, high) = match int(rng, 0, 3) {
        0 => (1.0 / 8192.0, f32::INFINITY),
        1 => (f32::NEG_INFINITY, b),
        _ => (a.min(b), a.max(b)),
    };
    single(&image_shape(rng), Pointwise::one(Step::Clip(Clip { low, high })))
}

/// A quantizer of 8 bits that some of the inputs saturate.
pub fn random_quantizer(rng: &mut Rng, channels: usize) -> Arc<Quantizer> {
    let n = if rng.random() { 1 } else { channels };
    let (low, high): (f32, f32) = if rng.random() { (0.0, 255.0) } else { (-128.0, 127.0) };
    let scales = (0..n).map(|_| rng.random_range(0.001..0.01)).collect();
    let zero_points = (0..n).map(|_| rng.random_range(low..high).round()).collect();
    Arc::new(Quantizer { affinity: Affinity { scales, zero_points }, low, high })
}

fn quantizer(rng: &mut Rng) -> Graph {
    let shape = image_shape(rng);
    let (q, r) = (random_quantizer(rng, shape[0]), random_quantizer(rng, shape[0]));
    let relu = Step::Clip(Clip { low: 1.0 / 8192.0, high: 0.75 });
    let steps = match int(rng, 0, 3) {
        0 => vec![Step::Quantize(q)],
        1 => vec![Step::Quantize(q.clone()), Step::Dequantize(q)],
        2 => vec![Step::FakeQuantize(q), relu, Step::FakeQuantize(r)],
        _ => vec![Step::Dequantize(q)],
    };
    single(&shape, Pointwise { steps })
}

fn reshape(rng: &mut Rng) -> Graph {
    let shape = image_shape(rng);
    let flat = vec![shape.iter().product()];
    single(&shape, Reshape { shape: flat })
}

fn softmax(rng: &mut Rng) -> Graph {
    let (shape, axis) = shape_and_axis(rng);
    single(&shape, Softmax { axis })
}

fn log_softmax(rng: &mut Rng) -> Graph {
    let (shape, axis) = shape_and_axis(rng);
    single(&shape, LogSoftmax { axis })
}

fn shape_and_axis(rng: &mut Rng) -> (Vec<usize>, usize) {
    let shape = if rng.random() { vec![int(rng, 1, 40)] } else { image_shape(rng) };
    let axis = int(rng, 0, shape.len() - 1);
    (shape, axis)
}

/// The graph with the gradient of its output with respect to its first input, and with every mask and winner
/// that was made on the way, as outputs; the cotangent is its last input.
pub fn with_gradient(graph: &Graph, rule: Rule) -> Graph {
    let mut graph = graph.clone();
    let (y, x) = (graph.outputs()[0], graph.inputs()[0]);
    let gradient = differentiate(&mut graph, y, x, rule).unwrap();
    let stored = graph.iter().filter(|(_, n)| n.storage != crate::graph::Storage::Float).map(|(id, _)| id);
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

/// What the oracle makes of row `image` (and target `target` of it), output by output.
pub fn oracle(
    graph: &Graph,
    inputs: &[Tensor],
    image: usize,
    target: usize,
    targets: usize,
) -> Vec<reference::Array> {
    let row = |(id, tensor): (&ValueId, &Tensor)| {
        let node = graph.node(*id);
        let row = if node.rows == Rows::Images { image } else { image * targets + target };
        let data = tensor.row(row).iter().map(|&v| v.into()).collect();
        (*id, reference::Array::new(&node.shape, data))
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
