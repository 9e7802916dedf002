//! Data as JSON and Python write it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep Python data may nest: a label file has three levels.
const DEEPEST: usize = 16;

/// A value of JSON or Python.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A list or tuple.
    List(Vec<Literal>),
    /// An object or dict: its pairs in the order of the file, repeated keys too.
    Map(Vec<(Literal, Literal)>),
    /// A value that is neither a name nor an index: a fraction, a truth value, null.
    Other,
}

/// Reads JSON, or else a Python literal.
pub fn read(text: &str) -> Result<Literal, String> {
    let json = match serde_json::from_str(text) {
        Ok(literal) => return Ok(literal),
        Err(why) => why,
    };
    let mut python = Python { text, at: 0 };
    let read = python.value(0).and_then(|value| match python.peek() {
        None => Ok(value),
        Some(more) => Err(format!("{more:?} follows the end")),
    });
    read.map_err(|why| {
        let line = text[..python.at].lines().count().max(1);
        format!("it is neither JSON ({json}) nor Python data ({why}, line {line})")
    })
}

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AsLiteral)
    }
}

struct AsLiteral;

impl<'de> Visitor<'de> for AsLiteral {
    type Value = Literal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Literal, E> {
        Ok(Literal::Text(text.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Literal, E> {
        Ok(Literal::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Literal, E> {
        Ok(i64::try_from(number).map_or(Literal::Other, Literal::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Literal, E> {
        Ok(Literal::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Literal, E> {
        Ok(Literal::Other)
    }

    fn visit_unit<E>(self) -> Result<Literal, E> {
        Ok(Literal::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Literal, A::Error> {
        let mut items = vec![];
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Literal::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Literal, A::Error> {
        let mut pairs = vec![];
        while let Some((key, value)) = from.next_entry::<String, Literal>()? {
            pairs.push((Literal::Text(key), value));
        }
        Ok(Literal::Map(pairs))
    }
}

/// A reader of Python's literals: dicts, lists, tuples, texts, numbers.
struct Python<'a> {
    text: &'a str,
    at: usize,
}

impl Python<'_> {
    /// The next character that is neither space nor comment.
    fn peek(&mut self) -> Option<char> {
        loop {
            let next = self.text[self.at..].chars().next()?;
            match next {
                '#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
                c if c.is_whitespace() => self.at += c.len_utf8(),
                c => return Some(c),
            }
        }
    }

    fn is_next(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn value(&mut self, depth: usize) -> Result<Literal, String> {
        if depth > DEEPEST {
            return Err("too many brackets in each other".into());
        }
        match self.peek().ok_or("it ends too early")? {
            '{' => self.dict(depth),
            '[' => self.list(depth, ']'),
            '(' => self.list(depth, ')'),
            '\'' | '"' => self.string(),
            _ => self.word(),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Literal, String> {
        let mut pairs = vec![];
        self.at += 1;
        while !self.is_next('}') {
            let key = self.value(depth + 1)?;
            if !self.is_next(':') {
                return Err("a key has no colon after it".into());
            }
            pairs.push((key, self.value(depth + 1)?));
            if !self.is_next(',') && self.peek() != Some('}') {
                return Err("a comma is missing".into());
            }
        }
        Ok(Literal::Map(pairs))
    }

    fn list(&mut self, depth: usize, end: char) -> Result<Literal, String> {
        let mut items = vec![];
        self.at += 1;
        while !self.is_next(end) {
            items.push(self.value(depth + 1)?);
            if !self.is_next(',') && self.peek() != Some(end) {
                return Err("a comma is missing".into());
            }
        }
        Ok(Literal::List(items))
    }

    fn string(&mut self) -> Result<Literal, String> {
        let mut characters = self.text[self.at..].char_indices();
        let quote = characters.next().map(|(_, c)| c);
        let mut text = String::new();
        while let Some((i, c)) = characters.next() {
            if Some(c) == quote {
                self.at += i + c.len_utf8();
                return Ok(Literal::Text(text));
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            let escaped = characters.next().map(|(_, c)| c).unwrap_or_default();
            let mut code = |digits: usize| {
                let digits: String = characters.by_ref().take(digits).map(|(_, c)| c).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                code.ok_or_else(|| format!("\\{escaped}{digits} is no character"))
            };
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                '\n' => {}
                'x' => text.push(code(2)?),
                'u' => text.push(code(4)?),
                'U' => text.push(code(8)?),
                '\\' | '\'' | '"' => text.push(escaped),
                other => text.extend(['\\', other]),
            }
        }
        Err("a text has no end".into())
    }

    fn word(&mut self) -> Result<Literal, String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || "+-._".contains(c))).unwrap_or(rest.len());
        let word = &rest[..end];
        let literal = match word {
            "True" | "False" | "None" | "true" | "false" | "null" => Literal::Other,
            _ => match (word.parse(), word.parse::<f64>()) {
                (Ok(number), _) => Literal::Integer(number),
                (_, Ok(_)) => Literal::Other,
                _ => {
                    let shown: String = rest.chars().take(20).collect();
                    return Err(format!("{shown:?} is no value"));
                }
            },
        };
        self.at += end;
        Ok(literal)
    }
}
