//! JSON that keeps every digit: objects are split into their fields, and the values stay the text they
//! are. (`serde_json::Value` would round an amount of 18 digits.)

use std::fmt;

use huiliu_stage::json::write_text;
use serde::de::IgnoredAny;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A JSON value as the text it is.
///
/// Shown (`Display`) it is exact. Serialised it goes through `serde_json::Value`, where a number of more
/// than 15 digits may lose its last ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Json(String);

impl Json {
    /// Text that is no JSON becomes a JSON string: a row must be shown whatever a stage wrote into it.
    pub(crate) fn stored(text: &str) -> Self {
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Self(text.to_owned()),
            Err(_) => {
                let mut quoted = String::new();
                write_text(&mut quoted, text);
                Self(quoted)
            }
        }
    }

    /// The text.
    pub fn get(&self) -> &str {
        &self.0
    }

    /// The value without its quotes, if it is a text.
    pub fn text(&self) -> Option<String> {
        serde_json::from_str(&self.0).ok()
    }

    /// The value, its numbers in double precision.
    pub fn value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

/// A JSON object with its fields in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, Json)>);

impl Fields {
    /// Splits a stored object.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut rest = Rest(text);
        let mut fields = Vec::new();
        rest.expect('{')?;
        if !rest.take('}') {
            loop {
                let name = serde_json::from_str(rest.value::<String>()?)?;
                rest.expect(':')?;
                fields.push((name, Json(rest.value::<IgnoredAny>()?.to_owned())));
                if !rest.take(',') {
                    break;
                }
            }
            rest.expect('}')?;
        }
        Ok(Self(fields))
    }

    /// A field's value.
    pub fn get(&self, field: &str) -> Option<&Json> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// Whether both have the same fields with the same values, in any order.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut quoted = String::new();
        for (i, (name, value)) in self.0.iter().enumerate() {
            quoted.clear();
            write_text(&mut quoted, name);
            let before = if i == 0 { '{' } else { ',' };
            write!(f, "{before}{quoted}:{value}")?;
        }
        f.write_str(if self.0.is_empty() { "{}" } else { "}" })
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What of a text is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, mark: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(mark);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, mark: char) -> Result<()> {
        match self.take(mark) {
            true => Ok(()),
            false => Err(Error::failed(format!("stored json: `{mark}` is missing in an object"))),
        }
    }

    /// The text of the next value, which must be a `T`.
    fn value<T: Deserialize<'a>>(&mut self) -> Result<&'a str> {
        self.0 = self.0.trim_start();
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<T>();
        values.next().ok_or_else(|| Error::failed("stored json: a value is missing in an object"))??;
        let (value, rest) = self.0.split_at(values.byte_offset());
        self.0 = rest;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_split_and_put_together_without_a_change() {
        for text in [
            "{}",
            r#"{"a":12345678901234.5678}"#,
            r#"{"a\"b":"x,}\"","甲":[1,{"c":2}],"n":null,"t":true,"z":-0.50}"#,
        ] {
            assert_eq!(Fields::parse(text).unwrap().to_string(), text);
        }
        let spaced = Fields::parse(" { \"a\" : 1 , \"b\" : [ 2 ] } ").unwrap();
        assert_eq!(spaced.to_string(), r#"{"a":1,"b":[ 2 ]}"#);
        assert!(spaced.same(&Fields::parse(r#"{"b":[ 2 ],"a":1}"#).unwrap()));
        assert!(!spaced.same(&Fields::parse(r#"{"b":[ 2 ],"a":1.0}"#).unwrap()));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "{", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1,}"#, "{1:2}", r#"{"a":1"#] {
            assert!(Fields::parse(text).is_err(), "{text}");
        }
        assert_eq!(Json::stored("not json \"").get(), r#""not json \"""#);
    }
}
