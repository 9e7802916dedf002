//! The types of methods and their parameters, `www/api/methods.d.ts`, are generated from the registry.
//!
//! `PELLUCID_TYPES=write cargo test --test types` writes them anew.

use std::{fmt::Write, fs, path::PathBuf};

use pellucid::attribution::{Kind, METHODS, Parameter};

/// The file, from the registry.
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
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("www/api/methods.d.ts");
    let wanted = generated();
    if std::env::var_os("PELLUCID_TYPES").is_some_and(|value| value == "write") {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "run PELLUCID_TYPES=write cargo test --test types, and commit www/api/methods.d.ts"
    );
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
