//! The page beside its peers, in one Chromium, and what methods cost natively.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::page::{self, Profile};
use crate::{BenchArgs, host, serve, size, tools};

/// Builds what is measured, and measures it.
pub fn run(args: &BenchArgs) -> Result<()> {
    if args.native || args.filter.is_none() {
        footprints()?;
        native(args.python.as_deref())?;
    }
    if args.native {
        return Ok(());
    }
    tools::ensure_browser()?;
    let dist = page::build(Profile::Release)?;
    let benches = host::root().join("benches");
    let models = host::target_dir()?.join("bench-models");
    host::run(
        host::cargo()
            .args(["run", "--quiet", "--package", "pellucid", "--example", "bench-models", "--"])
            .arg(&models),
    )?;
    tools::ensure_npm(&host::root().join("tests/browser"))?;
    tools::ensure_npm(&benches)?;
    let site = vec![
        ("bench", benches.clone()),
        ("bench-models", models),
        ("peers", benches.join("node_modules")),
        ("", dist.clone()),
    ];
    size::check(&dist)?;
    let mut node = Command::new("node");
    node.arg(benches.join("run.mjs")).args(&args.filter).current_dir(host::root());
    node.env("PELLUCID_URL", serve::background(site)?).env("BENCH_RUNS", args.runs.to_string());
    node.env("CHROMIUM", tools::chromium().context("Chromium is missing")?);
    host::run(&mut node)
}

/// GPU memory at its peak, from the arena's own plan.
fn footprints() -> Result<()> {
    tools::ensure_native()?;
    println!("\n== GPU memory at its peak");
    let mut cargo = host::cargo();
    cargo.args(["run", "--quiet", "--package", "pellucid", "--example", "gpu", "--", "--footprints"]);
    if let Some(driver) = tools::software_vulkan() {
        cargo.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver);
    }
    host::run(&mut cargo)
}

/// What methods cost on the native CPU backend. A bench that fails has said which bound it misses.
fn native(python: Option<&Path>) -> Result<()> {
    let build = ["bench", "--quiet", "--package", "pellucid", "--profile", "fast", "--bench"];
    let mut runs: Vec<(&str, Vec<&str>)> = vec![("cost", vec![]), ("overhead", vec![])];
    if python.is_some() {
        runs.push(("overhead", vec!["--whole"]));
    }
    for (bench, flags) in runs {
        host::run(host::cargo().args(build).args([bench, "--no-run"]))?;
        let cargo = host::cargo();
        // One thread, where that can be had: what is spread over several looks cheaper than it is.
        let mut command = match host::find_program(&["taskset"]).filter(|_| flags.is_empty()) {
            Some(taskset) => {
                let mut command = Command::new(taskset);
                command.args(["-c", "0"]).arg(cargo.get_program()).current_dir(host::root());
                command
            }
            None => cargo,
        };
        println!("\n== {bench} {}", flags.join(" "));
        command.args(build).arg(bench).arg("--").args(flags).args(python);
        if let Err(why) = host::run(&mut command) {
            println!("{why:#}");
        }
    }
    Ok(())
}
