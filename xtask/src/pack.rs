//! Packs the page's scripts: an entry point and all the modules that it imports become one file, so that
//! a visitor waits for two requests instead of forty.
//!
//! Each module becomes a block, after those that it imports, so its names are its own. At its end it leaves what it
//! exports in variables of the file, under names that its number makes unique; a block that imports begins with
//! constants for them. Modules import by name, and export what they declare; other forms are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::{SourceType, Span};
use oxc_syntax::module_record::{ImportEntry, ImportImportName, ModuleRecord};

/// Packs the module at `entry`; the result means the same in the same folder.
pub fn pack(entry: &Path) -> Result<String> {
    let entry = &real(entry)?;
    let mut packer = Packer { home: folder(entry), order: vec![], seen: BTreeMap::new() };
    packer.add(entry)?;
    Ok(packer.order.concat())
}

struct Packer {
    home: PathBuf,
    /// The packed modules, each after those that it imports.
    order: Vec<String>,
    /// The modules that have been begun; `None` until one has been read to its end.
    seen: BTreeMap<PathBuf, Option<Module>>,
}

/// A module that has been packed.
#[derive(Clone)]
struct Module {
    number: usize,
    exports: BTreeSet<String>,
}

impl Module {
    /// The variable that holds an export.
    fn variable(&self, name: &str) -> String {
        format!("{name}${}", self.number)
    }
}

impl Packer {
    /// Packs a module and those that it imports, unless it has been.
    fn add(&mut self, path: &Path) -> Result<Module> {
        match self.seen.get(path) {
            Some(Some(module)) => return Ok(module.clone()),
            Some(None) => bail!("{} imports itself, by way of others", path.display()),
            None => self.seen.insert(path.to_path_buf(), None),
        };
        let text = fs::read_to_string(path)?;
        let packed = self.block(path, &text).with_context(|| format!("packing {}", path.display()))?;
        let (module, block) = packed;
        self.order.push(block);
        self.seen.insert(path.to_path_buf(), Some(module.clone()));
        Ok(module)
    }

    /// The module as a block.
    fn block(&mut self, path: &Path, text: &str) -> Result<(Module, String)> {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
        ensure!(parsed.diagnostics.is_empty(), "this script cannot be read: {:?}", parsed.diagnostics);
        let record = &parsed.module_record;
        // Addresses relative to a module would change their meaning with its place.
        let moves = folder(path) != self.home;
        let relative = !record.import_metas.is_empty() || !record.dynamic_imports.is_empty();
        ensure!(!(moves && relative), "only files beside the entry may use import.meta or import()");
        ensure!(
            record.indirect_export_entries.is_empty() && record.star_export_entries.is_empty(),
            "an export of what another module exports is not known"
        );
        let mut imports = String::new();
        let mut left_out = BTreeSet::new();
        let mut requested: Vec<_> = record.requested_modules.iter().collect();
        requested.sort_by_key(|(_, requests)| requests.first().map(|request| request.statement_span.start));
        for (module, requests) in requested {
            let module = self.add(&real(&folder(path).join(module.as_str()))?)?;
            left_out.extend(requests.iter().map(|request| bounds(request.statement_span)));
            for entry in &record.import_entries {
                if requests.iter().any(|request| request.statement_span == entry.statement_span) {
                    imports += &constant(entry, &module)?;
                }
            }
        }
        let exports = exports(record, text, &mut left_out)?;
        let module = Module { number: self.order.len(), exports };
        let variables: String =
            module.exports.iter().map(|name| format!("var {}={name};", module.variable(name))).collect();
        let body = without(text, &left_out);
        // What a comment or an expression at the end of the module leaves open ends with the line.
        Ok((module, format!("{{{imports}{body}\n;{variables}}}\n")))
    }
}

/// The constant by which a block knows what it imports.
fn constant(entry: &ImportEntry, module: &Module) -> Result<String> {
    let ImportImportName::Name(name) = &entry.import_name else {
        bail!("an import of a whole module, or of its default, is not known: {}", entry.local_name.name);
    };
    let name = name.name.as_str();
    ensure!(module.exports.contains(name), "{} does not export {name}", entry.module_request.name);
    Ok(format!("const {}={};", entry.local_name.name, module.variable(name)))
}

/// The names that a module exports, where it declares them; the word `export` goes to what is left out.
fn exports(
    record: &ModuleRecord,
    text: &str,
    left_out: &mut BTreeSet<(usize, usize)>,
) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in &record.local_export_entries {
        let (start, _) = bounds(entry.statement_span);
        let end = start + "export".len();
        let declaration = text[end..].trim_start();
        // A variable that changes would be known by the value that it had at the end of its block.
        let is_known =
            ["async function", "function", "class", "const"].iter().any(|kind| declaration.starts_with(kind));
        let line = declaration.lines().next().unwrap_or_default();
        ensure!(is_known, "this form of export is not known: {line}");
        let name = entry.local_name.name().with_context(|| format!("an export without a name: {line}"))?;
        names.insert(name.to_string());
        left_out.insert((start, end));
    }
    Ok(names)
}

/// The text without some of its parts, which do not overlap.
fn without(text: &str, parts: &BTreeSet<(usize, usize)>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for &(start, end) in parts {
        kept.push_str(&text[at..start]);
        at = end;
    }
    kept.push_str(&text[at..]);
    kept
}

fn bounds(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
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
                    "import { a, b as c } from './lib/a.js';\nimport {\n  d,\n} from './d.js';\nc(a, d);",
                ),
                (
                    "lib/a.js",
                    "import { d } from '../d.js';\nexport const a = `${d}\n`;\n\
                     export async function b() {\n  return a;\n}",
                ),
                ("d.js", "export class d {} // This."),
            ],
        )?;
        let packed = pack(&dir.join("app.js"))?;
        let expected = "{ class d {} // This.\n;var d$0=d;}\n\
            {const d=d$0;\n const a = `${d}\n`;\n async function b() {\n  return a;\n}\n;var a$1=a;var b$1=b;}\n\
            {const a=a$1;const c=b$1;const d=d$0;\n\nc(a, d);\n;}\n";
        assert_eq!(packed, expected);
        Ok(fs::remove_dir_all(dir)?)
    }

    /// Names may clash, and minifying keeps them apart.
    #[test]
    fn a_name_belongs_to_its_module() -> Result<()> {
        let dir = write(
            "clash",
            &[
                (
                    "app.js",
                    "import { name } from './a.js';\nimport { name as other } from './b.js';\n\
                     globalThis.sum = name + other;",
                ),
                ("a.js", "const hidden = 1;\nexport const name = hidden;"),
                ("b.js", "const hidden = 2;\nexport const name = hidden;"),
            ],
        )?;
        let packed = pack(&dir.join("app.js"))?;
        assert!(packed.contains("var name$0=name;") && packed.contains("var name$1=name;"), "{packed}");
        let shrunk = crate::shrink::shrink(&packed, true)?;
        assert!(shrunk.contains("sum") && !shrunk.contains("hidden"), "{shrunk}");
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn what_is_not_known_is_refused() -> Result<()> {
        for (name, text, fault) in [
            ("default", "import x from './z.js';\n", "of its default, is not known"),
            ("whole", "import * as x from './z.js';\n", "of a whole module"),
            ("let", "export let x = 1;\n", "export is not known: let x"),
            ("list", "const x = 1;\nexport { x };\n", "export is not known: { x }"),
            ("own-default", "export default 1;\n", "export is not known: default"),
            ("again", "export { z } from './z.js';\n", "another module exports"),
            ("star", "export * from './z.js';\n", "another module exports"),
            ("cycle", "import { x } from './app.js';\n", "imports itself"),
            ("missing", "import { w } from './z.js';\n", "does not export w"),
            ("nowhere", "import { w } from './nowhere.js';\n", "reading"),
            ("place", "import { w } from './lib/place.js';\n", "only files beside the entry"),
            ("far", "import { w } from './lib/far.js';\n", "only files beside the entry"),
            ("broken", "const = ;\n", "cannot be read"),
        ] {
            let files = [
                ("app.js", text),
                ("z.js", "export const z = 1;\n"),
                ("lib/place.js", "export const w = import.meta.url;\n"),
                ("lib/far.js", "export const w = import('./z.js');\n"),
            ];
            let dir = write(name, &files)?;
            let error = format!(
                "{:#}",
                pack(&dir.join("app.js")).map_or_else(|e| e, |packed| anyhow::anyhow!("packed: {packed}"))
            );
            assert!(error.contains(fault), "{name}: {error}");
            fs::remove_dir_all(dir)?;
        }
        Ok(())
    }
}
