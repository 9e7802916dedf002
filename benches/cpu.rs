//! The CPU backend on one thread, beside tract's own pipeline and onnxruntime on the same file, in the same run:
//!
//! `taskset -c 0 cargo bench --bench cpu [-- [MODEL.onnx ...] [--python PYTHON]]`
//!
//! PYTHON is the interpreter of an environment with onnxruntime (`pip install onnxruntime`); without one, it is left out.
//! All take turns, so that what else the machine does falls on each, and the processor's own time is counted. Bounds are
//! the shipped model's; other models are measured without. `--profile fast` builds sooner. It exits with 1 when a bound
//! is missed, and with 75 when one could not be measured.

#[path = "clock.rs"]
mod clock;
#[path = "verdict.rs"]
mod verdict;

use std::{
    error::Error,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio},
    sync::Arc,
    time::Instant,
};

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend},
    graph::Rule,
    network::{Network, Program, Score},
};
use tract_onnx::prelude::*;
use verdict::Verdicts;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/efficientnet-lite0-int8.onnx");
/// Repetitions.
const TIMES: usize = 25;
/// Milliseconds that a forward pass of the shipped model may take.
const FORWARD: f64 = 22.0;
/// How many times onnxruntime's time it may take.
const OF_ONNXRUNTIME: f64 = 5.0;
/// Forward passes that a gradient of the shipped model may cost.
const GRADIENT: f64 = 2.5;

fn main() -> Result<ExitCode> {
    let (mut files, mut python) = (vec![], None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--python" => python = Some(arguments.next().ok_or("--python takes the path of an interpreter")?),
            "--bench" => {}
            file => files.push(file.to_owned()),
        }
    }
    if python.is_none() {
        println!("onnxruntime is left out; `-- --python PYTHON` names an interpreter that has it");
    }
    let mut verdicts = Verdicts::new(true);
    if files.is_empty() {
        compare(SHIPPED, python.as_deref(), Some(&mut verdicts))?;
    }
    for file in files {
        compare(&file, python.as_deref(), None)?;
    }
    Ok(verdicts.finish())
}

/// Measures one model; its figures have bounds where there are verdicts.
fn compare(file: &str, python: Option<&str>, verdicts: Option<&mut Verdicts>) -> Result<()> {
    let bytes = std::fs::read(file)?;
    let network = Arc::new(Network::from_onnx(&bytes)?);
    let shape: Vec<usize> = [1].into_iter().chain(network.input().iter().copied()).collect();
    let count: usize = shape.iter().product();
    let data: Vec<f32> = (0..count).map(|i| ((i * 7919) % 255) as f32 / 128.0 - 1.0).collect();
    let image = Tensor::new(shape.clone(), data.clone())?;
    let start = Instant::now();
    let mut ours = CpuBackend::new(network.clone())?;
    println!("{file}\n  pellucid compiles in {:?}", start.elapsed());
    let tract = tracts(&bytes, &shape)?;
    let mut peer = python.map(|python| Onnxruntime::start(python, file)).transpose()?;

    let input = tract_onnx::prelude::Tensor::from_shape(&shape, &data)?;
    let gradient = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Plain };
    let mut cotangent = Tensor::zeros([1, network.classes()]);
    cotangent.data_mut()[0] = 1.0;
    let mut times = [const { vec![] }; 4];
    for _ in 0..TIMES {
        let work = || Ok(tract.run(tvec!(input.clone().into())).map(drop)?);
        times[0].push(seconds(work)?);
        times[1].push(seconds(|| run(&mut ours, &Program::Forward { layer: None }, &image, None))?);
        times[2].push(seconds(|| run(&mut ours, &gradient, &image, Some(&cotangent)))?);
        if let Some(peer) = &mut peer {
            times[3].push(peer.seconds()?);
        }
    }
    // The least, which what else the machine does changes least.
    let [tract, forward, gradient, onnxruntime] = times.map(|t| t.into_iter().min_by(f64::total_cmp));
    let [tract, forward, gradient] = [tract, forward, gradient].map(|t| t.unwrap_or(f64::NAN));
    let mut told = Verdicts::new(true);
    let is_bound = verdicts.is_some();
    let verdicts = verdicts.unwrap_or(&mut told);
    let mut say = |what: &str, got: f64, allowed: f64| match is_bound {
        true => verdicts.timed(what, got, allowed),
        false => verdicts.tell(what, got),
    };
    say("forward, ms", forward * 1e3, FORWARD);
    say("gradient, in forward passes", gradient / forward, GRADIENT);
    say("forward, of tract's own pipeline", forward / tract, 1.0);
    if let Some((theirs, peer)) = onnxruntime.zip(peer) {
        println!("onnxruntime {} takes {:.1} ms", peer.version, theirs * 1e3);
        say("forward, of onnxruntime", forward / theirs, OF_ONNXRUNTIME);
    }
    Ok(())
}

/// Tract's own reading of a file, optimised.
fn tracts(bytes: &[u8], shape: &[usize]) -> Result<Arc<TypedRunnableModel>> {
    let reader = onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let model = reader.model_for_read(&mut &*bytes)?.with_input_fact(0, f32::fact(shape).into())?;
    Ok(model.into_optimized()?.into_runnable()?)
}

/// A process that runs a model with onnxruntime, one pass whenever it is asked.
struct Onnxruntime {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    version: String,
}

impl Onnxruntime {
    fn start(python: &str, model: &str) -> Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/python/onnxruntime_cost.py");
        let mut command = Command::new(python);
        let mut process =
            command.args([script, model]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the script cannot be spoken to".into());
        };
        let answers = BufReader::new(answers);
        let mut started = Self { process, questions, answers, version: String::new() };
        started.version = started.line()?;
        Ok(started)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("onnxruntime_cost.py ended; see above why".into()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    /// Seconds of a forward pass.
    fn seconds(&mut self) -> Result<f64> {
        self.questions.write_all(b"\n")?;
        self.questions.flush()?;
        Ok(self.line()?.parse()?)
    }
}

impl Drop for Onnxruntime {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(
    backend: &mut CpuBackend,
    program: &Program,
    image: &Tensor,
    cotangents: Option<&Tensor>,
) -> Result<()> {
    Ok(pollster::block_on(backend.run(program, Images::Batch(image), cotangents)).map(drop)?)
}

fn seconds(f: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = clock::seconds();
    f()?;
    Ok(clock::seconds() - start)
}
