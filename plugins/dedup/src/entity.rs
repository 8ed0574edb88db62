//! A unified record and the origin of each of its values, in memory and as kept bytes.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use huiliu_stage::{StageError, json};

use crate::codec::{Input, bytes, encode_value, int};
use crate::value::Value;

/// In the place of a delivery's id: no delivery is called so.
const PINNED: &str = "pinned";

/// Where rows came from, the same for a whole batch and sheet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) delivery: String,
    pub(crate) sender: String,
    pub(crate) file: String,
    pub(crate) sheet: String,
    pub(crate) received_ms: i64,
    /// The part of its JSON before the cell and the part after; the same for very many values.
    json: OnceLock<(String, String)>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.received_ms == other.received_ms
            && (&self.delivery, &self.sender, &self.file, &self.sheet)
                == (&other.delivery, &other.sender, &other.file, &other.sheet)
    }
}

impl Source {
    pub(crate) fn new(delivery: &str, sender: &str, file: &str, sheet: &str, received_ms: i64) -> Self {
        let [delivery, sender, file, sheet] = [delivery, sender, file, sheet].map(str::to_owned);
        Self { delivery, sender, file, sheet, received_ms, json: OnceLock::new() }
    }

    /// That of a value which a person has set by hand: the person stands in the place of the sender.
    pub(crate) fn pinned(by: &str, at_ms: i64) -> Self {
        Self::new(PINNED, by, "", "", at_ms)
    }

    /// Whether a person has set the value by hand.
    pub(crate) fn is_pinned(&self) -> bool {
        self.delivery == PINNED
    }

    /// Whether `later` is another delivery of the same file by the same sender: a correction of this one.
    pub(crate) fn is_corrected_by(&self, later: &Self) -> bool {
        !self.file.is_empty()
            && self.delivery != later.delivery
            && (&self.sender, &self.file) == (&later.sender, &later.file)
    }

    /// The same delivery, another sheet.
    pub(crate) fn with_sheet(&self, sheet: &str) -> Self {
        Self::new(&self.delivery, &self.sender, &self.file, sheet, self.received_ms)
    }

    /// Appends the origin of a value from this source as JSON. `column` counts from 1; 0 is no cell.
    pub(crate) fn write(&self, out: &mut String, column: u32, row: u32) {
        let (before, after) = self.json.get_or_init(|| self.json_parts());
        out.push_str(before);
        if column == 0 {
            out.push_str("null");
        } else {
            out.push('"');
            write_cell(out, column, row);
            out.push('"');
        }
        out.push_str(after);
    }

    fn json_parts(&self) -> (String, String) {
        let mut before = String::new();
        let parts = [
            ("{\"delivery\":", &self.delivery),
            (",\"sender\":", &self.sender),
            (",\"file\":", &self.file),
            (",\"sheet\":", &self.sheet),
        ];
        for (name, text) in parts {
            before.push_str(name);
            json::write_text(&mut before, text);
        }
        before.push_str(",\"cell\":");
        (before, format!(",\"received_ms\":{}}}", self.received_ms))
    }
}

/// Appends `C5` for column 3 and row 5, without memory of its own.
fn write_cell(out: &mut String, column: u32, row: u32) {
    let mut letters = [b'A'; 7];
    let (mut rest, mut at) = (column, letters.len());
    while rest > 0 {
        at -= 1;
        letters[at] = b'A' + ((rest - 1) % 26) as u8;
        rest = (rest - 1) / 26;
    }
    out.extend(letters[at..].iter().map(|&letter| char::from(letter)));
    // Writing to a String cannot fail.
    let _ = write!(out, "{row}");
}

/// A row of a source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) source: Arc<Source>,
    /// Its number as the sender sees it.
    pub(crate) row: u32,
}

/// A value that a record holds.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) value: Value,
    /// Index into the record's places.
    pub(crate) place: u32,
    /// Sheet column plus one; 0 if the value was not read from a cell.
    pub(crate) column: u32,
}

/// A unified record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// How often it was given out.
    pub(crate) revision: i64,
    pub(crate) places: Vec<Place>,
    /// In the order of the layout.
    pub(crate) values: Vec<Option<Held>>,
    /// The place of its first row among all rows that made something new; 0 for what was kept before there was any.
    pub(crate) order: u64,
    /// Whether parts of it are kept; else it is its own only one.
    pub(crate) parted: bool,
    /// When it was last given out: a hash of the delivery, and the `_row` it was given under.
    pub(crate) given: Option<(u32, i64)>,
}

impl Record {
    /// Appends the bytes that are kept. Places that no value names are left out.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut renumbered = vec![u32::MAX; self.places.len()];
        let mut used = Vec::new();
        for held in self.values.iter().flatten() {
            if renumbered[held.place as usize] == u32::MAX {
                renumbered[held.place as usize] = used.len() as u32;
                used.push(held.place);
            }
        }
        int(out, self.revision as u64);
        int(out, used.len() as u64);
        for (i, &at) in used.iter().enumerate() {
            let place = &self.places[at as usize];
            // The source of the place before, mostly: written once.
            let same = i > 0 && {
                let before = &self.places[used[i - 1] as usize].source;
                Arc::ptr_eq(before, &place.source) || before == &place.source
            };
            out.push(u8::from(same));
            if !same {
                for text in
                    [&place.source.delivery, &place.source.sender, &place.source.file, &place.source.sheet]
                {
                    bytes(out, text.as_bytes());
                }
                out.extend_from_slice(&place.source.received_ms.to_le_bytes());
            }
            int(out, u64::from(place.row));
        }
        for held in &self.values {
            match held {
                None => out.push(0),
                Some(held) => {
                    encode_value(out, &held.value);
                    int(out, u64::from(renumbered[held.place as usize]));
                    int(out, u64::from(held.column));
                }
            }
        }
        if self.order > 0 || self.parted || self.given.is_some() {
            int(out, self.order << 1 | u64::from(self.parted));
        }
        if let Some((delivery, row)) = self.given {
            out.extend_from_slice(&delivery.to_le_bytes());
            int(out, row as u64);
        }
    }

    /// From kept bytes of a layout with `fields` fields.
    pub(crate) fn decode(kept: &[u8], fields: usize) -> Option<Self> {
        let mut input = Input::new(kept);
        let revision = input.int()? as i64;
        let count = input.int()?;
        let mut places: Vec<Place> = Vec::new();
        for _ in 0..count {
            let source = if input.byte()? == 1 {
                places.last()?.source.clone()
            } else {
                let [delivery, sender, file, sheet] =
                    [input.text()?, input.text()?, input.text()?, input.text()?];
                let received_ms = i64::from_le_bytes(input.fixed()?);
                Arc::new(Source::new(delivery, sender, file, sheet, received_ms))
            };
            places.push(Place { source, row: u32::try_from(input.int()?).ok()? });
        }
        let mut values = Vec::with_capacity(fields);
        for _ in 0..fields {
            values.push(match input.value()? {
                None => None,
                Some(value) => {
                    let place =
                        u32::try_from(input.int()?).ok().filter(|&at| (at as usize) < places.len())?;
                    Some(Held { value, place, column: u32::try_from(input.int()?).ok()? })
                }
            });
        }
        let order = if input.is_empty() { 0 } else { input.int()? };
        let (order, parted) = (order >> 1, order & 1 == 1);
        let given = match input.is_empty() {
            true => None,
            false => Some((u32::from_le_bytes(input.fixed()?), input.int()? as i64)),
        };
        input.is_empty().then_some(Self { revision, places, values, order, parted, given })
    }

    /// Forgets places that no value names any more.
    pub(crate) fn tidy(&mut self) {
        if self.places.len() <= 1 {
            return;
        }
        let mut renumbered = vec![u32::MAX; self.places.len()];
        let mut used = Vec::new();
        for held in self.values.iter_mut().flatten() {
            let at = held.place as usize;
            if renumbered[at] == u32::MAX {
                renumbered[at] = used.len() as u32;
                used.push(self.places[at].clone());
            }
            held.place = renumbered[at];
        }
        self.places = used;
    }
}

/// What to say of a record whose bytes make no sense.
pub(crate) fn broken(id: impl std::fmt::Display) -> StageError {
    StageError::new(format!("the kept state of record `{id}` cannot be read"))
}
