//! Where two threads find their work, and batches their order.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::feed::{Desk, Feed};
use super::{Done, read};
use crate::read::build::Assembler;
use crate::read::error::ReadError;

/// Batches on the belt at a time. Each has its columns' builders from the beginning.
const MOST: usize = 4;
/// Bytes of text on the belt after which no more is cut.
const MOST_BYTES: usize = 12 << 20;

/// Why no batch comes any more.
pub(super) enum Broken {
    Unreadable(Box<ReadError>),
    /// The helper ended before its work did.
    Helper,
}

/// Work on the batches between the file and the reader.
pub(super) struct Belt {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The file, unless somebody is cutting it or it is over.
    feed: Option<Box<Feed>>,
    ready: BTreeMap<u64, Done>,
    /// Batches cut so far, and given.
    cut: u64,
    given: u64,
    /// Bytes of rows that are cut and not yet given back.
    bytes: usize,
    /// Nothing more is cut.
    over: bool,
    error: Option<Box<ReadError>>,
    /// The reader wants nothing more.
    stopped: bool,
    /// The helper failed.
    failed: bool,
    assemblers: Vec<Assembler>,
}

/// What it takes to cut the rows of a batch and to read them.
struct Work(Box<Feed>, Assembler);

impl State {
    fn is_full(&self) -> bool {
        let there = self.cut - self.given;
        there >= MOST as u64 || (self.bytes >= MOST_BYTES && there > 0)
    }

    fn work(&mut self) -> Option<Work> {
        if self.is_full() {
            return None;
        }
        let feed = self.feed.take()?;
        match self.assemblers.pop() {
            Some(assembler) => Some(Work(feed, assembler)),
            None => {
                self.feed = Some(feed);
                None
            }
        }
    }
}

impl Belt {
    pub(super) fn new(feed: Feed, assembler: &Assembler) -> Self {
        let state = State {
            feed: Some(Box::new(feed)),
            ready: BTreeMap::new(),
            cut: 0,
            given: 0,
            bytes: 0,
            over: false,
            error: None,
            stopped: false,
            failed: false,
            assemblers: (0..MOST).map(|_| assembler.fork()).collect(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that failed in the midst of its work did not hold the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The helper's life: to read on as far as there is room.
    pub(super) fn help(&self) {
        let (guard, mut desk) = (Failing(self), Desk::default());
        let mut state = self.state();
        loop {
            if state.stopped || state.over {
                break;
            }
            match state.work() {
                Some(work) => {
                    drop(state);
                    self.work(work, &mut desk);
                    state = self.state();
                }
                None => state = self.wait(state),
            }
        }
        drop(state);
        std::mem::forget(guard);
    }

    /// The next batch in the file's order; reads on itself while it is not there. `None` at the end.
    pub(super) fn take(&self, desk: &mut Desk) -> Result<Option<Done>, Broken> {
        let mut state = self.state();
        loop {
            let next = state.given;
            if let Some(done) = state.ready.remove(&next) {
                return Ok(Some(done));
            }
            if state.over && next == state.cut {
                return state.error.take().map_or(Ok(None), |error| Err(Broken::Unreadable(error)));
            }
            match state.work() {
                Some(work) => {
                    drop(state);
                    self.work(work, desk);
                    state = self.state();
                }
                None if state.failed => return Err(Broken::Helper),
                None => state = self.wait(state),
            }
        }
    }

    /// The batch that was taken last, of so many bytes, is given; its columns' builders may be used again.
    pub(super) fn give_back(&self, bytes: usize, assembler: Assembler) {
        let mut state = self.state();
        state.given += 1;
        state.bytes = state.bytes.saturating_sub(bytes);
        state.assemblers.push(assembler);
        drop(state);
        self.changed.notify_all();
    }

    /// Nobody wants a batch any more.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// Cuts the next rows and lets the other thread have the file; then reads what was cut, which is still in this
    /// processor's cache.
    fn work(&self, Work(mut feed, assembler): Work, desk: &mut Desk) {
        let cut = feed.cut(desk);
        let mut state = self.state();
        let job = match cut {
            Ok(job) => job,
            Err(error) => {
                (state.over, state.error) = (true, Some(Box::new(error)));
                drop(state);
                self.changed.notify_all();
                return;
            }
        };
        let number = state.cut;
        state.cut += 1;
        state.bytes += job.bytes();
        state.over = job.last;
        state.feed = (!job.last).then_some(feed);
        drop(state);
        self.changed.notify_all();
        let done = read(job, assembler, desk);
        self.state().ready.insert(number, done);
        self.changed.notify_all();
    }
}

/// Tells the reader when the helper fails, that it does not wait for ever.
struct Failing<'a>(&'a Belt);

impl Drop for Failing<'_> {
    fn drop(&mut self) {
        self.0.state().failed = true;
        self.0.changed.notify_all();
    }
}
