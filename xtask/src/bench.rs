//! The page beside its peers, in one Chromium.

use std::process::Command;

use anyhow::{Context, Result};

use crate::page::{self, Profile};
use crate::{BenchArgs, host, serve, size, tools};

/// Builds what is measured, and measures it.
pub fn run(args: &BenchArgs) -> Result<()> {
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
