//! Findings: what is wrong or notable about a cell, a row or a delivery.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field as ArrowField, Int64Type, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::StageError;

/// How much a finding weighs. An [`Error`](Severity::Error) on a row sends the row to quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// The row goes on, somebody should look.
    Warning,
    /// The row is refused until it is repaired.
    Error,
}

impl Severity {
    /// The word used in YAML, in JSON and across the C face.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The opposite of [`as_str`](Self::as_str).
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Error].into_iter().find(|s| s.as_str() == word)
    }
}

/// What became of a row that does not come out of a stage again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// The row comes out again, or is refused if the severity is an error.
    #[default]
    Stays,
    /// The row's values went into another row or record.
    Merged,
    /// The row was left out on purpose; the message says why.
    Dropped,
}

impl Fate {
    /// The word used across the C face.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::Merged => "merged",
            Self::Dropped => "dropped",
        }
    }

    /// The opposite of [`as_str`](Self::as_str).
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Stays, Self::Merged, Self::Dropped].into_iter().find(|f| f.as_str() == word)
    }
}

/// A sentence for a person, in Chinese and, where there is one, in English.
///
/// In YAML either a string (`message: 超出总投资`) or both (`message: {zh: …, en: …}`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "TextForm", into = "TextForm")]
pub struct Text {
    /// The sentence in Chinese.
    pub zh: String,
    /// The sentence in English; empty when there is none.
    pub en: String,
}

impl Text {
    /// Both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The sentence in `language` (`"en"`, anything else is Chinese), or whichever there is.
    pub fn in_language(&self, language: &str) -> &str {
        let (first, second) = if language == "en" { (&self.en, &self.zh) } else { (&self.zh, &self.en) };
        if first.is_empty() { second } else { first }
    }
}

impl From<&str> for Text {
    fn from(zh: &str) -> Self {
        Self::new(zh, "")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum TextForm {
    Plain(String),
    Both {
        zh: String,
        #[serde(default)]
        en: String,
    },
}

impl From<TextForm> for Text {
    fn from(form: TextForm) -> Self {
        match form {
            TextForm::Plain(zh) => Self { zh, en: String::new() },
            TextForm::Both { zh, en } => Self { zh, en },
        }
    }
}

impl From<Text> for TextForm {
    fn from(text: Text) -> Self {
        match text.en.is_empty() {
            true => Self::Plain(text.zh),
            false => Self::Both { zh: text.zh, en: text.en },
        }
    }
}

/// Something wrong or notable about a cell, a row or a whole delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The `_row` it is about; `None` for the delivery as a whole.
    pub row: Option<i64>,
    /// The field (column name) it is about, if one.
    pub field: Option<String>,
    /// How much it weighs.
    pub severity: Severity,
    /// A short stable name, such as `required` or `V04`; programs and counts use it.
    pub code: String,
    /// What is wrong and what to do, for the sender.
    pub message: Text,
    /// The value as it was sent, or other facts, for programs; often empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// What became of the row.
    #[serde(default)]
    pub fate: Fate,
}

impl Finding {
    /// A finding about `row`; fill in the rest with the `with_…` methods.
    pub fn new(row: Option<i64>, severity: Severity, code: impl Into<String>, message: Text) -> Self {
        Self { row, field: None, severity, code: code.into(), message, raw: None, fate: Fate::Stays }
    }

    /// Names the field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Keeps the value as it was sent.
    #[must_use]
    pub fn with_raw(mut self, raw: impl Into<String>) -> Self {
        self.raw = Some(raw.into());
        self
    }

    /// Says what became of the row.
    #[must_use]
    pub fn with_fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }
}

/// The findings of one call of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    /// No findings.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// The shape in which findings cross the C face:
    /// `row` Int64?, `field` Utf8?, `severity`, `code`, `message`, `message_en` Utf8, `raw` Utf8?, `fate` Utf8.
    pub fn schema() -> SchemaRef {
        let text = |name, nullable| ArrowField::new(name, DataType::Utf8, nullable);
        Arc::new(Schema::new(vec![
            ArrowField::new("row", DataType::Int64, true),
            text("field", true),
            text("severity", false),
            text("code", false),
            text("message", false),
            text("message_en", false),
            text("raw", true),
            text("fate", false),
        ]))
    }

    /// As a batch of [`schema`](Self::schema).
    pub fn to_batch(&self) -> Result<RecordBatch, StageError> {
        let all = &self.0;
        let text = |f: fn(&Finding) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(all.iter().map(f)))
        };
        let maybe = |f: fn(&Finding) -> Option<&str>| -> ArrayRef {
            Arc::new(all.iter().map(f).collect::<StringArray>())
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(all.iter().map(|f| f.row).collect::<Int64Array>()),
            maybe(|f| f.field.as_deref()),
            text(|f| f.severity.as_str()),
            text(|f| &f.code),
            text(|f| &f.message.zh),
            text(|f| &f.message.en),
            maybe(|f| f.raw.as_deref()),
            text(|f| f.fate.as_str()),
        ];
        Ok(RecordBatch::try_new(Self::schema(), columns)?)
    }

    /// From a batch of [`schema`](Self::schema), such as another language's stage gives.
    /// Columns are found by name; `row`, `field`, `message_en`, `raw` and `fate` may be absent.
    ///
    /// # Errors
    /// Names the column that is missing or of another type, or the word that is not known.
    pub fn from_batch(batch: &RecordBatch) -> Result<Self, StageError> {
        let text = |name: &str| -> Result<Option<&StringArray>, StageError> {
            match batch.column_by_name(name) {
                None => Ok(None),
                Some(column) => column
                    .as_string_opt::<i32>()
                    .map(Some)
                    .ok_or_else(|| StageError::new(format!("column `{name}` of the findings is not Utf8"))),
            }
        };
        let needed = |name: &str| {
            text(name)?.ok_or_else(|| StageError::new(format!("the findings lack column `{name}`")))
        };
        let get = |column: Option<&StringArray>, i: usize| {
            column.filter(|c| c.is_valid(i)).map(|c| c.value(i).to_owned())
        };
        let rows = match batch.column_by_name("row") {
            None => None,
            Some(column) => Some(
                column
                    .as_primitive_opt::<Int64Type>()
                    .ok_or_else(|| StageError::new("column `row` of the findings is not Int64"))?,
            ),
        };
        let (severity, code, message) = (needed("severity")?, needed("code")?, needed("message")?);
        let (field, english, raw, fate) = (text("field")?, text("message_en")?, text("raw")?, text("fate")?);
        let unknown = |what: &str, word: &str| {
            StageError::new(format!("`{word}` is not a {what} that findings may have"))
        };
        let mut all = Vec::with_capacity(batch.num_rows());
        for i in 0..batch.num_rows() {
            let word = severity.value(i);
            let fate = match get(fate, i) {
                None => Fate::Stays,
                Some(word) => Fate::parse(&word).ok_or_else(|| unknown("fate", &word))?,
            };
            all.push(Finding {
                row: rows.filter(|r| r.is_valid(i)).map(|r| r.value(i)),
                field: get(field, i),
                severity: Severity::parse(word).ok_or_else(|| unknown("severity", word))?,
                code: code.value(i).to_owned(),
                message: Text::new(message.value(i), get(english, i).unwrap_or_default()),
                raw: get(raw, i),
                fate,
            });
        }
        Ok(Self(all))
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, iter: T) {
        self.0.extend(iter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_survive_the_crossing() {
        let all = Findings(vec![
            Finding::new(Some(7), Severity::Error, "V04", Text::new("信用代码错误", "bad code"))
                .with_field("owner_uscc")
                .with_raw("91…"),
            Finding::new(None, Severity::Info, "note", "好".into()).with_fate(Fate::Merged),
        ]);
        let batch = all.to_batch().unwrap();
        assert_eq!(Findings::from_batch(&batch).unwrap(), all);
    }

    #[test]
    fn an_unknown_severity_is_named() {
        let mut batch =
            Findings(vec![Finding::new(None, Severity::Info, "x", "y".into())]).to_batch().unwrap();
        let mut columns = batch.columns().to_vec();
        columns[2] = Arc::new(StringArray::from(vec!["fatal"]));
        batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
        let error = Findings::from_batch(&batch).unwrap_err().to_string();
        assert_eq!(error, "`fatal` is not a severity that findings may have");
    }

    #[test]
    fn a_text_is_one_string_or_both_languages() {
        let both: Text = serde_json::from_str(r#"{"zh":"甲","en":"a"}"#).unwrap();
        assert_eq!(both, Text::new("甲", "a"));
        let plain: Text = serde_json::from_str(r#""甲""#).unwrap();
        assert_eq!(plain.in_language("en"), "甲");
    }
}
