//! What the rows of a record said in the fields that may keep it apart from a row (`apart`, `unless`).
//!
//! All of its rows are asked, and not the values that it holds: a record holds mostly what came last, and a name without a
//! telling word would let rows of two phases into one record, as long as they came in the right order. Sent once more
//! they would go elsewhere. So a row fits a record that one of its rows says the same as, or that none contradicts: it
//! fits for ever where it went.
//!
//! Held for one batch: rows of the batch speak before what they gave is kept.

use hashbrown::HashMap;
use huiliu_stage::StageError;

use crate::name::{self, Marks};
use crate::options::Normalise;
use crate::parts::Parts;
use crate::recognise::{Recogniser, Row};
use crate::records::{RecordId, Records};
use crate::value::Value;

/// What one row says.
#[derive(PartialEq)]
pub(crate) struct Telling {
    /// The telling words of each field under `apart`; `None` where it gives nothing.
    marks: Vec<Option<Marks>>,
    /// For each rule its fields under `unless`, made comparable.
    forms: Vec<Vec<Option<Value>>>,
}

impl Telling {
    fn new(recogniser: &Recogniser, value: impl Fn(usize) -> Option<Value>) -> Self {
        let marks = recogniser.apart.iter().map(|&field| match value(field) {
            Some(Value::Text(text)) => Some(Marks::of(&text)),
            _ => None,
        });
        let form = |&(field, normalise): &(usize, Normalise)| form(value(field)?, normalise);
        let forms = recogniser.unless.iter().map(|fields| fields.iter().map(form).collect());
        Self { marks: marks.collect(), forms: forms.collect() }
    }

    pub(crate) fn of_row(recogniser: &Recogniser, row: &Row<'_>) -> Self {
        Self::new(recogniser, |field| row.cells[field].value(row.at))
    }

    /// Whether the telling words are the same.
    pub(crate) fn same_words(&self, other: &Self) -> bool {
        self.marks == other.marks
    }
}

/// The records that rows of this batch were held against or joined.
#[derive(Default)]
pub(crate) struct Words {
    known: HashMap<RecordId, Said>,
}

#[derive(Default)]
struct Said {
    all: Vec<Telling>,
    /// Whether what is kept is among it.
    read: bool,
}

impl Words {
    /// What the rows of a record said, each thing once.
    pub(crate) fn of(
        &mut self,
        recogniser: &Recogniser,
        (records, parts): (&mut Records, &Parts),
        id: RecordId,
    ) -> Result<&mut Vec<Telling>, StageError> {
        let said = self.known.entry(id).or_default();
        if !said.read {
            for part in parts.of(records, id)? {
                let value = |field: usize| part.row.values[field].as_ref().map(|held| held.value.clone());
                note(&mut said.all, Telling::new(recogniser, value));
            }
            said.read = true;
        }
        Ok(&mut said.all)
    }

    /// What a record holds, which one of its rows said.
    pub(crate) fn held(
        recogniser: &Recogniser,
        records: &mut Records,
        id: RecordId,
    ) -> Result<Telling, StageError> {
        let record = records.get(id)?;
        Ok(Telling::new(recogniser, |field| record.values[field].as_ref().map(|held| held.value.clone())))
    }

    /// Notes that a row joins a record, before it does.
    pub(crate) fn join(
        &mut self,
        recogniser: &Recogniser,
        (records, parts): (&mut Records, &Parts),
        id: RecordId,
        said: Telling,
    ) -> Result<(), StageError> {
        // What is kept is read before the record changes; a row that says what is held changes nothing of it.
        if Self::held(recogniser, records, id)? != said {
            self.of(recogniser, (records, parts), id)?;
        }
        note(&mut self.known.entry(id).or_default().all, said);
        Ok(())
    }
}

fn note(all: &mut Vec<Telling>, said: Telling) {
    if !all.contains(&said) {
        all.push(said);
    }
}

/// The place of the first of the fields under `apart` in which a row contradicts what was said.
pub(crate) fn apart(said: &[Telling], row: &Telling) -> Option<usize> {
    (0..row.marks.len()).find(|&at| {
        let Some(came) = &row.marks[at] else { return false };
        let mut known = said.iter().filter_map(|said| said.marks[at].as_ref());
        let differs = known.clone().any(|known| came.differ(known));
        differs && known.all(|known| known != came)
    })
}

/// The same of the fields under `unless` of a rule.
pub(crate) fn unless(said: &[Telling], row: &Telling, rule: usize) -> Option<usize> {
    (0..row.forms[rule].len()).find(|&at| {
        let Some(came) = &row.forms[rule][at] else { return false };
        let mut known = said.iter().filter_map(|said| said.forms[rule][at].as_ref()).peekable();
        known.peek().is_some() && known.all(|known| known != came)
    })
}

/// A value made comparable; text that normalising leaves nothing of counts as not given.
fn form(value: Value, normalise: Normalise) -> Option<Value> {
    let Value::Text(text) = value else { return Some(value) };
    let mut out = String::new();
    match normalise {
        Normalise::Exact => out.push_str(&text),
        Normalise::Code => name::code(&text, &mut out),
        Normalise::Name => name::name(&text, &mut out),
    }
    (!out.is_empty()).then(|| Value::Text(out.into()))
}
