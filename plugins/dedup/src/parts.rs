//! What single rows gave to a record, so that a record can be taken apart again and no value is lost.
//!
//! | state key | value |
//! |---|---|
//! | `e/` + id (10 bytes) + `p` + hash (8 bytes) | a [`Part`]: what one row of one sender gave to the record; said again by a correction it is another one |
//! | `p#` | how many rows made something new so far (8 bytes): their order |
//! | `v#` | 1: the state was never one of before |
//! | `u/` + signature (16 bytes) | the unit of rows that came by likeness, have no key, and are this row again. Those of keys are kept with the [key](crate::records) |
//! | `g/` + id (10 bytes) | the hashes (8 bytes each) of the parts of a record that was merged into another, as they were then |
//!
//! A record that one row made is its own only part; its part is written when a second row joins it. So bulk data that
//! never meets anything costs nothing here. The same row of the same sender is kept once.
//!
//! States of before hold parts under `p/` + id, and units of keys under `u/`: they are found there, and written anew here.
//!
//! Parts that belong together whatever happens have one *unit*: the id of the record that they would be without
//! likeness and without people's decisions.

use std::cell::Cell;
use std::sync::Arc;

use huiliu_stage::{Host, HostError, StageError};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::codec::encode_value;
use crate::entity::{Record, Source};
use crate::records::{RecordId, Records, of_record};

const COUNT: &[u8] = b"p#";
const NEVER_OLD: &[u8] = b"v#";

/// What one row gave.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// What it belongs to whatever happens.
    pub(crate) unit: RecordId,
    /// What brought it here: the name of a rule, `likeness`, `new`, `content` or `decision`.
    pub(crate) by: String,
    /// Its values, nearly always all from one place. Its `order` tells when it came.
    pub(crate) row: Record,
    /// When it came once more and changed the record again; 0 if it did not.
    pub(crate) again: u64,
}

impl Part {
    pub(crate) fn sender(&self) -> &str {
        self.source().map_or("", |source| &source.sender)
    }

    fn source(&self) -> Option<&Source> {
        self.row.places.first().map(|place| &*place.source)
    }

    fn encode(&self, records: &mut Records) -> Result<Vec<u8>, StageError> {
        let mut out = self.unit.bytes().to_vec();
        out.extend_from_slice(&self.again.to_be_bytes());
        let by = self.by.as_bytes();
        let by = &by[..by.len().min(usize::from(u8::MAX))];
        out.push(by.len() as u8);
        out.extend_from_slice(by);
        out.extend_from_slice(&records.layout()?);
        self.row.encode(&mut out);
        Ok(out)
    }

    fn decode(records: &mut Records, id: RecordId, kept: &[u8]) -> Result<Self, StageError> {
        let broken = || crate::entity::broken(id);
        let (unit, rest) = kept.split_first_chunk::<10>().ok_or_else(broken)?;
        let (again, rest) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
        let (&length, rest) = rest.split_first().ok_or_else(broken)?;
        let (by, rest) = rest.split_at_checked(usize::from(length)).ok_or_else(broken)?;
        Ok(Self {
            unit: RecordId::from_bytes(*unit),
            by: String::from_utf8_lossy(by).into_owned(),
            row: records.read(id, rest)?,
            again: u64::from_be_bytes(*again),
        })
    }

    /// The same for the same values of the same sender.
    pub(crate) fn hash(&self) -> u64 {
        let mut bytes = self.sender().as_bytes().to_vec();
        for held in &self.row.values {
            match held {
                Some(held) => encode_value(&mut bytes, &held.value),
                None => bytes.push(0),
            }
        }
        xxh3_64(&bytes)
    }
}

/// A record that was merged into another, and the hashes of the parts it brought.
pub(crate) struct Former {
    pub(crate) id: RecordId,
    pub(crate) hashes: Vec<u64>,
}

/// The records that are part of this one, those that were merged into it themselves first.
pub(crate) fn former(host: &dyn Host, id: RecordId) -> Result<Vec<Former>, HostError> {
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
            found.push((steps, Former { id: former, hashes }));
        }
    }
    found.sort_by_key(|(steps, _)| *steps);
    Ok(found.into_iter().map(|(_, former)| former).collect())
}

/// The parts of all records.
pub(crate) struct Parts {
    host: Arc<dyn Host>,
    /// The order so far; `None` before the state was asked.
    count: Option<u64>,
    /// The same as the state has it.
    settled: u64,
    /// Whether anything took its place in the order since.
    used: bool,
    /// Whether the state was written by a program that kept things elsewhere; `None` before it was asked.
    old: Cell<Option<bool>>,
}

impl Parts {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { host, count: None, settled: 0, used: false, old: Cell::new(None) }
    }

    fn is_old(&self) -> Result<bool, HostError> {
        if let Some(old) = self.old.get() {
            return Ok(old);
        }
        let old = self.host.state_get(NEVER_OLD)?.is_none() && self.host.state_get(COUNT)?.is_some();
        self.old.set(Some(old));
        Ok(old)
    }

    /// The next place in the order of all that came.
    pub(crate) fn next(&mut self) -> Result<u64, StageError> {
        let count = match self.count {
            Some(count) => count,
            None => {
                let kept = self.host.state_get(COUNT)?.unwrap_or_default();
                self.settled = kept.as_slice().try_into().map_or(0, u64::from_be_bytes);
                self.settled
            }
        };
        Ok(*self.count.insert(count + 1))
    }

    /// The same for a record that is made now.
    pub(crate) fn next_record(&mut self) -> Result<u64, StageError> {
        self.used = true;
        self.next()
    }

    /// After a batch: keeps how far the order has come. A batch that brought nothing new leaves no trace.
    pub(crate) fn settle(&mut self) -> Result<(), StageError> {
        let old = self.is_old()?;
        let Some(count) = &mut self.count else { return Ok(()) };
        if std::mem::take(&mut self.used) {
            if !old {
                self.host.state_put(NEVER_OLD, &[1])?;
            }
            self.host.state_put(COUNT, &count.to_be_bytes())?;
            self.settled = *count;
        }
        *count = self.settled;
        Ok(())
    }

    /// A record as its own only part.
    pub(crate) fn only(records: &mut Records, id: RecordId) -> Result<Part, StageError> {
        let row = Record { revision: 0, parted: false, given: None, ..records.get(id)?.clone() };
        Ok(Part { unit: id, by: "new".to_owned(), row, again: 0 })
    }

    /// All parts of a record, in the order of arrival; one that came twice to effect is there twice.
    pub(crate) fn of(&self, records: &mut Records, id: RecordId) -> Result<Vec<Part>, StageError> {
        let kept = kept(&*self.host, id, self.is_old()?)?;
        let mut parts =
            kept.iter().map(|(_, kept)| Part::decode(records, id, kept)).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            parts.push(Self::only(records, id)?);
        }
        let again: Vec<Part> = parts.iter().filter(|part| part.again > 0).cloned().collect();
        parts.extend(again.into_iter().map(|mut part| {
            part.row.order = std::mem::take(&mut part.again);
            part
        }));
        parts.sort_by_key(|part| part.row.order);
        Ok(parts)
    }

    /// Keeps what a row gave to a record of which no such part is kept.
    pub(crate) fn keep_new(
        &mut self,
        records: &mut Records,
        id: RecordId,
        part: &Part,
    ) -> Result<(), StageError> {
        self.used = true;
        Ok(self.host.state_put(&key(id, part.hash()), &part.encode(records)?)?)
    }

    /// Keeps what a row gave; tells whether it was new. Of one that is kept already it is noted that it came again, if
    /// that `changed` the record.
    pub(crate) fn keep(
        &mut self,
        records: &mut Records,
        id: RecordId,
        part: &Part,
        changed: bool,
    ) -> Result<bool, StageError> {
        let mut key = key(id, part.hash());
        let Some(kept) = self.take(&key)? else {
            return self.keep_new(records, id, part).map(|()| true);
        };
        if !changed {
            return Ok(false);
        }
        let mut kept = Part::decode(records, id, &kept)?;
        if let (Some(before), Some(now)) = (kept.source(), part.source())
            && before.delivery != now.delivery
        {
            // What a correction says again stands where what it corrects no longer does, and what another file says again
            // corrects what that file said before: it is a part of its own.
            key = key_of_correction(id, part.hash(), now);
            kept = match self.take(&key)? {
                Some(kept) => Part { again: part.row.order, ..Part::decode(records, id, &kept)? },
                None => part.clone(),
            };
        } else {
            kept.again = part.row.order;
        }
        self.used = true;
        self.host.state_put(&key, &kept.encode(records)?)?;
        Ok(false)
    }

    /// A part that is kept under a key. One of before is looked for where it was, and moved.
    fn take(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        let kept = self.host.state_get(key)?;
        if kept.is_some() || !self.is_old()? {
            return Ok(kept);
        }
        let before = [b"p/", key.get(2..12).unwrap_or_default(), key.get(13..).unwrap_or_default()].concat();
        let kept = self.host.state_get(&before)?;
        if let Some(kept) = &kept {
            self.host.state_put(key, kept)?;
            self.host.state_delete(&before)?;
        }
        Ok(kept)
    }

    /// Gives a record these parts, in the order of arrival, and no others.
    pub(crate) fn replace(
        &mut self,
        records: &mut Records,
        id: RecordId,
        parts: &[Part],
    ) -> Result<(), StageError> {
        let before = kept(&*self.host, id, self.is_old()?)?;
        before.iter().try_for_each(|(key, _)| self.host.state_delete(key))?;
        self.used = true;
        parts.iter().try_for_each(|part| self.keep(records, id, part, true).map(drop))
    }

    /// The unit of a row that a key recognised: that of the row which brought the key by likeness, else the record.
    pub(crate) fn unit(
        &self,
        records: &mut Records,
        key: u128,
        id: RecordId,
    ) -> Result<RecordId, StageError> {
        Ok(match records.unit(key)? {
            Some(unit) => unit,
            None if self.is_old()? => self.unit_of_signature(key)?.unwrap_or(id),
            None => id,
        })
    }

    /// The unit of a row without a key that came before.
    pub(crate) fn unit_of_signature(&self, signature: u128) -> Result<Option<RecordId>, StageError> {
        let kept = self.host.state_get(&unit_key(signature))?;
        Ok(kept.and_then(|kept| kept.try_into().ok()).map(RecordId::from_bytes))
    }

    /// Notes what a record brings that is merged into another: its parts, and which keys were its own.
    pub(crate) fn note_former(
        &self,
        records: &mut Records,
        id: RecordId,
        parts: &[Part],
        keys: impl Iterator<Item = u128>,
    ) -> Result<(), StageError> {
        let hashes: Vec<u8> = parts.iter().flat_map(|part| part.hash().to_be_bytes()).collect();
        self.host.state_put(&former_key(id), &hashes)?;
        for key in keys {
            let unit = self.unit(records, key, id)?;
            records.set_unit(key, unit)?;
        }
        Ok(())
    }

    /// Forgets that a record was merged into another.
    pub(crate) fn forget_former(&self, id: RecordId) -> Result<(), StageError> {
        Ok(self.host.state_delete(&former_key(id))?)
    }

    /// Notes the unit of a row that has no key.
    pub(crate) fn note_unit(&self, signature: u128, unit: RecordId) -> Result<(), StageError> {
        Ok(self.host.state_put(&unit_key(signature), &unit.bytes())?)
    }
}

fn former_key(id: RecordId) -> Vec<u8> {
    [b"g/".as_slice(), &id.bytes()].concat()
}

fn unit_key(signature: u128) -> Vec<u8> {
    [b"u/", signature.to_be_bytes().as_slice()].concat()
}

/// What is kept, with its key.
type Kept = (Vec<u8>, Vec<u8>);

/// All parts that are kept of a record; of an `old` state those of before as well.
pub(crate) fn kept(host: &dyn Host, id: RecordId, old: bool) -> Result<Vec<Kept>, HostError> {
    let before = [b"p/".as_slice(), &id.bytes()].concat();
    let mut kept = Vec::new();
    for prefix in [Some(of_record(id, b'p')), old.then_some(before)].iter().flatten() {
        host.state_scan(prefix, &mut |key, value| {
            kept.push((key.to_vec(), value.to_vec()));
            true
        })?;
    }
    Ok(kept)
}

fn key(id: RecordId, hash: u64) -> Vec<u8> {
    [of_record(id, b'p').as_slice(), &hash.to_be_bytes()].concat()
}

/// Where a part stands that a correction says again.
fn key_of_correction(id: RecordId, hash: u64, correction: &Source) -> Vec<u8> {
    key(id, xxh3_64_with_seed(correction.delivery.as_bytes(), hash))
}
