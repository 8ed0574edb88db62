//! Carrying out what the linkage found out about known records: two that turn out to be one are put together, and rows
//! that turn out to belong elsewhere go there.
//!
//! This happens before the rows of a batch join their records, and in the same delivery: it is committed with it or
//! not at all. Nothing that a person decided is touched ([`ties`](crate::ties)), and nothing is decided for people: a
//! record that was put together so is taken apart by `unmerge` like any other, and stays apart. What became of each
//! record comes out at the end of the delivery ([`regroup`](crate::regroup)), why it did so is kept beside it.

use huiliu_stage::{Finding, StageError};

use crate::kept::KeptRow;
use crate::link::change::{Change, To};
use crate::merge::Merge;
use crate::part::Part;
use crate::records::RecordId;
use crate::regroup::Known;
use crate::report;

/// What brought rows that were put elsewhere to their record, as `matched_by` tells it.
const REVISED: &str = "revised";
/// The same for records that were found to be one.
const LIKENESS: &str = "likeness";

impl Merge {
    /// Carries out what the linkage found out.
    pub(crate) fn revise(
        &mut self,
        changes: &[Change],
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        for change in changes {
            self.change(change, findings)?;
        }
        if changes.is_empty() { Ok(()) } else { self.parts.settle() }
    }

    fn change(&mut self, change: &Change, findings: &mut Vec<Finding>) -> Result<(), StageError> {
        let Some(linked) = &self.linked else { return Ok(()) };
        let record = |row: &u32| linked.record_of(*row);
        let Some(from) = change.records.first().and_then(record) else { return Ok(()) };
        let to = match change.to {
            To::With(row) => record(&row),
            To::Own => None,
        };
        if to == Some(from) {
            return Ok(());
        }
        let reason = linked.reason(change);
        let rows: Vec<KeptRow> =
            change.records.iter().map(|row| linked.kept(*row)).collect::<Result<_, _>>()?;
        let parts = self.parts_of(from)?;
        let known = self.known(&parts)?;
        let is_moved = |(part, known): &(Part, Known)| {
            rows.iter().any(|(sender, values)| sender == part.sender() && *values == known.compared)
        };
        let (mut moved, mut rest): (Vec<_>, Vec<_>) = parts.into_iter().zip(known).partition(is_moved);
        if rest.iter().all(|(part, _)| part.is_pin()) {
            // What people have set of a record is no record without it.
            moved.append(&mut rest);
        }
        let of = |parts: &[(Part, Known)]| parts.iter().map(|(part, _)| part.clone()).collect::<Vec<_>>();
        let (mut off, rest) = (of(&moved), of(&rest));
        let goes_whole = rest.is_empty();
        let found = reason.as_ref().map(|(_, found)| found);
        let now = match (to, off.is_empty(), goes_whole) {
            (_, true, _) | (None, _, true) => return Ok(()),
            (Some(to), _, true) => {
                self.put_together(from, to, LIKENESS)?;
                self.tell(found, findings, |zh, en| report::united(from, to, zh, en));
                to
            }
            (Some(to), ..) => {
                self.free(from, &moved, &mut off)?;
                self.hand_over(from, to, (off, rest), REVISED)?;
                self.tell(found, findings, |zh, en| report::handed_over(from, to, zh, en));
                to
            }
            (None, ..) => {
                let new = self.id_of_split(from, &off)?;
                off.iter_mut().filter(|part| part.unit == from).for_each(|part| part.unit = new);
                self.take_apart(from, new, (off, rest), (REVISED, false))?;
                self.tell(found, findings, |zh, en| report::parted(from, new, zh, en));
                new
            }
        };
        if let (Some(linked), Some((row, found))) = (&mut self.linked, reason) {
            let (word, other) = match (to, goes_whole) {
                (Some(_), true) => ("match", from),
                (Some(_), false) => ("match", now),
                (None, _) => ("review", from),
            };
            linked.note_change((now, other), row, (word, &found), &self.decided)?;
        }
        Ok(())
    }

    /// Rows that made their record and leave it now are a unit of their own, and so is what comes by their keys.
    fn free(&mut self, from: RecordId, moved: &[(Part, Known)], off: &mut [Part]) -> Result<(), StageError> {
        for ((_, known), part) in moved.iter().zip(off) {
            if part.by == "new" {
                part.by = LIKENESS.to_owned();
            }
            if part.unit == from {
                part.unit = RecordId::of(known.signature, 0);
                for key in known.keys() {
                    self.records.set_unit(key, part.unit)?;
                }
            }
        }
        Ok(())
    }

    fn tell(
        &self,
        found: Option<&crate::link::online::Found>,
        findings: &mut Vec<Finding>,
        finding: impl Fn(&str, &str) -> Finding,
    ) {
        let words = self.linked.as_ref().zip(found).map(|(linked, found)| linked.in_words(found));
        let (zh, en) = words.unwrap_or_default();
        findings.push(finding(&zh, &en));
    }
}
