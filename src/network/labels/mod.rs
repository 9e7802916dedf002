//! Class names from the files that people have: lists, JSON, Python, CSV.
//!
//! One reader serves the page, the command line and the models' metadata. The order of the names is the order of the
//! classes, so a file that looks like more than a list is read by its structure or refused, and never taken as names:
//! wrong names beside right numbers look like a right answer.

mod indices;
mod lines;
mod literal;
mod structured;
#[cfg(test)]
mod tests;

use crate::{
    error::{Error, Result},
    limits,
};

/// Largest label file, in bytes.
const LABEL_BYTES: u64 = 16 << 20;
/// Most labels: as many as there may be classes.
const LABELS: u64 = 65_536;

/// ImageNet's class names, one per line.
const IMAGENET: &str = include_str!("../../../models/labels.txt");

/// The note where classes are called by [`imagenet`].
pub const IMAGENET_NOTE: &str = "Nothing names the classes. As they are as many as ImageNet's, they are called as those \
    are, which is a guess; if they are others, give their labels.";

/// ImageNet's class names for a network with as many classes: 1,000, or 1,001 of which the first is the background.
#[must_use]
pub fn imagenet(classes: usize) -> Option<Vec<String>> {
    let names = IMAGENET.lines().map(str::to_owned);
    match classes {
        1000 => Some(names.collect()),
        1001 => Some(std::iter::once("background".to_owned()).chain(names).collect()),
        _ => None,
    }
}

/// Reads class names, in class order, from the bytes of a file.
///
/// - Text, one name per line: a last line break ends the last name. Numbers from 0 in front of every line
///   (`0: tench`, `0 tench`) and synsets (`n01440764 tench`) are left out.
/// - JSON or Python data: a list of names, one name, index -> name, index -> [synset, name], name -> index; also
///   where these stand under `id2label` or `label2id` (Hugging Face), `classes` and `Label` (Lobe), `names`.
/// - CSV whose first line names its columns, as `id,name`.
///
/// Indices may stand in any order and are 0 to n - 1. Text is UTF-8, or UTF-16 with a byte order mark.
///
/// # Errors
/// [`Error::Argument`] that says why the file cannot be read and how it should be, [`Error::Limit`].
pub fn read(bytes: &[u8]) -> Result<Vec<String>> {
    limits::check("the label file's size in bytes", bytes.len() as u64, LABEL_BYTES)?;
    let refused = |why: String| {
        Error::Argument(format!(
            "the labels cannot be read: {why}; write one class name per line, in class order, or a JSON list"
        ))
    };
    let text = decoded(bytes).map_err(refused)?;
    let names = names(&text).map_err(refused)?;
    limits::check("the number of labels", names.len() as u64, LABELS)?;
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    match names.iter().position(String::is_empty) {
        Some(class) => Err(refused(format!("the name of class {class} is empty"))),
        None => Ok(names),
    }
}

/// Checks that there is one label per class.
///
/// # Errors
/// [`Error::Argument`] with both counts, and what a difference of one mostly means.
pub fn check_count(labels: &[String], classes: usize) -> Result<()> {
    let n = labels.len();
    let plural = if n == 1 { "label" } else { "labels" };
    let counts = format!("{n} {plural} for {classes} classes");
    let first = labels.first().map_or("", String::as_str);
    Err(Error::Argument(if n == classes {
        return Ok(());
    } else if n == classes + 1 {
        format!(
            "{counts}: is the first a background class? If {first:?} is one, or a heading, remove it from the labels"
        )
    } else if n + 1 == classes {
        format!(
            "{counts}: is the first a background class? If the model has one, add its name in front of {first:?}"
        )
    } else {
        format!("{counts}; give one label per class, in class order")
    }))
}

/// The text of a file by its byte order mark; UTF-8 where there is none.
fn decoded(bytes: &[u8]) -> std::result::Result<String, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        let whole = bytes.len().is_multiple_of(2);
        String::from_utf16(&units)
            .ok()
            .filter(|_| whole)
            .ok_or_else(|| "the file is damaged UTF-16 text; save it as UTF-8".to_owned())
    };
    let text = match bytes {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            return Err("the file is UTF-32 text; save it as UTF-8".into());
        }
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes)?,
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8(rest.to_vec()).map_err(|e| {
            format!(
                "the file is not UTF-8 text from byte {} on; save it as UTF-8",
                e.utf8_error().valid_up_to()
            )
        })?,
    };
    if text.contains('\0') {
        return Err("the file holds zero bytes, as no text in UTF-8 does; save it as UTF-8".into());
    }
    Ok(text)
}

fn names(text: &str) -> std::result::Result<Vec<String>, String> {
    let body = text.trim();
    if body.is_empty() {
        return Err("the file is empty".into());
    }
    if body.starts_with("version https://git-lfs") {
        return Err("the file is a Git LFS pointer and not the file itself; run `git lfs pull`".into());
    }
    let start: String = body.chars().take(16).collect::<String>().to_ascii_lowercase();
    let tags = ["<!doctype", "<html", "<?xml", "<!--"];
    if tags.iter().any(|tag| start.starts_with(tag)) || body.starts_with('<') && body.ends_with('>') {
        return Err("the file is a web page or XML; download the raw file".into());
    }
    if body.starts_with(['{', '[']) {
        return structured::names(literal::read(body)?);
    }
    // One quoted word alone is a name and no list, as JSON has it.
    match serde_json::from_str(body) {
        Ok(literal::Literal::Text(name)) => Ok(vec![name]),
        _ => lines::names(text),
    }
}
