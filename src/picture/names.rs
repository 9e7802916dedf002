//! The names of options, taken from serde so that JSON, the command line and messages agree.

use std::fmt;

use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::{error::Result, json};

/// The option value called `name`; otherwise an [`crate::Error::Argument`] that says of `what`, and lists the names.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, name: &str) -> Result<T> {
    let text: StrDeserializer<'_, ValueError> = name.into_deserializer();
    T::deserialize(text).map_err(|e| json::wrong(what, what, &name.into(), &e.to_string()))
}

/// Implements `Display` and `FromStr` by the serde names of a field-less enum.
macro_rules! named {
    ($type:ty, $what:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::picture::names::write(self, f)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(name: &str) -> $crate::error::Result<Self> {
                $crate::picture::names::parse($what, name)
            }
        }
    };
}
pub(crate) use named;

/// Writes the name of a field-less enum's value.
pub(crate) fn write<T: serde::Serialize>(value: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    value.serialize(f)
}
