//! What a record had when it was merged into another, so that each of the two has it again when that record comes back:
//! the rows that the linkage knew of it, the keys that were not its own alone, with who else had them in which order, and what people were asked about it.
//! Its parts carry [themselves](crate::former) that they were in it.
//!
//! | state key | value |
//! |---|---|
//! | `h/` + id (10 bytes) | of a merged record, numbers of seven bits a byte: how many rows had come by then, and how many of them the linkage knew; how many keys follow; each key (16 bytes), how many records had it, and their ids (10 bytes each); how many rows follow, and their numbers; then the [questions](crate::queue): 1 for one about it and 0 for one about the other record, the id of the third (10 bytes), and why behind its length |

use std::collections::{BTreeMap, BTreeSet};

use huiliu_stage::{Host, HostError, StageError};

use crate::codec::{Input, bytes, int};
use crate::queue::Asked;
use crate::records::RecordId;

/// What a merged record had.
#[derive(Default)]
pub(crate) struct Merged {
    /// How many rows had come when it was merged.
    pub(crate) at: u64,
    /// How many of them the linkage knew.
    pub(crate) known: u32,
    /// Keys that others had too, each with all who had it.
    pub(crate) keys: BTreeMap<u128, Vec<RecordId>>,
    /// Its rows in the linkage.
    pub(crate) rows: BTreeSet<u32>,
    /// What was asked about it, and about the record that it went into and is no question of the two together.
    pub(crate) asked: Vec<Asked>,
}

impl Merged {
    /// Keeps it of a record that is merged now.
    pub(crate) fn keep(&self, host: &dyn Host, id: RecordId) -> Result<(), StageError> {
        let mut out = Vec::new();
        [self.at, u64::from(self.known), self.keys.len() as u64].into_iter().for_each(|n| int(&mut out, n));
        for (key, ids) in &self.keys {
            out.extend_from_slice(&key.to_be_bytes());
            int(&mut out, ids.len() as u64);
            ids.iter().for_each(|id| out.extend_from_slice(&id.bytes()));
        }
        int(&mut out, self.rows.len() as u64);
        self.rows.iter().for_each(|row| int(&mut out, u64::from(*row)));
        for asked in &self.asked {
            out.push(u8::from(asked.of == id));
            out.extend_from_slice(&asked.other.bytes());
            bytes(&mut out, &asked.why);
        }
        Ok(host.state_put(&state_key(id), &out)?)
    }

    /// What was kept of a record that is there again, and comes `from` another; it is forgotten. Nothing of one that was never merged.
    pub(crate) fn take(host: &dyn Host, (id, from): (RecordId, RecordId)) -> Result<Self, StageError> {
        let merged = Self::get(host, (id, from))?;
        host.state_delete(&state_key(id))?;
        Ok(merged)
    }

    /// The same, and it is not forgotten.
    pub(crate) fn get(host: &dyn Host, (id, from): (RecordId, RecordId)) -> Result<Self, HostError> {
        let Some(kept) = host.state_get(&state_key(id))? else { return Ok(Self::default()) };
        let broken = || HostError("what the stage keeps of a merged record cannot be read".to_owned());
        Self::read(&kept, (id, from)).ok_or_else(broken)
    }

    fn read(kept: &[u8], (id, from): (RecordId, RecordId)) -> Option<Self> {
        let mut input = Input::new(kept);
        let (at, known) = (input.int()?, u32::try_from(input.int()?).ok()?);
        let mut merged = Self { at, known, ..Self::default() };
        for _ in 0..input.int()? {
            let (key, mut ids) = (u128::from_be_bytes(input.fixed()?), Vec::new());
            for _ in 0..input.int()? {
                ids.push(RecordId::from_bytes(input.fixed()?));
            }
            merged.keys.insert(key, ids);
        }
        for _ in 0..input.int()? {
            merged.rows.insert(u32::try_from(input.int()?).ok()?);
        }
        while !input.is_empty() {
            let (of, other) = (input.byte()?, RecordId::from_bytes(input.fixed()?));
            let length = usize::try_from(input.int()?).ok()?;
            let why = input.take(length)?.to_vec();
            merged.asked.push(Asked { of: if of == 1 { id } else { from }, other, why });
        }
        Some(merged)
    }

    /// Whether a row of the linkage is of the record that comes back; `None` for one that came since.
    pub(crate) fn had(&self, row: u32) -> Option<bool> {
        (row < self.known).then(|| self.rows.contains(&row))
    }
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

fn state_key(id: RecordId) -> Vec<u8> {
    [b"h/".as_slice(), &id.bytes()].concat()
}
