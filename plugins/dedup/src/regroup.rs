//! Records put together and taken apart, whoever says so: people ([`decide`](crate::decide)) or the linkage
//! ([`revise`](crate::revise)).
//!
//! A record is what its [parts](crate::parts) give, one after the other; so what changes hands are parts, with their
//! keys, and the records are made anew from the parts they have then. That is exact and loses no value. What a record
//! was is told by where its id leads: a record that is merged into another comes out once more, with its last values
//! and the name of that other one ([`MERGED_INTO`](huiliu_stage::MERGED_INTO)). All records that were changed so come
//! out at the end of the delivery, unless they come out with a later row of it anyway.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::Schema;
use huiliu_stage::{NO_SHEET, StageError, row_id};
use xxhash_rust::xxh3::xxh3_128;

use crate::build;
use crate::entity::Record;
use crate::former;
use crate::give::mark;
use crate::kept::KeptRow;
use crate::key::Scratch;
use crate::merge::{Merge, content_key};
use crate::merged::{self, Merged};
use crate::part::{Former, Part};
use crate::queue;
use crate::recognise::Row;
use crate::records::RecordId;
use crate::survive::made_of;
use crate::value::Cells;

/// What brought a record to another one that people said to be the same, as `matched_by` tells it.
pub(crate) const DECISION: &str = "decision";

/// A record that a decision changed.
pub(crate) struct Made {
    pub(crate) id: RecordId,
    record: Record,
    by: &'static str,
    into: Option<RecordId>,
}

/// A part as a row: its keys and what stays the same when it comes again.
pub(crate) struct Known {
    keys: Vec<(Option<usize>, u128)>,
    pub(crate) compared: Vec<Option<String>>,
    pub(crate) signature: u128,
}

impl Known {
    pub(crate) fn keys(&self) -> impl Iterator<Item = u128> {
        self.keys.iter().map(|(_, key)| *key)
    }

    fn is_keyless(&self) -> bool {
        self.keys.iter().all(|(rule, _)| rule.is_none())
    }
}

impl Merge {
    /// Two records are one from now on: all parts of the first go to the second. Gives the parts it has then.
    pub(crate) fn put_together(
        &mut self,
        goes: RecordId,
        stays: RecordId,
        by: &'static str,
    ) -> Result<Vec<Known>, StageError> {
        let moved = self.parts_of(goes)?;
        let mut all = self.parts_of(stays)?;
        let (known, of_others) = (self.known(&moved)?, self.known(&all)?);
        self.note_units((goes, &moved, &known), (&all, &of_others))?;
        let theirs: BTreeSet<u128> = of_others.iter().flat_map(Known::keys).collect();
        let mut merged = Merged { at: self.parts.so_far()?, ..Merged::default() };
        for key in known.iter().flat_map(Known::keys).collect::<BTreeSet<_>>() {
            let had = self.give_key(key, goes, stays)?;
            if had != [goes] || theirs.contains(&key) {
                merged.keys.insert(key, had);
            }
        }
        if let Some(linked) = &self.linked {
            (merged.known, merged.rows) = (linked.count(), linked.rows_of(goes).into_iter().collect());
        }
        let former = Former { id: goes, at: merged.at, decided: by == DECISION };
        all.extend(moved.into_iter().map(|mut part| {
            part.former.get_or_insert_default().push(former);
            part
        }));
        all.sort_by_key(|part| part.row.order);
        self.parts.replace(&mut self.records, goes, &[])?;
        self.parts.replace(&mut self.records, stays, &all)?;
        // It comes out once more; and should it come back, it is newer than anything it was.
        let mut gone = self.records.remove(goes)?;
        gone.revision += 1;
        let revision = &mut self.records.get(stays)?.revision;
        *revision = gone.revision.max(*revision);
        self.note_made(Made { id: goes, record: gone, by, into: Some(stays) });
        self.rebuild(stays, &all, by)?;
        self.decided.set_redirect(goes, Some(stays))?;
        if let Some(linked) = &mut self.linked {
            linked.assign(goes, |_, _| stays, &[])?;
        }
        merged.asked = queue::follow(&*self.host, &self.decided, goes, stays)?;
        merged.keep(&*self.host, goes)?;
        self.known(&all)
    }

    /// All parts of a record, each with the records that it was in.
    pub(crate) fn parts_of(&mut self, id: RecordId) -> Result<Vec<Part>, StageError> {
        let mut parts = self.parts.of(&mut self.records, id)?;
        former::complete(&*self.host, id, &mut parts)?;
        Ok(parts)
    }

    /// Before a record goes into another one: notes the unit of what will come by its keys, if they are its own alone, and
    /// of what has no key and comes again.
    fn note_units(
        &mut self,
        (goes, moved, of_moved): (RecordId, &[Part], &[Known]),
        (others, of_others): (&[Part], &[Known]),
    ) -> Result<(), StageError> {
        let theirs: BTreeSet<u128> = of_others.iter().flat_map(Known::keys).collect();
        for key in of_moved.iter().flat_map(Known::keys).filter(|key| !theirs.contains(key)) {
            let unit = self.parts.unit(&mut self.records, key, goes)?;
            self.records.set_unit(key, unit)?;
        }
        for (part, known) in others.iter().zip(of_others).chain(moved.iter().zip(of_moved)) {
            if known.is_keyless() && self.parts.unit_of_signature(known.signature)?.is_none() {
                self.parts.note_unit(known.signature, part.unit)?;
            }
        }
        Ok(())
    }

    /// A key that one record has is that of another. Gives who had it before.
    fn give_key(&mut self, key: u128, from: RecordId, to: RecordId) -> Result<Vec<RecordId>, StageError> {
        let had = self.records.ids(key)?.to_vec();
        self.records.set_ids(key, merged::after(&had, from, to))?;
        Ok(had)
    }

    /// One record is two from now on; the new one may be `back` as it was before it was merged into the other. Gives the
    /// parts of both.
    pub(crate) fn take_apart(
        &mut self,
        id: RecordId,
        new: RecordId,
        (mut small, mut big): (Vec<Part>, Vec<Part>),
        (by, back): (&'static str, bool),
    ) -> Result<(Vec<Known>, Vec<Known>), StageError> {
        former::forget(&*self.host, new)?;
        let (of_small, of_big) = (self.known(&small)?, self.known(&big)?);
        let had = Merged::take(&*self.host, (new, id))?;
        let merged = if back { had } else { Merged::default() };
        self.part_keys((new, &of_small), (id, &of_big), &merged)?;
        self.follow((id, &mut big), (new, &mut small))?;
        let revision = self.records.get(id)?.revision;
        self.records.set(new, Record { revision, given: self.given_before(new), ..Record::default() });
        self.parts.replace(&mut self.records, new, &small)?;
        self.parts.replace(&mut self.records, id, &big)?;
        self.rebuild(id, &big, by)?;
        self.rebuild(new, &small, by)?;
        self.part_rows((new, &small, &of_small), (id, &big, &of_big), &merged)?;
        queue::came_back(&*self.host, &self.decided, (new, id), &merged.asked)?;
        Ok((of_small, of_big))
    }

    /// Some parts of a record are of another one from now on, which is there already.
    pub(crate) fn hand_over(
        &mut self,
        from: RecordId,
        to: RecordId,
        (mut moved, mut rest): (Vec<Part>, Vec<Part>),
        by: &'static str,
    ) -> Result<(), StageError> {
        let (of_moved, of_rest) = (self.known(&moved)?, self.known(&rest)?);
        let stay: BTreeSet<u128> = of_rest.iter().flat_map(Known::keys).collect();
        for key in of_moved.iter().flat_map(Known::keys) {
            match stay.contains(&key) {
                true => self.records.link(key, to)?,
                false => drop(self.give_key(key, from, to)?),
            }
        }
        self.follow((from, &mut rest), (to, &mut moved))?;
        let mut all = self.parts_of(to)?;
        all.extend_from_slice(&moved);
        all.sort_by_key(|part| part.row.order);
        self.parts.replace(&mut self.records, from, &rest)?;
        self.parts.replace(&mut self.records, to, &all)?;
        self.rebuild(from, &rest, by)?;
        self.rebuild(to, &all, by)?;
        self.part_rows((to, &moved, &of_moved), (from, &rest, &of_rest), &Merged::default())
    }

    /// The keys of what was one record: those of the new one, and those of the one that keeps its id.
    fn part_keys(
        &mut self,
        (new, of_small): (RecordId, &[Known]),
        (id, of_big): (RecordId, &[Known]),
        merged: &Merged,
    ) -> Result<(), StageError> {
        let keys = |all: &[Known]| all.iter().flat_map(Known::keys).collect::<BTreeSet<_>>();
        let (of_small, of_big) = (keys(of_small), keys(of_big));
        for &key in of_small.union(&of_big) {
            let ids = self.records.ids(key)?.to_vec();
            let had = merged.keys.get(&key).filter(|had| merged::after(had, new, id) == ids);
            let now = match had {
                Some(had) => had.clone(),
                // Where it was that of the one, it is that of the two. A key of others only stays theirs, though a row has it.
                None => {
                    let of = |known: &RecordId| match *known == id {
                        true => {
                            [(id, &of_big), (new, &of_small)].map(|(id, of)| of.contains(&key).then_some(id))
                        }
                        false => [Some(*known).filter(|known| *known != new), None],
                    };
                    ids.iter().flat_map(of).flatten().collect()
                }
            };
            self.records.set_ids(key, now)?;
        }
        Ok(())
    }

    /// Tells the linkage which rows of what was one record are of another one now.
    fn part_rows(
        &mut self,
        (to, moved, of_moved): (RecordId, &[Part], &[Known]),
        (from, rest, of_rest): (RecordId, &[Part], &[Known]),
        merged: &Merged,
    ) -> Result<(), StageError> {
        let Some(linked) = &mut self.linked else { return Ok(()) };
        let rows = |parts: &[Part], known: &[Known], since: u64| -> BTreeSet<KeptRow> {
            let came = parts.iter().zip(known).filter(|(part, _)| part.row.order >= since);
            came.map(|(part, known)| (part.sender().to_owned(), known.compared.clone())).collect()
        };
        // A row of both stays, and the other one has it too from now on.
        let mut more = rows(moved, of_moved, if merged.at > 0 { merged.at + 1 } else { 0 });
        let (moved, rest) = (rows(moved, of_moved, 0), rows(rest, of_rest, 0));
        more.retain(|row| rest.contains(row));
        let goes = |number: u32, row: &KeptRow| {
            merged.had(number).unwrap_or_else(|| moved.contains(row) && !rest.contains(row))
        };
        for number in linked.rows_of(from) {
            let row = linked.kept(number)?;
            if goes(number, &row) {
                more.remove(&row);
            }
        }
        let more: Vec<_> = more.into_iter().map(|row| (to, row)).collect();
        linked.assign(from, |number, row| if goes(number, row) { to } else { from }, &more)
    }

    fn note_made(&mut self, mut made: Made) {
        // Made anew of nothing it still came out when it did: that is to be replaced.
        made.record.given = made.record.given.or(self.given_before(made.id));
        self.made.retain(|known| known.id != made.id);
        self.made.push(made);
    }

    /// When a record that was merged away in this delivery was last given out.
    fn given_before(&self, id: RecordId) -> Option<(u32, i64)> {
        self.made.iter().find(|known| known.id == id).and_then(|known| known.record.given)
    }

    /// The id of what is split off: its own from before it was merged, if it is just that record; else a new one.
    pub(crate) fn id_of_split(&mut self, id: RecordId, small: &[Part]) -> Result<RecordId, StageError> {
        if let Some(first) = small.first()
            && small.iter().all(|part| part.unit == first.unit)
            && self.decided.redirect(first.unit).is_some()
            && self.decided.now(first.unit) == id
            && !self.records.exists(first.unit)?
        {
            return Ok(first.unit);
        }
        let mut named = id.bytes().to_vec();
        small.iter().for_each(|part| named.extend_from_slice(&part.hash().to_le_bytes()));
        let mut again = 0;
        loop {
            let new = RecordId::of(xxh3_128(&named), again);
            if !self.records.exists(new)? && self.decided.redirect(new).is_none() {
                return Ok(new);
            }
            again += 1;
        }
    }

    /// Former records that went into what is split off answer with it from now on; what is elsewhere than such a record
    /// leads to was not in it.
    fn follow(
        &mut self,
        (id, big): (RecordId, &mut [Part]),
        (new, small): (RecordId, &mut [Part]),
    ) -> Result<(), StageError> {
        self.decided.set_redirect(new, None)?;
        let names = |parts: &[Part]| -> BTreeSet<RecordId> {
            let former = parts.iter().flat_map(|part| part.former.iter().flatten().map(|former| former.id));
            former.chain(parts.iter().map(|part| part.unit)).collect()
        };
        let stay = names(big);
        for name in names(small).into_iter().filter(|name| !stay.contains(name)) {
            if name != id && name != new && self.decided.redirect(name).is_some() {
                self.decided.set_redirect(name, Some(new))?;
                let record = Record { values: vec![None; self.fields.len()], ..Record::default() };
                self.note_made(Made { id: name, record, by: "split", into: Some(new) });
            }
        }
        for (at, parts) in [(id, big), (new, small)] {
            let leads_here = |former: &Former| former.id != at && self.decided.now(former.id) == at;
            parts.iter_mut().flat_map(|part| &mut part.former).for_each(|former| former.retain(leads_here));
        }
        Ok(())
    }

    /// Makes a record anew from its parts.
    pub(crate) fn rebuild(
        &mut self,
        id: RecordId,
        parts: &[Part],
        by: &'static str,
    ) -> Result<(), StageError> {
        let before = self.records.get(id)?;
        let (revision, given) = (before.revision + 1, before.given);
        let order = parts.first().map_or(0, |part| part.row.order);
        let made = made_of(&self.fields, parts, self.tolerance);
        let record = Record { revision, order, given, parted: true, ..made };
        self.records.set(id, record.clone());
        self.records.keep(id, &mut Vec::new())?;
        self.note_made(Made { id, record, by, into: None });
        Ok(())
    }

    /// The parts as rows.
    pub(crate) fn known(&self, parts: &[Part]) -> Result<Vec<Known>, StageError> {
        let rows: Vec<&Record> = parts.iter().map(|part| &part.row).collect();
        let batch = self.batch(&rows)?;
        let cells = self
            .fields
            .iter()
            .map(|field| Cells::of(batch.column(field.column)))
            .collect::<Result<Vec<_>, _>>()?;
        let rules = &self.recogniser.rules;
        let keyed = rules.iter().map(|rule| rule.cells(&batch)).collect::<Result<Vec<_>, _>>()?;
        let mut scratch = Scratch::default();
        let one = |(at, part): (usize, &Part)| {
            let mut keys: Vec<(Option<usize>, u128)> = Vec::new();
            for (i, (rule, cells)) in rules.iter().zip(&keyed).enumerate() {
                keys.extend(rule.key(cells, at, &mut scratch).map(|key| (Some(i), key)));
            }
            if keys.is_empty() {
                keys.push((None, content_key(&cells, at)));
            }
            let sender = part.sender();
            let row = Row { id: at as i64, at, keys: &keys, cells: &cells, fields: &self.fields, sender };
            let (compared, signature) = (row.compared(&self.recogniser.compared), self.signature(&row));
            Known { keys, compared, signature }
        };
        Ok(parts.iter().enumerate().map(one).collect())
    }

    /// Records as a batch of the input's columns.
    fn batch(&self, records: &[&Record]) -> Result<RecordBatch, StageError> {
        let count = records.len();
        let column = |at: usize| -> Result<ArrayRef, StageError> {
            if let Some(i) = self.fields.iter().position(|field| field.column == at) {
                let values = records.iter().map(|record| record.values[i].as_ref().map(|held| &held.value));
                return build::column(&self.fields[i].kind, values);
            }
            Ok(match at {
                _ if at == self.row_column => Arc::new(Int64Array::from_iter_values(
                    (1..=count as u32).map(|row| row_id(NO_SHEET, row)),
                )),
                _ if at == self.sheet_column => Arc::new(StringArray::from(vec![""; count])),
                _ => new_null_array(self.input.field(at).data_type(), count),
            })
        };
        let columns = (0..self.input.fields.len()).map(column).collect::<Result<Vec<_>, _>>()?;
        // A required column may be missing in a part: the schema only names the columns here.
        let fields = self.input.fields.iter().map(|field| field.as_ref().clone().with_nullable(true));
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?)
    }

    /// The records that decisions and the linkage changed, each as it is at the end. One that came out of a batch of
    /// this `delivery` already stands in the place of that: else a sink that only appends would have it twice.
    pub(crate) fn give_made(&mut self, delivery: Option<u32>) -> Result<RecordBatch, StageError> {
        let made = std::mem::take(&mut self.made);
        let records: Vec<&Record> = made.iter().map(|made| &made.record).collect();
        let mut columns = self.batch(&records)?.columns().to_vec();
        columns.push(Arc::new(StringArray::from_iter_values(made.iter().map(|made| made.id.to_string()))));
        columns.push(Arc::new(Int64Array::from_iter_values(records.iter().map(|record| record.revision))));
        columns.push(Arc::new(self.all_origins(&records)?));
        columns.push(Arc::new(StringArray::from_iter_values(made.iter().map(|made| made.by))));
        let into = made.iter().map(|made| made.into.map(|into| into.to_string()));
        columns.push(Arc::new(into.collect::<StringArray>()));
        let given = (1..).zip(&records).filter_map(|(at, record)| {
            let (before, earlier) = record.given?;
            (Some(before) == delivery).then_some((row_id(NO_SHEET, at), earlier))
        });
        mark(RecordBatch::try_new(self.output.clone(), columns)?, &given.collect::<Vec<_>>())
    }
}
