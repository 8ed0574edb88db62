//! Rows that are refused when a stage before has remembered them already.
//!
//! What a stage remembers of a row must not outlive the row's refusal: a merged value would come out with the next row
//! of its record, a key that counts as seen would drop the row's own correction. So when a delivery has come to its
//! end and a row was refused behind a stage that changed its state, nothing of it is kept and it is run once more, with
//! such rows taken out before the first stage that remembers. There they wait, with the reasons they were refused for,
//! and there a retry goes on.
//!
//! The stages before that one see the rows again, so what they say about them stays as it was. A row can hide behind
//! another of the same record, so this goes on until no more rows are refused; a delivery that needs more than [`RUNS`]
//! runs is refused as a whole.

use std::collections::HashMap;

use hashbrown::HashSet;
use huiliu_stage::{Finding, Severity, Text, row_number};

use super::stop::Stop;

/// How often a delivery is run before it is refused as a whole.
const RUNS: usize = 32;

/// How many rows are named when it is.
const NAMED: usize = 10;

/// Rows to be taken out, with what was said against them.
#[derive(Default)]
pub(super) struct Late {
    /// The stage before which they are taken out.
    before: usize,
    runs: usize,
    rows: HashMap<i64, Refused>,
}

/// Why a row was refused, and at which stage.
pub(super) struct Refused {
    at: usize,
    why: Vec<Finding>,
}

/// Takes note of rows that the stage at `at` refused.
pub(super) fn note(
    noted: &mut HashMap<i64, Refused>,
    at: usize,
    refused: &HashSet<i64>,
    findings: &[Finding],
) {
    for finding in findings {
        if let Some(row) = finding.row.filter(|row| refused.contains(row)) {
            noted.entry(row).or_insert_with(|| Refused { at, why: Vec::new() }).why.push(finding.clone());
        }
    }
}

impl Late {
    /// Takes in what was refused in a run behind `remembers`, the first stage that changed its state. Tells whether a
    /// row is among it that was not taken out yet, so that another run is due.
    ///
    /// # Errors
    /// There is no end to it: the delivery is refused.
    pub(super) fn take_in(
        &mut self,
        noted: &mut HashMap<i64, Refused>,
        remembers: Option<usize>,
    ) -> Result<bool, Stop> {
        let Some(remembers) = remembers else { return Ok(false) };
        let known = self.rows.len();
        for (row, refused) in noted.drain().filter(|(_, refused)| refused.at > remembers) {
            self.rows.entry(row).or_insert(refused);
        }
        if self.rows.len() == known {
            return Ok(false);
        }
        self.before = if known == 0 { remembers } else { self.before.min(remembers) };
        self.runs += 1;
        if self.runs == RUNS { Err(self.endless()) } else { Ok(true) }
    }

    /// What was said against those of these rows that are taken out before stage `at`.
    pub(super) fn against(&self, at: usize, rows: &[i64]) -> Vec<Finding> {
        if self.rows.is_empty() || at != self.before {
            return Vec::new();
        }
        let mut told = HashSet::new();
        let rows = rows.iter().filter(|row| told.insert(**row)).filter_map(|row| self.rows.get(row));
        rows.flat_map(|refused| &refused.why).cloned().collect()
    }

    fn endless(&self) -> Stop {
        let mut rows: Vec<u32> = self.rows.keys().map(|row| row_number(*row)).collect();
        rows.sort_unstable();
        rows.truncate(NAMED);
        let rows: Vec<String> = rows.iter().map(u32::to_string).collect();
        let text = Text::new(
            format!(
                "同一记录的多行数据接连被拒绝（已连续处理{RUNS}遍），整个文件未被接收；请先更正第{}行等处，再重新报送",
                rows.join("、")
            ),
            format!(
                "rows of the same records were refused one after the other, in {RUNS} runs, so the whole file was \
                 not taken; correct rows such as {} and send it again",
                rows.join(", ")
            ),
        );
        Stop::Refuse(Box::new(Finding::new(None, Severity::Error, "rows-refused", text)))
    }
}
