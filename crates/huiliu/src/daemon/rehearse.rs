//! Takes single files and ticks through pipelines in the caller's thread: what `huiliu test` plays its cases on.
//!
//! The way of a file or tick is the daemon's own ([`Worker`]); what is absent is all around it: no folder is watched, no
//! clock runs, no sink is drained but registers, nothing is answered. Each file meets stages that were opened anew, as
//! after a restart, so whatever a stage remembers must have been committed.

use std::collections::HashMap;
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
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

use super::clock::Clock;
use super::drain::{Drain, Signal};
use super::spool::Spool;
use super::tick::tick_id;
use super::worker::{ToAnswer, Totals, Worker};
use super::{format_options, registers, runner};
use crate::catalog;
use crate::sinks::{Place, SinkConfig};
use crate::sources::folder::place::Names;
use crate::sources::folder::ready::Stamp;
use crate::sources::schedule::ticks::due;
use crate::sources::{Candidate, Kind, Offer, Tick, TickEnd, Verdict};

/// Pipelines on a store of their own, which take what they are given.
pub(crate) struct Rehearsal<'a> {
    data: PathBuf,
    /// All pipelines at hand: their registers may be asked.
    plans: &'a [Plan],
    functions: Arc<Functions>,
    /// What the files left behind: ledger, findings, quarantine, logs.
    pub(crate) store: Arc<SqliteStore>,
}

impl<'a> Rehearsal<'a> {
    /// Makes a store in the empty folder `data`.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(crate) fn open(data: &Path, plans: &'a [Plan], functions: Arc<Functions>) -> anyhow::Result<Self> {
        let store = Arc::new(SqliteStore::open_exclusive(data)?);
        for plan in plans {
            // Else the first of two registers that a pipeline fills would let the log go before the second has it.
            let registers = plan.sinks.iter().filter(|sink| sink.kind == "register");
            let names: Vec<&str> = registers.map(|sink| &*sink.name).collect();
            store.register_sinks(&plan.name, &names)?;
        }
        Ok(Self { data: data.to_owned(), plans, functions, store })
    }

    /// Takes one file at the time `now_ms` (milliseconds since 1970 UTC) and gives its line of the ledger.
    ///
    /// # Errors
    /// It could not be taken at all; that it was refused is no error.
    pub(crate) fn deliver(
        &self,
        plan: &Plan,
        file: &Path,
        sender: &str,
        now_ms: i64,
    ) -> anyhow::Result<LedgerEntry> {
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
        self.work(plan, now_ms, files_in, answers)?;
        match (answered.try_recv(), heard.try_recv()) {
            (Ok(done), _) => {
                let entry = self.store.delivery(&done.id)?;
                // Noted as answered, so that the same file again is met as the daemon meets it.
                self.store.set_answered(&done.id, "")?;
                Ok(entry)
            }
            (Err(_), Ok(Verdict::Unfinished(_, why))) => bail!("the file has no end: {why}"),
            (Err(_), Ok(Verdict::Held(_, why))) => bail!("the file was not taken: {why}"),
            (Err(_), _) => bail!("the file was not taken; the log says why"),
        }
    }

    /// The ticks of a pipeline after one time up to another that its schedule runs when nobody looked in between, oldest
    /// first.
    ///
    /// # Errors
    /// The pipeline has no schedule.
    pub(crate) fn ticks(
        &self,
        plan: &Plan,
        after: Timestamp,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Timestamp>> {
        let source = catalog::schedule_of(plan)
            .with_context(|| format!("the pipeline `{}` has no schedule", plan.name))?;
        Ok(due(&source, Some(after), now, false).run)
    }

    /// Runs one tick and gives its line of the ledger.
    ///
    /// # Errors
    /// It could not be run; that it was refused is no error.
    pub(crate) fn tick(&self, plan: &Plan, at: Timestamp) -> anyhow::Result<LedgerEntry> {
        let source = catalog::schedule_of(plan)
            .with_context(|| format!("the pipeline `{}` has no schedule", plan.name))?;
        let (done, mut ended) = oneshot::channel();
        let (ticks, ticks_in) = unbounded_channel();
        let tick = Tick { at, file: source.local(at, "%Y-%m-%d-%H%M"), done };
        ticks.send(Offer::Tick(tick)).map_err(|_| anyhow::anyhow!("nobody takes the tick"))?;
        drop(ticks);
        self.work(plan, at.as_millisecond(), ticks_in, channel().0)?;
        match ended.try_recv() {
            Ok(TickEnd::Done | TickEnd::Refused) => Ok(self.store.delivery(&tick_id(&plan.name, at))?),
            Ok(TickEnd::Again(_)) | Err(_) => bail!("the tick at {at} was not run; the log says why"),
        }
    }

    /// Gives the registers what a pipeline has committed; its other sinks get nothing.
    ///
    /// # Errors
    /// A register cannot be written.
    pub(crate) fn fill_registers(&self, plan: &Plan) -> anyhow::Result<()> {
        for sink in plan.sinks.iter().filter(|sink| sink.kind == "register") {
            let config = SinkConfig::parse(&sink.kind, &sink.options, &plan.output)
                .map_err(|_| anyhow::anyhow!("the sink `{}` is wrong", sink.name))?;
            let place = Place {
                data: &self.data,
                store: &self.store,
                pipeline: &plan.name,
                name: &sink.name,
                output: plan.output.clone(),
            };
            let committed = Arc::new(Signal::default());
            committed.finish(); // It ends when it has caught up.
            let drain = Drain {
                pipeline: plan.name.clone(),
                name: sink.name.clone(),
                sink: config.open(&place),
                store: self.store.clone(),
                committed,
                delivered: Arc::new(Signal::default()),
            };
            drain.run().map_err(anyhow::Error::msg)?;
        }
        Ok(())
    }

    /// Runs a tick with `rows` (JSON Lines) in the place of what the register would answer.
    ///
    /// # Errors
    /// It could not be run at all; that it was refused is no error.
    pub(crate) fn answered(&self, plan: &Plan, at: Timestamp, rows: Vec<u8>) -> anyhow::Result<LedgerEntry> {
        let id = self.worker(plan, at.as_millisecond(), channel().0)?.answered(at, rows)?;
        Ok(self.store.delivery(&id)?)
    }

    /// Runs what is offered to a pipeline, to its end.
    fn work(
        &self,
        plan: &Plan,
        now_ms: i64,
        offers: UnboundedReceiver<Offer>,
        answers: Sender<ToAnswer>,
    ) -> anyhow::Result<()> {
        self.worker(plan, now_ms, answers)?.run(offers);
        Ok(())
    }

    fn worker(&self, plan: &Plan, now_ms: i64, answers: Sender<ToAnswer>) -> anyhow::Result<Worker> {
        let tables = registers::tables(plan, self.plans, &self.store);
        Ok(Worker {
            data: self.data.clone(),
            pipeline: plan.name.clone(),
            record: plan.record.clone(),
            format: format_options(plan)?,
            zone: catalog::time_zone(&plan.timezone).map_err(anyhow::Error::msg)?,
            clock: Clock::Fixed(now_ms),
            spool: Spool::open(&self.data, &plan.name)?,
            runner: runner(plan, self.store.clone(), self.functions.clone(), Arc::new(tables)),
            query: registers::schedule_query(plan, self.plans).and_then(Result::ok),
            stages: plan.stages.clone(),
            store: self.store.clone(),
            committed: Arc::new(Signal::default()),
            delivered: Arc::new(Signal::default()),
            answers,
            totals: Arc::new(Totals::default()),
            backlog: u64::MAX,
            once: true,
            tries: HashMap::new(),
        })
    }
}
