//! Compressed forms of a file: for hosts that send what lies beside it, and to tell how much a visitor downloads.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow};
use flate2::{Compression, write::GzEncoder};

use crate::files::each_file;

/// Leaves `x.br` and `x.gz` beside each file `x` of a folder that gets smaller so. The same file gives the same bytes.
pub fn leave_beside(folder: &Path) -> Result<()> {
    let mut files = vec![];
    each_file(folder, &mut |path| {
        files.push(path.to_path_buf());
        Ok(())
    })?;
    // The two large files take the longest, by far: they are compressed at once.
    thread::scope(|scope| {
        let works: Vec<_> = files.iter().map(|file| scope.spawn(|| leave_beside_one(file))).collect();
        works.into_iter().try_for_each(|work| work.join().map_err(|_| anyhow!("a compression failed"))?)
    })
}

fn leave_beside_one(file: &Path) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    for (ending, compressed) in [("br", brotli(&bytes)?), ("gz", gzip(&bytes)?)] {
        if is_worth_it(bytes.len(), compressed.len()) {
            let beside = PathBuf::from(format!("{}.{ending}", file.display()));
            fs::write(&beside, compressed).with_context(|| format!("writing {}", beside.display()))?;
        }
    }
    Ok(())
}

/// Whether a compressed form saves a visitor anything: a photograph has none that does.
fn is_worth_it(plain: usize, compressed: usize) -> bool {
    compressed < plain - plain / 20
}

/// Brotli at its best.
pub fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 24);
    encoder.write_all(bytes)?;
    Ok(encoder.into_inner())
}

/// Gzip at its best, without a name or a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_compresses_has_both_forms_beside_it() -> Result<()> {
        let dir = std::env::temp_dir().join(format!("pellucid-compress-{}", std::process::id()));
        fs::create_dir_all(dir.join("deep"))?;
        let text = "see why a network said what it said\n".repeat(100);
        // Bytes without any order: what a photograph is to a compressor.
        let noise: Vec<u8> = (0..4000u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ ((i * i) >> 7) as u8)
            .collect();
        fs::write(dir.join("deep/a.js"), &text)?;
        fs::write(dir.join("b.jpg"), &noise)?;
        leave_beside(&dir)?;
        let (mut from_gzip, mut from_brotli) = (String::new(), vec![]);
        let packed = fs::read(dir.join("deep/a.js.gz"))?;
        GzDecoder::new(&*packed).read_to_string(&mut from_gzip)?;
        brotli::BrotliDecompress(&mut &*fs::read(dir.join("deep/a.js.br"))?, &mut from_brotli)?;
        assert_eq!((from_gzip.as_bytes(), &*from_brotli), (text.as_bytes(), text.as_bytes()));
        assert_eq!(packed[4..8], [0; 4], "no time");
        assert!(!dir.join("b.jpg.gz").exists() && !dir.join("b.jpg.br").exists());
        Ok(fs::remove_dir_all(dir)?)
    }
}
