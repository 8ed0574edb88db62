//! A watched folder.
//!
//! [`FolderSource`] is its configuration, [`watch`] the task that offers complete files and [`look`] what it knows
//! of them. Which files count is in [`names`], when one is complete in [`ready`] and [`done`], who still has it open in
//! [`in_use`] and [`writers`], how senders are read off paths in [`place`].

mod done;
mod in_use;
mod list;
mod look;
pub(crate) mod names;
pub(crate) mod place;
pub(crate) mod ready;
pub(crate) mod watch;
mod writers;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use names::Wanted;
use place::Template;
use ready::Rule;

/// Whether a folder is read again and again in place of being told of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Poll {
    /// On network file systems, which tell nothing of what other machines do.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never, but for a full look every half minute.
    Never,
}

/// Watches a folder: `source: {folder: {path: "inbox/{department}", include: ["*.xlsx", "*.csv"]}}`.
///
/// A name in braces stands for one folder level and is the sender. A file that is renamed into the folder is taken
/// at once; any other file when nobody writes to it any more and its end is there. After the answer is written the
/// file moves to `archive`, or to `returned` if it was refused as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderSource {
    /// Folder to watch, below the data folder.
    pub(crate) path: String,

    /// File names to take; by default all but those of programs' temporary files. What is no table is answered and
    /// returned.
    #[serde(default = "default_include")]
    pub(crate) include: Vec<String>,

    /// File names to leave alone.
    #[serde(default)]
    pub(crate) exclude: Vec<String>,

    /// How long a file must lie unchanged after its writer has closed it, in milliseconds. Senders that rename files
    /// into place never wait; where all do, it may be 0, and then no file waits for anything.
    #[serde(default = "default_settle_ms")]
    pub(crate) settle_ms: u64,

    /// Seconds that a file must lie unchanged where nobody can tell whether its writer has closed it: on a network
    /// share, or where another user's programs cannot be looked into.
    #[serde(default = "default_quiet_secs", deserialize_with = "seconds")]
    pub(crate) quiet_secs: Duration,

    /// The same for files of more than one GiB, which are written with longer pauses.
    #[serde(default = "default_quiet_large_secs", deserialize_with = "seconds")]
    pub(crate) quiet_large_secs: Duration,

    /// Seconds that an empty file, or one that looks cut off, is waited for before it is read as it is.
    #[serde(default = "default_unfinished_secs", deserialize_with = "seconds")]
    pub(crate) unfinished_secs: Duration,

    /// Seconds for which the lock file of an office program is believed.
    #[serde(default = "default_lock_secs", deserialize_with = "seconds")]
    pub(crate) lock_secs: Duration,

    /// Endings of the files by which senders say that a file is complete: `a.csv.done` or `a.done` for `a.csv`.
    #[serde(default = "default_done_suffixes")]
    pub(crate) done_suffixes: Vec<String>,

    /// Whether no file is taken without one.
    #[serde(default)]
    pub(crate) wait_for_done: bool,

    /// Whether to poll.
    #[serde(default)]
    pub(crate) poll: Poll,

    /// Seconds between two looks when polling.
    #[serde(default = "default_poll_secs", deserialize_with = "seconds")]
    pub(crate) poll_secs: Duration,

    /// Seconds between two full looks behind the file system's events.
    #[serde(default = "default_rescan_secs", deserialize_with = "seconds")]
    pub(crate) rescan_secs: Duration,

    /// Where taken files are kept, below the data folder.
    #[serde(default = "default_archive")]
    pub(crate) archive: String,

    /// Where refused files go, below the data folder.
    #[serde(default = "default_returned")]
    pub(crate) returned: String,
}

/// Names lie, and a file of the wrong kind wants an answer too: what it is, its first bytes tell.
fn default_include() -> Vec<String> {
    vec!["*".to_owned()]
}

fn default_settle_ms() -> u64 {
    1000
}

fn default_quiet_secs() -> Duration {
    Duration::from_secs(10)
}

fn default_quiet_large_secs() -> Duration {
    Duration::from_secs(60)
}

fn default_unfinished_secs() -> Duration {
    Duration::from_secs(600)
}

fn default_lock_secs() -> Duration {
    Duration::from_secs(12 * 3600)
}

fn default_done_suffixes() -> Vec<String> {
    [".done", ".ok"].map(str::to_owned).to_vec()
}

fn default_poll_secs() -> Duration {
    Duration::from_secs(5)
}

fn default_rescan_secs() -> Duration {
    Duration::from_secs(30)
}

/// A number of seconds, perhaps with a fraction.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let number = f64::deserialize(from)?;
    Duration::try_from_secs_f64(number)
        .map_err(|_| serde::de::Error::custom(format!("{number} is no number of seconds, such as 10 or 0.5")))
}

fn default_archive() -> String {
    "archive/{sender}".to_owned()
}

fn default_returned() -> String {
    "returned/{sender}".to_owned()
}

impl FolderSource {
    /// A folder of the daemon's own, in which files are renamed into place.
    pub(crate) fn own(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            include: vec!["*.jsonl".to_owned()],
            exclude: Vec::new(),
            settle_ms: 0,
            quiet_secs: default_quiet_secs(),
            quiet_large_secs: default_quiet_large_secs(),
            unfinished_secs: default_unfinished_secs(),
            lock_secs: default_lock_secs(),
            done_suffixes: Vec::new(),
            wait_for_done: false,
            poll: Poll::Auto,
            poll_secs: default_poll_secs(),
            rescan_secs: default_rescan_secs(),
            archive: default_archive(),
            returned: default_returned(),
        }
    }

    /// Whether a file of this name is taken.
    pub(crate) fn takes(&self, name: &str) -> bool {
        Wanted::new(&self.include, &self.exclude).is_ok_and(|wanted| wanted.wants(Path::new(name)))
    }

    /// Checks what serde cannot: paths and patterns. Gives the key that is wrong, and why.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        for (key, text) in [("path", &self.path), ("archive", &self.archive), ("returned", &self.returned)] {
            Template::parse(text).map_err(|why| (key, why))?;
        }
        Wanted::new(&self.include, &[]).map_err(|why| ("include", why))?;
        Wanted::new(&self.exclude, &[]).map_err(|why| ("exclude", why))?;
        done::DoneFiles::check(&self.done_suffixes, self.wait_for_done)
    }

    /// How still a file must lie where it lies.
    fn rule(&self, disk: Disk) -> Rule {
        Rule {
            settle: Duration::from_millis(self.settle_ms),
            quiet: self.quiet_secs,
            quiet_large: self.quiet_large_secs,
            looks: 3,
            local: !self.polls(disk),
            unfinished: self.unfinished_secs,
        }
    }

    /// Whether a folder on such a disk is to be polled.
    fn polls(&self, disk: Disk) -> bool {
        match self.poll {
            Poll::Always => true,
            Poll::Never => false,
            Poll::Auto => disk != Disk::Local,
        }
    }
}

/// What kind of file system a folder lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    /// One that tells of all that is done to it.
    Local,
    /// One that does not tell what other machines do to it.
    Network,
    /// The same, whose server refuses a second writer.
    Windows,
}

impl Disk {
    fn of(folder: &Path) -> Self {
        // Magic numbers of statfs(2): SMB, CIFS, SMB2; NFS, FUSE, 9P, Ceph, AFS.
        const WINDOWS: [u64; 3] = [0x517b, 0xff53_4d42, 0xfe53_4d42];
        const NETWORK: [u64; 5] = [0x6969, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f];
        match rustix::fs::statfs(folder).map(|facts| (facts.f_type as u64) & 0xffff_ffff) {
            Ok(kind) if WINDOWS.contains(&kind) => Self::Windows,
            Ok(kind) if NETWORK.contains(&kind) => Self::Network,
            Ok(_) => Self::Local,
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "file system unknown, folder is polled");
                Self::Network
            }
        }
    }
}
