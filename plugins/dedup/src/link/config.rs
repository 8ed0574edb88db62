//! What a linkage compares: the fields, their kinds, and where the bands lie.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What to compare, and how sure to be. Naming the fields with their kind is enough.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The fields that are compared.
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
}

impl Config {
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

    /// What its values are.
    pub kind: Kind,

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
