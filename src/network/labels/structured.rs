//! Names from the structures that training programs write.

use super::{indices::ordered, lines::is_synset, literal::Literal};

/// The places of the names in larger files: Hugging Face's config.json (the first two), timm's, Keras's and YOLO's,
/// and Lobe's signature.json (`classes`, and in it `Label`).
const PLACES: [&str; 8] =
    ["id2label", "label2id", "label_names", "class_names", "names", "labels", "classes", "Label"];

/// The names of a list, of one name, or of a map between names and indices.
pub fn names(file: Literal) -> Result<Vec<String>, String> {
    match file {
        Literal::Text(name) => Ok(vec![name]),
        Literal::List(items) => items.into_iter().enumerate().map(|(i, item)| item_name(i, item)).collect(),
        Literal::Map(pairs) => match place(&pairs) {
            Some((key, inner)) => names(inner.clone()).map_err(|why| format!("{key}: {why}")),
            None => mapped(pairs),
        },
        Literal::Integer(_) | Literal::Other => Err("it holds no names".into()),
    }
}

/// The part of a larger file that holds the names.
fn place(pairs: &[(Literal, Literal)]) -> Option<(&'static str, &Literal)> {
    let holds = |value: &Literal| matches!(value, Literal::List(_) | Literal::Map(_));
    PLACES.into_iter().find_map(|place| {
        let is_place = |key: &Literal| matches!(key, Literal::Text(text) if text == place);
        let found = pairs.iter().find(|(key, value)| is_place(key) && holds(value));
        found.map(|(_, value)| (place, value))
    })
}

/// A name, or the name of a pair `[synset, name]`. Digits are names of classes too.
fn item_name(index: usize, item: Literal) -> Result<String, String> {
    match item {
        Literal::Text(name) => Ok(name),
        Literal::Integer(number) => Ok(number.to_string()),
        Literal::List(pair) => match <[Literal; 2]>::try_from(pair) {
            Ok([Literal::Text(synset), Literal::Text(name)]) if is_synset(&synset) => Ok(name),
            _ => Err(format!("entry {index} is a list, and neither a name nor [synset, name]")),
        },
        Literal::Map(_) | Literal::Other => Err(format!("entry {index} is no name")),
    }
}

/// Index -> name, or name -> index: names that are digits make both look alike, and indices are numbers.
fn mapped(pairs: Vec<(Literal, Literal)>) -> Result<Vec<String>, String> {
    if pairs.is_empty() {
        return Err("it holds no names".into());
    }
    if pairs.iter().all(|(_, value)| matches!(value, Literal::Integer(_))) {
        let entry = |(key, value)| match (key, value) {
            (Literal::Text(name), Literal::Integer(index)) => Ok((index, name)),
            (Literal::Integer(name), Literal::Integer(index)) => Ok((index, name.to_string())),
            _ => Err("a key is neither a name nor an index".to_owned()),
        };
        return ordered(pairs.into_iter().map(entry).collect::<Result<_, String>>()?);
    }
    let index = |key: &Literal| match key {
        Literal::Integer(index) => Some(*index),
        Literal::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let mut entries = vec![];
    for (i, (key, value)) in pairs.into_iter().enumerate() {
        let Some(index) = index(&key) else {
            return Err(format!("entry {i} is neither index: name nor name: index"));
        };
        entries.push((index, item_name(i, value)?));
    }
    ordered(entries)
}
