//! What is compared of all records, packed into 32-bit words: a million of them lie in memory.
//!
//! What a record has in one field is a body: the [packed](Packed) slots of that field. A body lies in one growing row of
//! words, and a record has for each field the place of its body. Records that say the same in a field share one body:
//! most companies, codes and dates come again and again. A day or an amount mostly needs no body: it is said in the
//! place itself.

use super::draft::{Draft, DraftSlot};
use super::features::{Compare, Slot};
use super::index::{Dictionary, Term};

/// Characters of a text that are kept for counting edits; longer texts are compared by grams only.
const MOST_CHARS: usize = 64;
/// Records whose body is looked at, for one that says the same.
const LOOKED_AT: usize = 4;
/// Marks a place that says itself what is compared, and is no place of a body.
const INLINE: u32 = 1 << 31;
/// Of an amount in a place: it counts ten thousands.
const WAN: u32 = 1 << 30;
const BLOCK: usize = 1 << 20;

/// The words of all records.
#[derive(Default)]
pub struct Store {
    places: Vec<Place>,
    fields: Vec<Field>,
    /// For each record, the place of its body in each field; 0 where it has none.
    refs: Vec<u32>,
    blocks: Vec<Vec<u32>>,
}

/// Where a slot is found.
#[derive(Clone, Copy)]
struct Place {
    field: u8,
    /// Among the slots of the field.
    at: u8,
    /// Whether the field has several.
    several: bool,
}

/// The slots of a field.
struct Field {
    slots: std::ops::Range<usize>,
    /// The comparison of its first slot.
    compare: Compare,
}

impl Store {
    /// For records of these slots.
    pub(super) fn new(slots: &[Slot]) -> Self {
        let (mut places, mut fields) = (Vec::new(), Vec::<Field>::new());
        for (number, of_field) in slots.chunk_by(|a, b| a.field == b.field).enumerate() {
            let several = of_field.len() > 1;
            let place = |at| Place { field: number as u8, at: at as u8, several };
            fields.push(Field {
                slots: places.len()..places.len() + of_field.len(),
                compare: of_field[0].compare,
            });
            places.extend((0..of_field.len()).map(place));
        }
        // Place 0 is no body.
        Self { places, fields, refs: Vec::new(), blocks: vec![vec![0]] }
    }

    /// Places that each record has.
    pub(super) fn width(&self) -> usize {
        self.fields.len()
    }

    /// How many words there are.
    pub(super) fn end(&self) -> u32 {
        let last = self.blocks.last().map_or(0, Vec::len);
        (self.blocks.len().saturating_sub(1) * BLOCK + last) as u32
    }

    /// The features of a record.
    pub fn get(&self, record: u32) -> Features<'_> {
        Features { store: self, refs: self.refs_of(record) }
    }

    /// The places of a record.
    pub(super) fn refs_of(&self, record: u32) -> &[u32] {
        let from = record as usize * self.fields.len();
        &self.refs[from..from + self.fields.len()]
    }

    /// The words from the place of a body on.
    fn body(&self, place: u32) -> &[u32] {
        &self.blocks[place as usize / BLOCK][place as usize % BLOCK..]
    }

    /// The place where the body of a field ends that begins at this one.
    pub(super) fn end_of(&self, field: usize, place: u32) -> u32 {
        if place == 0 || place & INLINE != 0 {
            return 0;
        }
        place + body_size(self.body(place), self.fields[field].slots.len()) as u32
    }

    fn push(&mut self, body: &[u32]) -> u32 {
        // A body longer than a block cannot come here: texts are cut before.
        if self.blocks.last().is_none_or(|block| block.len() + body.len() > BLOCK) {
            self.fill_up();
        }
        let at = self.end();
        if let Some(block) = self.blocks.last_mut() {
            block.extend_from_slice(body);
        }
        at
    }

    /// Begins the next block.
    fn fill_up(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            block.resize(BLOCK, 0);
        }
        self.blocks.push(Vec::with_capacity(BLOCK));
    }

    /// The words between two places, where a block ends and the next begins as well.
    pub(super) fn words(&self, from: u32, to: u32) -> impl Iterator<Item = &[u32]> {
        let (from, to) = (from as usize, to as usize);
        self.blocks.iter().enumerate().skip(from / BLOCK).map_while(move |(number, block)| {
            let start = number * BLOCK;
            (start < to)
                .then(|| &block[from.saturating_sub(start).min(block.len())..(to - start).min(block.len())])
        })
    }

    /// Appends words that were taken from the same place of such a store.
    pub(super) fn extend(&mut self, mut words: impl ExactSizeIterator<Item = u32>) {
        while words.len() > 0 {
            if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
                self.blocks.push(Vec::with_capacity(BLOCK));
            }
            let Some(block) = self.blocks.last_mut() else { return };
            let room = BLOCK - block.len();
            block.extend(words.by_ref().take(room));
        }
    }

    /// Appends records by their places; tells whether all of those are places here.
    pub(super) fn extend_refs(&mut self, refs: impl Iterator<Item = u32>) -> bool {
        let (from, end) = (self.refs.len(), self.end());
        self.refs.extend(refs);
        self.refs[from..].iter().all(|place| place & INLINE != 0 || *place < end)
    }

    /// Adds a record, giving its terms their numbers; `seen` is what terms it has, ascending.
    pub(super) fn pack(&mut self, draft: &Draft, dictionary: &mut Dictionary, seen: &mut Vec<u32>) {
        seen.clear();
        let mut body = Vec::new();
        for number in 0..self.fields.len() {
            let field = &self.fields[number];
            let place = match inline(field.compare, &draft[field.slots.start]) {
                Some(place) => place,
                None => {
                    body.clear();
                    pack_field(&draft[field.slots.clone()], dictionary, &mut body, seen);
                    self.place_of(number, &body, dictionary)
                }
            };
            self.refs.push(place);
        }
        seen.sort_unstable();
        seen.dedup();
    }

    /// Where a body is that is the same, or is now.
    fn place_of(&mut self, field: usize, body: &[u32], dictionary: &Dictionary) -> u32 {
        if body.is_empty() {
            return 0;
        }
        let first = Packed { words: &body[usize::from(self.fields[field].slots.len() > 1)..], inline: 0 };
        if let Some(&value) = first.terms().first() {
            let others = dictionary.last_records(value).take(LOOKED_AT);
            let place = |record: u32| self.refs[record as usize * self.fields.len() + field];
            let same = |place: &u32| {
                *place != 0 && place & INLINE == 0 && self.body(*place).get(..body.len()) == Some(body)
            };
            if let Some(place) = others.map(place).find(same) {
                return place;
            }
        }
        self.push(body)
    }

    /// Bytes that are in use: for places, and for bodies.
    pub(super) fn bytes(&self) -> (usize, usize) {
        (self.refs.len() * 4, self.end() as usize * 4)
    }
}

/// A day or an amount that is said in its place.
fn inline(compare: Compare, slot: &DraftSlot) -> Option<u32> {
    let &[low, high] = slot.words.as_slice() else { return None };
    match compare {
        Compare::Date if low == high => {
            // Half of what a day may be is enough.
            let day = low as i32;
            ((day << 1) >> 1 == day).then_some(INLINE | low & (INLINE - 1))
        }
        Compare::Money => {
            let amount = f64::from_bits(u64::from(low) | u64::from(high) << 32);
            let whole = |amount: f64, unit: f64| {
                let number = amount as u32;
                (number < WAN
                    && f64::from(number) * unit == f64::from_bits(u64::from(low) | u64::from(high) << 32))
                .then_some(number)
            };
            let one = whole(amount, 1.0).map(|number| INLINE | number);
            one.or_else(|| whole(amount / 1e4, 1e4).map(|number| INLINE | WAN | number))
        }
        _ => None,
    }
}

/// Packs the slots of a field: each behind the other, and before several which of them there are. Nothing, when there is
/// nothing in any.
fn pack_field(slots: &[DraftSlot], dictionary: &mut Dictionary, body: &mut Vec<u32>, seen: &mut Vec<u32>) {
    let is_missing =
        |slot: &DraftSlot| slot.terms.is_empty() && slot.words.is_empty() && slot.grams.is_empty();
    if slots.iter().all(is_missing) {
        return;
    }
    if slots.len() > 1 {
        let present = slots.iter().enumerate().filter(|(_, slot)| !is_missing(slot));
        body.push(present.fold(0, |present, (at, _)| present | 1 << at));
    }
    slots.iter().filter(|slot| !is_missing(slot)).for_each(|slot| pack_slot(slot, dictionary, body, seen));
}

fn pack_slot(slot: &DraftSlot, dictionary: &mut Dictionary, body: &mut Vec<u32>, seen: &mut Vec<u32>) {
    let terms = slot.terms.len().min(3);
    let chars = if slot.chars.len() > MOST_CHARS { 0 } else { slot.chars.len() };
    let numbers = slot.words.len().min(62);
    let grams = slot.grams.len().min(4_000);
    body.push(terms as u32 | (numbers as u32) << 2 | (chars as u32) << 8 | (grams as u32) << 15);
    let mut id = |&(key, term): &(u64, Term)| {
        let id = dictionary.id(key, term);
        seen.push(id);
        id
    };
    body.extend(slot.terms[..terms].iter().map(&mut id));
    body.extend(&slot.words[..numbers]);
    body.extend(slot.chars[..chars].chunks(2).map(|pair| {
        let narrow = |c: &char| {
            let wide = u32::from(*c);
            (wide ^ wide >> 16) & 0xffff
        };
        narrow(&pair[0]) | pair.get(1).map_or(0, narrow) << 16
    }));
    let start = body.len();
    body.extend(slot.grams[..grams].iter().map(&mut id));
    body[start..].sort_unstable();
}

/// How many words a body has, of a field with so many slots.
fn body_size(body: &[u32], slots: usize) -> usize {
    if slots == 1 {
        return Packed { words: body, inline: 0 }.size();
    }
    let present = body.first().map_or(0, |present| present.count_ones());
    (0..present).fold(1, |at, _| at + Packed { words: body.get(at..).unwrap_or_default(), inline: 0 }.size())
}

/// A packed record.
#[derive(Clone, Copy)]
pub struct Features<'a> {
    store: &'a Store,
    refs: &'a [u32],
}

impl<'a> Features<'a> {
    /// The slot, empty when the record has no value there.
    pub fn slot(&self, at: usize) -> Packed<'a> {
        let Place { field, at, several } = self.store.places[at];
        let place = self.refs[usize::from(field)];
        if place == 0 {
            return Packed::default();
        }
        if place & INLINE != 0 {
            return Packed { words: &[], inline: place };
        }
        let body = self.store.body(place);
        if !several {
            return Packed { words: body, inline: 0 };
        }
        let present = body[0];
        if present >> at & 1 == 0 {
            return Packed::default();
        }
        let before = (present & ((1 << at) - 1)).count_ones();
        let mut words = &body[1..];
        for _ in 0..before {
            words = words.get(Packed { words, inline: 0 }.size()..).unwrap_or_default();
        }
        Packed { words, inline: 0 }
    }

    /// Calls `each` with the terms and grams of each slot.
    pub(super) fn each_terms(&self, mut each: impl FnMut(&'a [u32])) {
        for (field, &place) in self.store.fields.iter().zip(self.refs) {
            if place == 0 || place & INLINE != 0 {
                continue;
            }
            let mut words = self.store.body(place);
            let mut slots = 1;
            if field.slots.len() > 1 {
                (slots, words) = (words[0].count_ones(), &words[1..]);
            }
            for _ in 0..slots {
                let packed = Packed { words, inline: 0 };
                each(packed.terms());
                each(packed.grams());
                words = words.get(packed.size()..).unwrap_or_default();
            }
        }
    }
}

/// One packed slot: counts (terms in 2 bits, words in 6, chars in 7, grams in 17), then each. Other slots may follow.
#[derive(Clone, Copy, Default)]
pub struct Packed<'a> {
    words: &'a [u32],
    inline: u32,
}

impl<'a> Packed<'a> {
    /// Whether nothing is known.
    pub fn is_missing(&self) -> bool {
        self.words.is_empty() && self.inline == 0
    }

    fn counts(&self) -> (usize, usize, usize, usize) {
        let Some(head) = self.words.first() else { return (0, 0, 0, 0) };
        let part = |shift: u32, mask: u32| ((head >> shift) & mask) as usize;
        (part(0, 3), part(2, 63), part(8, 127), part(15, 0x1ffff))
    }

    fn size(&self) -> usize {
        let (terms, words, chars, grams) = self.counts();
        1 + terms + words + chars.div_ceil(2) + grams
    }

    /// Ids of whole values.
    pub fn terms(&self) -> &'a [u32] {
        let (terms, ..) = self.counts();
        self.words.get(1..1 + terms).unwrap_or_default()
    }

    /// Plain words: marks, places.
    pub fn words(&self) -> &'a [u32] {
        let (terms, words, ..) = self.counts();
        self.words.get(1 + terms..1 + terms + words).unwrap_or_default()
    }

    /// First and last day of a date.
    pub fn days(&self) -> Option<(i32, i32)> {
        if self.inline != 0 {
            let day = (self.inline << 1) as i32 >> 1;
            return Some((day, day));
        }
        let [first, last] = self.words() else { return None };
        Some((*first as i32, *last as i32))
    }

    /// An amount.
    pub fn amount(&self) -> f64 {
        if self.inline != 0 {
            let unit = if self.inline & WAN != 0 { 1e4 } else { 1.0 };
            return f64::from(self.inline & (WAN - 1)) * unit;
        }
        let word = |at: usize| u64::from(self.words().get(at).copied().unwrap_or(0));
        f64::from_bits(word(0) | word(1) << 32)
    }

    /// The characters, two to a word; none when the text is too long.
    pub fn chars(&self, out: &mut [u16; 64]) -> usize {
        let (terms, words, chars, _) = self.counts();
        let start = 1 + terms + words;
        let packed = self.words.get(start..start + chars.div_ceil(2)).unwrap_or_default();
        for (pair, word) in out.chunks_mut(2).zip(packed) {
            pair[0] = *word as u16;
            pair[1] = (*word >> 16) as u16;
        }
        chars.min(64)
    }

    /// How many characters are kept.
    pub fn length(&self) -> usize {
        self.counts().2
    }

    /// Ids of grams, ascending.
    pub fn grams(&self) -> &'a [u32] {
        let (terms, words, chars, grams) = self.counts();
        let start = 1 + terms + words + chars.div_ceil(2);
        self.words.get(start..start + grams).unwrap_or_default()
    }
}
