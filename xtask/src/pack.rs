//! Packs the page's scripts: an entry point and all the modules that it imports become one file, so that
//! a visitor waits for two requests instead of forty.
//!
//! It reads the plain style in which `www/` is written, and refuses what it does not know. Each module becomes a
//! function that is called once, in the order of imports, and returns what the module exports.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// Packs the module at `entry`; the result means the same in the same folder.
pub fn pack(entry: &Path) -> Result<String> {
    let entry = &real(entry)?;
    let mut packer = Packer { home: folder(entry), order: vec![], seen: BTreeMap::new() };
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
    /// The number of each module; none while it is being read.
    seen: BTreeMap<PathBuf, Option<usize>>,
}

impl Packer {
    fn add(&mut self, path: &Path) -> Result<usize> {
        match self.seen.get(path) {
            Some(Some(number)) => return Ok(*number),
            Some(None) => bail!("{} imports itself, by way of others", path.display()),
            None => self.seen.insert(path.to_path_buf(), None),
        };
        let text = strip(&fs::read_to_string(path)?).with_context(|| path.display().to_string())?;
        // Addresses relative to a module would change their meaning with its place.
        let moves = folder(path) != self.home && text.contains("import.meta");
        ensure!(!moves, "{} uses import.meta, which only files beside the entry may", path.display());
        let body = self.body(path, &text).with_context(|| format!("packing {}", path.display()))?;
        let number = self.order.len();
        self.order.push(format!("const m{number}=(()=>{{\n{body}}})();\n"));
        self.seen.insert(path.to_path_buf(), Some(number));
        Ok(number)
    }

    /// The module's statements, with imports and exports in the packed form.
    fn body(&mut self, path: &Path, text: &str) -> Result<String> {
        let (mut body, mut exports) = (String::new(), vec![]);
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("import ") {
                let mut statement = line.to_owned();
                while !statement.ends_with(';') {
                    statement.push_str(lines.next().context("an import does not end")?);
                }
                body.push_str(&self.import(path, &statement)?);
            } else if let Some(declaration) = line.strip_prefix("export ") {
                exports.push(declared(declaration)?);
                body.push_str(declaration);
            } else {
                body.push_str(line);
            }
            body.push('\n');
        }
        body.push_str(&format!("return{{{}}};\n", exports.join(",")));
        Ok(body)
    }

    /// `import { a, b as c } from './x.js';` as `const{a,b:c}=m0;`.
    fn import(&mut self, path: &Path, statement: &str) -> Result<String> {
        let parts = statement
            .strip_prefix("import {")
            .and_then(|s| s.strip_suffix("';"))
            .and_then(|s| s.split_once("} from '"));
        let (names, from) =
            parts.with_context(|| format!("this form of import is not known: {statement}"))?;
        let number = self.add(&real(&folder(path).join(from))?)?;
        let names: Vec<_> = names
            .split(',')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .map(|n| n.replace(" as ", ":"))
            .collect();
        Ok(format!("const{{{}}}=m{number};", names.join(",")))
    }
}

/// The name that an exported declaration introduces.
fn declared(declaration: &str) -> Result<&str> {
    let kinds = ["async function ", "function ", "class ", "const "];
    let rest = kinds.iter().find_map(|kind| declaration.strip_prefix(kind));
    let name = rest.and_then(|r| r.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').next());
    name.filter(|n| !n.is_empty()).with_context(|| format!("this form of export is not known: {declaration}"))
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
        let expected = "const m0=(()=>{\nclass d {}\nreturn{d};\n})();\n\
            const m1=(()=>{\nconst{d}=m0;\nconst a = `${d}`;\nasync function b() {\nreturn a;\n}\nreturn{a,b};\n})();\n\
            const m2=(()=>{\nconst{a,b:c}=m1;\nconst{d}=m0;\nc(a, d);\nreturn{};\n})();\n";
        assert_eq!(packed, expected);
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn what_is_not_known_is_refused() -> Result<()> {
        for (name, text, fault) in [
            ("default", "import x from './y.js';\n", "import is not known"),
            ("let", "export let x = 1;\n", "export is not known"),
            ("cycle", "import { x } from './app.js';\n", "imports itself"),
            ("template", "const x = `\n`;\n", "several lines"),
        ] {
            let dir = write(name, &[("app.js", text), ("y.js", "")])?;
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
