//! The fields of a body: a JSON object of known fields, each once. An unknown one is refused by its name: a misspelt field
//! must not be silently without effect.

use std::fmt;

use http::{HeaderMap, StatusCode, header};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::problem::Problem;

/// Fields that were given and not taken yet.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body; an empty one has no fields.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self(Map::new()));
        }
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        if !essence.eq_ignore_ascii_case("application/json") && !essence.eq_ignore_ascii_case(super::MEDIA_TYPE) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Send the body as application/json.",
            ));
        }
        let Unique(fields) = serde_json::from_slice(body).map_err(|error| {
            // The message quotes at most a field's name, which the caller has written themselves.
            Problem::malformed("malformed-body", format!("The body is not a JSON object: {error}."))
        })?;
        Ok(Self(fields))
    }

    /// Takes a field; `null` is as good as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a text; an empty one is absent (R38).
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(_) => Err(malformed(name, "a text")),
        }
    }

    /// Takes a whole number that is not negative.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(malformed(name, "a whole number that is not negative")),
            },
        }
    }

    /// Takes a list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        let texts = |items: Vec<Value>| {
            let texts = items.into_iter().map(|item| match item {
                Value::String(text) => Some(text),
                _ => None,
            });
            texts.collect::<Option<Vec<String>>>()
        };
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => texts(items).map(Some).ok_or_else(|| malformed(name, "a list of texts")),
            Some(_) => Err(malformed(name, "a list of texts")),
        }
    }

    /// Refuses what nobody has taken.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => {
                let title = format!("{name:?} is not a field of this call.");
                Err(Problem::malformed("unknown-field", title).about(name))
            }
        }
    }
}

/// A field is not what it should be.
pub(super) fn malformed(name: &str, wanted: &str) -> Problem {
    Problem::malformed("malformed-field", format!("{name} is not {wanted}.")).about(name)
}

/// A field that must be there is not.
pub(super) fn missing(name: &str) -> Problem {
    Problem::malformed("missing-field", format!("{name} is missing.")).about(name)
}

/// An object whose names are unique: of two values for one name, nobody knows which one is meant.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
                let mut fields = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if fields.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("the field {name:?} appears twice")));
                    }
                    fields.insert(name, value);
                }
                Ok(Unique(fields))
            }
        }
        deserializer.deserialize_map(Names)
    }
}
