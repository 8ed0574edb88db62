//! The commit log: what deliveries produced, as Arrow IPC streams in local files.
//!
//! A delivery has up to two files, `{name}.records.arrow` and `{name}.rejects.arrow`; a stream without
//! rows has none. A file belongs to the log once a ledger line names it. Until then its writer owns it
//! and removes it when dropped; what a killed process left is removed by [`LogFolder::sweep`].
//!
//! Facts that ride on a batch's schema (`huiliu_stage::Origin`) are not kept: the ledger has them.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use huiliu_pipeline::ports::{LogWriter, StoreError, Stream};

use crate::database::held;
use crate::error::{Error, Result};

const STREAMS: [Stream; 2] = [Stream::Records, Stream::Rejects];

fn suffix(stream: Stream) -> &'static str {
    match stream {
        Stream::Records => ".records.arrow",
        Stream::Rejects => ".rejects.arrow",
    }
}

/// A sealed log that is about to be named by the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sealed {
    /// Length of the file of records; 0 if there is none.
    pub(crate) records_bytes: u64,
    /// Length of the file of rejects; 0 if there is none.
    pub(crate) rejects_bytes: u64,
}

/// The folder, and the logs in it that no ledger line names yet.
pub(crate) struct LogFolder {
    path: PathBuf,
    /// `None` while it is written.
    open: Mutex<HashMap<String, Option<Sealed>>>,
}

impl LogFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, open: Mutex::default() }
    }

    fn file(&self, name: &str, stream: Stream) -> PathBuf {
        self.path.join(format!("{name}{}", suffix(stream)))
    }

    /// Starts a log. The name is made of the delivery's id and a number, not of a time.
    pub(crate) fn start(self: &Arc<Self>, delivery: &str) -> Result<FileLog> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if delivery.is_empty() || !delivery.chars().all(plain) {
            return Err(Error::failed(format!("`{delivery}` cannot be part of a file name")));
        }
        let mut open = held(&self.open);
        let mut attempt = 1_u64;
        let name = loop {
            let name = format!("{delivery}-{attempt}");
            let on_disk = STREAMS.iter().any(|&stream| self.file(&name, stream).exists());
            if !on_disk && !open.contains_key(&name) {
                break name;
            }
            attempt += 1;
        };
        open.insert(name.clone(), None);
        Ok(FileLog { folder: Arc::clone(self), name, records: None, rejects: None, sealed: false })
    }

    /// What a writer of this folder has sealed.
    pub(crate) fn sealed(&self, name: &str) -> Result<Sealed> {
        match held(&self.open).get(name) {
            Some(Some(sealed)) => Ok(*sealed),
            Some(None) => Err(Error::failed(format!("log `{name}` must be sealed before it is committed"))),
            None => Err(Error::failed(format!("log `{name}` was not started by this store"))),
        }
    }

    /// Notes that the ledger names the log now, so that its writer leaves the files.
    pub(crate) fn keep(&self, name: &str) {
        held(&self.open).remove(name);
    }

    /// Removes the files of a log.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        for stream in STREAMS {
            remove_if_there(&self.file(name, stream))?;
        }
        Ok(())
    }

    /// Removes the logs that `named` does not hold. Other files are left alone.
    pub(crate) fn sweep(&self, named: &HashSet<String>) -> Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(&self.path).map_err(Error::file(&self.path))? {
            let entry = entry.map_err(Error::file(&self.path))?;
            let file = entry.file_name().to_string_lossy().into_owned();
            let name = STREAMS.iter().find_map(|&stream| file.strip_suffix(suffix(stream)));
            if name.is_some_and(|name| !named.contains(name)) {
                remove_if_there(&entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Opens a stream of a log that is `bytes` long.
    pub(crate) fn read(&self, name: &str, stream: Stream, bytes: u64) -> Result<LogReader> {
        if bytes == 0 {
            return Ok(LogReader { batches: None });
        }
        let path = self.file(name, stream);
        let file = File::open(&path).map_err(Error::file(&path))?;
        let found = file.metadata().map_err(Error::file(&path))?.len();
        if found != bytes {
            let text = format!("`{}` has {found} bytes, the ledger says {bytes}", path.display());
            return Err(Error::failed(text));
        }
        Ok(LogReader { batches: Some(StreamReader::try_new(BufReader::new(file), None)?) })
    }

    /// What is wrong with the files of a log, if anything.
    pub(crate) fn check(&self, name: &str, stream: Stream, bytes: u64) -> Option<String> {
        self.read(name, stream, bytes).err().map(|error| error.to_string())
    }

    fn sync(&self) -> Result<()> {
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(Error::file(&self.path))
    }
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    }
}

/// Batches of one stream of one delivery.
pub struct LogReader {
    batches: Option<StreamReader<BufReader<File>>>,
}

impl Iterator for LogReader {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.as_mut()?.next()?;
        if batch.is_err() {
            self.batches = None;
        }
        Some(batch.map_err(|error| Error::from(error).into()))
    }
}

/// A delivery's log while it is written.
pub(crate) struct FileLog {
    folder: Arc<LogFolder>,
    name: String,
    records: Option<StreamFile>,
    rejects: Option<StreamFile>,
    sealed: bool,
}

impl FileLog {
    fn try_append(&mut self, stream: Stream, batch: &RecordBatch) -> Result<()> {
        if self.sealed {
            return Err(Error::failed(format!("log `{}` is sealed", self.name)));
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let file = match stream {
            Stream::Records => &mut self.records,
            Stream::Rejects => &mut self.rejects,
        };
        match file {
            Some(file) => file.append(batch),
            None => {
                file.insert(StreamFile::create(&self.folder.file(&self.name, stream), batch)?).append(batch)
            }
        }
    }

    fn try_seal(&mut self) -> Result<()> {
        if self.sealed {
            return Ok(());
        }
        let mut sealed = Sealed::default();
        let files =
            [(&mut self.records, &mut sealed.records_bytes), (&mut self.rejects, &mut sealed.rejects_bytes)];
        for (file, bytes) in files {
            if let Some(file) = file {
                *bytes = file.seal()?;
            }
        }
        if self.records.is_some() || self.rejects.is_some() {
            self.folder.sync()?;
        }
        held(&self.folder.open).insert(self.name.clone(), Some(sealed));
        self.sealed = true;
        Ok(())
    }
}

impl LogWriter for FileLog {
    fn append(&mut self, stream: Stream, batch: &RecordBatch) -> Result<(), StoreError> {
        Ok(self.try_append(stream, batch)?)
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        Ok(self.try_seal()?)
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn size(&self, stream: Stream) -> (u64, u64) {
        let file = match stream {
            Stream::Records => &self.records,
            Stream::Rejects => &self.rejects,
        };
        file.as_ref().map_or((0, 0), StreamFile::size)
    }
}

impl Drop for FileLog {
    fn drop(&mut self) {
        let ours = held(&self.folder.open).remove(&self.name).is_some();
        if ours && let Err(error) = self.folder.remove(&self.name) {
            // Not lost: the next start sweeps the folder.
            tracing::warn!(log = self.name, %error, "an abandoned log could not be removed");
        }
    }
}

/// One file of a log.
struct StreamFile {
    path: PathBuf,
    /// As it is written: without what rides on the schema of single batches.
    schema: SchemaRef,
    writer: StreamWriter<BufWriter<Counting>>,
    rows: u64,
}

impl StreamFile {
    fn create(path: &Path, first: &RecordBatch) -> Result<Self> {
        let schema: SchemaRef = Schema::new(first.schema_ref().fields.clone()).into();
        let file = File::create_new(path).map_err(Error::file(path))?;
        let writer = StreamWriter::try_new_buffered(Counting { file, bytes: 0 }, &schema)?;
        Ok(Self { path: path.to_owned(), schema, writer, rows: 0 })
    }

    fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.schema_ref().fields != self.schema.fields {
            let text = "the batches of a delivery have different columns".to_owned();
            return Err(ArrowError::SchemaError(text).into());
        }
        self.writer.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the stream, makes it durable and tells its length.
    fn seal(&mut self) -> Result<u64> {
        self.writer.finish()?;
        let counting = self.writer.get_ref().get_ref();
        counting.file.sync_data().map_err(Error::file(&self.path))?;
        Ok(counting.bytes)
    }

    fn size(&self) -> (u64, u64) {
        let buffered = self.writer.get_ref();
        (self.rows, buffered.get_ref().bytes + buffered.buffer().len() as u64)
    }
}

/// A file that knows how much was written to it.
struct Counting {
    file: File,
    bytes: u64,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::{Store, Stream};
    use huiliu_stage::Origin;

    use super::*;
    use crate::SqliteStore;
    use crate::testing::*;

    fn names(cells: &[&str]) -> RecordBatch {
        batch(&[("name", cells)], 1)
    }

    #[test]
    fn a_log_that_is_not_committed_leaves_nothing() {
        let (folder, store) = store();
        let mut log = store.log(&delivery("a")).unwrap();
        assert!(log_files(&folder).is_empty(), "a stream without rows has no file");
        log.append(Stream::Records, &names(&["甲"])).unwrap();
        log.seal().unwrap();
        assert_eq!(log_files(&folder), ["a-1.records.arrow"]);
        drop(log);
        assert!(log_files(&folder).is_empty());
    }

    #[test]
    fn the_next_start_sweeps_what_a_killed_process_left_and_nothing_else() {
        let (folder, store) = store();
        commit(&store, "a", &[(Stream::Records, names(&["甲"]))]).unwrap();
        let mut log = store.log(&delivery("b")).unwrap();
        log.append(Stream::Records, &names(&["乙"])).unwrap();
        std::mem::forget(log); // Killed: no destructor ran.
        std::fs::write(folder.path().join("log/readme.txt"), "mine").unwrap();
        assert_eq!(log_files(&folder), ["a-1.records.arrow", "b-1.records.arrow", "readme.txt"]);
        drop(store);
        SqliteStore::open_reader(folder.path()).unwrap();
        assert_eq!(log_files(&folder).len(), 3, "a reader sweeps nothing");
        let store = SqliteStore::open_exclusive(folder.path());
        // The forgotten log holds the folder, not the lock.
        store.unwrap();
        assert_eq!(log_files(&folder), ["a-1.records.arrow", "readme.txt"]);
    }

    #[test]
    fn what_was_logged_is_read_back_without_the_facts_of_its_batches() {
        let (folder, store) = store();
        let plain = names(&["甲", "乙"]);
        let origin = Origin { delivery: "a".into(), received_ms: 7, ..Origin::default() };
        let marked = plain.clone().with_schema(origin.mark(plain.schema_ref()).into()).unwrap();
        let streams = [(Stream::Records, marked), (Stream::Records, plain.clone())];
        let seq = commit(&store, "a", &streams).unwrap();
        drop(store);
        let store = SqliteStore::open_exclusive(folder.path()).unwrap();
        let found: Vec<RecordBatch> =
            store.read_log(seq, Stream::Records).unwrap().map(|batch| batch.unwrap()).collect();
        assert_eq!(found, [plain.clone(), plain]);
        assert_eq!(store.read_log(seq, Stream::Rejects).unwrap().count(), 0);
        assert!(store.read_log(seq + 1, Stream::Records).is_err());
    }

    #[test]
    fn a_damaged_log_is_told_and_not_read_as_fewer_rows() {
        let (folder, store) = store();
        let seq = commit(&store, "a", &[(Stream::Records, names(&["甲"]))]).unwrap();
        let path = folder.path().join("log/a-1.records.arrow");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 8]).unwrap();
        let error = store.read_log(seq, Stream::Records).err().unwrap().to_string();
        assert!(error.contains("the ledger says"), "{error}");
        assert_eq!(store.check_balance().unwrap().len(), 1);
    }

    #[test]
    fn a_log_refuses_what_it_could_not_keep() {
        let (_folder, store) = store();
        let mut log = store.log(&delivery("a")).unwrap();
        log.append(Stream::Records, &names(&["甲"])).unwrap();
        assert!(log.append(Stream::Records, &batch(&[("other", &["乙"])], 1)).is_err());
        let (rows, bytes) = log.size(Stream::Records);
        assert_eq!((rows, bytes > 0), (1, true));
        let delivery = delivery("a");
        let unsealed = store.commit(outcome(&delivery, log)).unwrap_err().to_string();
        assert!(unsealed.contains("must be sealed"), "{unsealed}");
        for id in ["", "../a", "a/b", "a.b"] {
            assert!(store.log(&crate::testing::delivery(id)).is_err(), "{id}");
        }
    }
}
