//! What the GPU backend costs, in wall time, CPU time and floating-point operations.
//!
//! `cargo run --example gpu -- [MODEL.onnx] [--batch N] [--kernels]`
//!
//! With `VK_ICD_FILENAMES` naming lavapipe or SwiftShader, CPU seconds are what matters: software adapters
//! take all cores that there are.

use std::{sync::Arc, time::Instant};

use pellucid::{
    Tensor,
    backend::{Backend, Images, gpu::GpuBackend},
    graph::{Graph, Rule},
    network::{Network, Program, Score},
    ops::{conv::Conv, conv_transpose::ConvTranspose, dense::Dense},
};

/// User and system time of this process so far, in seconds; zero where there is no /proc.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |i: usize| after.split_whitespace().nth(i).and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let batch: usize = value("--batch").map_or(Ok(1), |v| v.parse())?;
    let model = arguments.iter().find(|a| a.ends_with(".onnx")).cloned();
    let model = model.unwrap_or_else(|| "models/efficientnet-lite0-int8.onnx".into());
    let network = Arc::new(Network::from_onnx(&std::fs::read(&model)?)?);
    let mut backend = pollster::block_on(GpuBackend::open(network.clone(), true))?;
    println!("{model} on {}", backend.description().adapter);
    let gradient = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
    for (name, program) in [("forward", Program::Forward { layer: None }), ("gradient", gradient)] {
        let with_gradient = matches!(program, Program::Gradient { .. });
        for images in if batch == 1 { vec![1] } else { vec![1, batch] } {
            let shape = [&[images], network.input()].concat();
            let count = shape.iter().product::<usize>();
            let wave = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
            let x = Tensor::new(shape, wave)?;
            let mut g = Tensor::zeros([images, network.classes()]);
            g.data_mut().iter_mut().step_by(network.classes()).for_each(|v| *v = 1.0);
            let g = with_gradient.then_some(&g);
            let footprint = backend.footprint(&program, images, 1)?;
            let flops = images as u64 * operations(&network.program(&program)?);
            let begin = Instant::now();
            pollster::block_on(backend.run(&program, Images::Batch(&x), g))?;
            let first = begin.elapsed();
            let (mut walls, mut cpus) = (vec![], vec![]);
            for _ in 0..5 {
                let (wall, cpu) = (Instant::now(), cpu_seconds());
                pollster::block_on(backend.run(&program, Images::Batch(&x), g))?;
                walls.push(wall.elapsed().as_secs_f64());
                cpus.push(cpu_seconds() - cpu);
            }
            walls.sort_by(f64::total_cmp);
            cpus.sort_by(f64::total_cmp);
            let (wall, cpu) = (walls[2], cpus[2]);
            println!(
                "{name:8} batch {images:2}: {:7.0} ms wall, {:7.0} ms CPU, first {:6.0} ms; {:.2} GFLOP, {:.2} GFLOP per CPU-second; \
                 arena {:.1} MiB, weights {:.1} MiB",
                wall * 1e3,
                cpu * 1e3,
                first.as_secs_f64() * 1e3,
                flops as f64 / 1e9,
                flops as f64 / 1e9 / cpu,
                footprint.arena as f64 / 1048576.0,
                footprint.weights as f64 / 1048576.0,
            );
            if arguments.iter().any(|a| a == "--kernels") {
                for (line, ms) in pollster::block_on(backend.profile(&program, images, 1))? {
                    println!("  {ms:8.2} ms  {line}");
                }
            }
        }
    }
    Ok(())
}
