//! Done files: a sender's own word that a file is complete.
//!
//! `a.csv.done` or `a.done` beside `a.csv`, written after it, says that nothing more will come. It may be empty, or tell the
//! size of the file in bytes (`1234`, `size=1234`), which must then agree. Programs that send files over a share
//! use them where nothing else proves the end. The done file goes with the file that it speaks of.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::ready::Stamp;

/// More of a done file is never read.
const MOST: u64 = 4096;

/// What is said of one file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// It is complete.
    Complete,
    /// Not what is there; why.
    Otherwise(String),
}

/// How senders name their done files.
#[derive(Debug)]
pub(super) struct DoneFiles {
    suffixes: Vec<String>,
    needed: bool,
}

impl DoneFiles {
    /// `suffixes` are put behind a file's name, or in place of its ending. With `needed`, no file is taken without.
    pub(super) fn new(suffixes: &[String], needed: bool) -> Self {
        Self { suffixes: suffixes.to_vec(), needed }
    }

    /// Checks what a pipeline says. Gives the key that is wrong, and why.
    pub(super) fn check(suffixes: &[String], needed: bool) -> Result<(), (&'static str, String)> {
        if let Some(wrong) = suffixes.iter().find(|suffix| suffix.len() < 2 || suffix.contains('/')) {
            return Err(("done_suffixes", format!("`{wrong}` is no ending of a file name, such as `.done`")));
        }
        match needed && suffixes.is_empty() {
            true => {
                Err(("wait_for_done", "no file would ever be taken: `done_suffixes` is empty".to_owned()))
            }
            false => Ok(()),
        }
    }

    /// Whether a path is named as a done file.
    pub(super) fn is_one(&self, path: &Path) -> bool {
        let name = path.file_name().map(OsStr::to_string_lossy).unwrap_or_default();
        self.suffixes.iter().any(|suffix| name.ends_with(suffix.as_str()))
    }

    /// What is said of the file at `path`, which looks like `stamp`.
    pub(super) fn say(&self, path: &Path, stamp: Stamp) -> Said {
        // An older done file speaks of what was sent under this name before.
        let spoken =
            |done: &PathBuf| Stamp::at(done).is_some_and(|of| of.mtime_ns.max(of.ctime_ns) >= stamp.mtime_ns);
        match (self.names(path).into_iter().find(spoken), self.needed) {
            (Some(done), _) => agree(&done, stamp.size),
            (None, true) => Said::Otherwise("no done file beside it yet".to_owned()),
            (None, false) => Said::Nothing,
        }
    }

    /// Removes the done files of a file that is done with, unless it was sent again meanwhile.
    pub(super) fn remove(&self, path: &Path) {
        for done in self.names(path) {
            let spoken = fs::symlink_metadata(&done).is_ok_and(|meta| meta.is_file());
            if spoken
                && !path.exists()
                && let Err(error) = fs::remove_file(&done)
            {
                tracing::warn!(file = %done.display(), %error, "done file cannot be removed");
            }
        }
    }

    fn names(&self, path: &Path) -> Vec<PathBuf> {
        let behind = |suffix: &String| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let instead = |suffix: &String| {
            let mut name = path.file_stem()?.to_owned();
            name.push(suffix);
            Some(path.with_file_name(name)).filter(|done| done != path)
        };
        let behind = self.suffixes.iter().map(behind);
        behind.chain(self.suffixes.iter().filter_map(instead)).collect()
    }
}

/// Whether a done file that tells a size tells this one.
fn agree(done: &Path, size: u64) -> Said {
    let small = fs::metadata(done).is_ok_and(|meta| meta.len() <= MOST);
    let text = if small { fs::read(done).unwrap_or_default() } else { Vec::new() };
    match told_size(&String::from_utf8_lossy(&text)) {
        Some(told) if told != size => {
            Said::Otherwise(format!("its done file tells of {told} bytes, and it has {size}"))
        }
        _ => Said::Complete,
    }
}

/// `1234`, or `size=1234` or `size: 1234` among other lines.
fn told_size(text: &str) -> Option<u64> {
    let line = |line: &str| {
        let line = line.trim().to_lowercase();
        line.strip_prefix("size")?.trim_start().strip_prefix(['=', ':'])?.trim().parse().ok()
    };
    text.trim().parse().ok().or_else(|| text.lines().find_map(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(needed: bool) -> DoneFiles {
        DoneFiles::new(&[".done".to_owned(), ".ok".to_owned()], needed)
    }

    #[test]
    fn a_size_is_read_however_it_is_told_and_other_words_are_no_size() {
        for (text, size) in [
            ("", None),
            ("12\n", Some(12)),
            ("name=a.csv\nSize = 12\n", Some(12)),
            ("size: 12", Some(12)),
            ("sizes 12", None),
            ("finished 2026-04-02", None),
        ] {
            assert_eq!(told_size(text), size, "{text:?}");
        }
    }

    #[test]
    fn a_done_file_speaks_of_the_file_it_was_written_after_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "12345").unwrap();
        let say = |needed| files(needed).say(&path, Stamp::at(&path).unwrap());
        assert_eq!(say(false), Said::Nothing);
        assert!(matches!(say(true), Said::Otherwise(_)));
        for (name, content, complete) in [
            ("a.csv.done", "", true),
            ("a.ok", "5", true),
            ("a.csv.ok", "size=6", false),
            ("b.ok", "", false),
        ] {
            let done = folder.path().join(name);
            fs::write(&done, content).unwrap();
            assert_eq!(say(true) == Said::Complete, complete, "{name}");
            fs::remove_file(done).unwrap();
        }
        // What was said of an earlier file of this name counts no more.
        let done = folder.path().join("a.csv.done");
        fs::write(&done, "").unwrap();
        let mut later = Stamp::at(&path).unwrap();
        later.mtime_ns += 3_600_000_000_000;
        assert_eq!(files(false).say(&path, later), Said::Nothing);
        files(false).remove(&path);
        assert!(done.exists(), "the file was sent again");
        fs::remove_file(&path).unwrap();
        files(false).remove(&path);
        assert!(!done.exists());
    }

    #[test]
    fn a_pipeline_that_could_take_no_file_is_refused() {
        assert!(DoneFiles::check(&[".done".to_owned()], true).is_ok());
        assert_eq!(DoneFiles::check(&[], true).unwrap_err().0, "wait_for_done");
        assert_eq!(DoneFiles::check(&["x/y".to_owned()], false).unwrap_err().0, "done_suffixes");
    }
}
