//! The options of `derive`, as they stand in YAML.

use huiliu_stage::{FieldType, Severity};
use serde::{Deserialize, Deserializer};

/// `derive: {columns: […]}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The columns, in order: a later one may name an earlier one.
    pub columns: Vec<Column>,
    /// How a value that cannot be computed is told: `warning`, `info`, `error` (which refuses the row) or `off`.
    #[serde(default = "warning")]
    pub failed: Level,
}

fn warning() -> Level {
    Level(Some(Severity::Warning))
}

/// One column: a `value`, or `tags`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name. A column that is there already keeps its place; its type must be the same.
    pub name: String,
    /// SQL that gives the value.
    pub value: Option<String>,
    /// Tags that are added to a column of type `list`.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// What the value is turned into; by default it stays what SQL makes of it.
    #[serde(rename = "type")]
    pub kind: Option<FieldType>,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// Unit of the value.
    pub unit: Option<String>,
}

/// A tag and the rows that get it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The text that is added, once.
    pub tag: String,
    /// SQL that is true for the rows that get it.
    pub when: String,
}

/// A severity, or none: `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Option<Severity>);

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // YAML 1.1 readers take `off` for false; ours does not, but JSON written by hand may.
        let word = String::deserialize(from)?;
        match word.as_str() {
            "off" => Ok(Self(None)),
            other => Severity::parse(other).map(|severity| Self(Some(severity))).ok_or_else(|| {
                serde::de::Error::custom(format!("`{other}` is none of `error`, `warning`, `info`, `off`"))
            }),
        }
    }
}
