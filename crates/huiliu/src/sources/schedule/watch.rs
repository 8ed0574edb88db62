//! The task that waits for the ticks of one schedule and offers them, one after the other.
//!
//! How far it has come is a note in the store, so that a daemon that was down knows what it missed. A tick is asked
//! for only when the registers it reads hold all that was committed before; so the second of two missed ticks sees
//! what the first has done.

use std::sync::Arc;
use std::time::Duration;

use huiliu_pipeline::ports::StoreError;
use huiliu_store::SqliteStore;
use jiff::Timestamp;
use tokio::sync::{mpsc::UnboundedSender, oneshot, watch};
use tracing::{info, warn};

use super::ticks::{MOST, due};
use super::{CatchUp, ScheduleSource};
use crate::daemon::clock::Clock;
use crate::sources::{Offer, Tick, TickEnd};

/// Under which key the time is noted up to which all ticks are done.
const DONE: &str = "done";
/// Between two looks at whether registers hold all that was committed.
const LOOK: Duration = Duration::from_millis(10);
/// Pauses before a tick that was refused is offered again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A single run does not wait for ever for a register that cannot be written.
const PATIENCE: Duration = Duration::from_secs(60);

/// A schedule of one pipeline.
pub(crate) struct ScheduleWatch {
    pub(crate) pipeline: String,
    pub(crate) source: ScheduleSource,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<SqliteStore>,
    /// Pipelines and their sinks that fill the registers that are asked.
    pub(crate) writers: Vec<(String, String)>,
    /// Ends when what is due now is done.
    pub(crate) once: bool,
}

impl ScheduleWatch {
    /// Waits and offers until told to stop.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn run(
        self,
        out: UnboundedSender<Offer>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let mut last = self.noted()?;
        if last.is_none() && !self.once {
            last = Some(self.note(self.clock.now())?);
        }
        loop {
            let now = self.clock.now();
            let due = due(&self.source, last, now, self.once);
            if due.left_out > 0 || due.run.len() == MOST {
                info!(
                    pipeline = self.pipeline,
                    missed = due.left_out,
                    run = due.run.len(),
                    "ticks were missed"
                );
            }
            for tick in due.run {
                let done = tokio::select! {
                    done = self.tick(tick, &out) => done?,
                    _ = stop.changed() => return Ok(()),
                };
                if !done {
                    return Ok(());
                }
                last = Some(self.note(tick)?);
            }
            if due.left_out > 0 {
                last = Some(self.note(now)?);
            }
            if self.once {
                return Ok(());
            }
            let Some(next) = self.source.cron.after(last.unwrap_or(now).max(now), &self.source.zone) else {
                return Ok(());
            };
            tokio::select! {
                () = self.clock.nap(next) => {}
                _ = stop.changed() => return Ok(()),
            }
        }
    }

    /// Offers a tick until it is done; `false`: nobody takes ticks any more, or a single run gave it up.
    ///
    /// One that is refused is offered again and again, since nobody else will; where only the last of missed ticks counts
    /// it gives way to the next.
    async fn tick(&self, at: Timestamp, out: &UnboundedSender<Offer>) -> anyhow::Result<bool> {
        let mut wait = FIRST_PAUSE;
        loop {
            self.caught_up().await?;
            let (done, ended) = oneshot::channel();
            let file = self.source.local(at, "%Y-%m-%d-%H%M");
            if out.send(Offer::Tick(Tick { at, file, done })).is_err() {
                return Ok(false);
            }
            match ended.await {
                Ok(TickEnd::Done) => return Ok(true),
                Ok(TickEnd::Again(_) | TickEnd::Refused) if self.once => return Ok(false),
                Ok(TickEnd::Refused) if self.is_over(at) => {
                    warn!(pipeline = self.pipeline, tick = %at, "a refused tick gives way to the next");
                    return Ok(true);
                }
                Ok(TickEnd::Refused) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_PAUSE);
                }
                Ok(TickEnd::Again(pause)) => tokio::time::sleep(pause).await,
                Err(_) => return Ok(false),
            }
        }
    }

    /// Whether the next tick stands in for this one already.
    fn is_over(&self, at: Timestamp) -> bool {
        let next = self.source.cron.after(at, &self.source.zone);
        self.source.catch_up != CatchUp::All && next.is_some_and(|next| next <= self.clock.now())
    }

    /// Waits until the registers hold what was committed so far.
    async fn caught_up(&self) -> Result<(), StoreError> {
        let started = tokio::time::Instant::now();
        loop {
            let mut behind = false;
            for (pipeline, sink) in &self.writers {
                let cursor = self.store.cursor(pipeline, sink)?;
                behind |= self.store.next_after(pipeline, cursor)?.is_some();
            }
            if !behind {
                return Ok(());
            }
            if self.once && started.elapsed() > PATIENCE {
                warn!(pipeline = self.pipeline, "a register is behind, it is asked as it is");
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn slot(&self) -> String {
        format!("{}/@schedule", self.pipeline)
    }

    fn noted(&self) -> Result<Option<Timestamp>, StoreError> {
        let note = self.store.note(&self.slot(), DONE)?;
        let text = note.and_then(|note| String::from_utf8(note).ok());
        Ok(text.and_then(|text| text.parse().ok()))
    }

    fn note(&self, done: Timestamp) -> Result<Timestamp, StoreError> {
        self.store.set_note(&self.slot(), DONE, done.to_string().as_bytes())?;
        Ok(done)
    }
}
