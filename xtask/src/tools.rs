//! What the tasks need beyond Rust itself: installed where that is safe, else named in one line.
//!
//! On Debian (and its relatives) as root, missing packages are installed with apt-get. Anywhere else
//! nothing is changed: the error says what to run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

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

/// Makes sure that native tests find a Vulkan adapter.
pub fn ensure_native() -> Result<()> {
    ensure(&[VULKAN])
}

/// Makes sure that Node.js and Chromium are there.
pub fn ensure_browser() -> Result<()> {
    ensure(&[NODE, CHROMIUM])
}

/// Installs the npm packages that `dir`'s lock file names, unless they are there already.
pub fn ensure_npm(dir: &Path) -> Result<()> {
    let lock = dir.join("package-lock.json");
    let stamp = dir.join("node_modules/.installed-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let npm = host::find_program(&["npm"]).or_else(|| host::find_program(&["npm.cmd"]));
    let npm = npm.context("npm is missing")?;
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

/// Lavapipe's driver file, if this machine has no GPU and the user chose no driver.
pub fn software_vulkan() -> Option<PathBuf> {
    let chosen = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"].map(env::var_os);
    let has_gpu = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].iter().any(|device| Path::new(device).exists());
    if !cfg!(target_os = "linux") || chosen.iter().any(Option::is_some) || has_gpu {
        return None;
    }
    vulkan_drivers().into_iter().find(|file| file.to_string_lossy().contains("lvp_icd"))
}

fn has_vulkan() -> bool {
    !cfg!(target_os = "linux") || !vulkan_drivers().is_empty()
}

fn vulkan_drivers() -> Vec<PathBuf> {
    let dirs = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let files = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
    files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect()
}

fn has_node() -> bool {
    host::find_program(&["node"]).is_some()
        && (host::find_program(&["npm"]).is_some() || host::find_program(&["npm.cmd"]).is_some())
}

fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| !(tool.is_present)()).collect();
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
            return apt_get(&install);
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
