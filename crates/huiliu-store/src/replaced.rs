//! Rows that went into a later row of the same delivery, when one record came out of several of its batches. They are in
//! its log, since that is written while the delivery is read; whoever reads the log is not given them.

use std::collections::HashSet;

use rusqlite::{Connection, Transaction, params};

use crate::error::Result;

/// Notes the rows of a delivery.
pub(crate) fn put(transaction: &Transaction<'_>, delivery: &str, rows: &[i64]) -> Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT OR IGNORE INTO replaced_row (delivery, row) VALUES (?1, ?2)")?;
    rows.iter().try_for_each(|row| insert.execute(params![delivery, row]).map(drop))?;
    Ok(())
}

/// The rows of the delivery at this position of the log.
pub(crate) fn rows(connection: &Connection, seq: u64) -> Result<HashSet<i64>> {
    let mut find = connection.prepare_cached(
        "SELECT row FROM replaced_row WHERE delivery = (SELECT id FROM delivery WHERE seq = ?1 AND seq > 0)",
    )?;
    let found = find.query_map([seq], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
