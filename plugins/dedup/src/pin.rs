//! Values that people set by hand: a pinned value stands whatever is sent, until it is released.
//!
//! A pin is a [part](crate::parts) of its record like what a row gave, with one value and a [source](Source::pinned) that no
//! delivery has. So it goes where its record goes, comes back with it from [`unmerge`](crate::decide), and when it is
//! released the record is what its other parts give, as if it had never been pinned. That no row replaces it is the
//! business of [`survive`](crate::survive).

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use huiliu_stage::StageError;

use crate::decide::Refusal;
use crate::decided::{Decision, Word};
use crate::entity::{Held, Place, Record, Source};
use crate::fields::MergeField;
use crate::merge::Merge;
use crate::part::Part;
use crate::records::RecordId;
use crate::value::{Cells, Value};

/// What brought a pinned value to its record, as `matched_by` tells it.
const PINNED: &str = "pinned";
const RELEASED: &str = "released";

impl Merge {
    /// A field of a record has the value that a person has set, whatever comes, or again what was sent of it.
    pub(crate) fn by_hand(
        &mut self,
        id: RecordId,
        decision: &Decision,
    ) -> Result<Result<(String, String), Refusal>, StageError> {
        let at = match self.pinnable(decision) {
            Ok(at) => at,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut parts = self.parts_of(id)?;
        let before = parts.len();
        parts.retain(|part| !part.is_pin_of(at));
        let MergeField { name, title, kind, .. } = &self.fields[at];
        let (by, came) = if decision.word == Word::Pin {
            let text = decision.value.as_deref().unwrap_or_default().trim();
            let Some(value) = value_of(text, kind)? else {
                return Ok(Err(unreadable(&self.fields[at], text)));
            };
            let came = (
                format!("记录 {id} 的{title}核定为“{text}”，今后报送的值不再改动它"),
                format!("{name} of record {id} is `{text}` from now on, whatever is sent"),
            );
            parts.push(self.pin(id, (at, value), decision)?);
            (PINNED, came)
        } else if parts.len() == before {
            return Ok(Err((
                format!("记录 {id} 的{title}没有核定过，无可取消"),
                format!("{name} of record {id} is not pinned: there is nothing to release"),
            )));
        } else {
            let came = (
                format!("记录 {id} 的{title}恢复为报送的值"),
                format!("{name} of record {id} is what was sent of it again"),
            );
            (RELEASED, came)
        };
        self.parts.replace(&mut self.records, id, &parts)?;
        self.rebuild(id, &parts, by)?;
        Ok(Ok(came))
    }

    /// A value that a person has set, as a part of the record.
    fn pin(
        &mut self,
        id: RecordId,
        (at, value): (usize, Value),
        decision: &Decision,
    ) -> Result<Part, StageError> {
        let mut values = vec![None; self.fields.len()];
        values[at] = Some(Held { value, place: 0, column: 0 });
        let places = vec![Place { source: Arc::new(Source::pinned(&decision.by, decision.at_ms)), row: 0 }];
        let row = Record { places, values, order: self.parts.next_record()?, ..Record::default() };
        Ok(Part { unit: id, by: PINNED.to_owned(), row, former: Some(Vec::new()) })
    }

    /// The field that is meant, by name or title, if it may be pinned.
    fn pinnable(&self, decision: &Decision) -> Result<usize, Refusal> {
        let named = decision.field.as_deref().unwrap_or_default();
        let means = |field: &MergeField| [&*field.name, &*field.title].contains(&named);
        let shown = |field: &&MergeField| !field.name.starts_with('_') && may_be_pinned(&field.kind);
        let Some(at) = self.fields.iter().position(|field| means(field) && shown(&field)) else {
            let all: Vec<&str> = self.fields.iter().filter(shown).map(|field| &*field.name).collect();
            return Err((
                format!("没有可以核定的字段“{named}”；有：{}", all.join("、")),
                format!("there is no field `{named}` that can be pinned; there are: {}", all.join(", ")),
            ));
        };
        let column = self.fields[at].column;
        let is_key =
            self.recogniser.rules.iter().any(|rule| rule.columns.iter().any(|(of, _)| *of == column));
        match is_key {
            // Rows are recognised by what senders write: a pinned key would be known to nobody.
            true => Err((
                format!("{}用来识别记录，不能核定；请由报送单位更正", self.fields[at].title),
                format!("records are recognised by {named}: it cannot be pinned; have the sender correct it"),
            )),
            false => Ok(at),
        }
    }
}

impl Part {
    /// Whether a person set it by hand.
    pub(crate) fn is_pin(&self) -> bool {
        self.source().is_some_and(Source::is_pinned)
    }

    fn is_pin_of(&self, field: usize) -> bool {
        self.is_pin() && self.row.values.get(field).is_some_and(Option::is_some)
    }
}

/// Lists are unions of what was sent.
fn may_be_pinned(kind: &DataType) -> bool {
    !matches!(kind, DataType::List(_))
}

/// A text as a value of a column's type; `None` if it is none.
fn value_of(text: &str, kind: &DataType) -> Result<Option<Value>, StageError> {
    if text.is_empty() {
        return Ok(None);
    }
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    match cast_with_options(&texts, kind, &strict) {
        Ok(column) => Ok(Cells::of(&column)?.value(0)),
        Err(_) => Ok(None),
    }
}

fn unreadable(field: &MergeField, text: &str) -> Refusal {
    let (zh, en) = match &field.kind {
        DataType::Date32 => ("日期，如 2026-03-01", "a day such as 2026-03-01"),
        DataType::Timestamp(..) => ("时间，如 2026-03-01T08:00:00", "a time such as 2026-03-01T08:00:00"),
        DataType::Boolean => ("true 或 false", "true or false"),
        DataType::Utf8 => ("文字", "a text"),
        _ => ("数字", "a number"),
    };
    (
        format!("{}应填写{zh}，不能是“{text}”", field.title),
        format!("{} must be {en}, not `{text}`", field.name),
    )
}
