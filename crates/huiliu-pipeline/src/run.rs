//! Runs one delivery: reader, stages, log, commit.
//!
//! A [`Runner`] belongs to one pipeline and takes one delivery at a time, so that stages see
//! deliveries in order and state needs no locks. Data goes one way; to follow a batch, start at
//! [`Runner::run`].
//!
//! Absent: files, threads, clocks. A delivery comes in as a [`Reader`], leaves through the
//! [`Store`]'s log, and the time is handed in.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use huiliu_stage::{Finding, Findings, Host, Opened, Outcome, SEES_REFUSED, Stage, StageError};
use tracing::{debug, info_span, warn};

use self::late::Late;
use self::passage::{Passage, conform, facts_of};
use self::stop::{Stop, failed};
use self::tally::Tally;
use crate::account::row_ids;
use crate::host::EngineHost;
use crate::labels::Labels;
use crate::ports::{Commit, Counts, Delivery, Evidence, LogWriter, Store, StoreError};
use crate::rejects::Rejects;

mod late;
mod passage;
mod stop;
mod tally;

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

/// Opens a delivery at its beginning. It is asked again when a delivery has to be run once more, and must then give the
/// same rows.
pub type OpenReader<'a> = dyn FnMut() -> Result<Box<dyn Reader + 'a>, RunError> + 'a;

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
    /// through: 0, but for rows that come back out of quarantine and go on where they wait.
    ///
    /// # Errors
    /// It cannot be opened just now, the store failed or the run was called off. Nothing of it is kept.
    pub fn run(
        &mut self,
        delivery: &Delivery,
        open: &mut OpenReader<'_>,
        from: usize,
        now: Now,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Ran, RunError> {
        info_span!("delivery", id = delivery.id, file = delivery.file).in_scope(|| {
            let mut late = Late::default();
            loop {
                let ended = self.run_once(delivery, open()?.as_mut(), from, now, &mut late, cancelled);
                match ended {
                    Ok(Some(ran)) => return Ok(ran),
                    Ok(None) => {
                        debug!("once more, without rows that were refused after a stage remembered them")
                    }
                    Err(error) => return Err(error),
                }
            }
        })
    }

    /// Runs it with the rows taken out that were refused late; `None`: more were, it is to be run once more.
    fn run_once(
        &mut self,
        delivery: &Delivery,
        reader: &mut dyn Reader,
        from: usize,
        now: Now,
        late: &mut Late,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Ran>, RunError> {
        for placed in &self.stages {
            placed.slot.host.begin(now.utc_ms, now.offset_ms);
        }
        let rules = self.rules.as_ref().map(|version| version()).unwrap_or_default();
        let mut tally = Tally::new(self.shown);
        let done = self.drive(delivery, reader, from, late, &mut tally, cancelled);
        let remembers = self.stages.iter().position(|placed| placed.slot.host.has_changes());
        let ended =
            match done.and_then(|log| Ok((late.take_in(std::mem::take(&mut tally.late), remembers)?, log))) {
                Ok((false, log)) => return Ok(Some(self.commit(delivery, reader, tally, rules, log)?)),
                Ok((true, _)) => Ok(None),
                Err(Stop::Refuse(why)) => {
                    self.refuse(delivery, reader, tally, *why).map(Some).map_err(RunError::from)
                }
                Err(Stop::Store(error)) => Err(error.into()),
                Err(Stop::Cancelled) => Err(RunError::Cancelled),
                Err(Stop::Again(why)) => Err(RunError::Again(why)),
            };
        self.forget();
        ended
    }

    /// Reads to the end and through all stages; gives the log, not yet sealed.
    fn drive(
        &mut self,
        delivery: &Delivery,
        reader: &mut dyn Reader,
        from: usize,
        late: &Late,
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
            let ids = row_ids(&batch).map_err(|error| failed("read", &error))?.clone();
            for Outcome { batch, findings } in late.pieces(Outcome { batch, findings }, ids.values()) {
                let mut passage = Passage::new(batch, findings, tally, &self.rejects, log.as_mut());
                passage.onward(&mut self.stages, from, late, &self.labels)?;
                passage.end()?;
            }
        }
        for at in from..self.stages.len() {
            self.finish_stage(at, facts.as_ref(), late, tally, log.as_mut())?;
        }
        Ok(log)
    }

    /// Asks stage `at` for what it held back, and passes that through the stages after it.
    fn finish_stage(
        &mut self,
        at: usize,
        facts: Option<&SchemaRef>,
        late: &Late,
        tally: &mut Tally,
        log: &mut dyn LogWriter,
    ) -> Result<(), Stop> {
        let Some(placed) = self.stages.get_mut(at) else { return Ok(()) };
        let Some(stage) = placed.stage.as_mut() else { return Ok(()) };
        let outcome = stage.finish().map_err(|error| failed(&placed.slot.name, &error))?;
        let Some(Outcome { batch, findings }) = outcome else { return Ok(()) };
        let batch = conform(&placed.slot, facts, batch).map_err(|error| failed(&placed.slot.name, &error))?;
        let mut passage = Passage::new(batch, Findings::none(), tally, &self.rejects, log);
        passage.made = true;
        let mut findings = findings.0;
        let labelled = self.labels.put_on(&mut findings, &passage.batch);
        labelled.map_err(|error| failed(&placed.slot.name, &error))?;
        passage.stand(at, &self.stages);
        passage.settle(&self.stages[at], None, findings)?;
        passage.onward(&mut self.stages, at + 1, late, &self.labels)?;
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

#[cfg(test)]
mod tests;
