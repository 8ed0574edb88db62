//! The way of one file through one pipeline: identify, read, run, answer. The way of a tick is in [`super::tick`].
//!
//! A worker is a thread that takes its pipeline's files one after the other, oldest first, so that
//! merging sees them in order. What sinks do with the outcome is theirs ([`super::drain`]); answers are
//! written by a thread of their own, so that a large receipt holds nobody up.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use huiliu_formats::ending::{self, Depth, Ending};
use huiliu_formats::read::{FormatOptions, ReadOptions};
use huiliu_pipeline::plan::PlannedStage;
use huiliu_pipeline::ports::{LedgerEntry, State, Store};
use huiliu_pipeline::run::{Ran, Reader, RunError, Runner};
use huiliu_stage::RecordSchema;
use huiliu_store::{RegisterQuery, SqliteStore};
use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tracing::{error, info, warn};

use super::carried::{Carried, Carrying};
use super::clock::Clock;
use super::decision::{self, DecisionReader};
use super::drain::{Signal, Woken};
use super::evidence::EvidenceFolder;
use super::identify::{delivery_id, identify, origin_of};
use super::reader::FileReader;
use super::retry::RetryReader;
use super::spool::{NotTaken, Spool, Taken};
use crate::sources::folder::place::{Names, readable, sender};
use crate::sources::{Candidate, Kind, Offer, TickEnd, Verdict};

/// Why a file is put off that its sender is still at work on.
const CHANGED: &str = "the file changed while it was taken";
/// After a file changed while it was read.
const CHANGED_PAUSE: Duration = Duration::from_secs(2);
/// How often a single run tries a file that cannot be read just now.
const MOST_TRIES: u32 = 5;
/// After the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// What happened in a run, for the exit code and the summary.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// Deliveries committed by this process.
    pub(crate) committed: AtomicU64,
    /// Deliveries refused as a whole, or that could not be read or answered.
    pub(crate) failed: AtomicU64,
    /// Deliveries that had been taken before.
    pub(crate) known: AtomicU64,
}

impl Totals {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// What came of taking a file.
enum Took {
    /// The ledger's line of a delivery that is to be answered.
    Done(Box<LedgerEntry>, Taken),
    /// Its end is missing, as this says.
    Unfinished(String),
    /// Somebody has to do something before it can be taken, as this says.
    Held(String),
    /// It is gone.
    Nothing,
}

/// A delivery that is done and is to be answered.
pub(crate) struct ToAnswer {
    pub(crate) id: String,
    /// Where it was sent to, and what was taken from there.
    pub(crate) path: PathBuf,
    pub(crate) taken: Taken,
    pub(crate) names: Names,
    pub(crate) verdicts: UnboundedSender<Verdict>,
}

/// Runs the files of one pipeline.
pub(crate) struct Worker {
    /// The data folder.
    pub(crate) data: PathBuf,
    pub(crate) pipeline: String,
    pub(crate) record: Arc<RecordSchema>,
    pub(crate) format: FormatOptions,
    pub(crate) zone: TimeZone,
    pub(crate) clock: Clock,
    pub(crate) spool: Spool,
    pub(crate) runner: Runner,
    /// What the register is asked at each tick, if the source is a schedule.
    pub(crate) query: Option<RegisterQuery>,
    pub(crate) stages: Vec<PlannedStage>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) committed: Arc<Signal>,
    pub(crate) delivered: Arc<Signal>,
    pub(crate) answers: Sender<ToAnswer>,
    pub(crate) totals: Arc<Totals>,
    /// Bytes of the log above which no new delivery is taken.
    pub(crate) backlog: u64,
    /// Whether the run ends when what was there is done: then a failing file is not tried for ever.
    pub(crate) once: bool,
    /// How often files were put off that are not done with.
    pub(crate) tries: HashMap<PathBuf, u32>,
}

impl Worker {
    /// Takes files until the source ends or the daemon stops.
    pub(crate) fn run(mut self, mut offers: UnboundedReceiver<Offer>) {
        while let Some(offer) = offers.blocking_recv() {
            if self.committed.stopped() || !self.room() {
                return;
            }
            let candidate = match offer {
                Offer::File(candidate) => candidate,
                Offer::Tick(tick) => {
                    let end = self.tick(&tick);
                    if matches!(end, Err(RunError::Cancelled)) {
                        return;
                    }
                    // Nobody listens any more when the daemon stops.
                    let _ = tick.done.send(self.end_of_tick(&tick.file, end));
                    continue;
                }
            };
            // Nobody listens to verdicts any more when the daemon stops.
            let tell = |verdict| drop(candidate.verdicts.send(verdict));
            let path = candidate.path.clone();
            let took = self.take(&candidate);
            if took.is_ok() {
                self.tries.remove(&path);
            }
            match took {
                // The answerer gives the verdict.
                Ok(Took::Done(entry, taken)) => {
                    let (names, verdicts) = (candidate.names.clone(), candidate.verdicts.clone());
                    let id = entry.delivery.id;
                    let sent = self.answers.send(ToAnswer { id, path, taken, names, verdicts });
                    if sent.is_err() {
                        error!(pipeline = self.pipeline, "the answering thread is gone");
                        return;
                    }
                }
                Ok(Took::Nothing) => tell(Verdict::Done(path)),
                Ok(Took::Unfinished(why)) => tell(Verdict::Unfinished(path, why)),
                Ok(Took::Held(why)) => {
                    if self.once {
                        Totals::add(&self.totals.failed);
                    }
                    tell(Verdict::Held(path, why));
                }
                Err(RunError::Cancelled) => return,
                Err(error) => {
                    let file = readable(path.as_os_str());
                    warn!(pipeline = self.pipeline, %file, %error, "delivery put off");
                    let pause = match error {
                        RunError::Again(_) => CHANGED_PAUSE,
                        RunError::Store(_) | RunError::Cancelled => STORE_PAUSE,
                    };
                    let tries = self.tries.entry(path.clone()).or_default();
                    *tries += 1;
                    if self.once && (*tries > MOST_TRIES || !matches!(error, RunError::Again(_))) {
                        Totals::add(&self.totals.failed);
                        tell(Verdict::Left(path));
                    } else {
                        tell(Verdict::Again(path, pause));
                    }
                }
            }
        }
    }

    /// What becomes of a tick that was run, or could not be.
    fn end_of_tick(&self, tick: &str, end: Result<bool, RunError>) -> TickEnd {
        let error = match end {
            Ok(true) => return TickEnd::Done,
            Ok(false) => return TickEnd::Refused,
            Err(error) => error,
        };
        warn!(pipeline = self.pipeline, tick, %error, "tick put off");
        if self.once {
            Totals::add(&self.totals.failed);
        }
        TickEnd::Again(STORE_PAUSE)
    }

    /// Waits until the log has room. `false`: the daemon stops.
    fn room(&self) -> bool {
        let mut told = false;
        loop {
            match self.store.backlog_bytes(&self.pipeline) {
                Ok(bytes) if bytes > self.backlog => {
                    if !told {
                        warn!(pipeline = self.pipeline, bytes, "sinks are behind, no new delivery is taken");
                        told = true;
                    }
                    if self.delivered.pause(Duration::from_millis(200)) == Woken::Stop {
                        return false;
                    }
                }
                Ok(_) => return true,
                Err(error) => {
                    warn!(pipeline = self.pipeline, %error, "store failed");
                    if self.delivered.pause(STORE_PAUSE) == Woken::Stop {
                        return false;
                    }
                }
            }
        }
    }

    /// Takes one file through the pipeline.
    fn take(&mut self, candidate: &Candidate) -> Result<Took, RunError> {
        let Candidate { path, names, stamp, kind, proven, patience, .. } = candidate;
        let again = |error: std::io::Error| RunError::Again(format!("cannot read the file: {error}"));
        let taken = match self.spool.take(path, *stamp, *proven) {
            Ok(taken) => taken,
            Err(NotTaken::Gone) => return Ok(Took::Nothing),
            Err(NotTaken::Changed) => return Err(RunError::Again(CHANGED.to_owned())),
            Err(NotTaken::Unreadable(error)) => return Ok(Took::Held(format!("it cannot be read: {error}"))),
            Err(NotTaken::NotCopied(error)) => {
                return Ok(Took::Held(format!("it cannot be copied into the spool: {error}")));
            }
        };
        let ending = match kind {
            Kind::Sent => {
                ending::check(&File::open(&taken.content).map_err(again)?, depth(*proven)).map_err(again)?
            }
            Kind::Retry => Ending::Whole,
        };
        if let (Ending::Cut(why), false) = (&ending, patience.is_zero()) {
            return Ok(Took::Unfinished(why.in_language("en").to_owned()));
        }
        let now = self.clock.now_in(&self.zone);
        let mut delivery = identify(&self.pipeline, &from_whom(*kind, names), path, &taken, now.utc_ms);
        if *kind == Kind::Retry {
            // Rows that were refused once more and are sent once more are not the file that was taken before.
            delivery.id = delivery_id(
                &self.pipeline,
                &delivery.sender,
                &[&*delivery.content_hash, &delivery.file].join("/"),
            );
        }
        if let (Kind::Sent, Some(later)) = (kind, self.store.replaced(&delivery)?) {
            // The same content was taken once, but something else came under this name since: the sender takes the
            // correction back, and that is a correction too.
            let content = [&*delivery.content_hash, &later].join("/");
            delivery.id = delivery_id(&self.pipeline, &delivery.sender, &content);
        }
        let entry = self.store.see(&delivery)?;
        if entry.answered && !path.exists() {
            return Ok(Took::Nothing); // Left over from before a restart, and put away by its answer since it was offered.
        }
        match entry.state {
            State::Committed => {
                info!(
                    pipeline = self.pipeline,
                    id = delivery.id,
                    file = delivery.file,
                    "known already, answered again"
                );
                Totals::add(&self.totals.known);
                return Ok(Took::Done(Box::new(entry), taken));
            }
            // Sent again after it was refused: the pipeline or the reader may know better now.
            State::Refused if entry.answered => self.store.reopen(&delivery.id)?,
            State::Refused => return Ok(Took::Done(Box::new(entry), taken)),
            State::Seen => {}
        }
        let options = ReadOptions {
            origin: origin_of(&delivery),
            today: local_day(now.utc_ms + now.offset_ms),
            format: self.format.clone(),
            limits: self.format.limits.clone(),
            mapping: self.store.mappings_of(&self.pipeline, &delivery.sender)?,
            // The stages run beside the reader, so that its helper pays only where there is a third processor.
            threads: if std::thread::available_parallelism().is_ok_and(|all| all.get() > 2) { 2 } else { 1 },
            ..ReadOptions::default()
        };
        let committed = Arc::clone(&self.committed);
        let cancelled = || committed.stopped();
        if *kind == Kind::Retry && decision::is_decision(path) {
            let at = self.stages.iter().position(|stage| names.get("stage") == Some(&stage.name));
            let input = at.and_then(|at| self.stages.get(at)).map(|stage| &stage.input);
            let mut open = || -> Result<Box<dyn Reader>, RunError> {
                let reader = DecisionReader::open(&taken.content, input, &options.origin).map_err(again)?;
                Ok(Box::new(reader))
            };
            let ran = self.runner.run(&delivery, &mut open, at.unwrap_or(0), now, &cancelled)?;
            self.note(path, &ran);
            return Ok(Took::Done(Box::new(self.store.delivery(&delivery.id)?), taken));
        }
        let carried = match kind {
            Kind::Retry => Carried::of_file(&taken.content, &self.store)?,
            Kind::Sent => Carried::default(),
        };
        let carried = Arc::new(carried);
        let entry = self.entry_stage(*kind, names);
        let (at, record, data) = (entry.as_ref().map_or(0, |(at, _)| *at), &self.record, &self.data);
        let mut open = || -> Result<Box<dyn Reader>, RunError> {
            let reader: Box<dyn Reader> = match &entry {
                Some((_, input)) => {
                    let (origin, today) = (options.origin.clone(), options.today);
                    Box::new(RetryReader::open(&taken.content, input.clone(), origin, today).map_err(again)?)
                }
                None => {
                    let kept = Some(Arc::new(EvidenceFolder::open(data, &delivery.id).map_err(again)?));
                    let notice = ending.finding();
                    Box::new(FileReader::start(&taken, notice, record, options.clone(), kept))
                }
            };
            Ok(Box::new(Carrying::new(reader, carried.clone(), &options.format, record, data)))
        };
        let ran = self.runner.run(&delivery, &mut open, at, now, &cancelled)?;
        self.note(path, &ran);
        Ok(Took::Done(Box::new(self.store.delivery(&delivery.id)?), taken))
    }

    /// Where retried rows go on: at the stage before which they wait, with its input schema. `None`: from the
    /// start, as what departments send.
    fn entry_stage(&self, kind: Kind, names: &Names) -> Option<(usize, SchemaRef)> {
        let stage = names.get("stage").filter(|_| kind == Kind::Retry)?;
        let at = self.stages.iter().position(|planned| planned.name == *stage).filter(|at| *at > 0)?;
        Some((at, self.stages.get(at)?.input.clone()))
    }

    fn note(&self, path: &Path, ran: &Ran) {
        let (pipeline, file) = (&*self.pipeline, readable(path.as_os_str()));
        match ran {
            Ran::Committed { counts, .. } => {
                let (rows, quarantined) = (counts.rows_in, counts.quarantined);
                info!(pipeline, %file, rows, quarantined, "committed");
                Totals::add(&self.totals.committed);
                self.committed.tick();
            }
            Ran::Refused { why } => {
                warn!(pipeline, %file, reason = why.message.in_language("en"), "refused");
                Totals::add(&self.totals.failed);
            }
        }
    }
}

/// Of a file that is proven to be complete, only the ends are looked at: whatever else is missing the reader tells.
fn depth(proven: bool) -> Depth {
    if proven { Depth::Ends } else { Depth::Whole }
}

/// Whom a file is from.
fn from_whom(kind: Kind, names: &Names) -> String {
    match kind {
        Kind::Sent => sender(names),
        Kind::Retry => names.get("sender").cloned().unwrap_or_default(),
    }
}

/// The calendar day of a local time.
pub(super) fn local_day(local_ms: i64) -> i32 {
    i32::try_from(local_ms.div_euclid(86_400_000)).unwrap_or(0)
}
