//! A large text file, read by two threads.
//!
//! Cutting text into rows has to go from the file's start to its end, since only that tells which line break stands in
//! quotes; reading the cells of these rows has not. So a helper and the reader itself hand the file ([`Feed`]) to one
//! another over a [`Belt`]: each cuts the rows of a batch ([`Job`]), lets the other have the file, and reads the rows that it
//! cut, which are still in its processor's cache. The reader does so only while the batch that it wants is not
//! there, the helper as far ahead as there is room: neither waits while there is something to do.
//!
//! The batches are byte by byte those of one thread. What depends on the order of rows is done where rows are in
//! order: what kind each is, and columns without a header, while cutting; totals when a batch comes off the belt. A
//! file's first batch is always read by one thread: a small file starts no other, and what its first rows decide for
//! all others (percentages) is decided.
//!
//! Nothing here knows of CSV. To follow a batch, start at [`Ahead::next`].

mod belt;
mod feed;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;

use huiliu_stage::{Finding, Outcome};

use self::belt::Belt;
use self::feed::{Desk, Job};
pub(super) use self::feed::{Feed, Rows};
use super::build::Assembler;
use super::checks::{Checks, Marks};
use super::error::ReadError;

/// Bytes still to be read from which on a second thread is worth its start.
pub(super) const WORTH: u64 = 4 << 20;
/// Pieces that a thread keeps to be used again.
const MOST_SPARE: usize = 16;

/// Whether the machine can run two threads at a time.
pub(super) fn may_help() -> bool {
    std::thread::available_parallelism().is_ok_and(|threads| threads.get() > 1)
}

/// Rows of one batch, read but for what the rows before them decide.
struct Done {
    assembler: Assembler,
    parts: Vec<Part>,
    /// Bytes of text that it was cut from.
    bytes: usize,
    last: bool,
    repaired: u64,
    done: u64,
}

/// What a chunk gave.
struct Part {
    /// Rows of the batch up to its end.
    rows: usize,
    findings: Vec<Finding>,
    marks: Marks,
}

/// Reads the cells of cut rows.
fn read(job: Job, mut assembler: Assembler, desk: &mut Desk) -> Done {
    let (bytes, mut parts) = (job.bytes(), Vec::with_capacity(job.pieces.len()));
    for mut piece in job.pieces {
        let (nameless, marks) = (std::mem::take(&mut piece.nameless), std::mem::take(&mut piece.marks));
        assembler.add(&mut piece.chunk, &piece.text, nameless);
        parts.push(Part { rows: assembler.rows(), findings: assembler.take_findings(), marks });
        if desk.spare.len() < MOST_SPARE {
            desk.spare.push(piece);
        }
    }
    Done { assembler, parts, bytes, last: job.last, repaired: job.repaired, done: job.done }
}

/// The rows of a text file behind its first batch.
pub(super) struct Ahead {
    belt: Arc<Belt>,
    helper: Option<JoinHandle<()>>,
    desk: Desk,
    checks: Option<Checks>,
    over: bool,
    /// Data rows given so far.
    pub(super) rows: u64,
    /// Rows repaired, and bytes read from the file, up to the last batch.
    pub(super) repaired: u64,
    pub(super) done: u64,
    /// Place of the table in the report.
    pub(super) at: usize,
}

impl Ahead {
    /// Goes on with the rows of `feed`, read as `assembler` reads them. Without a thread to be had it reads alone.
    pub(super) fn start(feed: Feed, assembler: &Assembler, checks: Option<Checks>, at: usize) -> Self {
        let belt = Arc::new(Belt::new(feed, assembler));
        let shared = Arc::clone(&belt);
        let helper = std::thread::Builder::new().name("read-cells".into()).spawn(move || shared.help());
        Self {
            belt,
            helper: helper.ok(),
            desk: Desk::default(),
            checks,
            over: false,
            rows: 0,
            repaired: 0,
            done: 0,
            at,
        }
    }

    /// The next batch; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Outcome>, ReadError> {
        while !self.over {
            let Some(done) = self.belt.take(&mut self.desk).map_err(|broken| self.failed(broken))? else {
                break;
            };
            if let ControlFlow::Break(outcome) = self.complete(done)? {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// Adds what the rows before decide; goes on if there is nothing to give.
    fn complete(&mut self, done: Done) -> Result<ControlFlow<Outcome>, ReadError> {
        let Done { mut assembler, parts, bytes, last, repaired, done } = done;
        let mut from = 0;
        self.over = last;
        for Part { rows, findings, marks } in parts {
            findings.into_iter().for_each(|finding| assembler.find(finding));
            if let Some(checks) = &mut self.checks {
                checks.after(&mut assembler, from..rows, marks);
            }
            from = rows;
        }
        self.rows += from as u64;
        (self.repaired, self.done) = (repaired, done);
        if let (true, Some(checks)) = (last, &mut self.checks) {
            checks.finish(&mut assembler);
        }
        let ended = !last || assembler.rows() > 0 || assembler.has_findings();
        let outcome = ended.then(|| assembler.finish()).transpose()?;
        self.belt.give_back(bytes, assembler);
        Ok(outcome.map_or(ControlFlow::Continue(()), ControlFlow::Break))
    }

    /// The file cannot be read on, or the helper failed: then this thread fails with what it said, as it would have failed
    /// had it read alone.
    fn failed(&mut self, broken: belt::Broken) -> ReadError {
        self.over = true;
        match (broken, self.helper.take().map(JoinHandle::join)) {
            (belt::Broken::Unreadable(error), _) => *error,
            (belt::Broken::Helper, Some(Err(panic))) => std::panic::resume_unwind(panic),
            (belt::Broken::Helper, _) => {
                ReadError::new("内部错误：读取线程已结束", "internal error: the reading thread is gone")
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        // The helper ends with what it has in hand; no thread outlives the file's reading.
        self.belt.stop();
        if let Some(helper) = self.helper.take() {
            drop(helper.join());
        }
    }
}
