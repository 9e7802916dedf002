//! Parameters of a method, and the settings of one run.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{fill::Fill, masker::Masker};
use crate::error::{Error, Result};

/// One thing that can be set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Parameter {
    /// Its name in `--set KEY=VALUE`.
    pub key: &'static str,
    /// Its name on the page.
    pub label: &'static str,
    /// Its effect, in a few words.
    pub help: &'static str,
    /// Its type, range and default.
    #[serde(flatten)]
    pub kind: Kind,
}

/// A parameter's type, range and default.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// A whole number.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
        /// Unless set.
        default: i64,
    },
    /// A real number.
    Number {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
        /// Unless set.
        default: f64,
    },
    /// On or off.
    Boolean {
        /// Unless set.
        default: bool,
    },
    /// One of a few words.
    Choice {
        /// The words.
        options: &'static [&'static str],
        /// Unless set.
        default: &'static str,
    },
    /// `zero`, `mean`, `blur:KX,KY` or a colour as `#rrggbb`.
    Fill {
        /// Unless set.
        default: &'static str,
    },
    /// `inpaint-telea`, `inpaint-ns`, or what a fill may be.
    Masker {
        /// Unless set.
        default: &'static str,
    },
}

/// Parameters of one run: checked and complete.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<&'static str, Value>);

impl Settings {
    /// Checks what is given, as text or JSON values, and fills in the defaults.
    ///
    /// # Errors
    /// [`Error::Argument`] names an unknown key, or a value outside its range, and what would be right.
    pub fn resolve(parameters: &'static [Parameter], given: &BTreeMap<String, Value>) -> Result<Self> {
        if let Some(key) = given.keys().find(|k| !parameters.iter().any(|p| p.key == *k)) {
            let known: Vec<&str> = parameters.iter().map(|p| p.key).collect();
            let advice = match known[..] {
                [] => "the method takes none".into(),
                _ => format!("give {}", known.join(", ")),
            };
            return Err(Error::Argument(format!("there is no parameter {key:?}; {advice}")));
        }
        let value = |p: &'static Parameter| Ok((p.key, p.resolve(given.get(p.key))?));
        parameters.iter().map(value).collect::<Result<_>>().map(Self)
    }

    /// A whole number. Zero where the method declares no such parameter.
    #[must_use]
    pub fn integer(&self, key: &str) -> usize {
        self.0.get(key).and_then(Value::as_u64).and_then(|v| usize::try_from(v).ok()).unwrap_or_default()
    }

    /// A real number. Zero where the method declares no such parameter.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        self.0.get(key).and_then(Value::as_f64).unwrap_or_default()
    }

    /// On or off. Off where the method declares no such parameter.
    #[must_use]
    pub fn boolean(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A text. Empty where the method declares no such parameter.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Fills in a value that the default left open.
    pub fn adjust(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.insert(key, value.into());
    }

    /// Takes out what was not used.
    pub fn forget(&mut self, parameters: &[Parameter]) {
        self.0.retain(|key, _| !parameters.iter().any(|p| p.key == *key));
    }
}

impl Parameter {
    fn resolve(&self, given: Option<&Value>) -> Result<Value> {
        let text = given.map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        let text = text.as_deref().map(str::trim);
        let refuse = |what: String| {
            Error::Argument(format!("{} is {:?}, and should be {what}", self.key, text.unwrap_or_default()))
        };
        match self.kind {
            Kind::Integer { min, max, default } => {
                let value =
                    text.map_or(Some(default), |t| t.parse().ok()).filter(|v| (min..=max).contains(v));
                value.map(Value::from).ok_or_else(|| refuse(format!("a whole number from {min} to {max}")))
            }
            Kind::Number { min, max, default } => {
                let value =
                    text.map_or(Some(default), |t| t.parse().ok()).filter(|v| (min..=max).contains(v));
                value.map(Value::from).ok_or_else(|| refuse(format!("a number from {min} to {max}")))
            }
            Kind::Boolean { default } => {
                let value = text.map_or(Some(default), |t| t.parse().ok());
                value.map(Value::from).ok_or_else(|| refuse("true or false".into()))
            }
            Kind::Choice { options, default } => {
                let value = Some(text.unwrap_or(default)).filter(|t| options.contains(t));
                value.map(Value::from).ok_or_else(|| refuse(format!("one of {}", options.join(", "))))
            }
            Kind::Fill { default } => {
                let value = text.unwrap_or(default);
                Fill::parse(value)?;
                Ok(Value::from(value))
            }
            Kind::Masker { default } => {
                let value = text.unwrap_or(default);
                Masker::parse(value)?;
                Ok(Value::from(value))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: &[Parameter] = &[
        Parameter { key: "n", label: "", help: "", kind: Kind::Integer { min: 1, max: 9, default: 3 } },
        Parameter { key: "on", label: "", help: "", kind: Kind::Boolean { default: false } },
    ];

    fn resolve(pairs: &[(&str, Value)]) -> Result<Settings> {
        Settings::resolve(PARAMETERS, &pairs.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect())
    }

    #[test]
    fn text_and_json_mean_the_same() {
        assert_eq!(resolve(&[("n", "5".into())]).unwrap(), resolve(&[("n", 5.into())]).unwrap());
        assert_eq!(resolve(&[]).unwrap().integer("n"), 3);
        assert!(resolve(&[("on", "true".into())]).unwrap().boolean("on"));
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (key, value, hint) in [
            ("n", Value::from(10), "from 1 to 9"),
            ("n", "x".into(), "whole number"),
            ("m", 1.into(), "no parameter \"m\"; give n, on"),
        ] {
            let error = resolve(&[(key, value)]).unwrap_err();
            assert_eq!(error.code(), "argument");
            assert!(error.to_string().contains(hint), "{error}");
        }
        let none = Settings::resolve(&[], &[("foo".to_owned(), Value::from(1))].into()).unwrap_err();
        assert_eq!(none.to_string(), r#"there is no parameter "foo"; the method takes none"#);
    }
}
