//! The cost of a multiply-add of the forward pass, for each model file of a folder:
//!
//! `taskset -c 0 cargo bench --bench work -- FOLDER [--gpu]`
//!
//! A network that takes much longer for the same work is held back by something other than arithmetic. The bound is on
//! ConvNeXt-Tiny beside ResNet-50, which are the files with `convnext_tiny` and `resnet50` in their names. `--gpu` runs
//! the GPU backend, whatever the adapter, and counts the seconds of all threads where it computes on the processor.
//! `tests/reference/architectures/full.py --keep FOLDER` makes such a folder.
//! `taskset` keeps it to one thread. It exits with 1 when the bound is missed, and with 75 when it could not be measured.

#[path = "clock.rs"]
mod clock;
#[path = "verdict.rs"]
mod verdict;

use std::{
    error::Error,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, OnceLock},
    time::Instant,
};

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::GpuBackend},
    network::{Network, Program},
};
use rand::RngExt;
use verdict::Verdicts;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Repetitions.
const TIMES: usize = 7;
/// The time that one of ConvNeXt-Tiny's multiply-adds may take, in those of ResNet-50.
const RATIO: f64 = 1.3;
/// The parts of names by which those two are known.
const COMPARED: [&str; 2] = ["convnext_tiny", "resnet50"];

/// A network that is ready, and one image for it.
struct Subject {
    name: String,
    backend: Box<dyn Backend>,
    image: Tensor,
    /// Products and sums of one forward pass.
    work: f64,
    /// In seconds.
    clock: fn() -> f64,
}

impl Subject {
    fn open(path: &PathBuf, gpu: bool) -> Result<Self> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let network = Arc::new(Network::from_onnx(&std::fs::read(path)?)?);
        let mut rng = pellucid::rng::for_sample(0, 0);
        let values = network.input().iter().product();
        let shape = [&[1], network.input()].concat();
        let image = Tensor::new(shape, (0..values).map(|_| rng.random_range(-1.0..1.0)).collect())?;
        let work = network.graph().work() as f64;
        let (backend, clock): (Box<dyn Backend>, fn() -> f64) = if gpu {
            let backend = pollster::block_on(GpuBackend::open(network, true))?;
            let is_software = backend.gpu().is_fallback();
            (Box::new(backend), if is_software { clock::process_seconds } else { wall_seconds })
        } else {
            (Box::new(CpuBackend::new(network)?), clock::seconds)
        };
        Ok(Self { name, backend, image, work, clock })
    }

    /// Seconds of one forward pass.
    fn forward(&mut self) -> Result<f64> {
        let start = (self.clock)();
        let program = Program::Forward { layer: None };
        pollster::block_on(self.backend.run(&program, Images::Batch(&self.image), None))?;
        Ok((self.clock)() - start)
    }
}

/// Seconds since the first call.
fn wall_seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn main() -> Result<ExitCode> {
    let (flags, folders): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.starts_with('-'));
    let gpu = flags.iter().any(|flag| flag == "--gpu");
    let [folder] = folders.as_slice() else { return Err("usage: work FOLDER [--gpu]".into()) };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "onnx"));
    paths.sort();
    let mut verdicts = Verdicts::new(!gpu);
    let mut costs: Vec<(String, f64)> = Vec::new();
    // The two that are compared take turns, as a machine's pace changes.
    let is_compared = |path: &PathBuf| COMPARED.iter().any(|name| path.to_string_lossy().contains(name));
    let (compared, others): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(is_compared);
    for group in others.chunks(1).chain([&*compared]) {
        costs.extend(measured(group, gpu)?);
    }
    for (name, nanoseconds) in &costs {
        verdicts.tell(&format!("{name}, ns per multiply-add"), *nanoseconds);
    }
    let cost_of = |part: &str| costs.iter().find(|(name, _)| name.contains(part)).map(|(_, cost)| *cost);
    if let [Some(ours), Some(theirs)] = COMPARED.map(cost_of) {
        verdicts.timed("ConvNeXt-Tiny's, in ResNet-50's", ours / theirs, RATIO);
    }
    Ok(verdicts.finish())
}

/// Nanoseconds of a multiply-add of each network, by its name. They take turns; the first run of each, which compiles, is
/// left out.
fn measured(paths: &[PathBuf], gpu: bool) -> Result<Vec<(String, f64)>> {
    let mut subjects = paths.iter().map(|path| Subject::open(path, gpu)).collect::<Result<Vec<_>>>()?;
    let mut spent = vec![0.0; subjects.len()];
    for round in 0..=TIMES {
        for (subject, spent) in subjects.iter_mut().zip(&mut spent) {
            let seconds = subject.forward()?;
            *spent += if round == 0 { 0.0 } else { seconds };
        }
    }
    let cost = |(subject, spent): (Subject, f64)| (subject.name, spent / TIMES as f64 / subject.work * 1e9);
    Ok(subjects.into_iter().zip(spent).map(cost).collect())
}
