//! Every operator on whatever adapter there is, against the double-precision oracle, and whole networks.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rand::RngExt;

use super::{
    engine::{Engine, Runner},
    plan::{Compiled, Size},
};
use crate::{
    backend::{Images, Masked, Masks, Rectangle},
    gpu::Gpu,
    graph::{Constant, Graph, Operator, Rows, ValueId, reference},
    ops::{
        add::Add,
        affine::{Affine, Per},
        average_pool::{AveragePool, AveragePoolGradient},
        concat::Concat,
        conv::Conv,
        conv_transpose::ConvTranspose,
        curve::{Curve, Kind},
        dense::Dense,
        gate::{Gate, PassMask},
        global_average_pool::{GlobalAveragePool, Spread},
        max_pool::{MaxPool, MaxPoolGradient, MaxPoolWinner},
        multiply::Multiply,
        pointwise::{Affinity, Clip, Pointwise, Quantizer, Step},
        reshape::Reshape,
        softmax::{Softmax, SoftmaxGradient},
        window::Window,
    },
    rng::{Rng, for_sample},
    tensor::Tensor,
};

const CASES: u64 = 32;

/// One device for all tests: they take turns, and share pipelines.
static ENGINE: LazyLock<Mutex<Engine>> =
    LazyLock::new(|| Mutex::new(Engine::new(pollster::block_on(Gpu::open(true)).unwrap())));

fn engine() -> MutexGuard<'static, Engine> {
    ENGINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn floats(rng: &mut Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn tensor(rng: &mut Rng, rows: usize, shape: &[usize]) -> Tensor {
    let shape = [&[rows], shape].concat();
    let data = floats(rng, shape.iter().product());
    Tensor::new(shape, data).unwrap()
}

fn array(shape: &[usize], data: &[f32]) -> reference::Array {
    reference::Array::new(shape, data.iter().map(|&v| v.into()).collect())
}

/// Runs a graph on the device.
fn on_gpu(graph: &Graph, images: Images<'_>, cotangents: Option<&Tensor>) -> crate::Result<Vec<Tensor>> {
    let mut engine = engine();
    let compiled = Compiled::new(&engine.gpu, graph, matches!(images, Images::Masked(_)))?;
    pollster::block_on(engine.run(&mut Runner::new(compiled), images, cotangents))
}

/// The largest amount by which the device and the oracle differ, as a share of what is allowed.
fn excess(graph: &Graph, images: &Tensor, cotangents: Option<&Tensor>, made: &[Tensor]) -> f64 {
    let targets = cotangents.map_or(1, |c| c.shape()[0] / images.shape()[0]);
    let mut worst: f64 = 0.0;
    for row in 0..images.shape()[0] * targets {
        let shape = |i: usize| graph.node(graph.inputs()[i]).shape.clone();
        let mut inputs = vec![(graph.inputs()[0], array(&shape(0), images.row(row / targets)))];
        inputs.extend(cotangents.map(|c| (graph.inputs()[1], array(&shape(1), c.row(row)))));
        let expected = reference::run(graph, &inputs, graph.outputs()).unwrap();
        for ((id, expected), made) in graph.outputs().iter().zip(expected).zip(made) {
            let per_target = graph.node(*id).rows == Rows::Targets;
            let made = made.row(if per_target { row } else { row / targets });
            assert_eq!(made.len(), expected.data.len());
            for (&m, e) in made.iter().zip(&expected.data) {
                worst = worst.max((f64::from(m) - e).abs() / (1e-5 + 1e-4 * e.abs()));
            }
        }
    }
    worst
}

/// Holds the device to the oracle.
fn hold(graph: &Graph, rng: &mut Rng) {
    let images = rng.random_range(1..=3);
    let targets = rng.random_range(1..=3);
    let shape = |i: usize| graph.node(graph.inputs()[i]).shape.clone();
    let x = tensor(rng, images, &shape(0));
    let g = (graph.inputs().len() > 1).then(|| tensor(rng, images * targets, &shape(1)));
    let made = on_gpu(graph, Images::Batch(&x), g.as_ref()).unwrap();
    let excess = excess(graph, &x, g.as_ref(), &made);
    assert!(excess <= 1.0, "{excess} times what is allowed in {graph:#?}");
}

/// Holds one operator of `x` alone.
fn hold_one(operator: impl Operator, shape: &[usize], rng: &mut Rng) {
    let mut graph = Graph::new();
    let x = graph.input("x", shape, Rows::Images);
    let y = graph.add("y", operator, &[x]).unwrap();
    graph.set_outputs([y]);
    hold(&graph, rng);
}

fn window(rng: &mut Rng, extents: &[usize]) -> Window {
    loop {
        let mut w = Window::new([rng.random_range(1..=4), rng.random_range(1..=5)]);
        for axis in 0..2 {
            w.strides[axis] = rng.random_range(1..=3);
            w.dilations[axis] = if rng.random_bool(0.7) { 1 } else { rng.random_range(2..=3) };
            w.before[axis] = rng.random_range(0..w.extent(axis));
            w.after[axis] = rng.random_range(0..w.extent(axis));
        }
        if w.output([extents[0], extents[1]]).is_ok() {
            return w;
        }
    }
}

fn weights(rng: &mut Rng, shape: [usize; 4]) -> Arc<Constant> {
    let count = shape.iter().product();
    Arc::new(Constant::floats(shape, floats(rng, count)))
}

fn extents(rng: &mut Rng) -> [usize; 2] {
    [rng.random_range(1..=11), rng.random_range(1..=13)]
}

fn conv(rng: &mut Rng, [h, w]: [usize; 2]) -> Conv {
    let groups = [1, 1, 2, 3][rng.random_range(0..4)];
    let (c, o) = (rng.random_range(1..=6), rng.random_range(1..=9));
    let window = window(rng, &[h, w]);
    let weights = weights(rng, [groups * o, c, window.kernel[0], window.kernel[1]]);
    let bias = rng.random_bool(0.5).then(|| Arc::new(floats(rng, groups * o)));
    Conv { weights, bias, groups, window }
}

fn depthwise(rng: &mut Rng, [h, w]: [usize; 2]) -> Conv {
    let groups = rng.random_range(2..=13);
    let window = window(rng, &[h, w]);
    let weights = weights(rng, [groups, 1, window.kernel[0], window.kernel[1]]);
    Conv { weights, bias: Some(Arc::new(floats(rng, groups))), groups, window }
}

fn quantizer(rng: &mut Rng, channels: usize) -> Arc<Quantizer> {
    let count = if rng.random_bool(0.3) { channels } else { 1 };
    let scales = (0..count).map(|_| rng.random_range(0.003..0.01)).collect();
    let zero_points = (0..count).map(|_| rng.random_range(-9..9) as f32).collect();
    Arc::new(Quantizer { affinity: Affinity { scales, zero_points }, low: -128.0, high: 127.0 })
}

fn chain(rng: &mut Rng, channels: usize) -> Pointwise {
    let step = |rng: &mut Rng| match rng.random_range(0..4) {
        0 => vec![Step::Clip(Clip { low: 0.0, high: f32::INFINITY })],
        1 => vec![Step::Clip(Clip { low: -0.5, high: 0.6 })],
        2 => vec![Step::FakeQuantize(quantizer(rng, channels))],
        _ => {
            let q = quantizer(rng, channels);
            vec![Step::Quantize(q.clone()), Step::Dequantize(q)]
        }
    };
    Pointwise { steps: (0..rng.random_range(1..=2)).flat_map(|_| step(rng)).collect() }
}

#[test]
fn convolutions() {
    for case in 0..CASES {
        let rng = &mut for_sample(1, case);
        let [h, w] = extents(rng);
        let conv = conv(rng, [h, w]);
        hold_one(conv.clone(), &[conv.inputs(), h, w], rng);
    }
}

#[test]
fn pointwise_convolutions() {
    for case in 0..CASES {
        let rng = &mut for_sample(2, case);
        let [h, w] = extents(rng);
        let (c, o) = (rng.random_range(1..=40), rng.random_range(1..=40));
        let weights = weights(rng, [o, c, 1, 1]);
        hold_one(Conv { weights, bias: None, groups: 1, window: Window::new([1; 2]) }, &[c, h, w], rng);
    }
}

#[test]
fn depthwise_convolutions() {
    for case in 0..CASES {
        let rng = &mut for_sample(3, case);
        let [h, w] = extents(rng);
        let conv = depthwise(rng, [h, w]);
        hold_one(conv.clone(), &[conv.inputs(), h, w], rng);
    }
}

#[test]
fn transposed_convolutions() {
    for case in 0..CASES {
        let rng = &mut for_sample(4, case);
        let output = extents(rng);
        let conv = if rng.random_bool(0.6) { conv(rng, output) } else { depthwise(rng, output) };
        let [h, w] = conv.window.output(output).unwrap();
        let Conv { weights, groups, window, .. } = conv.clone();
        hold_one(ConvTranspose { weights, groups, window, output }, &[conv.outputs(), h, w], rng);
    }
}

#[test]
fn dense_layers() {
    for case in 0..CASES {
        let rng = &mut for_sample(5, case);
        let (i, o) = (rng.random_range(1..=70), rng.random_range(1..=70));
        let weights = Arc::new(Constant::floats([o, i], floats(rng, i * o)));
        let bias = rng.random_bool(0.5).then(|| Arc::new(floats(rng, o)));
        hold_one(Dense { weights, bias }, &[i], rng);
    }
}

/// A producer, functions, a sum with a value that is kept, functions; every part at random.
#[test]
fn fused_epilogues() {
    for case in 0..2 * CASES {
        let rng = &mut for_sample(6, case);
        let [h, w] = extents(rng);
        let mut conv = if rng.random_bool(0.6) { conv(rng, [h, w]) } else { depthwise(rng, [h, w]) };
        conv.bias = Some(Arc::new(floats(rng, conv.outputs())));
        let mut graph = Graph::new();
        let x = graph.input("x", [conv.inputs(), h, w], Rows::Images);
        let mut other = conv.clone();
        other.bias = None;
        let other = graph.add("other", other, &[x]).unwrap();
        let mut y = graph.add("conv", conv, &[x]).unwrap();
        let channels = graph.node(y).shape[0];
        if rng.random_bool(0.2) {
            let (scale, shift) = (floats(rng, channels), floats(rng, channels));
            y = graph.add("affine", Affine { scale, shift, per: Per::Channel }, &[y]).unwrap();
        }
        let mut kept = vec![];
        for part in 0..3 {
            if part == 1 && rng.random_bool(0.7) {
                let both = if rng.random_bool(0.5) { [y, other] } else { [other, y] };
                y = graph.add("sum", Add, &both).unwrap();
            } else if part != 1 && rng.random_bool(0.8) {
                y = graph.add("chain", chain(rng, channels), &[y]).unwrap();
            }
            if rng.random_bool(0.1) {
                kept.push(y);
            }
        }
        graph.set_outputs([vec![y], kept].concat());
        hold(&graph, rng);
    }
}

#[test]
fn fusion_leaves_one_kernel() {
    let rng = &mut for_sample(7, 0);
    let mut graph = Graph::new();
    let x = graph.input("x", [8, 5, 5], Rows::Images);
    let conv = |rng: &mut Rng| {
        let weights = weights(rng, [8, 8, 1, 1]);
        Conv { weights, bias: None, groups: 1, window: Window::new([1; 2]) }
    };
    let a = graph.add("a", conv(rng), &[x]).unwrap();
    let q = graph.add("q", chain(rng, 8), &[a]).unwrap();
    let sum = graph.add("sum", Add, &[q, x]).unwrap();
    let y = graph.add("y", chain(rng, 8), &[sum]).unwrap();
    graph.set_outputs([y]);
    assert_eq!(super::fuse::fuse(&graph, false).unwrap().nodes().len(), 2);
    graph.set_outputs([y, q]);
    assert_eq!(super::fuse::fuse(&graph, false).unwrap().nodes().len(), 3);
}

/// A gate behind a backward convolution and a sum, as a residual block's gradient has it.
#[test]
fn gates_and_masks() {
    for case in 0..CASES {
        let rng = &mut for_sample(8, case);
        let [h, w] = extents(rng);
        let conv = conv(rng, [h, w]);
        let mut graph = Graph::new();
        let x = graph.input("x", [conv.inputs(), h, w], Rows::Images);
        let y = graph.add("conv", conv.clone(), &[x]).unwrap();
        let (channels, shape) = (conv.outputs(), graph.node(y).shape.clone());
        let g = graph.input("g", shape, Rows::Targets);
        let mask = graph.add("mask", PassMask { chain: chain(rng, channels) }, &[y]).unwrap();
        let mut back = g;
        if rng.random_bool(0.5) {
            let weights = weights(rng, [channels, channels, 1, 1]);
            let conv = Conv { weights, bias: None, groups: 1, window: Window::new([1; 2]) };
            back = graph.add("back", conv, &[g]).unwrap();
        }
        if rng.random_bool(0.5) {
            back = graph.add("sum", Add, &[back, g]).unwrap();
        }
        let gated = graph.add("gate", Gate { positive_only: rng.random_bool(0.5) }, &[back, mask]).unwrap();
        graph.set_outputs([gated]);
        hold(&graph, rng);
    }
}

#[test]
fn elementwise() {
    for case in 0..CASES {
        let rng = &mut for_sample(9, case);
        let [h, w] = extents(rng);
        let c = rng.random_range(1..=9);
        let mut graph = Graph::new();
        let x = graph.input("x", [c, h, w], Rows::Images);
        let (per, count) = if rng.random_bool(0.5) { (Per::Channel, c) } else { (Per::Element, c * h * w) };
        let (scale, shift) = (floats(rng, count), floats(rng, count));
        let a = graph.add("affine", Affine { scale, shift, per }, &[x]).unwrap();
        let b = graph.add("chain", chain(rng, c), &[a]).unwrap();
        let d = graph.add("twice", Add, &[b, b]).unwrap();
        let e = graph.add("alone", Add, &[x, x]).unwrap();
        graph.set_outputs([d, e, b, a]);
        hold(&graph, rng);
    }
}

#[test]
fn pools() {
    for case in 0..CASES {
        let rng = &mut for_sample(10, case);
        let [h, w] = extents(rng);
        let c = rng.random_range(1..=9);
        let mut window = window(rng, &[h, w]);
        window.ceil = rng.random_bool(0.5);
        for axis in 0..2 {
            // Windows of padding alone have no maximum.
            window.before[axis] =
                window.before[axis].min(window.dilations[axis] - 1).min(window.kernel[axis] - 1);
            window.after[axis] = window.after[axis].min(window.before[axis]);
        }
        let Ok(out) = window.output([h, w]) else { continue };
        let pool = AveragePool { window, count_padding: rng.random_bool(0.5) };
        let mut graph = Graph::new();
        let x = graph.input("x", [c, h, w], Rows::Images);
        let g = graph.input("g", [c, out[0], out[1]], Rows::Targets);
        let largest = graph.add("max", MaxPool { window }, &[x]).unwrap();
        let mean = graph.add("mean", pool, &[x]).unwrap();
        let winner = graph.add("winner", MaxPoolWinner { window }, &[x]).unwrap();
        let back = graph.add("back", MaxPoolGradient { window, output: [h, w] }, &[g, winner]).unwrap();
        let even = graph.add("even", AveragePoolGradient { pool, output: [h, w] }, &[g]).unwrap();
        graph.set_outputs([largest, mean, back, even]);
        hold(&graph, rng);
    }
}

#[test]
fn global_pools_and_shapes() {
    for case in 0..CASES {
        let rng = &mut for_sample(11, case);
        let [h, w] = extents(rng);
        let c = rng.random_range(1..=9);
        let mut graph = Graph::new();
        let x = graph.input("x", [c, h, w], Rows::Images);
        let pooled = graph.add("pool", GlobalAveragePool, &[x]).unwrap();
        let flat = graph.add("flat", Reshape { shape: vec![c] }, &[pooled]).unwrap();
        let spread = graph.add("spread", Spread { output: [h, w] }, &[pooled]).unwrap();
        let all = graph.add("all", Reshape { shape: vec![c * h * w] }, &[x]).unwrap();
        let turned = graph.add("turned", Reshape { shape: vec![h, c * w] }, &[all]).unwrap();
        graph.set_outputs([flat, spread, all, turned]);
        hold(&graph, rng);
    }
}

#[test]
fn softmax_and_its_gradient() {
    for case in 0..CASES {
        let rng = &mut for_sample(12, case);
        let rank = rng.random_range(1..=3);
        let shape: Vec<usize> = (0..rank).map(|_| rng.random_range(1..=11)).collect();
        let axis = rng.random_range(0..rank);
        let mut graph = Graph::new();
        let x = graph.input("x", shape.clone(), Rows::Images);
        let g = graph.input("g", shape, Rows::Targets);
        let y = graph.add("y", Softmax { axis }, &[x]).unwrap();
        let back = graph.add("back", SoftmaxGradient { axis }, &[g, y]).unwrap();
        graph.set_outputs([y, back]);
        hold(&graph, rng);
    }
}

/// Squeeze and excitation over concatenated branches with smooth activations, there and back.
#[test]
fn products_curves_and_concatenations() {
    for case in 0..CASES {
        let rng = &mut for_sample(17, case);
        let [h, w] = extents(rng);
        let c = rng.random_range(1..=9);
        let kinds = [Kind::Sigmoid, Kind::HardSigmoid { alpha: 0.3, beta: 0.4 }, Kind::HardSwish];
        let mut curve = || Curve { kind: kinds[rng.random_range(0..3)] };
        let (first, second) = (curve(), curve());
        let mut graph = Graph::new();
        let x = graph.input("x", [c, h, w], Rows::Images);
        let bent = graph.add("bent", first, &[x]).unwrap();
        let affine = Affine { scale: floats(rng, c), shift: floats(rng, c), per: Per::Channel };
        let other = graph.add("other", affine, &[x]).unwrap();
        let all = graph.add("all", Concat, &[bent, other, bent, x]).unwrap();
        let outputs = rng.random_range(1..=9);
        let weights = weights(rng, [outputs, 4 * c, 1, 1]);
        let conv = Conv { weights, bias: None, groups: 1, window: Window::new([1; 2]) };
        let y = graph.add("conv", conv, &[all]).unwrap();
        let squeezed = graph.add("squeezed", GlobalAveragePool, &[y]).unwrap();
        let excited = graph.add("excited", second, &[squeezed]).unwrap();
        let gated = graph.add("gated", Multiply, &[y, excited]).unwrap();
        let squared = graph.add("squared", Multiply, &[gated, gated]).unwrap();
        let gradient = crate::network::differentiate(&mut graph, squared, x, crate::graph::Rule::Plain);
        let gradient = gradient.unwrap();
        graph.set_outputs([all, squared, gradient]);
        hold(&graph, rng);
    }
}

/// Pictures under masks equal the same pictures written out, whatever reads them first.
#[test]
fn masked_pictures() {
    for case in 0..CASES {
        let rng = &mut for_sample(13, case);
        let [h, w] = extents(rng);
        let conv = conv(rng, [h, w]);
        let c = conv.inputs();
        let mut graph = Graph::new();
        let x = graph.input("x", [c, h, w], Rows::Images);
        let quantized = rng.random_bool(0.5);
        let first = if quantized { graph.add("q", chain(rng, c), &[x]).unwrap() } else { x };
        let y = graph.add("conv", conv, &[first]).unwrap();
        let pooled = graph.add("pool", GlobalAveragePool, &[first]).unwrap();
        let outputs: Vec<ValueId> = [y, pooled, x].into_iter().filter(|_| rng.random_bool(0.7)).collect();
        graph.set_outputs(if outputs.is_empty() { vec![y] } else { outputs });
        let (image, fill) = (tensor(rng, 1, &[c, h, w]).at(0), tensor(rng, 1, &[c, h, w]).at(0));
        let rectangle = |rng: &mut Rng| {
            let (top, left) = (rng.random_range(0..h), rng.random_range(0..w));
            Rectangle { top, left, bottom: rng.random_range(top..=h), right: rng.random_range(left..=w) }
        };
        let all: Vec<Rectangle> = (0..rng.random_range(1..=20)).map(|_| rectangle(rng)).collect();
        let written: Vec<Tensor> = all
            .iter()
            .map(|r| {
                let mut picture = image.clone();
                for (i, v) in picture.data_mut().iter_mut().enumerate() {
                    let (y, x) = (i / w % h, i % w);
                    if (r.top..r.bottom).contains(&y) && (r.left..r.right).contains(&x) {
                        *v = fill.data()[i];
                    }
                }
                picture
            })
            .collect();
        let masks = Masks::Rectangles(all);
        let made = on_gpu(&graph, Images::Masked(Masked { image: &image, fill: &fill, masks: &masks }), None)
            .unwrap();
        let excess = excess(&graph, &Tensor::stack(&written).unwrap(), None, &made);
        assert!(excess <= 1.0, "{excess} times what is allowed in {graph:#?}");
    }
}

/// The canary of all of the above: a wrong weight is noticed.
#[test]
fn the_bound_can_fail() {
    let rng = &mut for_sample(14, 0);
    let mut conv = conv(rng, [7, 7]);
    let graph = |conv: &Conv| {
        let mut graph = Graph::new();
        let x = graph.input("x", [conv.inputs(), 7, 7], Rows::Images);
        let y = graph.add("y", conv.clone(), &[x]).unwrap();
        graph.set_outputs([y]);
        graph
    };
    let x = tensor(rng, 1, &[conv.inputs(), 7, 7]);
    let right = graph(&conv);
    let made = on_gpu(&right, Images::Batch(&x), None).unwrap();
    assert!(excess(&right, &x, None, &made) <= 1.0);
    let mut wrong = conv.weights.to_f32();
    wrong[0] += 1e-2;
    conv.weights = Arc::new(Constant::floats(conv.weights.shape.clone(), wrong));
    assert!(excess(&graph(&conv), &x, None, &made) > 1.0);
}

/// A batch of one and a batch of many, in several chunks, give the same numbers.
#[test]
fn batches_do_not_matter() {
    let rng = &mut for_sample(15, 0);
    let conv = conv(rng, [9, 9]);
    let mut graph = Graph::new();
    let x = graph.input("x", [conv.inputs(), 9, 9], Rows::Images);
    let y = graph.add("y", conv.clone(), &[x]).unwrap();
    graph.set_outputs([y]);
    let many = tensor(rng, 37, &[conv.inputs(), 9, 9]);
    let together = on_gpu(&graph, Images::Batch(&many), None).unwrap().remove(0);
    for i in [0, 17, 36] {
        let one = Tensor::stack(&[many.at(i)]).unwrap();
        let alone = on_gpu(&graph, Images::Batch(&one), None).unwrap().remove(0);
        for (a, b) in alone.data().iter().zip(together.row(i)) {
            assert!((a - b).abs() <= 1e-6 * b.abs() + 1e-9);
        }
    }
}

#[test]
fn bad_input_and_lost_devices_are_named() {
    let mut graph = Graph::new();
    let x = graph.input("x", [1, 2, 2], Rows::Images);
    let y = graph.add("y", Add, &[x, x]).unwrap();
    graph.set_outputs([y]);
    let nan = Tensor::full([1, 1, 2, 2], f32::NAN);
    assert_eq!(on_gpu(&graph, Images::Batch(&nan), None).unwrap_err().code(), "not-finite");
    let huge = Tensor::full([1, 1, 2, 2], 3e38);
    assert_eq!(on_gpu(&graph, Images::Batch(&huge), None).unwrap_err().code(), "not-finite");
    let narrow = Tensor::zeros([1, 1, 2, 1]);
    assert_eq!(on_gpu(&graph, Images::Batch(&narrow), None).unwrap_err().code(), "argument");

    let mut engine = Engine::new(pollster::block_on(Gpu::open(true)).unwrap());
    let mut runner = Runner::new(Compiled::new(&engine.gpu, &graph, false).unwrap());
    let ones = Tensor::full([1, 1, 2, 2], 1.0);
    pollster::block_on(engine.run(&mut runner, Images::Batch(&ones), None)).unwrap();
    engine.gpu.lose();
    let error = pollster::block_on(engine.run(&mut runner, Images::Batch(&ones), None)).unwrap_err();
    assert_eq!(error.code(), "gpu-lost", "{error}");
}

/// Activations that nothing needs any more make room, and masks are kept in their stead.
#[test]
fn a_gradient_keeps_bits_not_activations() {
    let rng = &mut for_sample(16, 0);
    let mut graph = Graph::new();
    let x = graph.input("x", [32, 16, 16], Rows::Images);
    // Small weights: sums that cancel would hide what is tested.
    let small = floats(rng, 32 * 32 * 9).iter().map(|w| w * 0.1).collect();
    let weights = Arc::new(Constant::floats([32, 32, 3, 3], small));
    let conv = Conv { weights, bias: None, groups: 1, window: Window::new([3; 2]) };
    let conv = Conv { window: Window { before: [1; 2], after: [1; 2], ..conv.window }, ..conv };
    let mut y = x;
    for i in 0..12 {
        y = graph.add(format!("conv{i}"), conv.clone(), &[y]).unwrap();
        let relu = Pointwise::one(Step::Clip(Clip { low: 0.0, high: f32::INFINITY }));
        y = graph.add(format!("relu{i}"), relu, &[y]).unwrap();
    }
    let gradient = crate::network::differentiate(&mut graph, y, x, crate::graph::Rule::Plain).unwrap();
    graph.set_outputs([gradient]);
    let compiled = Compiled::new(&engine().gpu, &graph, false).unwrap();
    let value = 32 * 16 * 16 / 4;
    let size = compiled.memory(Size { images: 1, targets: 1 }).size;
    assert!(size < 4 * value, "{size} vec4s, where an activation has {value}");
    hold(&graph, rng);
}
