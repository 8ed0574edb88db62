//! A record made comparable: its slots, first as text ([`Draft`]), then packed into words ([`Features`]).
//!
//! A field gives one slot or several: a name gives its text and one slot for each class of marks. Records
//! are packed into one growing store of 32-bit words, since a million of them lie in memory.

use hashbrown::HashMap;

use super::config::{Config, Kind};
use super::index::{Dictionary, Term};
use super::normalise::marks::{self, Class, Mark};
use super::normalise::text::{self, fold, hash, plain};
use super::normalise::{company, date, identifier, money, place, regions};

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

/// One slot of a record before it is packed.
#[derive(Clone, Debug, Default)]
pub struct DraftSlot {
    terms: Vec<(u64, Term)>,
    chars: Vec<char>,
    grams: Vec<(u64, Term)>,
    words: Vec<u32>,
}

/// A record's slots before they are packed. Making one needs nothing shared, so it is done in parallel.
pub type Draft = Vec<DraftSlot>;

/// Buffers used again for each record.
#[derive(Default)]
pub struct Scratch {
    folded: Vec<char>,
    rest: Vec<char>,
    plain: Vec<char>,
    full: Vec<char>,
    marks: Vec<Mark>,
}

/// Makes the draft of a record. `values` lie in the order of the fields.
pub fn draft(
    config: &Config,
    slots: &[Slot],
    values: &[Option<&str>],
    source: &str,
    scratch: &mut Scratch,
) -> Draft {
    let own = companies(config, values);
    let mut draft: Draft = vec![DraftSlot::default(); slots.len()];
    let mut at = 0;
    for (field, options) in config.fields.iter().enumerate() {
        let count = slots[at..].iter().take_while(|slot| slot.field == field).count();
        let out = &mut draft[at..at + count];
        at += count;
        let Some(value) = values.get(field).copied().flatten() else { continue };
        if out.is_empty() {
            continue;
        }
        fold(value, &mut scratch.folded);
        let seed = field as u64 + 1;
        match options.kind() {
            Kind::Name => name(scratch, &own, seed, out),
            Kind::Text | Kind::Description => {
                plain(&scratch.folded, &mut scratch.plain);
                text_slot(&scratch.plain, seed, &mut out[0]);
            }
            Kind::Company => {
                company::company(&scratch.folded, &mut scratch.full, &mut scratch.plain);
                if placeholder(&scratch.full) {
                    continue;
                }
                out[0].terms.push((keyed(hash(&scratch.full), seed << 8), Term::Value));
                text_slot(&scratch.plain, seed, &mut out[0]);
            }
            Kind::Identifier => code(scratch, identifier::identifier, seed, &mut out[0]),
            Kind::CreditCode => code(scratch, identifier::credit_code, seed, &mut out[0]),
            Kind::ProjectCode => code(scratch, identifier::project_code, seed, &mut out[0]),
            Kind::Money => {
                let named = options.units.get(source).or(options.unit.as_ref());
                let default = named.and_then(|name| money::unit(name)).unwrap_or(1.0);
                if let Some(value) = money::money(&scratch.folded, default) {
                    let bits = value.to_bits();
                    out[0].words = vec![bits as u32, (bits >> 32) as u32];
                }
            }
            Kind::Date => {
                if let Some((first, last)) = date::date(&scratch.folded) {
                    out[0].words = vec![first as u32, last as u32];
                }
            }
            Kind::Place => place_slot(&place::place(&scratch.folded), seed, &mut out[0]),
        }
    }
    draft
}

/// Full names and cores of a record's companies, to be cut from the head of its name.
fn companies(config: &Config, values: &[Option<&str>]) -> Vec<Vec<char>> {
    let mut own = Vec::new();
    if !config.fields.iter().any(|field| field.kind() == Kind::Name) {
        return own;
    }
    let given = config.fields.iter().zip(values).filter(|(field, _)| field.kind() == Kind::Company);
    for value in given.filter_map(|(_, value)| *value) {
        let (mut folded, mut full, mut core) = (Vec::new(), Vec::new(), Vec::new());
        fold(value, &mut folded);
        company::company(&folded, &mut full, &mut core);
        own.extend([folded, full, core]);
    }
    own.retain(|name| name.len() >= 2);
    own
}

fn name(scratch: &mut Scratch, own: &[Vec<char>], seed: u64, out: &mut [DraftSlot]) {
    let head = own.iter().filter(|name| scratch.folded.starts_with(name)).map(Vec::len).max().unwrap_or(0);
    if scratch.folded.len() >= head + 4 {
        scratch.folded.drain(..head);
    }
    let kept = aside(&scratch.folded, &mut scratch.marks, &mut scratch.rest);
    scratch.folded.truncate(kept);
    marks::cut(&scratch.folded, &mut scratch.marks, &mut scratch.rest);
    company::without_forms(&mut scratch.rest);
    plain(&scratch.rest, &mut scratch.plain);
    const ENDINGS: [&str; 7] = ["建设项目", "建设工程", "项目", "工程", "建设", " project", "的"];
    while let Some(shorter) =
        ENDINGS.iter().find_map(|ending| company::without_ending(&scratch.plain, ending))
    {
        scratch.plain.truncate(shorter);
    }
    let rest = regions::without(&scratch.plain);
    if rest.len() >= 4 {
        let head = scratch.plain.len() - rest.len();
        scratch.plain.drain(..head);
    }
    let mut slots = out.iter_mut();
    if let Some(slot) = slots.next() {
        text_slot(&scratch.plain, seed, slot);
    }
    for class in [Class::Phase, Class::Lot, Class::Quantity, Class::Serial, Class::Action] {
        if let Some(slot) = slots.next() {
            let of_class = scratch.marks.iter().filter(|mark| mark.class == class);
            slot.words = of_class.flat_map(|mark| [mark.of, mark.value]).collect();
        }
    }
    if let Some(slot) = slots.next() {
        let numbers = scratch.plain.split(|c| !c.is_ascii_digit()).filter(|run| !run.is_empty());
        slot.words = numbers.map(|run| hash(run) as u32).collect();
        slot.words.sort_unstable();
        slot.words.dedup();
    }
}

/// The length of a name without a remark in brackets at its end. A phase, a lot or a section (A至B) in
/// brackets is no remark.
fn aside(folded: &[char], marks: &mut Vec<Mark>, rest: &mut Vec<char>) -> usize {
    let open = folded.iter().rposition(|c| *c == '(').filter(|open| *open >= 4);
    let Some(open) = open.filter(|_| folded.last() == Some(&')')) else { return folded.len() };
    let inside = &folded[open + 1..folded.len() - 1];
    marks::cut(inside, marks, rest);
    let tells = marks.iter().any(|mark| matches!(mark.class, Class::Phase | Class::Lot));
    let section = inside.iter().any(|c| matches!(c, '至' | '-'));
    if tells || section || rest.is_empty() { folded.len() } else { open }
}

fn text_slot(plain: &[char], seed: u64, out: &mut DraftSlot) {
    if placeholder(plain) {
        out.terms.clear();
        return;
    }
    out.terms.push((keyed(hash(plain), seed), Term::Value));
    out.chars.extend_from_slice(plain);
    text::grams(plain, |gram, term| out.grams.push((gram, term)));
    out.grams.sort_unstable();
    out.grams.dedup();
}

fn code(scratch: &mut Scratch, normalise: impl Fn(&[char], &mut Vec<char>), seed: u64, out: &mut DraftSlot) {
    normalise(&scratch.folded, &mut scratch.plain);
    if !scratch.plain.is_empty() {
        out.terms.push((keyed(hash(&scratch.plain), seed), Term::Value));
        out.chars.extend_from_slice(&scratch.plain);
    }
}

/// Words of a place: road with number, road, district, number; 0 for what is not named.
fn place_slot(place: &place::Place, seed: u64, out: &mut DraftSlot) {
    if placeholder(&place.rest) && place.district.is_empty() {
        return;
    }
    let part = |chars: &[char]| if chars.is_empty() { 0 } else { (hash(chars) as u32).max(1) };
    out.words = vec![part(&place.road), part(&place.number), part(&place.district)];
    if !place.road.is_empty() {
        let road = [place.road.as_slice(), &['/'], place.number.as_slice()].concat();
        out.terms.push((keyed(hash(&road), seed), Term::Value));
    }
    text::grams(&place.rest, |gram, term| out.grams.push((gram, term)));
    out.grams.sort_unstable();
    out.grams.dedup();
    out.chars.extend_from_slice(&place.road);
}

/// 无, 暂无, n/a and the like say nothing.
fn placeholder(plain: &[char]) -> bool {
    const NOTHING: [&str; 10] = ["无", "暂无", "不详", "未知", "空", "na", "n a", "none", "null", "nan"];
    plain.is_empty() || plain.len() <= 4 && NOTHING.contains(&plain.iter().collect::<String>().as_str())
}

fn keyed(hash: u64, seed: u64) -> u64 {
    (hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).rotate_left(17)
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
    fn push(&mut self, words: &[u32]) -> Handle {
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

/// Packs a draft, giving its terms their numbers.
pub fn pack(
    draft: &Draft,
    dictionary: &mut Dictionary,
    store: &mut Store,
    seen: &mut HashMap<u32, ()>,
) -> Handle {
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
            if seen.insert(id, ()).is_none() {
                dictionary.count(id);
            }
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
    store.push(&words)
}
