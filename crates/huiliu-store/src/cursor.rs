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

/// Logs that every sink of the pipeline has passed.
fn passed(connection: &Connection, pipeline: &str) -> Result<Vec<String>> {
    let mut find = connection.prepare_cached(
        "SELECT log FROM delivery WHERE pipeline = ?1 AND log IS NOT NULL AND seq <=
             (SELECT coalesce(min(seq), 0x7fffffffffffffff) FROM sink_cursor WHERE pipeline = ?1)",
    )?;
    let found = find.query_map([pipeline], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Removes the logs that every sink has passed, and tells how many.
///
/// The transaction is a synced one, although losing it would do no harm by itself: with it the cursors
/// and the register reach the disk, and only then may the files that could restore them go. A crash
/// before they are gone leaves files that nobody names, which the next start sweeps.
pub(crate) fn trim(database: &Database, logs: &LogFolder, pipeline: &str) -> Result<usize> {
    if database.read(|connection| passed(connection, pipeline))?.is_empty() {
        return Ok(0);
    }
    let passed = database.write(Durability::Synced, |transaction| {
        let passed = passed(transaction, pipeline)?;
        let mut forget = transaction
            .prepare_cached("UPDATE delivery SET log = NULL WHERE pipeline = ?1 AND log = ?2 AND seq > 0")?;
        for log in &passed {
            forget.execute([pipeline, log])?;
        }
        Ok(passed)
    })?;
    for log in &passed {
        logs.remove(log)?;
    }
    Ok(passed.len())
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::{StoreError, Stream};

    use crate::testing::*;
    use crate::{SqliteStore, testing};

    fn three(store: &SqliteStore) {
        for id in ["a", "b", "c"] {
            commit(store, id, &[(Stream::Records, testing::batch(&[("name", &["甲"])], 1))]).unwrap();
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
        let all = store.backlog_bytes(PIPELINE).unwrap();
        store.advance(PIPELINE, "csv", 3).unwrap();
        assert_eq!(store.trim(PIPELINE).unwrap(), 0, "the other sink needs them");
        store.advance(PIPELINE, "broken", 1).unwrap();
        assert_eq!(store.trim(PIPELINE).unwrap(), 1);
        assert_eq!(log_files(&folder), ["b-1.records.arrow", "c-1.records.arrow"]);
        assert_eq!(store.backlog_bytes(PIPELINE).unwrap(), all / 3 * 2);
        assert!(matches!(store.read_log(1, Stream::Records), Err(StoreError::Missing(_))));
        assert_eq!(store.delivery("a").unwrap().seq, 1, "the ledger line stays");

        // A sink that is new starts with what is there; one that is gone holds nothing back.
        store.register_sinks(PIPELINE, &["csv", "new"]).unwrap();
        let first = store.next_after(PIPELINE, store.cursor(PIPELINE, "new").unwrap()).unwrap();
        assert_eq!(first.unwrap().delivery.id, "b");
        store.register_sinks(PIPELINE, &["csv"]).unwrap();
        assert_eq!(store.trim(PIPELINE).unwrap(), 2);
        assert!(log_files(&folder).is_empty());
        assert_eq!(store.check_balance().unwrap(), []);
    }
}
