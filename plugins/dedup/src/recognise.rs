//! Which record a row belongs to.
//!
//! The rules are asked in order; the first that knows a record decides. A record that the key finds but
//! that a discriminating word (`apart`) or an `unless` column speaks against is passed over. If the
//! first rule knows several (they were kept apart before), the later rules and equal discriminating words choose.

use arrow::array::Array;
use huiliu_stage::{Finding, StageError};

use crate::fields::MergeField;
use crate::key::KeyRule;
use crate::link::normalise::date;
use crate::linked::Linked;
use crate::name::{self, Marks};
use crate::options::Normalise;
use crate::records::{RecordId, Records};
use crate::report;
use crate::value::{Cells, Value};

/// The rules, bound to the fields of the records.
pub(crate) struct Recogniser {
    pub(crate) rules: Vec<KeyRule>,
    /// Fields whose discriminating words must not differ.
    pub(crate) apart: Vec<usize>,
    /// For each rule, the fields that must not differ.
    pub(crate) unless: Vec<Vec<(usize, Normalise)>>,
    /// Fields that are compared for likeness, in the order of the linkage.
    pub(crate) compared: Vec<usize>,
}

/// One row: its keys (one for each rule that speaks for it) and its values.
pub(crate) struct Row<'a> {
    /// Its `_row`.
    pub(crate) id: i64,
    pub(crate) at: usize,
    pub(crate) keys: &'a [(Option<usize>, u128)],
    pub(crate) cells: &'a [Cells<'a>],
    pub(crate) fields: &'a [MergeField],
}

/// What found the record of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A match rule.
    Rule(usize),
    /// The row's whole content, since no rule speaks for it.
    Content,
    /// The linkage.
    Likeness,
    /// A person.
    Decision,
}

impl By {
    fn of(rule: Option<usize>) -> Self {
        rule.map_or(Self::Content, Self::Rule)
    }
}

/// The record a row belongs to.
pub(crate) struct Recognised {
    pub(crate) record: RecordId,
    /// What found it.
    pub(crate) by: By,
    /// Whether it was made for this row.
    pub(crate) new: bool,
}

impl Recogniser {
    /// Finds or makes the record of a row, and gives it all keys of the row. A record that a person has `pinned` the
    /// row to goes before all else.
    pub(crate) fn recognise(
        &self,
        records: &mut Records,
        mut linked: Option<&mut Linked>,
        row: &Row<'_>,
        pinned: Option<RecordId>,
        findings: &mut Vec<Finding>,
    ) -> Result<Recognised, StageError> {
        if let Some(record) = pinned {
            if let Some(linked) = linked {
                linked.keep(record, &row.compared(&self.compared), None, row.id, findings)?;
            }
            return Ok(Recognised { record, by: By::Decision, new: false });
        }
        let marks: Vec<Option<Marks>> = self.apart.iter().map(|&field| row.marks(field)).collect();
        let mut found: Option<(Option<usize>, Vec<RecordId>)> = None;
        let mut passed_over = None;
        let mut elsewhere = Vec::new();
        for &(rule, key) in row.keys {
            let mut fits = Vec::new();
            for id in records.ids(key)?.to_vec() {
                match self.against(records, id, rule, row, &marks)? {
                    None => fits.push(id),
                    Some(field) => passed_over = passed_over.or(Some((rule, id, field))),
                }
            }
            match &mut found {
                _ if fits.is_empty() => {}
                None => found = Some((rule, fits)),
                Some((_, ids)) => match ids.iter().any(|id| fits.contains(id)) {
                    true => ids.retain(|id| fits.contains(id)),
                    false => elsewhere.push((rule, key, fits[0])),
                },
            }
        }
        let compared = if linked.is_some() { row.compared(&self.compared) } else { Vec::new() };
        // What a key found and a word kept apart is not asked of likeness again.
        let ask = found.is_none() && passed_over.is_none();
        let said = linked.as_deref_mut().filter(|_| ask).map(|linked| linked.ask(&compared));
        let alike = linked.as_deref().zip(said.as_ref()).and_then(|(linked, said)| linked.matched(said));
        let recognised = match (found, alike) {
            (Some((by, ids)), _) => {
                let record = self.choose(records, &ids, by, row, &marks, findings)?;
                Recognised { record, by: By::of(by), new: false }
            }
            (None, Some(record)) => Recognised { record, by: By::Likeness, new: false },
            (None, None) => {
                let &(by, key) = row.keys.first().ok_or_else(|| StageError::new("a row without a key"))?;
                let record = records.create(key)?;
                if let Some((Some(rule), other, field)) = passed_over {
                    let field = &row.fields[field];
                    findings.push(report::apart(
                        row.id,
                        &self.rules[rule],
                        &field.name,
                        &field.title,
                        other,
                        record,
                    ));
                }
                Recognised { record, by: By::of(by), new: true }
            }
        };
        if let Some(linked) = linked {
            linked.keep(recognised.record, &compared, said, row.id, findings)?;
        }
        for &(rule, key) in row.keys {
            match elsewhere.iter().find(|(_, other_key, _)| *other_key == key) {
                None => records.link(key, recognised.record)?,
                Some(&(_, _, other)) => {
                    if let (By::Rule(by), Some(rule)) = (recognised.by, rule) {
                        let (by, rule) = (&self.rules[by], &self.rules[rule]);
                        findings.push(report::conflict(row.id, by, recognised.record, other, rule));
                    }
                }
            }
        }
        Ok(recognised)
    }

    /// The field that speaks against the row belonging to a record, if any.
    fn against(
        &self,
        records: &mut Records,
        id: RecordId,
        rule: Option<usize>,
        row: &Row<'_>,
        marks: &[Option<Marks>],
    ) -> Result<Option<usize>, StageError> {
        let unless = rule.map(|rule| self.unless[rule].as_slice()).unwrap_or_default();
        if self.apart.is_empty() && unless.is_empty() {
            return Ok(None);
        }
        let record = records.get(id)?;
        let held = |field: usize| record.values[field].as_ref().map(|held| &held.value);
        let words = self.apart.iter().zip(marks).find(|&(&field, marks)| match (marks, held(field)) {
            (Some(marks), Some(Value::Text(text))) => marks.differ(&Marks::of(text)),
            _ => false,
        });
        let differs = |&&(field, normalise): &&(usize, Normalise)| match (
            row.cells[field].value(row.at),
            held(field),
        ) {
            (Some(came), Some(held)) => differ(&came, held, normalise),
            _ => false,
        };
        Ok(words.map(|(&field, _)| field).or_else(|| unless.iter().find(differs).map(|&(field, _)| field)))
    }

    /// One of several records that the row may belong to: the one with the same discriminating words.
    fn choose(
        &self,
        records: &mut Records,
        ids: &[RecordId],
        by: Option<usize>,
        row: &Row<'_>,
        marks: &[Option<Marks>],
        findings: &mut Vec<Finding>,
    ) -> Result<RecordId, StageError> {
        let mut alike = Vec::new();
        if ids.len() > 1 {
            for &id in ids {
                let record = records.get(id)?;
                let same = self.apart.iter().zip(marks).all(|(&field, marks)| {
                    let held = record.values[field].as_ref().map(|held| &held.value);
                    let Some(Value::Text(text)) = held else { return marks.is_none() };
                    marks.as_ref() == Some(&Marks::of(text))
                });
                if same && !self.apart.is_empty() {
                    alike.push(id);
                }
            }
        }
        let taken = alike.first().or(ids.first()).copied();
        let taken = taken.ok_or_else(|| StageError::new("a row was recognised as no record"))?;
        if ids.len() > 1
            && alike.len() != 1
            && let Some(by) = by
        {
            findings.push(report::unclear(row.id, &self.rules[by], taken, ids.len() - 1));
        }
        Ok(taken)
    }
}

impl Row<'_> {
    /// The values that are compared for likeness, as text.
    pub(crate) fn compared(&self, fields: &[usize]) -> Vec<Option<String>> {
        let text = |&field: &usize| {
            let value = self.cells[field].value(self.at)?;
            let text = match value {
                Value::Day(day) => date::iso(day),
                value => value.show(&self.fields[field].kind),
            };
            Some(text).filter(|text| !text.trim().is_empty())
        };
        fields.iter().map(text).collect()
    }

    fn marks(&self, field: usize) -> Option<Marks> {
        match self.cells[field] {
            Cells::Text(texts) if texts.is_valid(self.at) => Some(Marks::of(texts.value(self.at))),
            _ => None,
        }
    }
}

/// Whether two given values differ; text that normalising leaves nothing of counts as not given.
fn differ(came: &Value, held: &Value, normalise: Normalise) -> bool {
    let (Value::Text(a), Value::Text(b)) = (came, held) else { return came != held };
    let form = |text: &str| {
        let mut out = String::new();
        match normalise {
            Normalise::Exact => out.push_str(text),
            Normalise::Code => name::code(text, &mut out),
            Normalise::Name => name::name(text, &mut out),
        }
        out
    };
    let (a, b) = (form(a), form(b));
    !a.is_empty() && !b.is_empty() && a != b
}
