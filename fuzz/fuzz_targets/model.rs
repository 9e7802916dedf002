//! Model files: read, lowered and differentiated.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pellucid::{
    graph::Rule,
    network::{Network, Program, Score},
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(network) = Network::from_onnx(bytes) else { return };
    for layer in [None, network.default_layer().map(|l| l.value)] {
        let _ = network.program(&Program::Forward { layer });
        let _ = network.program(&Program::Gradient { score: Score::Logit, layer, rule: Rule::Guided });
    }
});
