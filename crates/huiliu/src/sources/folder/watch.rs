//! The task that watches a folder and offers complete files, oldest first.
//!
//! The file system's events are only hints to look; a full look at the start and every half minute (or
//! every few seconds, when polling) finds what they missed. Between events the task sleeps.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::FolderSource;
use super::names::Wanted;
use super::place::{Names, Template};
use super::ready::{Readiness, Stamp};
use crate::sources::{Candidate, Kind, Verdict};

const FULL_LOOK: Duration = Duration::from_secs(30);
/// When to look again for files that came during a full look and may have no event.
const SECOND_LOOK: Duration = Duration::from_millis(20);
/// A lock file older than this was left behind by a crash.
const LOCK_AGE: Duration = Duration::from_secs(12 * 3600);

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
        out: UnboundedSender<Candidate>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let mut look = Look::new(&self.source, &self.data)?;
        let polls = self.source.polls(&look.base);
        let (hints, mut hinted) = unbounded_channel();
        let (verdicts_out, mut verdicts) = unbounded_channel();
        let watcher = if polls || self.once { None } else { watcher(&look.base, hints) };
        look.events = watcher.is_some();
        let pause = if polls { Duration::from_secs(self.source.poll_secs.max(1)) } else { FULL_LOOK };

        let mut next_full = Instant::now();
        let mut first = true;
        loop {
            if Instant::now() >= next_full {
                if first || !self.once {
                    look.everything();
                }
                first = false;
                next_full = Instant::now() + pause;
            }
            if look.second_look.is_some_and(|at| at <= Instant::now()) {
                look.second_look = None;
                look.everything();
            }
            look.waiting();
            for (path, names, stamp) in look.take_ready() {
                let candidate =
                    Candidate { path, names, stamp, kind: self.kind, verdicts: verdicts_out.clone() };
                if out.send(candidate).is_err() {
                    return Ok(());
                }
            }
            if self.once && look.idle() {
                return Ok(());
            }
            let wake = look.next_look().map_or(next_full, |at| at.min(next_full));
            tokio::select! {
                Some(hint) = hinted.recv() => {
                    look.hint(hint);
                    while let Ok(hint) = hinted.try_recv() {
                        look.hint(hint);
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
enum Hint {
    /// A file was renamed to this path, as a whole.
    Renamed(PathBuf),
    /// Something happened to this path.
    Touched(PathBuf),
    /// Look at everything: a folder came, or events were lost.
    Everything,
}

fn watcher(base: &Path, hints: UnboundedSender<Hint>) -> Option<RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
        for hint in event.map_or_else(|_| vec![Hint::Everything], hints_of) {
            // The receiver is gone when the watch ends; nobody is left to tell.
            let _ = hints.send(hint);
        }
    };
    let started = notify::recommended_watcher(tell)
        .and_then(|mut watcher| watcher.watch(base, RecursiveMode::Recursive).map(|()| watcher));
    started
        .inspect_err(|error| warn!(folder = %base.display(), %error, "no events, folder is looked at every half minute"))
        .ok()
}

fn hints_of(event: notify::Event) -> Vec<Hint> {
    if event.need_rescan() {
        return vec![Hint::Everything];
    }
    match event.kind {
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
            event.paths.into_iter().map(Hint::Renamed).collect()
        }
        // Comes besides `To`, with both names; the first is gone.
        EventKind::Modify(ModifyKind::Name(_)) => event.paths.into_iter().map(Hint::Touched).collect(),
        EventKind::Create(CreateKind::Folder) => vec![Hint::Everything],
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Create(_)
        | EventKind::Modify(_) => event.paths.into_iter().map(Hint::Touched).collect(),
        _ => Vec::new(),
    }
}

/// What is known of the folder.
struct Look {
    template: Template,
    wanted: Wanted,
    data: PathBuf,
    base: PathBuf,
    readiness: Readiness,
    started: Instant,
    /// Handed out and not done with.
    out: HashMap<PathBuf, Stamp>,
    /// Not to be looked at before this time.
    again: HashMap<PathBuf, Instant>,
    ready: BTreeSet<(i128, PathBuf)>,
    stamps: HashMap<PathBuf, Stamp>,
    local: bool,
    /// Whether events tell of files that come.
    events: bool,
    /// When to look at everything once more.
    second_look: Option<Instant>,
}

impl Look {
    fn new(source: &FolderSource, data: &Path) -> anyhow::Result<Self> {
        let template = Template::parse(&source.path).map_err(anyhow::Error::msg)?;
        let wanted = Wanted::new(&source.include, &source.exclude).map_err(anyhow::Error::msg)?;
        let base = data.join(template.base());
        std::fs::create_dir_all(&base)
            .map_err(|error| anyhow::anyhow!("cannot make folder `{}`: {error}", base.display()))?;
        let rule = source.rule(&base);
        Ok(Self {
            template,
            wanted,
            data: data.to_owned(),
            base,
            readiness: Readiness::new(rule),
            started: Instant::now(),
            out: HashMap::new(),
            again: HashMap::new(),
            ready: BTreeSet::new(),
            stamps: HashMap::new(),
            local: rule.local,
            events: false,
            second_look: None,
        })
    }

    /// Looks at every file. On a local disk, what changed in this very tick of the clock may have come before the
    /// watch began (and has no event) or after it: the tick is waited out, and files that come meanwhile are
    /// left to their events. So a younger file is never taken before an older one that the list missed.
    fn everything(&mut self) {
        let mut before = tick();
        let mut files = self.list();
        if self.local && files.iter().any(|(_, stamp)| stamp.ctime_ns >= before) {
            before = next_tick(before);
            files = self.list();
        }
        for (path, stamp) in files {
            let later = Instant::now() + SECOND_LOOK;
            if !self.local || stamp.ctime_ns < before {
                self.look_at(&path, false);
            } else if self.events {
                self.second_look = Some(later);
            } else {
                self.again.entry(path).or_insert(later);
            }
        }
    }

    /// The files in the folder, in no order.
    fn list(&self) -> Vec<(PathBuf, Stamp)> {
        let mut files = Vec::new();
        list(&self.base, self.template.depth(), &mut files);
        let stamp =
            |path: PathBuf| std::fs::symlink_metadata(&path).ok().map(|meta| (path, Stamp::of(&meta)));
        files.into_iter().filter_map(stamp).collect()
    }

    fn hint(&mut self, hint: Hint) {
        match hint {
            Hint::Renamed(path) => self.look_at(&path, true),
            Hint::Touched(path) => self.look_at(&path, false),
            Hint::Everything => {
                self.everything();
                // A new folder is watched a moment after it is told of.
                self.second_look = Some(Instant::now() + SECOND_LOOK);
            }
        }
    }

    /// Looks again at the files that wait.
    fn waiting(&mut self) {
        let now = Instant::now();
        let due: Vec<PathBuf> =
            self.again.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone()).collect();
        for path in due {
            self.again.remove(&path);
            self.look_at(&path, false);
        }
        for path in self.readiness.paths() {
            self.look_at(&path, false);
        }
    }

    fn look_at(&mut self, path: &Path, proven: bool) {
        let meta = match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.is_file() && self.wanted.wants(path) => meta,
            _ => return self.readiness.gone(path),
        };
        let stamp = Stamp::of(&meta);
        if self.out.contains_key(path) || self.again.get(path).is_some_and(|at| *at > Instant::now()) {
            return;
        }
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let wall_ns = i128::try_from(wall.as_nanos()).unwrap_or(i128::MAX);
        // The clock starts well after zero, so that an old file's age fits in front of it.
        let now = self.started.elapsed() + FAR;
        if self.readiness.look(path, stamp, now, wall_ns, proven) {
            if let Some(who) = open_in_office(path) {
                debug!(file = %path.display(), who, "open in an office program");
                self.again.insert(path.to_owned(), Instant::now() + Duration::from_secs(5));
                return;
            }
            self.ready.insert((stamp.mtime_ns, path.to_owned()));
            self.stamps.insert(path.to_owned(), stamp);
        }
    }

    /// The complete files, oldest first.
    fn take_ready(&mut self) -> Vec<(PathBuf, Names, Stamp)> {
        let mut taken = Vec::new();
        for (_, path) in std::mem::take(&mut self.ready) {
            let Some(stamp) = self.stamps.remove(&path) else { continue };
            let folder = path.parent().and_then(|folder| folder.strip_prefix(&self.data).ok());
            let Some(names) = folder.and_then(|folder| self.template.names_in(folder)) else { continue };
            self.out.insert(path.clone(), stamp);
            taken.push((path, names, stamp));
        }
        taken
    }

    fn verdict(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Done(path) => {
                self.out.remove(&path);
                // The same name may have been sent again meanwhile.
                self.look_at(&path, false);
            }
            Verdict::Again(path, pause) => {
                self.out.remove(&path);
                self.again.insert(path, Instant::now() + pause);
            }
        }
    }

    fn next_look(&self) -> Option<Instant> {
        let settled = self.readiness.next_look().map(|at| self.started + at.saturating_sub(FAR));
        // Half a tick late rather than early, or the look comes to nothing and spins.
        let settled = settled.map(|at| at.max(Instant::now()) + Duration::from_millis(5));
        self.again.values().copied().chain(settled).chain(self.second_look).min()
    }

    /// Whether nothing is waiting, ready or handed out.
    fn idle(&self) -> bool {
        self.out.is_empty()
            && self.again.is_empty()
            && self.ready.is_empty()
            && self.readiness.paths().is_empty()
    }
}

/// The time of day that file systems stamp files with, which moves in ticks of some milliseconds.
fn tick() -> i128 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

/// Waits until the clock has moved; a clock that was set back is not waited for.
fn next_tick(after: i128) -> i128 {
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(1));
        if tick() > after {
            break;
        }
    }
    tick()
}

const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Files exactly `depth` levels below `folder`. Links are not followed.
fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return warn!(folder = %folder.display(), %error, "folder cannot be read"),
    };
    for entry in entries.filter_map(Result::ok) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth > 0 => list(&entry.path(), depth - 1, files),
            Ok(kind) if kind.is_file() && depth == 0 => files.push(entry.path()),
            _ => {}
        }
    }
}

/// Which lock file says that an office program has this file open.
fn open_in_office(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    // Word processors cut the first two characters of long names.
    let cut: String = name.chars().skip(2).collect();
    [format!("~${name}"), format!("~${cut}"), format!(".~lock.{name}#")].into_iter().find(|lock| {
        let meta = std::fs::metadata(path.with_file_name(lock));
        let age = meta.and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        age.is_some_and(|age| age < LOCK_AGE)
    })
}
