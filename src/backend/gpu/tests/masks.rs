//! One picture under many masks, of every encoding.

use super::*;
use crate::{
    backend::{BitRows, Grids, Inpainted, Inpainting, Segmentation, gpu::fuse::fuse},
    ops::materialize_masked::MaterializeMasked,
    picture::{Preprocessing, inpaint::Scheme},
};

const ENCODINGS: [MaskEncoding; 4] =
    [MaskEncoding::Rectangles, MaskEncoding::Segments, MaskEncoding::Grids, MaskEncoding::Elements];

/// Random masks for pictures of `[c, h, w]`.
fn masks(rng: &mut Rng, encoding: MaskEncoding, [c, h, w]: [usize; 3], exact: bool) -> Masks {
    let count = rng.random_range(1..=37);
    let bits = |rng: &mut Rng, bits: usize| {
        let mut rows = BitRows::new(bits);
        (0..count).for_each(|_| rows.push((0..bits).map(|_| rng.random_bool(0.5))));
        rows
    };
    match encoding {
        MaskEncoding::Rectangles => {
            let rectangle = |rng: &mut Rng| {
                let (top, left) = (rng.random_range(0..h), rng.random_range(0..w));
                let (bottom, right) = (rng.random_range(top..=h), rng.random_range(left..=w));
                Rectangle { top, left, bottom, right }
            };
            Masks::Rectangles((0..count).map(|_| rectangle(rng)).collect())
        }
        MaskEncoding::Segments => {
            let most = rng.random_range(1..=h * w);
            let labels: Vec<usize> = (0..h * w).map(|_| rng.random_range(0..most)).collect();
            let map = Segmentation::renumbered(h, w, &labels);
            let rows = bits(rng, map.count());
            Masks::Segments(Arc::new(map), rows)
        }
        MaskEncoding::Elements => Masks::Elements(bits(rng, c * h * w)),
        MaskEncoding::Grids => Masks::Grids(grids(rng, count, [h, w], exact)),
    }
}

/// Grids; `exact` ones have shares that floats hold exactly, so that a quantizer cannot tell how they were
/// computed.
fn grids(rng: &mut Rng, count: usize, extents: [usize; 2], exact: bool) -> Grids {
    let cells = [rng.random_range(1..=5), rng.random_range(1..=5)];
    let [high, wide] = [0, 1].map(|i| {
        let least = extents[i] + rng.random_range(0..4);
        if exact { cells[i] * least.div_ceil(cells[i]).next_power_of_two() } else { least }
    });
    let shift =
        |rng: &mut Rng| [rng.random_range(0..=high - extents[0]), rng.random_range(0..=wide - extents[1])];
    let values =
        (0..count * cells[0] * cells[1]).map(|_| f32::from(rng.random_range(0..=4u8)) / 4.0).collect();
    let shifts = (0..count).map(|_| shift(rng)).collect();
    Grids { cells, enlarged: [high, wide], values, shifts }
}

/// A picture whose values are multiples of 1/64.
fn picture(rng: &mut Rng, shape: [usize; 3]) -> Tensor {
    let count = shape.iter().product();
    Tensor::new(shape, (0..count).map(|_| f32::from(rng.random_range(-64..=64i8)) / 64.0).collect()).unwrap()
}

/// Pictures under masks equal the same pictures written out, whatever reads them first.
#[test]
fn masked_pictures() {
    for case in 0..2 * CASES {
        let rng = &mut for_sample(13, case);
        let encoding = ENCODINGS[(case % 4) as usize];
        let [h, w] = extents(rng);
        let conv = if rng.random_bool(0.8) { conv(rng, [h, w]) } else { depthwise(rng, [h, w]) };
        let c = conv.inputs();
        let mut graph = Graph::new();
        let x = graph.input("x", [c, h, w], Rows::Images);
        let mut first = x;
        if rng.random_bool(0.3) {
            // Factors that change no exact number's bits.
            let scale = (0..c).map(|_| [0.5, 2.0][rng.random_range(0..2)]).collect();
            let affine = Affine { scale, shift: vec![0.25; c], per: Per::Channel };
            first = graph.add("affine", affine, &[first]).unwrap();
        }
        let quantized = rng.random_bool(0.5);
        if quantized {
            first = graph.add("q", chain(rng, c), &[first]).unwrap();
        }
        let y = graph.add("conv", conv, &[first]).unwrap();
        let pooled = graph.add("pool", GlobalAveragePool, &[first]).unwrap();
        let outputs: Vec<ValueId> = [y, pooled, x].into_iter().filter(|_| rng.random_bool(0.7)).collect();
        graph.set_outputs(if outputs.is_empty() { vec![y] } else { outputs });
        let (image, fill) = (picture(rng, [c, h, w]), picture(rng, [c, h, w]));
        let masks = masks(rng, encoding, [c, h, w], quantized);
        let masked = Masked { image: &image, fill: &fill, masks: &masks };
        let written = masked.written().unwrap();
        let made = on_gpu(&graph, Images::Masked(masked), None).unwrap();
        let excess = excess(&graph, &written, None, &made);
        assert!(excess <= 1.0, "{encoding:?}: {excess} times what is allowed in {graph:#?}");
    }
}

/// Pictures whose holes are filled in are written out a chunk at a time: each stands where it belongs.
#[test]
fn inpainted_pictures() {
    let rng = &mut for_sample(19, 0);
    let shape = [3, 6, 7];
    let mut graph = Graph::new();
    let x = graph.input("x", shape, Rows::Images);
    let y = graph.add("pool", GlobalAveragePool, &[x]).unwrap();
    graph.set_outputs([y]);
    let (image, nothing) = (picture(rng, shape), picture(rng, shape));
    let by = Inpainting::new(image, nothing, Preprocessing::default(), Scheme::NavierStokes).unwrap();
    let mut shown = BitRows::new(126);
    (0..9).for_each(|_| shown.push((0..126).map(|_| rng.random_bool(0.5))));
    shown.push([]);
    let masked = Inpainted { by: &by, shown: &shown };
    let written = Tensor::new([10, 3, 6, 7], (0..10).flat_map(|i| masked.written(i)).collect()).unwrap();
    let made = on_gpu(&graph, Images::Inpainted(masked), None).unwrap();
    let excess = excess(&graph, &written, None, &made);
    assert!(excess <= 1.0, "{excess} times what is allowed");
    let short = BitRows::new(125);
    let refused = on_gpu(&graph, Images::Inpainted(Inpainted { by: &by, shown: &short }), None);
    assert_eq!(refused.unwrap_err().code(), "argument");
}

/// Whatever the encoding, and though the network quantizes its input first, the first convolution reads the
/// picture itself: no masked copy has a place in the arena.
#[test]
fn masked_copies_are_never_stored() {
    let rng = &mut for_sample(18, 0);
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 64, 64], Rows::Images);
    let affine = Affine { scale: vec![2.0; 3], shift: vec![0.5; 3], per: Per::Channel };
    let scaled = graph.add("affine", affine, &[x]).unwrap();
    let q = graph.add("q", Pointwise::one(Step::FakeQuantize(quantizer(rng, 3))), &[scaled]).unwrap();
    let window = Window { strides: [8; 2], ..Window::new([3; 2]) };
    let conv = Conv { weights: weights(rng, [4, 3, 3, 3]), bias: None, groups: 1, window };
    let y = graph.add("conv", conv, &[q]).unwrap();
    graph.set_outputs([y]);
    for encoding in ENCODINGS {
        let fused = fuse(&graph, Some(encoding)).unwrap();
        assert!(fused.nodes().iter().all(|n| n.as_op::<MaterializeMasked>().is_none()), "{encoding:?}");
        let compiled = Compiled::new(PROFILE, &graph, Some(encoding)).unwrap();
        let bytes = |images| compiled.memory(Size { images, targets: 1, ..Size::default() }).size * 16;
        // Sixteen images take no more than one, but for what the convolution makes.
        let made = 16 * graph.node(y).shape.iter().product::<usize>() * 4;
        assert!(bytes(16) < bytes(1) + made + 4096, "{encoding:?}: {} and {}", bytes(1), bytes(16));
    }
}

/// The same masks give the same numbers one at a time and in chunks that are not full.
#[test]
fn chunks_do_not_matter() {
    let rng = &mut for_sample(19, 0);
    let [c, h, w] = [3, 19, 23];
    let mut graph = Graph::new();
    let x = graph.input("x", [c, h, w], Rows::Images);
    let window = Window { strides: [2; 2], before: [1; 2], ..Window::new([3; 2]) };
    let conv = Conv { weights: weights(rng, [9, c, 3, 3]), bias: None, groups: 1, window };
    let y = graph.add("y", conv, &[x]).unwrap();
    graph.set_outputs([y]);
    let (image, fill) = (tensor(rng, 1, &[c, h, w]).at(0), tensor(rng, 1, &[c, h, w]).at(0));
    let run = |masks: &Masks| {
        on_gpu(&graph, Images::Masked(Masked { image: &image, fill: &fill, masks }), None).unwrap().remove(0)
    };
    for encoding in ENCODINGS {
        let many = loop {
            let made = masks(rng, encoding, [c, h, w], false);
            if made.len() > 17 {
                break made;
            }
        };
        let together = run(&many);
        for i in [0, 15, 16, many.len() - 1] {
            let alone = run(&one(&many, i));
            for (a, b) in alone.data().iter().zip(together.row(i)) {
                assert!((a - b).abs() <= 1e-6 * b.abs() + 1e-9, "{encoding:?}");
            }
        }
    }
}

fn one(masks: &Masks, i: usize) -> Masks {
    match masks {
        Masks::Rectangles(all) => Masks::Rectangles(vec![all[i]]),
        Masks::Segments(map, rows) => Masks::Segments(map.clone(), rows.slice(i..i + 1)),
        Masks::Elements(rows) => Masks::Elements(rows.slice(i..i + 1)),
        Masks::Grids(g) => {
            let cells = g.cells[0] * g.cells[1];
            let values = g.values[i * cells..(i + 1) * cells].to_vec();
            Masks::Grids(Grids { values, shifts: vec![g.shifts[i]], ..g.clone() })
        }
    }
}

/// The canary: one bit, one pixel or one share too many is noticed.
#[test]
fn wrong_masks_are_noticed() {
    let rng = &mut for_sample(20, 0);
    let shape = [3, 9, 11];
    let mut graph = Graph::new();
    let x = graph.input("x", shape, Rows::Images);
    let conv =
        Conv { weights: weights(rng, [2, 3, 3, 3]), bias: None, groups: 1, window: Window::new([3; 2]) };
    let y = graph.add("y", conv, &[x]).unwrap();
    graph.set_outputs([y]);
    let (image, fill) = (Tensor::full(shape, 1.0), Tensor::full(shape, -1.0));
    for encoding in ENCODINGS {
        let right = masks(rng, encoding, shape, false);
        let mut wrong = right.clone();
        match &mut wrong {
            Masks::Rectangles(all) => all[0] = Rectangle { top: 4, left: 4, bottom: 5, right: 5 },
            Masks::Segments(_, rows) | Masks::Elements(rows) => {
                let mut other = BitRows::new(rows.bits());
                let flipped: Vec<bool> =
                    rows.row(0).enumerate().map(|(i, b)| b ^ (i == rows.bits() / 2)).collect();
                other.push(flipped);
                (1..rows.len()).for_each(|i| other.push(rows.row(i)));
                *rows = other;
            }
            Masks::Grids(g) => g.values[0] += 0.1,
        }
        let written = Masked { image: &image, fill: &fill, masks: &right }.written().unwrap();
        let masked = Masked { image: &image, fill: &fill, masks: &wrong };
        let made = on_gpu(&graph, Images::Masked(masked), None).unwrap();
        assert!(excess(&graph, &written, None, &made) > 1.0, "{encoding:?}");
    }
}

/// A picture that was run last is not uploaded again; it is where any of it has changed, or something else ran between.
#[test]
fn a_picture_is_uploaded_once() {
    let rng = &mut for_sample(31, 0);
    let shape = [3, 9, 8];
    let mut graph = Graph::new();
    let mut conv = |inputs| Conv {
        weights: weights(rng, [4, inputs, 3, 3]),
        bias: None,
        groups: 1,
        window: Window { before: [1; 2], after: [1; 2], ..Window::new([3; 2]) },
    };
    let x = graph.input("x", shape, Rows::Images);
    let y = graph.add("y", conv(3), &[x]).unwrap();
    // Its place could be the picture's, if that were not kept.
    let z = graph.add("z", conv(4), &[y]).unwrap();
    graph.set_outputs([z]);
    let device = &mut *device();
    let profile = device.gpu.device_profile();
    let runner = |encoding| Runner::new(Compiled::new(profile, &graph, encoding).unwrap());
    let written = &mut runner(None);
    let (image, fill, changed) = (picture(rng, shape), picture(rng, shape), picture(rng, shape));
    for encoding in ENCODINGS {
        let masked = &mut runner(Some(encoding));
        let [some, others] = [(); 2].map(|()| masks(rng, encoding, shape, true));
        let few = one(&some, 0);
        let first = run_masked(device, masked, [&image, &fill], &few);
        // The copy on the host is wrong now, and nobody reads it.
        Arc::get_mut(device.picture.as_mut().unwrap()).unwrap().image.fill(0);
        assert!(run_masked(device, masked, [&image, &fill], &few) == first, "{encoding:?}");
        device.picture = None;
        for masks in [&some, &others] {
            let pairs = [[&image, &fill], [&image, &changed], [&changed, &fill], [&changed, &fill]];
            let wanted = pairs.map(|[image, fill]| {
                let batch = Masked { image, fill, masks }.written().unwrap();
                pollster::block_on(device.run(written, Images::Batch(&batch), None)).unwrap().remove(0)
            });
            let mut holds = |device: &mut SharedDevice, case: usize| {
                let made = run_masked(device, masked, pairs[case], masks);
                let close = made.data().iter().zip(wanted[case].data()).all(|(m, w)| (m - w).abs() < 1e-5);
                assert!(close, "{encoding:?}, case {case}");
            };
            (0..4).for_each(|case| holds(device, case));
            // Something else lies in its place.
            pollster::block_on(device.run(written, Images::Batch(&tensor(rng, 40, &shape)), None)).unwrap();
            holds(device, 3);
        }
    }
}

fn run_masked(
    device: &mut SharedDevice,
    runner: &mut Runner,
    [image, fill]: [&Tensor; 2],
    masks: &Masks,
) -> Tensor {
    let images = Images::Masked(Masked { image, fill, masks });
    pollster::block_on(device.run(runner, images, None)).unwrap().remove(0)
}
