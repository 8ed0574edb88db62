//! The rare-first inverted index: which records share a value or a gram.
//!
//! Every whole value and every gram is a term with a number. A term lists the records that have it until
//! there are too many; then it is too common to find anything and its list is let go. A search walks the
//! shortest lists first, until its budget of postings is used: the work is the same at any size.

use super::lists::Lists;
use super::numbers::Numbers;

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
/// A candidate must share one part in so many of what the best one shares.
const LEAST_SHARE: u32 = 10;
/// Records, and one in so many of all, beyond which a value identifies nothing.
const GENERIC: usize = 50;
const GENERIC_SHARE: usize = 1_000;
/// No record.
const EMPTY: u32 = u32::MAX;

/// All terms: their numbers, how many records have them, and which.
#[derive(Default)]
pub struct Dictionary {
    /// The numbers of terms by their keys, which are not kept here once more.
    numbers: Numbers,
    keys: Vec<u64>,
    terms: Vec<Entry>,
    weights: Vec<f32>,
    rarest: f32,
    least: f32,
    generic: u32,
    lists: Lists,
}

/// One term. With one record in its list, `at` is that record; when there are so many that the list was let go, it is
/// the last record that has the term.
struct Entry {
    /// The number of records, above it whether the list was let go, and what the term is.
    count: u32,
    at: u32,
}

const COUNT: u32 = (1 << 29) - 1;
const CLOSED: u32 = 1 << 29;

impl Entry {
    fn new(term: Term) -> Self {
        Self { count: u32::from(term.number()) << 30, at: EMPTY }
    }

    fn count(&self) -> u32 {
        self.count & COUNT
    }

    fn is_closed(&self) -> bool {
        self.count & CLOSED != 0
    }

    fn term(&self) -> Term {
        Term::ALL[(self.count >> 30) as usize]
    }
}

impl Dictionary {
    /// The number of a term.
    pub fn id(&mut self, key: u64, term: Term) -> u32 {
        let number = self.numbers.find_or_next(key, &self.keys);
        if number as usize == self.keys.len() {
            self.append(key, term);
        }
        number
    }

    /// The keys of the terms from one number to another.
    pub(super) fn keys(&self, numbers: std::ops::Range<u32>) -> impl Iterator<Item = (u64, Term)> {
        let numbers = numbers.start as usize..numbers.end as usize;
        let terms = self.terms[numbers.clone()].iter().map(Entry::term);
        self.keys[numbers].iter().copied().zip(terms)
    }

    /// Gives the next number to a term that has none; it is not found by its key before
    /// [all are](Self::find_appended).
    pub(super) fn append(&mut self, key: u64, term: Term) {
        self.keys.push(key);
        self.terms.push(Entry::new(term));
    }

    /// How many terms there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Lets terms that were [appended](Self::append) be found by their keys.
    pub(super) fn find_appended(&mut self, threads: usize) {
        self.numbers.extend(&self.keys, threads);
    }

    /// Counts a record with all of its terms, and adds it to their lists.
    pub fn post_all(&mut self, terms: &[u32], record: u32) {
        terms.iter().for_each(|term| self.post(*term, std::iter::once(record)));
    }

    /// Has the ends of some lists come into the cache, all at once: each would be waited for where it is appended to.
    pub(super) fn fetch(&self, terms: impl Iterator<Item = u32>) {
        let ends = terms.map(|term| {
            let entry = &self.terms[term as usize];
            match entry.count() as usize {
                count if count > 1 && !entry.is_closed() => self.lists.last(entry.at, count),
                _ => entry.at,
            }
        });
        std::hint::black_box(ends.fold(0, |all, end| all ^ end));
    }

    /// Counts records that have a term, and adds them to its list.
    pub(super) fn post(&mut self, term: u32, records: impl ExactSizeIterator<Item = u32>) {
        let entry = &mut self.terms[term as usize];
        let (count, more) = (entry.count() as usize, records.len());
        if more > 1 && !entry.is_closed() && count + more <= CAP {
            entry.at = self.lists.extend(entry.at, count, records);
            entry.count += more as u32;
            return;
        }
        for record in records {
            let count = entry.count() as usize;
            entry.count += 1;
            entry.at = match count {
                _ if entry.is_closed() => record,
                0 => record,
                CAP => {
                    self.lists.free(entry.at, count);
                    entry.count |= CLOSED;
                    record
                }
                _ => self.lists.push(entry.at, count, record),
            };
        }
    }

    /// Counts records that have a term whose list was let go once they were all known; the last of them is told.
    pub(super) fn post_closed(&mut self, term: u32, count: u32, last: u32) {
        let entry = &mut self.terms[term as usize];
        if !entry.is_closed() && entry.count() > 1 {
            self.lists.free(entry.at, entry.count() as usize);
        }
        entry.count = (entry.count + count) | CLOSED;
        entry.at = last;
    }

    /// Whether so many records have the term that its list was let go.
    pub(super) fn is_closed(&self, id: u32) -> bool {
        self.terms[id as usize].is_closed()
    }

    /// How many records have the term.
    pub fn records(&self, id: u32) -> u32 {
        self.terms[id as usize].count()
    }

    /// How many records the term's list has; `None` when it was let go.
    fn length(&self, id: u32) -> Option<u16> {
        let entry = &self.terms[id as usize];
        (!entry.is_closed()).then(|| entry.count() as u16)
    }

    fn list(&self, id: u32) -> &[u32] {
        let entry = &self.terms[id as usize];
        match entry.count() as usize {
            _ if entry.is_closed() => &[],
            0 => &[],
            1 => std::slice::from_ref(&entry.at),
            count => self.lists.get(entry.at, count),
        }
    }

    /// Some of the records that have the term, the last ones first.
    pub(super) fn last_records(&self, id: u32) -> impl Iterator<Item = u32> {
        let entry = &self.terms[id as usize];
        let list = if entry.is_closed() { std::slice::from_ref(&entry.at) } else { self.list(id) };
        list.iter().rev().copied()
    }

    /// Weighs all terms that a record has by how rare they are among `records`.
    pub fn weigh(&mut self, records: usize) {
        let all = records as f32;
        self.rarest = (1.0 + all).ln();
        self.generic = (records / GENERIC_SHARE).max(GENERIC) as u32;
        self.weights.clear();
        // Terms have their numbers in the order in which records came with them.
        let posted = self.terms.partition_point(|entry| entry.count() > 0);
        self.weights.reserve(posted);
        self.weights.extend(self.terms[..posted].iter().map(|entry| {
            let rare = (1.0 + all / (entry.count() as f32 + 0.5)).ln();
            rare * match entry.term() {
                Term::Value | Term::Word | Term::Pair => 1.0,
                Term::Gram => 0.4,
            }
        }));
        self.least = self.weights.iter().copied().fold(self.rarest, f32::min);
    }

    /// What any term weighs at least.
    pub(super) fn least(&self) -> f32 {
        self.least
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

    /// Bytes that are in use: for terms, and for their lists.
    pub(super) fn bytes(&self) -> (usize, usize) {
        let each = size_of::<u64>() + size_of::<Entry>() + size_of::<f32>();
        let (used, free) = self.lists.bytes();
        (self.terms.len() * each + self.numbers.bytes(), used + free)
    }
}

/// Parts of a bit in which shares are added up: of whole numbers the order does not change the sum.
const PARTS: f32 = 4_096.0;

/// What one search needs; used again for the next.
#[derive(Default)]
pub struct Search {
    /// Records touched and what they share, by an open hash; its size follows the postings that are walked.
    scores: Vec<(u32, u32)>,
    touched: Vec<u32>,
    keys: Vec<Key>,
    slot: Vec<Key>,
    shared: Vec<(u32, u32)>,
    found: Vec<(f32, u32)>,
}

/// A term that is searched for: the shortest lists come first, of equally long ones those of the lesser key, which any
/// order of arrival gives the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    length: u16,
    key: u64,
    id: u32,
    whole: bool,
}

impl Search {
    /// Begins the search for a record, which is posted already.
    pub fn begin(&mut self) {
        self.keys.clear();
    }

    /// Adds whole values and the rarest grams of one slot.
    pub fn slot(&mut self, dictionary: &Dictionary, terms: &[u32], grams: &[u32]) {
        // A list of one holds only the record that searches.
        let open = |id: u32, whole: bool| {
            let length = dictionary.length(id).filter(|length| *length > 1)?;
            Some(Key { length, key: dictionary.keys[id as usize], id, whole })
        };
        self.keys.extend(terms.iter().filter_map(|id| open(*id, true)));
        self.slot.clear();
        self.slot.extend(grams.iter().filter_map(|id| open(*id, false)));
        if self.slot.len() > RAREST {
            self.slot.select_nth_unstable(RAREST);
            self.slot.truncate(RAREST);
        }
        self.keys.append(&mut self.slot);
    }

    /// The best `most` records that share something and that `allowed` lets through, best first; equals by their `rank`.
    pub fn run<R: Ord>(
        &mut self,
        dictionary: &Dictionary,
        most: usize,
        allowed: impl Fn(u32) -> bool,
        rank: impl Fn(u32) -> R,
    ) -> &[(f32, u32)] {
        self.keys.sort_unstable();
        self.keys.dedup();
        let mut walked = 0;
        let within = |key: &&Key| {
            walked += usize::from(key.length);
            walked <= BUDGET
        };
        let keys = self.keys.iter().take_while(within).count();
        self.walk(dictionary, keys);
        self.shared.clear();
        // What shares a small part of what the best shares is no candidate; most of what was touched is that.
        let mut least = 0;
        for at in self.touched.drain(..) {
            let (record, score) = std::mem::replace(&mut self.scores[at as usize], (EMPTY, 0));
            if score >= least && allowed(record) {
                self.shared.push((score, record));
                least = least.max(score / LEAST_SHARE);
            }
        }
        self.shared.retain(|shared| shared.0 >= least);
        let best = |a: &(u32, u32), b: &(u32, u32)| b.0.cmp(&a.0).then_with(|| rank(a.1).cmp(&rank(b.1)));
        if self.shared.len() > most {
            self.shared.select_nth_unstable_by(most, best);
            self.shared.truncate(most);
        }
        self.shared.sort_unstable_by(best);
        self.found.clear();
        self.found.extend(self.shared.iter().map(|&(score, record)| (score as f32 / PARTS, record)));
        &self.found
    }

    /// Adds up what the records in the lists of the first keys share.
    fn walk(&mut self, dictionary: &Dictionary, keys: usize) {
        let keys = &self.keys[..keys];
        let walked: usize = keys.iter().map(|key| usize::from(key.length)).sum();
        // The lists lie far apart: asked for one after the other, each would be waited for.
        let heads = keys.iter().filter_map(|key| dictionary.list(key.id).first());
        std::hint::black_box(heads.fold(0, |all, head| all ^ head));
        let size = (2 * walked).next_power_of_two().max(64);
        if self.scores.len() < size {
            self.scores.resize(size, (EMPTY, 0));
        }
        let (table, mask) = (&mut self.scores[..size], size - 1);
        self.touched.resize(walked + 1, 0);
        let mut touched = 0;
        for key in keys {
            let weight = dictionary.weight(key.id) * if key.whole { 1.0 } else { 0.3 };
            let weight = (weight * PARTS) as u32;
            for &record in dictionary.list(key.id) {
                let mut at = (record.wrapping_mul(0x9e37_79b1) >> 8) as usize & mask;
                // Whether a record comes for the first time nobody can guess, so nothing branches on it.
                while table[at].0 != record && table[at].0 != EMPTY {
                    at = (at + 1) & mask;
                }
                let (known, score) = table[at];
                table[at] = (record, score + weight);
                self.touched[touched] = at as u32;
                touched += usize::from(known == EMPTY);
            }
        }
        self.touched.truncate(touched);
    }
}
