//! When is a file complete? State kept for each path, on our own clock.
//!
//! A file renamed into the folder is complete at once, where the file system tells of renames. Any other
//! file has to lie still: same size, same times, for the settle time. The age that a file claims
//! is believed only on a local disk, where its clock is ours; on a network share it may come from
//! another machine or from a copy that kept old times.

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
}

/// How still a file must lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Unchanged for this long.
    pub(crate) settle: Duration,
    /// Seen unchanged this many times (network shares, whose times may lie).
    pub(crate) scans: u32,
    /// Whether the file system's clock is ours.
    pub(crate) local: bool,
    /// An empty file is taken (and refused) only after lying for this long.
    pub(crate) empty_after: Duration,
}

#[derive(Debug)]
struct Waiting {
    stamp: Stamp,
    since: Duration,
    scans: u32,
}

/// The files that are not complete yet.
#[derive(Debug)]
pub(crate) struct Readiness {
    rule: Rule,
    waiting: BTreeMap<PathBuf, Waiting>,
}

impl Readiness {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, waiting: BTreeMap::new() }
    }

    /// A look at a file; tells whether it is complete. `now` is monotonic, `wall_ns` the time of day,
    /// `proven` that the file was renamed into place as a whole.
    pub(crate) fn look(
        &mut self,
        path: &Path,
        stamp: Stamp,
        now: Duration,
        wall_ns: i128,
        proven: bool,
    ) -> bool {
        let rule = self.rule;
        let waiting = self.waiting.entry(path.to_owned()).or_insert_with(|| {
            let age = if rule.local { age(stamp, wall_ns) } else { Duration::ZERO };
            Waiting { stamp, since: now.saturating_sub(age), scans: 0 }
        });
        if waiting.stamp != stamp {
            *waiting = Waiting { stamp, since: now, scans: 0 };
        }
        waiting.scans += 1;
        let still = now.saturating_sub(waiting.since);
        let ready = match stamp.size {
            0 => still >= rule.empty_after,
            _ => (proven && rule.local) || (still >= rule.settle && waiting.scans >= rule.scans),
        };
        if ready {
            self.waiting.remove(path);
        }
        ready
    }

    /// Forgets a file that is gone.
    pub(crate) fn gone(&mut self, path: &Path) {
        self.waiting.remove(path);
    }

    /// Paths still waiting.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.waiting.keys().cloned().collect()
    }

    /// When to look again, on the monotonic clock.
    pub(crate) fn next_look(&self) -> Option<Duration> {
        let due = |w: &Waiting| match w.stamp.size {
            0 => w.since + self.rule.empty_after,
            _ => w.since + self.rule.settle,
        };
        self.waiting.values().map(due).min()
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

    fn stamp(size: u64, at: i128) -> Stamp {
        Stamp { size, mtime_ns: at, ctime_ns: at, inode: 1 }
    }

    fn local() -> Readiness {
        Readiness::new(Rule {
            settle: Duration::from_secs(1),
            scans: 1,
            local: true,
            empty_after: Duration::from_secs(600),
        })
    }

    #[test]
    fn a_renamed_file_is_complete_at_once_and_a_growing_one_is_not() {
        let mut files = local();
        let path = Path::new("a.csv");
        let at = |seconds| Duration::from_secs(seconds);
        assert!(files.look(path, stamp(5, 100 * SECOND), at(0), 100 * SECOND, true));
        assert!(!files.look(path, stamp(5, 100 * SECOND), at(1), 100 * SECOND, false));
        assert!(!files.look(path, stamp(6, 102 * SECOND), at(2), 102 * SECOND, false), "it grew");
        assert_eq!(files.next_look(), Some(at(3)));
        assert!(files.look(path, stamp(6, 102 * SECOND), at(3), 103 * SECOND, false));
        assert!(files.paths().is_empty());
    }

    #[test]
    fn an_old_file_is_complete_on_a_local_disk_but_not_on_a_share() {
        let old = stamp(5, 10 * SECOND);
        assert!(
            local().look(Path::new("a"), old, Duration::ZERO, 100 * SECOND, false) || {
                let mut files = local();
                files.look(Path::new("a"), old, Duration::from_secs(90), 100 * SECOND, false)
            }
        );
        let mut share = Readiness::new(Rule {
            settle: Duration::from_secs(10),
            scans: 3,
            local: false,
            empty_after: Duration::from_secs(600),
        });
        for (at, ready) in [(0, false), (5, false), (10, true)] {
            let now = Duration::from_secs(at);
            assert_eq!(share.look(Path::new("a"), old, now, 100 * SECOND, true), ready, "at {at} s");
        }
    }

    #[test]
    fn an_empty_file_waits_for_its_content() {
        let mut files = local();
        assert!(!files.look(Path::new("a"), stamp(0, 0), Duration::from_secs(5), 9 * SECOND, true));
        assert!(files.look(Path::new("a"), stamp(0, 0), Duration::from_secs(700), 700 * SECOND, false));
    }
}
