//! Scripts that the code knows better: the types of methods and their parameters, `www/api/methods.d.ts`, and the colours
//! with which the tag draws maps that were made before, `www/tag/colours.js`.
//!
//! `PELLUCID_TYPES=write cargo test --test types` writes them anew.

use std::{fmt::Write, fs, path::PathBuf};

use pellucid::{
    attribution::{Kind, METHODS, Parameter, describe},
    render::ColourMap,
};

/// Holds a file to what it should be, or writes it.
fn hold(name: &str, wanted: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("PELLUCID_TYPES").is_some_and(|value| value == "write") {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "run PELLUCID_TYPES=write cargo test --test types, and commit {name}");
}

/// Steps of a colour map as the tag has it: between two of them it is all but straight.
const STEPS: u32 = 24;

/// The tag's colours.
fn colours() -> String {
    let mut text = String::from(
        "// Made from the colour maps of the engine by `PELLUCID_TYPES=write cargo test --test types`; do not edit.\n\n\
         /**\n * Colours at equal steps, from the low end to the high one.\n * @param {string} hex\n */\n\
         const stops = (hex) => (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))\n  \
         .reduce((all, _, i, bytes) => (i % 3 ? all : [...all, bytes.slice(i, i + 3)]), /** @type {number[][]} */ ([]));\n\n\
         /** @type {Record<string, number[][]>} */\nexport const COLOURS = {\n",
    );
    for map in ColourMap::ALL {
        let hex: String = (0..=STEPS)
            .flat_map(|i| map.at(f64::from(i) / f64::from(STEPS)))
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let _ = writeln!(text, "  '{}': stops('{hex}'),", map.id());
    }
    let both: Vec<String> =
        ColourMap::ALL.iter().filter(|map| map.diverging()).map(|map| format!("'{}'", map.id())).collect();
    let _ = write!(
        text,
        "}};\n\n/** Those whose middle is neutral, and whose ends stand for two signs. */\nexport const DIVERGING = new Set([{}]);\n",
        both.join(", ")
    );
    text
}

#[test]
fn the_colours_of_the_tag_are_those_of_the_engine() {
    hold("www/tag/colours.js", &colours());
    for map in ColourMap::ALL {
        for step in 0..STEPS {
            let at = |offset: f64| map.at((f64::from(step) + offset) / f64::from(STEPS)).map(f64::from);
            let (low, middle, high) = (at(0.0), at(0.5), at(1.0));
            let far = (0..3).map(|c| (middle[c] - (low[c] + high[c]) / 2.0).abs()).fold(0.0, f64::max);
            assert!(far < 16.0, "{} bends at step {step}: by {far}", map.id());
        }
    }
}

/// The types of the methods, from the registry.
fn generated() -> String {
    let mut text = String::from(
        "// Made from the registry of methods by `PELLUCID_TYPES=write cargo test --test types`; do not edit.\n\n\
         /** The parameters of each method; what is left out has its default. */\n\
         export interface MethodParameters {\n",
    );
    for about in METHODS.iter().map(|method| method.about()) {
        let _ = writeln!(text, "  /** {} */\n  '{}': {{", about.sentence, about.id);
        about.parameters.iter().for_each(|p| text += &member(p));
        text += "  };\n";
    }
    text + "}\n\n/** The id of a method. */\nexport type MethodId = keyof MethodParameters;\n"
}

/// A parameter with its type, range and default.
fn member(parameter: &Parameter) -> String {
    let quoted =
        |words: &[&str]| words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ");
    let (kind, about) = match parameter.kind {
        Kind::Integer { min, max, default } => {
            ("number".to_owned(), format!("A whole number, {min} to {max}; {default}"))
        }
        Kind::Number { min, max, default } => ("number".to_owned(), format!("{min} to {max}; {default}")),
        Kind::Boolean { default } => ("boolean".to_owned(), default.to_string()),
        Kind::Choice { options, default } => (quoted(options), default.to_owned()),
        Kind::Fill { default } => {
            ("'zero' | 'mean' | `blur:${number},${number}` | `#${string}`".to_owned(), default.to_owned())
        }
        Kind::Masker { default } => (
            "'inpaint-telea' | 'inpaint-ns' | 'zero' | 'mean' | `blur:${number},${number}` | `#${string}`"
                .to_owned(),
            default.to_owned(),
        ),
    };
    format!(
        "    /** {}. {about} by default. */\n    {}?: {kind};\n",
        parameter.help.trim_end_matches('.'),
        parameter.key
    )
}

#[test]
fn the_types_are_those_of_the_registry() {
    hold("www/api/methods.d.ts", &generated());
}

/// What callers are told of a method is what the registry says in JSON.
#[test]
fn a_method_has_the_members_that_its_type_names() {
    let types =
        fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www/api/facts.d.ts")).unwrap();
    let (_, body) = types.split_once("export interface Method {\n").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let members = body.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
    // The page's own, which the WebAssembly adds.
    let members: Vec<_> = members.filter(|name| *name != "display" && !name.starts_with('/')).collect();
    assert!(members.contains(&"map") && members.len() > 12, "{members:?}");
    for method in METHODS {
        let told = describe(*method);
        members.iter().for_each(|name| assert!(told.get(name).is_some(), "{}: {name}", method.about().id));
    }
}

#[test]
fn each_kind_of_parameter_has_its_type() {
    let text = generated();
    for expected in ["  'grad-cam': {\n", "?: boolean;\n", "?: number;\n", "?: 'quickshift' | 'slic'"] {
        assert!(text.contains(expected), "{expected}");
    }
    assert_eq!(
        text.matches("?: ").count(),
        METHODS.iter().map(|m| m.about().parameters.len()).sum::<usize>()
    );
    assert!(text.contains("blur:${number},${number}"), "{text}");
}
