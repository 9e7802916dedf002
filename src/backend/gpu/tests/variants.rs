//! Every kernel variant that the shipped model needs is valid WGSL; no adapter is asked.

use std::{collections::HashSet, path::PathBuf};

use naga::valid::{Capabilities, ValidationFlags, Validator};

use super::*;
use crate::{
    gpu::{Kernel, Variant},
    graph::Rule,
    network::{Network, Program, Score},
    ops::kernels::ELEMENTWISE,
};

fn validate(kernel: &Kernel, variant: &Variant) -> Result<(), String> {
    let text = kernel.expand(variant).map_err(|e| e.to_string())?;
    let module = naga::front::wgsl::parse_str(&text).map_err(|e| e.emit_to_string(&text))?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    validator.validate(&module).map(|_| ()).map_err(|e| e.emit_to_string(&text))
}

/// Where variants are kept for the browser's tests, if they run afterwards; emptied.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("PELLUCID_SHADERS")?);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

#[test]
fn every_variant_of_the_shipped_model_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/efficientnet-lite0-int8.onnx");
    let network = Network::from_onnx(&std::fs::read(path).unwrap()).unwrap();
    let layer = network.default_layer().map(|l| l.value);
    let gradient = |score, layer, rule| Program::Gradient { score, layer, rule };
    let programs = [
        Program::Forward { layer: None },
        Program::Forward { layer },
        gradient(Score::Logit, None, Rule::Plain),
        gradient(Score::Probability, layer, Rule::Guided),
    ];
    let (folder, mut seen) = (folder(), HashSet::<(&str, Variant)>::new());
    for program in &programs {
        let graph = network.program(program).unwrap();
        let forms = [Form::Rectangles, Form::Segments, Form::Grids, Form::Elements];
        let all = [None].into_iter().chain(forms.map(Some));
        for (form, tiles) in all.flat_map(|form| Tiles::ALL.map(|tiles| (form, tiles))) {
            let mut compiled = Compiled::new(Traits { tiles, ..TRAITS }, &graph, form).unwrap();
            for (images, targets) in [(1, 1), (3, 2), (MANY, 1)] {
                let memory = compiled.memory(Size { images, targets, ..Size::default() });
                for dispatch in compiled.record(&memory).unwrap() {
                    if seen.insert((dispatch.kernel.name, dispatch.variant.clone())) {
                        validate(dispatch.kernel, &dispatch.variant).unwrap();
                        if let Some(folder) = &folder {
                            let name = format!("{}-{}.wgsl", dispatch.kernel.name, seen.len());
                            let text = dispatch.kernel.expand(&dispatch.variant).unwrap();
                            std::fs::write(folder.join(name), text).unwrap();
                        }
                    }
                }
            }
        }
    }
    assert!(seen.len() > 20, "only {} variants", seen.len());
}

#[test]
fn what_is_not_valid_is_found() {
    let broken = Kernel { source: "fn f() -> u32 { return 1.0; }", ..ELEMENTWISE };
    assert!(validate(&broken, &vec![]).is_err());
}
