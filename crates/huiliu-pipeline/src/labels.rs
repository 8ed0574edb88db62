//! Codes and weights of findings, as a pipeline wants them.
//!
//! The reader and the stages name what they find by codes of their own. Whoever counts by a catalogue (V01 to V26)
//! says under `findings:` which of its numbers they go by and how much they weigh: one place for all of them, whoever
//! made the finding.
//!
//! What cannot be changed: why a whole file was refused, and what became of a row that a stage did not give on.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use hashbrown::HashSet;
use huiliu_stage::{Fate, Finding, Severity, StageError};
use serde::Deserialize;

use crate::account::row_ids;

/// `findings: {CODE: …}`, by the code under which a finding was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, Label>);

/// What becomes of the findings of one code: a weight, or a mapping with another code, a weight, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected `error`, `warning`, `info`, `off` or `{code, severity}`")]
enum Label {
    Weight(Weight),
    Other(Other),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Other {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    severity: Option<Weight>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Error,
    Warning,
    Info,
    Off,
}

impl Weight {
    /// `None`: such findings are not told.
    fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Off => None,
        }
    }
}

impl Label {
    fn code(&self) -> Option<&String> {
        match self {
            Self::Weight(_) => None,
            Self::Other(other) => other.code.as_ref(),
        }
    }

    fn weight(&self) -> Option<Weight> {
        match self {
            Self::Weight(weight) => Some(*weight),
            Self::Other(other) => other.severity,
        }
    }
}

impl Labels {
    /// Puts the pipeline's codes and weights on findings. `given` is the batch that they came with.
    ///
    /// # Errors
    /// The batch has no row numbers.
    pub(crate) fn put_on(&self, findings: &mut Vec<Finding>, given: &RecordBatch) -> Result<(), StageError> {
        if self.0.is_empty() || findings.iter().all(|finding| !self.0.contains_key(&finding.code)) {
            return Ok(());
        }
        // A refused row that did not come out again stays refused: there is nothing that could go on.
        let there: HashSet<i64> = row_ids(given)?.values().iter().copied().collect();
        findings.retain_mut(|finding| {
            let Some(label) = self.0.get(&finding.code) else { return true };
            let gone =
                finding.severity == Severity::Error && finding.row.is_some_and(|row| !there.contains(&row));
            // What says what became of a row must be told, and the row is somewhere else by now.
            let fits = |weight: &Weight| {
                finding.fate == Fate::Stays || matches!(weight, Weight::Info | Weight::Warning)
            };
            match label.weight().filter(|weight| !gone && fits(weight)).map(Weight::severity) {
                Some(None) => return false,
                Some(Some(severity)) => finding.severity = severity,
                None => {}
            }
            if let Some(code) = label.code() {
                finding.code.clone_from(code);
            }
            true
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};
    use huiliu_stage::ROW;

    use super::*;

    #[test]
    fn a_finding_goes_by_the_code_and_weight_of_the_pipeline() {
        let json = r#"{"gap": "off", "V15": "info", "duplicate": {"code": "V16"},
                       "missing": {"code": "V13", "severity": "error"}, "bad": "warning", "merged": "warning"}"#;
        let labels: Labels = serde_json::from_str(json).unwrap();
        let schema = Schema::new(vec![Field::new(ROW, DataType::Int64, false)]);
        let given =
            RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![1]))]).unwrap();
        let said = |row, severity, code: &str| Finding::new(Some(row), severity, code, "x".into());
        let mut findings = vec![
            said(1, Severity::Warning, "gap"),
            said(1, Severity::Warning, "V15"),
            said(2, Severity::Info, "duplicate").with_fate(Fate::Dropped),
            said(3, Severity::Info, "merged").with_fate(Fate::Merged),
            said(3, Severity::Info, "gap").with_fate(Fate::Merged),
            said(1, Severity::Warning, "missing"),
            said(1, Severity::Error, "bad"),
            said(2, Severity::Error, "bad"), // This row did not come out: it cannot be let pass.
            said(1, Severity::Error, "V07"),
        ];
        labels.put_on(&mut findings, &given).unwrap();
        let told: Vec<_> = findings.iter().map(|f| (f.row, f.severity, &*f.code)).collect();
        let expected = [
            (Some(1), Severity::Info, "V15"),
            (Some(2), Severity::Info, "V16"),
            (Some(3), Severity::Warning, "merged"),
            (Some(3), Severity::Info, "gap"),
            (Some(1), Severity::Error, "V13"),
            (Some(1), Severity::Warning, "bad"),
            (Some(2), Severity::Error, "bad"),
            (Some(1), Severity::Error, "V07"),
        ];
        assert_eq!(told, expected);
    }
}
