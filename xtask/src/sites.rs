//! The example sites: each is built with its own generator, as an author would, from `examples/sites` into `target/sites`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{files, host, single, tools};

/// The version of mdBook that builds its site.
const MDBOOK: &str = "0.5.4";

/// An example site.
struct Site {
    name: &'static str,
    /// The folder that the npm package is copied to.
    package: &'static str,
    /// The picture's path in the built site.
    picture: &'static str,
    /// The path of the page as one file, if the site shows it.
    single: Option<&'static str>,
    /// Builds the site that lies in a folder.
    build: fn(&Path) -> Result<()>,
    /// The folder below that has the pages then.
    pages: &'static str,
}

/// A site with the folder of the package and the picture beside its pages.
const PLAIN: Site = Site {
    name: "plain",
    package: "pellucid",
    picture: "cat.jpg",
    single: None,
    build: |_| Ok(()),
    pages: "",
};

const SITES: &[Site] = &[
    PLAIN,
    Site {
        name: "mkdocs",
        package: "docs/pellucid",
        picture: "docs/cat.jpg",
        build: mkdocs,
        pages: "site",
        ..PLAIN
    },
    Site { name: "sphinx", package: "_static/pellucid", build: sphinx, pages: "out", ..PLAIN },
    Site {
        name: "mdbook",
        package: "src/pellucid",
        picture: "src/guide/cat.jpg",
        build: mdbook,
        pages: "book",
        ..PLAIN
    },
    Site { name: "vitepress", picture: "docs/cat.jpg", build: npm, pages: "docs/.vitepress/dist", ..PLAIN },
    Site { name: "docusaurus", picture: "docs/cat.jpg", build: npm, pages: "build", ..PLAIN },
    Site { name: "jupyter", single: Some("pellucid.html"), build: jupyter, ..PLAIN },
];

/// The names of the sites.
pub fn names() -> impl Iterator<Item = &'static str> {
    SITES.iter().map(|site| site.name)
}

/// Builds the sites of these names, all of them where there is none, with the package of the page that is built in
/// `dist`. Returns the folder that has each one's pages under its name.
pub fn build(dist: &Path, wanted: &[String]) -> Result<PathBuf> {
    let (sources, root) = (host::root().join("examples/sites"), host::root().join("target/sites"));
    for name in wanted {
        ensure!(
            names().any(|site| site == name),
            "there is no site {name}; there are {}",
            names().collect::<Vec<_>>().join(", ")
        );
    }
    let pages = root.join("pages");
    for site in SITES.iter().filter(|site| wanted.is_empty() || wanted.iter().any(|name| name == site.name)) {
        println!("\n== the site for {}", site.name);
        let folder = root.join(site.name);
        fresh(&folder)?;
        copy(&sources.join(site.name), &folder)?;
        copy(&dist.join("npm"), &folder.join(site.package))?;
        copy(&host::root().join("www/samples/cat.jpg"), &folder.join(site.picture))?;
        if let Some(path) = site.single {
            fs::write(folder.join(path), single::fill(dist, &single::Contents::default())?)?;
        }
        (site.build)(&folder).with_context(|| format!("building the site for {}", site.name))?;
        let made = pages.join(site.name);
        fresh(&made)?;
        copy(&folder.join(site.pages), &made)?;
    }
    Ok(pages)
}

/// Empties a folder, but for npm's, which takes minutes to fill.
fn fresh(folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "node_modules") {
            continue;
        }
        let removed = if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

/// Copies a file, or all of a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        files::make_folder_of(to)?;
        fs::copy(from, to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        copy(&path, &to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

fn mkdocs(folder: &Path) -> Result<()> {
    host::run(
        Command::new(python()?).args(["-m", "mkdocs", "build", "--strict", "--quiet"]).current_dir(folder),
    )
}

fn sphinx(folder: &Path) -> Result<()> {
    let arguments = ["-m", "sphinx", "-W", "--quiet", "-b", "html", ".", "out"];
    host::run(Command::new(python()?).args(arguments).current_dir(folder))
}

/// Runs the notebook, and writes what a reader sees of it as a page.
fn jupyter(folder: &Path) -> Result<()> {
    let arguments =
        ["-m", "nbconvert", "--log-level", "WARN", "--execute", "--to", "html", "--output", "index"];
    host::run(Command::new(python()?).args(arguments).arg("explanation.ipynb").current_dir(folder))
}

fn mdbook(folder: &Path) -> Result<()> {
    let tools = host::root().join("target/sites/tools");
    let program = tools.join("bin").join(format!("mdbook{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let mut cargo = host::cargo();
        cargo
            .args(["install", "mdbook", "--version", MDBOOK, "--locked", "--no-default-features", "--root"])
            .arg(&tools);
        host::run(&mut cargo)?;
    }
    host::run(Command::new(program).args(["build"]).current_dir(folder))
}

fn npm(folder: &Path) -> Result<()> {
    tools::ensure_npm(folder)?;
    // npm links a folder, which bundlers then take for a part of the site; a package of the registry lies there itself.
    let installed = folder.join("node_modules/pellucid");
    if installed.is_symlink() {
        fs::remove_file(&installed).with_context(|| format!("removing {}", installed.display()))?;
    } else if installed.exists() {
        fs::remove_dir_all(&installed).with_context(|| format!("removing {}", installed.display()))?;
    }
    copy(&folder.join("pellucid"), &installed)?;
    host::run(Command::new("npm").args(["run", "build"]).current_dir(folder))
}

/// The Python of an environment with what `requirements.txt` names.
fn python() -> Result<PathBuf> {
    let requirements = host::root().join("examples/sites/requirements.txt");
    let environment = host::root().join("target/sites/python");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let (wanted, stamp) = (fs::read(&requirements)?, environment.join("installed.txt"));
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    tools::ensure_python()?;
    let system = tools::python().context("Python is missing")?;
    host::run(Command::new(system).args(["-m", "venv"]).arg(&environment))?;
    host::run(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements),
    )?;
    fs::write(stamp, wanted)?;
    Ok(python)
}
