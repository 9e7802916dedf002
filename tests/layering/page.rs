//! The rooms of the page's scripts, and which room may import which.

use std::fs;
use std::path::Path;

/// Each room of `www/`, and the rooms that it may import besides itself. Files at the root of `page/` are its leaves,
/// but app.js, which joins the rooms; `pkg` is what wasm-bindgen makes. Of the API others see pellucid.js alone, and of
/// the worker nothing; of `shared/` none but the API and the worker see the messages between the two. Both know the types
/// of what the engine says, `api/facts.d.ts`.
const ROOMS: &[(&str, &[&str])] = &[
    ("shared", &[]),
    ("shared/wire.d.ts", &["api/facts.d.ts"]),
    ("worker", &["shared", "shared/wire.d.ts", "pkg"]),
    ("offline", &["shared"]),
    ("api", &["shared", "shared/wire.d.ts", "api/pellucid.js", "api/facts.d.ts"]),
    ("api/facts.d.ts", &["api"]),
    ("api/pellucid.js", &["api"]),
    ("tag", &["api/pellucid.js"]),
    ("page", &["api/pellucid.js", "shared"]),
    ("page/state", &["page", "api/pellucid.js", "shared"]),
    ("page/flow", &["page", "page/state", "api/pellucid.js", "shared"]),
    ("page/view", &["page", "page/state", "api/pellucid.js", "shared"]),
    ("page/app.js", &["page", "page/state", "page/flow", "page/view", "shared"]),
];

/// What stands before the path of a module: imports, dynamic ones and those of types in comments.
const BEFORE_PATH: [&str; 4] = ["from '", "import '", "import('", "from \""];

#[test]
fn the_scripts_keep_to_their_rooms() {
    let www = Path::new(env!("CARGO_MANIFEST_DIR")).join("www");
    let mut scripts = vec![];
    for room in ["api", "page", "tag", "worker", "offline", "shared"] {
        collect(&www, &www.join(room), &mut scripts);
    }
    assert!(scripts.len() > 30, "the scripts were not found");
    let imports: usize = scripts.iter().map(|(_, source)| imports(source).len()).sum();
    assert!(imports > 100, "the imports were not found");
    let faults: Vec<_> = scripts.iter().flat_map(|(name, source)| check(name, source)).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn planted_faults_of_scripts_are_found() {
    let planted = [
        ("worker/pool.js", "import { h } from '../page/dom.js';", "worker imports page"),
        (
            "worker/pool.js",
            "/** @type {import('../page/state/types.js').State} */",
            "worker imports page/state",
        ),
        ("api/bridge.js", "import '../worker/worker.js';", "api imports worker"),
        ("api/explainer.js", "import { h } from '../page/dom.js';", "api imports page"),
        ("page/flow/draw.js", "import { Bridge } from '../../api/bridge.js';", "page/flow imports api"),
        ("tag/element.js", "import { codeOf } from '../shared/errors.js';", "tag imports shared"),
        (
            "page/flow/draw.js",
            "/** @import { Frame } from '../../shared/wire' */",
            "page/flow imports shared/wire.d.ts",
        ),
        (
            "page/flow/draw.js",
            "/** @import { Display } from '../../api/facts' */",
            "page/flow imports api/facts.d.ts",
        ),
        ("page/dom.js", "import { createStore } from './state/store.js';", "page imports page/state"),
        ("shared/timings.js", "const dom = import('../page/dom.js');", "shared imports page"),
        ("shared/timings.js", "import { createPool } from '../worker/pool.js';", "shared imports worker"),
        (
            "page/flow/draw.js",
            "import {\n  notify,\n} from '../view/notices.js';",
            "page/flow imports page/view",
        ),
        (
            "page/view/tiles.js",
            "import { createDrawFlow } from '../flow/draw.js';",
            "page/view imports page/flow",
        ),
        ("page/state/store.js", "export { h } from '../flow/draw.js';", "page/state imports page/flow"),
        ("page/app.js", "import '../worker/worker.js';", "page/app.js imports worker"),
        ("page/cosy/sofa.js", "", "no room is named page/cosy"),
        ("page/view/tiles.js", "import { html } from 'lit';", "lit is not in www/"),
    ];
    for (name, source, fault) in planted {
        let found = check(name, source);
        assert_eq!(found.len(), 1, "{name}: {source}\n{found:?}");
        assert!(found[0].starts_with(&format!("www/{name}: ")) && found[0].contains(fault), "{}", found[0]);
    }
}

#[test]
fn honest_scripts_pass() {
    let honest = [
        ("page/view/tiles.js", "import { h } from '../dom.js';\nimport { number } from './sheet.js';"),
        ("page/view/tiles.js", "import { clock } from '../../shared/timings.js';"),
        ("page/app.js", "import { createEngine } from './engine.js';\nimport { $ } from './dom.js';"),
        ("page/engine.js", "import { Explainer } from '../api/pellucid.js';"),
        ("page/view/header.js", "/** @import { Backend } from '../../api/pellucid' */"),
        ("api/bridge.js", "/** @import { ToWorker } from '../shared/wire' */"),
        ("page/urls.js", "new URL('../worker/worker.js', import.meta.url);"),
        ("worker/worker.js", "const glue = import('../pkg/pellucid.js');"),
    ];
    for (name, source) in honest {
        assert_eq!(check(name, source), Vec::<String>::new(), "{name}");
    }
}

/// The faults of one script, whose name is its path under `www/`.
fn check(name: &str, source: &str) -> Vec<String> {
    let own = room_of(name);
    let Some((_, allowed)) = ROOMS.iter().find(|(room, _)| *room == own) else {
        return vec![format!("www/{name}: no room is named {own}: add it to tests/layering/page.rs")];
    };
    let mut faults = vec![];
    for path in imports(source) {
        match resolved(name, path).as_deref().map(room_of) {
            None => faults.push(format!("www/{name}: {path} is not in www/")),
            Some(room) if room != own && !allowed.contains(&room) => {
                faults.push(format!("www/{name}: {own} imports {room} ({path})"));
            }
            Some(_) => {}
        }
    }
    faults
}

/// Rooms of one file: what joins the rooms of the page, what others see of the API, what the engine says, and the
/// messages to the worker.
const FILES: [&str; 4] = ["page/app.js", "api/pellucid.js", "api/facts.d.ts", "shared/wire.d.ts"];

/// The folder of a script, but of some the script itself.
fn room_of(name: &str) -> &str {
    let typed = |file: &&&str| file.split('.').next() == Some(name);
    match FILES.iter().find(|file| **file == name).or_else(|| FILES.iter().find(typed)) {
        Some(file) => file,
        None => name.rsplit_once('/').map_or("", |(folder, _)| folder),
    }
}

/// The paths that a script imports, as they are written.
fn imports(source: &str) -> Vec<&str> {
    let mut found = vec![];
    for before in BEFORE_PATH {
        for (start, _) in source.match_indices(before) {
            let rest = &source[start + before.len()..];
            found.extend(rest.split(['\'', '"']).next());
        }
    }
    found
}

/// A relative path as one under `www/`.
fn resolved(name: &str, path: &str) -> Option<String> {
    if !path.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The scripts and declarations in a folder, with their paths under `www`.
fn collect(www: &Path, folder: &Path, scripts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(www, &path, scripts);
        } else if path.extension().is_some_and(|ext| ext == "js" || ext == "ts") {
            let name = path.strip_prefix(www).unwrap().to_string_lossy().replace('\\', "/");
            scripts.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}
