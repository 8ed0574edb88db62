//! A record made comparable: its slots, first as text ([`Draft`]), then packed into words ([`Features`]).
//! How text becomes slots is in [`super::draft`].
//!
//! A field gives one slot or several: a name gives its text and one slot for each class of marks. Records
//! are packed into one growing store of 32-bit words, since a million of them lie in memory.

use super::config::{Config, Kind};
use super::draft::Draft;
use super::index::{Dictionary, Term};
use super::normalise::marks::Class;

/// Characters of a text that are kept for counting edits; longer texts are compared by grams only.
const MOST_CHARS: usize = 64;

/// How a slot is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Text by equality, edits and grams.
    Text,
    /// Long text by grams.
    Description,
    /// Company by full name, core, and grams.
    Company,
    /// Code by equality and edits.
    Identifier,
    /// Amount by ratio.
    Money,
    /// Date by distance.
    Date,
    /// Address by road, number and district.
    Place,
    /// Discriminators that veto.
    Marks(Class),
    /// What is done (扩建, 迁建): speaks, but does not veto.
    Action,
    /// Numbers in a text that are no marks.
    Numbers,
}

impl Compare {
    /// All of them, in the order of their numbers: what is kept for good names them so.
    const ALL: [Self; 14] = [
        Self::Text,
        Self::Description,
        Self::Company,
        Self::Identifier,
        Self::Money,
        Self::Date,
        Self::Place,
        Self::Action,
        Self::Numbers,
        Self::Marks(Class::Phase),
        Self::Marks(Class::Lot),
        Self::Marks(Class::Quantity),
        Self::Marks(Class::Serial),
        Self::Marks(Class::Action),
    ];

    /// Its number.
    pub fn number(self) -> u8 {
        Self::ALL.iter().position(|known| *known == self).unwrap_or_default() as u8
    }

    /// From its number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// One thing that is compared.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Which field of the configuration it comes from.
    pub field: usize,
    /// How it is compared.
    pub compare: Compare,
    /// The group of evidence it belongs to.
    pub group: Option<usize>,
}

/// Slots whose levels fit into one pattern.
pub(super) const MOST_SLOTS: usize = 16;

/// How many slots a field of a kind takes.
pub(super) fn width(kind: Kind) -> usize {
    if kind == Kind::Name { 7 } else { 1 }
}

/// The slots that a configuration asks for.
pub fn slots(config: &Config) -> Vec<Slot> {
    let mut groups: Vec<&str> = Vec::new();
    let mut slots = Vec::new();
    for (field, options) in config.fields.iter().enumerate() {
        let group = options.group.as_deref().map(|name| {
            groups.iter().position(|known| *known == name).unwrap_or_else(|| {
                groups.push(name);
                groups.len() - 1
            })
        });
        let mut add = |compare, group| slots.push(Slot { field, compare, group });
        match options.kind() {
            Kind::Name => {
                add(Compare::Text, group);
                let classes = [Class::Phase, Class::Lot, Class::Quantity, Class::Serial];
                classes.into_iter().for_each(|class| add(Compare::Marks(class), None));
                add(Compare::Action, None);
                add(Compare::Numbers, None);
            }
            Kind::Text => add(Compare::Text, group),
            Kind::Description => add(Compare::Description, group),
            Kind::Company => add(Compare::Company, group),
            Kind::Identifier | Kind::CreditCode | Kind::ProjectCode => add(Compare::Identifier, group),
            Kind::Money => add(Compare::Money, group),
            Kind::Date => add(Compare::Date, group),
            Kind::Place => add(Compare::Place, group),
        }
    }
    slots.truncate(MOST_SLOTS);
    slots
}

/// Where a record's words lie.
pub type Handle = u32;

/// All records' words, in blocks that never move.
#[derive(Default)]
pub struct Store {
    blocks: Vec<Vec<u32>>,
}

const BLOCK: usize = 1 << 20;

impl Store {
    pub(super) fn push(&mut self, words: &[u32]) -> Handle {
        // A record longer than a block cannot come here: texts are cut before.
        if self.blocks.last().is_none_or(|block| block.len() + words.len() > BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let at = block.len();
        block.extend_from_slice(words);
        (number * BLOCK + at) as Handle
    }

    /// The features of a record.
    pub fn get(&self, handle: Handle) -> Features<'_> {
        let block = &self.blocks[handle as usize / BLOCK];
        Features { words: &block[handle as usize % BLOCK..] }
    }
}

/// A packed record. Word i is the offset of slot i; the slots follow.
#[derive(Clone, Copy)]
pub struct Features<'a> {
    words: &'a [u32],
}

/// One packed slot.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    words: &'a [u32],
}

impl<'a> Features<'a> {
    /// The slot, empty when the record has no value there.
    pub fn slot(&self, at: usize) -> Packed<'a> {
        let (from, to) = (self.words[at] as usize, self.words[at + 1] as usize);
        Packed { words: &self.words[from..to] }
    }
}

impl<'a> Features<'a> {
    /// All words of a record that has so many slots.
    pub(super) fn words(&self, slots: usize) -> &'a [u32] {
        &self.words[..self.words[slots] as usize]
    }
}

/// Layout of a slot: counts (terms, words, chars, grams: a byte each but the grams, two), then each.
impl<'a> Packed<'a> {
    /// Whether nothing is known.
    pub fn is_missing(&self) -> bool {
        self.words.is_empty()
    }

    fn counts(&self) -> (usize, usize, usize, usize) {
        let Some(head) = self.words.first() else { return (0, 0, 0, 0) };
        let byte = |shift: u32, mask: u32| ((head >> shift) & mask) as usize;
        (byte(0, 3), byte(2, 63), byte(8, 127), byte(15, 0x1ffff))
    }

    /// Ids of whole values.
    pub fn terms(&self) -> &'a [u32] {
        let (terms, ..) = self.counts();
        self.words.get(1..1 + terms).unwrap_or_default()
    }

    /// Plain words: amounts, days, marks.
    pub fn words(&self) -> &'a [u32] {
        let (terms, words, ..) = self.counts();
        self.words.get(1 + terms..1 + terms + words).unwrap_or_default()
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

/// Packs a draft, giving its terms their numbers; `seen` is what terms it has, ascending.
pub fn pack(draft: &Draft, dictionary: &mut Dictionary, store: &mut Store, seen: &mut Vec<u32>) -> Handle {
    let mut words: Vec<u32> = vec![0; draft.len() + 1];
    seen.clear();
    for (at, slot) in draft.iter().enumerate() {
        words[at] = words.len() as u32;
        if slot.terms.is_empty() && slot.words.is_empty() && slot.grams.is_empty() {
            continue;
        }
        let chars = if slot.chars.len() > MOST_CHARS { 0 } else { slot.chars.len() };
        let numbers = slot.words.len().min(62);
        let grams = slot.grams.len().min(4_000);
        words.push(
            (slot.terms.len() as u32 & 3)
                | (numbers as u32) << 2
                | (chars as u32) << 8
                | (grams as u32) << 15,
        );
        let mut id = |&(key, term): &(u64, Term)| {
            let id = dictionary.id(key, term);
            seen.push(id);
            id
        };
        words.extend(slot.terms.iter().take(3).map(&mut id));
        words.extend(&slot.words[..numbers]);
        words.extend(slot.chars[..chars].chunks(2).map(|pair| {
            let narrow = |c: &char| {
                let wide = u32::from(*c);
                (wide ^ wide >> 16) & 0xffff
            };
            narrow(&pair[0]) | pair.get(1).map_or(0, narrow) << 16
        }));
        let start = words.len();
        words.extend(slot.grams[..grams].iter().map(&mut id));
        words[start..].sort_unstable();
    }
    let end = words.len() as u32;
    words[draft.len()] = end;
    seen.sort_unstable();
    seen.dedup();
    store.push(&words)
}
