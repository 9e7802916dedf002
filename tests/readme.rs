//! The parts of README.md that the code knows better: methods, operators and limits are generated from it. And every
//! operator that is read has its row in `docs/gradients.md`.
//!
//! `PELLUCID_README=write cargo test --test readme` writes them anew.

use std::{fmt::Write, fs, path::PathBuf};

use pellucid::{
    attribution::{Kind, METHODS, Method},
    limits, ops,
};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A sum of passes in words, its parameters with their defaults.
fn passes(sum: &str, what: &str, method: &dyn Method) -> Option<String> {
    let term = |term: &str| match method.about().parameters.iter().find(|p| p.key == term).map(|p| p.kind) {
        Some(Kind::Integer { default, .. }) if default > 0 => format!("`{term}` ({default})"),
        _ if term.starts_with(|c: char| c.is_ascii_digit()) => term.to_owned(),
        _ => format!("`{term}`"),
    };
    let terms: Vec<String> = sum.split(" + ").map(term).collect();
    let plural = if sum == "1" {
        ""
    } else if what.ends_with('s') {
        "es"
    } else {
        "s"
    };
    (!sum.is_empty()).then(|| format!("{} {what}{plural}", terms.join(" + ")))
}

fn methods() -> String {
    let mut table = String::from("| method | id | paper | cost for one class |\n|---|---|---|---|\n");
    for method in METHODS {
        let about = method.about();
        let (paper, cost) = (about.paper, about.cost);
        let names: Vec<&str> = paper.authors.split(", ").collect();
        let authors =
            if let [first, _, _, ..] = names[..] { format!("{first} et al.") } else { names.join(" and ") };
        let costs =
            [passes(cost.forward, "forward pass", *method), passes(cost.gradient, "gradient", *method)];
        let costs: Vec<String> = costs.into_iter().flatten().collect();
        let _ = writeln!(
            table,
            "| {} | `{}` | [{} {}]({}) | {} |",
            about.label,
            about.id,
            authors,
            paper.year,
            paper.url,
            costs.join(", ")
        );
    }
    table
}

/// Names in lines of at most 120 characters, as the other paragraphs.
fn operators(domain: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    let names: Vec<String> = ops::supported(domain).map(|name| format!("`{name}`")).collect();
    for (i, name) in names.iter().enumerate() {
        let end = if i + 1 == names.len() { "." } else { "," };
        let needed = name.len() + end.len() + 1;
        if width + needed > 119 {
            text.push('\n');
            width = 0;
        } else if i > 0 {
            text.push(' ');
        }
        width += needed;
        text += name;
        text += end;
    }
    text + "\n"
}

/// A number with its thousands apart.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let group = |(i, c): (usize, char)| {
        let comma = (i > 0 && (digits.len() - i).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([c])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

fn bounds() -> String {
    format!(
        "- Pictures up to {} megapixels and {} pixels a side; models up to {} MiB ({} in the page) and {} nodes.\n",
        limits::IMAGE_PIXELS / 1_000_000,
        grouped(limits::IMAGE_SIDE),
        grouped(limits::MODEL_BYTES >> 20),
        limits::PAGE_MODEL_BYTES >> 20,
        grouped(limits::MODEL_NODES)
    )
}

/// `text` with what stands between the markers of `name` replaced.
fn replaced(text: &str, name: &str, with: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&start).unwrap_or_else(|| panic!("README.md has no {start:?}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("README.md has no {end:?}"));
    format!("{before}{start}{with}{end}{after}")
}

#[test]
fn readme_says_what_the_code_knows() {
    let path = file("README.md");
    let written = fs::read_to_string(&path).unwrap();
    let blocks = [
        ("methods", methods()),
        ("operators", operators("")),
        ("onnxruntime", operators("com.microsoft")),
        ("limits", bounds()),
    ];
    let right = blocks.iter().fold(written.clone(), |text, (name, with)| replaced(&text, name, with));
    if std::env::var_os("PELLUCID_README").is_some() {
        return fs::write(&path, right).unwrap();
    }
    let present: Vec<&str> = written.lines().collect();
    let wrong: Vec<&str> = right.lines().filter(|line| !present.contains(line)).collect();
    assert!(
        right == written,
        "README.md is not what the code says; run `PELLUCID_README=write cargo test --test readme`. It should have:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_operator_has_its_gradient_documented() {
    let text = fs::read_to_string(file("docs/gradients.md")).unwrap();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let of_values = ops::entries().filter(|entry| !entry.is_of_constants_only()).map(|entry| entry.operator);
    let missing: Vec<&str> = of_values.filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "docs/gradients.md does not mention {missing:?}");
}

#[test]
fn documents_link_to_files_that_exist() {
    let mut broken = vec![];
    let docs = ["docs", "docs/decisions"].map(|folder| fs::read_dir(file(folder)).unwrap());
    let names =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "tests/README.md"].map(file);
    let all = docs.into_iter().flatten().map(|entry| entry.unwrap().path()).chain(names);
    for path in all.filter(|p| p.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(&path).unwrap();
        // What stands in fences is an example of somebody else's file.
        let prose: String = text.split("```").step_by(2).collect();
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let is_local = !target.is_empty() && !target.contains("://");
            if is_local && !path.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The example site that each section of docs/embedding.md is about, and the files that its blocks are of, in order.
const SITES: &[(&str, &str, &[&str])] = &[
    ("mdBook", "mdbook", &["theme/head.hbs", "src/guide/cat.md"]),
    ("MkDocs", "mkdocs", &["mkdocs.yml", "docs/index.md"]),
    ("Sphinx", "sphinx", &["conf.py", "index.rst"]),
    (
        "VitePress",
        "vitepress",
        &["docs/.vitepress/theme/index.js", "docs/.vitepress/config.js", "docs/index.md"],
    ),
    ("Docusaurus", "docusaurus", &["docusaurus.config.js"]),
    ("Jupyter", "jupyter", &["explanation.ipynb", "explanation.ipynb"]),
];

/// The lines of a site's file; of a notebook those of its cells.
fn lines_of(site: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(file(&format!("examples/sites/{site}/{name}"))).unwrap();
    let text = match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(notebook) => {
            let cells = notebook["cells"].as_array().unwrap().iter();
            let lines = cells.flat_map(|cell| cell["source"].as_array().unwrap());
            lines.map(|line| line.as_str().unwrap().trim_end().to_owned() + "\n").collect()
        }
        Err(_) => text,
    };
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// What docs/embedding.md tells to write is what the example sites have, which the browser's tests open.
#[test]
fn embedding_tells_what_the_sites_have() {
    let text = fs::read_to_string(file("docs/embedding.md")).unwrap();
    for (heading, site, files) in SITES {
        let section = text.split("\n## ").find(|part| part.starts_with(&format!("{heading}\n"))).unwrap();
        let blocks: Vec<_> = section.split("```").skip(1).step_by(2).collect();
        assert_eq!(blocks.len(), files.len(), "{heading}");
        for (block, name) in blocks.iter().zip(*files) {
            let own = lines_of(site, name);
            for line in block.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()) {
                assert!(own.iter().any(|l| l == line), "examples/sites/{site}/{name} has no line {line:?}");
            }
        }
    }
    let script = r#"<script type="module" src="pellucid/www/tag/pellucid-explainer.js"></script>"#;
    assert!(lines_of("plain", "index.html").iter().any(|line| line == script));
    assert!(text.contains(&script.replace("pellucid/www/tag/pellucid-explainer.js", "TAG")));
}
