//! Writing deliveries into the register.

use std::collections::HashSet;
use std::sync::Arc;

use huiliu_pipeline::ports::{Batches, LedgerEntry, Sink, SinkError};
use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};

use super::redirect::Redirects;
use super::shape::{RowText, Shape};
use crate::database::{Database, Durability};
use crate::error::{Error, Result};
use crate::json::Fields;
use crate::{cursor, evidence};

/// From so many rows on, a larger cache is worth its memory while it lasts.
const BULK_ROWS: u64 = 5_000;

/// How a pipeline's records go into the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterOptions {
    /// Name of the register. Pipelines that use one name fill one register.
    pub register: String,
    /// Column with the id of the record. Without it (a pipeline that does not merge) each row is a
    /// record of its own, named by delivery and `_row`.
    pub id: String,
    /// Column with a JSON object: field -> where its value came from.
    pub origins: String,
    /// Column that says why the row was taken for this record.
    pub matched: String,
    /// If not empty, only these fields of records that are there are changed; nothing else of them, and no record is
    /// made. For pipelines that know a part of a record alone, such as how its commitment stands today.
    pub only: Vec<String>,
}

impl RegisterOptions {
    /// The usual columns, and a register of this name.
    pub fn new(register: impl Into<String>) -> Self {
        Self {
            register: register.into(),
            id: "record_id".into(),
            origins: "origins".into(),
            matched: "matched_by".into(),
            only: Vec::new(),
        }
    }
}

/// The sink that keeps unified records. Exactly once: the rows and the cursor are one transaction.
pub struct RegisterSink {
    database: Arc<Database>,
    pipeline: String,
    sink: String,
    options: RegisterOptions,
}

impl RegisterSink {
    pub(crate) fn new(
        database: Arc<Database>,
        pipeline: String,
        sink: String,
        options: RegisterOptions,
    ) -> Self {
        Self { database, pipeline, sink, options }
    }

    fn write(&self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<()> {
        if entry.seq == 0 {
            return Err(Error::failed(format!("delivery `{}` is not committed", entry.delivery.id)));
        }
        let work = |transaction: &Transaction<'_>| {
            if cursor::get(transaction, &self.pipeline, &self.sink)? >= entry.seq {
                return Ok(()); // Written before the daemon could note it.
            }
            let mut rows = Rows::new(transaction, &self.options.register, entry)?;
            let mut shape: Option<Shape> = None;
            for batch in batches {
                let batch = batch?;
                let shape = match &mut shape {
                    Some(shape) => shape,
                    none => none.insert(Shape::of(batch.schema_ref(), &self.options)?),
                };
                for i in 0..batch.num_rows() {
                    rows.text.fill(shape, &batch, i, &entry.delivery.id);
                    match self.options.only.is_empty() {
                        true => rows.put()?,
                        false => rows.patch(&self.options.only)?,
                    }
                }
            }
            cursor::advance(transaction, &self.pipeline, &self.sink, entry.seq)
        };
        // Lazy: what a power cut takes back is in the commit log, which is trimmed only after a sync.
        match entry.counts.rows_out {
            0..BULK_ROWS => self.database.write(Durability::Lazy, work),
            _ => self.database.write_bulk(Durability::Lazy, work),
        }
    }
}

impl Sink for RegisterSink {
    fn deliver(&mut self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<(), SinkError> {
        self.write(entry, batches)
            .map_err(|error| SinkError(format!("register `{}`: {error}", self.options.register)))
    }
}

/// Writes the rows of one delivery.
struct Rows<'t> {
    text: RowText,
    register: i64,
    delivery: &'t str,
    at_ms: i64,
    insert: CachedStatement<'t>,
    find: CachedStatement<'t>,
    keep: CachedStatement<'t>,
    change: CachedStatement<'t>,
    mark: CachedStatement<'t>,
    /// Rows of the delivery that files belong to.
    with_evidence: HashSet<i64>,
    prove: CachedStatement<'t>,
    redirects: Redirects<'t>,
}

/// What a row means for the record that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    /// The same values, but said to come from elsewhere: the merging stage has the last word.
    Origins,
    Values,
}

impl<'t> Rows<'t> {
    fn new(transaction: &'t Transaction<'_>, register: &str, entry: &'t LedgerEntry) -> Result<Self> {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO register (name) VALUES (?1)")?
            .execute([register])?;
        let register = transaction
            .prepare_cached("SELECT no FROM register WHERE name = ?1")?
            .query_row([register], |row| row.get(0))?;
        Ok(Self {
            with_evidence: evidence::rows(transaction, &entry.delivery.id)?,
            prove: transaction.prepare_cached(
                "INSERT OR IGNORE INTO record_evidence (register, id, delivery, row) VALUES (?1, ?2, ?3, ?4)",
            )?,
            text: RowText::default(),
            redirects: Redirects::new(transaction, register, &entry.delivery.id)?,
            register,
            delivery: &entry.delivery.id,
            at_ms: entry.delivery.received_ms,
            insert: transaction.prepare_cached(
                "INSERT OR IGNORE INTO record (register, id, revision, data, extra, origins, matched,
                     first_delivery, delivery, sheet, row, at_ms)
                 VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10)",
            )?,
            find: transaction.prepare_cached(
                "SELECT rowid, data, extra, origins, matched FROM record WHERE register = ?1 AND id = ?2",
            )?,
            keep: transaction.prepare_cached(
                "INSERT INTO record_version (register, id, revision, data, extra, origins, matched,
                     delivery, sheet, row, at_ms)
                 SELECT register, id, revision, data, extra, origins, matched, delivery, sheet, row, at_ms
                 FROM record WHERE rowid = ?1",
            )?,
            change: transaction.prepare_cached(
                "UPDATE record SET revision = revision + 1, data = ?2, extra = ?3, origins = ?4, matched = ?5,
                     delivery = ?6, sheet = ?7, row = ?8, at_ms = ?9 WHERE rowid = ?1",
            )?,
            mark: transaction
                .prepare_cached("UPDATE record SET origins = ?2 WHERE rowid = ?1")?,
        })
    }

    /// Most rows of a first delivery are new, so the insert is tried first.
    fn put(&mut self) -> Result<()> {
        let RowText { id, data, extra, origins, matched, sheet, row, .. } = &self.text;
        let (delivery, at_ms) = (self.delivery, self.at_ms);
        if self.with_evidence.contains(row) {
            self.prove.execute(params![self.register, id, delivery, row])?;
        }
        if let Some(into) = &self.text.into {
            return self.redirects.put(id, into);
        }
        self.redirects.lift(id)?;
        let inserted = self.insert.execute(params![
            self.register,
            id,
            data,
            extra,
            origins,
            matched,
            delivery,
            sheet,
            row,
            at_ms
        ])?;
        if inserted > 0 {
            return self.redirects.go_on(id);
        }
        let found = self
            .find
            .query_row(params![self.register, id], |row| {
                let text = |at| row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from);
                let old = (text(1)?.unwrap_or_default(), text(2)?, text(3)?);
                Ok((row.get::<_, i64>(0)?, compare(old, &self.text)))
            })
            .optional()?;
        let Some((rowid, change)) = found else {
            return Err(Error::failed(format!("record `{id}` is neither new nor there")));
        };
        match change? {
            Change::None => {}
            Change::Origins => {
                self.mark.execute(params![rowid, origins])?;
            }
            Change::Values => {
                self.keep.execute([rowid])?;
                self.change
                    .execute(params![rowid, data, extra, origins, matched, delivery, sheet, row, at_ms])?;
            }
        }
        Ok(())
    }

    /// Changes some fields of a record that is there. One that is not, or not any more, is left alone.
    fn patch(&mut self, only: &[String]) -> Result<()> {
        let RowText { id, data, sheet, row, .. } = &self.text;
        let find = |row: &rusqlite::Row<'_>| {
            let text = |at| row.get::<_, Option<String>>(at);
            Ok((row.get::<_, i64>(0)?, text(1)?.unwrap_or_default(), text(2)?, text(3)?, text(4)?))
        };
        let found = self.find.query_row(params![self.register, id], find).optional()?;
        let Some((rowid, old, extra, origins, matched)) = found else { return Ok(()) };
        let new = patched(&old, data, only)?.to_string();
        if !same(&old, &new)? {
            let (delivery, at_ms) = (self.delivery, self.at_ms);
            self.keep.execute([rowid])?;
            self.change.execute(params![rowid, new, extra, origins, matched, delivery, sheet, row, at_ms])?;
        }
        Ok(())
    }
}

/// A record's fields with those named in `only` as `new` has them: a value that is missing there is taken out.
fn patched(old: &str, new: &str, only: &[String]) -> Result<Fields> {
    let (mut fields, new) = (Fields::parse(old)?, Fields::parse(new)?);
    for name in only {
        let at = fields.0.iter().position(|(field, _)| field == name);
        match (at, new.get(name)) {
            (Some(at), Some(value)) => fields.0[at].1 = value.clone(),
            (Some(at), None) => drop(fields.0.remove(at)),
            (None, Some(value)) => fields.0.push((name.clone(), value.clone())),
            (None, None) => {}
        }
    }
    Ok(fields)
}

/// Compares texts first; only if they differ, the objects in them.
fn compare(old: (&str, Option<&str>, Option<&str>), new: &RowText) -> Result<Change> {
    let (data, extra, origins) = old;
    if !same(data, &new.data)? || !same_optional(extra, new.extra.as_deref())? {
        Ok(Change::Values)
    } else if new.origins.is_some() && origins != new.origins.as_deref() {
        Ok(Change::Origins)
    } else {
        Ok(Change::None)
    }
}

fn same(old: &str, new: &str) -> Result<bool> {
    Ok(old == new || Fields::parse(old)?.same(&Fields::parse(new)?))
}

fn same_optional(old: Option<&str>, new: Option<&str>) -> Result<bool> {
    match (old, new) {
        (Some(old), Some(new)) => same(old, new),
        (old, new) => Ok(old.is_none() && new.is_none()),
    }
}
