//! When is a file complete? State kept for each path, on our own clock.
//!
//! A file renamed into the folder is complete at once, where the file system tells of renames. Any other file has to
//! lie still: for a moment where its writer was seen closing it, longer where nobody knows, longest on a network
//! share, and there it must look the same in several looks. The age that a file claims is believed only on
//! a local disk, of files that were there before the daemon: later a clock may be set, and a copy may keep old times.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Length in bytes.
    pub(crate) size: u64,
    /// Last change of the content, nanoseconds since 1970.
    pub(crate) mtime_ns: i128,
    /// Last change of content, name or owner.
    pub(crate) ctime_ns: i128,
    inode: u64,
}

impl Stamp {
    /// Of a file's metadata.
    pub(crate) fn of(meta: &Metadata) -> Self {
        let ns = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            size: meta.len(),
            mtime_ns: ns(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: ns(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        }
    }

    /// Of the file at a path, if there is one.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().filter(Metadata::is_file).map(|meta| Self::of(&meta))
    }

    /// Whether the file at a path was made and last written before the folder it lies in was made: then it can only
    /// have been moved there as a whole, though nobody may have told of it, as of the first file of a new folder.
    pub(crate) fn is_older_than_folder(path: &Path) -> bool {
        let made = |path: &Path| std::fs::symlink_metadata(path).and_then(|meta| meta.created()).ok();
        let Some((folder, file)) = path.parent().and_then(made).zip(made(path)) else { return false };
        let written = std::fs::symlink_metadata(path).and_then(|meta| meta.modified());
        file < folder && written.is_ok_and(|written| written < folder)
    }

    /// Whether `other` is the same content under perhaps another name, which a rename leaves behind.
    pub(crate) fn same_content(self, other: Self) -> bool {
        (self.size, self.mtime_ns, self.inode) == (other.size, other.mtime_ns, other.inode)
    }
}

/// How still a file must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Unchanged for this long, if its writer closed it or is known to be gone.
    pub(crate) settle: Duration,
    /// Unchanged for this long, if nobody knows.
    pub(crate) quiet: Duration,
    /// The same for a file of more than [`LARGE`] bytes.
    pub(crate) quiet_large: Duration,
    /// Seen unchanged this many times, if nobody knows.
    pub(crate) looks: u32,
    /// Whether the file system tells of renames, and its clock is ours.
    pub(crate) local: bool,
    /// How long an empty file, or one whose end is missing, is waited for.
    pub(crate) unfinished: Duration,
}

/// Larger files are written with longer pauses.
pub(crate) const LARGE: u64 = 1 << 30;

/// What is known of a file's writer at a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Nothing.
    None,
    /// It was written to just now.
    Written,
    /// It was closed after writing, or linked as a whole.
    Closed,
    /// It was renamed into place as a whole.
    Renamed,
}

/// How complete a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Not yet.
    No,
    /// If nobody has it open: it has been still for as long as a closed file must be.
    IfClosed,
    /// As far as waiting can tell.
    Still,
    /// Beyond doubt.
    Proven,
}

/// A time of day against which the age that files claim is told; `None` where it is not believed.
pub(crate) type WallClock = Option<i128>;

#[derive(Debug)]
struct Waiting {
    stamp: Stamp,
    since: Duration,
    looks: u32,
    closed: bool,
    renamed: bool,
    /// Handed out; not looked at until it comes back.
    out: bool,
}

impl Waiting {
    fn new(stamp: Stamp, since: Duration) -> Self {
        Self { stamp, since, looks: 0, closed: false, renamed: false, out: false }
    }
}

/// The files that are not done with.
#[derive(Debug)]
pub(crate) struct Readiness {
    rule: Rule,
    files: BTreeMap<PathBuf, Waiting>,
}

impl Readiness {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, files: BTreeMap::new() }
    }

    /// Whether the file was looked at before.
    pub(crate) fn knows(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// A look at a file. `now` is monotonic.
    pub(crate) fn look(
        &mut self,
        path: &Path,
        stamp: Stamp,
        now: Duration,
        wall: WallClock,
        sign: Sign,
    ) -> Ready {
        let rule = self.rule;
        let file = self.files.entry(path.to_owned()).or_insert_with(|| {
            let age = wall.map_or(Duration::ZERO, |wall| age(stamp, wall));
            Waiting::new(stamp, now.saturating_sub(age))
        });
        if file.stamp != stamp {
            *file = Waiting { out: file.out, ..Waiting::new(stamp, now) };
        }
        match sign {
            Sign::Closed => file.closed = true,
            Sign::Renamed => file.renamed = true,
            Sign::Written => (file.closed, file.renamed) = (false, false),
            Sign::None => {}
        }
        file.looks += 1;
        let still = now.saturating_sub(file.since);
        if stamp.size == 0 {
            return if still >= rule.unfinished { Ready::Proven } else { Ready::No };
        }
        if rule.local && (file.renamed || rule.settle.is_zero()) {
            return Ready::Proven;
        }
        let long = if stamp.size > LARGE { rule.quiet_large } else { rule.quiet };
        let long = long.max(rule.settle);
        match rule.local {
            true if still >= long || (file.closed && still >= rule.settle) => Ready::Still,
            true if still >= rule.settle => Ready::IfClosed,
            false if still >= long && file.looks >= rule.looks => Ready::Still,
            _ => Ready::No,
        }
    }

    /// Notes that a file was handed out.
    pub(crate) fn hand_out(&mut self, path: &Path) {
        if let Some(file) = self.files.get_mut(path) {
            file.out = true;
        }
    }

    /// A file that was handed out waits again, with what is known of it.
    pub(crate) fn come_back(&mut self, path: &Path) {
        if let Some(file) = self.files.get_mut(path) {
            file.out = false;
        }
    }

    /// For how much longer a file may lack its end, and how long it has been as it is.
    pub(crate) fn patience(&self, path: &Path, now: Duration) -> (Duration, Duration) {
        let still = self.files.get(path).map_or(Duration::ZERO, |file| now.saturating_sub(file.since));
        (self.rule.unfinished.saturating_sub(still), still)
    }

    /// Forgets a file that is gone or done with.
    pub(crate) fn gone(&mut self, path: &Path) {
        self.files.remove(path);
    }

    /// Paths still waiting, empty files aside if they are not wanted.
    pub(crate) fn paths(&self, with_empty: bool) -> Vec<PathBuf> {
        let waiting = self.files.iter().filter(|(_, file)| !file.out && (with_empty || file.stamp.size > 0));
        waiting.map(|(path, _)| path.clone()).collect()
    }

    /// When to look again, on the monotonic clock, if nothing is heard before.
    pub(crate) fn next_look(&self, now: Duration) -> Option<Duration> {
        let rule = &self.rule;
        let due = |file: &Waiting| {
            let long = if file.stamp.size > LARGE { rule.quiet_large } else { rule.quiet }.max(rule.settle);
            let steps = match file.stamp.size {
                0 => [rule.unfinished; 2],
                _ if rule.local => [rule.settle, long],
                _ => [long; 2],
            };
            let due = steps.map(|step| file.since + step);
            // What is past without success has to wait for the next step, or for the next full look.
            due.into_iter().find(|at| *at > now)
        };
        self.files.values().filter(|file| !file.out).filter_map(due).min()
    }
}

/// How long the file has been as it is, by its own times.
fn age(stamp: Stamp, wall_ns: i128) -> Duration {
    let ns = (wall_ns - stamp.mtime_ns.max(stamp.ctime_ns)).max(0);
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i128 = 1_000_000_000;
    const A: &str = "a.csv";

    fn stamp(size: u64, at: i128) -> Stamp {
        Stamp { size, mtime_ns: at, ctime_ns: at, inode: 1 }
    }

    fn rule(local: bool) -> Rule {
        Rule {
            settle: Duration::from_secs(1),
            quiet: Duration::from_secs(10),
            quiet_large: Duration::from_secs(60),
            looks: 3,
            local,
            unfinished: Duration::from_secs(600),
        }
    }

    /// Looks at one file at these seconds and compares.
    #[track_caller]
    fn check(local: bool, looks: &[(u64, Stamp, Sign, Ready)]) {
        let mut files = Readiness::new(rule(local));
        for (at, stamp, sign, expected) in looks {
            let now = Duration::from_secs(1000 + at);
            let found = files.look(Path::new(A), *stamp, now, None, *sign);
            assert_eq!(found, *expected, "at {at} s, {sign:?}");
        }
    }

    #[test]
    fn a_renamed_file_is_complete_at_once_and_a_growing_one_is_not() {
        let (five, six) = (stamp(5, 100), stamp(6, 102));
        check(
            true,
            &[
                (0, five, Sign::Renamed, Ready::Proven),
                (1, five, Sign::None, Ready::Proven),
                (1, five, Sign::Written, Ready::IfClosed),
            ],
        );
        check(
            true,
            &[
                (0, five, Sign::Written, Ready::No),
                (1, five, Sign::None, Ready::IfClosed),
                (2, six, Sign::Written, Ready::No),
                (9, six, Sign::None, Ready::IfClosed),
                (12, six, Sign::None, Ready::Still),
            ],
        );
    }

    #[test]
    fn a_closed_file_waits_a_moment_and_opened_again_it_waits_as_any_other() {
        let five = stamp(5, 100);
        check(
            true,
            &[
                (0, five, Sign::Closed, Ready::No),
                (1, five, Sign::None, Ready::Still),
                (2, five, Sign::Written, Ready::IfClosed),
                (10, five, Sign::None, Ready::Still),
            ],
        );
    }

    #[test]
    fn on_a_share_a_file_must_be_the_same_in_three_looks_and_for_ten_seconds() {
        let five = stamp(5, 100);
        // Not even a rename is believed: it may be another machine's.
        check(
            false,
            &[
                (0, five, Sign::Renamed, Ready::No),
                (10, five, Sign::None, Ready::No),
                (11, five, Sign::None, Ready::Still),
            ],
        );
        let large = stamp(LARGE + 1, 100);
        check(
            false,
            &[
                (0, large, Sign::None, Ready::No),
                (15, large, Sign::None, Ready::No),
                (59, large, Sign::None, Ready::No),
                (60, large, Sign::None, Ready::Still),
            ],
        );
    }

    #[test]
    fn the_age_a_file_claims_counts_only_where_the_clock_is_believed() {
        let old = stamp(5, 10 * SECOND);
        for (wall, expected) in [(Some(100 * SECOND), Ready::Still), (Some(0), Ready::No), (None, Ready::No)]
        {
            let mut files = Readiness::new(rule(true));
            let now = Duration::from_secs(1000);
            assert_eq!(files.look(Path::new(A), old, now, wall, Sign::None), expected, "{wall:?}");
        }
    }

    #[test]
    fn a_file_that_was_there_before_its_folder_was_moved_into_it() {
        let place = tempfile::tempdir().unwrap();
        let (old, folder) = (place.path().join(A), place.path().join("new"));
        std::fs::write(&old, "a").unwrap();
        // File systems stamp in ticks of some milliseconds.
        let written = Stamp::at(&old).unwrap();
        let probe = place.path().join("probe");
        while {
            std::fs::write(&probe, "b").unwrap();
            Stamp::at(&probe).unwrap().mtime_ns <= written.mtime_ns
        } {}
        std::fs::create_dir(&folder).unwrap();
        std::fs::rename(&old, folder.join(A)).unwrap();
        std::fs::write(folder.join("made.csv"), "a").unwrap();
        let copied = std::fs::File::create(folder.join("copied.csv")).unwrap();
        copied.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        for (name, moved) in [(A, true), ("made.csv", false), ("copied.csv", false)] {
            assert_eq!(Stamp::is_older_than_folder(&folder.join(name)), moved, "{name}");
        }
        // Written to where it is now, it is no longer what was moved.
        std::fs::write(folder.join(A), "ab").unwrap();
        assert!(!Stamp::is_older_than_folder(&folder.join(A)));
    }

    #[test]
    fn an_empty_file_waits_for_its_content() {
        let empty = stamp(0, 0);
        check(
            true,
            &[
                (0, empty, Sign::Renamed, Ready::No),
                (599, empty, Sign::Closed, Ready::No),
                (600, empty, Sign::None, Ready::Proven),
            ],
        );
    }

    #[test]
    fn the_next_look_is_when_something_can_come_of_it() {
        let mut files = Readiness::new(rule(true));
        let at = |seconds: u64| Duration::from_secs(1000 + seconds);
        files.look(Path::new(A), stamp(5, 0), at(0), None, Sign::None);
        assert_eq!(files.next_look(at(0)), Some(at(1)));
        assert_eq!(files.next_look(at(1)), Some(at(10)), "somebody had it open at the first");
        files.hand_out(Path::new(A));
        assert_eq!((files.next_look(at(1)), files.paths(true).len()), (None, 0));
        files.come_back(Path::new(A));
        assert_eq!(files.patience(Path::new(A), at(4)), (Duration::from_secs(596), Duration::from_secs(4)));
    }
}
