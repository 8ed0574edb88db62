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

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
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

/// What came since a record was merged belongs to it as well, if what it is one with whatever happens was only there.
fn came_since(parts: &mut [Part]) {
    let mut units: BTreeMap<(u64, RecordId), (Former, BTreeSet<RecordId>)> = BTreeMap::new();
    let mut of_unit: HashMap<RecordId, Vec<usize>> = HashMap::new();
    for (at, part) in parts.iter().enumerate() {
        of_unit.entry(part.unit).or_default().push(at);
        for former in part.former.iter().flatten() {
            // A state of before does not tell what came since: only what is of the unit of the record itself.
            let own = BTreeSet::from([former.id]);
            let (_, own) = units.entry((former.at, former.id)).or_insert((*former, own));
            own.extend((former.at > 0).then_some(part.unit));
        }
    }
    for (former, own) in units.into_values() {
        for of_unit in own.iter().filter_map(|unit| of_unit.get(unit)) {
            let was_elsewhere =
                |at: &usize| parts[*at].was_in(former.id).is_none() && parts[*at].row.order <= former.at;
            if !of_unit.iter().any(was_elsewhere) {
                of_unit.iter().for_each(|at| joins(&mut parts[*at], former));
            }
        }
    }
}

/// What came of these units since a record was merged belongs to that record.
pub(crate) fn belongs(parts: &mut [Part], former: Former, units: &BTreeSet<RecordId>) {
    let came = parts.iter_mut().filter(|part| part.row.order > former.at && units.contains(&part.unit));
    came.for_each(|part| joins(part, former));
}

fn joins(part: &mut Part, former: Former) {
    if part.was_in(former.id).is_none() {
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
