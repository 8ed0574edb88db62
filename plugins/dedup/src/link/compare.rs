//! Two records compared slot by slot. Each slot gives a level, 1 the best, 0 when a value is missing;
//! the levels of a pair pack into one number, four bits each.

use super::features::{Compare, MOST_SLOTS, Slot};
use super::index::Dictionary;
use super::likeness::{self, Left, Likeness};
use super::packed::Packed;
use super::store::Features;

/// The levels of all slots of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(pub u64);

impl Pattern {
    /// The level of a slot.
    pub fn level(self, slot: usize) -> usize {
        (self.0 >> (4 * slot) & 15) as usize
    }

    /// Whether a discriminator differs: then the two are never one thing.
    pub fn vetoed(self, slots: &[Slot]) -> bool {
        slots
            .iter()
            .enumerate()
            .any(|(at, slot)| matches!(slot.compare, Compare::Marks(_)) && self.level(at) == DIFFERENT)
    }
}

/// The level of a mark that differs.
pub const DIFFERENT: usize = 3;

/// How many levels a comparison has.
pub fn levels(compare: Compare) -> usize {
    match compare {
        Compare::Text | Compare::Company | Compare::Description | Compare::Place => 8,
        Compare::Identifier => 4,
        Compare::Money => 6,
        Compare::Date | Compare::Numbers => 5,
        Compare::Marks(_) | Compare::Action => 3,
    }
}

/// A record that is compared with several others: its slots, looked for once, and what its grams weigh, as far as `left`
/// has [begun](Left::begin) with it.
pub struct Own<'a> {
    pub(super) record: u32,
    features: Features<'a>,
    pub(super) slots: [Packed<'a>; MOST_SLOTS],
    left: &'a mut Left,
}

impl<'a> Own<'a> {
    /// A record by its number.
    pub fn new(record: u32, features: Features<'a>, left: &'a mut Left) -> Self {
        Self { record, features, slots: features.slots(), left }
    }

    /// The slots of another record. What both say in one body is not looked for again.
    pub(super) fn slots_of(&self, other: Features<'a>) -> [Packed<'a>; MOST_SLOTS] {
        other.slots_beside(self.features, &self.slots)
    }
}

/// Compares a record with the slots of another one.
pub fn compare(
    slots: &[Slot],
    dictionary: &Dictionary,
    own: &mut Own<'_>,
    other: &[Packed<'_>; MOST_SLOTS],
) -> Pattern {
    let mut packed = 0;
    let both = own.slots.iter().zip(other);
    for ((at, slot), (a, b)) in slots.iter().enumerate().zip(both) {
        let likeness = || likeness::level(dictionary, own.left, at, a.grams(), b.grams());
        let level = level(slot.compare, dictionary, (*a, *b), likeness);
        packed |= (level as u64) << (4 * at);
    }
    Pattern(packed)
}

fn level(
    compare: Compare,
    dictionary: &Dictionary,
    (a, b): (Packed<'_>, Packed<'_>),
    likeness: impl FnOnce() -> usize,
) -> usize {
    let missing = (a.is_missing(), b.is_missing());
    match (compare, missing) {
        (_, (true, true)) => 0,
        (Compare::Marks(_) | Compare::Action, (true, _) | (_, true)) => 2,
        (Compare::Numbers, (true, _) | (_, true)) => 4,
        (_, (true, _) | (_, true)) => 0,
        (Compare::Text | Compare::Description, _) => text(a, b, likeness),
        (Compare::Company, _) => company(a, b, likeness),
        (Compare::Identifier, _) => identifier(dictionary, a, b),
        (Compare::Money, _) => money(a.amount(), b.amount()),
        (Compare::Date, _) => a.days().zip(b.days()).map_or(0, |(a, b)| date(a, b)),
        (Compare::Place, _) => place(dictionary, a, b),
        (Compare::Marks(_) | Compare::Action, _) => marks(a.words(), b.words()),
        (Compare::Numbers, _) => numbers(a.words(), b.words()),
    }
}

fn text(a: Packed<'_>, b: Packed<'_>, likeness: impl FnOnce() -> usize) -> usize {
    if a.terms().first() == b.terms().first() {
        return 1;
    }
    if one_edit(a, b) {
        return 2;
    }
    if begins(a, b) {
        return 3;
    }
    likeness()
}

/// Whether one begins with the other and says only one or two characters more.
fn begins(a: Packed<'_>, b: Packed<'_>) -> bool {
    let shorter = a.length().min(b.length());
    if shorter < 4 || a.length().max(b.length()) > shorter + 2 {
        return false;
    }
    let (mut left, mut right) = ([0; 64], [0; 64]);
    a.chars(&mut left);
    b.chars(&mut right);
    left[..shorter] == right[..shorter]
}

fn company(a: Packed<'_>, b: Packed<'_>, likeness: impl FnOnce() -> usize) -> usize {
    if a.terms().first() == b.terms().first() {
        return 1;
    }
    if a.terms().get(1) == b.terms().get(1) {
        return 2;
    }
    if one_edit(a, b) {
        return 3;
    }
    match likeness() {
        3 | 4 => 4,
        level => level,
    }
}

fn identifier(dictionary: &Dictionary, a: Packed<'_>, b: Packed<'_>) -> usize {
    let generic = |value: Packed<'_>| value.terms().first().is_some_and(|&term| dictionary.is_generic(term));
    if generic(a) || generic(b) {
        return 0;
    }
    if a.terms().first() == b.terms().first() {
        return 1;
    }
    if one_edit(a, b) {
        return 2;
    }
    let (mut left, mut right) = ([0; 64], [0; 64]);
    let shorter = a.chars(&mut left).min(b.chars(&mut right));
    if shorter >= 8 && a.length() != b.length() && left[..shorter] == right[..shorter] { 3 } else { 4 }
}

fn money(a: f64, b: f64) -> usize {
    let ratio = a.max(b) / a.min(b).max(f64::MIN_POSITIVE);
    match ratio {
        ratio if ratio <= 1.001 => 1,
        ratio if ratio <= 1.02 => 2,
        ratio if ratio <= 1.15 => 3,
        // One of the two was written in the wrong unit.
        ratio if (ratio / 1e4 - 1.0).abs() <= 0.001 => 4,
        ratio if ratio <= 1.5 => 5,
        _ => 6,
    }
}

/// First and last day of each.
fn date((a0, a1): (i32, i32), (b0, b1): (i32, i32)) -> usize {
    if (a0, a1) == (b0, b1) {
        return 1;
    }
    // Two months or years that do not overlap are as far apart as their beginnings.
    let gap = if a0.max(b0) <= a1.min(b1) { 0 } else { a0.abs_diff(b0) };
    match gap {
        ..=2 => 2,
        3..=32 => 3,
        _ if a0 == a1 && b0 == b1 && slip(a0, b0) => 3,
        33..=372 => 4,
        _ => 5,
    }
}

/// Whether two days differ, as they are written, in one digit or in two neighbours that changed places.
fn slip(a: i32, b: i32) -> bool {
    let (a, b) = (digits(a), digits(b));
    let mut apart = (0..8).filter(|&at| a[at] != b[at]);
    match (apart.next(), apart.next(), apart.next()) {
        (Some(_), None, _) => true,
        (Some(at), Some(next), None) => next == at + 1 && a[at] == b[next] && a[next] == b[at],
        _ => false,
    }
}

/// A day's year, month and day as eight digits.
fn digits(day: i32) -> [u8; 8] {
    let (year, month, day) = super::normalise::date::civil(day);
    let mut number = (year * 100 + i64::from(month)) * 100 + i64::from(day);
    let mut digits = [0; 8];
    for digit in digits.iter_mut().rev() {
        *digit = (number % 10) as u8;
        number /= 10;
    }
    digits
}

fn place(dictionary: &Dictionary, a: Packed<'_>, b: Packed<'_>) -> usize {
    let (&[road_a, number_a, district_a], &[road_b, number_b, district_b]) = (a.words(), b.words()) else {
        return 0;
    };
    let number = number_a == number_b && number_a != 0;
    if road_a == road_b && road_a != 0 {
        return match (number, number_a == 0 || number_b == 0) {
            (true, _) => 1,
            (_, true) => 3,
            _ => 4,
        };
    }
    if number && one_edit(a, b) {
        return 2;
    }
    if (road_a == 0 || road_b == 0) && Likeness::of(dictionary, a.grams(), b.grams()).cosine >= 0.6 {
        return 5;
    }
    match (district_a == district_b, district_a == 0 || district_b == 0) {
        (_, true) => 7,
        (true, _) => 6,
        _ => 8,
    }
}

/// Marks are pairs of what is counted and the value, ascending.
fn marks(a: &[u32], b: &[u32]) -> usize {
    let (mut same, mut missing) = (false, false);
    for (here, there) in [(a, b), (b, a)] {
        for mark in here.chunks(2) {
            let mut of = there.chunks(2).filter(|other| other[0] == mark[0]).peekable();
            if of.peek().is_none() {
                missing = true;
            } else if of.any(|other| other == mark) {
                same = true;
            } else {
                return DIFFERENT;
            }
        }
    }
    if same && !missing { 1 } else { 2 }
}

fn numbers(a: &[u32], b: &[u32]) -> usize {
    let both = a.iter().filter(|number| b.contains(number)).count();
    match both {
        both if both == a.len() && both == b.len() => 1,
        both if both == a.len() || both == b.len() => 2,
        0 => 5,
        _ => 3,
    }
}

/// Whether one insertion, deletion, replacement or swap makes the two equal.
fn one_edit(a: Packed<'_>, b: Packed<'_>) -> bool {
    let (length_a, length_b) = (a.length(), b.length());
    if length_a.abs_diff(length_b) > 1 || length_a.min(length_b) < 2 {
        return false;
    }
    let (mut left, mut right) = ([0; 64], [0; 64]);
    let (length_a, length_b) = (a.chars(&mut left), b.chars(&mut right));
    let (a, b) = (&left[..length_a], &right[..length_b]);
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    match (a, b) {
        ([_] | [], [_] | []) => true,
        ([a0, a1], [b0, b1]) => a0 == b1 && a1 == b0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::normalise::date::date as day;

    #[test]
    fn a_slip_of_the_pen_in_a_date_is_no_other_date() {
        let level = |a: &str, b: &str| {
            let days = |text: &str| day(&text.chars().collect::<Vec<_>>()).unwrap();
            date(days(a), days(b))
        };
        let table = [
            ("19560409", "19560409", 1),
            ("19560409", "19560411", 2),
            ("19560409", "19460409", 3), // one digit
            ("19560409", "19650409", 3), // two digits changed places
            ("19560409", "19560904", 4), // neither, and half a year apart
            ("19560409", "19830409", 5),
            ("1956", "1957", 4), // years, not days
        ];
        for (a, b, expected) in table {
            assert_eq!(level(a, b), expected, "{a} {b}");
        }
    }
}
