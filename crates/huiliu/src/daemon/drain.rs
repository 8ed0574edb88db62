//! Drains the commit log into one sink.
//!
//! Each sink has a thread and a cursor of its own. A sink that fails is asked again with growing pauses and
//! holds nobody else up; what it has not taken stays in the log.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use huiliu_pipeline::ports::{LedgerEntry, Sink, StoreError};
use huiliu_store::SqliteStore;
use tracing::{info, warn};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How often a failing sink is asked again when no delivery will follow.
const LAST_TRIES: u32 = 4;

/// Tells sinks that the log has grown or that the daemon stops, and others that a sink got on.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    ticks: u64,
    stopped: bool,
    /// No delivery will follow: sinks end when they have caught up.
    finishing: bool,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// Something happened, or the time was up.
    Look,
    /// Nothing more will come.
    Finish,
    /// The daemon stops now.
    Stop,
}

impl Signal {
    /// Something happened.
    pub(crate) fn tick(&self) {
        self.change(|state| state.ticks += 1);
    }

    /// The daemon stops.
    pub(crate) fn stop(&self) {
        self.change(|state| state.stopped = true);
    }

    /// No delivery will follow.
    pub(crate) fn finish(&self) {
        self.change(|state| state.finishing = true);
    }

    /// Whether the daemon stops.
    pub(crate) fn stopped(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped
    }

    /// The number of ticks so far; a wait for a later one misses nothing.
    pub(crate) fn ticks(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).ticks
    }

    fn change(&self, change: impl FnOnce(&mut SignalState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits for a tick after `seen`.
    pub(crate) fn wait(&self, seen: u64) -> Woken {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = |state: &mut SignalState| state.ticks == seen && !state.stopped && !state.finishing;
        let state = self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        match (state.stopped, state.ticks == seen) {
            (true, _) => Woken::Stop,
            (false, true) => Woken::Finish,
            (false, false) => Woken::Look,
        }
    }

    /// Lets `pause` pass, unless the daemon stops.
    pub(crate) fn pause(&self, pause: Duration) -> Woken {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, pause, |state| !state.stopped);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        match (state.stopped, state.finishing) {
            (true, _) => Woken::Stop,
            (false, true) => Woken::Finish,
            (false, false) => Woken::Look,
        }
    }
}

/// One sink of one pipeline, to be run on a thread.
pub(crate) struct Drain {
    pub(crate) pipeline: String,
    pub(crate) name: String,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) store: Arc<SqliteStore>,
    /// Ticked by the worker at each commit.
    pub(crate) committed: Arc<Signal>,
    /// Ticked here when the sink got on.
    pub(crate) delivered: Arc<Signal>,
}

impl Drain {
    /// Delivers until told to stop, or, when no delivery will follow, until it has caught up or has
    /// failed [`LAST_TRIES`] times in a row.
    ///
    /// # Errors
    /// It ended without having caught up, for this reason; what is left stays in the log.
    pub(crate) fn run(mut self) -> Result<(), String> {
        let (mut pause, mut last_tries) = (FIRST_PAUSE, 0);
        loop {
            let seen = self.committed.ticks();
            let Err(error) = self.catch_up() else {
                (pause, last_tries) = (FIRST_PAUSE, 0);
                match self.committed.wait(seen) {
                    Woken::Look => continue,
                    Woken::Finish | Woken::Stop => return Ok(()),
                }
            };
            let (pipeline, sink) = (&*self.pipeline, &*self.name);
            warn!(pipeline, sink, error, again_in_ms = pause.as_millis(), "sink failed");
            match self.committed.pause(pause) {
                Woken::Look => {}
                Woken::Stop => return Ok(()),
                Woken::Finish => {
                    last_tries += 1;
                    if last_tries >= LAST_TRIES {
                        return Err(format!("sink `{sink}` of pipeline `{pipeline}` is behind: {error}"));
                    }
                }
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn catch_up(&mut self) -> Result<(), String> {
        let text = |error: StoreError| error.to_string();
        let mut cursor = self.store.cursor(&self.pipeline, &self.name).map_err(text)?;
        while let Some(entry) = self.store.next_after(&self.pipeline, cursor).map_err(text)? {
            self.deliver(&entry)?;
            cursor = entry.seq;
            self.store.advance(&self.pipeline, &self.name, cursor).map_err(text)?;
            self.store.trim(&self.pipeline).map_err(text)?;
            self.delivered.tick();
            if self.committed.stopped() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn deliver(&mut self, entry: &LedgerEntry) -> Result<(), String> {
        let log = self.store.read_log(entry.seq, self.sink.stream()).map_err(|error| error.to_string())?;
        let mut batches = log;
        self.sink.deliver(entry, &mut batches).map_err(|error| error.to_string())?;
        info!(pipeline = %self.pipeline, sink = %self.name, delivery = %entry.delivery.id, "delivered");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_before_the_wait_is_not_missed() {
        let signal = Signal::default();
        let seen = signal.ticks();
        signal.tick();
        assert_eq!(signal.wait(seen), Woken::Look);
        signal.finish();
        assert_eq!(signal.wait(seen), Woken::Look, "what was committed before the end is drained first");
        assert_eq!(signal.wait(signal.ticks()), Woken::Finish);
        signal.stop();
        assert_eq!(signal.wait(signal.ticks()), Woken::Stop);
    }
}
