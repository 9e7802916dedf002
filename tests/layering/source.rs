//! Rust sources as words and signs, and the paths that they name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Paths under src/, with slashes, and what is in the files.
pub type Sources = BTreeMap<String, String>;

/// A word, sign or literal of a source; comments are left out.
pub struct Token {
    pub text: String,
    pub line: usize,
    pub in_test: bool,
}

/// True if the last statement that begins before a token is a `use`.
pub fn is_in_use(tokens: &[Token], at: usize) -> bool {
    let before = tokens[..at].iter().rposition(|token| matches!(token.text.as_str(), ";" | "use"));
    before.is_some_and(|start| tokens[start].text == "use")
}

/// The first names after `crate::`, and after as many `super::` as lead to the root.
pub fn paths_from_root<'a>(name: &str, tokens: &'a [Token]) -> Vec<(&'a str, usize)> {
    let depth = name.trim_end_matches("/mod.rs").split('/').count();
    let text = |i: usize| tokens.get(i).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    for i in 0..tokens.len() {
        let mut next = i;
        if text(i) == "crate" && text(i + 1) == "::" {
            next += 2;
        } else if text(i) == "super" && (i < 2 || text(i - 2) != "super") {
            while text(next) == "super" && text(next + 1) == "::" {
                next += 2;
            }
            if (next - i) / 2 < depth {
                continue;
            }
        } else {
            continue;
        }
        if text(next) == "{" {
            found.extend(group_heads(&tokens[next..]).map(|token| (token.text.as_str(), token.line)));
        } else if next < tokens.len() {
            found.push((text(next), tokens[next].line));
        }
    }
    found
}

/// The first word of each branch of a `use` group, which starts at `tokens[0]`.
pub fn group_heads(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    let mut depth = 0;
    let mut is_head = false;
    let mut heads = Vec::new();
    for token in tokens {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if is_head && depth == 1 => heads.push(token),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        is_head = depth == 1 && matches!(token.text.as_str(), "{" | ",");
    }
    heads.into_iter()
}

/// The words and signs of a file.
pub fn tokens(name: &str, source: &str, in_test: bool) -> Vec<Token> {
    let stream: TokenStream = source.parse().unwrap_or_else(|error| panic!("src/{name}: {error}"));
    let mut tokens = Vec::new();
    flatten(stream, in_test, &mut tokens);
    tokens
}

fn flatten(stream: TokenStream, in_test: bool, out: &mut Vec<Token>) {
    // From `#[cfg(test)]` to the end of the item that it stands before.
    let mut in_test_item = false;
    let mut is_after_hash = false;
    for tree in stream {
        let in_test = in_test || in_test_item;
        let line = tree.span().start().line;
        let token = |text: String| Token { text, line, in_test };
        let was_after_hash = std::mem::take(&mut is_after_hash);
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let is_cfg_test =
                    was_after_hash && group.stream().to_string().replace(' ', "") == "cfg(test)";
                out.push(token(open.to_owned()));
                flatten(group.stream(), in_test, out);
                let line = group.span_close().start().line;
                out.push(Token { text: close.to_owned(), line, in_test });
                in_test_item = is_cfg_test || (in_test_item && group.delimiter() != Delimiter::Brace);
            }
            TokenTree::Punct(punct) => {
                let sign = punct.as_char();
                let ends_path = matches!(out.last(), Some(last) if last.text == ":" && last.line == line);
                if sign == ':' && punct.spacing() == Spacing::Alone && ends_path {
                    out.pop();
                    out.push(token("::".to_owned()));
                } else {
                    out.push(token(sign.to_string()));
                }
                is_after_hash = sign == '#';
                in_test_item &= sign != ';';
            }
            TokenTree::Ident(ident) => out.push(token(ident.to_string())),
            TokenTree::Literal(literal) => out.push(token(literal.to_string())),
        }
    }
}

/// Every source in a folder and those below.
pub fn sources(src: &Path) -> Sources {
    let mut sources = Sources::new();
    let mut folders = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let name = path.strip_prefix(src).unwrap().to_string_lossy().replace('\\', "/");
                sources.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}
