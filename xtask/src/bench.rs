//! The page beside its peers, in one Chromium, and what methods cost natively.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

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
    let mut outcomes = Vec::new();
    if args.native || args.filter.is_none() {
        footprints()?;
        outcomes.extend(native(args.python.as_deref())?);
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
    let fits = if size::check(&dist)? { Outcome::Met } else { Outcome::NotMet };
    let mut node = Command::new("node");
    node.arg(benches.join("run.mjs")).args(&args.filter).current_dir(host::root());
    node.env("PELLUCID_URL", serve::background(site)?).env("BENCH_RUNS", args.runs.to_string());
    node.env("CHROMIUM", tools::chromium().context("Chromium is missing")?);
    if let Some(models) = &args.models {
        node.env("BENCH_MODELS", std::path::absolute(models)?);
    }
    Ok(verdict(&mut node)?.max(fits))
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

/// What methods cost on the native CPU backend.
fn native(python: Option<&Path>) -> Result<Vec<Outcome>> {
    let build = ["bench", "--quiet", "--package", "pellucid", "--profile", "fast", "--bench"];
    let mut runs: Vec<(&str, Vec<&str>)> = vec![("cost", vec![]), ("overhead", vec![])];
    if python.is_some() {
        runs.push(("overhead", vec!["--whole"]));
    }
    let mut outcomes = Vec::new();
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
