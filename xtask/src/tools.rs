//! Tools that the tasks need beyond Rust itself: installed where that is safe, else named in one line.
//!
//! On Debian (and its relatives) as root, missing packages are installed with apt-get. Anywhere else
//! nothing is changed: the error says what to run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::host;

/// The WebAssembly target that the page is built for.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A program or library that tests need, and the packages that bring it.
struct Tool {
    what: &'static str,
    is_present: fn() -> bool,
    apt: &'static [&'static str],
    dnf: &'static [&'static str],
    pacman: &'static [&'static str],
    brew: &'static [&'static str],
}

/// Cargo cannot build this tool without one, so where it is missing now, somebody took it away or chose another for this
/// tool alone; what is built next would fail with a page of rustc's instead of a line.
const LINKER: Tool = Tool {
    what: "a linker for Rust (a C compiler, cc)",
    is_present: has_linker,
    apt: &["gcc", "libc6-dev"],
    dnf: &["gcc", "glibc-devel"],
    pacman: &["gcc"],
    brew: &["gcc"],
};

const VULKAN: Tool = Tool {
    what: "a Vulkan adapter (Mesa's lavapipe where there is no GPU)",
    is_present: has_vulkan,
    apt: &["mesa-vulkan-drivers", "libvulkan1"],
    dnf: &["mesa-vulkan-drivers", "vulkan-loader"],
    pacman: &["vulkan-swrast", "vulkan-icd-loader"],
    brew: &[],
};

const NODE: Tool = Tool {
    what: "Node.js 18.19 or later, with npm",
    is_present: has_node,
    apt: &["nodejs", "npm"],
    dnf: &["nodejs", "nodejs-npm"],
    pacman: &["nodejs", "npm"],
    brew: &["node"],
};

const CHROMIUM: Tool = Tool {
    what: "Chromium",
    is_present: || chromium().is_some(),
    apt: &["chromium"],
    dnf: &["chromium"],
    pacman: &["chromium"],
    brew: &["--cask", "chromium"],
};

const FIREFOX: Tool = Tool {
    what: "Firefox",
    is_present: || firefox().is_some(),
    apt: &["firefox-esr"],
    dnf: &["firefox"],
    pacman: &["firefox"],
    brew: &["--cask", "firefox"],
};

const PYTHON: Tool = Tool {
    what: "Python 3.8 or later, with venv",
    is_present: has_venv,
    apt: &["python3", "python3-venv"],
    dnf: &["python3"],
    pacman: &["python"],
    brew: &["python"],
};

/// Makes sure that the compiler can build for WebAssembly.
pub fn ensure_wasm_target() -> Result<()> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let printed =
        host::output(Command::new(rustc).args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if Path::new(printed.trim()).is_dir() {
        return Ok(());
    }
    if host::find_program(&["rustup"]).is_none() {
        bail!("the Rust target {WASM_TARGET} is missing; install it with your system's Rust, or use rustup");
    }
    host::run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
}

/// Makes sure that Rust finds a linker: programs of this machine are linked for the page too, as build scripts.
pub fn ensure_linker() -> Result<()> {
    ensure(&[LINKER])
}

/// Makes sure that native tests find a Vulkan adapter.
pub fn ensure_native() -> Result<()> {
    ensure(&[VULKAN])
}

/// Makes sure that Python can make environments.
pub fn ensure_python() -> Result<()> {
    ensure(&[PYTHON])
}

/// Makes sure that Node.js and Chromium are there.
pub fn ensure_browser() -> Result<()> {
    ensure(&[NODE, CHROMIUM])
}

/// Makes sure that Firefox is there, which slow tests open as well.
pub fn ensure_firefox() -> Result<()> {
    ensure(&[FIREFOX])
}

/// Installs the npm packages that `dir`'s lock file names, unless they are there already.
pub fn ensure_npm(dir: &Path) -> Result<()> {
    let lock = dir.join("package-lock.json");
    let stamp = dir.join("node_modules/.installed-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = host::find_program(&["npm", "npm.cmd"]).context("npm is missing")?;
    host::run(Command::new(npm).args(["ci", "--no-audit", "--no-fund"]).current_dir(dir))?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Chromium, or a browser that is one: `CHROMIUM` in the environment decides if it is set.
pub fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let elsewhere = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    ];
    host::find_program(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
        .or_else(|| elsewhere.iter().map(PathBuf::from).find(|path| path.is_file()))
}

/// Firefox: `FIREFOX` in the environment decides if it is set.
pub fn firefox() -> Option<PathBuf> {
    if let Some(path) = env::var_os("FIREFOX") {
        return Some(path.into());
    }
    let elsewhere =
        ["/Applications/Firefox.app/Contents/MacOS/firefox", r"C:\Program Files\Mozilla Firefox\firefox.exe"];
    host::find_program(&["firefox-esr", "firefox"])
        .or_else(|| elsewhere.iter().map(PathBuf::from).find(|path| path.is_file()))
}

/// Lavapipe's driver file, if this machine has no GPU and the user chose no driver.
pub fn software_vulkan() -> Option<PathBuf> {
    let has_gpu = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].iter().any(|device| Path::new(device).exists());
    if !cfg!(target_os = "linux") || has_gpu || is_driver_chosen() {
        return None;
    }
    vulkan_drivers().into_iter().find(|file| file.to_string_lossy().contains("lvp_icd"))
}

fn is_driver_chosen() -> bool {
    ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"]
        .iter()
        .any(|name| env::var_os(name).is_some())
}

/// Whether rustc finds what it calls to link: `cc`, unless cargo's environment names another. On Windows it looks for
/// Microsoft's by itself.
fn has_linker() -> bool {
    let named = |(name, value): (OsString, OsString)| {
        let name = name.to_string_lossy().into_owned();
        let is_linker =
            name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER") && !name.contains("WASM");
        is_linker && (Path::new(&value).exists() || value.to_str().is_some_and(is_program))
    };
    cfg!(windows) || is_program("cc") || env::vars_os().any(named)
}

fn is_program(name: &str) -> bool {
    host::find_program(&[name]).is_some()
}

/// Elsewhere than on Linux the system has a GPU interface of its own.
fn has_vulkan() -> bool {
    !cfg!(target_os = "linux") || is_driver_chosen() || (has_vulkan_loader() && !vulkan_drivers().is_empty())
}

fn has_vulkan_loader() -> bool {
    let by_arch = format!("/usr/lib/{}-linux-gnu", env::consts::ARCH);
    let dirs = [by_arch.as_str(), "/usr/lib64", "/usr/lib", "/usr/local/lib"];
    dirs.iter().any(|dir| Path::new(dir).join("libvulkan.so.1").exists())
}

fn vulkan_drivers() -> Vec<PathBuf> {
    let dirs = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let files = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
    files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect()
}

fn has_node() -> bool {
    host::find_program(&["npm", "npm.cmd"]).is_some()
        && host::output(Command::new("node").arg("--version")).is_ok_and(|version| is_new_enough(&version))
}

/// The name that Python has on this system.
pub fn python() -> Option<PathBuf> {
    host::find_program(&["python3", "python"])
}

/// Debian has the module `venv` without what it needs to install pip, so that is asked for too.
fn has_venv() -> bool {
    let has = |python| host::output(Command::new(python).args(["-c", "import venv, ensurepip"])).is_ok();
    python().is_some_and(has)
}

/// Whether this version of Node.js has a test runner that can be told how many files to run at a time.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (18, 19)
}

fn ensure(tools: &[Tool]) -> Result<()> {
    let find_missing = || -> Vec<&Tool> { tools.iter().filter(|tool| !(tool.is_present)()).collect() };
    let missing = find_missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = |of: fn(&Tool) -> &'static [&'static str]| -> String {
        missing.iter().flat_map(|tool| of(tool)).copied().collect::<Vec<_>>().join(" ")
    };
    let named: Vec<_> = missing.iter().map(|tool| tool.what).collect();
    let named = named.join("; ");
    if host::find_program(&["apt-get"]).is_some() {
        if is_root() {
            println!("Installing {named}");
            apt_get(&["update"])?;
            let mut install = vec!["install", "--yes", "--no-install-recommends"];
            install.extend(missing.iter().flat_map(|tool| tool.apt));
            apt_get(&install)?;
            let still: Vec<_> = find_missing().iter().map(|tool| tool.what).collect();
            ensure!(
                still.is_empty(),
                "still missing after installing the system's packages: {}",
                still.join("; ")
            );
            return Ok(());
        }
        bail!("missing: {named}. Run: sudo apt-get install {}", packages(|tool| tool.apt));
    }
    let line = if host::find_program(&["dnf"]).is_some() {
        format!("sudo dnf install {}", packages(|tool| tool.dnf))
    } else if host::find_program(&["pacman"]).is_some() {
        format!("sudo pacman -S {}", packages(|tool| tool.pacman))
    } else if host::find_program(&["brew"]).is_some() {
        format!("brew install {}", packages(|tool| tool.brew))
    } else {
        bail!("missing: {named}. Install it with your system's package manager")
    };
    bail!("missing: {named}. Run: {line}")
}

fn apt_get(args: &[&str]) -> Result<()> {
    host::run(Command::new("apt-get").arg("--quiet").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    cfg!(unix) && host::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_of_node_are_refused() {
        assert!(is_new_enough("v18.19.0\n") && is_new_enough("v20.1.0") && is_new_enough("v124.0.0"));
        assert!(!is_new_enough("v18.9.1") && !is_new_enough("v16.20.2") && !is_new_enough("?"));
    }
}
