//! One batch on its way through the stages: each stage's rows are accounted for, refused ones go to quarantine,
//! what is left at the end is logged for the sinks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use hashbrown::HashSet;
use huiliu_stage::{DECISIONS, Finding, Findings, Outcome, REPLACES, Severity, StageError, UNREADABLE};
use tracing::{debug, info_span};

use super::late::Late;
use super::stop::{Stop, failed};
use super::tally::Tally;
use super::{Placed, Slot};
use crate::account::{account, only, refused_rows, row_ids, without};
use crate::labels::Labels;
use crate::ports::{LogWriter, Stream};
use crate::rejects::Rejects;

/// One batch on its way through the stages.
pub(super) struct Passage<'a> {
    pub(super) batch: RecordBatch,
    /// Rows that the reader refused and that are still in the batch.
    pending: HashSet<i64>,
    /// Findings of this batch so far, the reader's first.
    findings: Vec<Finding>,
    /// How many of them are the reader's.
    of_reader: usize,
    /// Whether a stage made these rows at the end of the delivery: they were counted as merged when it
    /// held them back.
    pub(super) made: bool,
    /// The stage that the batch is in, if one before it keeps state.
    behind: Option<usize>,
    /// How many findings there were before the first stage that keeps state.
    before_state: Option<usize>,
    /// Whether a stage that keeps state has merged rows of it.
    has_merged: bool,
    /// Rows of this batch that stand for rows of earlier ones, with those.
    replaces: Vec<(i64, i64)>,
    tally: &'a mut Tally,
    rejects: &'a Rejects,
    log: &'a mut dyn LogWriter,
}

impl<'a> Passage<'a> {
    pub(super) fn new(
        batch: RecordBatch,
        findings: Findings,
        tally: &'a mut Tally,
        rejects: &'a Rejects,
        log: &'a mut dyn LogWriter,
    ) -> Self {
        let findings = findings.0;
        tally.note_evidence(&batch);
        tally.note(&findings);
        let pending = refused_rows(&findings);
        let of_reader = findings.len();
        Self {
            batch,
            pending,
            findings,
            of_reader,
            made: false,
            behind: None,
            before_state: None,
            has_merged: false,
            replaces: Vec::new(),
            tally,
            rejects,
            log,
        }
    }

    /// Takes the batch through the stages, beginning with the one at `from`.
    pub(super) fn onward(
        &mut self,
        stages: &mut [Placed],
        from: usize,
        late: &Late,
        labels: &Labels,
    ) -> Result<(), Stop> {
        for at in from..stages.len() {
            self.stand(at, stages);
            let placed = &mut stages[at];
            self.take_out(late, at, &placed.slot.name)?;
            let said = self.findings.len();
            self.through(placed, labels)?;
            if placed.slot.host.keeps_state() {
                self.before_state.get_or_insert(said);
            }
        }
        Ok(())
    }

    /// The batch is in the stage at `at` now.
    pub(super) fn stand(&mut self, at: usize, stages: &[Placed]) {
        self.behind = stages[..at].iter().any(|placed| placed.slot.host.keeps_state()).then_some(at);
    }

    /// Takes out the rows that were refused late in the run before; they wait for a retry here.
    fn take_out(&mut self, late: &Late, at: usize, stage: &str) -> Result<(), Stop> {
        let rows = row_ids(&self.batch).map_err(|error| failed(stage, &error))?;
        let against = late.against(at, rows.values());
        if against.is_empty() {
            return Ok(());
        }
        self.tally.note(&against);
        let refused = refused_rows(&against);
        self.findings.extend(against);
        self.route(stage, &refused)
    }

    /// Takes the batch through one stage.
    fn through(&mut self, placed: &mut Placed, labels: &Labels) -> Result<(), Stop> {
        let name = &placed.slot.name;
        if !self.pending.is_empty() && !placed.sees_refused {
            let refused = std::mem::take(&mut self.pending);
            self.route("read", &refused)?;
        }
        let Some(stage) = placed.stage.as_mut() else { return Ok(()) };
        let facts = facts_of(&self.batch);
        let input = self.with_unreadable();
        let outcome = info_span!("stage", name, rows_in = input.num_rows())
            .in_scope(|| {
                let result = stage.process(input.clone());
                if let Ok(outcome) = &result {
                    debug!(rows = outcome.batch.num_rows(), findings = outcome.findings.len(), "batch done");
                }
                result
            })
            .and_then(|Outcome { batch, findings }| {
                let replaces = replaces(&batch)?;
                Ok((conform(&placed.slot, Some(&facts), batch)?, findings, replaces))
            })
            .map_err(|error| failed(name, &error))?;
        let (batch, mut findings, replaces) = outcome;
        labels.put_on(&mut findings.0, &batch).map_err(|error| failed(name, &error))?;
        self.tally.late.carry_on(&replaces);
        self.replaces.extend(replaces);
        let before = std::mem::replace(&mut self.batch, batch);
        self.settle(placed, Some(&before), findings.0)
    }

    /// Accounts for the rows of one stage and takes the refused ones out. `before` is what the stage was
    /// given; without it the rows are the stage's own.
    pub(super) fn settle(
        &mut self,
        placed: &Placed,
        before: Option<&RecordBatch>,
        findings: Vec<Finding>,
    ) -> Result<(), Stop> {
        let (name, keeps) = (&*placed.slot.name, placed.slot.host.keeps_state());
        self.tally.note(&findings);
        let mut refused = match before {
            Some(before) => {
                let account =
                    account(before, &self.batch, &findings).map_err(|error| failed(name, &error))?;
                self.tally.counts.merged += account.merged.len() as u64;
                if keeps && !account.merged.is_empty() {
                    self.has_merged = true;
                    self.tally.late.merged(&account.merged);
                }
                self.tally.counts.dropped += account.dropped;
                account.refused
            }
            None => refused_rows(&findings),
        };
        self.findings.extend(findings);
        if let (Some(at), false) = (self.behind, refused.is_empty()) {
            let said = self.findings.get(self.before_state.unwrap_or(0)..).unwrap_or_default();
            self.tally.late.refused((at, keeps), !self.has_merged, &refused, said);
        }
        refused.extend(std::mem::take(&mut self.pending));
        if refused.is_empty() {
            return Ok(());
        }
        let out = only(before.unwrap_or(&self.batch), &refused).map_err(|error| failed(name, &error))?;
        self.write_rejects(name, &out)?;
        self.batch = without(&self.batch, &refused).map_err(|error| failed(name, &error))?;
        Ok(())
    }

    /// Takes rows out of the batch and into quarantine.
    fn route(&mut self, stage: &str, refused: &HashSet<i64>) -> Result<(), Stop> {
        let out = only(&self.batch, refused).map_err(|error| failed(stage, &error))?;
        self.batch = without(&self.batch, refused).map_err(|error| failed(stage, &error))?;
        self.write_rejects(stage, &out)
    }

    fn write_rejects(&mut self, stage: &str, out: &RecordBatch) -> Result<(), Stop> {
        if out.num_rows() == 0 {
            return Ok(());
        }
        let batch = self
            .rejects
            .batch(stage, out, &self.findings, self.of_reader)
            .map_err(|error| failed(stage, &error))?;
        let ids = row_ids(out).map_err(|error| failed(stage, &error))?;
        let rows = distinct(ids.values());
        self.tally.quarantined.extend(ids.values());
        self.tally.counts.quarantined += rows;
        if self.made {
            self.tally.counts.merged = self.tally.counts.merged.saturating_sub(rows);
        }
        Ok(self.log.append(Stream::Rejects, &batch)?)
    }

    /// Logs what is left of the batch for the sinks.
    pub(super) fn end(mut self) -> Result<(), Stop> {
        if !self.pending.is_empty() {
            let refused = std::mem::take(&mut self.pending);
            self.route("read", &refused)?;
        }
        let rows = self.batch.num_rows() as u64;
        if rows == 0 {
            return Ok(());
        }
        self.tally.counts.rows_out += rows;
        if !self.made {
            let ids = row_ids(&self.batch).map_err(|error| failed("log", &error))?;
            self.tally.counts.accepted += distinct(ids.values());
            let replaces = std::mem::take(&mut self.replaces);
            // A later row that was refused on its way stands for nothing.
            for (_, earlier) in replaces.iter().filter(|(later, _)| ids.values().contains(later)) {
                self.tally.replace(*earlier);
            }
        }
        Ok(self.log.append(Stream::Records, &self.batch)?)
    }

    /// The batch, with the cells named that were there but could not be read.
    fn with_unreadable(&self) -> RecordBatch {
        if self.pending.is_empty() {
            return self.batch.clone();
        }
        let mut cells: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for finding in self.findings.iter().filter(|f| f.severity == Severity::Error) {
            if let (Some(row), Some(field)) = (finding.row, &finding.field) {
                cells.entry(field).or_default().push(row);
            }
        }
        let schema = self.batch.schema();
        let mut metadata: HashMap<String, String> = schema.metadata.clone();
        metadata.insert(UNREADABLE.to_owned(), serde_json::to_string(&cells).unwrap_or_default());
        let marked = Arc::new(Schema::new_with_metadata(schema.fields.clone(), metadata));
        // The same columns under the same fields: this cannot fail.
        self.batch.clone().with_schema(marked).unwrap_or_else(|_| self.batch.clone())
    }
}

/// Checks that a stage's batch is what was planned, and puts the origin's facts on it.
pub(super) fn conform(
    slot: &Slot,
    facts: Option<&SchemaRef>,
    batch: RecordBatch,
) -> Result<RecordBatch, StageError> {
    let schema = batch.schema();
    let same = schema.fields.len() == slot.output.fields.len()
        && schema
            .fields
            .iter()
            .zip(&slot.output.fields)
            .all(|(is, planned)| is.name() == planned.name() && is.data_type() == planned.data_type());
    if !same {
        return Err(StageError::new("the stage gave a batch of another schema than it promised"));
    }
    let facts = facts.map(|facts| facts.metadata.clone()).unwrap_or_default();
    let marked = Schema::new_with_metadata(slot.output.fields.clone(), facts);
    Ok(RecordBatch::try_new(Arc::new(marked), batch.columns().to_vec())?)
}

/// The facts that ride on a batch, for those who come after it. Decisions are for the stage they go in at, and no other.
pub(super) fn facts_of(batch: &RecordBatch) -> SchemaRef {
    let mut facts = batch.schema();
    if facts.metadata.contains_key(DECISIONS) {
        Arc::make_mut(&mut facts).metadata.remove(DECISIONS);
    }
    facts
}

/// The rows of a stage's batch that stand for rows of earlier batches, with those.
fn replaces(batch: &RecordBatch) -> Result<Vec<(i64, i64)>, StageError> {
    match batch.schema_ref().metadata.get(REPLACES) {
        Some(pairs) => serde_json::from_str(pairs)
            .map_err(|error| StageError::new(format!("what replaces what cannot be read: {error}"))),
        None => Ok(Vec::new()),
    }
}

/// How many different rows; a stage that multiplies rows gives the same number several times.
fn distinct(rows: &[i64]) -> u64 {
    if rows.windows(2).all(|pair| pair[0] < pair[1]) {
        return rows.len() as u64;
    }
    rows.iter().collect::<HashSet<_>>().len() as u64
}
