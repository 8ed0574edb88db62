//! The rare-first inverted index: which records share a value or a gram.
//!
//! Every whole value and every gram is a term with a number. A term lists the records that have it until
//! there are too many; then it is too common to find anything and its list is let go. A search walks the
//! shortest lists first, until its budget of postings is used: the work is the same at any size.

use hashbrown::HashMap;

/// What a term is; it decides its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The whole value of a field.
    Value,
    /// A whole word or number.
    Word,
    /// Two Han characters.
    Pair,
    /// Three Latin characters.
    Gram,
}

impl Term {
    const ALL: [Self; 4] = [Self::Value, Self::Word, Self::Pair, Self::Gram];

    /// Its number, for what is kept.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Records in a list beyond which it is let go.
const CAP: usize = 1_024;
/// Postings that one search may walk.
const BUDGET: usize = 1_024;
/// Grams of one slot that are searched.
const RAREST: usize = 10;
/// What a candidate must share of what the best one shares.
const LEAST_SHARE: f32 = 0.1;
/// Records, and one in so many of all, beyond which a value identifies nothing.
const GENERIC: usize = 50;
const GENERIC_SHARE: usize = 1_000;
const CLOSED: u16 = u16::MAX;
/// No record.
const EMPTY: u32 = u32::MAX;

/// All terms: their numbers, how many records have them, and which.
#[derive(Default)]
pub struct Dictionary {
    ids: HashMap<u64, u32, std::hash::BuildHasherDefault<Straight>>,
    terms: Vec<Entry>,
    weights: Vec<f32>,
    rarest: f32,
    generic: u32,
    lists: Lists,
    /// Keys of the last terms, where somebody is to keep them.
    fresh: Option<Vec<u64>>,
}

/// One term. With one record in its list, `at` is that record.
struct Entry {
    count: u32,
    at: u32,
    length: u16,
    term: Term,
}

/// Keys are hashes already.
#[derive(Default)]
pub struct Straight(u64);

impl std::hash::Hasher for Straight {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = (key ^ key >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Dictionary {
    /// The number of a term.
    pub fn id(&mut self, key: u64, term: Term) -> u32 {
        *self.ids.entry(key).or_insert_with(|| {
            self.terms.push(Entry { count: 0, at: 0, length: 0, term });
            self.fresh.iter_mut().for_each(|fresh| fresh.push(key));
            self.terms.len() as u32 - 1
        })
    }

    /// From now on the keys of new terms are kept until they are [taken](Self::take_keys).
    pub fn keep_keys(&mut self) {
        self.fresh = Some(Vec::new());
    }

    /// The keys of the next terms that were not taken yet, up to the one of this number.
    pub fn take_keys(&mut self, end: u32) -> Vec<(u64, Term)> {
        let fresh = self.fresh.get_or_insert_default();
        let from = self.terms.len() - fresh.len();
        let keys = fresh.drain(..(end as usize).saturating_sub(from).min(fresh.len()));
        keys.zip(&self.terms[from..]).map(|(key, entry)| (key, entry.term)).collect()
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Makes room for so many terms more.
    pub fn reserve(&mut self, terms: usize) {
        self.ids.reserve(terms);
        self.terms.reserve(terms);
    }

    /// Counts a record with all of its terms, and adds it to their lists.
    pub fn post_all(&mut self, terms: &[u32], record: u32) {
        for &term in terms {
            self.terms[term as usize].count += 1;
            self.post(term, record);
        }
    }

    /// How many records have the term.
    pub fn records(&self, id: u32) -> u32 {
        self.terms[id as usize].count
    }

    /// Adds a record to the term's list.
    pub fn post(&mut self, id: u32, record: u32) {
        let entry = &mut self.terms[id as usize];
        match entry.length as usize {
            length if entry.length == CLOSED || length >= CAP => {
                if entry.length != CLOSED && length > 1 {
                    self.lists.free(entry.at, length);
                }
                entry.length = CLOSED;
                return;
            }
            0 => entry.at = record,
            length => entry.at = self.lists.push(entry.at, length, record),
        }
        entry.length += 1;
    }

    fn list(&self, id: u32) -> &[u32] {
        let entry = &self.terms[id as usize];
        match entry.length {
            0 | CLOSED => &[],
            1 => std::slice::from_ref(&entry.at),
            length => self.lists.get(entry.at, length as usize),
        }
    }

    /// Weighs all terms by how rare they are among `records`.
    pub fn weigh(&mut self, records: usize) {
        let all = records as f32;
        self.rarest = (1.0 + all).ln();
        self.generic = (records / GENERIC_SHARE).max(GENERIC) as u32;
        self.weights.clear();
        self.weights.extend(self.terms.iter().map(|entry| {
            let rare = (1.0 + all / (entry.count as f32 + 0.5)).ln();
            rare * match entry.term {
                Term::Value | Term::Word | Term::Pair => 1.0,
                Term::Gram => 0.4,
            }
        }));
    }

    /// Whether so many records have the term that it identifies nothing.
    pub fn is_generic(&self, id: u32) -> bool {
        self.generic > 0 && self.records(id) > self.generic
    }

    /// How much sharing the term says.
    pub fn weight(&self, id: u32) -> f32 {
        // A term that came after the last weighing is as rare as can be.
        self.weights.get(id as usize).copied().unwrap_or(self.rarest)
    }
}

/// Lists in blocks of powers of two, inside chunks that never move.
#[derive(Default)]
struct Lists {
    chunks: Vec<Vec<u32>>,
    free: [Vec<u32>; 16],
}

const CHUNK: usize = 1 << 18;

impl Lists {
    fn class(length: usize) -> usize {
        length.next_power_of_two().trailing_zeros() as usize
    }

    fn allocate(&mut self, class: usize) -> u32 {
        if let Some(at) = self.free[class].pop() {
            return at;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() + (1 << class) > CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let number = self.chunks.len() - 1;
        let chunk = &mut self.chunks[number];
        let at = chunk.len();
        chunk.resize(at + (1 << class), 0);
        (number * CHUNK + at) as u32
    }

    fn get(&self, at: u32, length: usize) -> &[u32] {
        let start = at as usize % CHUNK;
        &self.chunks[at as usize / CHUNK][start..start + length]
    }

    fn set(&mut self, at: u32, value: u32) {
        self.chunks[at as usize / CHUNK][at as usize % CHUNK] = value;
    }

    /// Appends to a list of `length` at `at` (a record itself, when the length is one), and says where it is now.
    fn push(&mut self, at: u32, length: usize, record: u32) -> u32 {
        if !length.is_power_of_two() {
            self.set(at + length as u32, record);
            return at;
        }
        let new = self.allocate(Self::class(length + 1));
        if length == 1 {
            self.set(new, at);
        } else {
            for i in 0..length as u32 {
                let value = self.get(at + i, 1)[0];
                self.set(new + i, value);
            }
            self.free(at, length);
        }
        self.set(new + length as u32, record);
        new
    }

    fn free(&mut self, at: u32, length: usize) {
        self.free[Self::class(length)].push(at);
    }
}

/// What one search needs; used again for the next.
#[derive(Default)]
pub struct Search {
    /// Records touched and their scores, by an open hash; its size follows the postings that are walked.
    scores: Vec<(u32, f32)>,
    touched: Vec<u32>,
    keys: Vec<(u16, u32, bool)>,
    slot: Vec<(u16, u32)>,
    found: Vec<(f32, u32)>,
}

impl Search {
    /// Begins the search for a record, which is posted already.
    pub fn begin(&mut self) {
        self.keys.clear();
    }

    /// Adds whole values and the rarest grams of one slot.
    pub fn slot(&mut self, dictionary: &Dictionary, terms: &[u32], grams: &[u32]) {
        let length = |id: u32| dictionary.terms[id as usize].length;
        // A list of one holds only the record that searches.
        let open = |length: u16| length > 1 && length != CLOSED;
        self.keys.extend(terms.iter().map(|&id| (length(id), id, true)).filter(|key| open(key.0)));
        self.slot.clear();
        self.slot.extend(grams.iter().map(|&id| (length(id), id)).filter(|key| open(key.0)));
        if self.slot.len() > RAREST {
            self.slot.select_nth_unstable(RAREST);
            self.slot.truncate(RAREST);
        }
        self.keys.extend(self.slot.iter().map(|&(length, id)| (length, id, false)));
    }

    /// The best `most` records that share something and that `allowed` lets through, best first.
    pub fn run(
        &mut self,
        dictionary: &Dictionary,
        most: usize,
        allowed: impl Fn(u32) -> bool,
    ) -> &[(f32, u32)] {
        self.keys.sort_unstable();
        self.keys.dedup();
        let mut walked = 0;
        let within = |key: &&(u16, u32, bool)| {
            walked += usize::from(key.0);
            walked <= BUDGET
        };
        let keys = self.keys.iter().take_while(within).count();
        let walked: usize = self.keys[..keys].iter().map(|key| usize::from(key.0)).sum();
        let size = (2 * walked).next_power_of_two().max(64);
        if self.scores.len() < size {
            self.scores.resize(size, (EMPTY, 0.0));
        }
        let (table, mask) = (&mut self.scores[..size], size - 1);
        for &(_, id, whole) in &self.keys[..keys] {
            let weight = dictionary.weight(id) * if whole { 1.0 } else { 0.3 };
            for &record in dictionary.list(id) {
                let mut at = (record.wrapping_mul(0x9e37_79b1) >> 8) as usize & mask;
                loop {
                    let entry = &mut table[at];
                    if entry.0 == record {
                        entry.1 += weight;
                        break;
                    }
                    if entry.0 == EMPTY {
                        *entry = (record, weight);
                        self.touched.push(at as u32);
                        break;
                    }
                    at = (at + 1) & mask;
                }
            }
        }
        self.found.clear();
        // What shares a small part of what the best shares is no candidate; most of what was touched is that.
        let mut least = 0.0f32;
        for at in self.touched.drain(..) {
            let (record, score) = std::mem::replace(&mut table[at as usize], (EMPTY, 0.0));
            if score >= least && allowed(record) {
                self.found.push((score, record));
                least = least.max(score * LEAST_SHARE);
            }
        }
        self.found.retain(|found| found.0 >= least);
        let best = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if self.found.len() > most {
            self.found.select_nth_unstable_by(most, best);
            self.found.truncate(most);
        }
        self.found.sort_unstable_by(best);
        &self.found
    }
}
