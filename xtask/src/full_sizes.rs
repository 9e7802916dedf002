//! The architectures of `tests/architectures.rs` in full size: a Python script makes each, asks the command line program
//! about it, compares, and removes it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::host;

/// Whose networks there are, and the requirements of the environment that makes them.
pub const FAMILIES: &[(&str, &str)] = &[
    ("torchvision", "tests/reference/requirements.txt"),
    ("timm", "tests/reference/requirements.txt"),
    ("keras", "tests/reference/architectures/requirements.txt"),
];

/// The version of Python that the requirements are for; later ones have no TensorFlow of that age.
const PYTHON: &str = "3.11";

/// The command that tests a family, whose output is like that of cargo's runner. Fails where its environment cannot be made.
pub fn command(family: &str, requirements: &str, filter: Option<&str>) -> Result<Command> {
    let python = environment(requirements)?;
    let program = release()?;
    let folder = host::root().join("target/full");
    let mut command = Command::new(python);
    command.arg(host::root().join("tests/reference/architectures/full.py")).arg(family);
    command.arg(program).arg(folder).args(filter);
    Ok(command)
}

/// The command line program as it is shipped: full sizes take minutes in a debug build.
fn release() -> Result<PathBuf> {
    host::run(host::cargo().args([
        "build",
        "--quiet",
        "--release",
        "--package",
        "pellucid",
        "--bin",
        "pellucid",
    ]))?;
    Ok(host::target_dir()?.join("release").join(format!("pellucid{}", std::env::consts::EXE_SUFFIX)))
}

/// The Python that the requirements are for.
fn python() -> Option<PathBuf> {
    let has = |python: &PathBuf| {
        let check =
            format!("import sys, venv, ensurepip; assert '%d.%d' % sys.version_info[:2] == '{PYTHON}'");
        let status = Command::new(python).args(["-c", &check]).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let named = format!("python{PYTHON}");
    [named.as_str(), "python3", "python"].into_iter().filter_map(|name| host::find_program(&[name])).find(has)
}

/// The Python of an environment with what a file names; it is made once for each content of the file.
fn environment(requirements: &str) -> Result<PathBuf> {
    let wanted = fs::read(host::root().join(requirements))?;
    let name = if requirements.contains("architectures") { "python-keras" } else { "python-torch" };
    let environment = host::root().join("target/full").join(name);
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let stamp = environment.join("installed.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let system = self::python().with_context(|| {
        format!("Python {PYTHON} with venv is missing; install it to make networks in full size")
    })?;
    host::run(Command::new(system).args(["-m", "venv"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    host::run(Command::new(&python).args(install).arg(host::root().join(requirements)))?;
    fs::write(stamp, wanted)?;
    Ok(python)
}
