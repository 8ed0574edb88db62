//! Rows that were refused, until somebody repairs or discards them.

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use huiliu_stage::json::write_value;
use huiliu_stage::{Finding, ROW, SHEET};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::json::Json;
use crate::ledger::broken;
use crate::log::LogReader;

/// What became of a row in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuarantineStatus {
    /// Nobody has done anything yet.
    Open,
    /// Sent through its pipeline again.
    Retried,
    /// Somebody decided that it is not needed.
    Discarded,
    /// It came in by another way, such as a corrected file.
    Resolved,
}

impl QuarantineStatus {
    const ALL: [Self; 4] = [Self::Open, Self::Retried, Self::Discarded, Self::Resolved];

    /// The word used on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Retried => "retried",
            Self::Discarded => "discarded",
            Self::Resolved => "resolved",
        }
    }

    /// The opposite of [`as_str`](Self::as_str).
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    /// Only of this pipeline.
    pub pipeline: Option<String>,
    /// Only of this delivery (its whole id).
    pub delivery: Option<String>,
    /// Only in this status.
    pub status: Option<QuarantineStatus>,
    /// Only rows refused for this finding code.
    pub code: Option<String>,
    /// Only rows with exactly this note.
    pub note: Option<String>,
    /// Only ids above this one, to go on from a page.
    pub after: i64,
    /// At most so many; all if `None`.
    pub limit: Option<u32>,
}

/// A row in quarantine.
#[derive(Clone, Debug, Serialize)]
pub struct QuarantineRow {
    /// Its number, by which people name it.
    pub id: i64,
    /// The delivery that brought it.
    pub delivery: String,
    /// That delivery's pipeline.
    pub pipeline: String,
    /// That delivery's sender.
    pub sender: String,
    /// That delivery's file.
    pub file: String,
    /// When that delivery was received.
    pub received_ms: i64,
    /// Name of the sheet.
    pub sheet: String,
    /// `_row` (see `huiliu_stage::row_number`).
    pub row: i64,
    /// The stage before which it waits: the one that refused it, or the first one before that keeps state; `read` for the
    /// reader.
    pub stage: String,
    /// Its values, as sent where they could not be read.
    pub values: Json,
    /// Codes of its error findings.
    pub reasons: Vec<String>,
    /// All its findings.
    pub findings: Json,
    /// What became of it.
    pub status: QuarantineStatus,
    /// Why, in the words of whoever changed the status.
    pub note: String,
    /// When the status was changed.
    pub changed_ms: Option<i64>,
}

impl QuarantineRow {
    /// Its findings, parsed; empty if they are not in the shape of [`Finding`].
    pub fn parsed_findings(&self) -> Vec<Finding> {
        serde_json::from_str(self.findings.get()).unwrap_or_default()
    }
}

const SELECT: &str = r#"SELECT q.id, q.delivery, d.pipeline, d.sender, d.file, d.received_ms, q.sheet, q.row,
        q.stage, q."values", q.reasons, q.findings, q.status, q.note, q.changed_ms
    FROM quarantine q JOIN delivery d ON d.id = q.delivery"#;

fn read(row: &Row<'_>) -> rusqlite::Result<QuarantineRow> {
    let json = |index: usize| -> rusqlite::Result<Json> { Ok(Json::stored(row.get_ref(index)?.as_str()?)) };
    let status = row.get_ref(12)?.as_str()?;
    Ok(QuarantineRow {
        id: row.get(0)?,
        delivery: row.get(1)?,
        pipeline: row.get(2)?,
        sender: row.get(3)?,
        file: row.get(4)?,
        received_ms: row.get(5)?,
        sheet: row.get(6)?,
        row: row.get(7)?,
        stage: row.get(8)?,
        values: json(9)?,
        reasons: crate::ledger::json(row, 10)?,
        findings: json(11)?,
        status: QuarantineStatus::parse(status).ok_or_else(|| broken(12, status))?,
        note: row.get(13)?,
        changed_ms: row.get(14)?,
    })
}

/// A column of the rejects, by name: their schema is `huiliu_pipeline::ports::rejects_schema`.
fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.ok_or_else(|| Error::failed(format!("the log of refused rows has no text column `{name}`")))
}

/// Copies a delivery's refused rows from its log.
pub(crate) fn put(transaction: &Transaction<'_>, delivery: &str, rejects: LogReader) -> Result<()> {
    let mut insert = transaction.prepare_cached(
        r#"INSERT INTO quarantine (delivery, sheet, row, stage, "values", reasons, findings)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"#,
    )?;
    let mut codes = String::new();
    for batch in rejects {
        let batch = batch?;
        let (sheets, stages) = (texts(&batch, SHEET)?, texts(&batch, "stage")?);
        let (values, findings) = (texts(&batch, "values")?, texts(&batch, "findings")?);
        let rows: Option<&Int64Array> =
            batch.column_by_name(ROW).and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (Some(rows), Some(reasons)) = (rows, batch.column_by_name("reasons")) else {
            return Err(Error::failed("the log of refused rows lacks `_row` or `reasons`"));
        };
        for i in 0..batch.num_rows() {
            codes.clear();
            match reasons.is_null(i) {
                true => codes.push_str("[]"),
                false => write_value(&mut codes, reasons, i, false),
            }
            insert.execute(params![
                delivery,
                sheets.value(i),
                rows.value(i),
                stages.value(i),
                values.value(i),
                codes,
                findings.value(i),
            ])?;
        }
    }
    Ok(())
}

/// In the order of their numbers.
pub(crate) fn list(connection: &Connection, filter: &QuarantineFilter) -> Result<Vec<QuarantineRow>> {
    let mut find = connection.prepare_cached(&format!(
        "{SELECT}
         WHERE q.id > ?1 AND (?2 IS NULL OR d.pipeline = ?2) AND (?3 IS NULL OR q.delivery = ?3)
             AND (?4 IS NULL OR q.status = ?4)
             AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(q.reasons) WHERE value = ?5))
             AND (?6 IS NULL OR q.note = ?6)
         ORDER BY q.id LIMIT ?7"
    ))?;
    let QuarantineFilter { pipeline, delivery, status, code, note, after, limit } = filter;
    let (status, limit) = (status.map(QuarantineStatus::as_str), limit.map_or(-1, i64::from));
    let found = find.query_map(params![after, pipeline, delivery, status, code, note, limit], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How many rows are in a status, in one pipeline or in all.
pub(crate) fn count(
    connection: &Connection,
    pipeline: Option<&str>,
    status: QuarantineStatus,
) -> Result<u64> {
    let mut count = connection.prepare_cached(
        "SELECT count(*) FROM quarantine q JOIN delivery d ON d.id = q.delivery
         WHERE q.status = ?2 AND (?1 IS NULL OR d.pipeline = ?1)",
    )?;
    Ok(count.query_row(params![pipeline, status.as_str()], |row| row.get(0))?)
}

pub(crate) fn show(connection: &Connection, id: i64) -> Result<QuarantineRow> {
    let mut find = connection.prepare_cached(&format!("{SELECT} WHERE q.id = ?1"))?;
    let found = find.query_row([id], read).optional()?;
    found.ok_or_else(|| Error::missing(format!("there is no row {id} in quarantine")))
}

/// Marks open rows as retried, `note` saying where, and gives them out; each row is given out once.
pub(crate) fn take(
    transaction: &Transaction<'_>,
    ids: &[i64],
    note: &str,
    now_ms: i64,
) -> Result<Vec<QuarantineRow>> {
    let mut rows = Vec::with_capacity(ids.len());
    for &id in ids {
        let row = show(transaction, id)?;
        if row.status != QuarantineStatus::Open {
            let status = row.status.as_str();
            return Err(Error::missing(format!("row {id} is not open but {status}; no row was taken")));
        }
        rows.push(row);
        set(transaction, &[id], QuarantineStatus::Retried, note, now_ms)?;
    }
    Ok(rows)
}

pub(crate) fn set(
    transaction: &Transaction<'_>,
    ids: &[i64],
    status: QuarantineStatus,
    note: &str,
    now_ms: i64,
) -> Result<()> {
    let mut update = transaction
        .prepare_cached("UPDATE quarantine SET status = ?2, note = ?3, changed_ms = ?4 WHERE id = ?1")?;
    for id in ids {
        if update.execute(params![id, status.as_str(), note, now_ms])? == 0 {
            return Err(Error::missing(format!("there is no row {id} in quarantine; nothing was changed")));
        }
    }
    Ok(())
}

/// Closes the open rows of a delivery that `by` corrects: what was wrong with them came in again with it.
pub(crate) fn resolve(transaction: &Transaction<'_>, delivery: &str, by: &str, now_ms: i64) -> Result<()> {
    transaction
        .prepare_cached(
            "UPDATE quarantine SET status = ?2, note = ?3, changed_ms = ?4 WHERE delivery = ?1 AND status = ?5",
        )?
        .execute(params![
            delivery,
            QuarantineStatus::Resolved.as_str(),
            format!("corrected by delivery {by}"),
            now_ms,
            QuarantineStatus::Open.as_str(),
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::Stream;

    use super::*;
    use crate::SqliteStore;
    use crate::testing::*;

    fn ids(store: &SqliteStore, filter: &QuarantineFilter) -> Vec<i64> {
        store.quarantine_list(filter).unwrap().into_iter().map(|row| row.id).collect()
    }

    #[test]
    fn a_refused_row_is_kept_as_it_was_sent() {
        let (_folder, store) = store();
        commit(&store, "a", &[(Stream::Rejects, rejects(&[7]))]).unwrap();
        let row = store.quarantine_show(1).unwrap();
        assert_eq!((&*row.delivery, &*row.sheet, row.row, &*row.stage), ("a", "一", 7, "validate"));
        assert_eq!(row.values.get(), r#"{"name":"甲","total":12345678901234.5678}"#, "every digit");
        assert_eq!(row.reasons, ["required", "V04"]);
        assert_eq!(row.parsed_findings()[0].code, "V04");
        assert_eq!((row.status, row.changed_ms), (QuarantineStatus::Open, None));
        assert!(store.quarantine_show(2).is_err());
    }

    #[test]
    fn rows_are_taken_once_and_all_or_none() {
        let (folder, daemon) = store();
        commit(&daemon, "a", &[(Stream::Rejects, rejects(&[1, 2, 3]))]).unwrap();
        let store = SqliteStore::open_shared(folder.path()).unwrap();
        let taken = store.quarantine_take_for_retry(&[1, 2], "r.jsonl", 5).unwrap();
        assert_eq!(taken.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(daemon.quarantine_show(2).unwrap().note, "r.jsonl");
        let error = store.quarantine_take_for_retry(&[3, 2], "", 6).unwrap_err().to_string();
        assert_eq!(error, "row 2 is not open but retried; no row was taken");
        let open = QuarantineFilter { status: Some(QuarantineStatus::Open), ..Default::default() };
        assert_eq!(ids(&daemon, &open), [3]);

        assert!(store.quarantine_set(&[3, 9], QuarantineStatus::Discarded, "", 7).is_err());
        assert_eq!(ids(&daemon, &open), [3]);
        store.quarantine_set(&[3], QuarantineStatus::Discarded, "重复", 7).unwrap();
        let row = daemon.quarantine_show(3).unwrap();
        assert_eq!((row.status, &*row.note, row.changed_ms), (QuarantineStatus::Discarded, "重复", Some(7)));
        assert_eq!(daemon.quarantine_count(Some(PIPELINE), QuarantineStatus::Open).unwrap(), 0);
        assert_eq!(daemon.quarantine_count(None, QuarantineStatus::Retried).unwrap(), 2);
    }

    #[test]
    fn a_list_holds_what_was_asked_for() {
        let (_folder, store) = store();
        commit(&store, "a", &[(Stream::Rejects, rejects(&[1, 2]))]).unwrap();
        commit(&store, "b", &[(Stream::Rejects, rejects(&[1]))]).unwrap();
        let all = QuarantineFilter::default;
        let table = [
            (all(), vec![1, 2, 3]),
            (QuarantineFilter { delivery: Some("b".into()), ..all() }, vec![3]),
            (QuarantineFilter { pipeline: Some("other".into()), ..all() }, vec![]),
            (QuarantineFilter { code: Some("V04".into()), after: 1, limit: Some(1), ..all() }, vec![2]),
            (QuarantineFilter { code: Some("V0".into()), ..all() }, vec![]),
        ];
        for (filter, expected) in table {
            assert_eq!(ids(&store, &filter), expected, "{filter:?}");
        }
    }
}
