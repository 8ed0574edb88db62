//! The store as the daemon and the command line hold it.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use huiliu_pipeline::ports::{
    Commit, Counts, Delivery, Evidence, LedgerEntry, LogWriter, Store, StoreError, Stream,
};
use huiliu_stage::Finding;
use rusqlite::Connection;

use crate::database::{Access, Database, Durability};
use crate::doctor::{self, Imbalance};
use crate::error::{Error, Result};
use crate::ledger::{self, DeliveryFilter};
use crate::log::{LogFolder, LogReader};
use crate::mapping::{self, Mapping};
use crate::quarantine::{self, QuarantineFilter, QuarantineRow, QuarantineStatus};
use crate::register::{self, Record, RecordStory, RegisterOptions, RegisterSink};
use crate::{commit, cursor, evidence, replaced, state};

/// A data folder: `store.sqlite`, `log/` and `lock`. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct SqliteStore {
    database: Arc<Database>,
    logs: Arc<LogFolder>,
    /// Held as long as the store that runs pipelines lives; `None` for its guests.
    lock: Option<Arc<File>>,
}

impl SqliteStore {
    /// Opens the store to run pipelines on it, and makes it if there is none. Brings an older one up
    /// to date and removes logs that never were committed.
    ///
    /// # Errors
    /// If another process has it open so, or if it was written by a newer version.
    pub fn open_exclusive(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::own(folder)?)
    }

    /// Opens a store that is there to change single things in it (quarantine), also while a daemon
    /// runs on it.
    pub fn open_shared(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::visit(folder, Access::Guest)?)
    }

    /// Opens a store that is there for questions only, also while a daemon runs on it.
    pub fn open_reader(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self::visit(folder, Access::Reader)?)
    }

    fn own(folder: &Path) -> Result<Self> {
        let log = folder.join("log");
        fs::create_dir_all(&log).map_err(Error::file(&log))?;
        let lock = lock(folder)?;
        let database = Database::open(&folder.join("store.sqlite"), Access::Owner)?;
        let logs = LogFolder::new(log);
        let named: HashSet<String> = database.read(|connection| {
            let mut find = connection.prepare("SELECT log FROM delivery WHERE log IS NOT NULL")?;
            let found = find.query_map([], |row| row.get(0))?;
            Ok(found.collect::<rusqlite::Result<_>>()?)
        })?;
        let removed = logs.sweep(&named)?;
        if removed > 0 {
            tracing::info!(files = removed, "logs of interrupted deliveries removed");
        }
        Ok(Self { database: Arc::new(database), logs: Arc::new(logs), lock: Some(Arc::new(lock)) })
    }

    fn visit(folder: &Path, access: Access) -> Result<Self> {
        let file = folder.join("store.sqlite");
        if !file.exists() {
            let text = format!("there is no store in `{}`; `huiliu run` makes one", folder.display());
            return Err(Error::missing(text));
        }
        let database = Arc::new(Database::open(&file, access)?);
        Ok(Self { database, logs: Arc::new(LogFolder::new(folder.join("log"))), lock: None })
    }

    /// Which deliveries there are, newest first.
    pub fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<LedgerEntry>, StoreError> {
        Ok(self.database.read(|c| ledger::list(c, filter))?)
    }

    /// A delivery by its id, or by the beginning of one that no other has.
    pub fn delivery(&self, id: &str) -> Result<LedgerEntry, StoreError> {
        Ok(self.database.read(|c| ledger::find_by_prefix(c, id))?)
    }

    /// The first delivery of this content by this sender.
    pub fn find_content(
        &self,
        pipeline: &str,
        sender: &str,
        content_hash: &str,
    ) -> Result<Option<LedgerEntry>, StoreError> {
        Ok(self.database.read(|c| ledger::find_content(c, pipeline, sender, content_hash))?)
    }

    /// The findings of a delivery that are shown, each with the name of its sheet.
    pub fn findings(&self, delivery: &str) -> Result<Vec<(Finding, String)>, StoreError> {
        Ok(self.database.read(|c| ledger::findings(c, delivery))?)
    }

    /// The names of a delivery's sheets by the ordinal in `_row`, those that were not read among them.
    pub fn sheets(&self, delivery: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.database.read(|c| ledger::sheets(c, delivery))?)
    }

    /// The files that came with a delivery.
    pub fn evidence(&self, delivery: &str) -> Result<Vec<Evidence>, StoreError> {
        Ok(self.database.read(|c| evidence::of_delivery(c, delivery))?)
    }

    /// Files that the sender of a delivery sent after it, newest first, at most so many: those of no row and those of rows
    /// that came to a record.
    pub fn evidence_since(&self, delivery: &str, most: u32) -> Result<Vec<Evidence>, StoreError> {
        Ok(self.database.read(|c| evidence::since(c, delivery, most))?)
    }

    /// Deliveries that are done but not answered, oldest first.
    pub fn unanswered(&self, pipeline: &str) -> Result<Vec<LedgerEntry>, StoreError> {
        Ok(self.database.read(|c| ledger::unanswered(c, pipeline))?)
    }

    /// Deliveries that were noticed but are not done, oldest first.
    pub fn interrupted(&self, pipeline: &str) -> Result<Vec<LedgerEntry>, StoreError> {
        Ok(self.database.read(|c| ledger::interrupted(c, pipeline))?)
    }

    /// Notes that the answer was written and the file put away at `archived`.
    pub fn set_answered(&self, delivery: &str, archived: &str) -> Result<(), StoreError> {
        Ok(self.database.write(Durability::Lazy, |t| ledger::set_answered(t, delivery, archived))?)
    }

    /// Lets a refused delivery be run again, such as after its pipeline was mended.
    pub fn reopen(&self, delivery: &str) -> Result<(), StoreError> {
        Ok(self.database.write(Durability::Synced, |t| ledger::reopen(t, delivery))?)
    }

    /// What a committed delivery left in one of its streams, without rows that went into later ones; empty for a stream
    /// without rows.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the log was trimmed.
    pub fn read_log(&self, seq: u64, stream: Stream) -> Result<LogReader, StoreError> {
        let (name, kept) = self.database.read(|c| ledger::log_of(c, seq, stream))?;
        let replaced = match stream {
            Stream::Records => self.database.read(|c| replaced::rows(c, seq))?,
            Stream::Rejects => HashSet::new(),
        };
        Ok(self.logs.read(&name, stream, kept)?.without(replaced))
    }

    /// The delivery of a pipeline that comes next after `seq` in the log.
    pub fn next_after(&self, pipeline: &str, seq: u64) -> Result<Option<LedgerEntry>, StoreError> {
        Ok(self.database.read(|c| ledger::next_after(c, pipeline, seq))?)
    }

    /// Tells which sinks a pipeline has. New ones start with the oldest delivery that is still in the
    /// log; those not named lose their cursor and hold no log back any more.
    pub fn register_sinks(&self, pipeline: &str, sinks: &[&str]) -> Result<(), StoreError> {
        Ok(self.database.write(Durability::Synced, |t| cursor::register(t, pipeline, sinks))?)
    }

    /// The place of the last delivery that a sink has written; 0 for none.
    pub fn cursor(&self, pipeline: &str, sink: &str) -> Result<u64, StoreError> {
        Ok(self.database.read(|c| cursor::get(c, pipeline, sink))?)
    }

    /// Notes that a sink has written the delivery at `seq`. A cursor never moves back.
    pub fn advance(&self, pipeline: &str, sink: &str, seq: u64) -> Result<(), StoreError> {
        Ok(self.database.write(Durability::Lazy, |t| cursor::advance(t, pipeline, sink, seq))?)
    }

    /// Removes the logs that every registered sink of the pipeline has passed; tells how many.
    pub fn trim(&self, pipeline: &str) -> Result<usize, StoreError> {
        Ok(cursor::trim(&self.database, &self.logs, pipeline)?)
    }

    /// Bytes of the pipeline's logs that are not trimmed.
    pub fn backlog_bytes(&self, pipeline: &str) -> Result<u64, StoreError> {
        Ok(self.database.read(|c| cursor::backlog_bytes(c, pipeline))?)
    }

    /// Rows in quarantine, in the order of their numbers.
    pub fn quarantine_list(&self, filter: &QuarantineFilter) -> Result<Vec<QuarantineRow>, StoreError> {
        Ok(self.database.read(|c| quarantine::list(c, filter))?)
    }

    /// How many rows are in a status, in one pipeline or in all.
    pub fn quarantine_count(
        &self,
        pipeline: Option<&str>,
        status: QuarantineStatus,
    ) -> Result<u64, StoreError> {
        Ok(self.database.read(|c| quarantine::count(c, pipeline, status))?)
    }

    /// The id of the delivery that replaced `delivery`: it was committed once, and other content came under its sender
    /// and file name since.
    pub fn replaced(&self, delivery: &Delivery) -> Result<Option<String>, StoreError> {
        Ok(self.database.read(|c| ledger::replaced(c, delivery))?)
    }

    /// One row in quarantine.
    pub fn quarantine_show(&self, id: i64) -> Result<QuarantineRow, StoreError> {
        Ok(self.database.read(|c| quarantine::show(c, id))?)
    }

    /// Marks open rows as retried and gives them out, all or none. `note` says in which file, so that an
    /// interrupted retry can be told from one that never was.
    pub fn quarantine_take_for_retry(
        &self,
        ids: &[i64],
        note: &str,
        now_ms: i64,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        Ok(self.database.write(Durability::Synced, |t| quarantine::take(t, ids, note, now_ms))?)
    }

    /// Sets the status of rows, with a word on why; all or none.
    pub fn quarantine_set(
        &self,
        ids: &[i64],
        status: QuarantineStatus,
        note: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        Ok(self.database.write(Durability::Synced, |t| quarantine::set(t, ids, status, note, now_ms))?)
    }

    /// What headers were confirmed to mean, in one pipeline or in all.
    pub fn mappings(&self, pipeline: Option<&str>) -> Result<Vec<Mapping>, StoreError> {
        Ok(self.database.read(|c| mapping::list(c, pipeline))?)
    }

    /// Header to field, as confirmed for what a sender sends to a pipeline.
    pub fn mappings_of(&self, pipeline: &str, sender: &str) -> Result<BTreeMap<String, String>, StoreError> {
        Ok(self.database.read(|c| mapping::of(c, pipeline, sender))?)
    }

    /// Remembers what a header means.
    pub fn set_mapping(&self, mapping: &Mapping) -> Result<(), StoreError> {
        Ok(self.database.write(Durability::Synced, |t| mapping::set(t, mapping))?)
    }

    /// Forgets what a header means; tells whether there was anything to forget.
    pub fn remove_mapping(&self, pipeline: &str, sender: &str, header: &str) -> Result<bool, StoreError> {
        Ok(self.database.write(Durability::Synced, |t| mapping::remove(t, pipeline, sender, header))?)
    }

    /// A note of the daemon's own that belongs to no delivery, such as how far a schedule has come.
    pub fn note(&self, slot: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.database.read(|c| state::get(c, slot, key.as_bytes()))?)
    }

    /// Keeps a note, in the place of an earlier one.
    pub fn set_note(&self, slot: &str, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut change = [(key.as_bytes().to_vec(), Some(value.to_vec()))];
        Ok(self.database.write(Durability::Synced, |t| state::apply(t, slot, &mut change))?)
    }

    /// Asks the file itself what people want to know, within bounds.
    ///
    /// # Errors
    /// The store failed, or what is asked costs too much.
    pub(crate) fn ask(&self, ask: impl FnOnce(&Connection) -> Result<()>) -> Result<(), StoreError> {
        use rusqlite::ErrorCode::{OperationInterrupted, TooBig};
        self.database.ask(ask).map_err(|error| match &error {
            Error::Sql(sql) if matches!(sql.sqlite_error_code(), Some(OperationInterrupted | TooBig)) => {
                StoreError::Failed("the query was stopped: it asks for too much or never ends".to_owned())
            }
            _ => error.into(),
        })
    }

    /// A sink of `pipeline`, named `sink` there, that keeps records in a register.
    pub fn register_sink(&self, pipeline: &str, sink: &str, options: RegisterOptions) -> RegisterSink {
        RegisterSink::new(Arc::clone(&self.database), pipeline.to_owned(), sink.to_owned(), options)
    }

    /// The places (`{pipeline}/{stage}`) of all stages that keep anything, sorted.
    pub fn slots(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.database.read(state::slots)?)
    }

    /// Names of the registers.
    pub fn registers(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.database.read(register::read::names)?)
    }

    /// How many records a register has.
    pub fn register_count(&self, register: &str) -> Result<u64, StoreError> {
        Ok(self.database.read(|c| register::read::count(c, register))?)
    }

    /// At most `limit` records with ids after `after` (empty: from the first), in the order of their ids.
    pub fn records(&self, register: &str, after: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
        Ok(self.database.read(|c| register::read::list(c, register, after, limit))?)
    }

    /// Records that a person may mean by `key`: that id, else ids that begin so, else a text field of
    /// just this value (such as a project code), else one that contains it (such as part of a name).
    pub fn find_records(&self, register: &str, key: &str, limit: u32) -> Result<Vec<Record>, StoreError> {
        Ok(self.database.read(|c| register::read::find(c, register, key, limit))?)
    }

    /// The record of this id with all it ever was, field by field.
    pub fn explain(&self, register: &str, id: &str) -> Result<RecordStory, StoreError> {
        Ok(self.database.read(|c| register::read::explain(c, register, id))?)
    }

    /// Writes a register as JSON Lines in the order of the ids, without times.
    pub fn dump(&self, register: &str, out: &mut dyn Write) -> Result<(), StoreError> {
        Ok(self.database.read(|c| register::read::dump(c, register, out))?)
    }

    /// What in the store should not be; empty if all is well.
    pub fn check_balance(&self) -> Result<Vec<Imbalance>, StoreError> {
        Ok(self.database.read(|c| doctor::check(c, &self.logs))?)
    }
}

/// Keeps a second daemon away. The lock goes with the process, however it ends.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(Error::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let folder = folder.display();
            Err(Error::failed(format!("another huiliu runs on `{folder}`; stop it or choose another folder")))
        }
        Err(TryLockError::Error(error)) => Err(Error::file(&path)(error)),
    }
}

impl Store for SqliteStore {
    fn see(&self, delivery: &Delivery) -> Result<LedgerEntry, StoreError> {
        Ok(self.database.write(Durability::Lazy, |t| ledger::see(t, delivery))?)
    }

    fn state_get(&self, slot: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.database.look(|c| state::get(c, slot, key))?)
    }

    fn state_scan(
        &self,
        slot: &str,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        Ok(self.database.read(|c| state::scan(c, slot, prefix, each))?)
    }

    fn log(&self, delivery: &Delivery) -> Result<Box<dyn LogWriter>, StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::Failed("pipelines run only on a store opened exclusively".into()));
        }
        Ok(Box::new(self.logs.start(&delivery.id)?))
    }

    fn commit(&self, commit: Commit<'_>) -> Result<u64, StoreError> {
        Ok(commit::commit(&self.database, &self.logs, commit)?)
    }

    fn refuse(
        &self,
        delivery: &Delivery,
        counts: Counts,
        findings: Vec<Finding>,
        sheets: Vec<String>,
        report: serde_json::Value,
    ) -> Result<(), StoreError> {
        Ok(commit::refuse(&self.database, delivery, counts, &findings, &sheets, &report)?)
    }
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::Stream;

    use super::*;
    use crate::testing::*;

    #[test]
    fn one_daemon_and_any_number_of_guests() {
        let (folder, daemon) = store();
        let error = SqliteStore::open_exclusive(folder.path()).err().unwrap().to_string();
        assert!(error.contains("another huiliu runs on"), "{error}");
        let guest = SqliteStore::open_shared(folder.path()).unwrap();
        assert!(guest.log(&delivery("a")).is_err(), "a guest runs no pipeline");
        let reader = SqliteStore::open_reader(folder.path()).unwrap();
        assert!(reader.see(&delivery("a")).is_err());
        let rows = [(Stream::Records, batch(&[("name", &["甲"])], 1))];
        commit(&daemon, "a", &rows).unwrap();
        assert_eq!(reader.deliveries(&DeliveryFilter::default()).unwrap().len(), 1);
        assert_eq!(reader.read_log(1, Stream::Records).unwrap().count(), 1);
        drop(daemon);
        SqliteStore::open_exclusive(folder.path()).unwrap();
    }

    #[test]
    fn a_reader_sees_the_last_commit_while_a_writer_is_at_work() {
        let (folder, store) = store();
        commit(&store, "a", &[]).unwrap();
        let reader = SqliteStore::open_reader(folder.path()).unwrap();
        let count = |s: &SqliteStore| s.deliveries(&DeliveryFilter::default()).unwrap().len();
        let written = store.database.write(Durability::Synced, |transaction| {
            ledger::see(transaction, &delivery("b"))?;
            assert_eq!((count(&reader), count(&store)), (1, 1));
            Ok(())
        });
        written.unwrap();
        assert_eq!((count(&reader), count(&store)), (2, 2));
    }

    #[test]
    fn a_store_of_another_version_is_refused_and_left_alone() {
        let (folder, store) = store();
        drop(store);
        let version = |version: u32| {
            let file = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
            file.pragma_update(None, "user_version", version).unwrap();
        };
        let opens = |open: fn(&Path) -> Result<SqliteStore, StoreError>| {
            open(folder.path()).err().map(|error| error.to_string()).unwrap_or_default()
        };
        version(99);
        for open in [SqliteStore::open_exclusive, SqliteStore::open_shared, SqliteStore::open_reader] {
            assert!(
                opens(open).contains("has version 99, this program knows versions up to 5"),
                "{}",
                opens(open)
            );
        }
        version(0);
        assert!(opens(SqliteStore::open_exclusive).contains("not one of huiliu"));
        assert!(opens(SqliteStore::open_reader).contains("start `huiliu run` once"));
        let nowhere = SqliteStore::open_reader(&folder.path().join("x")).err().unwrap().to_string();
        assert!(nowhere.contains("`huiliu run` makes one"), "{nowhere}");
    }
}
