//! The options of `validate`, as they stand in YAML.

use std::collections::BTreeMap;

use huiliu_stage::{Severity, Text};
use serde::Deserialize;

use crate::catalogue::CatalogueOptions;

/// `validate: {rules: […], checks: {…}, codes: {…}, severity: {…}, messages: {…}}`. The constraints of
/// fields are not here: they stand in the record schema.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// SQL conditions that every row must meet.
    pub rules: Vec<RuleOptions>,
    /// Domain checks and the fields they are for.
    pub checks: CheckOptions,
    /// The catalogue of checks V01 to V26, with its thresholds and tables; left out, it is not put to rows.
    pub catalogue: Option<CatalogueOptions>,
    /// Other codes for findings: `kind`, `field` (all kinds but `required` and `unchecked`) or `field.kind`;
    /// the closest wins.
    pub codes: BTreeMap<String, String>,
    /// Other severities, by the same keys; `off` switches off.
    pub severity: BTreeMap<String, Level>,
    /// Other messages, by the same keys. The value that was found is added.
    pub messages: BTreeMap<String, Text>,
}

/// A condition that every row must meet.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleOptions {
    /// Names the rule; the code of its findings.
    pub id: String,
    /// SQL that is true for a good row.
    pub check: String,
    /// SQL that is true for the rows that the rule is for; all, when left out.
    #[serde(default)]
    pub when: Option<String>,
    /// What to tell the sender; the values of the columns named are added.
    #[serde(default)]
    pub message: Option<Text>,
    /// How much a broken rule weighs.
    #[serde(default)]
    pub severity: Level,
    /// The field to point at; when left out, the first that `check` names.
    #[serde(default)]
    pub field: Option<String>,
    /// What a missing value does. When left out, `sql` for a `check` that itself speaks of missing values
    /// (`IS NULL`, `COALESCE` …), else `report`.
    #[serde(default)]
    pub missing: Option<Missing>,
    /// The fields that `check` cannot do without; when left out, all that it names.
    #[serde(default)]
    pub needs: Option<Vec<String>>,
}

/// What becomes of a row in which a value that a rule needs is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// The row passes, with a finding `unchecked` (info) that says which value was missing.
    Report,
    /// The row passes untold.
    Pass,
    /// The row breaks the rule.
    Fail,
    /// SQL decides; what SQL leaves open (null) breaks the rule.
    Sql,
}

/// A severity, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "LevelForm")]
pub struct Level(pub Option<Severity>);

impl Default for Level {
    fn default() -> Self {
        Self(Some(Severity::Error))
    }
}

/// Some readers of YAML take the word `off` for the boolean.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected `error`, `warning`, `info` or `off`")]
enum LevelForm {
    Severity(Severity),
    Off(Off),
    Boolean(No),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Off {
    Off,
}

/// The boolean false.
#[derive(Deserialize)]
#[serde(try_from = "bool")]
struct No;

impl TryFrom<bool> for No {
    type Error = &'static str;

    fn try_from(value: bool) -> Result<Self, Self::Error> {
        if value { Err("expected `off`") } else { Ok(Self) }
    }
}

impl From<LevelForm> for Level {
    fn from(form: LevelForm) -> Self {
        match form {
            LevelForm::Severity(severity) => Self(Some(severity)),
            LevelForm::Off(Off::Off) | LevelForm::Boolean(No) => Self(None),
        }
    }
}

/// Domain checks and the fields they are for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckOptions {
    /// Fields that hold a unified social credit code.
    pub uscc: Vec<UsccOptions>,
    /// Fields that hold a project code.
    pub project_code: Vec<ProjectCodeOptions>,
}

/// A field with a credit code: its name, or more.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "UsccForm")]
pub struct UsccOptions {
    /// The field.
    pub field: String,
    /// Codes known to be real though a test fails.
    pub allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a field name or `{field, allow}`")]
enum UsccForm {
    Name(String),
    More(UsccMore),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsccMore {
    field: String,
    #[serde(default)]
    allow: Vec<String>,
}

impl From<UsccForm> for UsccOptions {
    fn from(form: UsccForm) -> Self {
        match form {
            UsccForm::Name(field) => Self { field, allow: Vec::new() },
            UsccForm::More(UsccMore { field, allow }) => Self { field, allow },
        }
    }
}

/// A field with a project code: its name, or more.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "ProjectCodeForm")]
pub struct ProjectCodeOptions {
    /// The field.
    pub field: String,
    /// A new text column for the suffix of a part of the project (`-001`).
    pub suffix: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a field name or `{field, suffix}`")]
enum ProjectCodeForm {
    Name(String),
    More(ProjectCodeMore),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectCodeMore {
    field: String,
    #[serde(default)]
    suffix: Option<String>,
}

impl From<ProjectCodeForm> for ProjectCodeOptions {
    fn from(form: ProjectCodeForm) -> Self {
        match form {
            ProjectCodeForm::Name(field) => Self { field, suffix: None },
            ProjectCodeForm::More(ProjectCodeMore { field, suffix }) => Self { field, suffix },
        }
    }
}
