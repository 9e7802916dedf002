//! Classes by index or name, as people give them.

use serde_json::Value;
use strsim::osa_distance;

use super::Session;
use crate::error::{Error, Result};

/// How many labels a message offers in the place of one that there is not.
const MOST_NEAR: usize = 5;
/// Stands before an index where a bare number would be read as a name.
const INDEX: &str = "index:";

impl Session {
    /// Finds classes by index or label, comma-separated; see [`Session::find_target`].
    ///
    /// # Errors
    /// Those of [`Session::find_target`].
    pub fn find_targets(&self, text: &str, notes: &mut Vec<String>) -> Result<Vec<usize>> {
        // A label may hold a comma itself, so the whole text is tried first.
        if let Ok(index) = self.find_target(text, notes) {
            return Ok(vec![index]);
        }
        text.split(',').map(|part| self.find_target(part.trim(), notes)).collect()
    }

    /// Finds one class: by `index:N`, by its label, or by its index. Where more than one class may be meant, the
    /// choice and the way to another one are added to `notes`: a class that is called like a number goes before the
    /// class of that index, and the first of several classes of one name before the others.
    ///
    /// # Errors
    /// [`Error::Argument`] when there is no such class.
    pub fn find_target(&self, text: &str, notes: &mut Vec<String>) -> Result<usize> {
        if let Some(index) = text.strip_prefix(INDEX) {
            let none =
                || Error::Argument(format!("{text:?} is no index; write {INDEX} and a number, from 0"));
            return self.in_range(index.trim().parse().map_err(|_| none())?);
        }
        let number = text.parse::<usize>().ok();
        let labels = self.labels.as_deref().unwrap_or_default();
        let called = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
            labels.iter().enumerate().filter(|(_, label)| is(label)).map(|(i, _)| i).collect()
        };
        let mut found = called(&|label| label == text);
        if found.is_empty() && number.is_none() {
            found = called(&|label| label.eq_ignore_ascii_case(text));
        }
        match (found.first(), number) {
            (Some(&first), number) => {
                notes.extend(same_name(&found, text));
                notes.extend(number.and_then(|number| self.name_and_index(first, number)));
                Ok(first)
            }
            (None, Some(number)) => self.in_range(number),
            (None, None) => Err(self.no_class(text)),
        }
    }

    /// Finds classes as JSON gives them: a number is an index, a text is read as [`Session::find_targets`] reads it, and
    /// a list has one class per entry. Null is none.
    ///
    /// # Errors
    /// Those of [`Session::find_target`], and [`Error::Argument`] for what is neither number nor text.
    pub fn find_targets_json(&self, wanted: &Value, notes: &mut Vec<String>) -> Result<Vec<usize>> {
        match wanted {
            Value::Null => Ok(vec![]),
            Value::String(text) => self.find_targets(text, notes),
            Value::Array(several) => several.iter().map(|one| self.find_target_json(one, notes)).collect(),
            one => self.find_target_json(one, notes).map(|index| vec![index]),
        }
    }

    /// Finds one class as JSON gives it: a number is an index, a text is read as [`Session::find_target`] reads it.
    ///
    /// # Errors
    /// Those of [`Session::find_targets_json`].
    pub fn find_target_json(&self, wanted: &Value, notes: &mut Vec<String>) -> Result<usize> {
        if let Value::String(text) = wanted {
            return self.find_target(text, notes);
        }
        let none = || Error::Argument(format!("{wanted} names no class; give an index, from 0, or a label"));
        let index = wanted.as_u64().ok_or_else(none)?;
        self.in_range(usize::try_from(index).map_err(|_| none())?)
    }

    fn in_range(&self, index: usize) -> Result<usize> {
        let classes = self.network.classes();
        let range =
            || Error::Argument(format!("class {index} is out of range; the model has {classes}, from 0"));
        Some(index).filter(|&i| i < classes).ok_or_else(range)
    }

    /// The note on a name that is the index of another class too.
    fn name_and_index(&self, taken: usize, number: usize) -> Option<String> {
        let other = self.target(number).label;
        (number < self.network.classes() && number != taken).then(|| {
            format!(
                "\"{number}\" was read as the name of class {taken}. The class of index {number} is called {other:?}: \
                 write {INDEX}{number} for it."
            )
        })
    }

    fn no_class(&self, text: &str) -> Error {
        let labels = self.labels.as_deref().unwrap_or_default();
        let wanted = text.to_lowercase();
        let near = |l: &&String| !wanted.is_empty() && l.to_lowercase().contains(&wanted);
        let mut near: Vec<&str> = labels.iter().filter(near).take(MOST_NEAR).map(String::as_str).collect();
        if near.is_empty() {
            let distance = |label: &str| osa_distance(&label.to_lowercase(), &wanted);
            let close = |label: &&str| distance(label) * 3 <= wanted.chars().count();
            near = labels.iter().map(String::as_str).filter(close).collect();
            near.sort_by_key(|label| distance(label));
            near.truncate(MOST_NEAR);
        }
        let hint = match (labels.is_empty(), near.is_empty()) {
            (true, _) => "the model has no labels; give an index, or labels of your own".to_owned(),
            (_, true) => "give an index or a label as the model has it".to_owned(),
            (_, false) => format!("did you mean {}?", near.join(", ")),
        };
        Error::Argument(format!("there is no class {text:?}; {hint}"))
    }
}

/// The note on classes of one name.
fn same_name(found: &[usize], text: &str) -> Option<String> {
    let (&first, others) = found.split_first()?;
    let other = others.first()?;
    let all: Vec<String> = found.iter().map(usize::to_string).collect();
    Some(format!(
        "{} classes are called {text:?}, those of index {}; the first, {first}, was taken. Write {INDEX}{other} for \
         another one.",
        found.len(),
        all.join(", "),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::session;

    #[test]
    fn a_name_goes_before_an_index_and_says_so() {
        let session = session(Some(["1", "10", "2", "3", "4"].map(String::from).to_vec()));
        let find = |text: &str| {
            let mut notes = vec![];
            (session.find_target(text, &mut notes).unwrap(), notes.join(" "))
        };
        let (index, note) = find("1");
        assert_eq!(index, 0);
        assert!(
            note.contains("name of class 0") && note.contains("called \"10\"") && note.contains("index:1"),
            "{note}"
        );
        assert_eq!(find("index:1"), (1, String::new()));
        assert_eq!(find("10"), (1, String::new()), "no class has the index 10");
        assert_eq!(find("0"), (0, String::new()), "no class is called 0");
        for bad in ["7", "index:5", "index:x", "index:"] {
            assert_eq!(session.find_target(bad, &mut vec![]).unwrap_err().code(), "argument", "{bad}");
        }
        let mut notes = vec![];
        assert_eq!(session.find_targets("1,index:1,3", &mut notes).unwrap(), [0, 1, 3]);
        assert_eq!(notes.len(), 1, "the class called 3 has the index 3: {notes:?}");
    }

    #[test]
    fn numbers_of_json_are_indices_and_texts_are_read_as_words() {
        let session = session(Some(["1", "10", "2", "3", "Fox, red"].map(String::from).to_vec()));
        let find = |wanted| session.find_targets_json(&wanted, &mut vec![]).map_err(|e| e.code());
        assert_eq!(find(json!(null)), Ok(vec![]));
        assert_eq!(find(json!(1)), Ok(vec![1]));
        assert_eq!(find(json!("1")), Ok(vec![0]), "the name goes before the index");
        assert_eq!(find(json!("index:1,3")), Ok(vec![1, 3]));
        assert_eq!(find(json!([2, "Fox, red", "index:0"])), Ok(vec![2, 4, 0]));
        for bad in [
            json!(5),
            json!(-1),
            json!(1.5),
            json!(true),
            json!({}),
            json!([[1]]),
            json!([null]),
            json!(u64::MAX),
        ] {
            assert_eq!(find(bad.clone()), Err("argument"), "{bad}");
        }
    }

    #[test]
    fn the_first_of_one_name_is_taken_and_both_are_named() {
        let session = session(Some(["cat", "crane", "dog", "crane", "Fox, red"].map(String::from).to_vec()));
        let mut notes = vec![];
        assert_eq!(session.find_targets("crane", &mut notes).unwrap(), [1]);
        assert!(notes[0].contains("index 1, 3") && notes[0].contains("index:3"), "{notes:?}");
        notes.clear();
        assert_eq!(session.find_targets("CRANE,Fox, red", &mut notes).map_err(|e| e.code()), Err("argument"));
        notes.clear();
        assert_eq!(session.find_targets("fox, red", &mut notes).unwrap(), [4]);
        assert_eq!(session.find_targets("dog,index:3", &mut notes).unwrap(), [2, 3]);
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(session.find_target("CRANE", &mut notes).unwrap(), 1);
        assert_eq!(notes.len(), 1, "{notes:?}");
    }
}
