//! Why a row is where it is, as it is kept: numbers that become words when somebody asks.
//!
//! | state key | value |
//! |---|---|
//! | `e/` + id + `w` + number of the row (4 bytes) + place (1 byte) | a [`Reason`]: beside the record, so that both are one page |
//! | `y/` + hash (8 bytes) | what was compared, as JSON: the fields, and for each slot its field and the number of its comparison |
//!
//! The two rows themselves are kept once, by the linkage. States of before hold whole texts as JSON under `w/` + id.

use huiliu_stage::{Host, HostError, StageError};
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::Input;
use crate::inspect::{Compared, Line, Why};
use crate::kept::{self, KeptRow};
use crate::link::compare::Pattern;
use crate::link::explain;
use crate::link::features::Compare;
use crate::link::online::Found;
use crate::link::{Linker, explain::weights};
use crate::linked::row_key;
use crate::records::{RecordId, of_record};

const VERSION: u8 = 1;
const ANSWERS: [&str; 3] = ["match", "review", "apart"];

/// What was compared, and how: (fields, slots as field and comparison).
type Described = (Vec<String>, Vec<(usize, u8)>);

/// What a linkage compares, noted once.
#[derive(Default)]
pub(crate) struct Reasons {
    noted: Option<[u8; 8]>,
}

impl Reasons {
    /// Notes why a row, which is to be kept under this number, went to a record.
    pub(crate) fn note(
        &mut self,
        host: &dyn Host,
        linker: &Linker,
        (id, row, place): (RecordId, u32, u8),
        (answer, other, found): (&str, RecordId, &Found),
    ) -> Result<(), StageError> {
        let mut out = vec![VERSION];
        out.push(ANSWERS.iter().position(|known| *known == answer).unwrap_or_default() as u8);
        out.extend_from_slice(&self.described(host, linker)?);
        out.extend_from_slice(&other.bytes());
        out.extend_from_slice(&found.record.to_le_bytes());
        let bits = [found.bits, found.next.unwrap_or(f32::NAN), linker.config().merge()];
        bits.iter().for_each(|bits| out.extend_from_slice(&bits.to_le_bytes()));
        out.extend_from_slice(&found.pattern.0.to_le_bytes());
        for (_, bits, counts) in weights(linker, found.pattern) {
            out.push(u8::from(counts));
            out.extend_from_slice(&bits.to_le_bytes());
        }
        Ok(host.state_put(&key(id, row, place), &out)?)
    }

    /// The name of what is compared.
    fn described(&mut self, host: &dyn Host, linker: &Linker) -> Result<[u8; 8], StageError> {
        if let Some(noted) = self.noted {
            return Ok(noted);
        }
        let fields: Vec<&str> = linker.config().fields.iter().map(|field| &*field.field).collect();
        let slots: Vec<(usize, u8)> =
            linker.slots().iter().map(|slot| (slot.field, slot.compare.number())).collect();
        let text =
            serde_json::to_vec(&(fields, slots)).map_err(|error| StageError::new(error.to_string()))?;
        let hash = xxh3_64(&text).to_be_bytes();
        let key = described_key(hash);
        if host.state_get(&key)?.is_none() {
            host.state_put(&key, &text)?;
        }
        Ok(*self.noted.insert(hash))
    }

    /// Before a batch: what was noted in a delivery that failed is to be noted again.
    pub(crate) fn begin(&mut self) {
        self.noted = None;
    }
}

fn described_key(hash: [u8; 8]) -> Vec<u8> {
    [b"y/", hash.as_slice()].concat()
}

fn key(id: RecordId, row: u32, place: u8) -> Vec<u8> {
    [of_record(id, b'w').as_slice(), &row.to_be_bytes(), &[place]].concat()
}

/// For each row that likeness brought to a record, by its number, the row that it was most like.
pub(crate) fn likest(host: &dyn Host, id: RecordId) -> Result<Vec<(u32, u32)>, HostError> {
    let mut found = Vec::new();
    host.state_scan(&of_record(id, b'w'), &mut |key, value| {
        let row = key.get(13..17).and_then(|row| row.try_into().ok()).map(u32::from_be_bytes);
        let with = parse(value).filter(|parsed| parsed.0 == "match").map(|parsed| parsed.3);
        found.extend(row.zip(with));
        true
    })?;
    Ok(found)
}

/// All reasons of a record, in the order of arrival.
pub(crate) fn all(host: &dyn Host, id: RecordId) -> Result<Vec<Why>, HostError> {
    let (mut kept, mut all) = (Vec::new(), Vec::new());
    host.state_scan(&[b"w/".as_slice(), &id.bytes()].concat(), &mut |_, value| {
        kept.push(value.to_vec());
        true
    })?;
    for older in kept.drain(..) {
        all.push(serde_json::from_slice(&older).map_err(|_| broken())?);
    }
    let mut kept = Vec::new();
    host.state_scan(&of_record(id, b'w'), &mut |key, value| {
        kept.push((key.to_vec(), value.to_vec()));
        true
    })?;
    for (key, value) in kept {
        let row = key.get(13..17).and_then(|row| row.try_into().ok()).map(u32::from_be_bytes);
        all.push(read(host, id, row.ok_or_else(broken)?, &value)?.ok_or_else(broken)?);
    }
    Ok(all)
}

fn broken() -> HostError {
    HostError("what the stage keeps of why a row is in a record cannot be read".into())
}

fn read(host: &dyn Host, id: RecordId, row: u32, kept: &[u8]) -> Result<Option<Why>, HostError> {
    let Some((answer, described, other, with, bits, pattern, weights)) = parse(kept) else { return Ok(None) };
    let described = host.state_get(&described_key(described))?;
    let described: Option<Described> = described.and_then(|text| serde_json::from_slice(&text).ok());
    let row_of = |number: u32| -> Result<KeptRow, HostError> {
        let kept = host.state_get(&row_key(number))?;
        Ok(kept.and_then(|kept| kept::decode(&kept)).map(|(_, row)| row).unwrap_or_default())
    };
    let Some((fields, slots)) = described else { return Ok(None) };
    let ((sender, values), (with_sender, with)) = (row_of(row)?, row_of(with)?);
    let value = |values: &[Option<String>], at: usize| values.get(at).cloned().flatten();
    let values = fields.iter().enumerate().map(|(at, field)| Compared {
        field: field.clone(),
        row: value(&values, at),
        with: value(&with, at),
    });
    let mut lines = Vec::new();
    let said = slots.iter().enumerate().filter(|(at, _)| pattern.level(*at) > 0);
    for ((at, &(field, compare)), (counts, bits)) in said.zip(weights) {
        let (Some(field), Some(compare)) = (fields.get(field), Compare::from_number(compare)) else {
            return Ok(None);
        };
        lines.push(explain::line(field.clone(), compare, pattern.level(at), bits, counts));
    }
    explain::sort(&mut lines);
    Ok(Some(Why {
        answer: answer.to_owned(),
        record: id.to_string(),
        other: other.to_string(),
        bits: f64::from(bits[0]),
        next: Some(f64::from(bits[1])).filter(|next| next.is_finite()),
        merge: f64::from(bits[2]),
        sender,
        with_sender,
        values: values.collect(),
        lines: lines.into_iter().map(Line::from).collect(),
        zh: String::new(),
        en: String::new(),
    }))
}

type Parsed = (&'static str, [u8; 8], RecordId, u32, [f32; 3], Pattern, Vec<(bool, f32)>);

fn parse(kept: &[u8]) -> Option<Parsed> {
    let mut input = Input::new(kept);
    if input.byte()? != VERSION {
        return None;
    }
    let answer = ANSWERS.get(usize::from(input.byte()?))?;
    let (described, other) = (input.fixed()?, RecordId::from_bytes(input.fixed()?));
    let with = u32::from_le_bytes(input.fixed()?);
    let mut bits = [0.0; 3];
    for bits in &mut bits {
        *bits = f32::from_le_bytes(input.fixed()?);
    }
    let pattern = Pattern(u64::from_le_bytes(input.fixed()?));
    let mut weights = Vec::new();
    while !input.is_empty() {
        weights.push((input.byte()? == 1, f32::from_le_bytes(input.fixed()?)));
    }
    Some((answer, described, other, with, bits, pattern, weights))
}
