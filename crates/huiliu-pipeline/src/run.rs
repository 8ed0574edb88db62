//! Runs one delivery: reader, stages, log, commit.
//!
//! A [`Runner`] belongs to one pipeline and takes one delivery at a time, so that stages see
//! deliveries in order and state needs no locks. Data goes one way; to follow a batch, start at
//! [`Runner::run`].
//!
//! Absent: files, threads, clocks. A delivery comes in as a [`Reader`], leaves through the
//! [`Store`]'s log, and the time is handed in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use hashbrown::HashSet;
use huiliu_stage::{
    DECISIONS, EVIDENCE, Fate, Finding, Findings, Host, Opened, Outcome, REPLACES, SEES_REFUSED, Severity,
    Stage, StageError, Text, UNREADABLE,
};
use tracing::{debug, info_span, warn};

use crate::account::{account, only, refused_rows, row_ids, without};
use crate::host::EngineHost;
use crate::labels::Labels;
use crate::ports::{Commit, Counts, Delivery, Evidence, LogWriter, Store, StoreError, Stream};
use crate::rejects::Rejects;

/// A delivery while it is read: batches of the pipeline's record schema, with findings.
pub trait Reader {
    /// The next batch, or why there is none though the end is not reached.
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>>;

    /// Names of the sheets by ordinal; complete after the last batch.
    fn sheets(&self) -> Vec<String>;

    /// What the reader found out about the file, as JSON; complete after the last batch.
    fn report(&self) -> serde_json::Value;

    /// Files that came with the delivery, all of them kept durably; complete after the last batch.
    fn evidence(&self) -> Vec<Evidence> {
        Vec::new()
    }
}

/// Why reading stopped before the end.
#[derive(Clone, Debug)]
pub enum ReadStop {
    /// The delivery cannot be read; the finding says why, and it is refused.
    Refuse(Box<Finding>),
    /// It changed while it was read, or the disk failed; nothing is kept, and it is tried again later.
    Again(String),
}

/// Tells the version of the rules (options, profiles) by which a delivery that begins now is run.
pub type RuleVersion = Box<dyn Fn() -> String + Send>;

/// Opens a stage anew.
pub type Opener = Box<dyn Fn(Arc<dyn Host>) -> Result<Opened, StageError> + Send + Sync>;

/// A stage's place in a pipeline.
pub struct Slot {
    /// The stage's name in its pipeline; rejected rows carry it.
    pub name: String,
    /// Opens it.
    pub open: Opener,
    /// Its services.
    pub host: Arc<EngineHost>,
    /// The schema it was planned to give.
    pub output: SchemaRef,
}

/// When a delivery is run, for the stages' clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Milliseconds since 1970 UTC.
    pub utc_ms: i64,
    /// Offset of the pipeline's time zone from UTC at that time.
    pub offset_ms: i64,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ran {
    /// It is durable, at this position in the log.
    Committed {
        /// Position in the commit log.
        seq: u64,
        /// What became of the rows.
        counts: Counts,
    },
    /// It was refused as a whole, for the reason given.
    Refused {
        /// The finding that says why.
        why: Finding,
    },
}

/// Why a run came to no end. Nothing of it is kept; it may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The daemon stops.
    #[error("the run was called off")]
    Cancelled,
    /// The delivery could not be read just now.
    #[error("{0}")]
    Again(String),
}

/// What stops a delivery in the middle.
enum Stop {
    Refuse(Box<Finding>),
    Store(StoreError),
    Cancelled,
    Again(String),
}

impl From<ReadStop> for Stop {
    fn from(stop: ReadStop) -> Self {
        match stop {
            ReadStop::Refuse(why) => Self::Refuse(why),
            ReadStop::Again(why) => Self::Again(why),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

struct Placed {
    slot: Slot,
    stage: Option<Box<dyn Stage>>,
    sees_refused: bool,
}

/// Runs the deliveries of one pipeline, one after the other.
pub struct Runner {
    stages: Vec<Placed>,
    store: Arc<dyn Store>,
    shown: usize,
    labels: Labels,
    rules: Option<RuleVersion>,
    rejects: Rejects,
}

impl Runner {
    /// A runner for stages in their order; `shown` findings of each delivery are kept in full.
    pub fn new(slots: Vec<Slot>, store: Arc<dyn Store>, shown: usize) -> Self {
        let stages =
            slots.into_iter().map(|slot| Placed { slot, stage: None, sees_refused: false }).collect();
        Self { stages, store, shown, labels: Labels::default(), rules: None, rejects: Rejects::new() }
    }

    /// Findings go by these codes and weights.
    #[must_use]
    pub fn with_labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
    }

    /// Each delivery is committed with the version of the rules that holds when it begins.
    #[must_use]
    pub fn with_rules(mut self, rules: RuleVersion) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Runs one delivery to its end: committed, or refused as a whole. `from` is the first stage it goes
    /// through: 0, but for rows that come back out of quarantine and go on where they were refused.
    ///
    /// # Errors
    /// The store failed or the run was called off. Nothing of it is kept.
    pub fn run(
        &mut self,
        delivery: &Delivery,
        reader: &mut dyn Reader,
        from: usize,
        now: Now,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Ran, RunError> {
        info_span!("delivery", id = delivery.id, file = delivery.file).in_scope(|| {
            for placed in &self.stages {
                placed.slot.host.begin(now.utc_ms, now.offset_ms);
            }
            let rules = self.rules.as_ref().map(|version| version()).unwrap_or_default();
            let mut tally = Tally::new(self.shown);
            let done = self.drive(delivery, reader, from, &mut tally, cancelled);
            let ended = match done {
                Ok(log) => return Ok(self.commit(delivery, reader, tally, rules, log)?),
                Err(Stop::Refuse(why)) => self.refuse(delivery, reader, tally, *why).map_err(RunError::from),
                Err(Stop::Store(error)) => Err(error.into()),
                Err(Stop::Cancelled) => Err(RunError::Cancelled),
                Err(Stop::Again(why)) => Err(RunError::Again(why)),
            };
            self.forget();
            ended
        })
    }

    /// Reads to the end and through all stages; gives the log, not yet sealed.
    fn drive(
        &mut self,
        delivery: &Delivery,
        reader: &mut dyn Reader,
        from: usize,
        tally: &mut Tally,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Box<dyn LogWriter>, Stop> {
        self.open_stages()?;
        let mut log = self.store.log(delivery)?;
        let mut facts: Option<SchemaRef> = None;
        while let Some(read) = reader.next() {
            if cancelled() {
                return Err(Stop::Cancelled);
            }
            let Outcome { batch, mut findings } = read?;
            self.labels.put_on(&mut findings.0, &batch).map_err(|error| failed("read", &error))?;
            facts = Some(facts_of(&batch));
            tally.counts.rows_in += batch.num_rows() as u64;
            let mut passage = Passage::new(batch, findings, tally, &self.rejects, log.as_mut());
            for placed in self.stages.iter_mut().skip(from) {
                passage.through(placed, &self.labels)?;
            }
            passage.end()?;
        }
        for at in from..self.stages.len() {
            self.finish_stage(at, facts.as_ref(), tally, log.as_mut())?;
        }
        Ok(log)
    }

    /// Asks stage `at` for what it held back, and passes that through the stages after it.
    fn finish_stage(
        &mut self,
        at: usize,
        facts: Option<&SchemaRef>,
        tally: &mut Tally,
        log: &mut dyn LogWriter,
    ) -> Result<(), Stop> {
        let (before, after) = self.stages.split_at_mut(at + 1);
        let Some(placed) = before.last_mut() else { return Ok(()) };
        let Some(stage) = placed.stage.as_mut() else { return Ok(()) };
        let outcome = stage.finish().map_err(|error| failed(&placed.slot.name, &error))?;
        let Some(Outcome { batch, findings }) = outcome else { return Ok(()) };
        let batch = conform(&placed.slot, facts, batch).map_err(|error| failed(&placed.slot.name, &error))?;
        let mut passage = Passage::new(batch, Findings::none(), tally, &self.rejects, log);
        passage.made = true;
        let mut findings = findings.0;
        let labelled = self.labels.put_on(&mut findings, &passage.batch);
        labelled.map_err(|error| failed(&placed.slot.name, &error))?;
        passage.settle(&placed.slot.name, None, findings)?;
        for placed in after {
            passage.through(placed, &self.labels)?;
        }
        passage.end()
    }

    fn commit(
        &mut self,
        delivery: &Delivery,
        reader: &dyn Reader,
        tally: Tally,
        rules: String,
        mut log: Box<dyn LogWriter>,
    ) -> Result<Ran, StoreError> {
        let state = self.stages.iter().map(|p| (p.slot.host.slot().to_owned(), p.slot.host.take_changes()));
        let state = state.filter(|(_, changes)| !changes.is_empty()).collect();
        let counts = tally.counts;
        let mut evidence = reader.evidence();
        for file in &mut evidence {
            file.record = file.row.and_then(|row| tally.went_into.get(&row).cloned());
        }
        let done = log.seal().and_then(|()| {
            self.store.commit(Commit {
                delivery,
                counts,
                codes: tally.codes,
                findings: tally.findings,
                sheets: reader.sheets(),
                report: reader.report(),
                state,
                evidence,
                replaced: tally.replaced,
                rules,
                log,
            })
        });
        match done {
            Ok(seq) => Ok(Ran::Committed { seq, counts }),
            Err(error) => {
                self.forget();
                Err(error)
            }
        }
    }

    fn refuse(
        &self,
        delivery: &Delivery,
        reader: &dyn Reader,
        mut tally: Tally,
        why: Finding,
    ) -> Result<Ran, StoreError> {
        warn!(code = why.code, reason = why.message.in_language("en"), "delivery refused");
        tally.note(std::slice::from_ref(&why));
        // The reason stands first, whatever was found before it.
        tally.findings.retain(|f| *f != why);
        tally.findings.insert(0, why.clone());
        let rows = tally.counts.rows_in;
        let counts = Counts {
            rows_in: rows,
            refused: rows,
            errors: tally.counts.errors,
            warnings: tally.counts.warnings,
            infos: tally.counts.infos,
            ..Counts::default()
        };
        self.store.refuse(delivery, counts, tally.findings, reader.sheets(), reader.report())?;
        Ok(Ran::Refused { why })
    }

    /// Opens the stages that are not open.
    fn open_stages(&mut self) -> Result<(), Stop> {
        for placed in &mut self.stages {
            if placed.stage.is_some() {
                continue;
            }
            let opened = (placed.slot.open)(placed.slot.host.clone())
                .map_err(|error| failed(&placed.slot.name, &error))?;
            placed.sees_refused = opened.output.metadata.contains_key(SEES_REFUSED);
            placed.stage = Some(opened.stage);
        }
        Ok(())
    }

    /// Closes all stages: what they cached may belong to a delivery that is no more.
    fn forget(&mut self) {
        for placed in &mut self.stages {
            placed.stage = None;
            drop(placed.slot.host.take_changes());
        }
    }
}

/// The finding of a delivery that a stage could not handle.
fn failed(stage: &str, error: &StageError) -> Stop {
    Stop::Refuse(Box::new(Finding::new(
        None,
        Severity::Error,
        "stage-failed",
        Text::new(
            format!("处理环节“{stage}”出错，整个文件未被接收，请联系管理员：{error}"),
            format!(
                "stage `{stage}` failed, so the whole file was not taken; tell the administrator: {error}"
            ),
        ),
    )))
}

/// Checks that a stage's batch is what was planned, and puts the origin's facts on it.
fn conform(slot: &Slot, facts: Option<&SchemaRef>, batch: RecordBatch) -> Result<RecordBatch, StageError> {
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

/// What is counted and kept over a whole delivery.
struct Tally {
    counts: Counts,
    codes: BTreeMap<String, u64>,
    findings: Vec<Finding>,
    shown: usize,
    /// Rows that files came with.
    with_evidence: HashSet<i64>,
    /// The records that such rows were merged into.
    went_into: HashMap<i64, String>,
    /// Rows that went to quarantine.
    quarantined: HashSet<i64>,
    /// Rows that were logged and went into rows logged later.
    replaced: Vec<i64>,
}

impl Tally {
    fn new(shown: usize) -> Self {
        Self {
            counts: Counts::default(),
            codes: BTreeMap::new(),
            findings: Vec::new(),
            shown,
            with_evidence: HashSet::new(),
            went_into: HashMap::new(),
            quarantined: HashSet::new(),
            replaced: Vec::new(),
        }
    }

    /// A row that was logged went into one that is logged now.
    fn replace(&mut self, earlier: i64) {
        if self.quarantined.contains(&earlier) {
            return;
        }
        self.counts.rows_out = self.counts.rows_out.saturating_sub(1);
        self.counts.accepted = self.counts.accepted.saturating_sub(1);
        self.counts.merged += 1;
        self.replaced.push(earlier);
    }

    /// Takes note of the rows of a batch that files came with.
    fn note_evidence(&mut self, batch: &RecordBatch) {
        if let Some(rows) = batch.schema_ref().metadata.get(EVIDENCE) {
            self.with_evidence.extend(serde_json::from_str::<Vec<i64>>(rows).unwrap_or_default());
        }
    }

    fn note(&mut self, findings: &[Finding]) {
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

/// One batch on its way through the stages.
struct Passage<'a> {
    batch: RecordBatch,
    /// Rows that the reader refused and that are still in the batch.
    pending: HashSet<i64>,
    /// Findings of this batch so far, the reader's first.
    findings: Vec<Finding>,
    /// How many of them are the reader's.
    of_reader: usize,
    /// Whether a stage made these rows at the end of the delivery: they were counted as merged when it
    /// held them back.
    made: bool,
    /// Rows of this batch that stand for rows of earlier ones, with those.
    replaces: Vec<(i64, i64)>,
    tally: &'a mut Tally,
    rejects: &'a Rejects,
    log: &'a mut dyn LogWriter,
}

impl<'a> Passage<'a> {
    fn new(
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
        Self { batch, pending, findings, of_reader, made: false, replaces: Vec::new(), tally, rejects, log }
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
        self.replaces.extend(replaces);
        let before = std::mem::replace(&mut self.batch, batch);
        self.settle(name, Some(&before), findings.0)
    }

    /// Accounts for the rows of one stage and takes the refused ones out. `before` is what the stage was
    /// given; without it the rows are the stage's own.
    fn settle(
        &mut self,
        name: &str,
        before: Option<&RecordBatch>,
        findings: Vec<Finding>,
    ) -> Result<(), Stop> {
        self.tally.note(&findings);
        let mut refused = match before {
            Some(before) => {
                let account =
                    account(before, &self.batch, &findings).map_err(|error| failed(name, &error))?;
                self.tally.counts.merged += account.merged;
                self.tally.counts.dropped += account.dropped;
                account.refused
            }
            None => refused_rows(&findings),
        };
        self.findings.extend(findings);
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
    fn end(mut self) -> Result<(), Stop> {
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

/// The facts that ride on a batch, for those who come after it. Decisions are for the stage they go in at, and no other.
fn facts_of(batch: &RecordBatch) -> SchemaRef {
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

#[cfg(test)]
mod tests;
