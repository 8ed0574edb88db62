//! A watched folder.
//!
//! [`FolderSource`] is its configuration, [`watch`] the task that offers complete files. Which files
//! count is in [`names`], when one is complete in [`ready`], how senders are read off paths in [`place`].

pub(crate) mod names;
pub(crate) mod place;
pub(crate) mod ready;
pub(crate) mod watch;

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

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
/// A name in braces stands for one folder level and is the sender. A file that is renamed into the folder
/// is taken at once; any other file when it has not changed for `settle_ms`. After the answer is
/// written the file moves to `archive`, or to `returned` if it was refused as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderSource {
    /// Folder to watch, below the data folder.
    pub(crate) path: String,

    /// File names to take.
    #[serde(default = "default_include")]
    pub(crate) include: Vec<String>,

    /// File names to leave alone.
    #[serde(default)]
    pub(crate) exclude: Vec<String>,

    /// How long a file must lie unchanged before it is read, in milliseconds. Senders that rename files into
    /// place never wait; where all do, it may be 0.
    #[serde(default = "default_settle_ms")]
    pub(crate) settle_ms: u64,

    /// Whether to poll.
    #[serde(default)]
    pub(crate) poll: Poll,

    /// Seconds between two looks when polling.
    #[serde(default = "default_poll_secs")]
    pub(crate) poll_secs: u64,

    /// Where taken files are kept, below the data folder.
    #[serde(default = "default_archive")]
    pub(crate) archive: String,

    /// Where refused files go, below the data folder.
    #[serde(default = "default_returned")]
    pub(crate) returned: String,
}

fn default_include() -> Vec<String> {
    [
        "*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm", "*.xls", "*.xlsb", "*.et", "*.ods", "*.jsonl",
        "*.ndjson", "*.json", "*.xml", "*.htm", "*.html", "*.zip",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn default_settle_ms() -> u64 {
    1000
}

fn default_poll_secs() -> u64 {
    5
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
            poll: Poll::Auto,
            poll_secs: default_poll_secs(),
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
        Ok(())
    }

    /// How still a file must lie on the file system of `folder`.
    fn rule(&self, folder: &Path) -> Rule {
        let local = !self.polls(folder);
        let settle = Duration::from_millis(self.settle_ms);
        let empty_after = Duration::from_secs(600);
        match local {
            true => Rule { settle, scans: 1, local, empty_after },
            false => Rule {
                settle: settle.max(Duration::from_secs(2 * self.poll_secs)),
                scans: 3,
                local,
                empty_after,
            },
        }
    }

    /// Whether `folder` is to be polled.
    fn polls(&self, folder: &Path) -> bool {
        match self.poll {
            Poll::Always => true,
            Poll::Never => false,
            Poll::Auto => on_network(folder),
        }
    }
}

/// Whether a folder lies on a file system that does not tell what other machines do to it.
fn on_network(folder: &Path) -> bool {
    // Magic numbers of statfs(2): NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS.
    const NETWORK: [u64; 8] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f];
    match rustix::fs::statfs(folder) {
        Ok(facts) => NETWORK.contains(&((facts.f_type as u64) & 0xffff_ffff)),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "file system unknown, folder is polled");
            true
        }
    }
}
