//! Which record a row belongs to.
//!
//! The rules are asked in order; the first that knows a record decides. A record that the key finds but
//! that a discriminating word (`apart`) or an `unless` column speaks against is passed over. If the
//! first rule knows several (they were kept apart before), the later rules and equal discriminating words choose.

use arrow::array::Array;
use huiliu_stage::{Finding, Host, StageError};

use crate::decided::Decided;
use crate::fields::MergeField;
use crate::key::KeyRule;
use crate::link::normalise::date;
use crate::linked::Linked;
use crate::name::{self, Marks};
use crate::options::Normalise;
use crate::parts::Parts;
use crate::queue;
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
    pub(crate) sender: &'a str,
}

/// What the keys of a row say.
#[derive(Default)]
struct ByKeys {
    /// The rule that decides, and the records it knows.
    found: Option<(Option<usize>, Vec<RecordId>)>,
    /// A record that a rule knows and a field speaks against.
    passed_over: Option<(Option<usize>, RecordId, usize)>,
    /// Keys that belong to another record than the one found.
    elsewhere: Vec<(Option<usize>, u128, RecordId)>,
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

/// What is known, for the row at hand to be recognised by.
pub(crate) struct Known<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) records: &'a mut Records,
    pub(crate) linked: Option<&'a mut Linked>,
    pub(crate) decided: &'a Decided,
    pub(crate) parts: &'a Parts,
}

impl Recogniser {
    /// Finds or makes the record of a row, and gives it all keys of the row. A record that a person has `pinned` the
    /// row to goes before all else.
    pub(crate) fn recognise(
        &self,
        known: &mut Known<'_>,
        row: &Row<'_>,
        pinned: Option<RecordId>,
        findings: &mut Vec<Finding>,
    ) -> Result<Recognised, StageError> {
        if let Some(record) = pinned {
            if let Some(linked) = &mut known.linked {
                linked.keep_known(record, row.compared(&self.compared));
            }
            return Ok(Recognised { record, by: By::Decision, new: false });
        }
        let marks: Vec<Option<Marks>> = self.apart.iter().map(|&field| row.marks(field)).collect();
        let ByKeys { found, passed_over, elsewhere } = self.by_keys(known.records, row, &marks)?;
        // What a key found and a word kept apart is not asked of likeness again.
        let ask = found.is_none() && passed_over.is_none();
        let said =
            known.linked.as_deref_mut().filter(|_| ask).map(|linked| linked.ask(row.at)).transpose()?;
        let alike =
            known.linked.as_deref().zip(said.as_ref()).and_then(|(linked, said)| linked.matched(said));
        let recognised = match (found, alike) {
            (Some((by, ids)), _) => {
                let record = self.choose(known, &ids, by, row, &marks, findings)?;
                Recognised { record, by: By::of(by), new: false }
            }
            (None, Some(record)) => Recognised { record, by: By::Likeness, new: false },
            (None, None) => {
                let &(by, key) = row.keys.first().ok_or_else(|| StageError::new("a row without a key"))?;
                let record = known.records.create(key)?;
                if let Some((Some(rule), other, field)) = passed_over {
                    let (rule, field) = (&self.rules[rule], &row.fields[field]);
                    findings.push(report::apart(row.id, rule, &field.name, &field.title, other, record));
                }
                Recognised { record, by: By::of(by), new: true }
            }
        };
        if let Some(linked) = &mut known.linked {
            match said {
                Some(said) => {
                    let told = (row.id, &mut *findings);
                    linked.keep_asked(recognised.record, said, known.decided, told)?;
                }
                None => linked.keep_known(recognised.record, row.compared(&self.compared)),
            }
        }
        for &(rule, key) in row.keys {
            match elsewhere.iter().find(|(_, other_key, _)| *other_key == key) {
                None => known.records.link(key, recognised.record)?,
                Some(&(_, _, other)) => {
                    if let (By::Rule(by), Some(rule)) = (recognised.by, rule) {
                        let rules = (&self.rules[by], &self.rules[rule]);
                        self.contradiction(known, row, recognised.record, other, rules, findings)?;
                    }
                }
            }
        }
        Ok(recognised)
    }

    /// What the keys say: the records of the first rule that knows any, as far as the others do not speak against them.
    fn by_keys(
        &self,
        records: &mut Records,
        row: &Row<'_>,
        marks: &[Option<Marks>],
    ) -> Result<ByKeys, StageError> {
        let mut by = ByKeys::default();
        for &(rule, key) in row.keys {
            let mut fits = Vec::new();
            for id in records.ids(key)?.to_vec() {
                match self.against(records, id, rule, row, marks)? {
                    None => fits.push(id),
                    Some(field) => by.passed_over = by.passed_over.or(Some((rule, id, field))),
                }
            }
            match &mut by.found {
                _ if fits.is_empty() => {}
                None => by.found = Some((rule, fits)),
                Some((_, ids)) => match ids.iter().any(|id| fits.contains(id)) {
                    true => ids.retain(|id| fits.contains(id)),
                    false => by.elsewhere.push((rule, key, fits[0])),
                },
            }
        }
        Ok(by)
    }

    /// Two keys of a row belong to two records: the sender is told, and a person is asked whether the two are one.
    fn contradiction(
        &self,
        known: &Known<'_>,
        row: &Row<'_>,
        taken: RecordId,
        other: RecordId,
        rules: (&KeyRule, &KeyRule),
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        if known.decided.are_apart(taken, other) {
            return Ok(());
        }
        let finding = report::conflict(row.id, rules, taken, other);
        let why = serde_json::json!({"answer": "conflict", "record": taken.to_string(), "other": other.to_string(),
            "sender": row.sender, "zh": finding.message.zh, "en": finding.message.en});
        queue::ask(known.host, taken, other, &why)?;
        findings.push(finding);
        Ok(())
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

    /// One of several records that the row may belong to: the one with the same discriminating words, else the one
    /// to which the sender has sent rows before.
    fn choose(
        &self,
        known: &mut Known<'_>,
        ids: &[RecordId],
        by: Option<usize>,
        row: &Row<'_>,
        marks: &[Option<Marks>],
        findings: &mut Vec<Finding>,
    ) -> Result<RecordId, StageError> {
        if let [only] = ids {
            return Ok(*only);
        }
        let mut alike = Vec::new();
        for &id in ids.iter().filter(|_| !self.apart.is_empty()) {
            let record = known.records.get(id)?;
            let same = self.apart.iter().zip(marks).all(|(&field, marks)| {
                let held = record.values[field].as_ref().map(|held| &held.value);
                let Some(Value::Text(text)) = held else { return marks.is_none() };
                marks.as_ref() == Some(&Marks::of(text))
            });
            if same {
                alike.push(id);
            }
        }
        if let [only] = alike.as_slice() {
            return Ok(*only);
        }
        let left = if alike.is_empty() { ids } else { &alike };
        let mut own = None;
        for &id in left {
            let parts = known.parts.of(known.records, id)?;
            if own.is_none() && parts.iter().any(|part| part.sender() == row.sender) {
                own = Some(id);
            }
        }
        let taken = own.or(left.first().copied());
        let taken = taken.ok_or_else(|| StageError::new("a row was recognised as no record"))?;
        if let Some(by) = by {
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
