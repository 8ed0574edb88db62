//! Takes single files and ticks through a pipeline in the caller's thread: what `huiliu test` plays its cases on.
//!
//! The way of a file is the daemon's own ([`Worker`]); what is absent is all around it: no folder is watched, no sink
//! is drained, nothing is answered. Each file meets stages that were opened anew, as after a restart, so whatever a
//! stage remembers must have been committed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anyhow::{Context, bail};
use huiliu_pipeline::expression::Functions;
use huiliu_pipeline::plan::Plan;
use huiliu_pipeline::ports::LedgerEntry;
use huiliu_store::SqliteStore;
use jiff::Timestamp;
use tokio::sync::mpsc::unbounded_channel;

use super::clock::Clock;
use super::drain::Signal;
use super::spool::Spool;
use super::worker::{ToAnswer, Totals, Worker};
use super::{format_options, registers, runner};
use crate::catalog;
use crate::sources::folder::place::Names;
use crate::sources::folder::ready::Stamp;
use crate::sources::{Candidate, Kind, Offer, Verdict};

/// A pipeline on a store of its own, which takes what it is given.
pub(crate) struct Rehearsal<'a> {
    data: PathBuf,
    plan: &'a Plan,
    functions: Arc<Functions>,
    /// What the files left behind: ledger, findings, quarantine, logs.
    pub(crate) store: Arc<SqliteStore>,
}

impl<'a> Rehearsal<'a> {
    /// Makes a store in the empty folder `data`.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(crate) fn open(data: &Path, plan: &'a Plan, functions: Arc<Functions>) -> anyhow::Result<Self> {
        let store = Arc::new(SqliteStore::open_exclusive(data)?);
        Ok(Self { data: data.to_owned(), plan, functions, store })
    }

    /// Takes one file at the time `now_ms` (milliseconds since 1970 UTC) and gives its line of the ledger.
    ///
    /// # Errors
    /// It could not be taken at all; that it was refused is no error.
    pub(crate) fn deliver(&self, file: &Path, sender: &str, now_ms: i64) -> anyhow::Result<LedgerEntry> {
        let stamp = Stamp::at(file).with_context(|| format!("`{}` is not there", file.display()))?;
        let (verdicts, mut heard) = unbounded_channel();
        let (answers, answered) = channel();
        let (files, files_in) = unbounded_channel();
        let names = Names::from([("sender".to_owned(), sender.to_owned())]);
        let offered = files.send(Offer::File(Box::new(Candidate {
            path: file.to_owned(),
            names,
            stamp,
            kind: Kind::Sent,
            proven: true,
            patience: Duration::ZERO,
            verdicts,
        })));
        offered.map_err(|_| anyhow::anyhow!("nobody takes the file"))?;
        drop(files); // The worker ends when it has taken this one.
        self.worker(now_ms, answers)?.run(files_in);
        match (answered.try_recv(), heard.try_recv()) {
            (Ok(done), _) => {
                let entry = self.store.delivery(&done.id)?;
                // Noted as answered, so that the same file again is met as the daemon meets it.
                self.store.set_answered(&done.id, "")?;
                Ok(entry)
            }
            (Err(_), Ok(Verdict::Unfinished(_, why))) => bail!("the file has no end: {why}"),
            (Err(_), _) => bail!("the file was not taken; the log says why"),
        }
    }

    /// Runs a tick of the pipeline's schedule at the time `now_ms`, the register answering with `rows` (JSON Lines).
    ///
    /// # Errors
    /// It could not be run at all; that it was refused is no error.
    pub(crate) fn tick(&self, rows: Vec<u8>, now_ms: i64) -> anyhow::Result<LedgerEntry> {
        let (answers, _) = channel();
        let at = Timestamp::from_millisecond(now_ms)?;
        let id = self.worker(now_ms, answers)?.answered(at, rows)?;
        Ok(self.store.delivery(&id)?)
    }

    fn worker(&self, now_ms: i64, answers: Sender<ToAnswer>) -> anyhow::Result<Worker> {
        let tables = registers::tables(self.plan, std::slice::from_ref(self.plan), &self.store);
        Ok(Worker {
            data: self.data.clone(),
            pipeline: self.plan.name.clone(),
            record: self.plan.record.clone(),
            format: format_options(self.plan)?,
            zone: catalog::time_zone(&self.plan.timezone).map_err(anyhow::Error::msg)?,
            clock: Clock::Fixed(now_ms),
            spool: Spool::open(&self.data, &self.plan.name)?,
            runner: runner(self.plan, self.store.clone(), self.functions.clone(), Arc::new(tables)),
            query: None, // What a register would answer is a part of the case.
            stages: self.plan.stages.clone(),
            store: self.store.clone(),
            committed: Arc::new(Signal::default()),
            delivered: Arc::new(Signal::default()),
            answers,
            totals: Arc::new(Totals::default()),
            backlog: u64::MAX,
            once: true,
        })
    }
}
