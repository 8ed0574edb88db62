//! What senders' headers mean where a person has said so: header text to field, by pipeline and sender.
//!
//! The reader finds most headers by itself. Where it could not, or was wrong, somebody says it once and it is
//! remembered. The empty sender stands for all senders of a pipeline; a sender's own word goes before it.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use crate::error::Result;

/// A header whose meaning was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The pipeline.
    pub pipeline: String,
    /// The sender; empty for all.
    pub sender: String,
    /// The header as it was sent.
    pub header: String,
    /// The field of the record that it names.
    pub field: String,
    /// When it was confirmed, milliseconds since 1970 UTC.
    pub confirmed_ms: i64,
}

/// All mappings, or those of one pipeline, in the order of pipeline, sender and header.
pub(crate) fn list(connection: &Connection, pipeline: Option<&str>) -> Result<Vec<Mapping>> {
    let mut find = connection.prepare_cached(
        "SELECT pipeline, sender, header, field, confirmed_ms FROM mapping
         WHERE ?1 IS NULL OR pipeline = ?1 ORDER BY pipeline, sender, header",
    )?;
    let found = find.query_map([pipeline], |row| {
        Ok(Mapping {
            pipeline: row.get(0)?,
            sender: row.get(1)?,
            header: row.get(2)?,
            field: row.get(3)?,
            confirmed_ms: row.get(4)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Header to field, for what one sender sends to one pipeline.
pub(crate) fn of(connection: &Connection, pipeline: &str, sender: &str) -> Result<BTreeMap<String, String>> {
    let mut find = connection.prepare_cached(
        "SELECT header, field FROM mapping WHERE pipeline = ?1 AND sender IN ('', ?2) ORDER BY sender",
    )?;
    // The sender's own come last and replace the common ones.
    let found = find.query_map([pipeline, sender], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Remembers a mapping, in place of an earlier one of the same header.
pub(crate) fn set(transaction: &Transaction<'_>, mapping: &Mapping) -> Result<()> {
    let Mapping { pipeline, sender, header, field, confirmed_ms } = mapping;
    transaction
        .prepare_cached(
            "REPLACE INTO mapping (pipeline, sender, header, field, confirmed_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![pipeline, sender, header, field, confirmed_ms])?;
    Ok(())
}

/// Forgets a mapping; tells whether there was one.
pub(crate) fn remove(
    transaction: &Transaction<'_>,
    pipeline: &str,
    sender: &str,
    header: &str,
) -> Result<bool> {
    let mut delete = transaction
        .prepare_cached("DELETE FROM mapping WHERE pipeline = ?1 AND sender = ?2 AND header = ?3")?;
    Ok(delete.execute([pipeline, sender, header])? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_senders_own_word_goes_before_the_common_one_and_both_can_be_forgotten() {
        let (_folder, store) = store();
        let say = |sender: &str, header: &str, field: &str| {
            let mapping = Mapping {
                pipeline: PIPELINE.into(),
                sender: sender.into(),
                header: header.into(),
                field: field.into(),
                confirmed_ms: 7,
            };
            store.set_mapping(&mapping).unwrap();
        };
        say("", "投资额", "total_investment");
        say("", "进度", "progress_text");
        say("住建局", "投资额", "annual_plan_investment");
        say("住建局", "投资额", "ytd_investment");
        let of = |sender: &str| store.mappings_of(PIPELINE, sender).unwrap().into_iter().collect::<Vec<_>>();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of("发改局"), [pair("投资额", "total_investment"), pair("进度", "progress_text")]);
        assert_eq!(of("住建局"), [pair("投资额", "ytd_investment"), pair("进度", "progress_text")]);
        assert_eq!(store.mappings(None).unwrap().len(), 3);
        assert!(store.remove_mapping(PIPELINE, "住建局", "投资额").unwrap());
        assert!(!store.remove_mapping(PIPELINE, "住建局", "投资额").unwrap());
        assert_eq!(of("住建局"), of("发改局"));
        assert_eq!(store.mappings(Some("other")).unwrap(), []);
    }
}
