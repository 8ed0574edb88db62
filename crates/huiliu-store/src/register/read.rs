//! Asking the register.

use std::io::Write;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::redirect;
use crate::error::{Error, Result};
use crate::evidence::{self, RecordEvidence};
use crate::json::{Fields, Json};
use crate::ledger::after_prefix;

/// A record as it is now, or as it was in one revision.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Its id in the register; it never changes.
    pub id: String,
    /// 1 for what it was at first.
    pub revision: u64,
    /// Field -> value; a missing value has no entry.
    pub data: Fields,
    /// Values of columns that the schema does not know.
    pub extra: Option<Json>,
    /// Field -> where its value came from, as the merging stage tells it.
    pub origins: Option<Fields>,
    /// Why the row was taken for this record, as the merging stage tells it.
    pub matched: Option<String>,
    /// The delivery that made this revision.
    pub delivery: String,
    /// The sheet of the row that made it.
    pub sheet: String,
    /// The `_row` that made it (see `huiliu_stage::row_number`).
    pub row: i64,
    /// When that delivery was received.
    pub at_ms: i64,
}

/// A value that a field has or had.
#[derive(Clone, Debug, Serialize)]
pub struct ValueStory {
    /// The value as JSON; `None` for missing.
    pub value: Option<Json>,
    /// Where it came from, as the merging stage tells it.
    pub origin: Option<Json>,
    /// The first revision that had it.
    pub revision: u64,
    /// The delivery that brought it.
    pub delivery: String,
    /// Who sent that delivery.
    pub sender: String,
    /// Its file.
    pub file: String,
    /// Version of the rules that the delivery was run by.
    pub rules: String,
    /// The sheet of the row that brought it.
    pub sheet: String,
    /// The `_row` that brought it.
    pub row: i64,
    /// When.
    pub at_ms: i64,
}

/// A field's value and those it had before.
#[derive(Clone, Debug, Serialize)]
pub struct FieldStory {
    /// Name of the field.
    pub field: String,
    /// What it is now.
    pub current: ValueStory,
    /// What it was before, newest first.
    pub earlier: Vec<ValueStory>,
}

/// All that is known of a record: what `huiliu explain` shows.
#[derive(Clone, Debug, Serialize)]
pub struct RecordStory {
    /// The record as it is now.
    pub record: Record,
    /// The delivery that made the record.
    pub first_delivery: String,
    /// Field by field, in the order of the record.
    pub fields: Vec<FieldStory>,
    /// Every revision, oldest first, the current one last: who sent it and why it was merged here.
    pub revisions: Vec<Revision>,
    /// Files that were sent to prove it, oldest first.
    pub evidence: Vec<RecordEvidence>,
    /// Ids of records that were merged into it by people and mean it now.
    pub former: Vec<String>,
}

/// One line of a record's history.
#[derive(Clone, Debug, Serialize)]
pub struct Revision {
    /// 1, 2, 3 …
    pub revision: u64,
    /// The delivery that made it.
    pub delivery: String,
    /// Who sent that delivery.
    pub sender: String,
    /// Its file.
    pub file: String,
    /// Version of the rules that the delivery was run by; empty if it was not noted.
    pub rules: String,
    /// Why the row was taken for this record.
    pub matched: Option<String>,
    /// When.
    pub at_ms: i64,
}

const COLUMNS: &str = "id, revision, data, extra, origins, matched, delivery, sheet, row, at_ms";

/// A row of `record` or `record_version`; what is broken in it is told when it is parsed.
fn read(row: &Row<'_>) -> rusqlite::Result<Result<Record>> {
    let text = |at: usize| row.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
    let optional = |at: usize| row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from);
    let parts = || -> Result<Record> {
        Ok(Record {
            id: row.get(0)?,
            revision: row.get(1)?,
            data: Fields::parse(text(2)?)?,
            extra: optional(3)?.map(Json::stored),
            origins: optional(4)?.map(Fields::parse).transpose()?,
            matched: row.get(5)?,
            delivery: row.get(6)?,
            sheet: row.get(7)?,
            row: row.get(8)?,
            at_ms: row.get(9)?,
        })
    };
    Ok(parts())
}

fn select(connection: &Connection, rest: &str, params: impl rusqlite::Params) -> Result<Vec<Record>> {
    let mut find = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM {rest}"))?;
    let found = find.query_map(params, read)?;
    found.map(|record| record?).collect()
}

fn number(connection: &Connection, register: &str) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT no FROM register WHERE name = ?1")?;
    Ok(find.query_row([register], |row| row.get(0)).optional()?)
}

/// Names of all registers, sorted.
pub(crate) fn names(connection: &Connection) -> Result<Vec<String>> {
    let mut find = connection.prepare_cached("SELECT name FROM register ORDER BY name")?;
    let found = find.query_map([], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn count(connection: &Connection, register: &str) -> Result<u64> {
    let Some(register) = number(connection, register)? else { return Ok(0) };
    let mut count = connection.prepare_cached("SELECT count(*) FROM record WHERE register = ?1")?;
    Ok(count.query_row([register], |row| row.get(0))?)
}

/// A page of records in the order of their ids.
pub(crate) fn list(connection: &Connection, register: &str, after: &str, limit: u32) -> Result<Vec<Record>> {
    let Some(register) = number(connection, register)? else { return Ok(Vec::new()) };
    let rest = "record WHERE register = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    select(connection, rest, params![register, after, limit])
}

/// Records that a person may mean by `key`: the one with this id, or the one that it was merged into; else those whose id begins so; else
/// those with a text of just this value (such as a project code); else those with a text that contains it.
pub(crate) fn find(connection: &Connection, register: &str, key: &str, limit: u32) -> Result<Vec<Record>> {
    let Some(register) = number(connection, register)? else { return Ok(Vec::new()) };
    let now = redirect::now(connection, register, key)?;
    let key = now.as_deref().unwrap_or(key);
    let exact = select(connection, "record WHERE register = ?1 AND id = ?2", params![register, key])?;
    if !exact.is_empty() || key.is_empty() {
        return Ok(exact);
    }
    let rest = "record WHERE register = ?1 AND id >= ?2 AND id < ?3 ORDER BY id LIMIT ?4";
    let begun = select(connection, rest, params![register, key, after_prefix(key), limit])?;
    if !begun.is_empty() {
        return Ok(begun);
    }
    find_text(connection, register, key, limit as usize)
}

/// Looks through the whole register: the text is sought in the stored JSON first, which is quick, and
/// only where it occurs the record is taken apart.
fn find_text(connection: &Connection, register: i64, key: &str, limit: usize) -> Result<Vec<Record>> {
    let quoted = serde_json::to_string(key)?;
    let needle = quoted.trim_matches('"');
    let mut find = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM record WHERE register = ?1 AND instr(data, ?2) > 0"
    ))?;
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    for record in find.query_map(params![register, needle], read)? {
        let record = record??;
        let texts = || record.data.0.iter().filter_map(|(_, value)| value.text());
        if whole.len() < limit && texts().any(|text| text == key) {
            whole.push(record);
        } else if part.len() < limit && texts().any(|text| text.contains(key)) {
            part.push(record);
        }
    }
    let mut found = if whole.is_empty() { part } else { whole };
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// The record of this id with all it ever was.
pub(crate) fn explain(connection: &Connection, register: &str, id: &str) -> Result<RecordStory> {
    let missing = || Error::missing(format!("register `{register}` has no record `{id}`"));
    let number = number(connection, register)?.ok_or_else(missing)?;
    let now = redirect::now(connection, number, id)?;
    let id = now.as_deref().unwrap_or(id);
    let keys = params![number, id];
    let current =
        select(connection, "record WHERE register = ?1 AND id = ?2", keys)?.pop().ok_or_else(missing)?;
    let first_delivery = connection
        .prepare_cached("SELECT first_delivery FROM record WHERE register = ?1 AND id = ?2")?
        .query_row(keys, |row| row.get(0))?;
    let rest = "record_version WHERE register = ?1 AND id = ?2 ORDER BY revision";
    let mut versions = select(connection, rest, keys)?;
    versions.push(current.clone());

    let known = versions.iter().map(|v| bringer(connection, &v.delivery)).collect::<Result<Vec<_>>>()?;
    let revisions = versions.iter().zip(&known).map(|(version, bringer)| Revision {
        revision: version.revision,
        delivery: version.delivery.clone(),
        sender: bringer.sender.clone(),
        file: bringer.file.clone(),
        rules: bringer.rules.clone(),
        matched: version.matched.clone(),
        at_ms: version.at_ms,
    });
    let revisions = revisions.collect();
    let fields =
        field_names(&versions).into_iter().filter_map(|name| story(name, &versions, &known)).collect();
    let evidence = evidence::of_record(connection, number, id, current.origins.as_ref())?;
    let former = redirect::former(connection, number, id)?;
    Ok(RecordStory { record: current, first_delivery, fields, revisions, evidence, former })
}

/// What the ledger knows of the delivery that made a revision.
#[derive(Default)]
struct Bringer {
    sender: String,
    file: String,
    rules: String,
}

/// All empty if the ledger does not know the delivery.
fn bringer(connection: &Connection, delivery: &str) -> Result<Bringer> {
    let mut find = connection.prepare_cached("SELECT sender, file, rules FROM delivery WHERE id = ?1")?;
    let read = |row: &Row<'_>| Ok(Bringer { sender: row.get(0)?, file: row.get(1)?, rules: row.get(2)? });
    Ok(find.query_row([delivery], read).optional()?.unwrap_or_default())
}

/// The fields of the current revision in their order, then those that are no more.
fn field_names(versions: &[Record]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for version in versions.iter().rev() {
        for (name, _) in &version.data.0 {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

/// Runs of revisions in which the field had one value.
fn story(field: &str, versions: &[Record], bringers: &[Bringer]) -> Option<FieldStory> {
    let value_of = |fields: &Fields| fields.get(field).cloned();
    let mut values: Vec<ValueStory> = Vec::new();
    for (version, bringer) in versions.iter().zip(bringers) {
        let (value, origin) = (value_of(&version.data), version.origins.as_ref().and_then(value_of));
        match values.last_mut() {
            // The latest word on where an unchanged value came from holds.
            Some(last) if last.value == value => last.origin = origin.or(last.origin.take()),
            // Before a field had its first value there is nothing to tell.
            None if value.is_none() => {}
            _ => values.push(ValueStory {
                value,
                origin,
                revision: version.revision,
                delivery: version.delivery.clone(),
                sender: bringer.sender.clone(),
                file: bringer.file.clone(),
                rules: bringer.rules.clone(),
                sheet: version.sheet.clone(),
                row: version.row,
                at_ms: version.at_ms,
            }),
        }
    }
    let current = values.pop()?;
    values.reverse();
    Some(FieldStory { field: field.to_owned(), current, earlier: values })
}

/// Writes all records as JSON Lines in the order of their ids, without times: the same deliveries in the
/// same order give the same bytes.
pub(crate) fn dump(connection: &Connection, register: &str, out: &mut dyn Write) -> Result<()> {
    let Some(number) = number(connection, register)? else { return Ok(()) };
    let mut find = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM record WHERE register = ?1 ORDER BY id"))?;
    for record in find.query_map([number], read)? {
        let Record { id, revision, data, extra, origins, matched, delivery, sheet, row, .. } = &record??;
        let null = || "null".to_owned();
        let extra = extra.as_ref().map_or_else(null, Json::to_string);
        let origins = origins.as_ref().map_or_else(null, Fields::to_string);
        let (id, matched) = (serde_json::to_string(id)?, serde_json::to_string(matched)?);
        let (delivery, sheet) = (serde_json::to_string(delivery)?, serde_json::to_string(sheet)?);
        let written = writeln!(
            out,
            "{{\"id\":{id},\"revision\":{revision},\"data\":{data},\"extra\":{extra},\"origins\":{origins},\
             \"matched\":{matched},\"delivery\":{delivery},\"sheet\":{sheet},\"row\":{row}}}"
        );
        written.map_err(|error| Error::failed(format!("the dump could not be written: {error}")))?;
    }
    Ok(())
}
