//! The costs of methods on the native CPU backend, in forward passes:
//!
//! `taskset -c 0 cargo bench --bench cost [-- [MODEL.onnx] [PYTHON]]`
//!
//! PYTHON is the interpreter of an environment with `benches/python/requirements.txt`; with one, the same is measured of
//! Captum on torch, and printed as a ratio.
//!
//! `taskset` keeps it to one thread: on more, what comes in batches is spread over them, and looks cheaper beside what
//! does not than it is.
//! `--profile fast` builds sooner. It exits with 1 when a bound is missed, and with 75 when one could not be measured.

#[path = "clock.rs"]
mod clock;
#[path = "verdict.rs"]
mod verdict;

use std::{
    collections::BTreeMap,
    error::Error,
    process::{Command, ExitCode},
    sync::Arc,
};

use pellucid::{
    Tensor,
    attribution::{Context, Question, Settings, Silent, method},
    backend::{Backend, Images, cpu::CpuBackend},
    graph::{Rule, Storage},
    network::{Layer, Network, Program, Score},
    picture::Preprocessing,
};
use rand::RngExt;
use verdict::Verdicts;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Repetitions.
const TIMES: usize = 21;
/// Forward passes that a saliency map may cost.
const SALIENCY: f64 = 2.5;
/// Saliency maps that integrated gradients may cost: one a step, and what scoring both ends and adding up take.
const PATH: f64 = 55.0;
/// Saliency maps on either side of integrated gradients.
const SALIENCIES: usize = 25;
/// The bound on one image's stored masks under integrated gradients, in bytes.
const MASKS: usize = 64 << 20;

/// The work that is measured.
enum Work<'a> {
    Forward,
    /// A method by its id, at a layer, for some classes.
    Method(&'a str, Option<&'a Layer>, &'a [usize]),
}

struct Bench {
    backend: CpuBackend,
    image: Tensor,
    verdicts: Verdicts,
}

fn main() -> Result<ExitCode> {
    let (models, pythons): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).filter(|a| !a.starts_with('-')).partition(|a| a.ends_with(".onnx"));
    let path = models.first().cloned();
    let model = match &path {
        Some(path) => std::fs::read(path)?,
        None => include_bytes!("../models/efficientnet-lite0-int8.onnx").to_vec(),
    };
    let network = Arc::new(Network::from_onnx(&model)?);
    let mut rng = pellucid::rng::for_sample(0, 0);
    let values = network.input().iter().product();
    let image = Tensor::new(network.input(), (0..values).map(|_| rng.random_range(-1.0..1.0)).collect())?;
    let last = network.default_layer().cloned();
    let middle = network.layers().get(network.layers().len() / 2).cloned();
    let mut bench = Bench { backend: CpuBackend::new(network)?, image, verdicts: Verdicts::new(true) };

    let forward = Work::Forward;
    let (four, one): (Vec<usize>, [usize; 1]) = ((0..4).collect(), [0]);
    let cam = |layer| Work::Method("grad-cam", layer, &one);
    let saliency = Work::Method("saliency", None, &one);
    let [last_cam, forward_seconds] = bench.beside(&cam(last.as_ref()), &forward)?;
    bench.verdicts.tell("forward, ms", forward_seconds * 1e3);
    bench.say("grad-cam before pooling, in forward passes", last_cam / forward_seconds, 1.15);
    let [taken, forward_seconds] = bench.beside(&cam(middle.as_ref()), &forward)?;
    bench.say("grad-cam in the middle, in forward passes", taken / forward_seconds, 2.2);
    let [saliency_seconds, forward_seconds] = bench.beside(&saliency, &forward)?;
    let saliency_passes = saliency_seconds / forward_seconds;
    bench.say("saliency, in forward passes", saliency_passes, SALIENCY);
    let [taken, each] = bench.beside(&Work::Method("saliency", None, &four), &saliency)?;
    bench.say("saliency of 4 classes, in runs of one", taken / each, 0.7 * 4.0);
    // One run takes as long as fifty of the other, and the machine's pace changes: so those stand before and behind it.
    let before = bench.seconds(&saliency, SALIENCIES)?;
    let path_seconds = bench.seconds(&Work::Method("integrated-gradients", None, &one), 1)?;
    let each = (before + bench.seconds(&saliency, SALIENCIES)?) / (2 * SALIENCIES) as f64;
    bench.say("integrated gradients of 50 steps, in saliencies", path_seconds / each, PATH);
    bench.verdicts.tell("the same, in forward passes", path_seconds / each * saliency_passes);
    let masks = masks(bench.backend.network())?;
    let mebibytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    bench.verdicts.counted("stored masks of one image, in MiB", mebibytes(masks), mebibytes(MASKS));
    if let Some(python) = pythons.first() {
        let ours = [
            ("forward", forward_seconds),
            ("grad-cam", last_cam),
            ("saliency", saliency_seconds),
            ("integrated-gradients", path_seconds),
        ];
        beside_captum(python, path.as_deref(), &ours)?;
    }
    Ok(bench.verdicts.finish())
}

/// Prints what Captum takes for the same, on the same model and one thread.
fn beside_captum(python: &str, model: Option<&str>, ours: &[(&str, f64)]) -> Result<()> {
    let root = env!("CARGO_MANIFEST_DIR");
    let shipped = format!("{root}/models/efficientnet-lite0-int8.onnx");
    let script = format!("{root}/benches/python/captum_cost.py");
    let output = Command::new(python).args([&script, model.unwrap_or(&shipped)]).output()?;
    if !output.status.success() {
        return Err(format!("{script}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let theirs: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    for (what, ours) in ours {
        let theirs = theirs[what].as_f64().ok_or("the script printed something else")?;
        let (a, b) = (ours * 1e3, theirs * 1e3);
        println!("{what:32} {a:8.1} ms, Captum on torch {b:8.1} ms: ours of theirs {:.2}", a / b);
    }
    Ok(())
}

impl Bench {
    fn say(&mut self, what: &str, got: f64, allowed: f64) {
        self.verdicts.timed(what, got, allowed);
    }

    /// Seconds of one work and of another, which take turns, as a machine's pace changes; the first run of each, which
    /// compiles, is left out. Means, because systems count a thread's time in ticks that are not small beside one run.
    fn beside(&mut self, work: &Work<'_>, other: &Work<'_>) -> Result<[f64; 2]> {
        self.seconds(work, 1)?;
        self.seconds(other, 1)?;
        let mut spent = [0.0; 2];
        for _ in 0..TIMES {
            spent[0] += self.seconds(work, 1)?;
            spent[1] += self.seconds(other, 1)?;
        }
        Ok(spent.map(|s| s / TIMES as f64))
    }

    /// Seconds of some work, so many times.
    fn seconds(&mut self, work: &Work<'_>, times: usize) -> Result<f64> {
        let start = clock::seconds();
        for _ in 0..times {
            match *work {
                Work::Forward => self.forward()?,
                Work::Method(id, layer, targets) => self.explain(id, layer, targets)?,
            }
        }
        Ok(clock::seconds() - start)
    }

    fn forward(&mut self) -> pellucid::Result<()> {
        let batch = Tensor::stack(std::slice::from_ref(&self.image))?;
        let program = Program::Forward { layer: None };
        pollster::block_on(self.backend.run(&program, Images::Batch(&batch), None)).map(drop)
    }

    fn explain(&mut self, id: &str, layer: Option<&Layer>, targets: &[usize]) -> pellucid::Result<()> {
        let method = method(id)?;
        let settings = Settings::resolve(method.about().parameters, &BTreeMap::new())?;
        let layer = layer.cloned();
        let question =
            Question { layer, ..Question::new(targets.to_vec(), settings, Preprocessing::default()) };
        let mut observer = Silent;
        let mut context = Context::new(&question, &self.image, &mut self.backend, &mut observer);
        pollster::block_on(method.explain(&mut context)).map(drop)
    }
}

/// The bytes that the forward pass of an input gradient leaves for the backward pass, bits packed.
fn masks(network: &Network) -> Result<usize> {
    let graph =
        network.graph_for(&Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain })?;
    let size = |node: &pellucid::graph::Node| match node.storage {
        Storage::Bit => node.elements().div_ceil(8),
        Storage::Byte => node.elements(),
        Storage::Float => 0,
    };
    Ok(graph.nodes().iter().map(size).sum())
}
