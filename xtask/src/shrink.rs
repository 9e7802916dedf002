//! Scripts as short as they go: names, whitespace and dead code, by oxc's minifier.

use anyhow::{Result, ensure};
use oxc_allocator::Allocator;
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_minifier::{CompressOptions, MangleOptions, Minifier, MinifierOptions};
use oxc_parser::Parser;
use oxc_span::SourceType;

/// Shortens a module or, where `module` is false, a plain script that does the same.
///
/// # Errors
/// When it is no JavaScript.
pub fn shrink(source: &str, module: bool) -> Result<String> {
    let allocator = Allocator::default();
    let kind = if module { SourceType::mjs() } else { SourceType::script() };
    let parsed = Parser::new(&allocator, source, kind).parse();
    ensure!(parsed.diagnostics.is_empty(), "this script cannot be read: {:?}", parsed.diagnostics);
    let mut program = parsed.program;
    let options = MinifierOptions {
        mangle: Some(MangleOptions::default()),
        compress: Some(CompressOptions::smallest()),
        mangle_properties: None,
    };
    let minified = Minifier::new(options).minify(&allocator, &mut program);
    let options = CodegenOptions::minify();
    let printed = Codegen::new()
        .with_options(options)
        .with_scoping(minified.scoping)
        .with_private_member_mappings(minified.class_private_mappings)
        .build(&program);
    Ok(printed.code)
}

/// A style sheet in the plain style of `www/` without its comments and the blanks that mean nothing: not those around
/// `+` and `-`, nor those between selectors, nor any in a text.
pub fn shrink_style(source: &str) -> String {
    let source = uncommented(source);
    let mut short = String::with_capacity(source.len());
    let mut quoted = false;
    let mut blank = false;
    for c in source.chars() {
        if !quoted && c.is_whitespace() {
            blank = true;
            continue;
        }
        let before = short.chars().next_back();
        let glues = |c: Option<char>| c.is_none_or(|c| "{};,".contains(c));
        // `a :hover` is not `a:hover`, but a blank after a colon never means anything.
        if blank && !glues(before) && !glues(Some(c)) && before != Some(':') {
            short.push(' ');
        }
        if c == '}' && before == Some(';') {
            short.pop();
        }
        blank = false;
        quoted ^= c == '"';
        short.push(c);
    }
    short
}

/// The style sheet without comments that begin their line.
fn uncommented(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut in_comment = false;
    for line in source.lines() {
        let mut line = line;
        if in_comment || line.trim_start().starts_with("/*") {
            in_comment = !line.contains("*/");
            line = line.split_once("*/").map_or("", |(_, rest)| rest);
        }
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_keep_what_blanks_mean() {
        let style = "/* All\n   this. */\na :hover, b > c {\n  width: calc(1px + 2px);\n  content: \"a  ; b\";\n}\n@media (x: 1px) and (y) { d { e: f g; } }\n";
        let short =
            "a :hover,b > c{width:calc(1px + 2px);content:\"a  ; b\"}@media (x:1px) and (y){d{e:f g}}";
        assert_eq!(shrink_style(style), short);
    }

    #[test]
    fn names_and_comments_go_and_exports_stay() -> Result<()> {
        let source =
            "// Twice.\nexport function twice(number) {\n  const result = number * 2;\n  return result;\n}\n";
        let shrunk = shrink(source, true)?;
        assert!(shrunk.contains("twice") && shrunk.len() < source.len() / 2, "{shrunk}");
        assert!(!shrunk.contains("number"), "{shrunk}");
        Ok(())
    }

    #[test]
    fn private_members_get_short_names_and_texts_keep_theirs() -> Result<()> {
        let source = "export class Counter {\n  #number = 0;\n  next() { return (this.#number += 1) + '#number'; }\n}\n";
        let shrunk = shrink(source, true)?;
        assert_eq!(shrunk.matches("#number").count(), 1, "{shrunk}");
        assert!(shrunk.contains("Counter") && shrunk.contains("next()"), "{shrunk}");
        Ok(())
    }

    #[test]
    fn a_plain_script_keeps_its_globals() -> Result<()> {
        assert!(shrink("function shared() { return 1; }", false)?.contains("shared"));
        Ok(())
    }

    #[test]
    fn what_is_no_script_is_refused() {
        assert!(shrink("const = ;", true).is_err());
    }
}
