//! From the values of a record to the text of its slots: each kind of field is normalised its own way.
//!
//! Nothing shared is needed here, so the drafts of a batch are made on several threads.

use xxhash_rust::xxh3::xxh3_64;

use super::config::{Config, Kind};
use super::features::Slot;
use super::index::Term;
use super::normalise::marks::{self, Class, Mark};
use super::normalise::text::{self, fold, hash, plain};
use super::normalise::{company, date, identifier, money, place, regions};

/// One slot of a record before it is packed.
#[derive(Clone, Debug, Default)]
pub struct DraftSlot {
    pub(super) terms: Vec<(u64, Term)>,
    pub(super) chars: Vec<char>,
    pub(super) grams: Vec<(u64, Term)>,
    pub(super) words: Vec<u32>,
}

/// A record's slots before they are packed. Making one needs nothing shared, so it is done in parallel.
pub type Draft = Vec<DraftSlot>;

/// A number for what a record says and who says it: between equals it decides, and not which of them came first.
pub(super) fn content(draft: &Draft, source: &str) -> u32 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let slot = |hash: u64, slot: &DraftSlot| {
        let terms = slot.terms.iter().chain(&slot.grams).map(|(key, _)| *key);
        terms.chain(slot.words.iter().map(|word| u64::from(*word))).fold(mix(hash, 1), mix)
    };
    (draft.iter().fold(xxh3_64(source.as_bytes()), slot) >> 32) as u32
}

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
    out.grams.reserve(plain.len());
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
    out.grams.reserve(place.rest.len());
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
