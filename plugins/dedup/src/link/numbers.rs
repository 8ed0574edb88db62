//! The numbers of terms by their keys, in many small tables.
//!
//! One table for all terms of ten million records would be built in as many waits for memory, and the record that makes it
//! grow would be held up for as long as all of it moves. A small table lies in the cache while it is filled, and grows alone.

use hashbrown::HashTable;

const TABLES: usize = 256;
/// Keys that are parted among the tables at once.
const BLOCK: usize = 1 << 20;

/// The numbers of terms. Their keys lie elsewhere, each at its number.
pub(super) struct Numbers {
    tables: Vec<HashTable<u32>>,
    len: usize,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { tables: (0..TABLES).map(|_| HashTable::new()).collect(), len: 0 }
    }
}

/// Keys are hashes already, but of few of their bits nothing is promised.
fn spread(key: u64) -> u64 {
    (key ^ key >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The table of a hash: bits that a table itself does not look at.
fn table_of(hash: u64) -> usize {
    (hash >> 40) as usize % TABLES
}

impl Numbers {
    /// The number of a key that is one of `keys`, or else the next one.
    pub(super) fn find_or_next(&mut self, key: u64, keys: &[u64]) -> u32 {
        let hash = spread(key);
        let table = &mut self.tables[table_of(hash)];
        let known = |number: &u32| keys[*number as usize] == key;
        let entry = table.entry(hash, known, |number| spread(keys[*number as usize]));
        *entry
            .or_insert_with(|| {
                self.len += 1;
                self.len as u32 - 1
            })
            .get()
    }

    /// Lets the keys that came since the last number be found, all of which are new.
    pub(super) fn extend(&mut self, keys: &[u64], threads: usize) {
        let from = std::mem::replace(&mut self.len, keys.len());
        let share = TABLES.div_ceil(threads.max(1));
        std::thread::scope(|scope| {
            let mut parts = self.tables.chunks_mut(share).enumerate();
            let own = parts.next();
            for (part, tables) in parts {
                scope.spawn(move || fill(tables, part * share, keys, from));
            }
            if let Some((part, tables)) = own {
                fill(tables, part * share, keys, from);
            }
        });
    }

    /// Bytes that are in use.
    pub(super) fn bytes(&self) -> usize {
        self.tables.iter().map(HashTable::allocation_size).sum()
    }
}

/// Fills some tables, from the one of this number on, with the numbers of the keys from `from` on.
fn fill(tables: &mut [HashTable<u32>], first: usize, keys: &[u64], from: usize) {
    let own = |key: &u64| table_of(spread(*key)).checked_sub(first).filter(|table| *table < tables.len());
    let mut counts = vec![0_usize; tables.len()];
    keys[from..].iter().filter_map(own).for_each(|table| counts[table] += 1);
    for (table, count) in tables.iter_mut().zip(counts) {
        table.reserve(count, |number| spread(keys[*number as usize]));
    }
    let mut parted: Vec<Vec<u32>> = vec![Vec::new(); tables.len()];
    for start in (from..keys.len()).step_by(BLOCK) {
        let block = start..keys.len().min(start + BLOCK);
        for number in block {
            let table = table_of(spread(keys[number])).wrapping_sub(first);
            if let Some(numbers) = parted.get_mut(table) {
                numbers.push(number as u32);
            }
        }
        for (table, numbers) in tables.iter_mut().zip(&mut parted) {
            for number in numbers.drain(..) {
                let hash = |number: &u32| spread(keys[*number as usize]);
                table.insert_unique(hash(&number), number, hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_numbers_however_they_came() {
        let keys: Vec<u64> = (0..5_000_u64).map(|at| at.wrapping_mul(0x1234_5678_9abc_def1)).collect();
        for threads in [1, 2, 3, 300] {
            let mut numbers = Numbers::default();
            for (number, key) in keys[..1_000].iter().enumerate() {
                assert_eq!(numbers.find_or_next(*key, &keys[..number]), number as u32);
            }
            numbers.extend(&keys[..4_000], threads);
            assert_eq!(numbers.len, 4_000);
            for (number, key) in keys[..4_001].iter().enumerate() {
                assert_eq!(numbers.find_or_next(*key, &keys), number as u32, "{threads}");
            }
            numbers.extend(&keys, threads);
            assert_eq!(numbers.find_or_next(keys[4_999], &keys), 4_999);
            assert_eq!(numbers.find_or_next(1, &keys), 5_000);
        }
    }
}
