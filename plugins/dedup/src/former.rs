//! Which records the parts of a record were in before these were merged into it.
//!
//! Each part carries that itself, so a record comes back as exactly the parts that it was. What came since the merge
//! comes back with it where its own evidence says so: if it is of a unit that the merged record brought, and which the
//! other one did not have.
//!
//! A part is only said to have been in a record as long as that record leads to where the part is.
//!
//! In states of before parts do not say it. There stands instead
//!
//! | state key | value |
//! |---|---|
//! | `g/` + id (10 bytes) | the hashes (8 bytes each) of the parts of a record that was merged into another, as they were then |

use std::collections::BTreeSet;

use huiliu_stage::{Host, HostError};

use crate::part::{Former, Part};
use crate::records::RecordId;

/// Fills in for all parts of a record which records they were in: for those of before, and for those that came since.
pub(crate) fn complete(host: &dyn Host, id: RecordId, parts: &mut [Part]) -> Result<(), HostError> {
    if parts.iter().any(|part| part.former.is_none()) {
        let before = before(host, id)?;
        for part in parts.iter_mut().filter(|part| part.former.is_none()) {
            let hash = part.hash();
            let brought = before.iter().filter(|(_, hashes)| hashes.contains(&hash));
            part.former = Some(brought.map(|(id, _)| Former { id: *id, at: 0, decided: false }).collect());
        }
    }
    came_since(parts);
    Ok(())
}

/// The records that parts were in, those that were merged first at the front.
fn all(parts: &[Part]) -> Vec<Former> {
    let mut merged: Vec<Former> = Vec::new();
    for former in parts.iter().flat_map(|part| part.former.iter().flatten()) {
        if !merged.contains(former) {
            merged.push(*former);
        }
    }
    merged.sort_by_key(|former| former.at);
    merged
}

/// What came since a record was merged belongs to it as well, if what it is one with whatever happens was only there.
fn came_since(parts: &mut [Part]) {
    for former in all(parts) {
        // A state of before does not tell what came since: only what is of the unit of the record itself.
        let mut own = BTreeSet::from([former.id]);
        if former.at > 0 {
            own.extend(parts.iter().filter(|part| part.was_in(former.id).is_some()).map(|part| part.unit));
        }
        let others =
            parts.iter().filter(|part| part.was_in(former.id).is_none() && part.row.order <= former.at);
        others.for_each(|part| {
            own.remove(&part.unit);
        });
        belongs(parts, former, &own);
    }
}

/// What came of these units since a record was merged belongs to that record.
pub(crate) fn belongs(parts: &mut [Part], former: Former, units: &BTreeSet<RecordId>) {
    let came_since = |part: &&mut Part| part.was_in(former.id).is_none() && part.row.order > former.at;
    for part in parts.iter_mut().filter(came_since).filter(|part| units.contains(&part.unit)) {
        let all = part.former.get_or_insert_default();
        all.push(former);
        all.sort_by_key(|former| former.at);
    }
}

/// The records that are part of this one, those that were merged into others of them first, and the hashes of the parts
/// that each brought: from a state of before.
fn before(host: &dyn Host, id: RecordId) -> Result<Vec<(RecordId, Vec<u64>)>, HostError> {
    let mut kept = Vec::new();
    host.state_scan(b"g/", &mut |key, value| {
        let id = key.get(2..).and_then(|id| id.try_into().ok()).map(RecordId::from_bytes);
        kept.extend(id.map(|id| (id, value.to_vec())));
        true
    })?;
    let mut found = Vec::new();
    let all = kept.len();
    for (former, hashes) in kept {
        let (mut now, mut steps) = (former, 0);
        // No chain is longer than there are merges, should it ever be a ring.
        while now != id && steps <= all {
            let into = host.state_get(&[b"m/".as_slice(), &now.bytes()].concat())?;
            let Some(into) = into.and_then(|into| into.try_into().ok()) else { break };
            (now, steps) = (RecordId::from_bytes(into), steps + 1);
        }
        if now == id && steps > 0 {
            let hashes = hashes.as_chunks::<8>().0.iter().map(|hash| u64::from_be_bytes(*hash)).collect();
            found.push((steps, (former, hashes)));
        }
    }
    found.sort_by_key(|(steps, _)| std::cmp::Reverse(*steps));
    Ok(found.into_iter().map(|(_, former)| former).collect())
}

/// Forgets what a state of before says of a record that is its own again.
pub(crate) fn forget(host: &dyn Host, id: RecordId) -> Result<(), HostError> {
    host.state_delete(&[b"g/".as_slice(), &id.bytes()].concat())
}
