//! The ledger: what is known of every delivery.

use huiliu_pipeline::ports::{Counts, Delivery, LedgerEntry, State, Stream};
use huiliu_stage::{Fate, Finding, Severity, Text, sheet_ordinal};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::error::{Error, Result};
use crate::log::{Kept, Sealed};

/// The columns of [`entry`], in its order.
const ENTRY: &str = "id, pipeline, sender, file, origin, content_hash, bytes, received_ms, state, seq, \
    rows_in, accepted, quarantined, merged, dropped, refused, rows_out, errors, warnings, infos, \
    codes, report, answered, archived, attempts, supersedes, rules";

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only of this pipeline.
    pub pipeline: Option<String>,
    /// Only those that have come this far.
    pub state: Option<State>,
    /// At most so many; all if `None`.
    pub limit: Option<u32>,
}

fn word(state: State) -> &'static str {
    match state {
        State::Seen => "seen",
        State::Committed => "committed",
        State::Refused => "refused",
    }
}

fn parse_state(word: &str) -> Option<State> {
    [State::Seen, State::Committed, State::Refused].into_iter().find(|&s| self::word(s) == word)
}

/// For a column that this program did not write so.
pub(crate) fn broken(index: usize, what: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, what.into().into())
}

/// A column that holds JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(index)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into()))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LedgerEntry> {
    let state = row.get_ref(8)?.as_str()?;
    Ok(LedgerEntry {
        delivery: Delivery {
            id: row.get(0)?,
            pipeline: row.get(1)?,
            sender: row.get(2)?,
            file: row.get(3)?,
            origin: row.get(4)?,
            content_hash: row.get(5)?,
            bytes: row.get(6)?,
            received_ms: row.get(7)?,
        },
        state: parse_state(state).ok_or_else(|| broken(8, format!("unknown state `{state}`")))?,
        seq: row.get(9)?,
        counts: Counts {
            rows_in: row.get(10)?,
            accepted: row.get(11)?,
            quarantined: row.get(12)?,
            merged: row.get(13)?,
            dropped: row.get(14)?,
            refused: row.get(15)?,
            rows_out: row.get(16)?,
            errors: row.get(17)?,
            warnings: row.get(18)?,
            infos: row.get(19)?,
        },
        codes: json(row, 20)?,
        report: json(row, 21)?,
        answered: row.get(22)?,
        archived: row.get(23)?,
        attempts: row.get(24)?,
        supersedes: row.get(25)?,
        rules: row.get(26)?,
    })
}

/// The entries that a condition finds.
fn select(
    connection: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<LedgerEntry>> {
    let mut find = connection.prepare_cached(&format!("SELECT {ENTRY} FROM delivery {condition}"))?;
    let found = find.query_map(params, entry)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn insert(transaction: &Transaction<'_>, delivery: &Delivery, attempts: u32) -> Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO delivery
             (id, pipeline, sender, file, origin, content_hash, bytes, received_ms, attempts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE
             SET attempts = attempts + excluded.attempts, file = excluded.file, origin = excluded.origin
             WHERE state = 'seen'",
    )?;
    let Delivery { id, pipeline, sender, file, origin, content_hash, bytes, received_ms } = delivery;
    insert.execute(params![
        id,
        pipeline,
        sender,
        file,
        origin,
        content_hash,
        bytes,
        received_ms,
        attempts
    ])?;
    Ok(())
}

/// Makes or finds the line. The time is that of the first notice; name and place are those of the last,
/// until the delivery is done.
pub(crate) fn see(transaction: &Transaction<'_>, delivery: &Delivery) -> Result<LedgerEntry> {
    insert(transaction, delivery, 1)?;
    find(transaction, &delivery.id)?.ok_or_else(|| Error::failed("a line just written is gone"))
}

/// The line of a delivery that is about to be done, made if [`see`] was not called.
pub(crate) fn line(transaction: &Transaction<'_>, delivery: &Delivery) -> Result<(State, u64)> {
    insert(transaction, delivery, 0)?;
    let mut find = transaction.prepare_cached("SELECT state, seq FROM delivery WHERE id = ?1")?;
    Ok(find.query_row([&delivery.id], |row| {
        let state = row.get_ref(0)?.as_str()?;
        let state = parse_state(state).ok_or_else(|| broken(0, format!("unknown state `{state}`")))?;
        Ok((state, row.get(1)?))
    })?)
}

/// The end of a delivery, as [`finish`] writes it down.
pub(crate) struct Finished<'a> {
    pub(crate) state: State,
    pub(crate) seq: u64,
    pub(crate) counts: Counts,
    pub(crate) codes: &'a std::collections::BTreeMap<String, u64>,
    pub(crate) report: &'a serde_json::Value,
    pub(crate) sheets: &'a [String],
    pub(crate) rules: &'a str,
    pub(crate) log: Option<&'a str>,
    pub(crate) sealed: Sealed,
}

pub(crate) fn finish(transaction: &Transaction<'_>, id: &str, end: &Finished<'_>) -> Result<()> {
    let mut update = transaction.prepare_cached(
        "UPDATE delivery SET state = ?2, seq = ?3, rows_in = ?4, accepted = ?5, quarantined = ?6, merged = ?7,
             dropped = ?8, refused = ?9, rows_out = ?10, errors = ?11, warnings = ?12, infos = ?13, codes = ?14,
             report = ?15, sheets = ?16, log = ?17, records_bytes = ?18, rejects_bytes = ?19, rules = ?20
         WHERE id = ?1",
    )?;
    let counts = &end.counts;
    update.execute(params![
        id,
        word(end.state),
        end.seq,
        counts.rows_in,
        counts.accepted,
        counts.quarantined,
        counts.merged,
        counts.dropped,
        counts.refused,
        counts.rows_out,
        counts.errors,
        counts.warnings,
        counts.infos,
        serde_json::to_string(end.codes)?,
        serde_json::to_string(end.report)?,
        serde_json::to_string(end.sheets)?,
        end.log,
        end.sealed.records.bytes(),
        end.sealed.rejects.bytes(),
        end.rules,
    ])?;
    put_log(transaction, end.seq, &end.sealed)
}

/// The delivery that `delivery` corrects: the last committed one of the same sender and file name.
pub(crate) fn corrected(transaction: &Transaction<'_>, delivery: &Delivery) -> Result<Option<String>> {
    let mut find = transaction.prepare_cached(
        "SELECT id FROM delivery WHERE pipeline = ?1 AND sender = ?2 AND file = ?3 AND seq > 0 AND id <> ?4
         ORDER BY seq DESC LIMIT 1",
    )?;
    let Delivery { id, pipeline, sender, file, .. } = delivery;
    Ok(find.query_row(params![pipeline, sender, file, id], |row| row.get(0)).optional()?)
}

/// The delivery that came last under the name of `delivery`, if that one was committed before and is not the last.
pub(crate) fn replaced(connection: &Connection, delivery: &Delivery) -> Result<Option<String>> {
    let mut find = connection.prepare_cached(
        "SELECT id, content_hash FROM delivery WHERE pipeline = ?1 AND sender = ?2 AND file = ?3 AND seq > 0
             AND EXISTS (SELECT 1 FROM delivery WHERE id = ?4 AND seq > 0)
         ORDER BY seq DESC LIMIT 1",
    )?;
    let Delivery { id, pipeline, sender, file, content_hash, .. } = delivery;
    let last: Option<(String, String)> = find
        .query_row(params![pipeline, sender, file, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.filter(|(_, content)| content != content_hash).map(|(id, _)| id))
}

/// Notes which delivery another one corrects.
pub(crate) fn set_supersedes(transaction: &Transaction<'_>, id: &str, earlier: &str) -> Result<()> {
    transaction
        .prepare_cached("UPDATE delivery SET supersedes = ?2 WHERE id = ?1")?
        .execute([id, earlier])?;
    Ok(())
}

fn put_log(transaction: &Transaction<'_>, seq: u64, sealed: &Sealed) -> Result<()> {
    let (records, rejects) = (sealed.records.inside(), sealed.rejects.inside());
    if records.is_some() || rejects.is_some() {
        transaction
            .prepare_cached("INSERT INTO small_log (seq, records, rejects) VALUES (?1, ?2, ?3)")?
            .execute(params![seq, records, rejects])?;
    }
    Ok(())
}

/// The next free place in the commit log.
pub(crate) fn next_seq(transaction: &Transaction<'_>) -> Result<u64> {
    let mut last = transaction.prepare_cached("SELECT coalesce(max(seq), 0) FROM delivery WHERE seq > 0")?;
    Ok(last.query_row([], |row| row.get::<_, u64>(0))? + 1)
}

pub(crate) fn find(connection: &Connection, id: &str) -> Result<Option<LedgerEntry>> {
    Ok(select(connection, "WHERE id = ?1", [id])?.pop())
}

/// By id, or by the beginning of one that only one delivery has.
pub(crate) fn find_by_prefix(connection: &Connection, prefix: &str) -> Result<LedgerEntry> {
    if let Some(entry) = find(connection, prefix)? {
        return Ok(entry);
    }
    let end = after_prefix(prefix);
    let mut found = select(connection, "WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 4", [prefix, &end])?;
    match (found.pop(), found.is_empty()) {
        (Some(entry), true) => Ok(entry),
        (None, _) => Err(Error::missing(format!("no delivery has an id that begins with `{prefix}`"))),
        (Some(last), false) => {
            let ids: Vec<String> =
                found.iter().chain([&last]).map(|entry| format!("`{}`", entry.delivery.id)).collect();
            let text =
                format!("several deliveries begin with `{prefix}`: {}; write more of the id", ids.join(", "));
            Err(Error::missing(text))
        }
    }
}

/// A text that comes after all texts with this beginning.
pub(crate) fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Newest first.
pub(crate) fn list(connection: &Connection, filter: &DeliveryFilter) -> Result<Vec<LedgerEntry>> {
    let condition = "WHERE (?1 IS NULL OR pipeline = ?1) AND (?2 IS NULL OR state = ?2) \
                     ORDER BY no DESC LIMIT ?3";
    let limit = filter.limit.map_or(-1, i64::from);
    select(connection, condition, params![filter.pipeline, filter.state.map(word), limit])
}

pub(crate) fn find_content(
    connection: &Connection,
    pipeline: &str,
    sender: &str,
    content_hash: &str,
) -> Result<Option<LedgerEntry>> {
    let condition = "WHERE content_hash = ?3 AND pipeline = ?1 AND sender = ?2 ORDER BY no LIMIT 1";
    Ok(select(connection, condition, [pipeline, sender, content_hash])?.pop())
}

/// Done but not answered, oldest first.
pub(crate) fn unanswered(connection: &Connection, pipeline: &str) -> Result<Vec<LedgerEntry>> {
    let condition = "WHERE answered = 0 AND pipeline = ?1 AND state IN ('committed', 'refused') ORDER BY no";
    select(connection, condition, [pipeline])
}

/// Noticed but not done, oldest first.
pub(crate) fn interrupted(connection: &Connection, pipeline: &str) -> Result<Vec<LedgerEntry>> {
    select(connection, "WHERE answered = 0 AND pipeline = ?1 AND state = 'seen' ORDER BY no", [pipeline])
}

pub(crate) fn set_answered(transaction: &Transaction<'_>, id: &str, archived: &str) -> Result<()> {
    let changed = transaction
        .prepare_cached("UPDATE delivery SET answered = 1, archived = ?2 WHERE id = ?1 AND state <> 'seen'")?
        .execute([id, archived])?;
    match changed {
        0 => Err(Error::missing(format!("delivery `{id}` is not done, so it cannot be answered"))),
        _ => Ok(()),
    }
}

/// Lets a refused delivery be run again, as if it had only been noticed.
pub(crate) fn reopen(transaction: &Transaction<'_>, id: &str) -> Result<()> {
    let changed = transaction
        .prepare_cached(
            "UPDATE delivery SET state = 'seen', answered = 0, archived = '' WHERE id = ?1 AND state = 'refused'",
        )?
        .execute([id])?;
    match changed {
        0 => Err(Error::missing(format!("no delivery `{id}` was refused"))),
        _ => Ok(()),
    }
}

/// The next delivery of a pipeline whose log is still there.
pub(crate) fn next_after(connection: &Connection, pipeline: &str, seq: u64) -> Result<Option<LedgerEntry>> {
    let condition = "WHERE pipeline = ?1 AND seq > ?2 AND log IS NOT NULL ORDER BY seq LIMIT 1";
    Ok(select(connection, condition, params![pipeline, seq])?.pop())
}

/// Name of a committed log and where one of its streams is.
pub(crate) fn log_of(connection: &Connection, seq: u64, stream: Stream) -> Result<(String, Kept)> {
    let mut find = connection.prepare_cached(match stream {
        Stream::Records => {
            "SELECT log, records_bytes, records FROM delivery LEFT JOIN small_log USING (seq)
             WHERE seq > 0 AND seq = ?1"
        }
        Stream::Rejects => {
            "SELECT log, rejects_bytes, rejects FROM delivery LEFT JOIN small_log USING (seq)
             WHERE seq > 0 AND seq = ?1"
        }
    })?;
    let found =
        find.query_row([seq], |row| Ok((row.get(0)?, Kept::stored(row.get(1)?, row.get(2)?)))).optional()?;
    match found {
        Some((Some(name), kept)) => Ok((name, kept)),
        Some((None, _)) => Err(Error::missing(format!("log {seq} is gone, since every sink had passed it"))),
        None => Err(Error::missing(format!("there is no log {seq}"))),
    }
}

/// Writes findings in place of those of an earlier attempt.
pub(crate) fn put_findings(transaction: &Transaction<'_>, id: &str, findings: &[Finding]) -> Result<()> {
    transaction.prepare_cached("DELETE FROM finding WHERE delivery = ?1")?.execute([id])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO finding (delivery, n, row, field, severity, code, zh, en, raw, fate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (n, finding) in findings.iter().enumerate() {
        let Finding { row, field, severity, code, message, raw, fate } = finding;
        let (severity, fate) = (severity.as_str(), fate.as_str());
        insert.execute(params![id, n, row, field, severity, code, message.zh, message.en, raw, fate])?;
    }
    Ok(())
}

/// Names of the sheets by their ordinal, those that were not read among them.
pub(crate) fn sheets(connection: &Connection, id: &str) -> Result<Vec<String>> {
    let sheets: Option<Vec<String>> = connection
        .prepare_cached("SELECT sheets FROM delivery WHERE id = ?1")?
        .query_row([id], |row| json(row, 0))
        .optional()?;
    sheets.ok_or_else(|| Error::missing(format!("there is no delivery `{id}`")))
}

/// The findings that are shown, each with the name of its sheet.
pub(crate) fn findings(connection: &Connection, id: &str) -> Result<Vec<(Finding, String)>> {
    let sheets = sheets(connection, id)?;
    let sheet = |row: Option<i64>| {
        let name = row.and_then(|row| sheets.get(sheet_ordinal(row) as usize));
        name.cloned().unwrap_or_default()
    };
    let mut find = connection.prepare_cached(
        "SELECT row, field, severity, code, zh, en, raw, fate FROM finding WHERE delivery = ?1 ORDER BY n",
    )?;
    let found = find.query_map([id], |row| {
        let finding = finding(row)?;
        let sheet = sheet(finding.row);
        Ok((finding, sheet))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn finding(row: &Row<'_>) -> rusqlite::Result<Finding> {
    let severity = row.get_ref(2)?.as_str()?;
    let fate = row.get_ref(7)?.as_str()?;
    Ok(Finding {
        row: row.get(0)?,
        field: row.get(1)?,
        severity: Severity::parse(severity).ok_or_else(|| broken(2, severity))?,
        code: row.get(3)?,
        message: Text::new(row.get::<_, String>(4)?, row.get::<_, String>(5)?),
        raw: row.get(6)?,
        fate: Fate::parse(fate).ok_or_else(|| broken(7, fate))?,
    })
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::{State, Store};

    use crate::DeliveryFilter;
    use crate::testing::*;

    #[test]
    fn a_delivery_is_found_by_the_beginning_of_its_id() {
        let (_folder, store) = store();
        for id in ["abc1", "abc2", "abd", "ab"] {
            store.see(&delivery(id)).unwrap();
        }
        let table = [
            ("abc1", Ok("abc1")),
            ("abd", Ok("abd")),
            ("ab", Ok("ab")), // The whole id wins over the beginning of others.
            ("abc", Err("several deliveries begin with `abc`: `abc1`, `abc2`; write more of the id")),
            ("x", Err("no delivery has an id that begins with `x`")),
            ("a%", Err("no delivery has an id that begins with `a%`")),
        ];
        for (prefix, expected) in table {
            let found = store.delivery(prefix);
            let found = found.map(|entry| entry.delivery.id).map_err(|error| error.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{prefix}");
        }
    }

    #[test]
    fn each_delivery_is_in_the_list_of_what_is_to_be_done_with_it() {
        let (_folder, store) = store();
        let ids = |entries: Vec<huiliu_pipeline::ports::LedgerEntry>| {
            entries.into_iter().map(|entry| entry.delivery.id).collect::<Vec<_>>()
        };
        store.see(&delivery("seen")).unwrap();
        commit(&store, "done", &[]).unwrap();
        let counts = huiliu_pipeline::ports::Counts::default();
        store.refuse(&delivery("bad"), counts, vec![], vec![], serde_json::Value::Null).unwrap();
        assert_eq!(ids(store.interrupted(PIPELINE).unwrap()), ["seen"]);
        assert_eq!(ids(store.unanswered(PIPELINE).unwrap()), ["done", "bad"]);
        assert!(store.set_answered("seen", "x").is_err());
        store.set_answered("done", "archive/done.xlsx").unwrap();
        assert_eq!(ids(store.unanswered(PIPELINE).unwrap()), ["bad"]);
        assert_eq!(store.delivery("done").unwrap().archived, "archive/done.xlsx");

        let filter = DeliveryFilter::default();
        assert_eq!(ids(store.deliveries(&filter).unwrap()), ["bad", "done", "seen"]);
        let filter = DeliveryFilter { limit: Some(1), ..filter };
        assert_eq!(ids(store.deliveries(&filter).unwrap()), ["bad"]);
        let filter = DeliveryFilter { state: Some(State::Committed), ..filter };
        assert_eq!(ids(store.deliveries(&filter).unwrap()), ["done"]);
        let filter = DeliveryFilter { pipeline: Some("other".into()), ..filter };
        assert!(store.deliveries(&filter).unwrap().is_empty());
        let by_content = |sender| store.find_content(PIPELINE, sender, "hash of done").unwrap();
        assert_eq!(by_content("发改局").unwrap().delivery.id, "done");
        assert!(by_content("住建局").is_none());
    }

    #[test]
    fn a_delivery_seen_again_keeps_its_time_and_tells_where_it_is_now() {
        let (_folder, store) = store();
        store.see(&delivery("a")).unwrap();
        let mut moved = delivery("a");
        (moved.origin, moved.received_ms) = ("inbox/发改局/b.xlsx".into(), 9);
        let entry = store.see(&moved).unwrap();
        assert_eq!(
            (&*entry.delivery.origin, entry.delivery.received_ms),
            ("inbox/发改局/b.xlsx", delivery("a").received_ms)
        );
    }
}
