//! Model files: read, lowered, differentiated, run on the CPU and recorded for a GPU.

#![cfg_attr(fuzzing, no_main)]

use std::sync::Arc;

use pellucid::{
    Tensor,
    backend::{Backend, Images, cpu::CpuBackend, gpu::rehearse},
    graph::Rule,
    network::{Network, Program, Score},
};

/// Networks of more work than this are not run: a fuzzer takes what is slow for what hangs.
const MOST_WORK: u64 = 1 << 26;

pellucid_fuzz::fuzz_target!(|bytes: &[u8]| {
    let Ok(network) = Network::from_onnx(bytes) else { return };
    let network = Arc::new(network);
    let gradient = |layer| Program::Gradient { score: Score::Logit, layer, rule: Rule::Guided };
    let layer = network.default_layer().map(|l| l.value);
    for program in [Program::Forward { layer }, gradient(None), gradient(layer)] {
        let Ok(graph) = network.graph_for(&program) else { continue };
        if graph.work() > MOST_WORK {
            continue;
        }
        let _ = rehearse(&graph, 2, 1);
        let Ok(mut cpu) = CpuBackend::new(network.clone()) else { continue };
        let image = Tensor::full([&[1], network.input()].concat(), 0.25);
        let cotangents = Tensor::full([1, network.classes()], 1.0);
        let cotangents = matches!(program, Program::Gradient { .. }).then_some(&cotangents);
        let _ = pollster::block_on(cpu.run(&program, Images::Batch(&image), cotangents));
    }
});
