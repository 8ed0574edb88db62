//! The task that watches a folder and offers complete files, oldest first.
//!
//! The file system's events are only hints to look; a full look at the start and every half minute (or
//! every few seconds, when polling) finds what they missed. Between events the task sleeps.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tracing::warn;

use super::FolderSource;
use super::look::Look;
use super::ready::Sign;
use crate::sources::{Kind, Offer};

/// No folder is looked at more often, whatever is written in a pipeline.
const SHORTEST: Duration = Duration::from_millis(20);

/// Watches until told to stop; with `once`, until all that was there at the start is done with.
pub(crate) struct FolderWatch {
    source: FolderSource,
    data: PathBuf,
    kind: Kind,
    once: bool,
}

impl FolderWatch {
    /// Ready to watch below the data folder.
    pub(crate) fn new(source: FolderSource, data: &Path, kind: Kind, once: bool) -> Self {
        Self { source, data: data.to_owned(), kind, once }
    }

    /// Runs the watch. Candidates go out on `out`; each carries the way back for its verdict.
    ///
    /// # Errors
    /// The folder cannot be made or watched.
    pub(crate) async fn run(
        self,
        out: UnboundedSender<Offer>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let mut look = Look::new(&self.source, &self.data, self.kind, self.once)?;
        let polls = look.polls;
        let (hints, mut hinted) = unbounded_channel();
        let (verdicts_out, mut verdicts) = unbounded_channel();
        let start = |base: &Path| (!polls && !self.once).then(|| watcher(base, hints.clone())).flatten();
        let (mut watcher, mut watched) = (start(&look.base), folder_id(&look.base));
        look.events = watcher.is_some();
        let pause = if polls { self.source.poll_secs } else { self.source.rescan_secs }.max(SHORTEST);

        let mut next_full = Instant::now();
        let mut first = true;
        loop {
            if Instant::now() >= next_full {
                if watcher.is_some() && folder_id(&look.base) != watched {
                    // The folder was removed or replaced: the events are of one that is no more.
                    if let Err(error) = std::fs::create_dir_all(&look.base) {
                        warn!(folder = %look.base.display(), %error, "the folder is gone and cannot be made");
                    }
                    (watcher, watched) = (start(&look.base), folder_id(&look.base));
                    look.events = watcher.is_some();
                }
                if first || !self.once {
                    look.everything(first || self.once);
                }
                first = false;
                next_full = Instant::now() + pause;
            }
            if look.second_look.is_some_and(|at| at <= Instant::now()) {
                look.second_look = None;
                look.everything(self.once);
            }
            look.waiting();
            for candidate in look.take_ready(&verdicts_out) {
                if out.send(Offer::File(Box::new(candidate))).is_err() {
                    return Ok(());
                }
            }
            if self.once && look.idle() {
                look.tell_left();
                return Ok(());
            }
            let wake = look.next_look().map_or(next_full, |at| at.min(next_full));
            tokio::select! {
                Some(hint) = hinted.recv() => {
                    let mut next = Some(hint);
                    while let Some(hint) = next {
                        match hint {
                            Hint::Gone => next_full = Instant::now(),
                            hint => look.hint(hint),
                        }
                        next = hinted.try_recv().ok();
                    }
                }
                Some(verdict) = verdicts.recv() => look.verdict(verdict),
                _ = stop.changed() => return Ok(()),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }
}

/// What an event of the file system tells.
#[derive(Debug)]
pub(super) enum Hint {
    /// Something happened to this path.
    At(PathBuf, Sign),
    /// Look at everything: a folder came, or events were lost.
    Everything,
    /// The watched folder itself was removed or renamed.
    Gone,
}

/// What makes a folder the same one: device and inode.
fn folder_id(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

fn watcher(base: &Path, hints: UnboundedSender<Hint>) -> Option<RecommendedWatcher> {
    let root = base.to_owned();
    let tell = move |event: notify::Result<notify::Event>| {
        for hint in event.map_or_else(|_| vec![Hint::Everything], |event| hints_of(event, &root)) {
            // The receiver is gone when the watch ends; nobody is left to tell.
            let _ = hints.send(hint);
        }
    };
    // Who may write into the folder may link to any other; those are not watched.
    let started = RecommendedWatcher::new(tell, notify::Config::default().with_follow_symlinks(false))
        .and_then(|mut watcher| watcher.watch(base, RecursiveMode::Recursive).map(|()| watcher));
    started
        .inspect_err(|error| warn!(folder = %base.display(), %error, "no events, folder is looked at from time to time"))
        .ok()
}

fn hints_of(event: notify::Event, root: &Path) -> Vec<Hint> {
    if event.need_rescan() {
        return vec![Hint::Everything];
    }
    let leaves = matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::Any))
    );
    if leaves && event.paths.iter().any(|path| path == root) {
        return vec![Hint::Gone];
    }
    let sign = match event.kind {
        EventKind::Create(CreateKind::Folder) => return vec![Hint::Everything],
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Sign::Renamed,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Sign::Closed,
        EventKind::Modify(ModifyKind::Data(_)) => Sign::Written,
        // A rename comes besides `To` with both names; the first is gone.
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) => Sign::None,
        _ => return Vec::new(),
    };
    event.paths.into_iter().map(|path| Hint::At(path, sign)).collect()
}
