//! Every operator on whatever adapter there is, against the double-precision oracle, and whole networks.

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod masks;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod variants;

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rand::RngExt;

use super::{
    plan::{Compiled, Size},
    runner::{Runner, SharedDevice},
};
use crate::{
    backend::{Backend, Images, Masked, Masks, Rectangle, cases::array},
    chain::{Clip, Gate, QuantParams, Quantizer, Step},
    gpu::{DeviceProfile, Gpu, MaskEncoding, TileMemory},
    graph::{Constant, Graph, Operator, Rows, ValueId, reference},
    ops::{
        add::Add,
        affine::{Affine, Per},
        average_pool::{AveragePool, AveragePoolGradient},
        concat::Concat,
        conv::{Conv, transpose::ConvTranspose},
        global_average_pool::GlobalAveragePool,
        kernels::MANY,
        max_pool::{MaxPool, MaxPoolGradient, MaxPoolWinner},
        multiply::Multiply,
        pointwise::{Pointwise, gate::PassMask},
        smooth_activation::{Kind, SmoothActivation},
        window::Window,
    },
    rng::{Rng, for_sample},
    tensor::Tensor,
};

const CASES: u64 = 32;
const PROFILE: DeviceProfile = DeviceProfile { page_bytes: 128 << 20, tile_memory: TileMemory::Cached };

/// One device for all tests: they take turns, and share pipelines.
static DEVICE: LazyLock<Mutex<SharedDevice>> =
    LazyLock::new(|| Mutex::new(SharedDevice::new(pollster::block_on(Gpu::open(true)).unwrap())));

fn device() -> MutexGuard<'static, SharedDevice> {
    DEVICE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn floats(rng: &mut Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn tensor(rng: &mut Rng, rows: usize, shape: &[usize]) -> Tensor {
    let shape = [&[rows], shape].concat();
    let data = floats(rng, shape.iter().product());
    Tensor::new(shape, data).unwrap()
}

/// Runs a graph on the device.
fn on_gpu(graph: &Graph, images: Images<'_>, cotangents: Option<&Tensor>) -> crate::Result<Vec<Tensor>> {
    laid_out(None, graph, images, cotangents)
}

/// Runs a graph on the device, laid out as for one kind of adapter or for the device itself.
fn laid_out(
    tiles: Option<TileMemory>,
    graph: &Graph,
    images: Images<'_>,
    cotangents: Option<&Tensor>,
) -> crate::Result<Vec<Tensor>> {
    let mut device = device();
    let own = device.gpu.device_profile();
    let profile = DeviceProfile { tile_memory: tiles.unwrap_or(own.tile_memory), ..own };
    let encoding = if let Images::Masked(m) = images { Some(super::masks::encoding(m.masks)) } else { None };
    let compiled = Compiled::new(profile, graph, encoding)?;
    pollster::block_on(device.run(&mut Runner::new(compiled), images, cotangents))
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
    // Now and then so many that tiles become wider.
    let images = if rng.random_bool(0.25) { MANY } else { rng.random_range(1..=3) };
    let targets = rng.random_range(1..=3);
    let shape = |i: usize| graph.node(graph.inputs()[i]).shape.clone();
    let x = tensor(rng, images, &shape(0));
    let g = (graph.inputs().len() > 1).then(|| tensor(rng, images * targets, &shape(1)));
    let tiles = TileMemory::ALL[rng.random_range(0..3)];
    let made = laid_out(Some(tiles), graph, Images::Batch(&x), g.as_ref()).unwrap();
    let excess = excess(graph, &x, g.as_ref(), &made);
    assert!(excess <= 1.0, "{excess} times what is allowed in {graph:#?}, {tiles:?}");
}

/// A graph of one operator.
fn alone(operator: impl Operator, shape: &[usize]) -> Graph {
    let mut graph = Graph::new();
    let x = graph.input("x", shape, Rows::Images);
    let y = graph.add("y", operator, &[x]).unwrap();
    graph.set_outputs([y]);
    graph
}

/// Holds one operator to the oracle.
fn hold_one(operator: impl Operator, shape: &[usize], rng: &mut Rng) {
    hold(&alone(operator, shape), rng);
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
    // Now and then more pixels than a workgroup of the widest tiles has.
    let most = if rng.random_bool(0.1) { 40 } else { 11 };
    [rng.random_range(1..=most), rng.random_range(1..=most + 2)]
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
    Arc::new(Quantizer { params: QuantParams { scales, zero_points }, low: -128.0, high: 127.0 })
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
