//! A row joins its record: its values are merged, and what it gave is noted as a part of it.

use huiliu_stage::{Finding, StageError};

use crate::entity::{Held, Place, Record};
use crate::merge::{Merge, View};
use crate::part::Part;
use crate::parts::Parts;
use crate::recognise::{By, Recognised, Row};
use crate::records::RecordId;
use crate::report;
use crate::settle::Touched;
use crate::survive::{Contradiction, Incoming, merge_row};
use crate::value::{Cells, Value};

impl Merge {
    /// Lets a row join its record: its values are merged, and what it gave is noted.
    pub(crate) fn join(
        &mut self,
        touched: &mut Touched,
        found: &Recognised,
        view: &View<'_>,
        row: &Row<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        if found.new {
            self.apply(touched, view, row.at, &[], findings)?;
            self.records.get(touched.id)?.order = self.parts.next_record()?;
            if self.linked.is_some() && row.is_keyless() {
                // Without a key, likeness brings it here again: it is the same row still.
                self.parts.note_unit(self.signature(row), touched.id)?;
            }
            return Ok(());
        }
        if touched.first.is_none() && !self.records.get(touched.id)?.parted {
            touched.first = Some(Parts::only(&mut self.records, touched.id)?);
        }
        let mut part = self.part(found, view, row)?;
        // All that was said is needed where all senders are asked, and where something said before is corrected.
        let places = &self.records.get(touched.id)?.places;
        let corrected = places.iter().any(|place| place.source.is_corrected_by(&view.source));
        let votes = match corrected || self.fields.iter().any(|field| field.choose.votes()) {
            true => self.votes(touched)?,
            false => Vec::new(),
        };
        let changed = self.apply(touched, view, row.at, &votes, findings)?;
        let changed = touched.votes_anew(&self.fields, &part, &votes) || changed;
        if part.row.values.iter().all(Option::is_none) || touched.says_already(&part) && !changed {
            return Ok(()); // It says nothing, or what this delivery says already: there is nothing to keep.
        }
        part.row.order = self.parts.next()?;
        touched.came.push(part);
        Ok(())
    }

    /// The parts of a record so far, with those of this batch.
    fn votes(&mut self, touched: &Touched) -> Result<Vec<Part>, StageError> {
        let mut votes = match &touched.first {
            Some(first) => vec![first.clone()],
            None => self.parts.of(&mut self.records, touched.id)?,
        };
        votes.extend_from_slice(&touched.came);
        Ok(votes)
    }

    /// What a row gives, as a part of its record.
    fn part(&mut self, found: &Recognised, view: &View<'_>, row: &Row<'_>) -> Result<Part, StageError> {
        let value = |(i, cells): (usize, &Cells<'_>)| {
            Some(Held { value: cells.value(row.at)?, place: 0, column: view.columns[i] })
        };
        let values = view.cells.iter().enumerate().map(value).collect();
        let row_number = huiliu_stage::row_number(view.rows.value(row.at));
        let places = vec![Place { source: view.source.clone(), row: row_number }];
        let first_key = row.keys.first().map_or(0, |&(_, key)| key);
        // Only what has no key is known by its signature.
        let by_signature = match matches!(found.by, By::Likeness | By::Decision) && row.is_keyless() {
            true => self.parts.unit_of_signature(self.signature(row))?,
            false => None,
        };
        let unit = match found.by {
            By::Likeness => {
                let unit = by_signature.unwrap_or_else(|| RecordId::of(self.signature(row), 0));
                for &(_, key) in row.keys {
                    self.records.set_unit(key, unit)?;
                }
                unit
            }
            By::Rule(rule) if self.linked.is_some() || !self.decided.is_empty() => {
                let key =
                    row.keys.iter().find(|(by, _)| *by == Some(rule)).map_or(first_key, |&(_, key)| key);
                self.parts.unit(&mut self.records, key, found.record)?
            }
            By::Decision | By::Content => match by_signature {
                Some(unit) => unit,
                None => self.parts.unit(&mut self.records, first_key, found.record)?,
            },
            By::Rule(_) => found.record,
        };
        let by = self.word(found.by).to_owned();
        let row = Record { places, values, ..Record::default() };
        Ok(Part { unit, by, row, former: Some(Vec::new()) })
    }

    /// Why a row was taken for its record, as `matched_by` tells it.
    pub(crate) fn word(&self, by: By) -> &str {
        match by {
            By::Rule(rule) => &self.recogniser.rules[rule].name,
            By::Likeness => "likeness",
            By::Decision => "decision",
            By::Content => "content",
        }
    }

    /// Merges the values of a row into its record; tells whether any was taken.
    fn apply(
        &mut self,
        touched: &mut Touched,
        view: &View<'_>,
        at: usize,
        votes: &[Part],
        findings: &mut Vec<Finding>,
    ) -> Result<bool, StageError> {
        let record = self.records.get(touched.id)?;
        let (id, new) = (touched.id, touched.new);
        let (fields, row) = (&self.fields, view.rows.value(at));
        let (before, mut changed) = (&mut touched.before, false);
        let replaced = |field: usize, held: Option<Held>| {
            changed = true;
            if !new && before.iter().all(|(known, _)| *known != field) {
                before.push((field, held));
            }
        };
        let told = |told: Contradiction<'_>| {
            let field = &fields[told.field];
            let (sent, held) = (told.sent.show(&field.kind), told.held.show(&field.kind));
            findings.push(report::other_value(row, id, (&field.name, &field.title), sent, &held, told.taken));
        };
        merge_row(record, fields, &ViewRow { view, at }, votes, self.tolerance, replaced, told);
        Ok(changed)
    }
}

/// A row of a batch, as its record sees it.
struct ViewRow<'a> {
    view: &'a View<'a>,
    at: usize,
}

impl Incoming for ViewRow<'_> {
    fn is(&self, field: usize, value: &Value) -> bool {
        self.view.cells[field].is(self.at, value)
    }

    fn value(&self, field: usize) -> Option<Value> {
        self.view.cells[field].value(self.at)
    }

    fn place(&self, _: usize) -> Place {
        let row = huiliu_stage::row_number(self.view.rows.value(self.at));
        Place { source: self.view.source.clone(), row }
    }

    fn column(&self, field: usize) -> u32 {
        self.view.columns[field]
    }
}
