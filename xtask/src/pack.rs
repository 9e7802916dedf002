//! Packs the page's scripts: an entry point and all the modules that it imports become one file, so that
//! a visitor waits for two requests instead of forty.
//!
//! The modules stand one after another, each after those that it imports, in one scope. What a module declares outermost
//! has the module's number behind its name, so its names are its own, and what it imports is called as its module has it.
//! The file exports what its entry exports. Modules import by name or the default, and export what they declare, a list
//! of names, or names of other modules; other forms are refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use oxc_allocator::Allocator;
use oxc_ast::{AstKind, ast::Program};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::{GetSpan, SourceType, Span};
use oxc_syntax::module_record::{
    ExportEntry, ExportExportName, ExportImportName, ImportEntry, ImportImportName, ModuleRecord,
};

/// Packs the module at `entry`; the result means the same in the same folder.
pub fn pack(entry: &Path) -> Result<String> {
    let entry = &real(entry)?;
    let mut packer = Packer { home: folder(entry), order: vec![], seen: BTreeMap::new() };
    let module = packer.add(entry)?;
    let exports: Vec<_> =
        module.exports.iter().map(|(name, variable)| format!("{variable} as {name}")).collect();
    let exports =
        if exports.is_empty() { String::new() } else { format!("export{{{}}};\n", exports.join(",")) };
    Ok(packer.order.concat() + &exports)
}

/// The same as a classic script, which leaves no name behind.
pub fn pack_classic(entry: &Path) -> Result<String> {
    let packed = pack(entry)?;
    ensure!(!packed.contains("import.meta"), "a classic script has no import.meta");
    ensure!(!packed.contains("\nexport{"), "a classic script exports nothing");
    Ok(format!("(() => {{\n\"use strict\";\n{packed}}})();\n"))
}

struct Packer {
    home: PathBuf,
    /// The packed modules, each after those that it imports.
    order: Vec<String>,
    /// The modules that have been begun; `None` until one has been read to its end.
    seen: BTreeMap<PathBuf, Option<Module>>,
}

/// A module that has been packed: what the file calls each of its exports.
#[derive(Clone)]
struct Module {
    exports: BTreeMap<String, String>,
}

impl Module {
    /// What the file calls an export, which has to be one.
    fn exported(&self, name: &str, from: &str) -> Result<String> {
        self.exports.get(name).cloned().with_context(|| format!("{from} does not export {name}"))
    }
}

/// Parts of a text by their bounds, and what stands in their place.
type Changes = BTreeMap<(usize, usize), String>;

impl Packer {
    /// Packs a module and those that it imports, unless it has been.
    fn add(&mut self, path: &Path) -> Result<Module> {
        match self.seen.get(path) {
            Some(Some(module)) => return Ok(module.clone()),
            Some(None) => bail!("{} imports itself, by way of others", path.display()),
            None => self.seen.insert(path.to_path_buf(), None),
        };
        let text = fs::read_to_string(path)?;
        let packed = self.renamed(path, &text).with_context(|| format!("packing {}", path.display()))?;
        let (module, renamed) = packed;
        self.order.push(renamed);
        self.seen.insert(path.to_path_buf(), Some(module.clone()));
        Ok(module)
    }

    /// The module with the names that it has in the file.
    fn renamed(&mut self, path: &Path, text: &str) -> Result<(Module, String)> {
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
        ensure!(parsed.diagnostics.is_empty(), "this script cannot be read: {:?}", parsed.diagnostics);
        let record = &parsed.module_record;
        ensure!(
            record.star_export_entries.is_empty(),
            "an export of all that another module exports is not known"
        );
        let mut changes = self.addresses(path, record)?;
        let own = exports(record, text, &mut changes)?;
        let (mut imported, mut exports) = (BTreeMap::new(), BTreeMap::new());
        let mut requested: Vec<_> = record.requested_modules.iter().collect();
        requested.sort_by_key(|(_, requests)| requests.first().map(|request| request.statement_span.start));
        for (module, requests) in requested {
            let module = self.add(&real(&folder(path).join(module.as_str()))?)?;
            changes.extend(requests.iter().map(|request| (bounds(request.statement_span), String::new())));
            let is_requested = |span: Span| requests.iter().any(|request| request.statement_span == span);
            for entry in record.import_entries.iter().filter(|entry| is_requested(entry.statement_span)) {
                imported.insert(entry.local_name.name.to_string(), imported_name(entry, &module)?);
            }
            for entry in
                record.indirect_export_entries.iter().filter(|entry| is_requested(entry.statement_span))
            {
                exports.extend([passed_on(entry, &module)?]);
            }
        }
        let number = self.order.len();
        let in_file = |name: &str| imported.get(name).cloned().unwrap_or_else(|| format!("{name}${number}"));
        exports.extend(own.into_iter().map(|(name, local)| (name, in_file(&local))));
        rename(&parsed.program, &in_file, &mut changes);
        // The line break ends a comment or an expression that the module leaves open.
        Ok((Module { exports }, format!("{}\n;\n", changed(text, &changes))))
    }

    /// Keeps the meaning of addresses that are relative to a module which is packed in another folder.
    fn addresses(&self, path: &Path, record: &ModuleRecord) -> Result<Changes> {
        if folder(path) == self.home {
            return Ok(Changes::new());
        }
        ensure!(record.dynamic_imports.is_empty(), "only files beside the entry may use import()");
        let place = format!("({{url:new URL({:?},import.meta.url).href}})", relative(&self.home, path));
        Ok(record.import_metas.iter().map(|&span| (bounds(span), place.clone())).collect())
    }
}

/// The way from a folder to a file, with slashes.
fn relative(from: &Path, to: &Path) -> String {
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down =
        to.components().skip(shared).map(|part: Component| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Gives the names of a module's outermost scope those that `in_file` says, wherever what is said stays.
fn rename(program: &Program, in_file: &dyn Fn(&str) -> String, changes: &mut Changes) {
    let semantic = SemanticBuilder::new().with_build_nodes(true).build(program).semantic;
    let (scoping, nodes) = (semantic.scoping(), semantic.nodes());
    for node in nodes.iter() {
        let (symbol, span) = match node.kind() {
            AstKind::BindingIdentifier(name) => (name.symbol_id.get(), name.span),
            AstKind::IdentifierReference(name) => {
                (name.reference_id.get().and_then(|id| scoping.get_reference(id).symbol_id()), name.span)
            }
            _ => continue,
        };
        let Some(symbol) = symbol.filter(|&id| scoping.symbol_scope_id(id) == scoping.root_scope_id()) else {
            continue;
        };
        let at = bounds(span);
        if changes.keys().any(|&(start, end)| start <= at.0 && at.1 <= end) {
            continue;
        }
        let name = scoping.symbol_name(symbol);
        // A short form begins with the name; what follows is the value where there is none.
        let mut parents =
            nodes.ancestor_kinds(node.id()).take_while(|parent| parent.span().start == span.start);
        let is_short = parents.any(|parent| match parent {
            AstKind::ObjectProperty(property) => property.shorthand,
            AstKind::BindingProperty(property) => property.shorthand,
            parent => matches!(parent, AstKind::AssignmentTargetPropertyIdentifier(_)),
        });
        let renamed = in_file(name);
        changes.insert(at, if is_short { format!("{name}:{renamed}") } else { renamed });
    }
}

/// What the file calls what is imported.
fn imported_name(entry: &ImportEntry, module: &Module) -> Result<String> {
    let name = match &entry.import_name {
        ImportImportName::Name(name) => name.name.as_str(),
        ImportImportName::Default(_) => "default",
        ImportImportName::NamespaceObject => {
            bail!("an import of a whole module is not known: {}", entry.local_name.name)
        }
    };
    module.exported(name, &entry.module_request.name)
}

/// The name under which a module exports what another one does, and what the file calls it.
fn passed_on(entry: &ExportEntry, module: &Module) -> Result<(String, String)> {
    let from = entry.module_request.as_ref().map_or("", |request| request.name.as_str());
    let ExportImportName::Name(name) = &entry.import_name else {
        bail!("an export of a whole module is not known: {from}");
    };
    Ok((export_name(entry)?, module.exported(&name.name, from)?))
}

fn export_name(entry: &ExportEntry) -> Result<String> {
    match &entry.export_name {
        ExportExportName::Name(name) => Ok(name.name.to_string()),
        ExportExportName::Default(_) => Ok("default".to_owned()),
        ExportExportName::Null => bail!("an export without a name"),
    }
}

/// The names that a module exports itself, each with the name that it has inside; of a declaration the word `export`
/// goes, a list goes as a whole.
fn exports(record: &ModuleRecord, text: &str, changes: &mut Changes) -> Result<Vec<(String, String)>> {
    let mut names = vec![];
    for entry in &record.local_export_entries {
        let (start, end) = bounds(entry.statement_span);
        let word = start + "export".len();
        let declaration = text[word..].trim_start();
        let declares = ["async function", "function", "class", "const", "let"]
            .iter()
            .any(|kind| declaration.starts_with(kind));
        let line = declaration.lines().next().unwrap_or_default();
        ensure!(declares || declaration.starts_with('{'), "this form of export is not known: {line}");
        let local = entry.local_name.name().with_context(|| format!("an export without a name: {line}"))?;
        names.push((export_name(entry)?, local.to_string()));
        changes.insert((start, if declares { word } else { end }), String::new());
    }
    Ok(names)
}

/// The text with some of its parts replaced, which do not overlap.
fn changed(text: &str, changes: &Changes) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for (&(start, end), part) in changes {
        kept.push_str(&text[at..start]);
        kept.push_str(part);
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
        let expected = " class d$0 {} // This.\n;\n\
            \n const a$1 = `${d$0}\n`;\n async function b$1() {\n  return a$1;\n}\n;\n\
            \n\nb$1(a$1, d$0);\n;\n";
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
        assert!(packed.contains("name$1 = hidden$1;") && packed.contains("name$0 + name$1"), "{packed}");
        let shrunk = crate::shrink::shrink(&packed, true)?;
        assert!(shrunk.contains("sum") && !shrunk.contains("hidden"), "{shrunk}");
        Ok(fs::remove_dir_all(dir)?)
    }

    /// Short forms of objects keep their keys, and inner names that are the same stay what they are.
    #[test]
    fn a_name_is_replaced_only_where_it_means_the_module() -> Result<()> {
        let text = "import { n } from './n.js';\nconst { k, l: { m = k } = {} } = n;\nlet p;\n({ p, q: p } = n);\n\
            const f = (k) => ({ k, m, n, p: n.p });\nclass n2 { k() { return { k }; } }\n";
        let dir = write("short", &[("app.js", text), ("n.js", "export const n = { k: 1, n: 2 };")])?;
        let packed = pack(&dir.join("app.js"))?;
        let expected = " const n$0 = { k: 1, n: 2 };\n;\n\
            \nconst { k:k$1, l: { m:m$1 = k$1 } = {} } = n$0;\nlet p$1;\n({ p:p$1, q: p$1 } = n$0);\n\
            const f$1 = (k) => ({ k, m:m$1, n:n$0, p: n$0.p });\nclass n2$1 { k() { return { k:k$1 }; } }\n\n;\n";
        assert_eq!(packed, expected);
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn the_file_exports_what_its_entry_exports() -> Result<()> {
        let dir = write(
            "exports",
            &[
                (
                    "app.js",
                    "export { a as b } from './a.js';\nimport z, { y } from './a.js';\nexport const c = z + y;",
                ),
                ("a.js", "export const a = 1;\nfunction x() {}\nconst y = 2;\nexport { y, x as default };"),
            ],
        )?;
        let packed = pack(&dir.join("app.js"))?;
        let expected = " const a$0 = 1;\nfunction x$0() {}\nconst y$0 = 2;\n\n;\n\
            \n\n const c$1 = x$0 + y$0;\n;\n\
            export{a$0 as b,c$1 as c};\n";
        assert_eq!(packed, expected);
        let shrunk = crate::shrink::shrink(&packed, true)?;
        assert!(shrunk.contains(" as b") && shrunk.contains(" as c"), "{shrunk}");
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn a_classic_script_keeps_its_names_to_itself() -> Result<()> {
        let files = [
            ("app.js", "import { a } from './a.js';\nglobalThis.seen = a;"),
            ("a.js", "export const a = 1;"),
            ("out.js", "export const b = 1;"),
            ("meta.js", "globalThis.at = import.meta.url;"),
        ];
        let dir = write("classic", &files)?;
        let shrunk = crate::shrink::shrink(&pack_classic(&dir.join("app.js"))?, false)?;
        assert!(
            shrunk.contains("seen") && !shrunk.contains("export") && !shrunk.contains("var "),
            "{shrunk}"
        );
        assert!(pack_classic(&dir.join("out.js")).is_err());
        assert!(pack_classic(&dir.join("meta.js")).is_err());
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn addresses_mean_the_same_from_another_folder() -> Result<()> {
        let dir = write(
            "place",
            &[
                ("page/app.js", "import { w } from '../lib/place.js';\nimport.meta.url + w;"),
                ("lib/place.js", "export const w = new URL('./x', import.meta.url);"),
            ],
        )?;
        let packed = pack(&dir.join("page/app.js"))?;
        let place = r#"new URL('./x', ({url:new URL("../lib/place.js",import.meta.url).href}).url)"#;
        assert!(packed.contains(place) && packed.contains("\nimport.meta.url + w$0;"), "{packed}");
        Ok(fs::remove_dir_all(dir)?)
    }

    #[test]
    fn what_is_not_known_is_refused() -> Result<()> {
        for (name, text, fault) in [
            ("default", "import x from './z.js';\n", "does not export default"),
            ("whole", "import * as x from './z.js';\n", "of a whole module"),
            ("var", "export var x = 1;\n", "export is not known: var x"),
            ("own-default", "export default 1;\n", "export is not known: default"),
            ("again", "export { w } from './z.js';\n", "does not export w"),
            ("under", "export * as z from './z.js';\n", "whole module"),
            ("star", "export * from './z.js';\n", "another module exports"),
            ("cycle", "import { x } from './app.js';\n", "imports itself"),
            ("missing", "import { w } from './z.js';\n", "does not export w"),
            ("nowhere", "import { w } from './nowhere.js';\n", "reading"),
            ("far", "import { w } from './lib/far.js';\n", "only files beside the entry"),
            ("broken", "const = ;\n", "cannot be read"),
        ] {
            let files = [
                ("app.js", text),
                ("z.js", "export const z = 1;\n"),
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
