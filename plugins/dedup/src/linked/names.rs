//! The records of things, and the things of records.
//!
//! A thing is called after its first row, so the ids of records lie in a plain row of them; who looks for a record finds
//! the number of its thing, and not the id once more.

use hashbrown::HashTable;

use crate::records::RecordId;

/// What no record is called.
const NONE: RecordId = RecordId::from_bytes([0; 10]);

/// The records of things, and the things of records.
#[derive(Default)]
pub(crate) struct Names {
    /// By the number of the thing.
    ids: Vec<RecordId>,
    things: HashTable<u32>,
}

/// An id is a hash already.
fn hash(id: RecordId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h]).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Names {
    /// The record that a thing is.
    pub(crate) fn record(&self, thing: u32) -> Option<RecordId> {
        self.ids.get(thing as usize).copied().filter(|id| *id != NONE)
    }

    /// The thing that a record is.
    pub(crate) fn thing(&self, id: RecordId) -> Option<u32> {
        self.things.find(hash(id), |thing| self.ids[*thing as usize] == id).copied()
    }

    /// The same; a new one is named after the row that comes with it.
    pub(crate) fn thing_or(&mut self, id: RecordId, row: u32) -> u32 {
        if let Some(thing) = self.thing(id) {
            return thing;
        }
        if self.ids.len() <= row as usize {
            self.ids.resize(row as usize + 1, NONE);
        }
        self.ids[row as usize] = id;
        self.things.insert_unique(hash(id), row, |thing| hash(self.ids[*thing as usize]));
        row
    }

    /// Forgets a record, and gives the thing that it was.
    pub(crate) fn remove(&mut self, id: RecordId) -> Option<u32> {
        let entry = self.things.find_entry(hash(id), |thing| self.ids[*thing as usize] == id).ok()?;
        let (thing, _) = entry.remove();
        self.ids[thing as usize] = NONE;
        Some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_by_its_thing_and_a_thing_by_its_record_until_it_is_forgotten() {
        let mut names = Names::default();
        let ids: Vec<RecordId> = (0..200).map(|key| RecordId::of(key, 0)).collect();
        for (row, id) in (0..).step_by(3).zip(&ids) {
            assert_eq!(names.thing(*id), None);
            assert_eq!(names.thing_or(*id, row), row);
            assert_eq!(names.thing_or(*id, row + 1), row);
            assert_eq!((names.record(row), names.record(row + 1)), (Some(*id), None));
        }
        assert_eq!(names.remove(ids[7]), Some(21));
        assert_eq!((names.remove(ids[7]), names.thing(ids[7]), names.record(21)), (None, None, None));
        assert_eq!(names.thing_or(ids[199], 21), 597);
        assert_eq!(names.thing_or(ids[7], 21), 21);
        assert_eq!(names.record(21), Some(ids[7]));
    }
}
