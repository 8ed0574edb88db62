//! Which values of a row its record takes: field by field, by the rules of `merge`.
//!
//! Used for rows as they come, and again for the parts of a record that people put together or take apart: a record is
//! always what its parts give, one after the other in the order of arrival.

use std::sync::Arc;

use crate::entity::{Held, Place, Record, Source};
use crate::fields::MergeField;
use crate::part::Part;
use crate::policy::{Choice, far, majority};
use crate::value::Value;

/// The values that come, wherever from.
pub(crate) trait Incoming {
    /// Whether the field's value is this one; spares making it.
    fn is(&self, field: usize, value: &Value) -> bool;
    /// The field's value, if there is one.
    fn value(&self, field: usize) -> Option<Value>;
    /// Where it came from.
    fn place(&self, field: usize) -> Place;
    /// Its sheet column plus one; 0 if it was not read from a cell.
    fn column(&self, field: usize) -> u32;
    /// Whether a person has set it by hand.
    fn is_pinned(&self) -> bool {
        false
    }
}

impl Incoming for Part {
    fn is(&self, field: usize, value: &Value) -> bool {
        self.row.values[field].as_ref().is_some_and(|held| held.value == *value)
    }

    fn value(&self, field: usize) -> Option<Value> {
        self.row.values[field].as_ref().map(|held| held.value.clone())
    }

    fn place(&self, field: usize) -> Place {
        let at = self.row.values[field].as_ref().map_or(0, |held| held.place as usize);
        self.row.places.get(at).cloned().unwrap_or_default()
    }

    fn column(&self, field: usize) -> u32 {
        self.row.values[field].as_ref().map_or(0, |held| held.column)
    }

    fn is_pinned(&self) -> bool {
        self.is_pin()
    }
}

/// A contradiction that people should look at.
pub(crate) struct Contradiction<'a> {
    pub(crate) field: usize,
    /// What the row says.
    pub(crate) sent: &'a Value,
    /// What the record held before it.
    pub(crate) held: &'a Value,
    /// Whether the row's value was taken all the same.
    pub(crate) taken: bool,
}

/// Lets a record take what it should of a row. `votes` are the parts of the record so far, for fields that ask all
/// senders. Tells `replaced` what each changed field held, and `told` of contradictions beyond the tolerance.
pub(crate) fn merge_row(
    record: &mut Record,
    fields: &[MergeField],
    came: &impl Incoming,
    votes: &[Part],
    tolerance: f64,
    mut replaced: impl FnMut(usize, Option<Held>),
    mut told: impl FnMut(Contradiction<'_>),
) {
    for (i, field) in fields.iter().enumerate() {
        if came.is_pinned() {
            if let Some(value) = came.value(i) {
                let before = put(record, i, value, came.place(i), came.column(i));
                replaced(i, before);
            }
            continue;
        }
        let held = record.values[i].as_ref();
        if let Some(pin) = held.filter(|held| record.places[held.place as usize].source.is_pinned()) {
            // What a person has set stands; who sends something else is told.
            if let Some(sent) = came.value(i).filter(|sent| far(&pin.value, sent, tolerance)) {
                told(Contradiction { field: i, sent: &sent, held: &pin.value, taken: false });
            }
            continue;
        }
        if let Some(held) = held.filter(|held| came.is(i, &held.value)) {
            // A more trusted sender who says the same makes the value its own: then no less trusted one replaces it.
            let place = came.place(i);
            let held_by = &record.places[held.place as usize].source.sender;
            if field.choose.prefers(&place.source.sender, held_by) {
                let before = put(record, i, held.value.clone(), place, came.column(i));
                replaced(i, before);
            }
            continue;
        }
        let Some(value) = came.value(i) else { continue };
        let place = came.place(i);
        let choice = match held {
            None => Choice::Take(value),
            Some(held) if field.choose.votes() => {
                match elect(record, i, held, (&value, &place.source.sender), votes) {
                    Elected::Came if far(&held.value, &value, tolerance) => Choice::Outdo(value),
                    Elected::Came => Choice::Take(value),
                    Elected::Held if far(&held.value, &value, tolerance) => Choice::Clash(value),
                    Elected::Held => Choice::Keep,
                    Elected::Part(part) => {
                        let (value, place, column) = (part.value(i), part.place(i), part.column(i));
                        if let Some(value) = value {
                            let before = put(record, i, value, place, column);
                            replaced(i, before);
                        }
                        continue;
                    }
                }
            }
            // What a sender corrects in its own file does not count any more: the rule chooses anew among what stands.
            Some(held) if field.choose.holds_one() && corrects(record, held, &place) => {
                match standing(field, i, votes, (&value, &place.source), tolerance) {
                    None => Choice::Take(value),
                    Some(part) => {
                        let (other, place, column) = (part.value(i), part.place(i), part.column(i));
                        if let Some(other) = other {
                            if far(&other, &value, tolerance) {
                                told(Contradiction { field: i, sent: &value, held: &other, taken: false });
                            }
                            let before = put(record, i, other, place, column);
                            replaced(i, before);
                        }
                        continue;
                    }
                }
            }
            Some(held) => {
                let held_by = &record.places[held.place as usize].source.sender;
                field.choose.choose((&held.value, held_by), (value, &place.source.sender), tolerance)
            }
        };
        match (choice, held) {
            (Choice::Keep, _) | (Choice::Clash(_), None) => {}
            (Choice::Clash(sent), Some(held)) => {
                told(Contradiction { field: i, sent: &sent, held: &held.value, taken: false });
            }
            (Choice::Take(value), _) => {
                let before = put(record, i, value, place, came.column(i));
                replaced(i, before);
            }
            (Choice::Outdo(value), held) => {
                if let Some(held) = held {
                    told(Contradiction { field: i, sent: &value, held: &held.value, taken: true });
                }
                let before = put(record, i, value, place, came.column(i));
                replaced(i, before);
            }
        }
    }
}

/// The values of the record that parts make, one after the other as they came.
pub(crate) fn made_of(fields: &[MergeField], parts: &[Part], tolerance: f64) -> Record {
    let mut record = Record { values: vec![None; fields.len()], ..Record::default() };
    for (at, part) in parts.iter().enumerate() {
        merge_row(&mut record, fields, part, &parts[..at], tolerance, |_, _| {}, |_| {});
    }
    record.tidy();
    record
}

/// Who wins a vote.
enum Elected<'a> {
    Came,
    Held,
    /// An earlier part, since its rival has lost a vote.
    Part(&'a Part),
}

fn elect<'a>(
    record: &Record,
    field: usize,
    held: &Held,
    (came, came_by): (&Value, &str),
    votes: &'a [Part],
) -> Elected<'a> {
    let given = |part: &'a Part| Some((part.sender(), &part.row.values[field].as_ref()?.value, Some(part)));
    let mut ballots: Vec<(&str, &Value, Option<&Part>)> = votes.iter().filter_map(given).collect();
    if ballots.is_empty() {
        ballots.push((&record.places[held.place as usize].source.sender, &held.value, None));
    }
    ballots.push((came_by, came, None));
    match majority(ballots.iter().map(|&(sender, value, _)| (sender, value))) {
        Some(at) if at + 1 == ballots.len() => Elected::Came,
        Some(at) if *ballots[at].1 != held.value => ballots[at].2.map_or(Elected::Held, Elected::Part),
        _ => Elected::Held,
    }
}

/// Of what was said before and was not corrected since (a correction that leaves the field out corrects nothing), that which the rule prefers to the value that comes.
fn standing<'a>(
    field: &MergeField,
    at: usize,
    votes: &'a [Part],
    (came, source): (&Value, &Source),
    tolerance: f64,
) -> Option<&'a Part> {
    let of = |part: &'a Part| {
        part.row.values[at]
            .as_ref()
            .and_then(|held| part.row.places.get(held.place as usize))
            .map(|p| &*p.source)
    };
    let gone = |index: usize, part: &'a Part| {
        let mut later = votes[index + 1..].iter().filter_map(of).chain([source]);
        of(part).is_some_and(|earlier| later.any(|later| earlier.is_corrected_by(later)))
    };
    let takes = |held: (&Value, &str), came: (&Value, &str)| {
        let choice = field.choose.choose(held, (came.0.clone(), came.1), tolerance);
        matches!(choice, Choice::Take(_) | Choice::Outdo(_))
    };
    let mut best: Option<(&'a Part, &'a Value)> = None;
    for (index, part) in votes.iter().enumerate() {
        let Some(held) = part.row.values[at].as_ref().filter(|_| !gone(index, part)) else { continue };
        if best.is_none_or(|(best, value)| takes((value, best.sender()), (&held.value, part.sender()))) {
            best = Some((part, &held.value));
        }
    }
    let (part, value) = best?;
    (!takes((value, part.sender()), (came, &source.sender))).then_some(part)
}

/// Puts a value into a record and gives the one before.
fn put(record: &mut Record, field: usize, value: Value, place: Place, column: u32) -> Option<Held> {
    let last = record.places.last();
    if last.is_none_or(|last| last.row != place.row || !Arc::ptr_eq(&last.source, &place.source)) {
        record.places.push(place);
    }
    let place = record.places.len() as u32 - 1;
    record.values[field].replace(Held { value, place, column })
}

/// Whether the value that a record holds came from an earlier delivery of the same file by the same sender.
fn corrects(record: &Record, held: &Held, place: &Place) -> bool {
    record.places.get(held.place as usize).is_some_and(|before| before.source.is_corrected_by(&place.source))
}
