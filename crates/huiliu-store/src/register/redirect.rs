//! Records that were merged into others by a person's decision: asked for one, the register answers with the other.
//!
//! What such a record was moves to `record_version`, and it leaves the register. When it is taken out of the other one
//! again, it comes back and counts its revisions from where it was.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};

use crate::error::Result;

/// Writes redirects while a delivery is written.
pub(super) struct Redirects<'t> {
    transaction: &'t Transaction<'t>,
    register: i64,
    delivery: &'t str,
    /// Whether the register has any; most have none, and then nothing is looked up.
    any: bool,
    lift: CachedStatement<'t>,
    /// Whether the record at hand was redirected until now.
    lifted: bool,
}

impl<'t> Redirects<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>, register: i64, delivery: &'t str) -> Result<Self> {
        let any = transaction
            .prepare_cached("SELECT 1 FROM redirect WHERE register = ?1 LIMIT 1")?
            .exists([register])?;
        let lift = transaction.prepare_cached("DELETE FROM redirect WHERE register = ?1 AND id = ?2")?;
        Ok(Self { transaction, register, delivery, any, lift, lifted: false })
    }

    /// From now on `id` means `into`.
    pub(super) fn put(&mut self, id: &str, into: &str) -> Result<()> {
        self.any = true;
        self.transaction
            .prepare_cached(
                "REPLACE INTO redirect (register, id, into_id, delivery) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![self.register, id, into, self.delivery])?;
        self.transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO record_version (register, id, revision, data, extra, origins, matched,
                     delivery, sheet, row, at_ms)
                 SELECT register, id, revision, data, extra, origins, matched, delivery, sheet, row, at_ms
                 FROM record WHERE register = ?1 AND id = ?2",
            )?
            .execute(params![self.register, id])?;
        self.transaction
            .prepare_cached("DELETE FROM record WHERE register = ?1 AND id = ?2")?
            .execute(params![self.register, id])?;
        Ok(())
    }

    /// Before a record is written: it means itself again.
    pub(super) fn lift(&mut self, id: &str) -> Result<()> {
        self.lifted = self.any && self.lift.execute(params![self.register, id])? > 0;
        Ok(())
    }

    /// After a record was made: one that was there before counts its revisions on.
    pub(super) fn go_on(&self, id: &str) -> Result<()> {
        if self.lifted {
            self.transaction
                .prepare_cached(
                    "UPDATE record SET revision = 1 + coalesce((SELECT max(revision) FROM record_version
                         WHERE register = ?1 AND id = ?2), 0) WHERE register = ?1 AND id = ?2",
                )?
                .execute(params![self.register, id])?;
        }
        Ok(())
    }
}

/// The record that `id` means now, if it was merged into another.
pub(super) fn now(connection: &Connection, register: i64, id: &str) -> Result<Option<String>> {
    let mut find = connection.prepare_cached(
        "WITH RECURSIVE way (id, steps) AS (
             SELECT into_id, 1 FROM redirect WHERE register = ?1 AND id = ?2
             UNION ALL
             SELECT r.into_id, steps + 1 FROM redirect r JOIN way ON r.register = ?1 AND r.id = way.id
             WHERE steps < 1000)
         SELECT id FROM way ORDER BY steps DESC LIMIT 1",
    )?;
    Ok(find.query_row(params![register, id], |row| row.get(0)).optional()?)
}

/// The records that were merged into `id`, directly or through others.
pub(super) fn former(connection: &Connection, register: i64, id: &str) -> Result<Vec<String>> {
    let mut find = connection.prepare_cached(
        "WITH RECURSIVE way (id) AS (
             SELECT id FROM redirect WHERE register = ?1 AND into_id = ?2
             UNION
             SELECT r.id FROM redirect r JOIN way ON r.register = ?1 AND r.into_id = way.id)
         SELECT id FROM way ORDER BY id",
    )?;
    let found = find.query_map(params![register, id], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
