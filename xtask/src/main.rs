//! The project's own tool: `cargo xtask serve | build | bundle | sites | test | bench | deny`.

mod bench;
mod compress;
mod deny;
mod files;
mod full_sizes;
mod headers;
mod host;
mod http;
mod npm;
mod offline;
mod pack;
mod page;
mod serve;
mod shrink;
mod single;
mod sites;
mod size;
mod tally;
mod test;
mod tools;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
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
    /// Make one HTML file of the page and a model, which opens without a server.
    Bundle(BundleArgs),
    /// Build the example sites with the generators of documentation that they are for.
    Sites(SitesArgs),
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
struct BundleArgs {
    #[command(flatten)]
    build: BuildArgs,
    /// One file with everything inside, which is the only kind of bundle.
    #[arg(long, required = true)]
    single_file: bool,
    /// Another model than the one that ships.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The names of its classes: a list, JSON, CSV, or Hugging Face's config.json.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// How pixels become numbers: JSON with mean and std on the scale 0..255 and, where it is needed, head; or a
    /// configuration of transformers or timm, such as preprocessor_config.json.
    #[arg(long, value_name = "FILE")]
    preprocessing: Option<PathBuf>,
    /// A picture to offer; several times for several. Without any, the samples of the page.
    #[arg(long = "picture", value_name = "FILE")]
    pictures: Vec<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE", default_value = "pellucid.html")]
    output: PathBuf,
}

#[derive(Args)]
struct SitesArgs {
    /// Build only these; all of them where none is named.
    names: Vec<String>,
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
    /// Also run what is slow: tests that are marked so, the hostile files in a release build, and the architectures in
    /// full size, of which a filter as `timm/mixnet_s` or `keras` takes some.
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
    python: Option<PathBuf>,
    /// A folder of ONNX files: measures how long each takes to open in the page, what five of them leave in memory, and
    /// what a multiply-add costs in each. `tests/reference/README.md` says how to make such a folder.
    #[arg(long)]
    models: Option<PathBuf>,
    /// A folder of ONNX files: measures nothing but how long every method takes with each, natively and in the page.
    #[arg(long, conflicts_with_all = ["models", "native", "python", "filter"])]
    methods: Option<PathBuf>,
    /// Stops a method after so many seconds, and tells its time from how far it was.
    #[arg(long, default_value_t = 3600, requires = "methods")]
    limit: u32,
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
        Task::Bundle(args) => bundle(args)?,
        Task::Sites(args) => {
            let pages = sites::build(&page::build(page::Profile::Release)?, &args.names)?;
            println!("The sites are in {}", pages.display());
        }
        Task::Test(args) => return test::run(&args),
        Task::Bench(args) => return bench::run(&args),
        Task::Deny => deny::run()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn bundle(args: BundleArgs) -> Result<()> {
    let BundleArgs { build, model, labels, preprocessing, pictures, output, .. } = args;
    let dist = page::build(page::Profile::new(build.fast))?;
    let file = single::fill(&dist, &single::Contents { model, labels, preprocessing, pictures })?;
    fs::write(&output, &file).with_context(|| format!("writing {}", output.display()))?;
    println!("{} has {:.1} MB", output.display(), file.len() as f64 / 1e6);
    Ok(())
}
