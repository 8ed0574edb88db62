//! What is counted and kept over a whole delivery.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use hashbrown::HashSet;
use huiliu_stage::{EVIDENCE, Fate, Finding, Severity};

use super::late::Noted;
use crate::ports::Counts;

/// The counts, the findings that are shown, and where rows went.
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) codes: BTreeMap<String, u64>,
    pub(super) findings: Vec<Finding>,
    shown: usize,
    /// Rows that files came with.
    with_evidence: HashSet<i64>,
    /// The records that such rows were merged into.
    pub(super) went_into: HashMap<i64, String>,
    /// Rows that went to quarantine.
    pub(super) quarantined: HashSet<i64>,
    /// Rows that were logged and went into rows logged later.
    pub(super) replaced: Vec<i64>,
    /// What another run may be due for.
    pub(super) late: Noted,
}

impl Tally {
    pub(super) fn new(shown: usize) -> Self {
        Self {
            counts: Counts::default(),
            codes: BTreeMap::new(),
            findings: Vec::new(),
            shown,
            with_evidence: HashSet::new(),
            went_into: HashMap::new(),
            quarantined: HashSet::new(),
            replaced: Vec::new(),
            late: Noted::default(),
        }
    }

    /// A row that was logged went into one that is logged now.
    pub(super) fn replace(&mut self, earlier: i64) {
        if self.quarantined.contains(&earlier) {
            return;
        }
        self.counts.rows_out = self.counts.rows_out.saturating_sub(1);
        self.counts.accepted = self.counts.accepted.saturating_sub(1);
        self.counts.merged += 1;
        self.replaced.push(earlier);
    }

    /// Takes note of the rows of a batch that files came with.
    pub(super) fn note_evidence(&mut self, batch: &RecordBatch) {
        if let Some(rows) = batch.schema_ref().metadata.get(EVIDENCE) {
            self.with_evidence.extend(serde_json::from_str::<Vec<i64>>(rows).unwrap_or_default());
        }
    }

    pub(super) fn note(&mut self, findings: &[Finding]) {
        for finding in findings {
            match finding.severity {
                Severity::Error => self.counts.errors += 1,
                Severity::Warning => self.counts.warnings += 1,
                Severity::Info => self.counts.infos += 1,
            }
            match self.codes.get_mut(&finding.code) {
                Some(times) => *times += 1,
                None => {
                    self.codes.insert(finding.code.clone(), 1);
                }
            }
        }
        if !self.with_evidence.is_empty() {
            for finding in findings.iter().filter(|finding| finding.fate == Fate::Merged) {
                if let (Some(row), Some(record)) = (finding.row, &finding.raw)
                    && self.with_evidence.contains(&row)
                {
                    self.went_into.insert(row, record.clone());
                }
            }
        }
        let room = self.shown.saturating_sub(self.findings.len());
        self.findings.extend(findings.iter().take(room).cloned());
    }
}
