//! How far each sink has come, and what of the log is still needed.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::database::{Database, Durability};
use crate::error::Result;
use crate::log::LogFolder;

/// Makes the cursors of a pipeline those of its sinks: new ones start before the oldest log that is
/// still there, those of sinks that are no more are dropped, so that they hold no log back.
pub(crate) fn register(transaction: &Transaction<'_>, pipeline: &str, sinks: &[&str]) -> Result<()> {
    let known: Vec<String> = transaction
        .prepare_cached("SELECT sink FROM sink_cursor WHERE pipeline = ?1")?
        .query_map([pipeline], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for sink in known.iter().filter(|sink| !sinks.contains(&sink.as_str())) {
        transaction
            .prepare_cached("DELETE FROM sink_cursor WHERE pipeline = ?1 AND sink = ?2")?
            .execute([pipeline, sink])?;
    }
    for sink in sinks {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO sink_cursor (pipeline, sink, seq) VALUES (?1, ?2, 0)")?
            .execute([pipeline, sink])?;
    }
    Ok(())
}

/// Place of the last delivery a sink has written; 0 for a sink that is not registered.
pub(crate) fn get(connection: &Connection, pipeline: &str, sink: &str) -> Result<u64> {
    let mut find =
        connection.prepare_cached("SELECT seq FROM sink_cursor WHERE pipeline = ?1 AND sink = ?2")?;
    Ok(find.query_row([pipeline, sink], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Moves a cursor forward, never back.
pub(crate) fn advance(transaction: &Transaction<'_>, pipeline: &str, sink: &str, seq: u64) -> Result<()> {
    let mut put = transaction.prepare_cached(
        "INSERT INTO sink_cursor (pipeline, sink, seq) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE seq < excluded.seq",
    )?;
    put.execute(params![pipeline, sink, seq])?;
    Ok(())
}

/// Bytes of log that a sink of the pipeline still needs, or that were not trimmed yet.
pub(crate) fn backlog_bytes(connection: &Connection, pipeline: &str) -> Result<u64> {
    let mut sum = connection.prepare_cached(
        "SELECT coalesce(sum(records_bytes + rejects_bytes), 0) FROM delivery
         WHERE pipeline = ?1 AND log IS NOT NULL",
    )?;
    Ok(sum.query_row([pipeline], |row| row.get(0))?)
}

/// A log that every sink of its pipeline has passed.
struct Passed {
    seq: u64,
    name: String,
    /// Whether some of it is not in the database.
    files: bool,
}

fn passed(connection: &Connection, pipeline: &str) -> Result<Vec<Passed>> {
    let mut find = connection.prepare_cached(
        "SELECT seq, log, (records_bytes > 0 AND records IS NULL) OR (rejects_bytes > 0 AND rejects IS NULL)
         FROM delivery LEFT JOIN small_log USING (seq)
         WHERE pipeline = ?1 AND log IS NOT NULL AND seq <=
             (SELECT coalesce(min(seq), 0x7fffffffffffffff) FROM sink_cursor WHERE pipeline = ?1)",
    )?;
    let found = find.query_map([pipeline], |row| {
        Ok(Passed { seq: row.get(0)?, name: row.get(1)?, files: row.get(2)? })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Removes the logs that every sink has passed, and tells how many.
///
/// If files go, the transaction is a synced one: with it the cursors and the register reach the disk, and
/// only then may go what could restore them. (Within the database the order of commits is kept anyway.)
/// A crash before the files are gone leaves files that nobody names, which the next start sweeps.
pub(crate) fn trim(database: &Database, logs: &LogFolder, pipeline: &str) -> Result<usize> {
    let now = database.read(|connection| passed(connection, pipeline))?;
    let files = now.iter().any(|log| log.files);
    if now.is_empty() {
        return Ok(0);
    }
    let durability = if files { Durability::Synced } else { Durability::Lazy };
    let trimmed = database.write(durability, |transaction| {
        let mut forget = transaction.prepare_cached(
            "UPDATE delivery SET log = NULL WHERE seq > 0 AND seq = ?1 AND log IS NOT NULL",
        )?;
        let mut remove = transaction.prepare_cached("DELETE FROM small_log WHERE seq = ?1")?;
        let mut trimmed = 0;
        for log in &now {
            trimmed += forget.execute([log.seq])?;
            remove.execute([log.seq])?;
        }
        Ok(trimmed)
    })?;
    for log in now.iter().filter(|log| log.files) {
        logs.remove(&log.name)?;
    }
    Ok(trimmed)
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::{StoreError, Stream};

    use crate::SqliteStore;
    use crate::testing::*;

    fn three(store: &SqliteStore) {
        for (id, records) in [("a", large()), ("b", large()), ("c", batch(&[("name", &["甲"])], 1))] {
            commit(store, id, &[(Stream::Records, records)]).unwrap();
        }
    }

    #[test]
    fn a_sink_is_given_each_delivery_once_in_order() {
        let (_folder, store) = store();
        store.register_sinks(PIPELINE, &["csv"]).unwrap();
        three(&store);
        let mut given = Vec::new();
        while let Some(entry) = store.next_after(PIPELINE, store.cursor(PIPELINE, "csv").unwrap()).unwrap() {
            store.advance(PIPELINE, "csv", entry.seq).unwrap();
            given.push(entry.delivery.id);
        }
        assert_eq!(given, ["a", "b", "c"]);
        store.advance(PIPELINE, "csv", 1).unwrap();
        assert_eq!(store.cursor(PIPELINE, "csv").unwrap(), 3, "a cursor never moves back");
        assert!(store.next_after("other", 0).unwrap().is_none());
    }

    #[test]
    fn a_log_goes_when_every_sink_has_passed_it() {
        let (folder, store) = store();
        store.register_sinks(PIPELINE, &["csv", "broken"]).unwrap();
        three(&store);
        assert_eq!(log_files(&folder), ["a-1.records.arrow", "b-1.records.arrow"], "small ones have no file");
        let all = store.backlog_bytes(PIPELINE).unwrap();
        store.advance(PIPELINE, "csv", 3).unwrap();
        assert_eq!(store.trim(PIPELINE).unwrap(), 0, "the other sink needs them");
        store.advance(PIPELINE, "broken", 1).unwrap();
        assert_eq!(store.trim(PIPELINE).unwrap(), 1);
        assert_eq!(log_files(&folder), ["b-1.records.arrow"]);
        let left = store.backlog_bytes(PIPELINE).unwrap();
        assert!(left > all / 3 && left < all, "{left} of {all}");
        assert!(matches!(store.read_log(1, Stream::Records), Err(StoreError::Missing(_))));
        assert_eq!(store.delivery("a").unwrap().seq, 1, "the ledger line stays");

        // A sink that is new starts with what is there; one that is gone holds nothing back.
        store.register_sinks(PIPELINE, &["csv", "new"]).unwrap();
        let first = store.next_after(PIPELINE, store.cursor(PIPELINE, "new").unwrap()).unwrap();
        assert_eq!(first.unwrap().delivery.id, "b");
        store.register_sinks(PIPELINE, &["csv"]).unwrap();
        assert_eq!(store.trim(PIPELINE).unwrap(), 2);
        assert!(log_files(&folder).is_empty());
        assert_eq!(store.backlog_bytes(PIPELINE).unwrap(), 0);
        assert_eq!(store.check_balance().unwrap(), []);
    }
}
