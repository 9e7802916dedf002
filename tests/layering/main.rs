//! The house rules of ARCHITECTURE.md that a compiler does not hold: which module may import which,
//! where the browser's interface may be named, and that nothing outside tests panics on purpose. The page's rooms: `page`.

mod circles;
mod page;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use source::{Sources, Token, group_heads, is_in_use, paths_from_root, sources, tokens};

/// From the ground up: a module imports only from groups above its own line. The leaves may know each other.
const LAYERS: &[&[&str]] = &[
    &["bilinear", "error", "json", "tensor", "limits", "npy", "rng", "simd"],
    &["picture"],
    &["gpu"],
    &["chain"],
    &["graph"],
    &["ops"],
    &["network"],
    &["backend"],
    &["attribution"],
    &["evaluation"],
    &["render"],
    &["session"],
    &["web", "bin"],
];

/// Inside `ops`: what operators share, none of which imports an operator.
const SHARED_BY_OPERATORS: &[&str] = &["onnx", "window", "kernels"];

/// The rooms of `attribution`, each with the other rooms that it may name; "" stands for the files beside them, of which
/// only the registry, `mod.rs`, names methods.
const FAMILIES: &[(&str, &[&str])] =
    &[("", &[]), ("cam", &[]), ("gradient", &["cam"]), ("perturbation", &[])];

/// Only `web` speaks to the browser.
const BROWSER_CRATES: &[&str] = &[
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "web_sys",
    "js_sys",
    "serde_wasm_bindgen",
    "console_error_panic_hook",
];

#[test]
fn the_sources_keep_the_house_rules() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 3, "the sources were not found");
    let house = House::new(&sources);
    let faults: Vec<_> = sources.iter().flat_map(|(name, source)| house.check(name, source)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Each of these must be found out, by name and line: a checker that cannot fail checks nothing.
#[test]
fn planted_faults_are_found() {
    let house = House::of_lib("pub use tensor::Tensor;\npub use session::{Session, Options as Opts};");
    let planted = [
        ("gpu/mod.rs", "use crate::graph::Graph;", "gpu imports graph"),
        ("tensor.rs", "use crate::{Result, gpu::Device};", "tensor imports gpu"),
        ("graph/mod.rs", "use crate::{\n  error::{self, Error},\n  ops as o };", "graph imports ops"),
        ("ops/conv.rs", "fn f() { crate::network::plan::go(); }", "ops imports network"),
        (
            "ops/kernels/pool.rs",
            "use crate::{Error, ops::{window::Window, add::Add}};",
            "kernels imports add",
        ),
        ("ops/kernels/pool.rs", "use super::super::add;", "kernels imports add"),
        ("ops/window.rs", "use super::conv::Conv;", "window imports conv"),
        ("ops/conv.rs", "fn f() -> crate::Opts { go() }", "ops imports session"),
        ("backend/cpu.rs", "use super::super::attribution::Method;", "backend imports attribution"),
        ("rng.rs", "use super::picture;", "rng imports picture"),
        ("web/mod.rs", "use crate::bin::main;", "web imports bin"),
        ("attribution/cam/a.rs", "use crate::attribution::gradient::noise;", "cam names gradient"),
        ("attribution/perturbation/a.rs", "use crate::attribution::{Map, cam};", "perturbation names cam"),
        ("attribution/map.rs", "fn f() { super::cam::go() }", "map names cam"),
        ("cosy/mod.rs", "", "no layer is named cosy"),
        ("render/mod.rs", "use web_sys::console;", "web_sys is named outside web"),
        ("graph/mod.rs", "fn f() { vec![g().unwrap()]; }", "unwrap outside tests"),
        ("graph/mod.rs", "fn f() { g().expect(\"it\"); }", "expect outside tests"),
        (
            "graph/mod.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nfn f() { g().unwrap(); }",
            "unwrap outside tests",
        ),
        ("graph/mod.rs", "fn f() { todo!() }", "todo! outside tests"),
    ];
    for (file, source, fault) in planted {
        let found = house.check(file, source);
        assert_eq!(found.len(), 1, "{file}: {source}\n{found:?}");
        assert!(found[0].starts_with(&format!("src/{file}:")) && found[0].contains(fault), "{}", found[0]);
    }
    let found = house.check("tensor.rs", "fn f() {\n    crate::gpu::go()\n}");
    assert!(found[0].starts_with("src/tensor.rs:2:"), "{found:?}");
}

#[test]
fn honest_sources_pass() {
    let sources = [
        ("lib.rs", "pub use error::{Error, Result};"),
        (
            "ops/conv.rs",
            "use crate::{Error, graph::Operator, ops::pool};\n/// See [`crate::web`].\nstruct A;",
        ),
        ("ops/kernels/mod.rs", "mod pool;\npub use pool::Pool;\nuse crate::ops::{onnx::Reader, window};"),
        ("attribution/gradient/a.rs", "use crate::attribution::{gradient, cam::grad_cam};"),
        ("attribution/mod.rs", "pub mod cam; const M: &[&dyn Method] = &[&cam::grad_cam::GradCam];"),
        ("tensor.rs", "fn f() { let s = \"crate::web x.unwrap()\"; s.unwrap_or(1); }"),
        ("rng.rs", "#[cfg(test)]\nmod tests { use super::*; fn f() { g().unwrap(); } }"),
        ("gpu/mod.rs", "#[cfg(test)]\nmod helpers;\n#[cfg(test)]\n#[path = \"gpu_tests.rs\"]\nmod tests;"),
        ("gpu/helpers.rs", "fn f() { g().unwrap(); }"),
        ("gpu/gpu_tests.rs", "use super::*; fn f() { g().unwrap(); }"),
        ("web/mod.rs", "use wasm_bindgen::prelude::*; use crate::session::Session;"),
        ("bin/pellucid.rs", "use pellucid::session::Session; fn main() {}"),
    ];
    let sources: Sources =
        sources.iter().map(|&(name, source)| (name.to_owned(), source.to_owned())).collect();
    let house = House::new(&sources);
    for (name, source) in &sources {
        assert_eq!(house.check(name, source), Vec::<String>::new(), "{name}");
    }
}

/// What must be known of all files to judge one.
struct House {
    /// What lib.rs re-exports, and from which module.
    root_names: BTreeMap<String, String>,
    /// Files that are only compiled for tests.
    test_files: BTreeSet<String>,
}

impl House {
    fn new(sources: &Sources) -> Self {
        let lib = sources.get("lib.rs").map_or("", String::as_str);
        let test_files = sources.iter().flat_map(|(name, source)| test_files(name, source)).collect();
        Self { root_names: root_names(lib), test_files }
    }

    fn of_lib(lib: &str) -> Self {
        Self::new(&Sources::from([("lib.rs".to_owned(), lib.to_owned())]))
    }

    /// The faults of one file.
    fn check(&self, name: &str, source: &str) -> Vec<String> {
        let tokens = tokens(name, source, self.test_files.contains(name));
        let mut faults = imports(name, &tokens, &self.root_names);
        faults.extend(operators_imported(name, &tokens));
        faults.extend(families(name, &tokens));
        faults.extend(words(name, &tokens));
        faults
    }
}

/// Words that are not allowed where they stand.
fn words(name: &str, tokens: &[Token]) -> Vec<String> {
    let at = |line: usize, what: String| format!("src/{name}:{line}: {what}");
    let mut faults = Vec::new();
    let is_web = module_of(name) == "web";
    for (i, token) in tokens.iter().enumerate() {
        let text = token.text.as_str();
        let before = if i > 0 { tokens[i - 1].text.as_str() } else { "" };
        let after = tokens.get(i + 1).map_or("", |next| next.text.as_str());
        if !is_web && BROWSER_CRATES.contains(&text) {
            faults.push(at(token.line, format!("{text} is named outside web")));
        }
        if token.in_test {
            continue;
        }
        if before == "." && after == "(" && ["unwrap", "expect"].contains(&text) {
            faults.push(at(token.line, format!("{text} outside tests: return an Error")));
        }
        if after == "!" && ["todo", "unimplemented", "dbg"].contains(&text) {
            faults.push(at(token.line, format!("{text}! outside tests")));
        }
    }
    faults
}

/// Imports that point upwards.
fn imports(name: &str, tokens: &[Token], root_names: &BTreeMap<String, String>) -> Vec<String> {
    let module = module_of(name);
    if module == "lib" {
        return Vec::new();
    }
    let Some(own) = layer(module) else {
        return vec![format!("src/{name}:1: no layer is named {module}: add it to tests/layering/main.rs")];
    };
    let mut faults = Vec::new();
    for (target, line) in paths_from_root(name, tokens) {
        let target = root_names.get(target).map_or(target, String::as_str);
        let Some(other) = layer(target) else { continue };
        let is_allowed = target == module || other < own || (other == own && own == 0);
        if !is_allowed {
            faults.push(format!("src/{name}:{line}: {module} imports {target}, which is not below it"));
        }
    }
    faults
}

/// Imports of operators in what operators share.
fn operators_imported(name: &str, tokens: &[Token]) -> Vec<String> {
    let Some(inside) = name.strip_prefix("ops/") else { return Vec::new() };
    let module = module_of(inside);
    if !SHARED_BY_OPERATORS.contains(&module) {
        return Vec::new();
    }
    let mut found: Vec<(&str, usize)> =
        paths_from_root(inside, tokens).into_iter().filter(|(target, _)| layer(target).is_none()).collect();
    for i in 2..tokens.len().saturating_sub(2) {
        let text = |at: usize| tokens[at].text.as_str();
        // Other crates have modules called ops too: this one's stand after `crate::`, or in a group.
        let is_own = text(i - 1) != "::" || text(i - 2) == "crate";
        if !(is_own && text(i) == "ops" && text(i + 1) == "::") {
            continue;
        }
        match text(i + 2) {
            "{" => found.extend(group_heads(&tokens[i + 2..]).map(|t| (t.text.as_str(), t.line))),
            target => found.push((target, tokens[i + 2].line)),
        }
    }
    let is_operator = |target: &str| target.starts_with(char::is_lowercase) && target != "self";
    found.retain(|(target, _)| is_operator(target) && !SHARED_BY_OPERATORS.contains(target));
    let fault =
        |(target, line)| format!("src/{name}:{line}: {module} imports {target}, which is an operator");
    found.into_iter().map(fault).collect()
}

/// Names of families that a file of another family may not know.
fn families(name: &str, tokens: &[Token]) -> Vec<String> {
    let Some(path) = name.strip_prefix("attribution/").filter(|path| *path != "mod.rs") else {
        return vec![];
    };
    let (room, own) = match path.split_once('/') {
        Some((folder, _)) => (folder, folder),
        None => ("", path.trim_end_matches(".rs")),
    };
    let Some((_, known)) = FAMILIES.iter().find(|(family, _)| *family == room) else {
        return vec![format!("src/{name}:1: no family is named {room}: add it to tests/layering/main.rs")];
    };
    let text = |i: usize| tokens.get(i).map_or("", |token| token.text.as_str());
    let mut faults = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let family = token.text.as_str();
        let is_other = FAMILIES.iter().any(|(other, _)| *other == family) && family != room;
        // A path begins with it, or a path of a `use` ends with it; a variable of that name does neither.
        let is_path = text(i + 1) == "::" || (i > 0 && text(i - 1) == "::");
        let is_import = is_path || (is_in_use(tokens, i) && matches!(text(i + 1), "," | "}" | ";"));
        if is_other && is_import && !known.contains(&family) {
            faults.push(format!("src/{name}:{}: {own} names {family}, which is not below it", token.line));
        }
    }
    faults
}

/// The files of the modules that this file declares for tests only.
fn test_files(name: &str, source: &str) -> Vec<String> {
    let tokens = tokens(name, source, false);
    let text = |i: usize| tokens.get(i).map_or("", |token| token.text.as_str());
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let own_folder = match name.trim_end_matches(".rs").trim_end_matches("/mod") {
        "lib" | "mod" => "",
        own => own,
    };
    let join = |folder: &str, file: &str| format!("{folder}/{file}").trim_start_matches('/').to_owned();
    let mut files = Vec::new();
    for i in (0..tokens.len()).filter(|&i| tokens[i].in_test && text(i) == "mod" && text(i + 2) == ";") {
        // `#[path = "FILE"]`, as the tokens before `mod`.
        if i >= 4 && text(i - 4) == "path" && text(i - 3) == "=" {
            files.push(join(folder, text(i - 2).trim_matches('"')));
        } else {
            files.push(join(own_folder, &format!("{}.rs", text(i + 1))));
            files.push(join(own_folder, &format!("{}/mod.rs", text(i + 1))));
        }
    }
    files
}

/// What lib.rs re-exports, and from which module.
fn root_names(lib: &str) -> BTreeMap<String, String> {
    let tokens = tokens("lib.rs", lib, false);
    let mut names = BTreeMap::new();
    for start in (0..tokens.len()).filter(|&i| tokens[i].text == "use") {
        let end =
            tokens[start..].iter().position(|token| token.text == ";").map_or(tokens.len(), |n| start + n);
        let path: Vec<_> = tokens[start + 1..end].iter().map(|token| token.text.as_str()).collect();
        let path = path.strip_prefix(&["crate", "::"]).unwrap_or(&path);
        let [module, rest @ ..] = path else { continue };
        for (i, name) in rest.iter().enumerate() {
            let is_last = matches!(rest.get(i + 1), None | Some(&"," | &"}"));
            if is_last && name.starts_with(|c: char| c.is_alphabetic()) {
                names.insert((*name).to_owned(), (*module).to_owned());
            }
        }
    }
    names
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|group| group.contains(&module))
}

/// The top-level module that a file belongs to.
fn module_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}
