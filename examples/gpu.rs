//! The costs of the GPU backend: CPU time, wall time, floating-point operations, memory.
//!
//! `cargo run --example gpu -- [MODEL.onnx] [--batch N] [--masked] [--kernels] [--footprints] [--tiles KIND]`
//!
//! Batches of one and of N (16 by default) take turns. `--masked` runs one picture under masks of segments instead of
//! pictures, forward only. `--kernels` adds what each dispatch takes. `--footprints` runs nothing, and prints a line of
//! JSON for each program and batch: what it takes on the device, from the arena's own plan.
//!
//! `--tiles cached|registers|shared` lays kernels out as for another kind of adapter.
//!
//! On software adapters (`VK_ICD_FILENAMES` naming lavapipe or SwiftShader) CPU seconds are what matters and what ratios
//! are of: they take all cores that there are. On others it is the time on the wall.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use pellucid::{
    Tensor,
    backend::{Backend, BitRows, Images, Masked, Masks, Segmentation, gpu::GpuBackend},
    gpu::{Gpu, TileMemory},
    graph::{Graph, Rule},
    network::{Network, Program, Score},
    ops::conv::{Conv, dense::Dense, transpose::ConvTranspose},
};

type Failure = Box<dyn std::error::Error>;

/// Segments per side in masked pictures.
const SIDE: usize = 8;
/// Rounds in which batches take turns.
const ROUNDS: usize = 5;
/// How many times each dispatch is run on a GPU, so that waiting for it does not count.
const REPEATS: usize = 50;

/// CPU time of this process's threads so far, in seconds; zero where there is no /proc.
fn cpu_seconds() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0)
    };
    threads.map(spent).sum::<f64>() / 1e9
}

/// Seconds since the first call.
fn wall_seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// Multiplications and additions of the convolutions and dense layers, for one image.
fn operations(graph: &Graph) -> u64 {
    let count = |(_, node): (_, &pellucid::graph::Node)| {
        let plane = |shape: &[usize]| shape.iter().skip(1).product::<usize>();
        let (weights, pixels) = if let Some(conv) = node.as_op::<Conv>() {
            (conv.weights.len(), plane(&node.shape))
        } else if let Some(transpose) = node.as_op::<ConvTranspose>() {
            (transpose.weights.len(), plane(&graph.node(node.inputs[0]).shape))
        } else {
            (node.as_op::<Dense>().map_or(0, |d| d.weights.len()), 1)
        };
        2 * (weights * pixels) as u64
    };
    graph.iter().map(count).sum()
}

/// A picture of waves, so many times.
fn pictures(network: &Network, images: usize) -> Result<Tensor, Failure> {
    let shape = [&[images], network.input()].concat();
    let count = shape.iter().product::<usize>();
    Ok(Tensor::new(shape, (0..count).map(|i| (i as f32 * 0.37).sin()).collect())?)
}

/// Masks over a chequered segmentation.
fn masks(network: &Network, images: usize) -> Result<Masks, Failure> {
    let [_, height, width] = *network.input() else { return Err("the model reads no image".into()) };
    let label = |i: usize| ((i / width * SIDE / height) * SIDE + i % width * SIDE / width) as i64;
    let labels: Vec<i64> = (0..height * width).map(label).collect();
    let mut rows = BitRows::new(SIDE * SIDE);
    (0..images).for_each(|i| rows.push((0..SIDE * SIDE).map(|s| (s * 7 + i * 5) % 3 > 0)));
    Ok(Masks::Segments(Arc::new(Segmentation::new(height, width, &labels)?), rows))
}

/// One run: wall and CPU seconds.
fn run(
    backend: &mut GpuBackend,
    program: &Program,
    images: usize,
    masked: bool,
) -> Result<[f64; 2], Failure> {
    let network = backend.network();
    let (x, masks) = (pictures(network, if masked { 2 } else { images })?, masks(network, images)?);
    let mut g = Tensor::zeros([images, network.classes()]);
    g.data_mut().iter_mut().step_by(network.classes()).for_each(|v| *v = 1.0);
    let g = matches!(program, Program::Gradient { .. }).then_some(&g);
    let (image, fill) = (x.at(0), x.at(x.shape()[0] - 1));
    let hidden = Images::Masked(Masked { image: &image, fill: &fill, masks: &masks });
    let images = if masked { hidden } else { Images::Batch(&x) };
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    pollster::block_on(backend.run(program, images, g))?;
    Ok([wall.elapsed().as_secs_f64(), cpu_seconds() - cpu])
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(
    backend: &mut GpuBackend,
    (name, program): (&str, &Program),
    batches: &[usize],
    masked: bool,
    kernels: bool,
) -> Result<(), Failure> {
    let flops = operations(&backend.network().graph_for(program)?) as f64;
    let first: Vec<f64> =
        batches.iter().map(|&b| Ok(run(backend, program, b, masked)?[1])).collect::<Result<_, Failure>>()?;
    let mut spent = vec![[vec![], vec![]]; batches.len()];
    for _ in 0..ROUNDS {
        for (&images, spent) in batches.iter().zip(&mut spent) {
            // The same number of images for each, so that all are measured as finely.
            let turns = batches[batches.len() - 1].div_ceil(images).min(4);
            for _ in 0..turns {
                let taken = run(backend, program, images, masked)?;
                spent.iter_mut().zip(taken).for_each(|(all, t)| all.push(t / images as f64));
            }
        }
    }
    let mut alone = None;
    let software = backend.description().fallback;
    for ((&images, [walls, cpus]), first) in batches.iter().zip(spent).zip(first) {
        let (wall, cpu) = (median(walls), median(cpus));
        let counted = if software { cpu } else { wall };
        let ratio = counted / *alone.get_or_insert(counted);
        println!(
            "{name:8} batch {images:2}: {:6.1} ms CPU an image, {:7.2} ms wall ({ratio:.2} of alone); first run {:6.0} ms CPU in all; \
             {:.2} GFLOP, {:.2} GFLOP per {} second",
            cpu * 1e3,
            wall * 1e3,
            first * 1e3,
            flops / 1e9,
            flops / 1e9 / counted,
            if software { "CPU" } else { "wall" },
        );
        if kernels {
            let meter: (usize, &dyn Fn() -> f64) =
                if software { (1, &cpu_seconds) } else { (REPEATS, &wall_seconds) };
            let each = pollster::block_on(backend.profile(program, images, 1, meter))?;
            each.iter().for_each(|(line, s)| println!("  {:8.4} ms  {line}", s * 1e3));
        }
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let has = |name: &str| arguments.iter().any(|a| a == name);
    let batch: usize = value("--batch").map_or(Ok(16), |v| v.parse())?;
    let model = arguments.iter().find(|a| a.ends_with(".onnx")).cloned();
    let model = model.unwrap_or_else(|| "models/efficientnet-lite0-int8.onnx".into());
    let network = Arc::new(Network::from_onnx(&std::fs::read(&model)?)?);
    let mut gpu = pollster::block_on(Gpu::open(true))?;
    if let Some(name) = value("--tiles") {
        let named = TileMemory::ALL.into_iter().find(|t| format!("{t:?}").eq_ignore_ascii_case(name));
        gpu.set_tile_memory(
            named.ok_or_else(|| format!("no tiles are called {name}: {:?}", TileMemory::ALL))?,
        );
    }
    let mut backend = GpuBackend::on(gpu, network);
    let batches = if batch > 1 { vec![1, batch] } else { vec![1] };
    let gradient = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
    let programs = [("forward", Program::Forward { layer: None }), ("gradient", gradient)];
    if has("--footprints") {
        for (name, program) in &programs {
            for &images in &batches {
                let taken = backend.footprint(program, images, 1)?;
                let (arena, weights) = (taken.arena, taken.weights);
                println!(
                    r#"{{"program":"{name}","batch":{images},"arena_bytes":{arena},"weight_bytes":{weights}}}"#
                );
            }
        }
        return Ok(());
    }
    println!("{model} on {}", backend.description().adapter);
    let masked = has("--masked");
    for (name, program) in &programs[..if masked { 1 } else { 2 }] {
        measure(&mut backend, (name, program), &batches, masked, has("--kernels"))?;
    }
    Ok(())
}
