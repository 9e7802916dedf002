//! Packs the page's scripts: an entry point and all the modules that it imports become one file, so that
//! a visitor waits for two requests instead of forty.
//!
//! It reads the plain style in which `www/` is written, and refuses what it does not know. Each module becomes a
//! block, in the order of imports; what it exports, under a name that no other module exports, is known to the blocks
//! that follow, and the rest is its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// Packs the module at `entry`; the result means the same in the same folder.
pub fn pack(entry: &Path) -> Result<String> {
    let entry = &real(entry)?;
    let mut packer =
        Packer { home: folder(entry), order: vec![], seen: BTreeMap::new(), exports: BTreeMap::new() };
    packer.add(entry)?;
    Ok(packer.order.concat())
}

/// The same script or style without comment lines, indentation and empty lines.
pub fn strip(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        ensure!(
            line.matches('`').count() % 2 == 0,
            "a template literal of several lines cannot be packed: {line}"
        );
        let mut line = line;
        if in_comment || line.starts_with("/*") {
            in_comment = !line.contains("*/");
            line = line.split_once("*/").map_or("", |(_, rest)| rest.trim());
        }
        if !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
    }
    Ok(out)
}

struct Packer {
    home: PathBuf,
    /// The packed modules, each after those that it imports.
    order: Vec<String>,
    /// Whether each module has been read to its end.
    seen: BTreeMap<PathBuf, bool>,
    /// Which module exports each name.
    exports: BTreeMap<String, PathBuf>,
}

impl Packer {
    fn add(&mut self, path: &Path) -> Result<()> {
        match self.seen.get(path) {
            Some(true) => return Ok(()),
            Some(false) => bail!("{} imports itself, by way of others", path.display()),
            None => self.seen.insert(path.to_path_buf(), false),
        };
        let text = strip(&fs::read_to_string(path)?).with_context(|| path.display().to_string())?;
        // Addresses relative to a module would change their meaning with its place.
        let moves = folder(path) != self.home && text.contains("import.meta");
        ensure!(!moves, "{} uses import.meta, which only files beside the entry may", path.display());
        let body = self.body(path, &text).with_context(|| format!("packing {}", path.display()))?;
        self.order.push(format!("{{\n{body}}}\n"));
        self.seen.insert(path.to_path_buf(), true);
        Ok(())
    }

    /// The module's statements, with imports and exports in the packed form.
    fn body(&mut self, path: &Path, text: &str) -> Result<String> {
        let mut body = String::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("import ") {
                let mut statement = line.to_owned();
                while !statement.ends_with(';') {
                    statement.push_str(lines.next().context("an import does not end")?);
                }
                body.push_str(&self.import(path, &statement)?);
            } else if let Some(declaration) = line.strip_prefix("export ") {
                let (name, statement) = declared(declaration)?;
                if let Some(other) = self.exports.insert(name.to_owned(), path.to_path_buf()) {
                    bail!("{} exports {name} too", other.display());
                }
                body.push_str(&statement);
            } else {
                // What is exported ends without a semicolon, and would be called or indexed.
                let goes_on = body.ends_with("}\n") && line.starts_with(['(', '[', '`']);
                ensure!(!goes_on, "this line cannot follow a brace: {line}");
                body.push_str(line);
            }
            body.push('\n');
        }
        Ok(body)
    }

    /// `import { a, b as c } from './x.js';` as `const c=b;`: `a` is known by its own name.
    fn import(&mut self, path: &Path, statement: &str) -> Result<String> {
        let parts = statement
            .strip_prefix("import {")
            .and_then(|s| s.strip_suffix("';"))
            .and_then(|s| s.split_once("} from '"));
        let (names, from) =
            parts.with_context(|| format!("this form of import is not known: {statement}"))?;
        let module = real(&folder(path).join(from))?;
        self.add(&module)?;
        let mut renamed = String::new();
        for name in names.split(',').map(str::trim).filter(|n| !n.is_empty()) {
            let (name, own) = name.split_once(" as ").unwrap_or((name, name));
            ensure!(self.exports.get(name) == Some(&module), "{} does not export {name}", module.display());
            if own != name {
                renamed += &format!("const {own}={name};");
            }
        }
        Ok(renamed)
    }
}

/// The name that an exported declaration introduces, and the declaration as one that outlives its block.
fn declared(declaration: &str) -> Result<(&str, String)> {
    let kinds = ["async function", "function", "class", "const"];
    let found =
        kinds.iter().find_map(|kind| Some((*kind, declaration.strip_prefix(kind)?.strip_prefix(' ')?)));
    let unknown = || format!("this form of export is not known: {declaration}");
    let (kind, rest) = found.with_context(unknown)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    ensure!(!name.is_empty(), unknown());
    let statement =
        if kind == "const" { format!("var {name}{rest}") } else { format!("var {name}={kind}{rest}") };
    Ok((name, statement))
}

/// The path without links and detours, so that a module is known by one name.
fn real(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("reading {}", path.display()))
}

fn folder(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let dir = std::env::temp_dir().join(format!("pellucid-pack-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = dir.join(file);
            fs::create_dir_all(folder(&path))?;
            fs::write(path, text)?;
        }
        Ok(dir)
    }

    #[test]
    fn modules_become_one_in_the_order_of_imports() -> Result<()> {
        let dir = write(
            "order",
            &[
                (
                    "app.js",
                    "// The page.\nimport { a, b as c } from './lib/a.js';\nimport {\n  d,\n} from './d.js';\n\nc(a, d);\n",
                ),
                (
                    "lib/a.js",
                    "import { d } from '../d.js';\n/** Of\n * a. */\nexport const a = `${d}`;\nexport async function b() {\n  return a;\n}\n",
                ),
                ("d.js", "export class d {}\n"),
            ],
        )?;
        let packed = pack(&dir.join("app.js"))?;
        let expected = "{\nvar d=class {}\n}\n\
            {\n\nvar a = `${d}`;\nvar b=async function() {\nreturn a;\n}\n}\n\
            {\nconst c=b;\n\nc(a, d);\n}\n";
        assert_eq!(packed, expected);
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn what_is_not_known_is_refused() -> Result<()> {
        for (name, text, fault) in [
            ("default", "import x from './y.js';\n", "import is not known"),
            ("let", "export let x = 1;\n", "export is not known"),
            ("cycle", "import { x } from './app.js';\n", "imports itself"),
            ("twice", "import { z } from './z.js';\nexport const z = 2;\n", "exports z too"),
            ("missing", "import { w } from './z.js';\n", "does not export w"),
            ("call", "export function f() {\n}\n(f)();\n", "cannot follow a brace"),
            ("template", "const x = `\n`;\n", "several lines"),
        ] {
            let dir = write(name, &[("app.js", text), ("y.js", ""), ("z.js", "export const z = 1;\n")])?;
            let error = format!(
                "{:#}",
                pack(&dir.join("app.js")).map_or_else(|e| e, |packed| anyhow::anyhow!("packed: {packed}"))
            );
            assert!(error.contains(fault), "{error}");
            fs::remove_dir_all(dir)?;
        }
        Ok(())
    }

    #[test]
    fn styles_lose_comments_and_indentation() -> Result<()> {
        assert_eq!(strip("/* All\n   this. */\na {\n  b: c; /* kept */\n}\n")?, "a {\nb: c; /* kept */\n}\n");
        Ok(())
    }
}
