//! What is known of a watched folder: which files wait, which are out with a worker, and why one is held back.
//!
//! Every path goes through [`Look::look_at`], whatever made us look; a file leaves by [`Look::take_ready`] and comes
//! back as a verdict.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tracing::{info, warn};

use super::done::{DoneFiles, Said};
use super::names::Wanted;
use super::place::Template;
use super::ready::{Readiness, Ready, Sign, Stamp};
use super::watch::Hint;
use super::writers::{Open, Writers};
use super::{Disk, FolderSource, in_use, list};
use crate::sources::{Candidate, Kind, Verdict};

/// When to look again for files that came during a full look and may have no event.
const SECOND_LOOK: Duration = Duration::from_millis(20);
/// Longest pause before a file that is held back is looked at again.
const HELD: Duration = Duration::from_secs(5);
/// Shortest such pause.
const SHORT: Duration = Duration::from_millis(50);
/// The clock starts well after zero, so that an old file's age fits in front of it.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// What is known of the folder.
pub(super) struct Look {
    template: Template,
    wanted: Wanted,
    done: DoneFiles,
    data: PathBuf,
    pub(super) base: PathBuf,
    kind: Kind,
    once: bool,
    readiness: Readiness,
    started: Instant,
    settle: Duration,
    lock_age: Duration,
    disk: Disk,
    /// Whether the folder is looked at again and again in place of being told of changes.
    pub(super) polls: bool,
    /// Handed out and not done with.
    out: HashSet<PathBuf>,
    /// Renamed into place while another file of that name was out.
    renamed: HashMap<PathBuf, Stamp>,
    /// Not to be handed out before this time.
    again: HashMap<PathBuf, Instant>,
    /// Held back, and why; told once.
    held: HashMap<PathBuf, String>,
    ready: BTreeSet<(i128, PathBuf)>,
    found: HashMap<PathBuf, (Stamp, bool)>,
    /// Whether the age of files is believed now: only of those that were there before us.
    believes_age: bool,
    /// Who writes to what, in this round.
    writers: Option<Writers>,
    /// Whether events tell of files that come.
    pub(super) events: bool,
    /// When to look at everything once more.
    pub(super) second_look: Option<Instant>,
}

impl Look {
    pub(super) fn new(source: &FolderSource, data: &Path, kind: Kind, once: bool) -> anyhow::Result<Self> {
        let template = Template::parse(&source.path).map_err(anyhow::Error::msg)?;
        let wanted = Wanted::new(&source.include, &source.exclude).map_err(anyhow::Error::msg)?;
        let base = data.join(template.base());
        std::fs::create_dir_all(&base)
            .map_err(|error| anyhow::anyhow!("cannot make folder `{}`: {error}", base.display()))?;
        let disk = Disk::of(&base);
        let rule = source.rule(disk);
        Ok(Self {
            template,
            wanted,
            done: DoneFiles::new(&source.done_suffixes, source.wait_for_done),
            data: data.to_owned(),
            base,
            kind,
            once,
            readiness: Readiness::new(rule),
            started: Instant::now(),
            settle: rule.settle,
            lock_age: source.lock_secs,
            disk,
            polls: !rule.local,
            out: HashSet::new(),
            renamed: HashMap::new(),
            again: HashMap::new(),
            held: HashMap::new(),
            ready: BTreeSet::new(),
            found: HashMap::new(),
            believes_age: false,
            writers: None,
            events: false,
            second_look: None,
        })
    }

    /// Looks at every file. On a local disk, what changed in this very tick of the clock may have come before the
    /// watch began (and has no event) or after it: the tick is waited out, and files that come meanwhile are
    /// left to their events. So a younger file is never taken before an older one that the list missed.
    pub(super) fn everything(&mut self, believes_age: bool) {
        let local = !self.polls;
        let mut before = list::tick();
        let mut files = list::files(&self.base, self.template.depth());
        if local && files.iter().any(|(_, stamp)| stamp.ctime_ns >= before) {
            before = list::next_tick(before);
            files = list::files(&self.base, self.template.depth());
        }
        self.believes_age = believes_age;
        for (path, stamp) in files {
            let later = Instant::now() + SECOND_LOOK;
            if !local || stamp.ctime_ns < before {
                self.look_at(&path, Sign::None);
            } else if self.events {
                self.second_look = Some(later);
            } else {
                self.again.entry(path).or_insert(later);
            }
        }
        self.believes_age = self.once;
    }

    pub(super) fn hint(&mut self, hint: Hint) {
        match hint {
            // What it speaks of is looked at with all that waits.
            Hint::At(path, _) if self.done.is_one(&path) => self.waiting(),
            // A folder that was renamed into place brings its files without a word of them.
            Hint::At(path, Sign::Renamed) if path.is_dir() => self.hint(Hint::Everything),
            Hint::At(path, sign) => self.look_at(&path, sign),
            Hint::Everything | Hint::Gone => {
                self.everything(false);
                // A new folder is watched a moment after it is told of.
                self.second_look = Some(Instant::now() + SECOND_LOOK);
            }
        }
    }

    /// Looks again at the files that wait.
    pub(super) fn waiting(&mut self) {
        let now = Instant::now();
        let due: Vec<PathBuf> =
            self.again.iter().filter(|(_, at)| **at <= now).map(|(path, _)| path.clone()).collect();
        for path in &due {
            self.again.remove(path);
        }
        for path in self.readiness.paths(true).iter().chain(&due) {
            self.look_at(path, Sign::None);
        }
        self.writers = None;
    }

    fn look_at(&mut self, path: &Path, sign: Sign) {
        let wanted = self.wanted.wants(path) && !self.done.is_one(path);
        let Some(stamp) = Stamp::at(path).filter(|_| wanted) else {
            self.held.remove(path);
            return self.readiness.gone(path);
        };
        if self.out.contains(path) {
            match sign {
                Sign::Renamed => drop(self.renamed.insert(path.to_owned(), stamp)),
                Sign::Written => drop(self.renamed.remove(path)),
                Sign::Closed | Sign::None => {}
            }
            return;
        }
        let untold = sign == Sign::None && self.disk == Disk::Local && !self.readiness.knows(path);
        let sign = if untold && self.was_moved(path) { Sign::Renamed } else { sign };
        let ready = self.readiness.look(path, stamp, self.now(), self.wall(), sign);
        if sign == Sign::Written {
            self.found.remove(path); // Renamed into place, and written to all the same.
        }
        // A file that is complete as a whole now need not wait for what another one of its name was held for.
        if matches!(sign, Sign::Renamed | Sign::Closed) {
            self.again.remove(path);
        }
        let ready = match self.done.say(path, stamp) {
            Said::Nothing => ready,
            Said::Complete => Ready::Proven,
            Said::Otherwise(why) => return self.hold(path, why),
        };
        if ready == Ready::No || self.again.get(path).is_some_and(|at| *at > Instant::now()) {
            return;
        }
        match self.user(path, ready) {
            Some(Some(who)) => self.hold(path, format!("it is open in {who}")),
            Some(None) => {}
            None => {
                self.ready.insert((stamp.mtime_ns, path.to_owned()));
                self.found.insert(path.to_owned(), (stamp, ready == Ready::Proven));
            }
        }
    }

    /// Whether a file that nobody told of came into its folder as a whole. A second name of a file that somebody still
    /// writes to is older than its folder, too.
    fn was_moved(&mut self, path: &Path) -> bool {
        Stamp::is_older_than_folder(path)
            && !matches!(self.writers.get_or_insert_default().of(path), Open::By(_))
    }

    /// Who may still be at work on a file: nobody that anyone knows of (`None`), or somebody, perhaps with a name.
    fn user(&mut self, path: &Path, ready: Ready) -> Option<Option<String>> {
        if let Some(who) = in_use::in_office(path, self.lock_age) {
            return Some(Some(who));
        }
        if ready == Ready::Proven {
            return None;
        }
        if self.disk == Disk::Windows && in_use::refused_by_share(path) {
            return Some(Some("another computer".to_owned()));
        }
        if self.disk != Disk::Local {
            return None;
        }
        match self.writers.get_or_insert_default().of(path) {
            Open::By(who) => Some(Some(who)),
            Open::Unknown if ready == Ready::IfClosed => Some(None),
            Open::Unknown | Open::No => None,
        }
    }

    /// Holds a file back, and says why once.
    fn hold(&mut self, path: &Path, why: String) {
        self.again.insert(path.to_owned(), Instant::now() + self.settle.clamp(SHORT, HELD));
        if self.held.get(path).is_none_or(|before| *before != why) {
            info!(file = %path.display(), why, "waiting for the file");
            self.held.insert(path.to_owned(), why);
        }
    }

    /// The complete files, oldest first.
    pub(super) fn take_ready(&mut self, verdicts: &UnboundedSender<Verdict>) -> Vec<Candidate> {
        let now = self.now();
        let mut taken = Vec::new();
        for (_, path) in std::mem::take(&mut self.ready) {
            let Some((stamp, proven)) = self.found.remove(&path) else { continue };
            let folder = path.parent().and_then(|folder| folder.strip_prefix(&self.data).ok());
            let Some(names) = folder.and_then(|folder| self.template.names_in(folder)) else { continue };
            self.out.insert(path.clone());
            self.readiness.hand_out(&path);
            // Of a file that is proven to be complete nothing more will come.
            let patience = if proven { Duration::ZERO } else { self.readiness.patience(&path, now).0 };
            let verdicts = verdicts.clone();
            taken.push(Candidate { path, names, stamp, kind: self.kind, proven, patience, verdicts });
        }
        taken
    }

    pub(super) fn verdict(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Done(path) => {
                self.held.remove(&path);
                self.out.remove(&path);
                self.readiness.gone(&path);
                self.done.remove(&path);
                // The same name may have been sent again meanwhile.
                let renamed = self.renamed.remove(&path).is_some_and(|stamp| Stamp::at(&path) == Some(stamp));
                self.look_at(&path, if renamed { Sign::Renamed } else { Sign::None });
            }
            Verdict::Left(path) => {
                self.held.remove(&path);
                self.out.remove(&path);
                self.readiness.gone(&path);
            }
            Verdict::Again(path, pause) => {
                self.held.remove(&path);
                self.come_back(&path);
                self.again.insert(path, Instant::now() + pause);
            }
            Verdict::Held(path, why) => {
                self.come_back(&path);
                self.again.insert(path.clone(), Instant::now() + HELD);
                if self.held.get(&path).is_none_or(|before| *before != why) {
                    warn!(file = %path.display(), why, "the file cannot be taken, it is tried again from time to time");
                }
                self.held.insert(path, why);
            }
            Verdict::Unfinished(path, why) => {
                self.come_back(&path);
                if self.held.get(&path).is_none_or(|before| *before != why) {
                    info!(file = %path.display(), reason = why, "waiting, the file is not finished");
                }
                let (left, still) = self.readiness.patience(&path, self.now());
                self.again.insert(path.clone(), Instant::now() + still.clamp(SHORT, left.max(SHORT)));
                self.held.insert(path, why);
            }
        }
    }

    fn come_back(&mut self, path: &Path) {
        self.out.remove(path);
        self.readiness.come_back(path);
        if let Some(stamp) = self.renamed.remove(path).filter(|stamp| Stamp::at(path) == Some(*stamp)) {
            let (now, wall) = (self.now(), self.wall());
            self.readiness.look(path, stamp, now, wall, Sign::Renamed);
        }
    }

    pub(super) fn next_look(&self) -> Option<Instant> {
        let settled = self.readiness.next_look(self.now()).map(|at| self.started + at.saturating_sub(FAR));
        // Half a tick late rather than early, or the look comes to nothing and spins.
        let settled = settled.map(|at| at.max(Instant::now()) + Duration::from_millis(5));
        self.again.values().copied().chain(settled).chain(self.second_look).min()
    }

    /// Whether nothing is waiting, ready or handed out, but for what is held back.
    pub(super) fn idle(&self) -> bool {
        let waits = |path: &PathBuf| !self.held.contains_key(path);
        self.out.is_empty()
            && self.ready.is_empty()
            && !self.again.keys().any(waits)
            && !self.readiness.paths(false).iter().any(waits)
    }

    /// Names the files that a single run leaves where they are.
    pub(super) fn tell_left(&self) {
        for path in self.readiness.paths(true) {
            let why = self.held.get(&path).map_or("it is empty", String::as_str);
            warn!(file = %path.display(), why, "not complete, left for the next run");
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed() + FAR
    }

    /// The time of day, where files' own times are believed.
    fn wall(&self) -> Option<i128> {
        self.believes_age.then(list::tick)
    }
}
