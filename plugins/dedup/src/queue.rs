//! The questions that wait for people: pairs of records that may be one.
//!
//! | state key | value |
//! |---|---|
//! | `q/` + id + id (20 bytes) | why it is asked, as JSON: see [`Why`](crate::inspect::Why); a pair is never asked about twice |
//!
//! Two things ask: the linkage, where the evidence is neither for nor against, and the keys, where a row has one key of
//! one record and another key of another.

use huiliu_stage::{Host, StageError};
use serde_json::Value;

use crate::decided::{Decided, pair_key, pair_of};
use crate::records::RecordId;

const QUEUE: &[u8] = b"q/";

/// Asks about a pair, unless it is asked about already; tells whether it was not.
pub(crate) fn ask(host: &dyn Host, a: RecordId, b: RecordId, why: &Value) -> Result<bool, StageError> {
    let key = pair_key(QUEUE, a, b);
    let new = host.state_get(&key)?.is_none();
    if new {
        host.state_put(&key, why.to_string().as_bytes())?;
    }
    Ok(new)
}

/// Takes a question back.
pub(crate) fn answered(host: &dyn Host, a: RecordId, b: RecordId) -> Result<(), StageError> {
    Ok(host.state_delete(&pair_key(QUEUE, a, b))?)
}

/// Questions about a record that is no more are questions about the one it went into, where nobody answered them.
pub(crate) fn follow(
    host: &dyn Host,
    decided: &Decided,
    goes: RecordId,
    stays: RecordId,
) -> Result<(), StageError> {
    let mut questions = Vec::new();
    host.state_scan(QUEUE, &mut |key, value| {
        if let Some((a, b)) = pair_of(key) {
            let gone = (a == goes || b == goes).then_some(if a == goes { b } else { a });
            questions.extend(gone.map(|other| (goes, other, value.to_vec())));
            // What the one that stays was asked about is answered when the two are apart now.
            let open = (a == stays || b == stays).then_some(if a == stays { b } else { a });
            questions.extend(open.map(|other| (stays, other, value.to_vec())));
        }
        true
    })?;
    for (of, other, why) in questions {
        answered(host, of, other)?;
        let asked = pair_key(QUEUE, stays, other);
        if other != stays
            && other != goes
            && !decided.are_apart(stays, other)
            && host.state_get(&asked)?.is_none()
        {
            host.state_put(&asked, &why)?;
        }
    }
    Ok(())
}
