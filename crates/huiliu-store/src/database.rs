//! The SQLite file: opening, migrating, one writer and a few readers.
//!
//! There is one writing connection per process, behind a mutex, since SQLite takes one writer at a time
//! anyway and a mutex wakes sooner than a busy handler polls. Other processes (the command line beside
//! a running daemon) are waited for by the busy handler. Readers never wait: in WAL mode each sees the
//! last commit.
//!
//! Caches are small: the operating system caches the file already, and an idle daemon should be small.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{Error, Result};

/// Migrations in order; `user_version` says how many of them a file has seen.
const MIGRATIONS: [&str; 5] = [
    include_str!("schema.sql"),
    include_str!("evidence.sql"),
    include_str!("redirect.sql"),
    include_str!("rules.sql"),
    include_str!("large.sql"),
];
/// How long to wait for another process that writes.
const BUSY_SECS: u64 = 30;
const WRITER_CACHE_KIB: u32 = 1024;
/// While very many rows are written in one transaction; given back afterwards.
const BULK_CACHE_KIB: u32 = 16 * 1024;
const READER_CACHE_KIB: u32 = 512;
/// Of the reader for look-ups, while a delivery goes through.
const LOOKER_CACHE_KIB: u32 = 8 * 1024;
/// Look-ups that see one commit; then it moves on, so that the WAL is not held back for long.
const LOOKS: u32 = 4_096;
/// From so many pages on the WAL goes into the file: so that a page which many deliveries write is copied once.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Readers kept open between calls; more are opened when needed.
const IDLE_READERS: usize = 2;
/// What a question that people write may cost: steps of SQLite's machine (some ten seconds of a processor), and bytes of one value.
const MOST_STEPS: u64 = 1_000_000_000;
const MOST_VALUE_BYTES: i32 = 64 << 20;
/// So many steps at a time are counted.
const STEPS: i32 = 100_000;
/// Keeps a WAL that one huge transaction blew up from staying that large.
const WAL_LIMIT_BYTES: u32 = 16 << 20;

/// Whether a transaction must survive a power cut (all of them survive the process being killed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// On the disk before it returns, with everything before it.
    Synced,
    /// On the disk with the next synced one. For what is simply done again if it was lost.
    Lazy,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Creates and migrates the file.
    Owner,
    /// Writes to a file that is there.
    Guest,
    /// Reads a file that is there.
    Reader,
}

struct Writer {
    connection: Connection,
    durability: Durability,
}

/// The connections to one file.
pub(crate) struct Database {
    path: PathBuf,
    writer: Option<Mutex<Writer>>,
    readers: Mutex<Vec<Connection>>,
    /// For [`look`](Self::look). A visitor has none: it may wait for a person between two look-ups, and one that stands
    /// still holds the WAL back.
    looker: Option<Mutex<Looker>>,
}

/// A reader that stands at one commit for very many single look-ups, which is what a stage does to its state: to begin
/// and end a transaction for each costs more than the look-up.
#[derive(Default)]
struct Looker {
    connection: Option<Connection>,
    /// Look-ups at the commit where it stands; 0 when it rests.
    looks: u32,
}

impl Database {
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self> {
        let writer = match access {
            Access::Reader => None,
            Access::Owner | Access::Guest => Some(open_writer(path, access)?),
        };
        let looker = (access == Access::Owner).then(Mutex::default);
        let database = Self { path: path.to_owned(), writer, readers: Mutex::default(), looker };
        if access == Access::Reader {
            database.read(|connection| check_version(connection, path))?;
        }
        Ok(database)
    }

    /// Runs `work` in a transaction: all of it, or nothing if it fails.
    pub(crate) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut writer = self.writer()?;
        // Before, so that it does not hold the WAL back; after, so that it sees what was committed.
        self.rest()?;
        writer.set(durability)?;
        let transaction = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let answer = work(&transaction)?;
        transaction.commit()?;
        self.rest()?;
        Ok(answer)
    }

    /// As [`write`](Self::write), for transactions that may hold very many rows: with a larger cache
    /// meanwhile.
    pub(crate) fn write_bulk<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        set_cache(&self.writer()?.connection, BULK_CACHE_KIB)?;
        let answer = self.write(durability, work);
        let writer = self.writer()?;
        set_cache(&writer.connection, WRITER_CACHE_KIB)?;
        writer.connection.release_memory()?;
        answer
    }

    /// Runs `work` on a reader. `work` may itself read again.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = held(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open_reader()?,
        };
        let answer = work(&connection);
        let mut idle = held(&self.readers);
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        answer
    }

    fn rest(&self) -> Result<()> {
        self.looker.as_ref().map_or(Ok(()), |looker| held(looker).rest())
    }

    /// As [`read`](Self::read), for one of very many look-ups, which must not read again. Of what others commit meanwhile
    /// it may see nothing for a while.
    pub(crate) fn look<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut looker = match self.looker.as_ref().map(Mutex::try_lock) {
            Some(Ok(looker)) => looker,
            Some(Err(TryLockError::Poisoned(looker))) => looker.into_inner(),
            None | Some(Err(TryLockError::WouldBlock)) => return self.read(work),
        };
        if looker.connection.is_none() {
            let connection = self.open_reader()?;
            set_cache(&connection, LOOKER_CACHE_KIB)?;
            looker.connection = Some(connection);
        }
        looker.look(work)
    }

    /// Runs a question that people wrote on a reader of its own, which stops it when it costs too much.
    pub(crate) fn ask<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.open_reader()?;
        bound(&mut connection, MOST_STEPS)?;
        work(&connection)
    }

    fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.as_ref().ok_or_else(|| Error::failed("it was opened for reading only"))?;
        Ok(held(writer))
    }

    fn open_reader(&self) -> Result<Connection> {
        let connection = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    }
}

impl Looker {
    fn look<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if self.looks == LOOKS {
            self.end()?;
        }
        let Some(connection) = &self.connection else { return Err(Error::failed("there is no reader")) };
        if self.looks == 0 {
            connection.prepare_cached("BEGIN")?.execute([])?;
        }
        self.looks += 1;
        work(connection)
    }

    fn end(&mut self) -> Result<()> {
        if let Some(connection) = self.connection.as_ref().filter(|_| self.looks > 0) {
            connection.prepare_cached("COMMIT")?.execute([])?;
        }
        self.looks = 0;
        Ok(())
    }

    /// Stands at no commit any more, and holds little.
    fn rest(&mut self) -> Result<()> {
        if self.looks > 0 {
            self.end()?;
            self.connection.iter().try_for_each(Connection::release_memory)?;
        }
        Ok(())
    }
}

/// From now on the connection does so many steps, and makes no larger values than this.
pub(crate) fn bound(connection: &mut Connection, steps: u64) -> Result<()> {
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)?;
    let mut left = steps;
    let count = move || {
        left = left.saturating_sub(STEPS.unsigned_abs().into());
        left == 0
    };
    Ok(connection.progress_handler(STEPS, Some(count))?)
}

impl Writer {
    fn set(&mut self, durability: Durability) -> Result<()> {
        if self.durability != durability {
            let level = match durability {
                Durability::Synced => "FULL",
                Durability::Lazy => "NORMAL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.durability = durability;
        }
        Ok(())
    }
}

/// A panic while the lock was held has rolled its transaction back; what is behind the lock is sound.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path, flags: OpenFlags, cache_kib: u32) -> Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(BUSY_SECS))?;
    connection.set_prepared_statement_cache_capacity(64);
    // Else a statement whose plan may depend on what is bound to it is planned anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    set_cache(&connection, cache_kib)?;
    Ok(connection)
}

fn set_cache(connection: &Connection, kib: u32) -> Result<()> {
    Ok(connection.pragma_update(None, "cache_size", -i64::from(kib))?)
}

fn open_writer(path: &Path, access: Access) -> Result<Mutex<Writer>> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    if access == Access::Owner {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut connection = connect(path, flags, WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", WAL_LIMIT_BYTES)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    if access == Access::Owner {
        migrate(&mut connection, path)?;
    }
    check_version(&connection, path)?;
    Ok(Mutex::new(Writer { connection, durability: Durability::Synced }))
}

fn version(connection: &Connection) -> Result<usize> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let seen = version(&transaction)?;
    if seen == 0 {
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if tables > 0 {
            let text = format!("`{}` is a database, but not one of huiliu", path.display());
            return Err(Error::failed(text));
        }
    }
    for step in MIGRATIONS.iter().skip(seen) {
        transaction.execute_batch(step)?;
    }
    if seen < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    Ok(transaction.commit()?)
}

fn check_version(connection: &Connection, path: &Path) -> Result<()> {
    let (found, ours) = (version(connection)?, MIGRATIONS.len());
    let path = path.display();
    match found.cmp(&ours) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(Error::failed(format!(
            "`{path}` has version {found}, this program knows versions up to {ours}; \
             use the newer huiliu that wrote it"
        ))),
        std::cmp::Ordering::Less => Err(Error::failed(format!(
            "`{path}` has version {found}, this program needs {ours}; start `huiliu run` once to bring it up to date"
        ))),
    }
}
