//! Circles between the modules of a folder: of two files that import each other neither can be read, tested or moved
//! alone. A folder's own `mod.rs` declares the others and is known to them, so it is not counted among them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source::{Sources, Token, sources, tokens};

/// A module's path from the root, or that of an item: `["ops", "conv", "Conv"]`.
type Names = Vec<String>;

/// Circles that stand: the folder, the modules, and why. One may become smaller.
const KNOWN: &[(&str, &[&str], &str)] = &[(
    "ops",
    &["conv", "flat_axis"],
    "convolutions of three axes are read as those of a plane where one is flat",
)];

#[test]
fn no_files_of_a_folder_import_each_other() {
    let found = circles(&sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")));
    let is_known = |(folder, modules): &&(String, Vec<String>)| {
        let holds = |known: &[&str]| modules.iter().all(|module| known.contains(&module.as_str()));
        KNOWN.iter().any(|(of, known, _)| of == folder && holds(known))
    };
    let new: Vec<_> = found.iter().filter(|circle| !is_known(circle)).collect();
    assert!(new.is_empty(), "modules that import each other: {new:?}");
}

#[test]
fn planted_circles_are_found() {
    let front = ("a/mod.rs", "mod x; mod y; pub use y::Y; pub use x::inner::{self, Deep};");
    let circle = BTreeSet::from([("a".to_owned(), vec!["x".to_owned(), "y".to_owned()])]);
    let y = ("a/y.rs", "use crate::a::x::{X, inner::A};");
    for x in [
        "use super::y::Y;",
        "use crate::{Error, a::{y::{self, Y as Why}}};",
        "use super::Y;",
        "fn f() -> crate::a::Y { g() }",
        "fn f() { super::y::go::<u8>() }",
    ] {
        assert_eq!(circles(&of([front, y, ("a/x.rs", x)])), circle, "{x}");
    }
    let inner = of([
        front,
        ("a/y.rs", "use super::Deep;"),
        ("a/x/inner.rs", "use crate::a::y;"),
        ("a/x.rs", "pub mod inner;"),
    ]);
    assert_eq!(circles(&inner), circle);
    for x in [
        "use super::z;",
        "#[cfg(test)]\nmod tests { use super::super::y::Y; }",
        "use crate::b::y::Y;",
        "// super::y::Y",
    ] {
        assert_eq!(circles(&of([front, y, ("a/x.rs", x)])), BTreeSet::new(), "{x}");
    }
}

fn of<const N: usize>(files: [(&str, &str); N]) -> Sources {
    files.into_iter().map(|(name, source)| (name.to_owned(), source.to_owned())).collect()
}

/// Every folder with modules that import each other, directly or by others of them.
fn circles(sources: &Sources) -> BTreeSet<(String, Vec<String>)> {
    let house = crate::House::new(sources);
    let modules: BTreeSet<Names> = sources.keys().map(|name| module(name)).collect();
    let mut named = BTreeMap::new();
    let mut shown = BTreeMap::new();
    for (name, source) in sources.iter().filter(|(name, _)| !house.test_files.contains(*name)) {
        let own = module(name);
        let (uses, shows) = names(&own, &tokens(name, source, false), &modules);
        shown.extend(
            shows.into_iter().map(|path| ([own.clone(), path[path.len() - 1..].to_vec()].concat(), path)),
        );
        named.insert(own, uses);
    }
    // The folder, and of the modules in it which names which.
    let mut edges: BTreeMap<Names, BTreeSet<(String, String)>> = BTreeMap::new();
    for (own, uses) in &named {
        for path in uses {
            let target = module_of(resolved(path, &shown, &modules), &modules);
            let common = own.iter().zip(&target).take_while(|(a, b)| a == b).count();
            if let (true, Some(from), Some(to)) = (common > 0, own.get(common), target.get(common)) {
                edges.entry(own[..common].to_vec()).or_default().insert((from.clone(), to.clone()));
            }
        }
    }
    edges
        .iter()
        .flat_map(|(folder, edges)| components(edges).into_iter().map(|c| (folder.join("/"), c)))
        .collect()
}

fn module(name: &str) -> Names {
    let path = name.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { vec![] } else { path.split('/').map(Into::into).collect() }
}

/// What a name stands for that modules re-export.
fn resolved(path: &Names, shown: &BTreeMap<Names, Names>, modules: &BTreeSet<Names>) -> Names {
    let mut path = path.clone();
    // A name may be handed on more than once.
    for _ in 0..4 {
        let front =
            (1..=path.len()).find(|&n| !modules.contains(&path[..n]) && shown.contains_key(&path[..n]));
        let Some(n) = front else { break };
        path = [&shown[&path[..n]], &path[n..]].concat();
    }
    path
}

/// The module that an item lies in.
fn module_of(mut path: Names, modules: &BTreeSet<Names>) -> Names {
    while !path.is_empty() && !modules.contains(&path) {
        path.pop();
    }
    path
}

/// The paths of this crate that a file names outside tests, and those that it re-exports.
fn names(own: &Names, tokens: &[Token], modules: &BTreeSet<Names>) -> (Vec<Names>, Vec<Names>) {
    let (mut uses, mut shows) = (vec![], vec![]);
    let text = |i: usize| tokens.get(i).map_or("", |token| token.text.as_str());
    let mut at = 0;
    while at < tokens.len() {
        let mut found = vec![];
        let is_shown = at > 0 && ["pub", ")"].contains(&text(at - 1));
        let start = at;
        if text(at) == "use" {
            at += 1;
            tree(tokens, &mut at, &[], &mut found);
        } else if text(at + 1) == "::" && (at == 0 || text(at - 1) != "::") {
            let mut path = vec![];
            while text(at + 1) == "::" {
                path.push(text(at).to_owned());
                at += 2;
            }
            path.push(text(at).to_owned());
            found.push(path);
        }
        at = at.max(start + 1);
        if tokens[start].in_test {
            continue;
        }
        let found =
            found.iter().filter_map(|path| absolute(own, path, modules)).filter(|path| !path.is_empty());
        if text(start) == "use" && is_shown { shows.extend(found) } else { uses.extend(found) }
    }
    (uses, shows)
}

/// The paths of a `use`, whose branches begin with `head`.
fn tree(tokens: &[Token], at: &mut usize, head: &[String], out: &mut Vec<Names>) {
    let mut path = head.to_vec();
    loop {
        match tokens[*at].text.as_str() {
            "::" => *at += 1,
            "as" => *at += 2,
            "{" => {
                while tokens[*at].text != "}" {
                    *at += 1;
                    tree(tokens, at, &path, out);
                }
                *at += 1;
                return;
            }
            "," | "}" | ";" => return out.push(path),
            word => {
                path.push(word.to_owned());
                *at += 1;
            }
        }
    }
}

/// A path from the root, if it is of this crate.
fn absolute(own: &Names, path: &[String], modules: &BTreeSet<Names>) -> Option<Names> {
    let path = path.strip_suffix(&["self".to_owned()][..]).unwrap_or(path);
    let supers = path.iter().take_while(|name| *name == "super").count();
    let (front, rest) = match path.first()?.as_str() {
        "crate" => (&own[..0], &path[1..]),
        "self" => (&own[..], &path[1..]),
        "super" => (&own[..own.len().checked_sub(supers)?], &path[supers..]),
        name => {
            let child = [own.clone(), vec![name.to_owned()]].concat();
            modules.contains(&child).then_some((&own[..], path))?
        }
    };
    Some([front, rest].concat())
}

/// The sets of modules each of which reaches every other.
fn components(edges: &BTreeSet<(String, String)>) -> BTreeSet<Vec<String>> {
    let reached = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            let further = edges.iter().filter(|(a, _)| a == at).map(|(_, b)| b);
            next.extend(further.filter(|b| seen.insert((*b).clone())));
        }
        seen
    };
    let all: BTreeMap<_, _> = edges.iter().map(|(from, _)| (from.clone(), reached(from))).collect();
    let circle = |from: &String| -> Vec<String> {
        all[from].iter().filter(|to| all.get(*to).is_some_and(|back| back.contains(from))).cloned().collect()
    };
    all.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
}
