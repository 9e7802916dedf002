//! The command line's contract: arguments, outputs, exit codes, errors.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

mod answers;
mod files;
mod heads;
mod notes;
mod refusals;
#[path = "../support/small_model.rs"]
mod small_model;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cat() -> String {
    root().join("www/samples/cat.jpg").display().to_string()
}

/// A folder of a test's own, without what an earlier run left there.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn pellucid(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pellucid")).args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = pellucid(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs what must fail with an error, and returns its one line.
fn error(arguments: &[&str]) -> String {
    let output = pellucid(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty());
    text
}

fn array(path: &Path) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let npy = npyz::NpyFile::new(&bytes[..]).unwrap();
    assert_eq!(npy.dtype().descr(), "'<f4'");
    (npy.shape().to_vec(), npy.into_vec().unwrap())
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}
