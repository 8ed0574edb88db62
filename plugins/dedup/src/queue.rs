//! The questions that wait for people: pairs of records that may be one.
//!
//! | state key | value |
//! |---|---|
//! | `q/` + id + id (20 bytes) | why it is asked, as JSON: see [`Why`](crate::inspect::Why); a pair is never asked about twice |
//! | `r/` + id + id (20 bytes) | nothing: the same pair the other way round, so that all questions about a record are found by it |
//! | `q#` | 1: all pairs are there both ways. States of before have them one way |
//!
//! Two things ask: the linkage, where the evidence is neither for nor against, and the keys, where a row has one key of
//! one record and another key of another.

use huiliu_stage::{Host, HostError, StageError};
use serde_json::Value;

use crate::decided::{Decided, pair_key, pair_of};
use crate::records::RecordId;

const QUEUE: &[u8] = b"q/";
const TURNED: &[u8] = b"r/";
const BOTH_WAYS: &[u8] = b"q#";

/// A question about a record as it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) of: RecordId,
    pub(crate) other: RecordId,
    pub(crate) why: Vec<u8>,
}

/// Asks about a pair, unless it is asked about already; tells whether it was not.
pub(crate) fn ask(host: &dyn Host, a: RecordId, b: RecordId, why: &Value) -> Result<bool, StageError> {
    Ok(put(host, a, b, why.to_string().as_bytes())?)
}

fn put(host: &dyn Host, a: RecordId, b: RecordId, why: &[u8]) -> Result<bool, HostError> {
    let key = pair_key(QUEUE, a, b);
    let new = host.state_get(&key)?.is_none();
    if new {
        host.state_put(&key, why)?;
        host.state_put(&turned(&key), &[])?;
    }
    Ok(new)
}

/// Takes a question back.
pub(crate) fn answered(host: &dyn Host, a: RecordId, b: RecordId) -> Result<(), StageError> {
    let key = pair_key(QUEUE, a, b);
    host.state_delete(&key)?;
    Ok(host.state_delete(&turned(&key))?)
}

/// The same pair the other way round.
fn turned(key: &[u8]) -> Vec<u8> {
    let (first, second) = key.get(2..).unwrap_or_default().split_at_checked(10).unwrap_or_default();
    [TURNED, second, first].concat()
}

/// All questions about a record.
fn about(host: &dyn Host, id: RecordId) -> Result<Vec<Asked>, HostError> {
    turn_all(host)?;
    let (mut found, mut turned) = (Vec::new(), Vec::new());
    host.state_scan(&[QUEUE, &id.bytes()].concat(), &mut |key, why| {
        found.extend(pair_of(key).map(|(_, other)| Asked { of: id, other, why: why.to_vec() }));
        true
    })?;
    host.state_scan(&[TURNED, &id.bytes()].concat(), &mut |key, _| {
        turned.extend(pair_of(key).map(|(_, other)| other));
        true
    })?;
    for other in turned {
        let why = host.state_get(&pair_key(QUEUE, id, other))?;
        found.extend(why.map(|why| Asked { of: id, other, why }));
    }
    Ok(found)
}

/// Turns the pairs of a state of before, once.
fn turn_all(host: &dyn Host) -> Result<(), HostError> {
    if host.state_get(BOTH_WAYS)?.is_some() {
        return Ok(());
    }
    let mut keys = Vec::new();
    host.state_scan(QUEUE, &mut |key, _| {
        keys.push(turned(key));
        true
    })?;
    keys.iter().try_for_each(|key| host.state_put(key, &[]))?;
    host.state_put(BOTH_WAYS, &[1])
}

/// Questions about a record that is no more are questions about the one it went into, where nobody answered them. Gives
/// those that are to be asked again when it [comes back](self::came_back).
pub(crate) fn follow(
    host: &dyn Host,
    decided: &Decided,
    goes: RecordId,
    stays: RecordId,
) -> Result<Vec<Asked>, StageError> {
    let mut questions = about(host, goes)?;
    // What the one that stays was asked about is answered when the two are apart now.
    questions.extend(about(host, stays)?);
    let mut gone = Vec::new();
    for asked in questions {
        answered(host, asked.of, asked.other)?;
        if asked.other == stays || asked.other == goes {
            continue;
        }
        if !decided.are_apart(stays, asked.other) {
            put(host, stays, asked.other, &asked.why)?;
        } else if asked.of == stays {
            gone.push(asked);
            continue;
        }
        gone.extend(Some(asked).filter(|asked| asked.of == goes));
    }
    Ok(gone)
}

/// A record is there again that had gone into another one: what was asked about it then is asked about it, where nobody
/// has answered it since.
pub(crate) fn came_back(
    host: &dyn Host,
    decided: &Decided,
    (back, from): (RecordId, RecordId),
    asked: &[Asked],
) -> Result<(), StageError> {
    for Asked { of, other, why } in asked {
        let other = decided.now(*other);
        let of = if *of == back { back } else { from };
        if other == back || other == from || decided.are_apart(of, other) {
            continue;
        }
        if of == back {
            match host.state_get(&pair_key(QUEUE, from, other))? {
                None => continue,
                // It was about this one.
                Some(kept) if kept == *why => answered(host, from, other)?,
                Some(_) => {}
            }
        }
        put(host, of, other, why)?;
    }
    Ok(())
}
