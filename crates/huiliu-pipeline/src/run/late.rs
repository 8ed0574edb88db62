//! Rows that are refused when a stage before has remembered them already.
//!
//! What a stage remembers of a row must not outlive the row's refusal: a merged value would come out with the next row
//! of its record, a key that counts as seen would drop the row's own correction. So when a delivery has come to its
//! end and a row was refused behind a stage that changed its state, nothing of it is kept and it is run once more, with
//! such rows taken out before the first stage that remembers. There they wait, with all that was said of them from there
//! on, and there a retry goes on.
//!
//! No row is taken out for the fault of another. Where rows of a batch were merged, nobody can tell whose fault it is, so
//! the next run gives them one by one; a row that went on from a refused one, or met what a stage remembered of it, is
//! judged again without that one. Each run takes out one row at least. After [`RUNS`] of them whoever is refused is
//! taken out, after twice as many the delivery is refused as a whole.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use hashbrown::HashSet;
use huiliu_stage::{Fate, Finding, Findings, NO_SHEET, Outcome, Severity, Text, row_number, sheet_ordinal};

use super::stop::Stop;

/// How many runs are made to find out whose fault it is.
const RUNS: usize = 32;

/// How many rows are named when there is no end to it.
const NAMED: usize = 10;

/// What is known of a delivery from the runs before.
#[derive(Default)]
pub(super) struct Late {
    /// The stage before which rows are taken out.
    before: usize,
    runs: usize,
    /// Rows to be taken out, with what was said of them.
    out: HashMap<i64, Vec<Finding>>,
    /// Rows to be given one by one.
    apart: HashSet<i64>,
}

/// What happens to rows in one run.
#[derive(Default)]
pub(super) struct Noted {
    /// How many batches there were so far.
    batches: usize,
    refused: Vec<Refused>,
    /// Rows that a stage which keeps state has merged into others.
    merged: HashSet<i64>,
    /// Row -> the one of an earlier batch whose record it carries on.
    carries_on: HashMap<i64, i64>,
}

/// A row that was refused behind a stage that keeps state.
struct Refused {
    batch: usize,
    row: i64,
    at: usize,
    /// Whether the stage that refused it keeps state itself.
    keeps: bool,
    /// Whether no rows of its batch were merged, so that it was refused for what it says itself.
    alone: bool,
    said: Vec<Finding>,
}

impl Noted {
    /// Another batch comes.
    pub(super) fn begin(&mut self) {
        self.batches += 1;
    }

    /// The stage at `at` refused these rows. `said` is what was said since the first stage that keeps state.
    pub(super) fn refused(
        &mut self,
        (at, keeps): (usize, bool),
        alone: bool,
        rows: &HashSet<i64>,
        said: &[Finding],
    ) {
        let first = self.refused.len();
        for finding in said.iter().filter(|finding| finding.fate == Fate::Stays) {
            let Some(row) = finding.row.filter(|row| rows.contains(row)) else { continue };
            match self.refused[first..].iter_mut().find(|refused| refused.row == row) {
                Some(refused) => refused.said.push(finding.clone()),
                None => {
                    let said = vec![finding.clone()];
                    let batch = self.batches;
                    self.refused.push(Refused { batch, row, at, keeps, alone, said });
                }
            }
        }
    }

    /// A stage that keeps state has merged these rows into others.
    pub(super) fn merged(&mut self, rows: &[i64]) {
        self.merged.extend(rows);
    }

    /// Rows that carry on records of rows of earlier batches.
    pub(super) fn carry_on(&mut self, pairs: &[(i64, i64)]) {
        self.carries_on.extend(pairs.iter().copied());
    }

    /// Whether a row carries on the record of one of these.
    fn goes_on_from(&self, row: i64, rows: &HashSet<i64>) -> bool {
        let mut at = row;
        // A chain is no longer than there are pairs, whatever a stage names.
        for _ in 0..self.carries_on.len() {
            match self.carries_on.get(&at) {
                Some(earlier) if rows.contains(earlier) => return true,
                Some(earlier) => at = *earlier,
                None => return false,
            }
        }
        false
    }
}

impl Late {
    /// Takes in what a run has shown. `remembers` is the first stage that changed its state in it. Tells whether another
    /// run is due.
    ///
    /// # Errors
    /// There is no end to it: the delivery is refused.
    pub(super) fn take_in(&mut self, mut run: Noted, remembers: Option<usize>) -> Result<bool, Stop> {
        let Some(remembers) = remembers else { return Ok(false) };
        let mut refused = std::mem::take(&mut run.refused);
        // What a stage made itself cannot be taken out: it does not come in.
        refused.retain(|refused| {
            let comes_in = sheet_ordinal(refused.row) != NO_SHEET;
            comes_in && refused.at > remembers && !self.out.contains_key(&refused.row)
        });
        if refused.is_empty() {
            return Ok(false);
        }
        self.before = if self.out.is_empty() { remembers } else { self.before.min(remembers) };
        self.runs += 1;
        if self.runs > 2 * RUNS {
            return Err(endless(&refused));
        }
        let patient = self.runs <= RUNS;
        if patient && refused.iter().any(|refused| !refused.alone) {
            self.apart.extend(&run.merged);
            self.apart.extend(refused.iter().map(|refused| refused.row));
            return Ok(true);
        }
        // In the order in which they came; the stages of a batch refuse them in another.
        refused.sort_by_key(|refused| (refused.batch, refused.row));
        let (mut before, mut furthest) = (HashSet::new(), None);
        for Refused { row, at, keeps, said, .. } in refused {
            let met = keeps && furthest.is_some_and(|furthest| furthest > at);
            let anothers_fault = patient && (met || run.goes_on_from(row, &before));
            before.insert(row);
            furthest = furthest.max(Some(at));
            if !anothers_fault {
                self.out.insert(row, said);
            }
        }
        Ok(true)
    }

    /// What was said of those of these rows that are taken out before stage `at`.
    pub(super) fn against(&self, at: usize, rows: &[i64]) -> Vec<Finding> {
        if self.out.is_empty() || at != self.before {
            return Vec::new();
        }
        let mut told = HashSet::new();
        let rows = rows.iter().filter(|row| told.insert(**row)).filter_map(|row| self.out.get(row));
        rows.flatten().cloned().collect()
    }

    /// What was read, in pieces: rows that are to be given one by one are. `ids` are the batch's rows.
    pub(super) fn pieces(&self, read: Outcome, ids: &[i64]) -> Vec<Outcome> {
        if !ids.iter().any(|row| self.apart.contains(row)) {
            return vec![read];
        }
        let Outcome { batch, findings } = read;
        let mut cuts: Vec<(usize, usize)> = Vec::new();
        let mut last_apart = true;
        for (at, row) in ids.iter().enumerate() {
            let apart = self.apart.contains(row);
            match cuts.last_mut() {
                Some((_, end)) if !apart && !last_apart => *end = at + 1,
                _ => cuts.push((at, at + 1)),
            }
            last_apart = apart;
        }
        let mut of_row: HashMap<i64, Vec<Finding>> = HashMap::new();
        let mut of_none = Vec::new();
        for finding in findings.0 {
            match finding.row.filter(|row| ids.contains(row)) {
                Some(row) => of_row.entry(row).or_default().push(finding),
                None => of_none.push(finding),
            }
        }
        let piece = |(from, end): (usize, usize)| -> Outcome {
            let batch: RecordBatch = batch.slice(from, end - from);
            let mut findings = std::mem::take(&mut of_none);
            findings.extend(ids[from..end].iter().filter_map(|row| of_row.remove(row)).flatten());
            Outcome { batch, findings: Findings(findings) }
        };
        cuts.into_iter().map(piece).collect()
    }
}

fn endless(refused: &[Refused]) -> Stop {
    let mut rows: Vec<u32> = refused.iter().map(|refused| row_number(refused.row)).collect();
    rows.sort_unstable();
    rows.truncate(NAMED);
    let rows: Vec<String> = rows.iter().map(u32::to_string).collect();
    let runs = 2 * RUNS;
    let text = Text::new(
        format!(
            "同一记录的多行数据接连被拒绝（已连续处理{runs}遍），整个文件未被接收；请先更正第{}行等处，再重新报送",
            rows.join("、")
        ),
        format!(
            "rows of the same records were refused one after the other, in {runs} runs, so the whole file was not taken; \
             correct rows such as {} and send it again",
            rows.join(", ")
        ),
    );
    Stop::Refuse(Box::new(Finding::new(None, Severity::Error, "rows-refused", text)))
}
