//! Every kernel variant that the shipped model and the operators' cases need is valid WGSL, and its `Params` are what
//! Rust writes; no adapter is asked.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use naga::{
    AddressSpace, TypeInner,
    valid::{Capabilities, ValidationFlags, Validator},
};

use super::*;
use crate::{
    backend::cases::{rng, with_gradient},
    gpu::{Dispatch, Variant},
    graph::Rule,
    network::{Network, Program, Score},
    ops,
};

/// Fails where a shader is not valid, or its `Params` do not have `written` bytes.
fn validate(text: &str, written: usize) -> Result<(), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
    validator.validate(&module).map_err(|e| e.emit_to_string(text))?;
    let uniform = module.global_variables.iter().find(|(_, v)| v.space == AddressSpace::Uniform);
    let params = uniform.ok_or("there are no parameters")?.1.ty;
    match module.types[params].inner {
        TypeInner::Struct { span, .. } if span as usize == written => Ok(()),
        ref other => Err(format!("{written} bytes of parameters are written, and {other:?} is read")),
    }
}

fn shader(dispatch: &Dispatch) -> String {
    dispatch.kernel.expand(&dispatch.variant).unwrap()
}

/// The dispatches of a graph, one for each variant that is not in `seen` yet, and which is then.
fn new_variants(
    seen: &mut HashSet<(&'static str, Variant)>,
    graph: &Graph,
    encoding: Option<MaskEncoding>,
    sizes: &[(usize, usize)],
) -> Vec<Dispatch> {
    let mut new = vec![];
    for tile_memory in TileMemory::ALL {
        let mut compiled = Compiled::new(DeviceProfile { tile_memory, ..PROFILE }, graph, encoding).unwrap();
        for &(images, targets) in sizes {
            let memory = compiled.memory(Size { images, targets, ..Size::default() });
            let mut made = compiled.record(&memory).unwrap();
            made.retain(|d| seen.insert((d.kernel.name, d.variant.clone())));
            new.extend(made);
        }
    }
    new
}

/// No masks, and each encoding of them.
const ENCODINGS: [Option<MaskEncoding>; 5] = [
    None,
    Some(MaskEncoding::Rectangles),
    Some(MaskEncoding::Segments),
    Some(MaskEncoding::Grids),
    Some(MaskEncoding::Elements),
];

/// The folder in which variants are kept for the browser's tests, if they run afterwards; emptied.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("PELLUCID_SHADERS")?);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

#[test]
fn every_variant_of_the_shipped_model_is_valid() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/efficientnet-lite0-int8.onnx");
    let network = Network::from_onnx(std::fs::read(path).unwrap()).unwrap();
    let layer = network.default_layer().map(|l| l.value);
    let gradient = |score, layer, rule| Program::Gradient { score, layer, rule };
    let programs = [
        Program::Forward { layer: None },
        Program::Forward { layer },
        gradient(Score::Logit, None, Rule::Plain),
        gradient(Score::Probability, layer, Rule::Guided),
    ];
    let (folder, mut seen, mut count) = (folder(), HashSet::new(), 0);
    for program in &programs {
        let graph = network.graph_for(program).unwrap();
        for encoding in ENCODINGS {
            for dispatch in new_variants(&mut seen, &graph, encoding, &[(1, 1), (3, 2), (MANY, 1)]) {
                let text = shader(&dispatch);
                validate(&text, dispatch.params.len()).unwrap();
                count += 1;
                if let Some(folder) = &folder {
                    let file = folder.join(format!("{}-{count}.wgsl", dispatch.kernel.name));
                    std::fs::write(file, text).unwrap();
                }
            }
        }
    }
    assert!(count > 20, "only {count} variants");
}

/// The names of the kernels whose files stand in a folder: those that have bindings.
fn written(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.extend(written(&path));
        } else if path.extension().is_some_and(|e| e == "wgsl")
            && std::fs::read_to_string(&path).unwrap().contains("#include bindings")
        {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names
}

/// A member more than Rust writes is found in each kernel.
#[test]
fn every_kernel_reads_the_parameters_that_are_written() {
    let (mut seen, mut kernels) = (HashSet::new(), BTreeSet::new());
    for case in ops::cases() {
        for i in 0..8 {
            let graph = with_gradient(&(case.build)(&mut rng(case.name, i)), Rule::Plain);
            let encoding = ENCODINGS[i as usize % ENCODINGS.len()];
            for dispatch in new_variants(&mut seen, &graph, encoding, &[(2, 2)]) {
                let (kernel, text) = (dispatch.kernel.name, shader(&dispatch));
                validate(&text, dispatch.params.len()).unwrap_or_else(|e| panic!("{kernel}: {e}"));
                if kernels.insert(kernel.to_owned()) {
                    let longer = text.replacen("struct Params {", "struct Params { more: u32,", 1);
                    assert!(validate(&longer, dispatch.params.len()).is_err(), "{kernel}");
                }
            }
        }
    }
    assert_eq!(kernels, written(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops")));
}

#[test]
fn what_is_not_valid_is_found() {
    assert!(validate("fn f() -> u32 { return 1.0; }", 0).is_err());
}
