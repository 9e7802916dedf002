//! The npm package: the API and the tag with the parts that they load, as they lie on a host, so that their addresses
//! mean the same.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::files::{each_file, make_folder_of};

/// The parts of the built page that the package has: paths in `dist` that begin and end so.
const FILES: [(&str, &str); 12] = [
    ("www/api/", ".js"),
    ("www/api/", ".d.ts"),
    ("www/tag/", ".js"),
    ("www/tag/", ".d.ts"),
    ("www/tag/", ".json"),
    ("www/worker/", ".js"),
    ("www/pkg/", ".wasm"),
    ("models/", ".onnx"),
    ("models/background/", ".jpg"),
    ("models/", "README.md"),
    ("models/LICENSE", ""),
    ("LICENSE", ""),
];

/// Writes the package into `dist/npm`, from the page that is built in `dist`.
pub fn write(dist: &Path) -> Result<()> {
    let package = dist.join("npm");
    each_file(dist, &mut |path| {
        let inside = path.strip_prefix(dist)?;
        let name = inside.to_string_lossy().replace('\\', "/");
        let is_part = FILES.iter().any(|(start, end)| name.starts_with(start) && name.ends_with(end));
        let is_compressed = name.ends_with(".br") || name.ends_with(".gz");
        if is_part && !is_compressed {
            let to = package.join(inside);
            make_folder_of(&to)?;
            fs::copy(path, &to).with_context(|| format!("copying {}", path.display()))?;
        }
        Ok(())
    })?;
    fs::write(package.join("package.json"), MANIFEST.replace("VERSION", env!("CARGO_PKG_VERSION")))?;
    fs::write(package.join("README.md"), README)?;
    Ok(())
}

/// `package.json`, whose order means something: types come before the scripts that they describe. Only what defines the
/// tag does something by being imported.
const MANIFEST: &str = r#"{
  "name": "pellucid",
  "version": "VERSION",
  "description": "See why an image classifier said what it said: attribution maps of ONNX models, in the browser",
  "license": "MIT OR Apache-2.0",
  "keywords": ["explainability", "attribution", "onnx", "grad-cam", "webgpu", "custom-element"],
  "type": "module",
  "exports": {
    ".": { "types": "./www/api/pellucid.d.ts", "default": "./www/api/pellucid.js" },
    "./explainer": { "types": "./www/tag/pellucid-explainer.d.ts", "default": "./www/tag/pellucid-explainer.js" },
    "./explainer.classic.js": "./www/tag/pellucid-explainer.classic.js",
    "./custom-elements.json": "./www/tag/custom-elements.json",
    "./package.json": "./package.json"
  },
  "types": "./www/api/pellucid.d.ts",
  "customElements": "./www/tag/custom-elements.json",
  "sideEffects": ["./www/tag/pellucid-explainer.js", "./www/tag/pellucid-explainer.classic.js", "./www/worker/worker.js"],
  "files": ["www", "models"]
}
"#;

/// The package's own front page.
const README: &str = "# Pellucid

See why an image classifier said what it said: attribution maps of ONNX models, computed in the page.
Nothing is uploaded. The package has all that it loads: the engine, an 8-bit EfficientNet-Lite0, and its types.

```js
import { Explainer } from 'pellucid';

const explainer = await Explainer.load();
const map = await explainer.explain(file, { method: 'grad-cam', target: 'tabby' });
await explainer.draw(map, {}, { canvas });
```

```html
<script type=\"module\">import 'pellucid/explainer';</script>
<pellucid-explainer src=\"cat.jpg\" method=\"grad-cam\" target=\"tabby\"></pellucid-explainer>
```

The parts are found by `new URL(..., import.meta.url)`, which Vite, webpack and the browser itself understand. Vite's
development server has to leave the package as it is: `optimizeDeps: { exclude: ['pellucid'] }`. Importing it on a server
does nothing. Without a bundler, import `node_modules/pellucid/www/api/pellucid.js` by its address.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_manifest_names_is_in_the_package() {
        assert!(serde_json::from_str::<serde_json::Value>(MANIFEST).is_ok());
        let parts: Vec<_> = MANIFEST.split('"').filter_map(|text| text.strip_prefix("./www/")).collect();
        assert!(parts.len() > 7, "{parts:?}");
        for part in parts {
            let is_packed = |(start, end): &(&str, &str)| {
                start.strip_prefix("www/").is_some_and(|start| part.starts_with(start)) && part.ends_with(end)
            };
            assert!(FILES.iter().any(is_packed), "{part}");
        }
    }
}
