//! Writing a file so that it is there whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use huiliu_pipeline::ports::{LedgerEntry, SinkError};

use crate::sources::folder::place::one_component;

/// A file under a temporary name in its folder, renamed into place by [`finish`](Self::finish).
/// Dropped before that, it is removed.
pub(crate) struct WholeFile {
    file: BufWriter<File>,
    temporary: PathBuf,
    target: PathBuf,
    done: bool,
}

impl WholeFile {
    /// Starts a file; makes its folder.
    pub(crate) fn create(target: &Path) -> std::io::Result<Self> {
        let folder = target.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let temporary = folder.join(format!(".{name}.tmp"));
        let file = BufWriter::with_capacity(1 << 16, File::create(&temporary)?);
        Ok(Self { file, temporary, target: target.to_owned(), done: false })
    }

    /// As [`finish`](Self::finish), under a name that was not known when the file was begun.
    pub(crate) fn finish_as(mut self, target: PathBuf) -> std::io::Result<()> {
        self.target = target;
        self.finish()
    }

    /// Makes the file durable and gives it its name, in place of whatever had it.
    pub(crate) fn finish(mut self) -> std::io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        std::fs::rename(&self.temporary, &self.target)?;
        self.done = true;
        sync_folder(self.target.parent())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for WholeFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.done {
            // Best effort: a leftover is overwritten by the next try, and no reader takes it.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(folder: Option<&Path>) -> std::io::Result<()> {
    match folder {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The file of a delivery in a sink's folder: its own name and its id, so that a second try meets the same
/// name and two senders with the same file name do not.
pub(crate) fn delivery_file(folder: &Path, entry: &LedgerEntry, extension: &str) -> PathBuf {
    let name =
        Path::new(&entry.delivery.file).file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    folder.join(format!("{}.{extension}", named(&name, &entry.delivery.id)))
}

/// `name.id`, short enough for any file system, and never hidden.
pub(crate) fn named(name: &str, id: &str) -> String {
    let mut name = one_component(name).trim_start_matches(['.', '_']).to_owned();
    while name.len() > 150 {
        name.pop();
    }
    if name.is_empty() { id.to_owned() } else { format!("{name}.{id}") }
}

/// A sink's error from an I/O error, with the path.
pub(crate) fn failed(path: &Path, error: &dyn std::fmt::Display) -> SinkError {
    SinkError(format!("cannot write `{}`: {error}", path.display()))
}
