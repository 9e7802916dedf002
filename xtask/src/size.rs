//! How much a visitor downloads, and the bounds on it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::compress::{brotli, gzip};
use crate::files::each_file;

/// The WebAssembly, compressed as a good host sends it: brotli at its best.
const WASM_LIMIT: usize = 1_800_000;
/// The page's scripts and styles, each compressed as any host sends it: gzip.
const PAGE_LIMIT: usize = 60 * 1024;
/// The tag's own script, as a module or as a classic one, in gzip. A host's page loads it whether a tag is seen or not.
const TAG_LIMIT: usize = 15 * 1024;

/// Prints the sizes of the page in `dist`; true if all are within their bounds.
pub fn check(dist: &Path) -> Result<bool> {
    let wasm_file = dist.join("www/pkg/pellucid_bg.wasm");
    let wasm = fs::read(&wasm_file).with_context(|| format!("reading {}", wasm_file.display()))?;
    let wasm_brotli = brotli(&wasm)?.len();
    println!("wasm: {} bytes, {} in gzip", wasm.len(), gzip(&wasm)?.len());
    let mut fits = verdict("wasm in brotli", wasm_brotli, WASM_LIMIT);
    let mut page = 0;
    each_file(dist, &mut |path| {
        if path.extension().is_none_or(|ext| !["js", "mjs", "css"].iter().any(|script| ext == *script)) {
            return Ok(());
        }
        let size = gzip(&fs::read(path)?)?.len();
        let inside = path.strip_prefix(dist)?;
        if inside.starts_with("www/tag") {
            fits &= verdict(&format!("{} in gzip", inside.display()), size, TAG_LIMIT);
        } else if !inside.starts_with("www/api") && !inside.starts_with("npm") {
            // The page has the API in its own script.
            page += size;
        }
        Ok(())
    })?;
    Ok(verdict("the page's scripts and styles in gzip", page, PAGE_LIMIT) && fits)
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
