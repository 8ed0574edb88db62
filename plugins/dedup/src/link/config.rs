//! What a linkage compares: the fields, their kinds, and where the bands lie.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::features::{MOST_SLOTS, width};
use super::kinds;

/// What to compare, and how sure to be. Naming the fields is enough.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The fields that are compared; refused when there is more to compare than a pattern has room for.
    #[serde(deserialize_with = "fields")]
    pub fields: Vec<FieldConfig>,

    /// Records of one source are different things; each record has at most one partner in another source.
    #[serde(default)]
    pub one_to_one: bool,

    /// Bits of evidence from which two records are one thing: 3 when left out; -2 with `one_to_one`, where
    /// being the best of all partners is evidence too.
    #[serde(default)]
    pub merge: Option<f32>,

    /// Bits of evidence from which a person is asked.
    #[serde(default = "default_review")]
    pub review: f32,

    /// Processors that may work at it: all of the machine when left out. What comes out is the same.
    #[serde(default)]
    pub threads: Option<usize>,
}

/// More threads than this only wait for one another.
const MOST_THREADS: usize = 8;

impl Config {
    /// How many threads work at it.
    pub fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        self.threads.unwrap_or_else(all).max(1)
    }

    /// Bits of evidence from which two records are one thing.
    pub fn merge(&self) -> f32 {
        self.merge.unwrap_or(if self.one_to_one { -2.0 } else { 3.0 })
    }
}

fn default_review() -> f32 {
    -3.0
}

/// One field to compare.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldConfig {
    /// Name of the column.
    pub field: String,

    /// What its values are; found out when left out.
    #[serde(default)]
    pub kind: Option<Kind>,

    /// Fields of one group tell the same story: only the strongest for and the strongest against count.
    #[serde(default)]
    pub group: Option<String>,

    /// Unit of an amount without one: 元, 万元 or 亿元.
    #[serde(default)]
    pub unit: Option<String>,

    /// The same, for single sources.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
}

impl FieldConfig {
    /// What its values are, as far as is known.
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or_else(|| kinds::by_name(&self.field))
    }
}

/// Reads the fields, and refuses those that would be cut silently.
fn fields<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<FieldConfig>, D::Error> {
    let fields = Vec::<FieldConfig>::deserialize(from)?;
    let width = |field: &FieldConfig| field.kind.map_or(1, width);
    let all: usize = fields.iter().map(width).sum();
    if all > MOST_SLOTS {
        return Err(serde::de::Error::custom(format!(
            "there is more to compare than fits: {all} comparisons of at most {MOST_SLOTS}; a field of kind `name` \
             takes {}, any other 1; leave fields out or make names `text`",
            super::features::width(Kind::Name)
        )));
    }
    Ok(fields)
}

/// What the values of a field are: it decides how they are made comparable and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The name of a thing, with phases, lots, quantities and numbers in it that keep things apart.
    Name,
    /// Any text.
    Text,
    /// Long text: only its rarest words are compared.
    Description,
    /// A company or an office: region, core and legal form.
    Company,
    /// A number or code given to one thing: telephone, file number.
    Identifier,
    /// A unified social credit code, or the organisation code inside it.
    CreditCode,
    /// A national project code; other codes in the field are passed over.
    ProjectCode,
    /// An amount of money.
    Money,
    /// A date, or a month.
    Date,
    /// An address.
    Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_comparisons_than_fit_are_refused_and_not_cut() {
        let parse = |texts: usize| {
            let name = serde_json::json!({"field": "name", "kind": "name"});
            let text = |at| serde_json::json!({"field": format!("t{at}"), "kind": "text"});
            let fields: Vec<_> = std::iter::once(name).chain((0..texts).map(text)).collect();
            serde_json::from_value::<Config>(serde_json::json!({"fields": fields}))
        };
        assert!(parse(9).is_ok());
        let told = parse(10).unwrap_err().to_string();
        assert!(told.contains("17 comparisons of at most 16"), "{told}");
    }
}
