//! The options of `dedup`, and their JSON Schema for `huiliu stages` and for editors.

use std::collections::BTreeMap;

use arrow::datatypes::Schema;
use huiliu_stage::{Problem, column_index};
use serde::Deserialize;

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
    pub fields: BTreeMap<String, Policy>,

    /// Numbers that are refused by `first`, `max` or `min` give a warning when they differ by more than this share.
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
    Latest,
    /// The one that came first.
    First,
    /// The greatest (numbers, amounts, dates).
    Max,
    /// The least (numbers, amounts, dates).
    Min,
    /// All items, each once, in order of arrival (lists).
    Union,
    /// The one with most characters (text).
    Longest,
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
          "description": "For single fields: latest, first, max, min (numbers, amounts, dates), union (lists), longest (text).",
          "type": "object",
          "additionalProperties": {"enum": ["latest", "first", "max", "min", "union", "longest"]}
        },
        "tolerance": {
          "description": "Numbers refused by `first`, `max` or `min` give a warning when they differ by more than this share of the greater.",
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
        "review": {"description": "Bits of evidence from which a person is asked.", "type": "number", "default": -3}
      }
    },
    "apart": {
      "description": "Text columns whose discriminating words (一期 and 二期, 1标段 and 2标段, 1号线, 104国道, 扩建 …) must not differ, even if a code is equal (only with `keep: merge`).",
      "type": "array", "items": {"type": "string"}
    }
  }
}"#;
