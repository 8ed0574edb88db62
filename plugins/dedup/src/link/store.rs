//! What is compared of all records, packed into 32-bit words: a million of them lie in memory.
//!
//! What a record has in one field is a body: the [packed](Packed) slots of that field. A body lies in one growing row of
//! words, and a record has for each field the place of its body. Records that say the same in a field share one body:
//! most companies, codes and dates come again and again. A day or an amount mostly needs no body: it is said in the
//! place itself.

mod record;

use super::draft::{Draft, DraftSlot};
use super::features::{Compare, Slot};
use super::index::{Dictionary, Term};
use super::packed::{INLINE, Packed, WAN};
pub use record::Features;

/// Characters of a text that are kept for counting edits; longer texts are compared by grams only.
const MOST_CHARS: usize = 64;
/// Records whose body is looked at, for one that says the same.
const LOOKED_AT: usize = 4;
/// Words that come into the cache together.
const LINE: usize = 16;
const BLOCK: usize = if cfg!(test) { 1 << 13 } else { 1 << 20 };

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

    /// Has what is compared of some records with one come into the cache, all at once: asked for one after the other, each
    /// would be waited for. Bodies that it shares with them are there.
    pub(super) fn fetch(&self, own: u32, records: impl Iterator<Item = u32> + Clone) {
        let places = records.clone().flat_map(|record| self.refs_of(record));
        let seen = places.fold(0, |seen, place| seen ^ place);
        let pairs = records.flat_map(|record| self.refs_of(record).iter().zip(self.refs_of(own)));
        let bodies = pairs.filter(|(place, own)| *place != *own && **place & INLINE == 0);
        std::hint::black_box(bodies.fold(seen, |seen, (&place, _)| {
            let body = self.body(place);
            seen ^ body.first().unwrap_or(&0)
                ^ body.get(LINE).unwrap_or(&0)
                ^ body.get(2 * LINE).unwrap_or(&0)
        }));
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
        // Some sixty million records. The host holds a panic back; wrong places would be compared without a word.
        assert!(at < INLINE, "the linkage knows more than it has room for");
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
        let first = Packed::of(&body[usize::from(self.fields[field].slots.len() > 1)..]);
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
            let bits = u64::from(low) | u64::from(high) << 32;
            [(1.0, INLINE), (1e4, INLINE | WAN)].into_iter().find_map(|(unit, mark)| {
                let number = (f64::from_bits(bits) / unit).round() as u32;
                (number < WAN && (f64::from(number) * unit).to_bits() == bits).then_some(mark | number)
            })
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
        return Packed::of(body).size();
    }
    let present = body.first().map_or(0, |present| present.count_ones());
    (0..present).fold(1, |at, _| at + Packed::of(body.get(at..).unwrap_or_default()).size())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is compared of a value that is two words.
    fn said(compare: Compare, words: [u32; 2], read: impl Fn(Packed<'_>) -> u64) -> u64 {
        let mut store = Store::new(&[Slot { field: 0, compare, group: None }]);
        let draft = vec![DraftSlot { words: words.to_vec(), ..DraftSlot::default() }];
        store.pack(&draft, &mut Dictionary::default(), &mut Vec::new());
        assert!(!store.get(0).slot(0).is_missing());
        read(store.get(0).slot(0))
    }

    fn amount(amount: f64) -> f64 {
        let words = [amount.to_bits() as u32, (amount.to_bits() >> 32) as u32];
        f64::from_bits(said(Compare::Money, words, |slot| slot.amount().to_bits()))
    }

    #[test]
    fn usual_amounts_and_days_need_no_body() {
        for value in [0.0f64, 1.0, 387_000.0, 4_202_000_000.0, 99_990_000_000.0] {
            let words = [value.to_bits() as u32, (value.to_bits() >> 32) as u32];
            let slot = DraftSlot { words: words.to_vec(), ..DraftSlot::default() };
            assert!(inline(Compare::Money, &slot).is_some(), "{value}");
        }
        let day = |first: i32, last: i32| DraftSlot {
            words: vec![first as u32, last as u32],
            ..DraftSlot::default()
        };
        assert!(inline(Compare::Date, &day(19_000, 19_000)).is_some());
        assert!(inline(Compare::Date, &day(-19_000, -19_000)).is_some());
        assert!(inline(Compare::Date, &day(19_000, 19_030)).is_none(), "a month is two days");
    }

    proptest! {
        #[test]
        fn an_amount_is_compared_as_it_was_said(number in any::<f64>(), whole in 0..u64::MAX >> 16, tens in 0..12) {
            let whole = whole as f64 / 10f64.powi(tens);
            for value in [number, whole, whole.round(), (whole / 1e4).round() * 1e4] {
                prop_assert_eq!(amount(value).to_bits(), value.to_bits());
            }
        }

        #[test]
        fn days_are_compared_as_they_were_said(first in any::<i32>(), length in 0..400i32, near in -40_000..40_000i32) {
            for day in [first, near, 0] {
                for last in [day, day.saturating_add(length)] {
                    let read = |slot: Packed<'_>| slot.days().map_or(0, |(a, b)| u64::from(a as u32) << 32 | u64::from(b as u32));
                    let found = said(Compare::Date, [day as u32, last as u32], read);
                    prop_assert_eq!((found >> 32) as u32 as i32, day);
                    prop_assert_eq!(found as u32 as i32, last);
                }
            }
        }
    }
}
