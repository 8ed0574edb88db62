//! Files that came with deliveries (佐证材料), each content once under its hash: `evidence/ab/abcd…`.
//!
//! A content is there whole or not at all: it is written under another name, made durable and renamed. All of it happens
//! before the delivery is committed, so no committed delivery names a content that is not there. What a delivery
//! that never was committed left behind is found by the next one that brings it, and harms nobody.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use huiliu_formats::read::KeepAttachment;

use crate::sinks::{WholeFile, sync_folder};

/// Below the data folder.
pub(crate) const FOLDER: &str = "evidence";
/// Bytes that are copied at once.
const BLOCK: usize = 128 << 10;

/// Keeps what came with one delivery.
#[derive(Debug)]
pub(crate) struct EvidenceFolder {
    folder: PathBuf,
    /// Names what is being written, so that a run after a crash writes over it.
    delivery: String,
    /// Why something could not be kept, which is not the sender's fault.
    failed: Mutex<Option<String>>,
}

impl EvidenceFolder {
    /// In the data folder `data`, for a delivery of this id.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub(crate) fn open(data: &Path, delivery: &str) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, delivery: delivery.to_owned(), failed: Mutex::default() })
    }

    /// The folder, for temporary files on the disk of the data.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Why something could not be kept, if that happened.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, content: &mut dyn Read) -> io::Result<Result<String, io::Error>> {
        let mut file = WholeFile::create(&self.folder.join(&self.delivery))?;
        let mut hasher = blake3::Hasher::new();
        let mut block = vec![0; BLOCK];
        loop {
            let count = match content.read(&mut block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return Ok(Err(error)), // The package is damaged, the disk is not.
            };
            let read = block.get(..count).unwrap_or_default();
            hasher.update(read);
            file.write_all(read)?;
        }
        let hash = hasher.finalize().to_hex().to_string();
        let target = self.folder.join(place(&hash));
        if !target.exists() {
            let folder = target.parent().unwrap_or(&self.folder);
            std::fs::create_dir_all(folder)?;
            sync_folder(Some(&self.folder))?;
            file.finish_as(target)?;
        }
        Ok(Ok(hash))
    }
}

impl KeepAttachment for EvidenceFolder {
    fn keep(&self, content: &mut dyn Read) -> io::Result<String> {
        self.write(content).unwrap_or_else(|error| {
            let why = format!("cannot keep an attachment in `{}`: {error}", self.folder.display());
            *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            Err(error)
        })
    }
}

/// Where the content of a hash lies in the folder.
pub(crate) fn place(hash: &str) -> PathBuf {
    Path::new(hash.get(..2).unwrap_or_default()).join(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives some bytes, then fails.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                false => Ok(buffer.len().min(9)),
                true => Err(io::Error::other("cut off")),
            }
        }
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                found.extend(files(&entry.path()));
            } else {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        found
    }

    #[test]
    fn a_content_is_kept_once_and_nothing_is_left_of_one_that_broke_off() {
        let data = tempfile::tempdir().unwrap();
        let kept = EvidenceFolder::open(data.path(), "00ff").unwrap();
        let one = kept.keep(&mut b"permit".as_slice()).unwrap();
        assert_eq!(kept.keep(&mut b"permit".as_slice()).unwrap(), one);
        assert!(kept.keep(&mut Broken(false)).is_err());
        assert_eq!(files(kept.path()), std::slice::from_ref(&one));
        assert_eq!(std::fs::read(kept.path().join(place(&one))).unwrap(), b"permit");
        assert_eq!(kept.failure(), None, "a damaged package is its sender's affair");
        std::fs::remove_dir_all(kept.path()).unwrap();
        std::fs::write(kept.path(), "no folder").unwrap();
        assert!(kept.keep(&mut b"other".as_slice()).is_err());
        assert!(kept.failure().is_some_and(|why| why.contains("cannot keep an attachment")));
    }
}
