//! The page without a network: the name of the build, which each of its parts bears, and the service worker, which
//! knows every file that it keeps by its hash.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::files::each_file;

/// The word in scripts and in index.html that the name of the build replaces.
const BUILD: &str = "__PELLUCID_BUILD";
/// The word in the service worker that the list of files replaces.
const FILES: &str = "__FILES__";
/// The section of the WebAssembly that has the name of the build; its worker reads it.
const SECTION: &str = "pellucid-build";

/// The files that the page needs, without those for readers alone: paths in `dist` that begin and end so.
const KEPT: [(&str, &str); 14] = [
    ("index.html", ""),
    ("www/single.html", ""),
    ("manifest.webmanifest", ""),
    ("www/page/", ".js"),
    ("www/worker/", ".js"),
    ("www/pkg/", ".js"),
    ("www/pkg/", ".wasm"),
    ("www/style.css", ""),
    ("www/icon.svg", ""),
    // The pictures of the page are for those who install it, from the host.
    ("www/icons/", ".png"),
    ("www/hero/", ".webp"),
    ("www/samples/", ".jpg"),
    ("models/", ".onnx"),
    ("models/background/", ".jpg"),
];

/// Names the build after all of its files, and writes the name into each part that has the word for it. Answers with the
/// name.
pub fn name_build(dist: &Path) -> Result<String> {
    let mut all = Sha256::new();
    for (path, hash) in hashes(dist, |_| true)? {
        all.update(format!("{path}={hash}\n"));
    }
    let name = hex(&all.finalize()[..8]);
    each_file(dist, &mut |path| {
        let ending = path.extension().unwrap_or_default();
        if ending == "js" || ending == "html" {
            let text = fs::read_to_string(path)?;
            if text.contains(BUILD) {
                fs::write(path, text.replace(BUILD, &name))?;
            }
        } else if ending == "wasm" {
            let mut wasm = fs::read(path)?;
            wasm.extend(custom_section(SECTION, &name)?);
            fs::write(path, wasm)?;
        }
        Ok(())
    })?;
    Ok(name)
}

/// A section of WebAssembly that engines skip: its kind, its size, its name with its length, its content.
fn custom_section(name: &str, content: &str) -> Result<Vec<u8>> {
    let size = 1 + name.len() + content.len();
    // Up to here a number is its own LEB128.
    ensure!(size < 0x80, "the section {name} is too long");
    let mut section = vec![0, u8::try_from(size)?, u8::try_from(name.len())?];
    section.extend(name.bytes().chain(content.bytes()));
    Ok(section)
}

/// Writes into the service worker which files in `dist` it is to keep.
pub fn list_files(dist: &Path, service_worker: &Path) -> Result<()> {
    let script = fs::read_to_string(service_worker)?;
    let kept =
        hashes(dist, |path| KEPT.iter().any(|(start, end)| path.starts_with(start) && path.ends_with(end)))?;
    let mut list = vec![];
    for (path, hash) in kept {
        ensure!(
            !path.contains([' ', '=', '%', '?', '#']),
            "{path} is no path that an address can have as it is"
        );
        // Some hosts know the page only by its folder.
        let path = if path == "index.html" { "./" } else { &path };
        // 40 bits tell a file's few versions apart as surely, and hashes do not compress.
        list.push(format!("{path}={}", &hash[..10]));
    }
    ensure!(script.contains(FILES), "the service worker has no place for its list of files");
    Ok(fs::write(service_worker, script.replace(FILES, &list.join(" ")))?)
}

/// The hash of each file in `dist` that is wanted, by its path with slashes.
fn hashes(dist: &Path, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    each_file(dist, &mut |file| {
        let path = file.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        if wanted(&path) {
            let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            hashes.insert(path, hex(&Sha256::digest(bytes)));
        }
        Ok(())
    })?;
    Ok(hashes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn dist(name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let dir = std::env::temp_dir().join(format!("pellucid-offline-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = dir.join(file);
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(path, text)?;
        }
        Ok(dir)
    }

    #[test]
    fn every_part_bears_the_name_of_its_build() -> Result<()> {
        let wasm = "\0asm\u{1}\0\0\0";
        let files = [
            ("www/page/app.js", "const a = '__PELLUCID_BUILD';"),
            ("index.html", "<p>"),
            ("www/pkg/e.wasm", wasm),
        ];
        let dir = dist("name", &files)?;
        let name = name_build(&dir)?;
        assert_eq!(name.len(), BUILD.len(), "scripts are shortened before they get the name");
        assert_eq!(fs::read_to_string(dir.join("www/page/app.js"))?, format!("const a = '{name}';"));
        let stamped = fs::read(dir.join("www/pkg/e.wasm"))?;
        let section = &stamped[wasm.len()..];
        assert_eq!(section[..3], [0, 31, 14]);
        assert_eq!(section[3..], *format!("{SECTION}{name}").as_bytes());
        fs::remove_dir_all(&dir)?;
        // One letter anywhere makes it another build.
        let dir = dist("name", &[files[0], ("index.html", "<b>"), files[2]])?;
        assert_ne!(name_build(&dir)?, name);
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn the_service_worker_knows_what_the_page_needs() -> Result<()> {
        let dir = dist(
            "list",
            &[
                ("index.html", "abc"),
                ("www/page/app.js", ""),
                ("www/page/app.js.br", ""),
                ("www/pkg/pellucid.d.ts", ""),
                ("models/README.md", ""),
                ("LICENSE-MIT", ""),
                ("sw.js", "new Map('__FILES__')"),
            ],
        )?;
        list_files(&dir, &dir.join("sw.js"))?;
        let listed = fs::read_to_string(dir.join("sw.js"))?;
        let abc = "ba7816bf8f";
        let empty = "e3b0c44298";
        assert_eq!(listed, format!("new Map('./={abc} www/page/app.js={empty}')"));
        assert!(list_files(&dir, &dir.join("sw.js")).is_err(), "there is no place for it");
        Ok(fs::remove_dir_all(dir)?)
    }
}
