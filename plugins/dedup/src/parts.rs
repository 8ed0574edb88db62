//! What single rows gave to a record, so that a record can be taken apart again and no value is lost.
//!
//! | state key | value |
//! |---|---|
//! | `e/` + id (10 bytes) + `p` + hash (8 bytes) | a [`Part`]: what one row of one sender gave to the record |
//! | `p#` | how many rows made something new so far (8 bytes): their order |
//! | `v#` | 1: the state was never one of before |
//! | `u/` + signature (16 bytes) | the unit of rows that came by likeness, have no key, and are this row again. Those of keys are kept with the [key](crate::records) |
//!
//! A record is what its parts give, one after the other in the order of arrival ([`made_of`](crate::survive::made_of)),
//! and nothing else: that is why it can be put together with another one and taken apart again as often as people like.
//! So whatever made a difference to the record is kept, and what made none is not ([`settle`](crate::settle)). What is said
//! again and makes a difference is a part of its own: in another delivery, since it may be corrected on its own, and in
//! the same one the last time.
//!
//! A record that one row made is its own only part; its part is written when a second row joins it. So bulk data that
//! never meets anything costs nothing here.
//!
//! Parts that belong together whatever happens have one *unit*: the id of the record that they would be without
//! likeness and without people's decisions. A part also tells of the records that it was [in before](crate::former).
//!
//! States of before hold parts under `p/` + id, and units of keys under `u/`: they are found there, and written anew here.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use huiliu_stage::{Host, HostError, StageError};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::entity::Record;
use crate::part::Part;
use crate::records::{RecordId, Records, of_record};

const COUNT: &[u8] = b"p#";
const NEVER_OLD: &[u8] = b"v#";

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

    /// How far the order of all that came has come.
    pub(crate) fn so_far(&mut self) -> Result<u64, StageError> {
        Ok(match self.count {
            Some(count) => count,
            None => {
                let kept = self.host.state_get(COUNT)?.unwrap_or_default();
                self.settled = kept.as_slice().try_into().map_or(0, u64::from_be_bytes);
                *self.count.insert(self.settled)
            }
        })
    }

    /// The next place in the order of all that came.
    pub(crate) fn next(&mut self) -> Result<u64, StageError> {
        let count = self.so_far()? + 1;
        Ok(*self.count.insert(count))
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

    /// Between deliveries nothing is held in memory: another process may go on.
    pub(crate) fn forget(&mut self) {
        self.count = None;
    }

    /// A record as its own only part.
    pub(crate) fn only(records: &mut Records, id: RecordId) -> Result<Part, StageError> {
        let row = Record { revision: 0, parted: false, given: None, ..records.get(id)?.clone() };
        Ok(Part { unit: id, by: "new".to_owned(), row, former: Some(Vec::new()) })
    }

    /// All parts of a record, in the order of arrival.
    pub(crate) fn of(&self, records: &mut Records, id: RecordId) -> Result<Vec<Part>, StageError> {
        let kept = kept(&*self.host, id, self.is_old()?)?;
        let mut parts = Vec::with_capacity(kept.len());
        for (_, kept) in kept {
            let (part, second) = read(records, id, &kept)?;
            parts.push(part);
            parts.extend(second);
        }
        if parts.is_empty() {
            parts.push(Self::only(records, id)?);
        }
        parts.sort_by_key(|part| part.row.order);
        Ok(parts)
    }

    /// Whether a record has a part with the values and the sender that make this hash.
    pub(crate) fn has(&self, id: RecordId, hash: u64) -> Result<bool, StageError> {
        let key = key(id, hash);
        Ok(self.host.state_get(&key)?.is_some()
            || self.is_old()? && self.host.state_get(&key_of_before(&key))?.is_some())
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

    /// Keeps what a row gave. Tells whether it is forgotten for it that the same was said before: what came between the
    /// two times may have been chosen by that.
    pub(crate) fn keep(
        &mut self,
        records: &mut Records,
        id: RecordId,
        part: &Part,
    ) -> Result<bool, StageError> {
        self.used = true;
        let (hash, bytes) = (part.hash(), part.encode(records)?);
        let [first, in_delivery, last, _] = places(id, hash, part);
        for key in [first, in_delivery] {
            match self.take(&key)? {
                None => return Ok(self.host.state_put(&key, &bytes).map(|()| false)?),
                Some(kept) if read(records, id, &kept)?.0.delivery() == part.delivery() => break,
                Some(_) => {}
            }
        }
        let forgotten = self.host.state_get(&last)?.is_some();
        self.host.state_put(&last, &bytes)?;
        Ok(forgotten)
    }

    /// A part that is kept under a key. One of before is looked for where it was, and moved.
    fn take(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        let kept = self.host.state_get(key)?;
        if kept.is_some() || !self.is_old()? {
            return Ok(kept);
        }
        let before = key_of_before(key);
        let kept = self.host.state_get(&before)?;
        if let Some(kept) = &kept {
            self.host.state_put(key, kept)?;
            self.host.state_delete(&before)?;
        }
        Ok(kept)
    }

    /// Gives a record these parts and no others.
    pub(crate) fn replace(
        &mut self,
        records: &mut Records,
        id: RecordId,
        parts: &[Part],
    ) -> Result<(), StageError> {
        let before = kept(&*self.host, id, self.is_old()?)?;
        before.iter().try_for_each(|(key, _)| self.host.state_delete(key))?;
        self.used = true;
        let mut taken = BTreeSet::new();
        for part in parts {
            // Two records may have been told the same in one delivery: they are parts of their own where the two are one.
            let places = places(id, part.hash(), part);
            let Some(key) = places.into_iter().find(|key| !taken.contains(key)) else { continue };
            self.host.state_put(&key, &part.encode(records)?)?;
            taken.insert(key);
        }
        Ok(())
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

    /// Notes the unit of a row that has no key.
    pub(crate) fn note_unit(&self, signature: u128, unit: RecordId) -> Result<(), StageError> {
        Ok(self.host.state_put(&unit_key(signature), &unit.bytes())?)
    }
}

/// A part, and a second one as those of before have it.
fn read(records: &mut Records, id: RecordId, kept: &[u8]) -> Result<(Part, Option<Part>), StageError> {
    Part::decode(kept, || crate::entity::broken(id), |row| records.read(id, row))
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

/// Where a part may stand: the first that says so, the first of its delivery, the last of it that came in the same
/// records; and where only it stands, as no two came at once.
fn places(id: RecordId, hash: u64, part: &Part) -> [Vec<u8>; 4] {
    let (delivery, order) = (part.delivery().as_bytes(), part.row.order.to_be_bytes());
    let mut last = b"again".to_vec();
    part.former.iter().flatten().for_each(|former| last.extend_from_slice(&former.id.bytes()));
    let seeded = |with: &[u8]| key(id, xxh3_64_with_seed(&[with, delivery].concat(), hash));
    [key(id, hash), seeded(b""), seeded(&last), seeded(&order)]
}

/// Where a part stands in a state of before.
fn key_of_before(key: &[u8]) -> Vec<u8> {
    [b"p/", key.get(2..12).unwrap_or_default(), key.get(13..).unwrap_or_default()].concat()
}
