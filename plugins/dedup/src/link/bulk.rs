//! The index of very many records at once, as after a start: what posting one after the other gives, but each list is
//! made once, with the room that it needs, and most terms are only counted.
//!
//! Several threads share the terms, not the records: each looks at all records and passes over the terms of the others.
//! So nobody waits for anybody, and what comes out does not depend on how many there are.

use hashbrown::HashTable;

use super::index::{CAP, Dictionary, Entry, spread};
use super::lists::Lists;
use super::store::Store;

/// Terms that lie side by side and belong to one thread. The first terms are by far the most usual ones.
const SIDE_BY_SIDE: usize = 1 << SHIFT;
const SHIFT: u32 = 8;

impl Dictionary {
    /// Counts and posts all records of the store, whose terms were [appended](Self::append) and are in no list yet. All
    /// terms are weighed when `weighed` records are counted.
    pub(super) fn post_store(&mut self, store: &Store, records: u32, weighed: Option<u32>, threads: usize) {
        let (mut numbers, keys) = (std::mem::take(&mut self.numbers), std::mem::take(&mut self.keys));
        std::thread::scope(|scope| {
            // What finds the terms is made meanwhile: it needs nothing of what is counted.
            let numbering = scope.spawn(|| number(&mut numbers, &keys));
            let first = weighed.unwrap_or(0);
            if weighed.is_some() {
                each_share(&mut self.terms, threads, |share| share.count(store, 0..first));
                self.weigh(first as usize);
            }
            let lists = each_share(&mut self.terms, threads, |share| {
                share.count(store, first..records);
                share.fill(store, records)
            });
            // Lists say where they lie among those of their thread.
            let from: Vec<u32> = lists.into_iter().map(|lists| self.lists.append(lists)).collect();
            each_share(&mut self.terms, threads, |share| share.move_lists(from[share.number]));
            numbering.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause));
        });
        (self.numbers, self.keys) = (numbers, keys);
    }
}

/// The terms of one thread.
struct Share<'a> {
    number: usize,
    /// The logarithm of how many shares there are.
    shares: u32,
    terms: Vec<&'a mut [Entry]>,
}

/// Lets each of so many threads, or somewhat fewer, work at its share of the terms.
fn each_share<T: Send>(
    terms: &mut [Entry],
    threads: usize,
    work: impl Fn(&mut Share<'_>) -> T + Sync,
) -> Vec<T> {
    let shares = threads.max(1).ilog2();
    let share = |number| Share { number, shares, terms: Vec::new() };
    let mut all: Vec<Share<'_>> = (0..1 << shares).map(share).collect();
    for (at, terms) in terms.chunks_mut(SIDE_BY_SIDE).enumerate() {
        all[at & ((1 << shares) - 1)].terms.push(terms);
    }
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = all.iter_mut().map(|share| scope.spawn(move || work(share))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, T>| {
            thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause))
        };
        threads.into_iter().map(join).collect()
    })
}

impl Share<'_> {
    /// A term, if it belongs to this share.
    fn get(&mut self, term: u32) -> Option<&mut Entry> {
        let at = (term >> SHIFT) as usize;
        if at & ((1 << self.shares) - 1) != self.number {
            return None;
        }
        self.terms[at >> self.shares].get_mut(term as usize & (SIDE_BY_SIDE - 1))
    }

    fn count(&mut self, store: &Store, records: std::ops::Range<u32>) {
        for record in records {
            store.get(record).each_terms(|terms| {
                for &term in terms {
                    let Some(entry) = self.get(term) else { continue };
                    // A term comes more than once when several fields say the same.
                    if entry.at != record {
                        entry.at = record;
                        entry.count += 1;
                    }
                }
            });
        }
    }

    /// Makes the lists of terms that were counted.
    fn fill(&mut self, store: &Store, records: u32) -> Lists {
        let mut lists = Lists::default();
        for entry in self.terms.iter_mut().flat_map(|terms| terms.iter_mut()).filter(|entry| is_listed(entry)) {
            entry.at = lists.allocate(entry.count() as usize);
        }
        let mut listed: Vec<u32> = Vec::new();
        for record in 0..records {
            listed.clear();
            store.get(record).each_terms(|terms| {
                let own = |term: &u32| self.get(*term).is_some_and(|entry| is_listed(entry));
                listed.extend(terms.iter().copied().filter(own));
            });
            listed.sort_unstable();
            listed.dedup();
            for &term in &listed {
                if let Some(entry) = self.get(term) {
                    // While lists are filled, this is where the next record goes.
                    lists.set(entry.at, record);
                    entry.at += 1;
                }
            }
        }
        lists
    }

    /// Lists that are filled lie behind others now.
    fn move_lists(&mut self, from: u32) {
        for entry in self.terms.iter_mut().flat_map(|terms| terms.iter_mut()).filter(|entry| is_listed(entry)) {
            entry.at = entry.at - entry.count() + from;
        }
    }
}

/// Whether the list of a term is one that lies in a block.
fn is_listed(entry: &Entry) -> bool {
    (2..=CAP as u32).contains(&entry.count())
}

/// Makes it possible to find the terms of these keys that are not found yet.
fn number(numbers: &mut HashTable<u32>, keys: &[u64]) {
    let (from, hash) = (numbers.len(), |number: &u32| spread(keys[*number as usize]));
    numbers.reserve(keys.len() - from, hash);
    for number in from as u32..keys.len() as u32 {
        numbers.insert_unique(hash(&number), number, hash);
    }
}
