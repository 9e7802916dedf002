//! How much a visitor downloads, and the bounds on it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::compress::{brotli, gzip};
use crate::page::each_file;

/// The WebAssembly, compressed as a good host sends it: brotli at its best.
const WASM_LIMIT: usize = 1_800_000;
/// All scripts and styles, each compressed as any host sends it: gzip.
const SHELL_LIMIT: usize = 60 * 1024;

/// Prints the sizes of the page in `dist`; true if all are within their bounds.
pub fn check(dist: &Path) -> Result<bool> {
    let wasm_file = dist.join("www/pkg/pellucid_bg.wasm");
    let wasm = fs::read(&wasm_file).with_context(|| format!("reading {}", wasm_file.display()))?;
    let wasm_brotli = brotli(&wasm)?.len();
    let mut shell = 0;
    each_file(dist, &mut |path| {
        if path.extension().is_some_and(|ext| ext == "js" || ext == "mjs" || ext == "css") {
            shell += gzip(&fs::read(path)?)?.len();
        }
        Ok(())
    })?;
    println!("wasm: {} bytes, {} in gzip", wasm.len(), gzip(&wasm)?.len());
    let wasm_fits = verdict("wasm in brotli", wasm_brotli, WASM_LIMIT);
    let shell_fits = verdict("scripts and styles in gzip", shell, SHELL_LIMIT);
    Ok(wasm_fits && shell_fits)
}

fn verdict(what: &str, size: usize, limit: usize) -> bool {
    let fits = size <= limit;
    println!("{what}: {size} bytes of {limit} allowed: {}", if fits { "ok" } else { "TOO LARGE" });
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_compressed_bytes() -> Result<()> {
        let zeros = vec![0; 1 << 20];
        assert!((1..100).contains(&brotli(&zeros)?.len()));
        assert!((100..2000).contains(&gzip(&zeros)?.len()));
        Ok(())
    }

    #[test]
    fn one_byte_too_many_is_too_large() {
        assert!(verdict("at the bound", WASM_LIMIT, WASM_LIMIT));
        assert!(!verdict("above the bound", WASM_LIMIT + 1, WASM_LIMIT));
    }
}
