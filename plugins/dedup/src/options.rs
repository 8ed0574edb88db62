//! The options of `dedup`, and their JSON Schema for `huiliu stages` and for editors.

use std::collections::BTreeMap;
use std::fmt;

use arrow::datatypes::Schema;
use huiliu_stage::{Problem, column_index};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::link::Config;

/// The options as they stand in YAML.
///
/// ```yaml
/// dedup:
///   match:
///     - {fields: [project_code], normalise: {project_code: code}}
///     - {fields: [owner_uscc, project_name], normalise: {project_name: name}, unless: [project_code]}
///   keep: merge
///   merge: {default: latest, fields: {total_investment: max, tags: union}}
///   apart: [project_name]
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The keys, strongest first.
    #[serde(rename = "match")]
    pub rules: Vec<MatchRule>,

    /// What becomes of rows with the same key.
    #[serde(default)]
    pub keep: Keep,

    /// How values are chosen; only with `keep: merge`.
    #[serde(default)]
    pub merge: Option<MergeOptions>,

    /// Text columns whose discriminating words (期, 标段, 号线, 国道, 扩建 …) must not differ, whatever
    /// rule matched; only with `keep: merge`.
    #[serde(default)]
    pub apart: Vec<String>,

    /// Recognises by likeness what no key recognises; only with `keep: merge`.
    #[serde(default)]
    pub link: Option<Config>,
}

/// One way to recognise the same thing: all its fields are given and equal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchRule {
    /// Columns that make up the key.
    pub fields: Vec<String>,

    /// How a column's text is made comparable; the others are compared as they are.
    #[serde(default)]
    pub normalise: BTreeMap<String, Normalise>,

    /// The rule does not match when one of these columns is given on both sides and differs.
    #[serde(default)]
    pub unless: Vec<String>,
}

/// What becomes of rows with the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// One unified record, field by field.
    #[default]
    Merge,
    /// The first row; later ones are dropped.
    First,
}

/// How text is made comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// As it is.
    #[default]
    Exact,
    /// Letters and digits only, upper case, full width made half width. Without any left (暂无) it counts as missing.
    Code,
    /// Names: blanks and brackets removed, endings 项目, 工程, 建设 … dropped; phases, sections and numbers kept.
    Name,
}

/// How the value of each field of a unified record is chosen. A missing value never replaces one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeOptions {
    /// For fields not named under `fields`: `latest` or `first`.
    #[serde(default)]
    pub default: Policy,

    /// For single fields.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldPolicy>,

    /// Numbers that a rule sets aside give a warning when they differ from the one kept by more than this share.
    #[serde(default = "default_tolerance")]
    pub tolerance: f64,
}

/// 0.5 %: below it is rounding, not contradiction.
pub(crate) fn default_tolerance() -> f64 {
    0.005
}

/// Which value a field of the unified record takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The one that came last.
    #[default]
    #[serde(alias = "newest")]
    Latest,
    /// The one that came first.
    First,
    /// The greatest (numbers, amounts, dates).
    Max,
    /// The least (numbers, amounts, dates).
    Min,
    /// All items, each once, in order of arrival (lists).
    Union,
    /// The one with most characters (text) or most items (lists).
    #[serde(alias = "complete")]
    Longest,
    /// The one that most senders give, each with its latest; among equals the latest.
    Majority,
}

impl Policy {
    /// The words in YAML.
    const WORDS: &[&str] =
        &["latest", "newest", "first", "max", "min", "union", "longest", "complete", "majority"];
}

/// How one field is chosen: a [`Policy`], or senders in order of trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldPolicy {
    /// Whoever sent it.
    By(Policy),
    /// The most trusted sender's.
    Priority(Priority),
}

/// Senders in order of trust: `{priority: [统计局, 发改局], then: latest}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// Most trusted first; senders that are not named come after all that are.
    pub priority: Vec<String>,

    /// Among values of equally trusted senders.
    #[serde(default)]
    pub then: Policy,
}

impl<'de> Deserialize<'de> for FieldPolicy {
    /// By hand, so that a wrong word is answered with the words that there are.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = FieldPolicy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "one of {}, or `{{priority: [SENDER, …]}}`", Policy::WORDS.join(", "))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<FieldPolicy, E> {
                let policy = Policy::deserialize(de::value::StrDeserializer::<E>::new(word));
                policy.map(FieldPolicy::By).map_err(|_| E::unknown_variant(word, Policy::WORDS))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldPolicy, A::Error> {
                Priority::deserialize(MapAccessDeserializer::new(map)).map(FieldPolicy::Priority)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Index of the column an option names, or a problem with the option's path.
pub(crate) fn find(schema: &Schema, name: &str, path: String, problems: &mut Vec<Problem>) -> Option<usize> {
    match column_index(schema, name) {
        Ok(at) => Some(at),
        Err(error) => {
            let message = error.problems.into_iter().next().map(|p| p.message).unwrap_or_default();
            problems.push(Problem { path, message });
            None
        }
    }
}

pub(crate) const OPTION_SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["match"],
  "properties": {
    "match": {
      "description": "The keys by which rows are recognised, strongest first. A rule speaks for a row when all its fields are given; the first rule that finds a known record decides.",
      "type": "array",
      "minItems": 1,
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["fields"],
        "properties": {
          "fields": {
            "description": "Columns that make up the key.",
            "type": "array", "minItems": 1, "items": {"type": "string"}
          },
          "normalise": {
            "description": "How a column's text is made comparable: `exact` (default), `code` (letters and digits only, upper case), `name` (blanks, brackets and endings such as 项目 dropped; phases and numbers kept).",
            "type": "object",
            "additionalProperties": {"enum": ["exact", "code", "name"]}
          },
          "unless": {
            "description": "The rule does not match when one of these columns is given on both sides and differs (only with `keep: merge`).",
            "type": "array", "items": {"type": "string"}
          }
        }
      }
    },
    "keep": {
      "description": "`merge` (default): one unified record, field by field, with the origin of each value. `first`: the first row of each key passes, later ones are dropped; cheap, for bulk data.",
      "enum": ["merge", "first"],
      "default": "merge"
    },
    "merge": {
      "description": "How values are chosen (only with `keep: merge`). A missing value never replaces one.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "default": {
          "description": "For fields not named under `fields`.",
          "enum": ["latest", "first"],
          "default": "latest"
        },
        "fields": {
          "description": "For single fields: latest (or newest), first, max, min (numbers, amounts, dates), union (lists), longest (or complete; text, lists), majority (of the senders), or senders in order of trust: {priority: [统计局, 发改局], then: latest}.",
          "type": "object",
          "additionalProperties": {
            "oneOf": [
              {"enum": ["latest", "newest", "first", "max", "min", "union", "longest", "complete", "majority"]},
              {
                "type": "object",
                "additionalProperties": false,
                "required": ["priority"],
                "properties": {
                  "priority": {
                    "description": "Senders, most trusted first; those not named come after all that are.",
                    "type": "array", "minItems": 1, "items": {"type": "string"}
                  },
                  "then": {
                    "description": "Among values of equally trusted senders.",
                    "enum": ["latest", "newest", "first", "max", "min", "longest", "complete"],
                    "default": "latest"
                  }
                }
              }
            ]
          }
        },
        "tolerance": {
          "description": "Numbers that a rule sets aside give a warning when they differ from the one kept by more than this share of the greater.",
          "type": "number", "minimum": 0, "default": 0.005
        }
      }
    },
    "link": {
      "description": "Recognises by likeness what no key recognises (only with `keep: merge`). Weights are learnt from the records themselves. Three answers: the row is a known record and is merged; it may be one and is kept apart for review; it is new. Phases, lots, quantities and numbers that differ always keep two apart.",
      "type": "object",
      "additionalProperties": false,
      "required": ["fields"],
      "properties": {
        "fields": {
          "description": "The columns that are compared, each with its kind.",
          "type": "array", "minItems": 1,
          "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["field", "kind"],
            "properties": {
              "field": {"description": "Name of the column.", "type": "string"},
              "kind": {
                "description": "What its values are.",
                "enum": ["name", "text", "description", "company", "identifier", "credit_code", "project_code", "money", "date", "place"]
              },
              "group": {"description": "Fields of one group tell the same story: only the strongest for and the strongest against count.", "type": "string"},
              "unit": {"description": "Unit of an amount without one.", "type": "string"},
              "units": {"description": "The same, for single senders.", "type": "object", "additionalProperties": {"type": "string"}}
            }
          }
        },
        "one_to_one": {"description": "Each record has at most one partner in another source; for two tables without duplicates, in the benchmark only.", "type": "boolean", "default": false},
        "merge": {"description": "Bits of evidence from which a row is a known record.", "type": "number", "default": 3},
        "review": {"description": "Bits of evidence from which a person is asked.", "type": "number", "default": -3},
        "threads": {"description": "Processors that may work at it; all of the machine when left out. What comes out is the same.", "type": "integer", "minimum": 1}
      }
    },
    "apart": {
      "description": "Text columns whose discriminating words (一期 and 二期, 1标段 and 2标段, 1号线, 104国道, 扩建 …) must not differ, even if a code is equal (only with `keep: merge`).",
      "type": "array", "items": {"type": "string"}
    }
  }
}"#;
