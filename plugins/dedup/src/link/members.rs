//! The records of each thing.
//!
//! A thing is called after one of its records, mostly the first, so what is known of it lies at that number in a plain
//! row of numbers, which takes less room than a map and is built at once after a start.

use hashbrown::HashMap;

use super::lists::{LONGEST, Lists};

/// The records of each thing, in the order in which they were added.
#[derive(Default)]
pub(super) struct Members {
    places: Vec<Place>,
    lists: Lists,
    /// Those of things with more records than a list has room for.
    long: HashMap<u32, Vec<u32>>,
}

/// Where a thing's records lie; with one record, `at` is that record.
#[derive(Clone, Copy, Default)]
struct Place {
    at: u32,
    count: u32,
}

impl Members {
    /// The records of a thing; none of one that there is not.
    pub(super) fn get(&self, thing: u32) -> &[u32] {
        match self.places.get(thing as usize) {
            None | Some(Place { count: 0, .. }) => &[],
            Some(Place { count: 1, at }) => std::slice::from_ref(at),
            Some(Place { count, at }) if *count as usize <= LONGEST => self.lists.get(*at, *count as usize),
            Some(_) => self.long.get(&thing).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    /// Adds a record to a thing.
    pub(super) fn push(&mut self, thing: u32, record: u32) {
        let number = thing as usize;
        if self.places.len() <= number {
            self.places.resize(number + 1, Place::default());
        }
        let Place { at, count } = self.places[number];
        let at = match count as usize {
            0 => record,
            count if count < LONGEST => self.lists.push(at, count, record),
            LONGEST => {
                let mut long = self.lists.get(at, LONGEST).to_vec();
                self.lists.free(at, LONGEST);
                long.push(record);
                self.long.insert(thing, long);
                0
            }
            _ => {
                self.long.entry(thing).or_default().push(record);
                0
            }
        };
        self.places[number] = Place { at, count: count + 1 };
    }

    /// Forgets a thing, and gives the records that it had.
    pub(super) fn remove(&mut self, thing: u32) -> Vec<u32> {
        let records = self.get(thing).to_vec();
        if let Some(place) = self.places.get_mut(thing as usize) {
            if (2..=LONGEST).contains(&(place.count as usize)) {
                self.lists.free(place.at, place.count as usize);
            }
            *place = Place::default();
            self.long.remove(&thing);
        }
        records
    }

    /// Puts the records of a thing in order.
    pub(super) fn sort(&mut self, thing: u32) {
        match self.places.get(thing as usize) {
            Some(Place { count, at }) if (2..=LONGEST).contains(&(*count as usize)) => {
                self.lists.get_mut(*at, *count as usize).sort_unstable();
            }
            _ => {
                if let Some(long) = self.long.get_mut(&thing) {
                    long.sort_unstable();
                }
            }
        }
    }

    /// Bytes that are in use.
    pub(super) fn bytes(&self) -> usize {
        let (used, free) = self.lists.bytes();
        self.places.len() * size_of::<Place>() + used + free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_any_size_have_their_records_until_they_are_forgotten() {
        let mut members = Members::default();
        for (thing, count) in [(7, 1), (3, 0), (0, 5), (2_000_000, LONGEST as u32 + 3)] {
            (0..count).rev().for_each(|record| members.push(thing, record));
            let backwards: Vec<u32> = (0..count).rev().collect();
            assert_eq!(members.get(thing), backwards);
            members.sort(thing);
            assert_eq!(members.get(thing), (0..count).collect::<Vec<_>>());
        }
        for (thing, count) in [(7, 1), (0, 5), (2_000_000, LONGEST + 3)] {
            assert_eq!(members.remove(thing).len(), count);
            assert!(members.get(thing).is_empty());
            members.push(thing, 4);
            assert_eq!(members.get(thing), [4]);
        }
    }
}
