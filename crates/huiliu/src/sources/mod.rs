//! Where deliveries come from. One file (or folder of files) a kind, one variant here.

pub(crate) mod folder;
pub(crate) mod schedule;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::sources::folder::ready::Stamp;

/// The kinds of source.
pub(crate) const KINDS: [&str; 2] = ["folder", "schedule"];

/// What a source gives its pipeline's worker.
pub(crate) enum Offer {
    /// A file.
    File(Box<Candidate>),
    /// A time that has come.
    Tick(Tick),
}

/// A tick of a schedule that is due.
pub(crate) struct Tick {
    /// When it is, or was.
    pub(crate) at: Timestamp,
    /// The same in the schedule's zone; stands for the name of a file.
    pub(crate) file: String,
    /// Where to tell what became of it.
    pub(crate) done: oneshot::Sender<TickEnd>,
}

/// What becomes of a tick.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TickEnd {
    /// It is in the ledger, committed.
    Done,
    /// It is in the ledger, refused: a query or stage failed. Nobody but the schedule can offer it again.
    Refused,
    /// It could not be run now; offer it again after a pause.
    Again(Duration),
}

/// A file that is complete and waits to be taken.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Who it is from, and the names in its path.
    pub(crate) names: folder::place::Names,
    /// Its state when it was found complete.
    pub(crate) stamp: Stamp,
    /// What kind of thing it is.
    pub(crate) kind: Kind,
    /// Whether it is complete beyond doubt: renamed into place, or all files of its folder are.
    pub(crate) proven: bool,
    /// For how long it is to be waited for if its end is missing.
    pub(crate) patience: Duration,
    /// Where to tell what became of it.
    pub(crate) verdicts: UnboundedSender<Verdict>,
}

/// What a file in a watched folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a department sent.
    Sent,
    /// Rows that come back out of quarantine, in the folder that [`RETRY`] names.
    Retry,
}

/// Where rows that are to be retried are put: pipeline, the stage before which they wait, sender.
pub(crate) const RETRY: &str = "retry/{pipeline}/{stage}/{sender}";

/// What a worker tells its source about a candidate.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is done with; the file is put away.
    Done(PathBuf),
    /// It was not handled, or could not be put away, and this is a single run: it is left to the next one.
    Left(PathBuf),
    /// It changed or could not be read now; offer it again after a pause.
    Again(PathBuf, Duration),
    /// Its end is missing, as this says; offer it again when it may have come.
    Unfinished(PathBuf, String),
    /// It cannot be taken for a reason that somebody has to remove, such as missing rights; it is tried from time to time.
    Held(PathBuf, String),
}
