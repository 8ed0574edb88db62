//! The catalogue of checks, V01 to V26 (domain.md section 20), as far as it looks at one row.
//!
//! Conditions between the fields of a row are SQL in `rules.json`, with their messages and with settings that a
//! pipeline may change; what needs a table, a clock or the text of cells is code: [`nodes`] (V01), [`divisions`] (V05),
//! [`industries`] (V06), [`dates`] (V11), [`evidence`] and [`photos`] (V13), [`lists`] (V17), [`permits`] (V21), [`personal`] (V25). V02 and V04 are the checks of codes. What
//! needs a project's past is the stage [`History`](crate::History); the reader makes V15, V24 and V26, `commitment` V19
//! and V20, `dedup` V16.
//!
//! A day that was given as a month or a year is its first day, so of two days the later one may also be the first of the
//! earlier one's month or year.
//!
//! A check whose fields the record has not is not made. A department that does not report a value breaks no rule about it.

mod dates;
pub mod divisions;
mod evidence;
pub mod industries;
pub mod lists;
pub mod nodes;
mod permits;
mod personal;
mod photos;
mod table;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{EVIDENCE, Findings, Host, Origin, Problem, Severity, StageError, Text};
use serde::Deserialize;
use serde_json::Value;

use crate::options::{Level, Missing, Options, RuleOptions};
use crate::rules::Rule;
use crate::unreadable::Unreadable;

use self::divisions::DivisionOptions;
use self::industries::IndustryOptions;
use self::lists::ListOptions;
use self::nodes::NodeOptions;

/// `catalogue: {settings: {…}, divisions: {…}, industries: {…}, nodes: […], …}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogueOptions {
    /// Thresholds and words of the rules, by the names in `rules.json`.
    pub settings: BTreeMap<String, Value>,
    /// Places against a table (V05).
    pub divisions: Option<DivisionOptions>,
    /// Industries against a table (V06).
    pub industries: Option<IndustryOptions>,
    /// Levels against the lists of the year (V17).
    pub lists: Option<ListOptions>,
    /// What a report of each node must hold (V01).
    pub nodes: Vec<NodeOptions>,
    /// Days that cannot be in the future (V11); the days of nodes when left out.
    pub past: Option<Vec<String>>,
    /// Endings that a file may have which a cell names as evidence (V13).
    pub evidence_types: Option<Vec<String>>,
    /// How many days a photo may lie from the day that it proves (V13); 31 when left out.
    pub photo_days: Option<u32>,
    /// Months from a construction permit to the start, after which it lapses (V21); 3 when left out.
    pub permit_months: Option<u32>,
    /// Whether cells are searched for phone and identity numbers (V25).
    pub personal: Option<bool>,
}

/// The shipped rules.
#[derive(Deserialize)]
struct Shipped {
    settings: BTreeMap<String, Value>,
    rules: Vec<ShippedRule>,
}

#[derive(Deserialize)]
struct ShippedRule {
    id: String,
    part: String,
    severity: Severity,
    field: String,
    /// The fields that it names; without one of them in the record there is nothing to check.
    fields: Vec<String>,
    check: String,
    #[serde(default)]
    when: Option<String>,
    #[serde(default)]
    needs: Option<Vec<String>>,
    #[serde(default)]
    missing: Option<Missing>,
    /// Fields whose columns must have been sent: who does not report them at all breaks no rule about them.
    #[serde(default)]
    sent: Vec<String>,
    /// Whether files that came with the row are an answer too: they lie in its folder, and no cell names them.
    #[serde(default)]
    answered_by_files: bool,
    /// Settings without which the rule says nothing.
    #[serde(default)]
    needs_settings: Vec<String>,
    zh: String,
    en: String,
}

/// The catalogue's checks, ready to judge batches.
pub(crate) struct Catalogue {
    rules: Vec<Placed>,
    checks: Vec<Box<dyn Check>>,
}

/// A shipped rule, and when it is put to a row.
struct Placed {
    rule: Rule,
    sent: Vec<String>,
    answered_by_files: bool,
}

/// A check that is not SQL.
pub(crate) trait Check: Send {
    /// Adds what it finds in a batch, of which `rows` are the row numbers.
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError>;
}

/// What a check sees of a batch.
pub(crate) struct Sight<'a> {
    pub(crate) batch: &'a RecordBatch,
    pub(crate) rows: &'a [i64],
    /// Cells that could not be read, and are told of already.
    pub(crate) cells: &'a Unreadable,
    pub(crate) origin: &'a Origin,
    pub(crate) host: &'a dyn Host,
}

impl Sight<'_> {
    /// Whether the sender's table has a column for a field. A batch that tells of no columns has all of them.
    pub(crate) fn sent(&self, field: &str) -> bool {
        self.origin.columns.is_empty() || self.origin.columns.contains_key(field)
    }
}

/// The rows that files came with.
fn with_files(batch: &RecordBatch) -> HashSet<i64> {
    let rows = batch.schema_ref().metadata.get(EVIDENCE);
    rows.and_then(|rows| serde_json::from_str(rows).ok()).unwrap_or_default()
}

fn shipped() -> Result<Shipped, String> {
    serde_json::from_str(include_str!("rules.json"))
        .map_err(|error| format!("the shipped rules are broken: {error}"))
}

/// Whether a word names rules of the catalogue: `V08`, or one of them: `V08.plan`.
pub(crate) fn is_rule(word: &str) -> bool {
    let Ok(shipped) = shipped() else { return false };
    let number = word.strip_prefix('V').filter(|n| n.len() == 2).and_then(|n| n.parse::<u8>().ok());
    number.is_some_and(|n| (1..=26).contains(&n))
        || shipped.rules.iter().any(|rule| word.split_once('.') == Some((&rule.id, &rule.part)))
}

impl Catalogue {
    /// The checks that the options leave on and the record has the fields for, and what is wrong with the options.
    pub(crate) fn of(
        schema: &SchemaRef,
        options: &Options,
        host: &Arc<dyn Host>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut catalogue = Self { rules: Vec::new(), checks: Vec::new() };
        let Some(own) = &options.catalogue else { return catalogue };
        match shipped() {
            Ok(shipped) => catalogue.rules = rules(shipped, own, schema, options, &**host, problems),
            Err(message) => problems.push(Problem { path: "catalogue".into(), message }),
        }
        let checks = [
            nodes::Nodes::of(own, schema, options, &**host, problems),
            divisions::Divisions::of(own, schema, options, &**host, problems),
            industries::Industries::of(own, schema, options, &**host, problems),
            dates::Past::of(own, schema, options, problems),
            evidence::Types::of(own, schema, options),
            photos::Photos::of(own, schema, options),
            permits::Permits::of(own, schema, options),
            lists::Lists::of(own, schema, options, &**host, problems),
            personal::Personal::of(own, schema, options),
        ];
        catalogue.checks = checks.into_iter().flatten().collect();
        catalogue
    }

    /// Adds what is wrong with the rows of a batch.
    pub(crate) fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let files = with_files(sight.batch);
        for placed in self.rules.iter().filter(|placed| placed.sent.iter().all(|field| sight.sent(field))) {
            let mut found = Findings::none();
            placed.rule.judge(sight.batch, sight.rows, sight.cells, &mut found)?;
            let answered =
                |row: Option<i64>| placed.answered_by_files && row.is_some_and(|row| files.contains(&row));
            findings.extend(found.into_iter().filter(|finding| !answered(finding.row)));
        }
        self.checks.iter_mut().try_for_each(|check| check.judge(sight, findings))
    }
}

fn rules(
    shipped: Shipped,
    own: &CatalogueOptions,
    schema: &SchemaRef,
    options: &Options,
    host: &dyn Host,
    problems: &mut Vec<Problem>,
) -> Vec<Placed> {
    let mut settings = shipped.settings;
    for (name, value) in &own.settings {
        let mut wrong = |message: String| {
            problems.push(Problem { path: format!("catalogue.settings.{name}"), message });
        };
        match settings.get(name) {
            None => {
                let known: Vec<&str> = settings.keys().map(String::as_str).collect();
                wrong(format!("there is no setting `{name}`; there are: {}", known.join(", ")));
            }
            Some(usual) if std::mem::discriminant(usual) != std::mem::discriminant(value) => {
                wrong(format!("a value like `{usual}` is needed here, not `{value}`"));
            }
            Some(_) => drop(settings.insert(name.clone(), value.clone())),
        }
    }
    let mut all = Vec::new();
    for rule in shipped.rules {
        let there = rule.fields.iter().all(|field| schema.index_of(field).is_ok());
        let empty = |name: &String| settings.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty);
        let level = options.severity.get(&format!("{}.{}", rule.id, rule.part));
        let level =
            level.or_else(|| options.severity.get(&rule.id)).map_or(Some(rule.severity), |level| level.0);
        if !there || level.is_none() || rule.needs_settings.iter().any(empty) {
            continue;
        }
        let fill = |sql: &String| fill(sql, &settings);
        let made = RuleOptions {
            check: fill(&rule.check),
            when: rule.when.as_ref().map(fill),
            message: Some(Text::new(rule.zh, rule.en)),
            severity: Level(level),
            field: Some(rule.field),
            missing: Some(rule.missing.unwrap_or(Missing::Pass)),
            needs: rule.needs,
            id: rule.id,
        };
        let mut wrong = Vec::new();
        let (sent, answered_by_files) = (rule.sent, rule.answered_by_files);
        let placed = Rule::new(&made, schema, options, host, &mut wrong);
        all.extend(placed.map(|rule| Placed { rule, sent, answered_by_files }));
        problems.extend(wrong.into_iter().map(|(key, message)| Problem {
            path: "catalogue".into(),
            message: format!("`{key}` of {}.{}: {message}", made.id, rule.part),
        }));
    }
    all
}

/// Puts the settings into an SQL text: numbers as they are, texts quoted, lists as `a, b`. Longer names go first, so
/// that none is taken for the beginning of another.
fn fill(sql: &str, settings: &BTreeMap<String, Value>) -> String {
    let mut names: Vec<&String> = settings.keys().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names
        .into_iter()
        .fold(sql.to_owned(), |sql, name| sql.replace(&format!("${name}"), &literal(&settings[name])))
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Array(items) => {
            let texts = items.iter().map(|item| match item {
                Value::String(text) => literal(&Value::String(text.clone())),
                other => literal(&Value::String(other.to_string())),
            });
            texts.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_literals_that_cannot_leave_their_place() {
        let settings: BTreeMap<String, Value> = serde_json::from_str(
            r#"{"share": 1.05, "share_of": 2, "words": "a'b", "codes": [320412, "320483"]}"#,
        )
        .unwrap();
        let sql = fill("x * $share_of + $share < 1 AND y = $words AND z IN ($codes)", &settings);
        assert_eq!(sql, "x * 2 + 1.05 < 1 AND y = 'a''b' AND z IN ('320412', '320483')");
    }

    #[test]
    fn a_rule_is_named_by_its_number_or_its_part() {
        for (word, known) in [
            ("V01", true),
            ("V26", true),
            ("V08.plan", true),
            ("V27", false),
            ("V8", false),
            ("V08.x", false),
        ] {
            assert_eq!(is_rule(word), known, "{word}");
        }
    }
}
