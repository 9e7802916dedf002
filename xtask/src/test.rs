//! Every test, and one line that sums them up.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::page::{self, Profile};
use crate::tally::{Skipped, Tally};
use crate::{TestArgs, full_sizes, host, serve, single, sites, size, tools};

/// The integration tests that `--full` runs in a release build as well: what they hold is memory safety and time,
/// which the profile decides.
const IN_RELEASE: &[&str] = &["generated", "hostile"];

/// The variable that tells browser tests to run what is slow as well.
const FULL: &str = "PELLUCID_FULL";

/// The variable that tells browser tests where the example sites are built.
const SITES: &str = "PELLUCID_SITES";

/// One runner's count, under the name that the summary gives it.
type Suite = (&'static str, Tally);

/// Runs the tests that `args` asks for. Failing tests are a verdict, not an error.
pub fn run(args: &TestArgs) -> Result<ExitCode> {
    // A missing tool is named before the first long build.
    tools::ensure_linker()?;
    if !args.browser {
        tools::ensure_native()?;
    }
    if !args.native {
        tools::ensure_browser()?;
        tools::ensure_wasm_target()?;
    }
    let mut suites = Vec::new();
    if !args.browser {
        suites.push(("native", native("pellucid", args, &[])?));
        suites.push(("xtask", native("xtask", args, &[])?));
    }
    if !args.browser && args.full {
        let targets = IN_RELEASE.iter().flat_map(|name| ["--test", name]);
        let flags: Vec<_> = std::iter::once("--release").chain(targets).collect();
        suites.push(("native, release", native("pellucid", args, &flags)?));
    }
    if !args.native {
        suites.extend(in_browser(args)?);
    }
    if !args.browser && args.full {
        add_full_sizes(&mut suites, args.filter.as_deref())?;
    }
    report(&suites, args.filter.as_deref())
}

/// Prints the count of each suite, what was skipped, and the count of all as the last line.
fn report(suites: &[Suite], filter: Option<&str>) -> Result<ExitCode> {
    let mut total = Tally::default();
    println!();
    for (name, tally) in suites {
        let skipped = if tally.skipped.is_empty() {
            String::new()
        } else {
            format!(", {} skipped", tally.skipped.len())
        };
        println!("{name}: {tally}{skipped}");
        tally.skipped.iter().for_each(|test| println!("  skipped: {test}"));
        total += tally.clone();
    }
    if let Some(why) = nothing_ran(suites, filter) {
        bail!("{why}");
    }
    println!("{total}");
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says that no test was run where one should have been: with a filter one of all, without one in each suite.
fn nothing_ran(suites: &[Suite], filter: Option<&str>) -> Option<String> {
    let Some(filter) = filter else {
        let (name, _) = suites.iter().find(|(_, tally)| tally.run() == 0)?;
        return Some(format!("no test was run in \"{name}\""));
    };
    if suites.iter().any(|(_, tally)| tally.run() > 0) {
        return None;
    }
    Some(match suites.iter().map(|(_, tally)| tally.skipped.len()).sum() {
        0 => format!("no test has {filter:?} in its name, so none was run"),
        n => format!("{n} of the tests that have {filter:?} in their names are slow; --full runs them"),
    })
}

/// The tests of one package, or of what `flags` name in it.
fn native(package: &str, args: &TestArgs, flags: &[&str]) -> Result<Tally> {
    heading(&format!("native tests of {package} {}", flags.join(" ")));
    let mut cargo = host::cargo();
    cargo.args(["test", "--package", package, "--no-fail-fast"]).args(flags).args(&args.filter);
    cargo.args(if args.full { &["--", "--include-ignored"][..] } else { &[] });
    on_vulkan(&mut cargo);
    follow(&mut cargo, Tally::read_cargo)
}

/// The architectures in full size. Where they cannot be made, the suite before has them as a skipped test.
fn add_full_sizes(suites: &mut Vec<Suite>, filter: Option<&str>) -> Result<()> {
    for (family, requirements) in full_sizes::FAMILIES {
        if filter.is_some_and(|filter| !filter.starts_with(family)) {
            continue;
        }
        heading(&format!("{family} in full size"));
        match (full_sizes::command(family, requirements, filter), suites.last_mut()) {
            (Ok(mut command), _) => suites.push((family, follow(&mut command, Tally::read_cargo)?)),
            (Err(why), Some((_, tally))) => {
                println!("skipped: {why:#}");
                let name = format!("{family} in full size");
                tally.skipped.push(Skipped { name, why: format!("{why:#}") });
            }
            (Err(why), None) => return Err(why),
        }
    }
    Ok(())
}

/// Makes the hostile model files, which a native test writes.
fn make_hostile() -> Result<()> {
    let mut cargo = host::cargo();
    cargo.args(["test", "--quiet", "--package", "pellucid", "--test", "generated", "no_integer"]);
    on_vulkan(&mut cargo);
    host::run(&mut cargo)
}

/// Makes the shaders' variants, which a native test writes; that it does is the browser test's to see.
fn make_shaders() -> Result<()> {
    let mut cargo = host::cargo();
    cargo.args(["test", "--quiet", "--package", "pellucid", "--lib", "every_variant"]);
    on_vulkan(&mut cargo);
    host::run(&mut cargo)
}

fn on_vulkan(cargo: &mut Command) {
    cargo.env("PELLUCID_SHADERS", shaders()).env("PELLUCID_HOSTILE", hostile());
    if let Some(driver) = tools::software_vulkan() {
        cargo.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver);
    }
}

/// The folder in which native tests leave the kernels' variants for the browser's own compiler; browser tests alone
/// take the last ones.
fn shaders() -> PathBuf {
    host::root().join("target/shaders")
}

/// The folder in which native tests leave hostile model files for the page to open.
fn hostile() -> PathBuf {
    host::root().join("target/hostile")
}

fn in_browser(args: &TestArgs) -> Result<Vec<Suite>> {
    heading("the page");
    let profile = Profile::new(args.fast);
    let dist = page::build(profile)?;
    let mut suites = Vec::new();
    if profile == Profile::Release && args.filter.is_none() {
        suites.push(("size", Tally::of(size::check(&dist)?)));
    }
    suites.push(("browser", browser(&dist, args)?));
    Ok(suites)
}

fn browser(dist: &Path, args: &TestArgs) -> Result<Tally> {
    heading("browser tests");
    let dir = host::root().join("tests/browser");
    let files = test_files(&dir)?;
    ensure!(!files.is_empty(), "no browser tests in {}", dir.display());
    tools::ensure_npm(&dir)?;
    if !shaders().exists() {
        make_shaders()?;
    }
    if !hostile().exists() {
        make_hostile()?;
    }
    let single = host::root().join("target/single.html");
    fs::write(&single, single::fill(dist, &single::Contents::default())?)?;
    let own = host::root().join("target/single-own.html");
    fs::write(&own, single::fill(dist, &own_contents())?)?;
    let url = serve::background(vec![("", dist.to_path_buf())])?;
    let mut node = Command::new("node");
    // One file at a time: each has a browser that computes on every core.
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"]);
    node.args(args.filter.as_deref().map(|name| format!("--test-name-pattern={}", literally(name))));
    node.args(files).current_dir(host::root());
    node.env("PELLUCID_SHADERS", shaders())
        .env("PELLUCID_HOSTILE", hostile())
        .env("PELLUCID_SINGLE", single)
        .env("PELLUCID_SINGLE_OWN", own)
        .env("PELLUCID_CLI", command_line()?);
    if args.full {
        tools::ensure_firefox()?;
        node.env("FIREFOX", tools::firefox().context("Firefox is missing")?).env(FULL, "1");
    }
    // The site of plain HTML takes no generator.
    let wanted = if args.full { vec![] } else { vec!["plain".to_owned()] };
    node.env(SITES, sites::build(dist, &wanted)?);
    node.env("PELLUCID_URL", url)
        .env("PELLUCID_DIST", dist)
        .env("CHROMIUM", tools::chromium().context("Chromium is missing")?);
    follow(&mut node, Tally::read_node)
}

/// A single file of somebody's own network; browser tests give the same files to the command line.
fn own_contents() -> single::Contents {
    let fixture = |path: &str| Some(host::root().join("tests/fixtures").join(path));
    single::Contents {
        model: fixture("heads/sigmoid.onnx"),
        labels: fixture("files/labels.txt"),
        preprocessing: fixture("files/preprocessor_config.json"),
        pictures: Vec::new(),
    }
}

/// A pattern that matches just these characters: a filter is no pattern elsewhere.
fn literally(name: &str) -> String {
    let escaped =
        name.chars().map(|c| if c.is_alphanumeric() || c == ' ' { c.to_string() } else { format!("\\{c}") });
    escaped.collect()
}

/// Builds the command line program, which browser tests hold beside the page.
fn command_line() -> Result<PathBuf> {
    host::run(host::cargo().args(["build", "--quiet", "--package", "pellucid", "--bin", "pellucid"]))?;
    Ok(host::target_dir()?.join("debug").join(format!("pellucid{}", std::env::consts::EXE_SUFFIX)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Skipped;

    fn suite(passed: usize, skipped: usize) -> Suite {
        let test = Skipped { name: "some::test".into(), why: "slow: takes 90 s".into() };
        ("native", Tally { passed, skipped: vec![test; skipped], ..Tally::default() })
    }

    #[test]
    fn a_filter_that_matches_nothing_is_an_error() {
        let said = nothing_ran(&[suite(0, 0), suite(0, 0)], Some("typo")).unwrap();
        assert!(said.contains("\"typo\""), "{said}");
        let said = nothing_ran(&[suite(0, 2)], Some("some")).unwrap();
        assert!(said.contains("--full"), "{said}");
        assert_eq!(nothing_ran(&[suite(0, 0), suite(1, 0)], Some("some")), None);
        assert!(report(&[suite(0, 0)], Some("typo")).is_err());
    }

    #[test]
    fn a_suite_without_tests_is_an_error() {
        assert!(nothing_ran(&[suite(3, 0), suite(0, 1)], None).is_some());
        assert_eq!(nothing_ran(&[suite(3, 0), suite(1, 0)], None), None);
    }

    #[test]
    fn a_filter_is_no_pattern() {
        assert_eq!(literally("a stop (now)"), r"a stop \(now\)");
    }
}
