//! Records of a linkage as they are kept, so that after a start nothing is normalised again: their packed words, and the
//! keys of the terms that are new in them. Posting lists are made anew from the words.
//!
//! A chunk begins with its version, a hash of what is compared, and a hash of all that follows: what does not fit is not
//! taken up, and the records are made from their rows instead.

use xxhash_rust::xxh3::xxh3_64;

use super::engine::{Known, Linker, NONE};
use super::index::Term;
use crate::codec::{Input, bytes, int};

/// To be raised when the same values give other words: normalising, packing, hashing.
const VERSION: u8 = 2;

/// A chunk that is read record by record.
pub(crate) struct Chunk<'a> {
    records: u64,
    terms: Vec<(u64, Term)>,
    /// Of `terms`, those that have their number.
    numbered: usize,
    rest: Input<'a>,
    words: Vec<u32>,
    seen: Vec<u32>,
}

impl<'a> Chunk<'a> {
    /// Opens a chunk for a linkage that knows all chunks before. `None` for one that is damaged or of another linkage.
    pub(crate) fn open(linker: &mut Linker, kept: &'a [u8]) -> Option<Self> {
        let (head, rest) = kept.split_first_chunk::<17>()?;
        if *head != self::head(linker, rest) {
            return None;
        }
        let mut rest = Input::new(rest);
        let mut sources = Vec::new();
        for _ in 0..rest.int()? {
            sources.push(rest.text()?.to_owned());
        }
        if sources.len() > linker.sources.len() {
            linker.sources = sources;
        }
        let mut terms = Vec::new();
        for _ in 0..rest.int()? {
            terms.push((u64::from_le_bytes(rest.fixed()?), Term::from_number(rest.byte()?)?));
        }
        linker.dictionary.reserve(terms.len());
        Some(Self { records: rest.int()?, terms, numbered: 0, rest, words: Vec::new(), seen: Vec::new() })
    }

    /// Takes its next record up; `None` when there is none, or none that makes sense.
    pub(crate) fn next(&mut self, linker: &mut Linker) -> Option<()> {
        self.records = self.records.checked_sub(1)?;
        let source = u16::from_le_bytes(self.rest.fixed()?);
        let words = usize::try_from(self.rest.int()?).ok()?;
        let words = self.rest.take(words.checked_mul(4)?)?;
        self.words.clear();
        self.words.extend(words.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)));
        self.seen.clear();
        // The first words say where each slot begins.
        let slots = linker.slots.len();
        let (ends, all) = (self.words.get(..=slots)?, self.words.len() as u32);
        if !ends.is_sorted() || ends.first() != Some(&(slots as u32 + 1)) || ends.last() != Some(&all) {
            return None;
        }
        let handle = linker.store.push(&self.words);
        let features = linker.store.get(handle);
        for slot in 0..slots {
            let packed = features.slot(slot);
            self.seen.extend(packed.terms().iter().chain(packed.grams()));
        }
        self.seen.sort_unstable();
        self.seen.dedup();
        // A term gets its number with the first record that has it: what was weighed before does not know it.
        while self.seen.last().is_some_and(|last| *last as usize >= linker.dictionary.len()) {
            let (key, term) = *self.terms.get(self.numbered)?;
            self.numbered += 1;
            linker.dictionary.id(key, term);
        }
        let number = linker.known.len() as u32;
        linker.dictionary.post_all(&self.seen, number);
        linker.known.push(Known { handle, source, first_pair: NONE, cluster: number });
        Some(())
    }
}

fn head(linker: &Linker, rest: &[u8]) -> [u8; 17] {
    let compared = format!("{:?} {:?}", linker.slots, linker.config.fields);
    let mut head = [VERSION; 17];
    head[1..9].copy_from_slice(&xxh3_64(compared.as_bytes()).to_be_bytes());
    head[9..].copy_from_slice(&xxh3_64(rest).to_be_bytes());
    head
}

impl Linker {
    /// Keeps what the next chunks need. To be called before any record is known.
    pub(crate) fn keep_chunks(&mut self) {
        self.dictionary.keep_keys();
    }

    /// The records of the last chunk are taken up.
    pub(crate) fn end_chunk(&mut self) {
        let terms = self.dictionary.len() as u32;
        self.dictionary.take_keys(terms);
    }

    /// Some records as a chunk: the next ones after those of the last chunk.
    pub(crate) fn chunk(&mut self, records: std::ops::Range<u32>) -> Vec<u8> {
        let slots = self.slots.len();
        let mut of_records = Vec::new();
        let mut end = 0;
        for record in records.clone() {
            let known = &self.known[record as usize];
            let features = self.store.get(known.handle);
            of_records.extend_from_slice(&known.source.to_le_bytes());
            let words = features.words(slots);
            int(&mut of_records, words.len() as u64);
            words.iter().for_each(|word| of_records.extend_from_slice(&word.to_le_bytes()));
            for slot in 0..slots {
                let packed = features.slot(slot);
                let terms = packed.terms().iter().chain(packed.grams());
                end = end.max(terms.max().map_or(0, |last| last + 1));
            }
        }
        let mut rest = Vec::new();
        int(&mut rest, self.sources.len() as u64);
        self.sources.iter().for_each(|source| bytes(&mut rest, source.as_bytes()));
        let terms = self.dictionary.take_keys(end);
        int(&mut rest, terms.len() as u64);
        for (key, term) in terms {
            rest.extend_from_slice(&key.to_le_bytes());
            rest.push(term.number());
        }
        int(&mut rest, records.len() as u64);
        rest.append(&mut of_records);
        [head(self, &rest).as_slice(), &rest].concat()
    }
}
