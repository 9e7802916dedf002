//! The CPU backend against tract's own pipeline on the same file, in the same run: `cargo bench --bench cpu`.
//!
//! Medians of interleaved runs, so that what else the machine does falls on both.

use std::{sync::Arc, time::Instant};

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend},
    graph::Rule,
    network::{Network, Program, Score},
};
use tract_onnx::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let files = if files.is_empty() { vec!["models/efficientnet-lite0-int8.onnx".to_owned()] } else { files };
    for file in files {
        compare(&file)?;
    }
    Ok(())
}

fn compare(file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = std::fs::read(file)?;
    let network = Arc::new(Network::from_onnx(&bytes)?);
    let shape: Vec<usize> = [1].into_iter().chain(network.input().iter().copied()).collect();
    let count: usize = shape.iter().product();
    let data: Vec<f32> = (0..count).map(|i| ((i * 7919) % 255) as f32 / 128.0 - 1.0).collect();
    let image = Tensor::new(shape.clone(), data.clone())?;

    let start = Instant::now();
    let fact = f32::fact(&shape).into();
    let reader = onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let theirs = reader.model_for_read(&mut bytes.as_slice())?.with_input_fact(0, fact)?;
    let theirs = theirs.into_optimized()?.into_runnable()?;
    println!("{file}\n  tract loads in {:?}", start.elapsed());
    let start = Instant::now();
    let mut ours = CpuBackend::new(network.clone())?;
    println!("  pellucid compiles in {:?}", start.elapsed());

    let input = tract_onnx::prelude::Tensor::from_shape(&shape, &data)?;
    let forward = Program::Forward { layer: None };
    let gradient = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
    let mut cotangent = Tensor::zeros([1, network.classes()]);
    cotangent.data_mut()[0] = 1.0;
    let mut times = [const { vec![] }; 3];
    for _ in 0..15 {
        times[0]
            .push(seconds(|| theirs.run(tvec!(input.clone().into())).map(drop).map_err(|e| e.to_string()))?);
        times[1].push(seconds(|| run(&mut ours, &forward, &image, None))?);
        times[2].push(seconds(|| run(&mut ours, &gradient, &image, Some(&cotangent)))?);
    }
    let [theirs, ours, gradient] = times.map(median);
    println!(
        "  forward: tract {:.1} ms, pellucid {:.1} ms, ratio {:.2}",
        theirs * 1e3,
        ours * 1e3,
        ours / theirs
    );
    println!("  gradient: {:.1} ms, {:.2} forwards", gradient * 1e3, gradient / ours);
    Ok(())
}

fn run(
    backend: &mut CpuBackend,
    program: &Program,
    image: &Tensor,
    cotangents: Option<&Tensor>,
) -> Result<(), String> {
    let made = pollster::block_on(backend.run(program, Images::Batch(image), cotangents));
    made.map(drop).map_err(|e| e.to_string())
}

fn seconds(f: impl FnOnce() -> Result<(), String>) -> Result<f64, String> {
    let start = Instant::now();
    f()?;
    Ok(start.elapsed().as_secs_f64())
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
