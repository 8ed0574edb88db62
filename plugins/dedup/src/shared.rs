//! The keys that a record shared with others when it was merged into one of them, so that each has them again as it had
//! them when that record comes back: in the same order, and only those that it had.
//!
//! | state key | value |
//! |---|---|
//! | `h/` + id (10 bytes) | the keys of a merged record that were not its own alone: each 16 bytes, how many records had it, and their ids (10 bytes each) |

use huiliu_stage::{Host, StageError};

use crate::codec::{Input, int};
use crate::records::RecordId;

/// A key and the records that had it.
pub(crate) type Shared = (u128, Vec<RecordId>);

/// Keeps the keys that a record shares that is merged now.
pub(crate) fn keep(host: &dyn Host, merged: RecordId, keys: &[Shared]) -> Result<(), StageError> {
    let mut out = Vec::new();
    for (key, ids) in keys {
        out.extend_from_slice(&key.to_be_bytes());
        int(&mut out, ids.len() as u64);
        ids.iter().for_each(|id| out.extend_from_slice(&id.bytes()));
    }
    if !out.is_empty() {
        host.state_put(&state_key(merged), &out)?;
    }
    Ok(())
}

/// Gives what was kept for a record that comes back, and forgets it.
pub(crate) fn take(host: &dyn Host, merged: RecordId) -> Result<Vec<Shared>, StageError> {
    let Some(kept) = host.state_get(&state_key(merged))? else { return Ok(Vec::new()) };
    host.state_delete(&state_key(merged))?;
    read(&kept).ok_or_else(|| StageError::new("the kept keys of a merged record cannot be read"))
}

fn read(kept: &[u8]) -> Option<Vec<Shared>> {
    let (mut input, mut keys) = (Input::new(kept), Vec::new());
    while !input.is_empty() {
        let (key, mut ids) = (u128::from_be_bytes(input.fixed()?), Vec::new());
        for _ in 0..input.int()? {
            ids.push(RecordId::from_bytes(input.fixed()?));
        }
        keys.push((key, ids));
    }
    Some(keys)
}

/// The records that have a key when one of them has gone into another.
pub(crate) fn after(ids: &[RecordId], goes: RecordId, stays: RecordId) -> Vec<RecordId> {
    let mut after: Vec<RecordId> = Vec::with_capacity(ids.len());
    for id in ids.iter().map(|id| if *id == goes { stays } else { *id }) {
        if !after.contains(&id) {
            after.push(id);
        }
    }
    after
}

fn state_key(merged: RecordId) -> Vec<u8> {
    [b"h/".as_slice(), &merged.bytes()].concat()
}
