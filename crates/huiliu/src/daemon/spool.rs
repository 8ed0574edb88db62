//! The private copy of a file while it is worked on.
//!
//! What a department sent stays in its hands until it is put away: it can be written again while it is read, or
//! while its receipt is made. So its bytes are copied once, and hashed on the way; only that copy is read, shown in the
//! receipt and, should the original have changed meanwhile, kept in the archive. A large file that was renamed into
//! place is read where it lies, since its writer is done with it; its stamp is compared at the end.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::sources::folder::ready::Stamp;

/// Smaller files are copied though they were renamed into place: it costs less than it tells.
const SMALL: u64 = 16 << 20;

/// The folder of one pipeline's copies, below the data folder.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    next: u64,
}

/// The bytes of a delivery that will not change.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Where they lie: a copy, or the original.
    pub(crate) content: PathBuf,
    /// BLAKE3 of them, in hex.
    pub(crate) hash: String,
    /// The original's state, from before the copy to after it.
    pub(crate) stamp: Stamp,
    /// Whether `content` is a copy, to be removed.
    pub(crate) copied: bool,
}

/// Why a file was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It is not there any more.
    Gone,
    /// It changed since it was found complete.
    Changed,
    /// It could not be read.
    Unreadable(io::Error),
    /// Its copy could not be written.
    NotCopied(io::Error),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone,
            _ => Self::Unreadable(error),
        }
    }
}

impl Spool {
    /// The spool of a pipeline. What a crash left in it is removed.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(crate) fn open(data: &Path, pipeline: &str) -> io::Result<Self> {
        let folder = data.join("spool").join(pipeline);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(&folder)?,
        }
        Ok(Self { folder, next: 0 })
    }

    /// Takes a file that bore `stamp` when it was found complete.
    ///
    /// # Errors
    /// It bears another one now, before or after it was read; no copy is left.
    pub(crate) fn take(&mut self, path: &Path, stamp: Stamp, proven: bool) -> Result<Taken, NotTaken> {
        let mut file = File::open(path)?;
        let copied = !proven || stamp.size <= SMALL;
        let mut taken = Taken { content: path.to_owned(), hash: String::new(), stamp, copied: false };
        if copied {
            self.next += 1;
            taken.content = self.folder.join(self.next.to_string());
            let mut copy = File::create_new(&taken.content).map_err(NotTaken::NotCopied)?;
            // From here on the copy is removed with `taken`.
            taken.copied = true;
            taken.hash = pass(&mut file, &mut copy)?;
        } else {
            taken.hash = pass(&mut file, &mut io::sink())?;
        }
        match Stamp::at(path) {
            None => Err(NotTaken::Gone),
            Some(now) if now != stamp => Err(NotTaken::Changed),
            Some(_) => Ok(taken),
        }
    }
}

impl Taken {
    /// Whether the original at `path` is still what was taken.
    pub(crate) fn is_still(&self, path: &Path) -> bool {
        Stamp::at(path) == Some(self.stamp)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.copied {
            // Best effort: what is left over is removed at the next start.
            let _ = std::fs::remove_file(&self.content);
        }
    }
}

/// The hash of a file's bytes, as in [`Taken::hash`].
pub(crate) fn hash(path: &Path) -> io::Result<String> {
    pass(&mut File::open(path)?, &mut io::sink()).map_err(|why| match why {
        NotTaken::Unreadable(error) | NotTaken::NotCopied(error) => error,
        NotTaken::Gone | NotTaken::Changed => io::ErrorKind::NotFound.into(),
    })
}

/// Reads a file once, writes it and gives its hash.
fn pass(from: &mut File, to: &mut dyn Write) -> Result<String, NotTaken> {
    let mut hasher = blake3::Hasher::new();
    let mut block = vec![0; 1 << 17];
    loop {
        let count = match from.read(&mut block) {
            Ok(0) => return Ok(hasher.finalize().to_hex().to_string()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(NotTaken::Unreadable(error)),
        };
        let read = block.get(..count).unwrap_or_default();
        hasher.update(read);
        to.write_all(read).map_err(NotTaken::NotCopied)?;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_taken_as_it_was_found_or_not_at_all() {
        let data = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(data.path(), "p").unwrap();
        let path = data.path().join("a.csv");
        fs::write(&path, "项目名称\n").unwrap();
        let stamp = Stamp::at(&path).unwrap();
        let taken = spool.take(&path, stamp, false).unwrap();
        assert_eq!(taken.hash, blake3::hash("项目名称\n".as_bytes()).to_hex().to_string());
        assert!(taken.is_still(&path));
        // What happens to the original does not reach the copy.
        fs::write(&path, "别的内容，更长一些\n").unwrap();
        assert_eq!(fs::read_to_string(&taken.content).unwrap(), "项目名称\n");
        assert!(!taken.is_still(&path));
        assert!(matches!(spool.take(&path, stamp, false), Err(NotTaken::Changed)));
        fs::remove_file(&path).unwrap();
        assert!(matches!(spool.take(&path, stamp, false), Err(NotTaken::Gone)));
        drop(taken);
        assert_eq!(fs::read_dir(data.path().join("spool/p")).unwrap().count(), 0, "nothing is left");
    }

    #[test]
    fn a_large_file_that_was_renamed_into_place_is_read_where_it_lies() {
        let data = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(data.path(), "p").unwrap();
        let path = data.path().join("a.csv");
        File::create(&path).unwrap().set_len(SMALL + 1).unwrap();
        let stamp = Stamp::at(&path).unwrap();
        assert_eq!(spool.take(&path, stamp, true).unwrap().content, path);
        assert!(path.exists(), "it is not removed with the rest");
        assert_ne!(spool.take(&path, stamp, false).unwrap().content, path);
    }

    #[test]
    fn what_a_crash_left_is_removed_at_the_start() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("spool/p");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("1"), "x").unwrap();
        Spool::open(data.path(), "p").unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    }
}
