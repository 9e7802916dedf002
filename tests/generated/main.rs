//! No integer that a model file can hold makes it crash, hang or eat memory: for each operator that can be read, a small
//! valid model with each of its integers set in turn to what wraps, ends or negates (see `models.rs`), read, run on the
//! CPU, and recorded for the GPU, under limits of time and of memory.
//!
//! `PELLUCID_HOSTILE` names a folder to leave the files in: `tests/browser/hostile.test.mjs` opens each in the page.

mod element_types;
mod forms;
mod integers;
mod memory;
mod models;
mod semantics;
mod twins;
mod valid;

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use models::{Case, changed, found, seeds};
use pellucid::{
    Error, Result, Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::rehearse},
    graph::Rule,
    network::{Network, Program, Score},
};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// One test measures memory, so all take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a refusal may take.
const REFUSAL: (Duration, usize) = (Duration::from_millis(100), 64 << 20);
/// What a small model that is read may take, on a machine that does other things beside.
const RUN: (Duration, usize) = (Duration::from_secs(20), 768 << 20);

/// Reads a file, runs it forward and back, and records both for a GPU. An error inside is one of the backends, as of a
/// batch that a GPU cannot hold.
fn all_of_it(bytes: &[u8]) -> Result<Result<()>> {
    let network = Arc::new(Network::from_onnx(bytes)?);
    Ok(run(&network))
}

fn run(network: &Arc<Network>) -> Result<()> {
    let image = Tensor::full([&[1], network.input()].concat(), 0.25);
    let cotangents = Tensor::full([1, network.classes()], 1.0);
    let forward = Program::Forward { layer: network.default_layer().map(|l| l.value) };
    let gradient = Program::Gradient { score: Score::Logit, layer: None, rule: Rule::Guided };
    let mut cpu = CpuBackend::new(network.clone())?;
    for (program, cotangents) in [(&forward, None), (&gradient, Some(&cotangents))] {
        pollster::block_on(cpu.run(program, Images::Batch(&image), cotangents))?;
        for images in [1, 16] {
            rehearse(&network.graph_for(program)?, images, 1)?;
        }
    }
    Ok(())
}

/// What went wrong with a case, if anything did; whether it was refused.
fn fault(case: &Case) -> (Option<String>, bool) {
    let bytes = case.bytes();
    let attempt = || {
        let start = Instant::now();
        let (outcome, peak) = memory::peak(|| catch_unwind(AssertUnwindSafe(|| all_of_it(&bytes))));
        (outcome, peak, start.elapsed())
    };
    let (outcome, peak, mut time) = attempt();
    let Ok(outcome) = outcome else { return (Some("it panics".into()), false) };
    let is_refused = !matches!(outcome, Ok(Ok(())));
    let (most_time, most_memory) = if outcome.is_err() { REFUSAL } else { RUN };
    // A machine that is busy is slow once, a refusal that is slow is slow each time.
    for _ in 0..4 {
        if time > most_time {
            time = time.min(attempt().2);
        }
    }
    let over = if time > most_time {
        Some(format!("it takes {time:?}"))
    } else if peak > most_memory + 2 * bytes.len() {
        Some(format!("it takes {} MiB", peak >> 20))
    } else if let Err(error) = &outcome.and_then(|run| run) {
        said_once(error)
    } else {
        None
    };
    (over, is_refused)
}

/// What is wrong with a message.
fn said_once(error: &Error) -> Option<String> {
    let text = error.to_string();
    let is_twice = text.matches("-node\"").count() > 1 && text.contains(": Conv (node");
    (text.is_empty() || text.len() > 4000 || is_twice).then(|| format!("it says {text:?}"))
}

#[test]
fn no_integer_crashes_hangs_or_eats_memory() {
    let _turn = turn();
    let seeds = seeds();
    let (mut faults, mut refused, mut taken) = (vec![], 0, 0);
    let mut seen = HashSet::new();
    for seed in &seeds {
        let outcome = all_of_it(&seed.bytes());
        assert!(matches!(outcome, Ok(Ok(()))), "{} is valid: {outcome:?}", seed.operator);
        for case in changed(seed).into_iter().filter(|case| seen.insert(case.bytes())) {
            let (wrong, is_refused) = fault(&case);
            faults.extend(wrong.map(|why| format!("{}: {}: {why}", case.operator, case.change)));
            if is_refused { refused += 1 } else { taken += 1 }
        }
    }
    for case in found() {
        let (wrong, is_refused) = fault(&case);
        let wrong = wrong.or_else(|| (!is_refused).then(|| "it is taken".into()));
        faults.extend(wrong.map(|why| format!("{}: {why}", case.change)));
        seen.insert(case.bytes());
    }
    leave(&seen);
    println!("{refused} refused, {taken} taken");
    assert!(faults.is_empty(), "of {} models:\n{}", seen.len(), faults.join("\n"));
    assert!(refused > 1000 && taken > 200, "{refused} refused, {taken} taken");
}

/// Leaves the files for the browser's tests, in a few files of many models each: `length, bytes, length, bytes, …`.
fn leave(models: &HashSet<Vec<u8>>) {
    let Some(folder) = std::env::var_os("PELLUCID_HOSTILE").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    let mut sorted: Vec<_> = models.iter().collect();
    sorted.sort();
    let mut packed = vec![];
    for model in sorted {
        packed.extend(u32::try_from(model.len()).unwrap().to_le_bytes());
        packed.extend(model);
    }
    std::fs::write(folder.join("models.bin"), packed).unwrap();
}

/// Canary: what takes too much is found out. Threads of the test runner give back a little meanwhile.
#[test]
fn what_takes_much_is_measured() {
    let _turn = turn();
    let (_, peak) = memory::peak(|| std::hint::black_box(vec![1u8; 80 << 20]).len());
    assert!(peak >= 79 << 20, "{peak}");
}
