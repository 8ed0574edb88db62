//! Which files came with a delivery, and which rows and records they belong to.
//!
//! Only names and hashes are here. The contents lie in `evidence/`, written by the daemon before the delivery is
//! committed; one that nobody names is left over from a run that came to no end, and does no harm.

use std::collections::{BTreeSet, HashSet};

use huiliu_pipeline::ports::Evidence;
use huiliu_stage::row_id;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use crate::error::Result;
use crate::json::{Fields, Json};

/// A file that belongs to a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordEvidence {
    /// The delivery that it came with.
    pub delivery: String,
    /// Who sent that delivery.
    pub sender: String,
    /// The package.
    pub file: String,
    /// The file.
    #[serde(flatten)]
    pub evidence: Evidence,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    Ok(Evidence {
        name: row.get(0)?,
        hash: row.get(1)?,
        bytes: row.get(2)?,
        row: row.get(3)?,
        field: row.get(4)?,
        record: row.get(5)?,
    })
}

/// Notes what came with a delivery; part of its commit.
pub(crate) fn put(transaction: &Transaction<'_>, delivery: &str, all: &[Evidence]) -> Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO evidence (delivery, n, name, hash, bytes, row, field, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (n, Evidence { name, hash, bytes, row, field, record }) in all.iter().enumerate() {
        insert.execute(params![delivery, n, name, hash, bytes, row, field, record])?;
    }
    Ok(())
}

/// What came with a delivery, in its order.
pub(crate) fn of_delivery(connection: &Connection, delivery: &str) -> Result<Vec<Evidence>> {
    let mut find = connection.prepare_cached(
        "SELECT name, hash, bytes, row, field, record FROM evidence WHERE delivery = ?1 ORDER BY n",
    )?;
    let found = find.query_map([delivery], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Files that its sender sent after a delivery, newest first: those that belong to no row, and those of rows that came to
/// a record, whose use is remembered. What retries brought came before.
pub(crate) fn since(connection: &Connection, delivery: &str, most: u32) -> Result<Vec<Evidence>> {
    let mut find = connection.prepare_cached(
        "SELECT e.name, e.hash, e.bytes, NULL, NULL, NULL
         FROM delivery was
         JOIN delivery d ON d.sender = was.sender AND d.pipeline = was.pipeline AND d.no > was.no
         JOIN evidence e ON e.delivery = d.id
         WHERE was.id = ?1 AND json_extract(d.report, '$.packages') IS NULL
             AND (e.row IS NULL OR e.record IS NOT NULL OR EXISTS (
                 SELECT 1 FROM record_evidence r WHERE r.delivery = e.delivery AND r.row = e.row))
         ORDER BY d.no DESC, e.n LIMIT ?2",
    )?;
    let found = find.query_map(params![delivery, most], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Rows of a delivery that files belong to.
pub(crate) fn rows(connection: &Connection, delivery: &str) -> Result<HashSet<i64>> {
    let mut find = connection
        .prepare_cached("SELECT DISTINCT row FROM evidence WHERE delivery = ?1 AND row IS NOT NULL")?;
    let found = find.query_map([delivery], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// What belongs to a record, oldest delivery first: the files of every row that came to it, that the merging stage
/// said to have merged with it, or that one of its values came from (`origins`).
pub(crate) fn of_record(
    connection: &Connection,
    register: i64,
    id: &str,
    origins: Option<&Fields>,
) -> Result<Vec<RecordEvidence>> {
    let mut find = connection.prepare_cached(
        "SELECT delivery, row FROM record_evidence WHERE register = ?1 AND id = ?2
             UNION SELECT delivery, row FROM evidence WHERE record = ?2 AND row IS NOT NULL",
    )?;
    let found = find.query_map(params![register, id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut rows: BTreeSet<(String, i64)> = found.collect::<rusqlite::Result<_>>()?;
    for (_, origin) in origins.iter().flat_map(|origins| &origins.0) {
        rows.extend(row_of(connection, origin)?);
    }
    let mut all = Vec::new();
    for (delivery, row) in rows {
        all.extend(of_row(connection, &delivery, row)?);
    }
    all.sort_by_key(|(no, _)| *no);
    Ok(all.into_iter().map(|(_, evidence)| evidence).collect())
}

/// Delivery and `_row` of an origin as the merging stage writes it.
fn row_of(connection: &Connection, origin: &Json) -> Result<Option<(String, i64)>> {
    let origin = origin.value();
    let part = |key: &str| origin.get(key).and_then(serde_json::Value::as_str);
    let (Some(delivery), Some(sheet), Some(cell)) = (part("delivery"), part("sheet"), part("cell")) else {
        return Ok(None);
    };
    let mut find = connection.prepare_cached("SELECT sheets FROM delivery WHERE id = ?1")?;
    let sheets: Option<String> = find.query_row([delivery], |row| row.get(0)).optional()?;
    let sheets: Vec<String> = sheets.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default();
    let ordinal = sheets.iter().position(|name| name == sheet).and_then(|at| u32::try_from(at).ok());
    let number = cell.trim_start_matches(|c: char| c.is_ascii_alphabetic()).parse().ok();
    Ok(ordinal.zip(number).map(|(ordinal, number)| (delivery.to_owned(), row_id(ordinal, number))))
}

/// What belongs to a row, each with the place of its delivery in the ledger.
fn of_row(connection: &Connection, delivery: &str, row: i64) -> Result<Vec<(i64, RecordEvidence)>> {
    let mut find = connection.prepare_cached(
        "SELECT e.name, e.hash, e.bytes, e.row, e.field, e.record, d.no, d.sender, d.file
         FROM evidence AS e JOIN delivery AS d ON d.id = e.delivery
         WHERE e.delivery = ?1 AND e.row = ?2 ORDER BY e.n",
    )?;
    let found = find.query_map(params![delivery, row], |line| {
        let evidence = RecordEvidence {
            delivery: delivery.to_owned(),
            sender: line.get(7)?,
            file: line.get(8)?,
            evidence: read(line)?,
        };
        Ok((line.get(6)?, evidence))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::Store;

    use super::*;
    use crate::testing::*;

    #[test]
    fn evidence_is_committed_with_its_delivery_and_found_by_row() {
        let (_folder, store) = store();
        let delivery = delivery("a");
        store.see(&delivery).unwrap();
        let file = |name: &str, row, field: Option<&str>| Evidence {
            name: name.into(),
            hash: "00ff".into(),
            bytes: 7,
            row,
            field: field.map(str::to_owned),
            record: None,
        };
        let all = vec![
            file("a.pdf", Some(2), Some("evidence")),
            file("a.pdf", Some(3), None),
            file("b.pdf", None, None),
        ];
        for _ in 0..2 {
            let mut commit = outcome(&delivery, sealed(&store, &delivery, &[]));
            commit.evidence = all.clone();
            store.commit(commit).unwrap(); // The second time is as if it had not been.
        }
        assert_eq!(store.evidence("a").unwrap(), all);
        assert_eq!(store.evidence("b").unwrap(), []);
    }
}
