//! The commit log: what deliveries produced, as Arrow IPC streams.
//!
//! A delivery has up to two streams, records and rejects. A stream without rows is nothing, a small one is
//! kept in the ledger's own transaction (one fsync for a small delivery instead of three), a large one is
//! a file, `{name}.records.arrow` or `{name}.rejects.arrow`. A file belongs to the log once a ledger line
//! names it. Until then its writer ([`write::Log`]) owns it and removes it when dropped; what a killed
//! process left is removed by [`LogFolder::sweep`].
//!
//! Facts that ride on a batch's schema (`huiliu_stage::Origin`) are not kept: the ledger has them.

mod write;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use arrow::ipc::reader::StreamReader;
use huiliu_pipeline::ports::{StoreError, Stream};
use huiliu_stage::ROW;

use crate::database::held;
use crate::error::{Error, Result};

const STREAMS: [Stream; 2] = [Stream::Records, Stream::Rejects];

fn suffix(stream: Stream) -> &'static str {
    match stream {
        Stream::Records => ".records.arrow",
        Stream::Rejects => ".rejects.arrow",
    }
}

/// Where a sealed stream is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It has no rows.
    #[default]
    Nowhere,
    /// In the database.
    Inside(Vec<u8>),
    /// In a file of this length.
    File(u64),
}

impl Kept {
    /// What the ledger says of a stream: its length, and its bytes if the database holds them.
    pub(crate) fn stored(bytes: u64, inside: Option<Vec<u8>>) -> Self {
        match inside {
            Some(inside) => Self::Inside(inside),
            None if bytes == 0 => Self::Nowhere,
            None => Self::File(bytes),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Nowhere => 0,
            Self::Inside(inside) => inside.len() as u64,
            Self::File(bytes) => *bytes,
        }
    }

    pub(crate) fn inside(&self) -> Option<&[u8]> {
        match self {
            Self::Inside(inside) => Some(inside),
            _ => None,
        }
    }
}

/// A sealed log that is about to be named by the ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sealed {
    pub(crate) records: Kept,
    pub(crate) rejects: Kept,
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
    pub(crate) fn start(self: &Arc<Self>, delivery: &str) -> Result<write::Log> {
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
        Ok(write::Log::new(Arc::clone(self), name))
    }

    /// What a writer of this folder has sealed.
    pub(crate) fn sealed(&self, name: &str) -> Result<Sealed> {
        match held(&self.open).get(name) {
            Some(Some(sealed)) => Ok(sealed.clone()),
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

    /// Opens a stream of a log.
    pub(crate) fn read(&self, name: &str, stream: Stream, kept: Kept) -> Result<LogReader> {
        let source: Box<dyn Read + Send> = match kept {
            Kept::Nowhere => return Ok(LogReader { batches: None, without: HashSet::new() }),
            Kept::Inside(inside) => Box::new(Cursor::new(inside)),
            Kept::File(bytes) => {
                let path = self.file(name, stream);
                let file = File::open(&path).map_err(Error::file(&path))?;
                let found = file.metadata().map_err(Error::file(&path))?.len();
                if found != bytes {
                    let text = format!("`{}` has {found} bytes, the ledger says {bytes}", path.display());
                    return Err(Error::failed(text));
                }
                Box::new(BufReader::new(file))
            }
        };
        Ok(LogReader { batches: Some(StreamReader::try_new(source, None)?), without: HashSet::new() })
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
    batches: Option<StreamReader<Box<dyn Read + Send>>>,
    /// Rows that are passed over.
    without: HashSet<i64>,
}

impl LogReader {
    /// The same without these rows.
    pub(crate) fn without(self, rows: HashSet<i64>) -> Self {
        Self { without: rows, ..self }
    }

    fn wanted(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let rows = batch.column_by_name(ROW).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let Some(rows) = rows.filter(|_| !self.without.is_empty()) else { return Ok(batch) };
        let wanted = BooleanBuffer::collect_bool(rows.len(), |at| !self.without.contains(&rows.value(at)));
        Ok(filter_record_batch(&batch, &BooleanArray::new(wanted, None))?)
    }
}

impl Iterator for LogReader {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.as_mut()?.next()?;
        if batch.is_err() {
            self.batches = None;
        }
        Some(batch.map_err(Error::from).and_then(|batch| self.wanted(batch)).map_err(StoreError::from))
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
        log.append(Stream::Records, &large()).unwrap();
        log.append(Stream::Rejects, &names(&["small"])).unwrap();
        log.seal().unwrap();
        assert_eq!(log_files(&folder), ["a-1.records.arrow"]);
        drop(log);
        assert!(log_files(&folder).is_empty());
    }

    #[test]
    fn the_next_start_sweeps_what_a_killed_process_left_and_nothing_else() {
        let (folder, store) = store();
        commit(&store, "a", &[(Stream::Records, large())]).unwrap();
        let mut log = store.log(&delivery("b")).unwrap();
        log.append(Stream::Records, &large()).unwrap();
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
        let mut seqs = Vec::new();
        let lists =
            [("small", vec![names(&["甲"]), names(&["乙", "丙"])]), ("large", vec![names(&["甲"]), large()])];
        for (id, batches) in &lists {
            let origin = Origin { delivery: "a".into(), received_ms: 7, ..Origin::default() };
            let mark = |batch: &RecordBatch| {
                let schema = origin.mark(batch.schema_ref());
                (Stream::Records, batch.clone().with_schema(schema.into()).unwrap())
            };
            seqs.push(commit(&store, id, &batches.iter().map(mark).collect::<Vec<_>>()).unwrap());
        }
        drop(store);
        assert_eq!(log_files(&folder), ["large-1.records.arrow"], "a small log has no file");
        let store = SqliteStore::open_exclusive(folder.path()).unwrap();
        for (seq, (_, batches)) in seqs.into_iter().zip(&lists) {
            let found = store.read_log(seq, Stream::Records).unwrap().map(|batch| batch.unwrap());
            assert_eq!(&found.collect::<Vec<_>>(), batches);
            assert_eq!(store.read_log(seq, Stream::Rejects).unwrap().count(), 0);
        }
        assert!(store.read_log(99, Stream::Records).is_err());
    }

    #[test]
    fn a_damaged_log_is_told_and_not_read_as_fewer_rows() {
        let (folder, store) = store();
        let seq = commit(&store, "a", &[(Stream::Records, large())]).unwrap();
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
