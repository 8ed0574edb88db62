//! Reading what the stage keeps, for the people who review it: the queue, the parts of a record, why they are together.
//!
//! This reads the state and never writes it. What people decide comes back as a [`Decision`](crate::Decision).

use std::sync::Arc;

use arrow::datatypes::DataType;
use hashbrown::HashMap;
use huiliu_stage::{Host, HostError, column_letters};
use serde::{Deserialize, Serialize};

use crate::clash::clashes;
use crate::decide::{PartOf, as_named, brought, choose};
use crate::entity::{Held, Record};
use crate::former;
use crate::link::explain;
use crate::link::normalise::date;
use crate::part::Part;
use crate::records::RecordId;
use crate::value::Value;
use crate::why;

/// One line of a comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The field's name.
    pub field: String,
    /// What was found, in Chinese.
    pub zh: String,
    /// What was found, in English.
    pub en: String,
    /// What it weighs, in bits.
    pub bits: f64,
    /// Whether it counts; of fields that tell the same story only the strongest do.
    pub counts: bool,
    /// Whether it alone keeps the two apart.
    pub veto: bool,
}

impl From<explain::Line> for Line {
    fn from(line: explain::Line) -> Self {
        let explain::Line { field, zh, en, bits, counts, veto } = line;
        let bits = f64::from((bits * 10.0).round() / 10.0);
        Self { field, zh: zh.to_owned(), en: en.to_owned(), bits, counts, veto }
    }
}

/// A field of the two rows that were compared.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The field's name.
    pub field: String,
    /// What the row said that came.
    pub row: Option<String>,
    /// What the known row said.
    pub with: Option<String>,
}

/// Why a row was merged with a record, kept apart from it, or left to people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Why {
    /// `match`, `review` or `apart`; `conflict` where two keys of a row belong to two records.
    pub answer: String,
    /// The record that the row went to.
    #[serde(default)]
    pub record: String,
    /// The record that it was compared with.
    pub other: String,
    /// The evidence, in bits; none of a conflict of keys.
    #[serde(default)]
    pub bits: f64,
    /// The evidence for the next best record.
    #[serde(default)]
    pub next: Option<f64>,
    /// Bits from which two are one.
    #[serde(default)]
    pub merge: f64,
    /// Who sent the row.
    #[serde(default)]
    pub sender: String,
    /// Who sent the known row.
    #[serde(default)]
    pub with_sender: String,
    /// What was compared.
    #[serde(default)]
    pub values: Vec<Compared>,
    /// The comparison, strongest first.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// A conflict of keys in a sentence, in Chinese; empty of a comparison, which the lines tell.
    #[serde(default)]
    pub zh: String,
    /// The same in English.
    #[serde(default)]
    pub en: String,
}

impl Why {
    /// Whether keys speak for it, and not likeness.
    pub fn is_conflict(&self) -> bool {
        self.answer == "conflict"
    }

    /// The words of a line's field that keep the two apart, such as `一期 <> 二期`; empty for a line that is no veto.
    pub fn clash(&self, line: &Line) -> String {
        let values = self.values.iter().find(|values| values.field == line.field && line.veto);
        let both = values.and_then(|values| Some((values.row.as_deref()?, values.with.as_deref()?)));
        let found = both.map(|(row, with)| clashes(row, with)).unwrap_or_default();
        found.iter().map(|(one, other)| format!("{one} <> {other}")).collect::<Vec<_>>().join(", ")
    }
}

/// Two records that may be one.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// The one.
    pub record: String,
    /// The other.
    pub other: String,
    /// Why it is asked.
    pub why: Why,
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// The field's name.
    pub field: String,
    /// The value, as people read it.
    pub value: String,
    /// The cell it was read from, such as `C5`; empty for none.
    pub cell: String,
}

/// What one row gave to a record.
#[derive(Clone, Debug, Serialize)]
pub struct PartStory {
    /// The record that it is or would be by itself.
    pub unit: String,
    /// What brought it here: the name of a rule, `likeness`, `new`, `content` or `decision`.
    pub by: String,
    /// The delivery.
    pub delivery: String,
    /// Who sent it.
    pub sender: String,
    /// The file.
    pub file: String,
    /// The sheet.
    pub sheet: String,
    /// The row's number as the sender sees it.
    pub row: u32,
    /// When it was received, milliseconds since 1970 UTC.
    pub received_ms: i64,
    /// Its values.
    pub values: Vec<Said>,
    /// The records that it was in and that were merged into this one, the last first.
    pub former: Vec<String>,
    #[serde(skip)]
    order: u64,
}

/// The state of one stage, for reading.
pub struct Inspect {
    host: Arc<dyn Host>,
}

type Layout = Vec<(String, DataType)>;

impl Inspect {
    /// Over a stage's state: of the host only reading is asked.
    pub fn new(host: Arc<dyn Host>) -> Self {
        Self { host }
    }

    /// All open questions: what keys say first, then the surest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn queue(&self) -> Result<Vec<Question>, HostError> {
        let mut kept = Vec::new();
        self.host.state_scan(b"q/", &mut |key, value| {
            kept.push((key.to_vec(), value.to_vec()));
            true
        })?;
        let mut questions = Vec::new();
        for (key, value) in kept {
            let id = |at: usize| key.get(at..at + 10)?.try_into().ok().map(RecordId::from_bytes);
            let (Some(record), Some(other)) = (id(2), id(12)) else { return Err(broken("q/")) };
            let why: Why = serde_json::from_slice(&value).map_err(|_| broken("q/"))?;
            questions.push(Question { record: record.to_string(), other: other.to_string(), why });
        }
        let order = |a: &Question, b: &Question| {
            let sure = b.why.is_conflict().cmp(&a.why.is_conflict());
            sure.then(b.why.bits.total_cmp(&a.why.bits)).then_with(|| a.record.cmp(&b.record))
        };
        questions.sort_by(order);
        Ok(questions)
    }

    /// The id that a record of the stage has now: its own, or that of the record it was merged into. `None` for one that
    /// the stage never knew.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn now(&self, id: &str) -> Result<Option<String>, HostError> {
        let Some(mut id) = RecordId::parse(id) else { return Ok(None) };
        let mut passed = Vec::new();
        while let Some(into) = self.host.state_get(&key(b"m/", id))?
            && !passed.contains(&id)
        {
            passed.push(id);
            id = into.try_into().map(RecordId::from_bytes).map_err(|_| broken("m/"))?;
        }
        Ok(self.host.state_get(&key(b"e/", id))?.map(|_| id.to_string()))
    }

    /// The values of a record; none of a record that is not there.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn values(&self, id: &str) -> Result<Vec<Said>, HostError> {
        let Some(id) = RecordId::parse(id) else { return Ok(Vec::new()) };
        let Some(kept) = self.host.state_get(&key(b"e/", id))? else { return Ok(Vec::new()) };
        let (layout, record) = self.decode(&kept)?;
        Ok(said(&layout, &record))
    }

    /// The parts of a record, in the order of arrival. A record that one row made is its own.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn parts(&self, id: &str) -> Result<Vec<PartStory>, HostError> {
        let Some(id) = RecordId::parse(id) else { return Ok(Vec::new()) };
        let (mut layouts, mut kept) = (Vec::new(), Vec::new());
        for (_, bytes) in crate::parts::kept(&*self.host, id, true)? {
            let mut layout = Layout::new();
            let read = |row: &[u8]| {
                let (of_row, record) = self.decode(row)?;
                layout = of_row;
                Ok(record)
            };
            kept.push(Part::decode(&bytes, || broken("e/"), read)?.0);
            layouts.push(layout);
        }
        former::complete(&*self.host, id, &mut kept)?;
        let mut parts: Vec<PartStory> =
            kept.iter().zip(&layouts).map(|(part, layout)| story(part, layout)).collect();
        if parts.is_empty()
            && let Some(kept) = self.host.state_get(&key(b"e/", id))?
        {
            let (layout, row) = self.decode(&kept)?;
            parts.push(story(&Part { unit: id, by: "new".to_owned(), row, former: None }, &layout));
        }
        parts.sort_by_key(|part| part.order);
        Ok(parts)
    }

    /// Why rows went to these records or were kept apart from others, in the order of arrival.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn reasons(&self, ids: &[String]) -> Result<Vec<Why>, HostError> {
        let mut all = Vec::new();
        for id in ids.iter().filter_map(|id| RecordId::parse(id)) {
            all.extend(why::all(&*self.host, id)?);
        }
        Ok(all)
    }

    /// All decisions so far, oldest first: each with what came of it and the hash of the one before.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn decisions(&self) -> Result<Vec<serde_json::Value>, HostError> {
        let kept = self.under(b"d/")?;
        kept.iter().map(|kept| serde_json::from_slice(kept).map_err(|_| broken("d/"))).collect()
    }

    fn under(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, HostError> {
        let mut kept = Vec::new();
        self.host.state_scan(prefix, &mut |_, value| {
            kept.push(value.to_vec());
            true
        })?;
        Ok(kept)
    }

    fn decode(&self, kept: &[u8]) -> Result<(Layout, Record), HostError> {
        let (layout, kept) = kept.split_first_chunk::<8>().ok_or_else(|| broken("e/"))?;
        let described = self.host.state_get(&[b"l/", layout.as_slice()].concat())?;
        let described: Option<Vec<(String, String)>> =
            described.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let described = described.ok_or_else(|| broken("l/"))?;
        let record = Record::decode(kept, described.len()).ok_or_else(|| broken("e/"))?;
        Ok((described.into_iter().map(|(name, kind)| (name, kind_of(&kind))).collect(), record))
    }
}

/// Field by field, what two records hold: the name, what the one says, what the other says.
pub fn side_by_side(a: &[Said], b: &[Said]) -> Vec<(String, String, String)> {
    let of_b: HashMap<&str, &str> = b.iter().map(|said| (&*said.field, &*said.value)).collect();
    let both = a.iter().map(|said| {
        let other = of_b.get(&*said.field).copied().unwrap_or_default();
        (said.field.clone(), said.value.clone(), other.to_owned())
    });
    let only_b = b.iter().filter(|said| a.iter().all(|other| other.field != said.field));
    both.chain(only_b.map(|said| (said.field.clone(), String::new(), said.value.clone()))).collect()
}

/// Whether a record of these parts can be taken apart so; else why not, in Chinese and English.
///
/// # Errors
/// `source` names nothing of the record, or all of it; or it is not given and not clear.
pub fn may_split(parts: &[PartStory], id: &str, source: Option<&str>) -> Result<(), (String, String)> {
    let origin = |part| {
        let PartStory { unit, former, sender, file, delivery, .. }: &PartStory = part;
        PartOf { unit: unit.clone(), former: former.clone(), sender, file, delivery }
    };
    choose(&as_named(parts.iter().map(origin).collect(), id), id, source).map(drop)
}

fn story(part: &Part, layout: &Layout) -> PartStory {
    let place = part.row.places.first().cloned().unwrap_or_default();
    PartStory {
        unit: part.unit.to_string(),
        by: part.brought_by().to_owned(),
        delivery: place.source.delivery.clone(),
        sender: place.source.sender.clone(),
        file: place.source.file.clone(),
        sheet: place.source.sheet.clone(),
        row: place.row,
        received_ms: place.source.received_ms,
        values: said(layout, &part.row),
        former: brought(part),
        order: part.row.order,
    }
}

fn said(layout: &Layout, record: &Record) -> Vec<Said> {
    let given = layout.iter().zip(&record.values).filter_map(|(field, held)| Some((field, held.as_ref()?)));
    given
        .map(|((name, kind), held)| Said {
            field: name.clone(),
            value: show(held, kind),
            cell: cell(held, record),
        })
        .collect()
}

fn cell(held: &Held, record: &Record) -> String {
    match (held.column.checked_sub(1), record.places.get(held.place as usize)) {
        (Some(column), Some(place)) => format!("{}{}", column_letters(column as usize), place.row),
        _ => String::new(),
    }
}

fn show(held: &Held, kind: &DataType) -> String {
    match &held.value {
        Value::Bool(value) => value.to_string(),
        Value::Day(day) => date::iso(*day),
        Value::Time(ms) => ms.to_string(),
        Value::List(items) => items.iter().flatten().map(|item| &**item).collect::<Vec<_>>().join("、"),
        value => value.show(kind),
    }
}

/// A kept type, as far as showing needs it.
fn kind_of(described: &str) -> DataType {
    let decimal = described.strip_prefix("Decimal128(").and_then(|rest| rest.strip_suffix(')'));
    let parts = decimal.and_then(|inside| inside.split_once(','));
    let scale = parts.and_then(|(p, s)| Some((p.trim().parse().ok()?, s.trim().parse().ok()?)));
    scale.map_or(DataType::Utf8, |(precision, scale)| DataType::Decimal128(precision, scale))
}

fn key(prefix: &[u8], id: RecordId) -> Vec<u8> {
    [prefix, id.bytes().as_slice()].concat()
}

fn broken(what: &str) -> HostError {
    HostError(format!("what the stage keeps under `{what}` cannot be read"))
}
