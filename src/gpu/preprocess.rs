//! Turns a kernel's .wgsl file into one variant of it: a few directives, each on a line of its own.
//!
//! | directive | meaning |
//! |---|---|
//! | `#include NAME` | the snippet of that name |
//! | `#for i in A..B` ... `#end` | the lines between, once for each `i` |
//! | `#if E` ... `#else` ... `#end` | the lines between, when `E` is not zero |
//! | `${E}` | the value of an integer expression, anywhere in a line |
//!
//! Expressions know integers, names, lists (`LIST[E]`), `+ - * / %`, comparisons, `!`, `&&`, `||` and
//! parentheses. Names are the variant's constants and the loop variables. That is all: what a kernel does
//! should be readable from its file.

use std::{collections::HashMap, fmt::Write as _, iter::Peekable, str::Chars};

use crate::error::{Error, GpuFault, Result};

/// A constant of a variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A number.
    Int(i64),
    /// Numbers, to be indexed.
    List(Vec<i64>),
}

impl From<usize> for Value {
    fn from(v: usize) -> Self {
        Self::Int(i64::try_from(v).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Int(v.into())
    }
}

impl From<Vec<i64>> for Value {
    fn from(v: Vec<i64>) -> Self {
        Self::List(v)
    }
}

/// The constants that make one variant of a kernel.
pub type Variant = Vec<(&'static str, Value)>;

fn fail(what: &str, line: &str) -> Error {
    Error::gpu(GpuFault::Validation, format!("a kernel cannot be expanded: {what} in {line:?}"))
}

/// Expands `source` for a variant; `snippets` are what `#include` finds.
pub fn expand(source: &str, variant: &Variant, snippets: &[(&str, &str)]) -> Result<String> {
    let mut names: HashMap<&str, Value> = variant.iter().map(|(n, v)| (*n, v.clone())).collect();
    let mut text = String::with_capacity(2 * source.len());
    let lines: Vec<&str> = source.lines().collect();
    block(&lines, &mut names, snippets, &mut text)?;
    Ok(text)
}

fn block<'a>(
    lines: &[&'a str],
    names: &mut HashMap<&'a str, Value>,
    snippets: &[(&str, &'a str)],
    out: &mut String,
) -> Result<()> {
    let mut i = 0;
    while i < lines.len() {
        let line = lines[i];
        let directive = line.trim_start();
        if let Some(name) = directive.strip_prefix("#include ") {
            let found = snippets.iter().find(|(n, _)| *n == name.trim());
            let inner: Vec<&str> = found.ok_or_else(|| fail("an unknown snippet", line))?.1.lines().collect();
            block(&inner, names, snippets, out)?;
        } else if let Some(condition) = directive.strip_prefix("#if ") {
            let (middle, end) = extent(lines, i)?;
            let (then, other) =
                (&lines[i + 1..middle.unwrap_or(end)], &lines[middle.map_or(end, |m| m + 1)..end]);
            let chosen = if evaluate(condition, names)? != 0 { then } else { other };
            block(chosen, names, snippets, out)?;
            i = end;
        } else if let Some(header) = directive.strip_prefix("#for ") {
            let (_, end) = extent(lines, i)?;
            let parts =
                header.split_once(" in ").and_then(|(v, r)| r.split_once("..").map(|(a, b)| (v, a, b)));
            let (variable, from, to) = parts.ok_or_else(|| fail("a malformed loop", line))?;
            let (from, to) = (evaluate(from, names)?, evaluate(to, names)?);
            let shadowed = names.remove(variable.trim());
            for value in from..to {
                names.insert(variable.trim(), Value::Int(value));
                block(&lines[i + 1..end], names, snippets, out)?;
            }
            names.remove(variable.trim());
            names.extend(shadowed.map(|v| (variable.trim(), v)));
            i = end;
        } else {
            substitute(line, names, out)?;
        }
        i += 1;
    }
    Ok(())
}

/// Lines of the `#else`, if there is one, and the `#end` of the block that line `start` opens.
fn extent(lines: &[&str], start: usize) -> Result<(Option<usize>, usize)> {
    let (mut depth, mut middle) = (0, None);
    for (i, line) in lines.iter().enumerate().skip(start) {
        let word = line.trim();
        if word.starts_with("#if ") || word.starts_with("#for ") {
            depth += 1;
        } else if word == "#else" && depth == 1 {
            middle = Some(i);
        } else if word == "#end" {
            depth -= 1;
            if depth == 0 {
                return Ok((middle, i));
            }
        }
    }
    Err(fail("a block without its #end", lines[start]))
}

fn substitute(line: &str, names: &HashMap<&str, Value>, out: &mut String) -> Result<()> {
    let mut rest = line;
    while let Some(at) = rest.find("${") {
        let close = rest[at..].find('}').ok_or_else(|| fail("an unclosed ${", line))? + at;
        out.push_str(&rest[..at]);
        let _ = write!(out, "{}", evaluate(&rest[at + 2..close], names)?);
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out.push('\n');
    Ok(())
}

fn evaluate(text: &str, names: &HashMap<&str, Value>) -> Result<i64> {
    let mut parser = Parser { rest: text.chars().peekable(), names, text };
    let value = parser.expression(0)?;
    parser.space();
    if parser.rest.peek().is_some() { Err(fail("something after the expression", text)) } else { Ok(value) }
}

/// Operators by rising strength; those of two characters before their prefixes.
const LEVELS: &[&[&str]] =
    &[&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    names: &'a HashMap<&'a str, Value>,
    text: &'a str,
}

impl Parser<'_> {
    fn space(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let mut ahead = self.rest.clone();
        if token.chars().all(|c| ahead.next() == Some(c)) {
            self.rest = ahead;
            return true;
        }
        false
    }

    fn expression(&mut self, level: usize) -> Result<i64> {
        let Some(operators) = LEVELS.get(level) else { return self.atom() };
        let mut left = self.expression(level + 1)?;
        while let Some(op) = operators.iter().find(|op| self.take(op)) {
            let right = self.expression(level + 1)?;
            let divided = |v: Option<i64>| v.ok_or_else(|| fail("a division by zero", self.text));
            left = match *op {
                "||" => i64::from(left != 0 || right != 0),
                "&&" => i64::from(left != 0 && right != 0),
                "==" => i64::from(left == right),
                "!=" => i64::from(left != right),
                "<=" => i64::from(left <= right),
                ">=" => i64::from(left >= right),
                "<" => i64::from(left < right),
                ">" => i64::from(left > right),
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => divided(left.checked_div(right))?,
                _ => divided(left.checked_rem(right))?,
            };
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<i64> {
        if self.take("!") {
            return Ok(i64::from(self.atom()? == 0));
        }
        if self.take("-") {
            return Ok(-self.atom()?);
        }
        if self.take("(") {
            let inner = self.expression(0)?;
            return if self.take(")") { Ok(inner) } else { Err(fail("an unclosed parenthesis", self.text)) };
        }
        self.space();
        let mut word = String::new();
        while let Some(c) = self.rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
        if let Ok(number) = word.parse() {
            return Ok(number);
        }
        let value = self.names.get(word.as_str()).ok_or_else(|| fail("an unknown name", self.text))?;
        match value {
            Value::Int(v) => Ok(*v),
            Value::List(list) => {
                let index = if self.take("[") { self.expression(0)? } else { -1 };
                let item = usize::try_from(index).ok().and_then(|i| list.get(i));
                if !self.take("]") {
                    return Err(fail("a list without an index", self.text));
                }
                item.copied().ok_or_else(|| fail("an index out of range", self.text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(source: &str) -> Result<String> {
        let variant = vec![("N", 3usize.into()), ("ON", true.into()), ("L", vec![7, 8].into())];
        expand(source, &variant, &[("twice", "${2 * N}")])
    }

    #[test]
    fn expands_every_directive() {
        let source = "#for i in 0..N - 1\na${i}_${L[i] % 4};\n#if i == 1 && ON\nlast\n#else\nfirst\n#end\n#end\n#include twice";
        assert_eq!(run(source).unwrap(), "a0_3;\nfirst\na1_0;\nlast\n6\n");
    }

    #[test]
    fn strengths_and_signs() {
        assert_eq!(run("${1 + 2 * N - -1} ${(1 + 2) * N} ${N <= 3} ${!ON || N > 4}").unwrap(), "8 9 1 0\n");
    }

    #[test]
    fn mistakes_are_errors() {
        for source in
            ["#if X\n#end", "#for i in 0..2", "${L[2]}", "${1 / 0}", "${", "${1 1}", "#include none"]
        {
            assert_eq!(run(source).unwrap_err().code(), "gpu-validation", "{source}");
        }
    }
}
