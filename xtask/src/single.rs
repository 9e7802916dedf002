//! The page as one HTML file, which opens without a server: its template, which the build makes from the finished page,
//! and the parts that fill it: engine, model, pictures. The page fills the same template when a reader saves it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::compress::gzip;
use crate::headers::policy;
use crate::serve::content_type;

/// The place of the parts in a template: the last of these, since the script of the page has the word too.
const PARTS: &str = "<template id=\"parts\"></template>";
/// The part of the page that a reader's own file would name; the page looks for none of it.
const NOWHERE: &str = "\"https://pellucid.invalid/www/page/app.js\"";
/// The model that ships.
const MODEL: &str = "models/efficientnet-lite0-int8.onnx";
/// The fields of a file that has a scale alone.
const OWN_FIELDS: [&str; 3] = ["mean", "std", "head"];
/// The template that the build leaves, in `dist`.
pub const TEMPLATE: &str = "www/single.html";

/// The page in `dist` with its scripts and styles inside, and a place for the parts.
pub fn template(dist: &Path) -> Result<String> {
    let read = |path: &str| fs::read_to_string(dist.join(path)).with_context(|| format!("reading {path}"));
    let index = read("index.html")?;
    let style = read("www/style.css")?;
    let theme = read("www/page/theme.js")?;
    // The addresses of parts are never used, but where the file lies must not make them fail.
    let app = read("www/page/app.js")?.replace("import.meta.url", NOWHERE);
    for script in [&theme, &app] {
        ensure!(
            !script.contains("</script") && !script.contains("<!--"),
            "a script would end its own element"
        );
    }
    let picture = |path: &str| -> Result<String> {
        let bytes = fs::read(dist.join(path)).with_context(|| format!("reading {path}"))?;
        Ok(format!("data:{};base64,{}", content_type(Path::new(path)), BASE64.encode(bytes)))
    };
    let worker =
        Part::new("worker", "worker.js", "text/javascript", read("www/worker/worker.js")?.into_bytes())
            .packed()?;
    let mut page = index.clone();
    for (of_host, inside) in [
        (policy(&index)?, single_policy(&style, &[&theme, &app])),
        ("<html lang=\"en\">", "<html lang=\"en\" data-single>".into()),
        ("  <link rel=\"manifest\" href=\"manifest.webmanifest\">\n", String::new()),
        ("  <link rel=\"apple-touch-icon\" href=\"www/icons/192.png\">\n", String::new()),
        ("  <link rel=\"preload\" href=\"www/worker/worker.js\" as=\"fetch\" crossorigin>\n", String::new()),
        ("www/icon.svg", picture("www/icon.svg")?),
        ("<link rel=\"stylesheet\" href=\"www/style.css\">", format!("<style>{style}</style>")),
        ("<script src=\"www/page/theme.js\"></script>", format!("<script>{theme}</script>")),
        (
            "<script type=\"module\" src=\"www/page/app.js\"></script>",
            format!("<script type=\"module\">{app}</script>"),
        ),
        ("www/hero/photo.webp", picture("www/hero/photo.webp")?),
        ("www/hero/map.webp", picture("www/hero/map.webp")?),
        ("class=\"brand\" href=\"./\"", "class=\"brand\" href=\"\"".into()),
        ("</body>", format!("{}\n{PARTS}\n</body>", worker.element())),
    ] {
        ensure!(page.matches(of_host).count() == 1, "index.html does not have {of_host} once");
        page = page.replacen(of_host, &inside, 1);
    }
    Ok(page)
}

/// The policy of a single file: its own scripts and style, by their hashes, and no connection to anywhere.
fn single_policy(style: &str, scripts: &[&str]) -> String {
    let hash = |text: &&str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)));
    let scripts: Vec<String> = scripts.iter().map(hash).collect();
    format!(
        "default-src 'none'; script-src {} 'wasm-unsafe-eval'; worker-src blob:; connect-src 'none'; \
         img-src blob: data:; style-src {}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types pellucid",
        scripts.join(" "),
        hash(&style)
    )
}

/// The contents of a single file besides the page.
#[derive(Default)]
pub struct Contents {
    pub model: Option<PathBuf>,
    pub labels: Option<PathBuf>,
    /// JSON with `mean`, `std` and `head`, or a configuration of transformers or timm.
    pub preprocessing: Option<PathBuf>,
    pub pictures: Vec<PathBuf>,
}

/// Fills the template in `dist`.
pub fn fill(dist: &Path, contents: &Contents) -> Result<String> {
    let template = fs::read_to_string(dist.join(TEMPLATE)).with_context(|| format!("reading {TEMPLATE}"))?;
    let mut parts = vec![
        Part::new("template", "single.html", "text/html", template.clone().into_bytes()).packed()?,
        Part::read("engine", &dist.join("www/pkg/pellucid_bg.wasm"))?.packed()?,
        Part::read("model", contents.model.as_deref().unwrap_or(&dist.join(MODEL)))?.packed()?,
        Part::new("opening", "opening.json", "application/json", opening(contents)?.to_string().into_bytes()),
    ];
    if let Some(labels) = &contents.labels {
        parts.push(Part::read("labels", labels)?.packed()?);
    }
    for photograph in sorted(&dist.join("models/background"), "jpg")? {
        parts.push(Part::read("background", &photograph)?);
    }
    // Without pictures of one's own there are the samples.
    let samples =
        if contents.pictures.is_empty() { sorted(&dist.join("www/samples"), "jpg")? } else { vec![] };
    for picture in contents.pictures.iter().chain(&samples) {
        parts.push(Part::read("picture", picture)?);
    }
    let parts: Vec<String> = parts.iter().map(Part::element).collect();
    let (before, after) = template.rsplit_once(PARTS).context("the template has no place for its parts")?;
    Ok(format!("{before}{}{after}", parts.join("\n")))
}

/// How the model is opened, as the page reads it: its name where it is not the one that ships, its scaling and its head.
fn opening(contents: &Contents) -> Result<Value> {
    let name = contents
        .model
        .as_ref()
        .and_then(|model| model.file_stem())
        .map(|name| name.to_string_lossy().into_owned());
    let Some(path) = &contents.preprocessing else {
        return Ok(json!({ "name": name }));
    };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let given: Value =
        serde_json::from_str(&text).with_context(|| format!("reading {} as JSON", path.display()))?;
    let fields = given.as_object().with_context(|| format!("{} is no object", path.display()))?;
    // The engine reads the files of transformers and timm, which say more than a scale.
    if fields.keys().any(|key| !OWN_FIELDS.contains(&key.as_str())) {
        return Ok(json!({ "name": name, "preprocessing": { "config": text } }));
    }
    let three = |key: &str| -> Result<Option<Vec<f64>>> {
        let Some(value) = fields.get(key) else { return Ok(None) };
        let three: Option<Vec<f64>> =
            value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        match three {
            Some(three) if three.len() == 3 => Ok(Some(three)),
            _ => bail!("{}: {key} should be three numbers, for red, green and blue", path.display()),
        }
    };
    let (mean, std) = (three("mean")?, three("std")?);
    let head = given.get("head").and_then(Value::as_str);
    let known = mean.is_some() || std.is_some() || head.is_some();
    ensure!(known, "{} has none of {}", path.display(), OWN_FIELDS.join(", "));
    Ok(json!({ "name": name, "preprocessing": { "mean": mean, "std": std }, "head": head }))
}

/// The files in a folder with this ending, by name.
fn sorted(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == ending));
    files.sort();
    Ok(files)
}

/// A file inside the file.
struct Part {
    /// Its role in the page.
    name: &'static str,
    file: String,
    kind: String,
    bytes: Vec<u8>,
    is_packed: bool,
}

impl Part {
    fn new(name: &'static str, file: &str, kind: &str, bytes: Vec<u8>) -> Self {
        Self { name, file: file.into(), kind: kind.into(), bytes, is_packed: false }
    }

    fn read(name: &'static str, path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::new(name, &file, content_type(path), bytes))
    }

    /// Compressed, for what a browser does not read compressed anyway.
    fn packed(self) -> Result<Self> {
        Ok(Self { bytes: gzip(&self.bytes)?, is_packed: true, ..self })
    }

    /// An element that no browser runs or shows.
    fn element(&self) -> String {
        format!(
            "<script type=\"text/plain\" data-part=\"{}\" data-file=\"{}\" data-type=\"{}\" data-size=\"{}\"{}>{}</script>",
            self.name,
            escaped(&self.file),
            escaped(&self.kind),
            self.bytes.len(),
            if self.is_packed { " data-packed" } else { "" },
            base85(&self.bytes)
        )
    }
}

/// Text as the value of an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// Bytes as text, as www/page/base85.js describes it.
fn base85(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(4) * 5);
    for group in bytes.chunks(4) {
        let mut four = [0; 4];
        four[..group.len()].copy_from_slice(group);
        let value = u32::from_be_bytes(four);
        for power in [85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1] {
            // Less than 85, so it fits.
            let letter = char::from(40 + (value / power % 85) as u8);
            text.push(if letter == '<' { '}' } else { letter });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same vector is in tests/browser/single.test.mjs.
    #[test]
    fn letters_are_those_that_the_page_reads() {
        for (bytes, text) in [
            (&[][..], ""),
            (&[0, 0, 0, 20], "((((}"),
            (&[255, 255, 255, 255], "z?^4("),
            (&[1], "(CC1)"),
            (b"pellucid", "L2Uq,Mev3y"),
        ] {
            assert_eq!(base85(bytes), text);
        }
        let all: Vec<u8> = (0..=255).collect();
        assert!(base85(&all).chars().all(|c| (40..=125).contains(&(c as u32)) && c != '<'));
    }

    #[test]
    fn names_of_files_cannot_leave_their_attribute() {
        let part = Part::new("picture", "a\"><script>&.png", "image/png", vec![0; 4]);
        let element = part.element();
        assert!(element.contains("data-file=\"a&quot;>&lt;script>&amp;.png\""), "{element}");
        assert_eq!(element.matches("<script").count(), 1);
    }

    #[test]
    fn scaling_is_read_from_either_kind_of_file() -> Result<()> {
        let path = std::env::temp_dir().join(format!("pellucid-scaling-{}.json", std::process::id()));
        let read = |text: &str| {
            fs::write(&path, text)?;
            opening(&Contents { preprocessing: Some(path.clone()), ..Contents::default() })
        };
        let own = read("{\"mean\": [1, 2, 3], \"head\": \"sigmoid\"}")?;
        assert_eq!(own["preprocessing"]["mean"], json!([1.0, 2.0, 3.0]));
        assert_eq!(own["head"], "sigmoid");
        // On the scale 0..1, as the engine knows.
        let other = "{\"image_mean\": [0.5, 0.5, 0.5], \"image_std\": [0.5, 0.5, 0.5], \"size\": 224}";
        assert_eq!(read(other)?["preprocessing"], json!({ "config": other }));
        for wrong in ["{}", "[", "{\"mean\": 3}", "{\"std\": [1, 2]}", "{\"std\": [1, 2, \"3\"]}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        Ok(fs::remove_file(path)?)
    }
}
