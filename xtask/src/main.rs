//! The project's own tool: `cargo xtask serve | build | test | bench | deny`.

mod bench;
mod compress;
mod deny;
mod headers;
mod host;
mod http;
mod npm;
mod offline;
mod pack;
mod page;
mod serve;
mod shrink;
mod size;
mod tally;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

/// Builds, serves and tests Pellucid, and sets up what these need.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page into dist/, which any static host can serve.
    Build(BuildArgs),
    /// Build the page, then serve it on this machine.
    Serve(ServeArgs),
    /// Run every test: native ones on a Vulkan adapter, the download's size, and the page in Chromium.
    Test(TestArgs),
    /// Measure what methods cost natively, and the page against its peers in one Chromium.
    Bench(BenchArgs),
    /// Check with cargo-deny that only what deny.toml allows is in the dependency tree.
    Deny,
}

#[derive(Args, Clone, Copy)]
struct BuildArgs {
    /// Compile quickly instead of well: for working on the page, not for shipping it.
    #[arg(long)]
    fast: bool,
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    build: BuildArgs,
    /// The port to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

#[derive(Args)]
struct TestArgs {
    /// Only the native tests.
    #[arg(long, conflicts_with = "browser")]
    native: bool,
    /// Only the tests of the page: its size and its behaviour in Chromium.
    #[arg(long)]
    browser: bool,
    /// Test the page as `build --fast` makes it; its size is then not tested.
    #[arg(long)]
    fast: bool,
    /// Also run what is slow: tests that are marked so, and the hostile files in a release build.
    #[arg(long)]
    full: bool,
    /// Run only tests whose name contains this.
    filter: Option<String>,
}

#[derive(Args)]
struct BenchArgs {
    /// How often each thing is measured; medians are printed.
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Measure only what methods cost on the native CPU backend.
    #[arg(long, conflicts_with = "filter")]
    native: bool,
    /// The Python of an environment with benches/python/requirements.txt: measures Captum, lime and shap too.
    #[arg(long)]
    python: Option<std::path::PathBuf>,
    /// Measure only what has this in its name.
    filter: Option<String>,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    match task {
        Task::Build(args) => {
            let dist = page::build(page::Profile::new(args.fast))?;
            println!("The page is in {}", dist.display());
        }
        Task::Serve(args) => {
            let dist = page::build(page::Profile::new(args.build.fast))?;
            serve::forever(vec![("", dist)], args.port)?;
        }
        Task::Test(args) => return test::run(&args),
        Task::Bench(args) => return bench::run(&args),
        Task::Deny => deny::run()?,
    }
    Ok(ExitCode::SUCCESS)
}
