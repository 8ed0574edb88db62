//! The records and the key index, kept by the host.
//!
//! | state key | value |
//! |---|---|
//! | `k/` + key (16 bytes) | the ids (10 bytes each) of the records that have this key, mostly one; then, of a key that came by likeness or decision, its [unit](crate::parts) (10 bytes) and 1 |
//! | `e/` + id (10 bytes) | layout (8 bytes) and the record: see [`Record::encode`]. What belongs to a record stands behind it, under its key and a letter, so that one page holds it all |
//! | `l/` + layout (8 bytes) | the names and types of the fields, so that records outlive a changed schema |
//!
//! A few thousand records are held in memory while a delivery goes through, none between deliveries.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use huiliu_stage::{Host, StageError};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::entity::{Record, broken};

/// Records in memory beyond which all are forgotten before the next batch; keys, eight times as many.
const MOST_RECORDS: usize = 4_096;

/// The stable id of a record: 80 bits, written as `r` and 16 letters and digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RecordId([u8; 10]);

impl RecordId {
    /// The id of the record that a key made; `again` counts other records which that key made before.
    pub(crate) fn of(key: u128, again: u32) -> Self {
        let mut named = key.to_le_bytes().to_vec();
        named.extend_from_slice(&again.to_le_bytes());
        let mut id = [0; 10];
        id.copy_from_slice(&xxh3_128(&named).to_be_bytes()[..10]);
        Self(id)
    }
}

impl RecordId {
    /// From how it is written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letters = text.strip_prefix('r').filter(|letters| letters.len() == 16)?;
        let digit = |letter: u8| LETTERS.iter().position(|known| *known == letter);
        let bits =
            letters.bytes().try_fold(0u128, |bits, letter| Some(bits << 5 | digit(letter)? as u128))?;
        bits.to_be_bytes()[6..].try_into().ok().map(Self)
    }

    /// As it is kept.
    pub(crate) fn bytes(self) -> [u8; 10] {
        self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }
}

/// Without i, l, o and u, which are misread.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wide = [0; 16];
        wide[6..].copy_from_slice(&self.0);
        let bits = u128::from_be_bytes(wide);
        f.write_str("r")?;
        (0..16)
            .rev()
            .try_for_each(|i| fmt::Write::write_char(f, LETTERS[(bits >> (5 * i)) as usize & 31].into()))
    }
}

/// A field of a record: its name and the type of its column.
pub(crate) type LayoutField = (String, DataType);

/// All records this stage keeps.
pub(crate) struct Records {
    host: Arc<dyn Host>,
    fields: Vec<LayoutField>,
    layout: [u8; 8],
    layout_kept: bool,
    others: HashMap<[u8; 8], Vec<(String, String)>>,
    records: HashMap<RecordId, Record>,
    keys: HashMap<u128, Key>,
}

/// What is known of a key.
#[derive(Default)]
struct Key {
    ids: Vec<RecordId>,
    unit: Option<RecordId>,
}

impl Key {
    fn encode(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self.ids.iter().chain(&self.unit).flat_map(|id| id.0).collect();
        out.extend(self.unit.map(|_| 1));
        out
    }

    fn decode(kept: &[u8]) -> Option<Self> {
        let (ids, unit) = match kept.as_chunks::<10>() {
            (ids, []) => (ids, None),
            (ids, [1]) => ids.split_last().map(|(unit, ids)| (ids, Some(RecordId(*unit))))?,
            _ => return None,
        };
        Some(Self { ids: ids.iter().map(|id| RecordId(*id)).collect(), unit })
    }
}

impl Records {
    pub(crate) fn new(host: Arc<dyn Host>, fields: Vec<LayoutField>) -> Self {
        let layout = xxh3_64(describe(&fields).as_bytes()).to_be_bytes();
        Self {
            host,
            fields,
            layout,
            layout_kept: false,
            others: HashMap::new(),
            records: HashMap::new(),
            keys: HashMap::new(),
        }
    }

    /// Makes room before a batch.
    pub(crate) fn make_room(&mut self) {
        if self.records.len() > MOST_RECORDS {
            self.records.clear();
        }
        if self.keys.len() > 8 * MOST_RECORDS {
            self.keys.clear();
        }
    }

    /// Holds nothing in memory any more.
    pub(crate) fn forget(&mut self) {
        self.records = HashMap::new();
        self.keys = HashMap::new();
    }

    /// The records that have this key, in the order in which they came by it.
    pub(crate) fn ids(&mut self, key: u128) -> Result<&[RecordId], StageError> {
        Ok(&self.key(key)?.ids)
    }

    fn key(&mut self, key: u128) -> Result<&mut Key, StageError> {
        Ok(match self.keys.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let kept = self.host.state_get(&key_key(key))?.unwrap_or_default();
                let read = Key::decode(&kept).ok_or_else(|| StageError::new("a kept key cannot be read"))?;
                new.insert(read)
            }
        })
    }

    /// Notes that a record has this key.
    pub(crate) fn link(&mut self, key: u128, id: RecordId) -> Result<(), StageError> {
        let known = self.key(key)?;
        if !known.ids.contains(&id) {
            known.ids.push(id);
            let kept = known.encode();
            self.host.state_put(&key_key(key), &kept)?;
        }
        Ok(())
    }

    /// The unit of rows that have this key, where it came by likeness or decision.
    pub(crate) fn unit(&mut self, key: u128) -> Result<Option<RecordId>, StageError> {
        Ok(self.key(key)?.unit)
    }

    /// Notes the unit of rows that have this key.
    pub(crate) fn set_unit(&mut self, key: u128, unit: RecordId) -> Result<(), StageError> {
        let known = self.key(key)?;
        if known.unit != Some(unit) {
            known.unit = Some(unit);
            let kept = known.encode();
            self.host.state_put(&key_key(key), &kept)?;
        }
        Ok(())
    }

    /// Makes an empty record named after a key. `answers` tells of ids that lead to another record: such a one is gone,
    /// but whoever asks for it is given that other record, so nothing else may ever have its id.
    pub(crate) fn create(
        &mut self,
        key: u128,
        answers: impl Fn(RecordId) -> bool,
    ) -> Result<RecordId, StageError> {
        let mut again = 0;
        let mut id = RecordId::of(key, again);
        // Only a key that other records have may have named one of them. Who was merged away left its keys to others.
        if !self.ids(key)?.is_empty() {
            while answers(id) || self.exists(id)? {
                again += 1;
                id = RecordId::of(key, again);
            }
        }
        let record = Record { values: vec![None; self.fields.len()], ..Record::default() };
        self.records.insert(id, record);
        Ok(id)
    }

    /// A record.
    pub(crate) fn get(&mut self, id: RecordId) -> Result<&mut Record, StageError> {
        if !self.records.contains_key(&id) {
            let kept = self.host.state_get(&record_key(id))?.ok_or_else(|| broken(id))?;
            let record = self.read(id, &kept)?;
            self.records.insert(id, record);
        }
        self.records.get_mut(&id).ok_or_else(|| broken(id))
    }

    /// A record that [`get`](Self::get) gave in this batch.
    pub(crate) fn held(&self, id: RecordId) -> Result<&Record, StageError> {
        self.records.get(&id).ok_or_else(|| broken(id))
    }

    /// Gives a record to the host to keep.
    pub(crate) fn keep(&mut self, id: RecordId, buffer: &mut Vec<u8>) -> Result<(), StageError> {
        let layout = self.layout()?;
        buffer.clear();
        buffer.extend_from_slice(&layout);
        self.held(id)?.encode(buffer);
        Ok(self.host.state_put(&record_key(id), buffer)?)
    }

    /// What stands before the bytes of a record, and tells how they are to be read.
    pub(crate) fn layout(&mut self) -> Result<[u8; 8], StageError> {
        if !self.layout_kept {
            let key = [b"l/", self.layout.as_slice()].concat();
            if self.host.state_get(&key)?.is_none() {
                self.host.state_put(&key, describe(&self.fields).as_bytes())?;
            }
            self.layout_kept = true;
        }
        Ok(self.layout)
    }

    /// Whether there is such a record.
    pub(crate) fn exists(&self, id: RecordId) -> Result<bool, StageError> {
        Ok(self.records.contains_key(&id) || self.host.state_get(&record_key(id))?.is_some())
    }

    /// Puts a record in the place of what was there.
    pub(crate) fn set(&mut self, id: RecordId, record: Record) {
        self.records.insert(id, record);
    }

    /// Forgets a record for ever, and gives what it was. Its keys stay.
    pub(crate) fn remove(&mut self, id: RecordId) -> Result<Record, StageError> {
        let record = self.get(id)?.clone();
        self.records.remove(&id);
        self.host.state_delete(&record_key(id))?;
        Ok(record)
    }

    /// Says anew which records have a key, in this order.
    pub(crate) fn set_ids(&mut self, key: u128, ids: Vec<RecordId>) -> Result<(), StageError> {
        let known = self.key(key)?;
        known.ids = ids;
        let kept = known.encode();
        match kept.is_empty() {
            true => self.host.state_delete(&key_key(key))?,
            false => self.host.state_put(&key_key(key), &kept)?,
        }
        Ok(())
    }

    /// A record from kept bytes, its layout before it.
    pub(crate) fn read(&mut self, id: RecordId, kept: &[u8]) -> Result<Record, StageError> {
        let (layout, kept) = kept.split_first_chunk::<8>().ok_or_else(|| broken(id))?;
        if layout == &self.layout {
            return Record::decode(kept, self.fields.len()).ok_or_else(|| broken(id));
        }
        if !self.others.contains_key(layout) {
            let described = self.host.state_get(&[b"l/", layout.as_slice()].concat())?;
            let described = described.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            self.others.insert(*layout, described.ok_or_else(|| broken(id))?);
        }
        let before = self.others.get(layout).ok_or_else(|| broken(id))?;
        let mut record = Record::decode(kept, before.len()).ok_or_else(|| broken(id))?;
        let mut values: Vec<_> = std::mem::take(&mut record.values);
        // A field that is gone, or has another type now, starts anew; its earlier values are in the sinks.
        let carried = self.fields.iter().map(|(name, kind)| {
            let at = before.iter().position(|(n, k)| n == name && *k == kind.to_string())?;
            values[at].take().filter(|held| held.value.fits(kind))
        });
        record.values = carried.collect();
        record.tidy();
        Ok(record)
    }
}

fn key_key(key: u128) -> Vec<u8> {
    [b"k/", key.to_be_bytes().as_slice()].concat()
}

fn record_key(id: RecordId) -> Vec<u8> {
    [b"e/", id.0.as_slice()].concat()
}

/// Where something of a record is kept that has this letter.
pub(crate) fn of_record(id: RecordId, letter: u8) -> Vec<u8> {
    [b"e/", id.0.as_slice(), &[letter]].concat()
}

/// The names and types of the fields, as they are kept.
fn describe(fields: &[LayoutField]) -> String {
    let fields: Vec<(&str, String)> =
        fields.iter().map(|(name, kind)| (name.as_str(), kind.to_string())).collect();
    serde_json::to_string(&fields).unwrap_or_default()
}
