//! Tests beside `cases`: every tiling of convolutions, and operators that are fused.

use std::collections::HashSet;

use super::*;
use crate::gpu::Value;

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

/// Enough channels that workgroups share what they load, in every variant of that: windows of all kinds, phases of
/// transposed convolutions, groups, the narrow tile, and sums so long that several threads share each.
#[test]
fn shared_tiles() {
    let mut seen = HashSet::new();
    for case in 0..2 * CASES {
        let rng = &mut for_sample(16, case);
        let [h, w] = extents(rng);
        let window = if rng.random_bool(0.3) { Window::new([1; 2]) } else { window(rng, &[h, w]) };
        let groups = rng.random_range(1..=2);
        let (c, o) = if case % 4 == 0 {
            (rng.random_range(160..=180), 9)
        } else {
            (rng.random_range(9..=30), [14, 32][rng.random_range(0..2)])
        };
        let weights = weights(rng, [groups * o, c, window.kernel[0], window.kernel[1]]);
        let bias = rng.random_bool(0.5).then(|| Arc::new(floats(rng, groups * o)));
        let conv = Conv { weights, bias, groups, window };
        let (graph, shape) = if rng.random_bool(0.4) {
            let [sh, sw] = conv.window.output([h, w]).unwrap();
            let shape = [conv.outputs(), sh, sw];
            let Conv { weights, groups, window, .. } = conv;
            (alone(ConvTranspose { weights, groups, window, output: [h, w] }, &shape), shape)
        } else {
            let shape = [conv.inputs(), h, w];
            (alone(conv, &shape), shape)
        };
        let images = rng.random_range(1..=3);
        let mut compiled =
            Compiled::new(DeviceProfile { tile_memory: TileMemory::Shared, ..PROFILE }, &graph, None)
                .unwrap();
        let memory = compiled.memory(Size { images, targets: 1, ..Size::default() });
        let recorded = compiled.record(&memory).unwrap();
        seen.extend(
            recorded.into_iter().filter(|d| d.kernel.name == "convolve_shared").flat_map(|d| d.variant),
        );
        let x = tensor(rng, images, &shape);
        let made = laid_out(Some(TileMemory::Shared), &graph, Images::Batch(&x), None).unwrap();
        let excess = excess(&graph, &x, None, &made);
        assert!(excess <= 1.0, "{excess} times what is allowed in {graph:#?}");
    }
    let either = ["POINTWISE", "WHOLE", "GROUPED", "RAGGED"].map(|name| (name, [0, 1].as_slice()));
    for (name, values) in either.into_iter().chain([("TX", &[4, 8][..]), ("SPLIT", &[1, 4, 8])]) {
        for &value in values {
            assert!(seen.contains(&(name, Value::Int(value))), "no {name} of {value}");
        }
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
    assert_eq!(super::super::fuse::fuse(&graph, None).unwrap().nodes().len(), 2);
    graph.set_outputs([y, q]);
    assert_eq!(super::super::fuse::fuse(&graph, None).unwrap().nodes().len(), 3);
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
        let mask = graph.add("mask", PassMask { steps: chain(rng, channels).steps }, &[y]).unwrap();
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
    let mut padded = false;
    for case in 0..CASES {
        let rng = &mut for_sample(10, case);
        let [h, w] = extents(rng);
        let c = rng.random_range(1..=9);
        let mut window = window(rng, &[h, w]);
        window.ceil = rng.random_bool(0.5);
        for axis in 0..2 {
            // Windows of padding alone have no maximum.
            let most = match window.dilations[axis] {
                1 => window.kernel[axis] - 1,
                dilation => (dilation - 1).min(window.kernel[axis] - 1),
            };
            window.before[axis] = window.before[axis].min(most);
            window.after[axis] = window.after[axis].min(most);
            padded |= window.before[axis] > 0 && window.dilations[axis] == 1;
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
    assert!(padded, "no padding with a dilation of one");
}

/// Squeeze and excitation over concatenated branches with smooth activations, there and back.
#[test]
fn products_curves_and_concatenations() {
    for case in 0..CASES {
        let rng = &mut for_sample(17, case);
        let [h, w] = extents(rng);
        let c = rng.random_range(1..=9);
        let kinds = [
            Kind::Sigmoid,
            Kind::HardSigmoid { alpha: 0.3, beta: 0.4 },
            Kind::HardSwish,
            Kind::Elu { alpha: 0.7 },
        ];
        let mut curve = || SmoothActivation { kind: kinds[rng.random_range(0..kinds.len())] };
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
