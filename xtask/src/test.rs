//! Every test, and one line that sums them up.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};

use crate::page::{self, Profile};
use crate::tally::Tally;
use crate::{TestArgs, host, serve, size, tools};

/// Runs the tests that `args` asks for. Failing tests are a verdict, not an error.
pub fn run(args: &TestArgs) -> Result<ExitCode> {
    // What is missing is said before the first long build.
    if !args.browser {
        tools::ensure_native()?;
    }
    if !args.native {
        tools::ensure_browser()?;
        tools::ensure_wasm_target()?;
    }
    let mut suites = Vec::new();
    if !args.browser {
        suites.push(("native", native("pellucid", args.filter.as_deref())?));
        suites.push(("xtask", native("xtask", args.filter.as_deref())?));
    }
    if !args.native {
        suites.extend(in_browser(args)?);
    }
    Ok(report(&suites))
}

fn report(suites: &[(&str, Tally)]) -> ExitCode {
    let mut total = Tally::default();
    println!();
    for (name, tally) in suites {
        let skipped = if tally.skipped > 0 { format!(", {} skipped", tally.skipped) } else { String::new() };
        println!("{name}: {tally}{skipped}");
        total += *tally;
    }
    println!("{total}");
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn native(package: &str, filter: Option<&str>) -> Result<Tally> {
    heading(&format!("native tests of {package}"));
    let mut cargo = host::cargo();
    cargo.args(["test", "--package", package, "--no-fail-fast"]).args(filter);
    cargo.env("PELLUCID_SHADERS", shaders());
    if let Some(driver) = tools::software_vulkan() {
        cargo.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver);
    }
    follow(&mut cargo, Tally::read_cargo)
}

/// Where native tests leave the kernels' variants for the browser's own compiler; browser tests alone take the last ones.
fn shaders() -> PathBuf {
    host::root().join("target/shaders")
}

fn in_browser(args: &TestArgs) -> Result<Vec<(&'static str, Tally)>> {
    heading("the page");
    let profile = Profile::new(args.fast);
    let dist = page::build(profile)?;
    let mut suites = Vec::new();
    if profile == Profile::Release && args.filter.is_none() {
        suites.push(("size", Tally::of(size::check(&dist)?)));
    }
    suites.push(("browser", browser(&dist, args.filter.as_deref())?));
    Ok(suites)
}

fn browser(dist: &Path, filter: Option<&str>) -> Result<Tally> {
    heading("browser tests");
    let dir = host::root().join("tests/browser");
    let files = test_files(&dir)?;
    ensure!(!files.is_empty(), "no browser tests in {}", dir.display());
    tools::ensure_npm(&dir)?;
    if !shaders().exists() {
        native("pellucid", Some("every_variant"))?;
    }
    let url = serve::background(vec![("", dist.to_path_buf())])?;
    let mut node = Command::new("node");
    // One file at a time: each has a browser that computes on every core.
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    node.args(filter.map(|name| format!("--test-name-pattern={name}")));
    node.args(files).current_dir(host::root());
    node.env("PELLUCID_SHADERS", shaders());
    node.env("PELLUCID_URL", url).env("CHROMIUM", tools::chromium().context("Chromium is missing")?);
    follow(&mut node, Tally::read_node)
}

fn test_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<_> = fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

/// Runs a test runner, shows what it prints as it prints it, and counts.
fn follow(command: &mut Command, read: fn(&mut Tally, &str)) -> Result<Tally> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", host::words(command)))?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("reading a test runner's output")?;
            println!("{line}");
            read(&mut tally, &line);
        }
    }
    let status = child.wait()?;
    Ok(tally.with_verdict(status.success()))
}

fn heading(text: &str) {
    println!("\n== {text}");
}
