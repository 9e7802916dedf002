//! Folders: made where they are missing, and gone through.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Makes the folder that a file is to lie in, where it is missing.
pub fn make_folder_of(path: &Path) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))
}

/// Calls `visit` with each file in a folder and those below.
pub fn each_file(dir: &Path, visit: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { each_file(&path, visit)? } else { visit(&path)? }
    }
    Ok(())
}
