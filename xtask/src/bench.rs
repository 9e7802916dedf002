//! The page beside its peers, in one Chromium, and what methods cost natively.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::page::{self, Profile};
use crate::{BenchArgs, host, serve, size, tools};

/// The exit code of a bench that missed no bound and could not measure one.
const NOT_MEASURED: i32 = 75;

/// How a bench ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Met,
    NotMeasured,
    NotMet,
}

/// Builds what is measured, and measures it. All benches run; the exit code is the worst of theirs.
pub fn run(args: &BenchArgs) -> Result<ExitCode> {
    if let Some(folder) = &args.methods {
        return methods(&std::path::absolute(folder)?, args.limit);
    }
    let mut outcomes = Vec::new();
    if args.native || args.filter.is_none() {
        footprints()?;
        outcomes.extend(native(args)?);
    }
    if !args.native {
        outcomes.push(page(args)?);
    }
    Ok(summary(outcomes.into_iter().max().unwrap_or(Outcome::NotMet)))
}

fn summary(worst: Outcome) -> ExitCode {
    match worst {
        Outcome::Met => ExitCode::SUCCESS,
        Outcome::NotMeasured => {
            println!("\nNo bound was missed, but some could not be measured.");
            ExitCode::from(NOT_MEASURED as u8)
        }
        Outcome::NotMet => {
            println!("\nSome bound was not met.");
            ExitCode::FAILURE
        }
    }
}

/// Runs a bench, and reads its verdict from its exit code. A bench that says nothing of itself, as one that crashed,
/// is an error.
fn verdict(command: &mut Command) -> Result<Outcome> {
    let status = command.status().with_context(|| format!("starting {}", host::words(command)))?;
    Ok(match status.code() {
        Some(0) => Outcome::Met,
        Some(NOT_MEASURED) => Outcome::NotMeasured,
        Some(1) => Outcome::NotMet,
        _ => bail!("{} failed ({status})", host::words(command)),
    })
}

/// The page beside its peers.
fn page(args: &BenchArgs) -> Result<Outcome> {
    let models = host::target_dir()?.join("bench-models");
    host::run(
        host::cargo()
            .args(["run", "--quiet", "--package", "pellucid", "--example", "bench-models", "--"])
            .arg(&models),
    )?;
    let benches = host::root().join("benches");
    tools::ensure_npm(&benches)?;
    let peers = benches.join("node_modules");
    let (mut node, dist) = browser("run.mjs", vec![("bench-models", models), ("peers", peers)])?;
    let fits = if size::check(&dist)? { Outcome::Met } else { Outcome::NotMet };
    node.args(&args.filter).env("BENCH_RUNS", args.runs.to_string());
    if let Some(models) = &args.models {
        node.env("BENCH_MODELS", std::path::absolute(models)?);
    }
    Ok(verdict(&mut node)?.max(fits))
}

/// Builds the page and serves it, with the benches and other folders; the script of the benches that is to measure it,
/// and where the page lies.
fn browser(script: &str, mut site: Vec<(&'static str, PathBuf)>) -> Result<(Command, PathBuf)> {
    tools::ensure_browser()?;
    let dist = page::build(Profile::Release)?;
    tools::ensure_npm(&host::root().join("tests/browser"))?;
    let benches = host::root().join("benches");
    site.extend([("bench", benches.clone()), ("", dist.clone())]);
    let mut node = Command::new("node");
    node.arg(benches.join(script)).current_dir(host::root());
    node.env("PELLUCID_URL", serve::background(site)?);
    node.env("CHROMIUM", tools::chromium().context("Chromium is missing")?);
    Ok((node, dist))
}

/// The time that every method takes with the models of a folder, natively and in the page: a table, of which nothing
/// is a bound.
fn methods(folder: &Path, limit: u32) -> Result<ExitCode> {
    let limit = limit.to_string();
    let mut cargo = host::cargo();
    cargo.args([
        "bench",
        "--quiet",
        "--package",
        "pellucid",
        "--profile",
        "fast",
        "--bench",
        "methods",
        "--",
    ]);
    let native = cargo.arg(folder).args(["--limit", &limit]).stderr(Stdio::inherit()).output()?;
    ensure!(native.status.success(), "{} failed ({})", host::words(&cargo), native.status);
    let lines = host::target_dir()?.join("bench-methods.jsonl");
    fs::write(&lines, native.stdout).with_context(|| format!("writing {}", lines.display()))?;
    let (mut node, _) = browser("methods.mjs", vec![])?;
    host::run(node.arg(folder).arg(&lines).arg(&limit))?;
    Ok(ExitCode::SUCCESS)
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

/// Runs the benches of the native CPU backend.
fn native(args: &BenchArgs) -> Result<Vec<Outcome>> {
    let python = args.python.as_deref().and_then(Path::to_str);
    let models = args.models.as_deref().map(std::path::absolute).transpose()?;
    let build = ["bench", "--quiet", "--package", "pellucid", "--profile", "fast", "--bench"];
    let mut runs: Vec<(&str, Vec<&str>)> =
        ["cost", "overhead"].map(|bench| (bench, python.into_iter().collect())).into();
    if let Some(python) = python {
        runs.push(("overhead", vec!["--whole", python]));
    }
    if let Some(folder) = models.as_deref().and_then(Path::to_str) {
        runs.extend([("work", vec![folder]), ("work", vec![folder, "--gpu"])]);
    }
    let mut outcomes = Vec::new();
    for (bench, flags) in runs {
        host::run(host::cargo().args(build).args([bench, "--no-run"]))?;
        let cargo = host::cargo();
        // One thread, where that can be had: what is spread over several looks cheaper than it is.
        let mut command = match host::find_program(&["taskset"])
            .filter(|_| !flags.iter().any(|flag| flag.starts_with("--")))
        {
            Some(taskset) => {
                let mut command = Command::new(taskset);
                command.args(["-c", "0"]).arg(cargo.get_program()).current_dir(host::root());
                command
            }
            None => cargo,
        };
        println!("\n== {bench} {}", flags.join(" "));
        command.args(build).arg(bench).arg("--").args(flags);
        if let Some(driver) = tools::software_vulkan() {
            command.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver);
        }
        outcomes.push(verdict(&mut command)?);
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that ends with this code.
    fn ending(code: &str) -> Command {
        let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
        command.args([if cfg!(windows) { "/C" } else { "-c" }, &format!("exit {code}")]);
        command
    }

    #[test]
    fn what_a_bench_says_reaches_the_caller() {
        assert_eq!(verdict(&mut ending("0")).unwrap(), Outcome::Met);
        assert_eq!(verdict(&mut ending("1")).unwrap(), Outcome::NotMet);
        assert_eq!(verdict(&mut ending("75")).unwrap(), Outcome::NotMeasured);
        assert!(verdict(&mut ending("101")).is_err());
        let code = |outcome| format!("{:?}", summary(outcome));
        assert_eq!(code(Outcome::Met), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(Outcome::NotMet), format!("{:?}", ExitCode::from(1)));
        assert_eq!(code(Outcome::NotMeasured), format!("{:?}", ExitCode::from(75)));
        assert!(Outcome::NotMet > Outcome::NotMeasured && Outcome::NotMeasured > Outcome::Met);
    }
}
