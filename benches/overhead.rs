//! The costs of perturbation methods outside the network, and beside the Python packages that define them:
//!
//! `taskset -c 0 cargo bench --bench overhead [-- PYTHON]`
//!
//! `cargo bench --bench overhead -- --whole [PYTHON]` prints whole runs of the shipped network instead, on two threads.
//!
//! PYTHON is the interpreter of an environment with `benches/python/requirements.txt`; without one only our own side is
//! measured. The network is a trivial one, the same on both sides, so that what is left is all around it: segmenting,
//! masks, mixing, regression, the tree. Bounds are on Python's first run, which is the one that somebody waits for who
//! explains a picture; its second, when everything is compiled and cached, is printed beside it. `taskset` keeps it to
//! one thread. It exits with 1 when a bound is missed, and with 75 when one could not be measured.

#[path = "clock.rs"]
mod clock;
#[path = "verdict.rs"]
mod verdict;

use std::{
    collections::BTreeMap,
    error::Error,
    process::{Command, ExitCode},
    sync::Arc,
    time::Instant,
};

use async_trait::async_trait;
use pellucid::{
    Tensor,
    attribution::{Context, Question, Settings, Silent, method},
    backend::{Backend, Description, Images, cpu::CpuBackend},
    network::{Network, Program, Score},
    picture::Preprocessing,
};
use serde_json::Value;
use verdict::Verdicts;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Evaluations of each run, as in the Python script.
const EVALUATIONS: u64 = 1000;
/// The part of the time that may go to all but the network, on the CPU.
const SHARE: f64 = 0.05;

/// A method as it is set, its name in the Python script, and how many times cheaper than there it must be.
struct Case {
    id: &'static str,
    set: &'static [(&'static str, &'static str)],
    peer: Option<(&'static str, f64)>,
}

const CASES: &[Case] = &[
    Case { id: "lime", set: &[("samples", "1000"), ("batch", "10")], peer: Some(("lime", 20.0)) },
    Case {
        id: "shap-partition",
        set: &[("max_evals", "1000"), ("batch", "50"), ("masker", "blur:64,64")],
        peer: Some(("shap-blur", 20.0)),
    },
    Case {
        id: "shap-partition",
        set: &[("max_evals", "1000"), ("batch", "50"), ("masker", "inpaint-telea")],
        peer: Some(("shap-telea", 50.0)),
    },
    Case {
        id: "shap-partition",
        set: &[("max_evals", "1000"), ("batch", "50"), ("masker", "inpaint-ns")],
        peer: None,
    },
    Case { id: "kernel-shap", set: &[("samples", "1000")], peer: None },
    Case { id: "rise", set: &[("samples", "1000")], peer: None },
];

/// A network that costs nothing: its scores are means of coarse cells. Masked pictures are mixed, as the CPU backend
/// mixes them.
struct Trivial {
    network: Arc<Network>,
    description: Description,
}

#[async_trait(?Send)]
impl Backend for Trivial {
    fn description(&self) -> &Description {
        &self.description
    }

    fn network(&self) -> &Network {
        &self.network
    }

    async fn batch(&mut self, _: &Program, _: usize) -> pellucid::Result<usize> {
        Ok(1)
    }

    async fn run(
        &mut self,
        _: &Program,
        images: Images<'_>,
        _: Option<&Tensor>,
    ) -> pellucid::Result<Vec<Tensor>> {
        let mut scores = Tensor::zeros([images.len(), self.network.classes()]);
        let (row, width) = (self.network.classes(), self.network.input()[2]);
        for i in 0..images.len() {
            let logits = &mut scores.data_mut()[i * row..][..row];
            match &images {
                Images::Batch(batch) => cells(batch.row(i), width, logits),
                Images::Masked(masked) => cells(&masked.mixed(i), width, logits),
                Images::Inpainted(masked) => cells(&masked.written(i), width, logits),
                Images::AtLayer(at) => cells(at.points.row(i), width, logits),
            }
        }
        Ok(vec![scores])
    }
}

/// Sums of every eighth row and column, in 4 x 4 cells: the first 16 classes.
fn cells(image: &[f32], width: usize, logits: &mut [f32]) {
    for (y, line) in image.chunks_exact(width).enumerate().step_by(8) {
        for (x, value) in line.iter().enumerate().step_by(8) {
            logits[(y % width) * 4 / width * 4 + x * 4 / width] += value * 0.01;
        }
    }
}

fn main() -> Result<ExitCode> {
    let python = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let network = Arc::new(Network::from_onnx(include_bytes!("../models/efficientnet-lite0-int8.onnx"))?);
    let image = cat(&network)?;
    if std::env::args().any(|a| a == "--whole") {
        whole(&network, &image, python.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut verdicts = Verdicts::new(true);
    let forward = forward(&network, &image)?;
    verdicts.tell("a forward pass on the CPU, ms", forward * 1e3);
    for case in CASES {
        let ours = run(&network, &image, case)?;
        let each = ours / EVALUATIONS as f64;
        let name = format!("{} {}", case.id, case.set.last().map_or("", |s| s.1));
        verdicts.tell(&format!("{name}, ms an evaluation around the network"), each * 1e3);
        verdicts.timed(&format!("{name}, share of the whole"), each / (each + forward), SHARE);
        if let (Some(python), Some((peer, times))) = (&python, case.peer) {
            let [first, second] = theirs(python, peer)?;
            println!(
                "{peer} in Python, first and second run; ours: {first:.2} s, {second:.2} s; {ours:.3} s"
            );
            verdicts.timed(&format!("{peer}, ours of the first run"), ours / first, 1.0 / times);
            verdicts.tell(&format!("{peer}, ours of the second run"), ours / second);
        }
    }
    Ok(verdicts.finish())
}

/// The cat as the shipped network takes it.
fn cat(network: &Network) -> Result<Tensor> {
    let bytes = include_bytes!("../tests/fixtures/quantized/cat_crop.npy");
    let pixels = npyz::NpyFile::new(&bytes[..])?.into_vec::<u8>()?;
    let value = |i: usize| (f32::from(pixels[i]) - 127.0) / 128.0;
    let plane = pixels.len() / 3;
    Ok(Tensor::new(network.input(), (0..3 * plane).map(|i| value(i % plane * 3 + i / plane)).collect())?)
}

/// Seconds of a forward pass: the median of some.
fn forward(network: &Arc<Network>, image: &Tensor) -> Result<f64> {
    let mut backend = CpuBackend::new(network.clone())?;
    let batch = Tensor::stack(std::slice::from_ref(image))?;
    let mut times = vec![];
    for _ in 0..15 {
        let start = clock::seconds();
        pollster::block_on(backend.run(&Program::Forward { layer: None }, Images::Batch(&batch), None))?;
        times.push(clock::seconds() - start);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Seconds of a whole run with the trivial network: the least of three.
fn run(network: &Arc<Network>, image: &Tensor, case: &Case) -> Result<f64> {
    let description = Description { kind: "cpu", adapter: "trivial".into(), fallback: false };
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let mut backend = Trivial { network: network.clone(), description: description.clone() };
        let start = clock::seconds();
        explain(&mut backend, image, case)?;
        least = least.min(clock::seconds() - start);
    }
    Ok(least)
}

fn explain(backend: &mut dyn Backend, image: &Tensor, case: &Case) -> Result<()> {
    let method = method(case.id)?;
    let given: BTreeMap<String, Value> = case.set.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let mut settings = Settings::resolve(method.about().parameters, &given)?;
    method.complete(&mut settings, image.shape());
    let preprocessing = Preprocessing { mean: [127.0; 3], std: [128.0; 3], ..Preprocessing::default() };
    let score = Score::Probability;
    let question = Question { score, ..Question::new(vec![0, 5, 6, 9], settings, preprocessing) };
    let mut observer = Silent;
    pollster::block_on(method.explain(&mut Context::new(&question, image, backend, &mut observer)))?;
    Ok(())
}

/// Prints the wall and CPU seconds of whole runs, and of Python's.
fn whole(network: &Arc<Network>, image: &Tensor, python: Option<&str>) -> Result<()> {
    let theirs: Value = match python {
        Some(python) => serde_json::from_str(&output(python, "whole")?)?,
        None => Value::Null,
    };
    let mut backend = CpuBackend::new(network.clone())?;
    for case in CASES {
        let Some(peer) = case.peer.map(|p| p.0).filter(|p| python.is_none() || !theirs[*p].is_null()) else {
            continue;
        };
        let (start, before) = (Instant::now(), clock::process_seconds());
        explain(&mut backend, image, case)?;
        let (wall, cpu) = (start.elapsed().as_secs_f64(), clock::process_seconds() - before);
        print!("{peer}, {EVALUATIONS} evaluations: {wall:.1} s, {cpu:.1} CPU seconds");
        match (theirs[peer]["wall"].as_f64(), theirs[peer]["cpu"].as_f64()) {
            (Some(w), Some(c)) => {
                println!(
                    "; in Python {w:.1} s, {c:.1} CPU seconds; ours of theirs {:.2}, {:.2}",
                    wall / w,
                    cpu / c
                );
            }
            _ => println!(),
        }
    }
    Ok(())
}

/// Seconds of the package's own run: the first, which compiles, and another.
fn theirs(python: &str, peer: &str) -> Result<[f64; 2]> {
    let seconds: Value = serde_json::from_str(&output(python, peer)?)?;
    let one = |key: &str| seconds[key].as_f64().ok_or("the script printed something else");
    Ok([one("first")?, one("second")?])
}

fn output(python: &str, what: &str) -> Result<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/python/lime_shap_cost.py");
    let output = Command::new(python).args([script, what]).output()?;
    if !output.status.success() {
        return Err(format!("{script}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
