//! Options from JSON. What is wrong with one is said by its name, with what was given and what is allowed.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result};

/// The longest value that a message repeats, in characters.
const MOST_REPEATED: usize = 60;

/// A value from JSON text, which is `of` something.
pub(crate) fn parse(of: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|e| Error::Argument(format!("the {of} cannot be read as JSON: {e}")))
}

/// Options from a value; `option` says in one word what each of them is.
pub(crate) fn read<T: DeserializeOwned>(option: &str, mut value: Value) -> Result<T> {
    let fault = match T::deserialize(&value) {
        Ok(options) => return Ok(options),
        Err(error) => error.to_string(),
    };
    let keys: Vec<String> = value.as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
    // The fault is of the first option; it goes with that, when those before it are gone.
    for key in keys {
        let given = value.as_object_mut().and_then(|all| all.remove(&key)).unwrap_or_default();
        if T::deserialize(&value).err().is_none_or(|error| error.to_string() != fault) {
            return Err(wrong(option, &key, &given, &fault));
        }
    }
    Err(wrong(option, option, &value, &fault))
}

/// A value that serde refuses: its words name the types of a program.
pub(crate) fn wrong(option: &str, name: &str, given: &Value, fault: &str) -> Error {
    let Some((what, expected)) = fault.split_once(", expected ") else {
        return Error::Argument(format!("{name}: {fault}"));
    };
    let expected = match expected {
        "u64" | "u32" | "usize" => "a whole number from 0".into(),
        "f32" | "f64" => "a number".into(),
        "a string" => "a text".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        "a map" => "an object".into(),
        names => names.replace('`', "").replace("an array of length", "a list of numbers, of length"),
    };
    if what.starts_with("unknown field") {
        return Error::Argument(format!("there is no {option} {name:?}; give {expected}"));
    }
    let given = given.to_string();
    let shown: String = given.chars().take(MOST_REPEATED).collect();
    let more = if shown.len() < given.len() { "…" } else { "" };
    let is_entry = given.starts_with('[') && !what.contains("sequence") && !what.contains("length");
    let should = if is_entry { "each entry should be" } else { "should be" };
    Error::Argument(format!("{name} is {shown}{more}, and {should} {expected}"))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
        Three,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only errors are looked at")]
    struct Options {
        name: String,
        count: Option<u64>,
        kind: Option<Kind>,
        names: Option<Vec<String>>,
        mean: Option<[f32; 3]>,
        size: Option<[usize; 2]>,
        on: Option<bool>,
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (text, said) in [
            (r#"{"name": "a", "count": "abc"}"#, r#"count is "abc", and should be a whole number from 0"#),
            (r#"{"name": "a", "count": -1}"#, "count is -1, and should be a whole number from 0"),
            (r#"{"name": "a", "count": 1.5}"#, "count is 1.5, and should be a whole number from 0"),
            (r#"{"name": 5, "count": 5}"#, "name is 5, and should be a text"),
            (r#"{"name": "a", "kind": "x"}"#, r#"kind is "x", and should be one of one, two, three"#),
            (r#"{"name": "a", "names": [1]}"#, "names is [1], and each entry should be a text"),
            (r#"{"name": "a", "names": 1}"#, "names is 1, and should be a list"),
            (
                r#"{"name": "a", "mean": [1, 2]}"#,
                "mean is [1,2], and should be a list of numbers, of length 3",
            ),
            (
                r#"{"name": "a", "size": "64x64"}"#,
                r#"size is "64x64", and should be a list of numbers, of length 2"#,
            ),
            (r#"{"name": "a", "on": "yes"}"#, r#"on is "yes", and should be true or false"#),
            (r#"{"name": "a", "cuont": 5}"#, r#"there is no option "cuont"; give one of name, count, kind"#),
            (
                r#"{"count": "x", "on": 1, "size": "x"}"#,
                r#"count is "x", and should be a whole number from 0"#,
            ),
            (r#"{"count": 5}"#, "option: missing field `name`"),
            ("7", "option is 7, and should be "),
        ] {
            let error = read::<Options>("option", parse("options", text).unwrap()).unwrap_err();
            assert_eq!(error.code(), "argument");
            assert!(error.to_string().starts_with(said), "{error}\n{said}");
        }
        assert!(
            parse("options", "{").unwrap_err().to_string().contains("the options cannot be read as JSON")
        );
        let long = Value::String("é".repeat(100));
        assert!(wrong("", "name", &long, "x, expected y").to_string().contains("é…, and should be y"));
    }
}
