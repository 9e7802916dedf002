//! The page: the library as WebAssembly, with the files around it, in dist/.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::files::make_folder_of;
use crate::{compress, headers, host, npm, offline, pack, shrink, single, tools};

/// How well the WebAssembly is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The page as it ships.
    Release,
    /// In a fraction of the time, for working on the page.
    Fast,
}

impl Profile {
    pub fn new(fast: bool) -> Self {
        if fast { Self::Fast } else { Self::Release }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Fast => "fast",
        }
    }
}

/// Builds the page and returns the folder that holds it.
pub fn build(profile: Profile) -> Result<PathBuf> {
    tools::ensure_linker()?;
    tools::ensure_wasm_target()?;
    let wasm = compile(profile)?;
    let dist = host::root().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).with_context(|| format!("emptying {}", dist.display()))?;
    }
    copy(&host::root().join("www"), &dist.join("www"))?;
    copy(&host::root().join("models"), &dist.join("models"))?;
    for file in ["index.html", "LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&host::root().join(file), &dist.join(file))?;
    }
    // An application is what lies beside its manifest or below.
    rename(&dist.join("www").join(MANIFEST), &dist.join(MANIFEST))?;
    bind(&wasm, &dist.join("www/pkg"))?;
    let service_worker = pack_sources(&dist.join("www"))?;
    write(&dist.join(SERVICE_WORKER), &service_worker)?;
    offline::name_build(&dist)?;
    let template = single::template(&dist)?;
    write(&dist.join(single::TEMPLATE), &template)?;
    offline::list_files(&dist, &dist.join(SERVICE_WORKER))?;
    // While the page is worked on, nobody waits for a download, but for the best compression somebody would.
    if profile == Profile::Release {
        compress::leave_beside(&dist)?;
    }
    write(&dist.join("_headers"), &headers::headers(&fs::read_to_string(dist.join("index.html"))?)?)?;
    npm::write(&dist)?;
    Ok(dist)
}

const MANIFEST: &str = "manifest.webmanifest";
const SERVICE_WORKER: &str = "sw.js";

/// Controls the folder that it lies in and those below, so it ships beside index.html.
const OFFLINE: &str = "offline/sw.js";
/// The modules that others start or import: the page, its workers, the API, and the tag.
const ENTRIES: [&str; 4] =
    ["page/app.js", "worker/worker.js", "api/pellucid.js", "tag/pellucid-explainer.js"];
/// The tag for sites that know no modules.
const CLASSIC: &str = "tag/pellucid-explainer.classic.js";
/// The rooms of the scripts and styles, of which only the packed entries and the public types ship.
const ROOMS: [&str; 7] = ["page", "worker", "api", "tag", "shared", "offline", "style"];
/// Files that ship as they are: the public types, and what editors know of the tag.
const PUBLIC: [&str; 5] = [
    "api/pellucid.d.ts",
    "api/facts.d.ts",
    "api/methods.d.ts",
    "tag/pellucid-explainer.d.ts",
    "tag/custom-elements.json",
];
/// A classic script, which index.html names beside the entries.
const THEME: &str = "page/theme.js";
/// Imports all other styles.
const STYLE: &str = "style.css";

/// Each entry point with its modules in one file, the styles in one, and nothing that only readers of the source need.
/// Answers with the service worker.
fn pack_sources(www: &Path) -> Result<String> {
    let mut scripts = vec![(THEME, shrunk(&www.join(THEME), false)?)];
    for entry in ENTRIES {
        scripts.push((entry, shrink::shrink(&pack::pack(&www.join(entry))?, true)?));
    }
    let service_worker = shrink::shrink(&pack::pack_classic(&www.join(OFFLINE))?, false)?;
    scripts.push((CLASSIC, shrink::shrink(&pack::pack_classic(&www.join(CLASSIC))?, false)?));
    for file in PUBLIC {
        scripts.push((file, fs::read_to_string(www.join(file))?));
    }
    scripts.push((STYLE, shrink::shrink_style(&imported(&www.join(STYLE))?)));
    for room in ROOMS {
        fs::remove_dir_all(www.join(room)).with_context(|| format!("removing www/{room}"))?;
    }
    for (file, script) in scripts {
        write(&www.join(file), &script)?;
    }
    // The workers have it.
    fs::remove_file(www.join("pkg/pellucid.js"))?;
    Ok(service_worker)
}

/// A style sheet with those that it imports, one per line, in their place.
fn imported(sheet: &Path) -> Result<String> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
    let part = |line: &str| match line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";")) {
        Some(file) => read(&sheet.with_file_name(file)),
        None => Ok(line.to_owned()),
    };
    let whole = read(sheet)?.lines().map(part).collect::<Result<Vec<_>>>()?.join("\n");
    ensure!(!whole.contains("@import"), "a style sheet imports in a form that is not understood");
    Ok(whole)
}

fn shrunk(script: &Path, module: bool) -> Result<String> {
    shrink::shrink(&fs::read_to_string(script)?, module)
}

/// Writes a file, in a folder that is made where it is missing.
fn write(path: &Path, text: &str) -> Result<()> {
    make_folder_of(path)?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn compile(profile: Profile) -> Result<PathBuf> {
    // `cargo rustc --crate-type` leaves out the rlib, and with it a second code generation of our own crate.
    let mut cargo = host::cargo();
    cargo.args([
        "rustc",
        "--package",
        "pellucid",
        "--lib",
        "--crate-type",
        "cdylib",
        "--no-default-features",
    ]);
    cargo.args(["--target", tools::WASM_TARGET, "--profile", profile.name()]);
    // These would silently replace the flags of .cargo/config.toml.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    host::run(&mut cargo)?;
    Ok(host::target_dir()?.join(tools::WASM_TARGET).join(profile.name()).join("pellucid.wasm"))
}

/// Writes the JavaScript module, its types and the WebAssembly that it loads.
fn bind(wasm: &Path, out: &Path) -> Result<()> {
    let mut bound = Bindgen::new()
        .input_path(wasm)
        .out_name("pellucid")
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("binding the WebAssembly to JavaScript")?;
    // wasm-bindgen names imports and exports by their use and a hash, which no compression makes short.
    let module = bound.wasm_mut();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let is_long = |name: &&mut String| name.starts_with("__wb") || name.contains("__convert__closures__");
    let mut names = Vec::new();
    for name in imports.filter(is_long).chain(exports.filter(is_long)) {
        let short = format!("_{}", names.len());
        names.push((std::mem::replace(name, short.clone()), short));
    }
    bound.emit(out).context("writing the bound WebAssembly")?;
    let script = out.join("pellucid.js");
    write(&script, &renamed(&fs::read_to_string(&script)?, names))
}

/// A script with other names; the longest are replaced first, since one may begin another.
fn renamed(script: &str, mut names: Vec<(String, String)>) -> String {
    names.sort_by_key(|(long, _)| std::cmp::Reverse(long.len()));
    names.iter().fold(script.to_owned(), |script, (long, short)| script.replace(long, short))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("moving {} to {}", from.display(), to.display()))
}

/// Copies a file or a folder, leaving out what only its makers need.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from)? {
            let path = entry?.path();
            let Some(name) = path.file_name() else { continue };
            if is_shipped(&path) {
                copy(&path, &to.join(name))?;
            }
        }
        return Ok(());
    }
    make_folder_of(to)?;
    fs::copy(from, to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Whether a file belongs on the host: neither hidden, nor in the folder of the scripts that made the others.
fn is_shipped(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && name != "build"
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn names_that_begin_others_leave_them_whole() {
        let names =
            [("__wbg_get_1", "_0"), ("__wbg_get_12", "_1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(renamed("{__wbg_get_12: a, __wbg_get_1: b}", names.to_vec()), "{_1: a, _0: b}");
    }
}
