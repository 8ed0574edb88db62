//! What stages remember between deliveries: keys and values, by slot (`{pipeline}/{stage}`).
//!
//! Small values lie in the tree of their keys (`state`), so that what belongs together is one page. To find a key, SQLite
//! compares it with whole entries of that tree and reads each of them through, however long it is; so values of many
//! pages lie in a table of their own (`large_state`). A key is in one of the two.

use huiliu_pipeline::ports::StateChange;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::error::Result;

/// From so many bytes on a value is a large one. A file of before was brought in line by `large.sql`.
const LARGE_BYTES: usize = 4_096;
/// From so many changes on it is asked once which large values there are, and not for each.
const MANY: usize = 256;

fn slot(connection: &Connection, name: &str) -> Result<Option<i64>> {
    let mut find = connection.prepare_cached("SELECT no FROM slot WHERE name = ?1")?;
    Ok(find.query_row([name], |row| row.get(0)).optional()?)
}

/// Names of all slots, sorted.
pub(crate) fn slots(connection: &Connection) -> Result<Vec<String>> {
    let mut find = connection.prepare_cached("SELECT name FROM slot ORDER BY name")?;
    let found = find.query_map([], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn get(connection: &Connection, slot: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut find = connection.prepare_cached(
        "SELECT value FROM state WHERE slot = (SELECT no FROM slot WHERE name = ?1) AND key = ?2
         UNION ALL
         SELECT value FROM large_state WHERE slot = (SELECT no FROM slot WHERE name = ?1) AND key = ?2",
    )?;
    Ok(find.query_row(params![slot, key], |row| row.get(0)).optional()?)
}

/// Keys are compared as bytes, so that all with one prefix stand together.
pub(crate) fn scan(
    connection: &Connection,
    name: &str,
    prefix: &[u8],
    each: &mut dyn FnMut(&[u8], &[u8]) -> bool,
) -> Result<()> {
    let Some(slot) = slot(connection, name)? else { return Ok(()) };
    // The value behind the last key is not to be read: it may be a large one of another kind.
    let end = end(prefix);
    // Two runs in order, which SQLite merges as it goes.
    let mut find = connection.prepare_cached(match end {
        Some(_) => {
            "SELECT key, value FROM state WHERE slot = ?1 AND key >= ?2 AND key < ?3
             UNION ALL SELECT key, value FROM large_state WHERE slot = ?1 AND key >= ?2 AND key < ?3
             ORDER BY key"
        }
        None => {
            "SELECT key, value FROM state WHERE slot = ?1 AND key >= ?2
             UNION ALL SELECT key, value FROM large_state WHERE slot = ?1 AND key >= ?2
             ORDER BY key"
        }
    })?;
    let mut rows = match end {
        Some(end) => find.query(params![slot, prefix, end])?,
        None => find.query(params![slot, prefix])?,
    };
    while let Some(row) = rows.next()? {
        let key = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let value = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        if !key.starts_with(prefix) || !each(key, value) {
            break;
        }
    }
    Ok(())
}

/// The first key behind all that have this prefix, if there can be one.
fn end(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// Applies a stage's changes in key order, which is the cheapest for the tree they go into. Of two
/// changes of one key the later holds.
pub(crate) fn apply(transaction: &Transaction<'_>, name: &str, changes: &mut [StateChange]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    if !changes.is_sorted_by(|a, b| a.0 <= b.0) {
        changes.sort_by(|a, b| a.0.cmp(&b.0)); // Stable.
    }
    transaction.prepare_cached("INSERT OR IGNORE INTO slot (name) VALUES (?1)")?.execute([name])?;
    let slot: i64 = transaction
        .prepare_cached("SELECT no FROM slot WHERE name = ?1")?
        .query_row([name], |row| row.get(0))?;
    let mut put = transaction.prepare_cached("REPLACE INTO state (slot, key, value) VALUES (?1, ?2, ?3)")?;
    let mut put_large =
        transaction.prepare_cached("REPLACE INTO large_state (slot, key, value) VALUES (?1, ?2, ?3)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM state WHERE slot = ?1 AND key = ?2")?;
    let mut delete_large =
        transaction.prepare_cached("DELETE FROM large_state WHERE slot = ?1 AND key = ?2")?;
    let large = match changes.len() {
        ..MANY => None,
        _ => Some(large_keys(transaction, slot)?),
    };
    let may_be_large = |key: &Vec<u8>| large.as_ref().is_none_or(|large| large.binary_search(key).is_ok());
    for at in 0..changes.len() {
        let (key, value) = &changes[at];
        if changes.get(at + 1).is_some_and(|(next, _)| next == key) {
            continue; // The later one holds.
        }
        match value {
            Some(value) if value.len() >= LARGE_BYTES => {
                put_large.execute(params![slot, key, value])?;
                delete.execute(params![slot, key])?;
                continue;
            }
            Some(value) => put.execute(params![slot, key, value])?,
            None => delete.execute(params![slot, key])?,
        };
        if may_be_large(key) {
            delete_large.execute(params![slot, key])?;
        }
    }
    Ok(())
}

/// The keys of all large values of a slot, ascending: they are few, and mostly the first comparison tells two apart.
fn large_keys(transaction: &Transaction<'_>, slot: i64) -> Result<Vec<Vec<u8>>> {
    let mut find = transaction.prepare_cached("SELECT key FROM large_state WHERE slot = ?1 ORDER BY key")?;
    let found = find.query_map([slot], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use huiliu_pipeline::ports::{StateChange, Store};

    use crate::SqliteStore;
    use crate::testing::*;

    fn change(key: &[u8], value: Option<&str>) -> StateChange {
        (key.to_vec(), value.map(|value| value.as_bytes().to_vec()))
    }

    fn apply(store: &SqliteStore, id: &str, slot: &str, changes: Vec<StateChange>) {
        let delivery = delivery(id);
        let mut commit = outcome(&delivery, sealed(store, &delivery, &[]));
        commit.state = vec![(slot.to_owned(), changes)];
        store.commit(commit).unwrap();
    }

    #[test]
    fn a_scan_gives_the_keys_under_a_prefix_in_byte_order() {
        let (_folder, store) = store();
        let keys: [&[u8]; 6] = [b"b", b"a\xff\xff", b"a", b"a\x00", b"", b"ab"];
        apply(&store, "a", "p/dedup", keys.iter().map(|key| change(key, Some("v"))).collect());
        apply(&store, "b", "p/other", vec![change(b"a-other", Some("v"))]);
        let scan = |prefix: &[u8], most: usize| {
            let mut found = Vec::new();
            let mut each = |key: &[u8], value: &[u8]| {
                assert_eq!(
                    store.state_get("p/dedup", key).unwrap().as_deref(),
                    Some(value),
                    "may read meanwhile"
                );
                found.push(key.to_vec());
                found.len() < most
            };
            store.state_scan("p/dedup", prefix, &mut each).unwrap();
            found
        };
        assert_eq!(scan(b"a", 9), [&b"a"[..], b"a\x00", b"ab", b"a\xff\xff"]);
        assert_eq!(scan(b"a\xff", 9), [b"a\xff\xff"]);
        assert_eq!(scan(b"\xff", 9).len(), 0);
        assert_eq!(scan(b"", 2), [&b""[..], b"a"]);
        assert_eq!(scan(b"c", 9).len(), 0);
        store.state_scan("p/unknown", b"", &mut |_, _| panic!("has no keys")).unwrap();
    }

    #[test]
    fn look_ups_in_a_row_see_every_commit_of_their_own_and_hold_no_wal_back() {
        let (folder, store) = store();
        let value = "v".repeat(3_000);
        for round in 0..200 {
            assert_eq!(store.state_get("s", format!("{round}").as_bytes()).unwrap(), None);
            let changes =
                (0..8).map(|n| change(format!("{round}{}", "/".repeat(n)).as_bytes(), Some(&value)));
            apply(&store, &format!("d{round}"), "s", changes.collect());
            let found = store.state_get("s", format!("{round}").as_bytes()).unwrap();
            assert_eq!(found.map(|found| found.len()), Some(3_000), "{round}");
        }
        let wal = std::fs::metadata(folder.path().join("store.sqlite-wal")).unwrap().len();
        assert!(wal <= 20 << 20, "{wal} bytes");
    }

    #[test]
    fn a_value_that_grows_large_or_small_again_is_found_and_scanned_in_its_place() {
        let (_folder, store) = store();
        let large = |letter: &str| letter.repeat(10_000);
        let scan = || {
            let mut found = Vec::new();
            let mut each = |key: &[u8], value: &[u8]| {
                found.push((key.to_vec(), value.len()));
                true
            };
            store.state_scan("s", b"k", &mut each).unwrap();
            for (key, length) in &found {
                assert_eq!(store.state_get("s", key).unwrap().map(|value| value.len()), Some(*length));
            }
            found
                .into_iter()
                .map(|(key, length)| (String::from_utf8(key).unwrap(), length))
                .collect::<Vec<_>>()
        };
        let is = |expected: &[(&str, usize)]| {
            let expected: Vec<_> =
                expected.iter().map(|(key, length)| ((*key).to_owned(), *length)).collect();
            assert_eq!(scan(), expected);
        };
        let changes =
            vec![change(b"k1", Some("a")), change(b"k2", Some(&large("b"))), change(b"k3", Some("c"))];
        apply(&store, "a", "s", changes);
        is(&[("k1", 1), ("k2", 10_000), ("k3", 1)]);
        let changes = vec![change(b"k1", Some(&large("d"))), change(b"k2", Some("e")), change(b"k3", None)];
        apply(&store, "b", "s", changes);
        is(&[("k1", 10_000), ("k2", 1)]);
        apply(&store, "c", "s", vec![change(b"k1", Some(&large("f"))), change(b"k1", None)]);
        is(&[("k2", 1)]);
        // In a transaction of very many changes as well.
        let mut changes = vec![change(b"k2", Some(&large("g"))), change(b"k4", Some(&large("h")))];
        changes.extend((0..1_000).map(|n| change(format!("m{n}").as_bytes(), Some("x"))));
        apply(&store, "d", "s", changes);
        is(&[("k2", 10_000), ("k4", 10_000)]);
        let mut changes = vec![change(b"k2", Some("i")), change(b"k4", None)];
        changes.extend((0..1_000).map(|n| change(format!("m{n}").as_bytes(), None)));
        apply(&store, "e", "s", changes);
        is(&[("k2", 1)]);
    }

    #[test]
    fn large_values_of_a_store_of_before_are_moved_out_of_the_tree_of_keys() {
        let (folder, store) = store();
        drop(store);
        let file = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
        file.execute_batch(
            "DROP TABLE large_state; PRAGMA user_version = 4; INSERT INTO slot (no, name) VALUES (1, 's');
             INSERT INTO state VALUES (1, x'61', zeroblob(10000)), (1, x'62', x'01');",
        )
        .unwrap();
        drop(file);
        let store = SqliteStore::open_exclusive(folder.path()).unwrap();
        assert_eq!(store.state_get("s", b"a").unwrap(), Some(vec![0; 10_000]));
        assert_eq!(store.state_get("s", b"b").unwrap(), Some(vec![1]));
        let file = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
        let keys = "SELECT group_concat(hex(key)) FROM ";
        let keys = |table: &str| file.query_row(&format!("{keys}{table}"), [], |row| row.get(0));
        assert_eq!((keys("state"), keys("large_state")), (Ok("62".to_owned()), Ok("61".to_owned())));
    }

    #[test]
    fn of_two_changes_of_a_key_the_later_holds() {
        let (_folder, store) = store();
        let changes = vec![change(b"k", Some("1")), change(b"a", Some("x")), change(b"k", Some("2"))];
        apply(&store, "a", "s", changes);
        assert_eq!(store.state_get("s", b"k").unwrap(), Some(b"2".to_vec()));
        apply(&store, "b", "s", vec![change(b"k", None), change(b"absent", None)]);
        assert_eq!(store.state_get("s", b"k").unwrap(), None);
        assert_eq!(store.state_get("s", b"a").unwrap(), Some(b"x".to_vec()));
        assert_eq!(store.state_get("unknown", b"a").unwrap(), None);
    }
}
