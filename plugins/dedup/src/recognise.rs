//! Which record a row belongs to.
//!
//! The rules are asked in order; the first that knows a record decides. A record that the key finds but
//! that a discriminating word (`apart`) or an `unless` column speaks against is passed over ([`words`]). If the
//! first rule knows several (they were kept apart before), the later rules and equal discriminating words choose.

use huiliu_stage::{Finding, Host, StageError};

use crate::decided::Decided;
use crate::fields::MergeField;
use crate::key::KeyRule;
use crate::link::normalise::date;
use crate::linked::Linked;
use crate::options::Normalise;
use crate::parts::Parts;
use crate::queue;
use crate::records::{RecordId, Records};
use crate::report;
use crate::value::{Cells, Value};
use crate::words::{self, Telling, Words};

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
    pub(crate) words: &'a mut Words,
}

impl Recogniser {
    /// Finds or makes the record of a row, and gives it all keys of the row. A record that a person has `bound` the
    /// row to goes before all else.
    pub(crate) fn recognise(
        &self,
        known: &mut Known<'_>,
        row: &Row<'_>,
        bound: Option<RecordId>,
        findings: &mut Vec<Finding>,
    ) -> Result<Recognised, StageError> {
        let said = self.tells().then(|| Telling::of_row(self, row));
        let recognised = self.find(known, row, (said.as_ref(), bound), findings)?;
        if let Some(said) = said.filter(|_| !recognised.new) {
            let kept = (&mut *known.records, known.parts);
            known.words.join(self, kept, recognised.record, said)?;
        }
        Ok(recognised)
    }

    /// Whether anything keeps rows apart from records that their keys find.
    fn tells(&self) -> bool {
        !self.apart.is_empty() || self.unless.iter().any(|fields| !fields.is_empty())
    }

    fn find(
        &self,
        known: &mut Known<'_>,
        row: &Row<'_>,
        (telling, bound): (Option<&Telling>, Option<RecordId>),
        findings: &mut Vec<Finding>,
    ) -> Result<Recognised, StageError> {
        if let Some(record) = bound {
            if let Some(linked) = &mut known.linked {
                linked.keep_known(record, row.compared(&self.compared));
            }
            return Ok(Recognised { record, by: By::Decision, new: false });
        }
        let ByKeys { found, passed_over, elsewhere } = self.by_keys(known, row, telling)?;
        // What a key found and a word kept apart is not asked of likeness again.
        let ask = found.is_none() && passed_over.is_none();
        let said =
            known.linked.as_deref_mut().filter(|_| ask).map(|linked| linked.ask(row.at)).transpose()?;
        let alike =
            known.linked.as_deref().zip(said.as_ref()).and_then(|(linked, said)| linked.matched(said));
        let recognised = match (found, alike) {
            (Some((by, ids)), _) => {
                let record = self.choose(known, &ids, by, (row, telling), findings)?;
                Recognised { record, by: By::of(by), new: false }
            }
            (None, Some(record)) => Recognised { record, by: By::Likeness, new: false },
            (None, None) => {
                let &(by, key) = row.keys.first().ok_or_else(|| StageError::new("a row without a key"))?;
                let record = known.records.create(key, |id| known.decided.redirect(id).is_some())?;
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
        known: &mut Known<'_>,
        row: &Row<'_>,
        telling: Option<&Telling>,
    ) -> Result<ByKeys, StageError> {
        let mut by = ByKeys::default();
        for &(rule, key) in row.keys {
            let mut fits = Vec::new();
            for id in known.records.ids(key)?.to_vec() {
                match self.against(known, id, rule, telling)? {
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
        known: &mut Known<'_>,
        id: RecordId,
        rule: Option<usize>,
        telling: Option<&Telling>,
    ) -> Result<Option<usize>, StageError> {
        let unless = rule.map(|rule| self.unless[rule].as_slice()).unwrap_or_default();
        let Some(row) = telling.filter(|_| !self.apart.is_empty() || !unless.is_empty()) else {
            return Ok(None);
        };
        // Mostly the row says what the record holds, and what else was said need not be read.
        if Words::held(self, known.records, id)? == *row {
            return Ok(None);
        }
        let said = known.words.of(self, (known.records, known.parts), id)?;
        let by_rule = || rule.and_then(|rule| words::unless(said, row, rule)).map(|at| unless[at].0);
        Ok(words::apart(said, row).map(|at| self.apart[at]).or_else(by_rule))
    }

    /// One of several records that the row may belong to: the one with the same discriminating words, else the one
    /// to which the sender has sent rows before.
    fn choose(
        &self,
        known: &mut Known<'_>,
        ids: &[RecordId],
        by: Option<usize>,
        (row, telling): (&Row<'_>, Option<&Telling>),
        findings: &mut Vec<Finding>,
    ) -> Result<RecordId, StageError> {
        if let [only] = ids {
            return Ok(*only);
        }
        let mut alike = Vec::new();
        if let Some(telling) = telling.filter(|_| !self.apart.is_empty()) {
            for &id in ids {
                let said = known.words.of(self, (known.records, known.parts), id)?;
                if said.iter().any(|said| said.same_words(telling)) {
                    alike.push(id);
                }
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
    /// Whether no rule speaks for it: its whole content is its key.
    pub(crate) fn is_keyless(&self) -> bool {
        self.keys.iter().all(|(rule, _)| rule.is_none())
    }

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
}
