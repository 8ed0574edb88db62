//! Carrying out what people decide: two records become one, stay two, or one becomes two again.
//!
//! A decision is a delivery without rows ([`DECISIONS`](huiliu_stage::DECISIONS)): so it is committed, delivered to
//! every sink and undone by a crash like anything else. The records it changes come out at its end. A record that was
//! merged into another comes out once more, with its last values and the name of that other one.
//!
//! Records are put together and taken apart by their [parts](crate::parts): each record is what its parts give, one
//! after the other, so that taking apart is exact and no value is lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::Schema;
use huiliu_stage::{Finding, Findings, Outcome, Severity, StageError};
use xxhash_rust::xxh3::xxh3_128;

use crate::build;
use crate::decided::{Decision, Word};
use crate::entity::Record;
use crate::kept::KeptRow;
use crate::key::Scratch;
use crate::merge::{Merge, content_key};
use crate::parts::{Former, Part, former};
use crate::queue;
use crate::recognise::Row;
use crate::records::RecordId;
use crate::report;
use crate::survive::merge_row;
use crate::value::Cells;

/// A record that a decision changed.
pub(crate) struct Made {
    id: RecordId,
    record: Record,
    by: &'static str,
    into: Option<RecordId>,
}

/// A part as a row: its keys and what stays the same when it comes again.
struct Known {
    keys: Vec<(Option<usize>, u128)>,
    compared: Vec<Option<String>>,
    signature: u128,
}

impl Known {
    fn keys(&self) -> impl Iterator<Item = u128> {
        self.keys.iter().map(|(_, key)| *key)
    }
}

/// Why a decision cannot be carried out, in both languages.
type Refusal = (String, String);

impl Merge {
    /// Takes the decisions of a delivery.
    pub(crate) fn decide(&mut self, decisions: &str) -> Result<Outcome, StageError> {
        let decisions: Vec<Decision> = serde_json::from_str(decisions)
            .map_err(|error| StageError::new(format!("a decision cannot be read: {error}")))?;
        if let Some(linked) = &mut self.linked {
            linked.begin("")?;
        }
        let mut findings = Vec::new();
        for decision in &decisions {
            let came = self.carry_out(decision)?;
            let (Ok((zh, en)) | Err((zh, en))) = &came;
            // What was refused stands in the log too: whoever decided looks there for what became of it.
            self.decided.log(decision, (zh, en), came.is_err())?;
            findings.push(match came {
                Ok((zh, en)) => report::decision("decided", Severity::Info, zh, en),
                Err((zh, en)) => report::decision("decision-refused", Severity::Error, zh, en),
            });
        }
        self.parts.settle()?;
        Ok(Outcome { batch: RecordBatch::new_empty(self.output.clone()), findings: Findings(findings) })
    }

    fn carry_out(&mut self, decision: &Decision) -> Result<Result<(String, String), Refusal>, StageError> {
        let id = match self.named(&decision.record)? {
            Ok(id) => id,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if decision.word == Word::Unmerge {
            return self.unmerge(id, decision.source.as_deref());
        }
        let other = match self.named(decision.other.as_deref().unwrap_or_default())? {
            Ok(other) => other,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match decision.word {
            Word::Accept => self.accept(id, other).map(Ok),
            _ => self.reject(id, other),
        }
    }

    /// The record that people call so, as it is now.
    fn named(&self, text: &str) -> Result<Result<RecordId, Refusal>, StageError> {
        let id = RecordId::parse(text).map(|id| self.decided.now(id));
        Ok(match id {
            Some(id) if self.records.exists(id)? => Ok(id),
            _ => Err((format!("没有记录 {text}"), format!("there is no record {text}"))),
        })
    }

    /// The two are one: the one of fewer parts goes into the other.
    fn accept(&mut self, a: RecordId, b: RecordId) -> Result<(String, String), StageError> {
        if a == b {
            let text = (format!("记录 {a} 早已是同一项"), format!("record {a} is one already"));
            return Ok(text);
        }
        let (of_a, of_b) = (self.parts.of(&mut self.records, a)?, self.parts.of(&mut self.records, b)?);
        let first = |parts: &[Part]| parts.first().map_or(0, |part| part.row.order);
        let stays = (of_b.len(), first(&of_a), a) <= (of_a.len(), first(&of_b), b);
        let (stays, goes, mut all, moved) = if stays { (a, b, of_a, of_b) } else { (b, a, of_b, of_a) };
        let known = self.known(&moved)?;
        let of_others: BTreeSet<u128> = self.known(&all)?.iter().flat_map(Known::keys).collect();
        let own = known.iter().flat_map(Known::keys).filter(|key| !of_others.contains(key));
        self.parts.note_former(&mut self.records, goes, &moved, own)?;
        for key in known.iter().flat_map(|known| &known.keys) {
            let mut ids: Vec<RecordId> = self.records.ids(key.1)?.to_vec();
            ids.iter_mut().filter(|id| **id == goes).for_each(|id| *id = stays);
            let mut seen = BTreeSet::new();
            ids.retain(|id| seen.insert(*id));
            self.records.set_ids(key.1, ids)?;
        }
        all.extend(moved.into_iter().map(|mut part| {
            if part.unit == goes && part.by == "new" {
                part.by = "decision".to_owned();
            }
            part
        }));
        all.sort_by_key(|part| part.row.order);
        self.parts.replace(&mut self.records, goes, &[])?;
        self.parts.replace(&mut self.records, stays, &all)?;
        let gone = self.records.remove(goes)?;
        self.made.push(Made { id: goes, record: gone, by: "decision", into: Some(stays) });
        self.rebuild(stays, &all, "decision")?;
        let overruled = self.decided.let_meet(stays, goes)?;
        self.decided.set_redirect(goes, Some(stays))?;
        for known in self.known(&all)? {
            self.decided.pin(known.signature, stays)?;
        }
        if let Some(linked) = &mut self.linked {
            linked.assign(goes, |_| stays, &[])?;
        }
        queue::follow(&*self.host, &self.decided, goes, stays)?;
        let before = if overruled {
            ("；此前认定两者不同，现已撤销", "; that they are two was taken back")
        } else {
            ("", "")
        };
        Ok((
            format!("记录 {goes} 与 {stays} 是同一项，已并入 {stays}{}", before.0),
            format!("record {goes} is the same as {stays} and was merged into it{}", before.1),
        ))
    }

    /// The two are two, for ever.
    fn reject(&mut self, a: RecordId, b: RecordId) -> Result<Result<(String, String), Refusal>, StageError> {
        if a == b {
            return Ok(Err((
                format!("记录 {a} 已是同一项，要拆开请用 unmerge"),
                format!("record {a} is one already; `unmerge` takes it apart"),
            )));
        }
        self.decided.keep_apart(a, b)?;
        queue::answered(&*self.host, a, b)?;
        for id in [a, b] {
            let parts = self.parts.of(&mut self.records, id)?;
            for known in self.known(&parts)? {
                self.decided.pin(known.signature, id)?;
            }
        }
        Ok(Ok((
            format!("记录 {a} 与 {b} 不是同一项，今后不再询问"),
            format!("records {a} and {b} are two and will not be asked about again"),
        )))
    }

    /// One record is two: splits off the parts that `source` names, or the only ones that joined by likeness or by a
    /// decision.
    fn unmerge(
        &mut self,
        id: RecordId,
        source: Option<&str>,
    ) -> Result<Result<(String, String), Refusal>, StageError> {
        let parts = self.parts.of(&mut self.records, id)?;
        let origins = origins(&parts, &former(&*self.host, id)?);
        let chosen = match choose(&origins, &id.to_string(), source) {
            Ok(chosen) => chosen,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let joined = origins.iter().zip(&chosen).find(|(_, chosen)| **chosen).map(|(part, _)| part.joined());
        let back =
            source.or(joined).and_then(RecordId::parse).filter(|id| self.decided.redirect(*id).is_some());
        let (off, rest): (Vec<_>, Vec<_>) = parts.into_iter().zip(chosen).partition(|(_, chosen)| *chosen);
        let strip = |parts: Vec<(Part, bool)>| parts.into_iter().map(|(part, _)| part).collect::<Vec<_>>();
        let (off, rest) = (strip(off), strip(rest));
        // A record that was merged into this one comes back under its id. Else the bigger half keeps the id; of equals
        // the one that had it first.
        let smaller = back.is_some() || off.len() <= rest.len();
        let (mut small, big) = if smaller { (off, rest) } else { (rest, off) };
        let new = match back {
            Some(back) => back,
            None => self.id_of_split(id, &small)?,
        };
        self.parts.forget_former(new)?;
        small.iter_mut().filter(|part| part.unit == id).for_each(|part| part.unit = new);
        let (of_small, of_big) = (self.known(&small)?, self.known(&big)?);
        let has =
            |all: &[Known], key: u128| all.iter().any(|known| known.keys.iter().any(|(_, k)| *k == key));
        for key in of_small.iter().chain(&of_big).flat_map(|known| &known.keys).map(|(_, key)| *key) {
            let mut ids: Vec<RecordId> = self.records.ids(key)?.to_vec();
            ids.retain(|known| *known != id && *known != new);
            ids.extend(has(&of_big, key).then_some(id));
            ids.extend(has(&of_small, key).then_some(new));
            self.records.set_ids(key, ids)?;
        }
        for (known, to) in of_small.iter().map(|k| (k, new)).chain(of_big.iter().map(|k| (k, id))) {
            self.decided.pin(known.signature, to)?;
        }
        self.follow(id, new, &small, &big)?;
        let revision = self.records.get(id)?.revision;
        self.records.set(new, Record { revision, ..Record::default() });
        self.parts.replace(&mut self.records, new, &small)?;
        self.parts.replace(&mut self.records, id, &big)?;
        self.rebuild(id, &big, "split")?;
        self.rebuild(new, &small, "split")?;
        self.decided.keep_apart(id, new)?;
        queue::answered(&*self.host, id, new)?;
        if let Some(linked) = &mut self.linked {
            let rows = |parts: &[Part], known: &[Known]| -> Vec<KeptRow> {
                let row = |(part, known): (&Part, &Known)| (part.sender().to_owned(), known.compared.clone());
                parts.iter().zip(known).map(row).collect()
            };
            let (small, big) = (rows(&small, &of_small), rows(&big, &of_big));
            let both: Vec<_> =
                small.iter().filter(|row| big.contains(row)).map(|row| (new, row.clone())).collect();
            let to = |row: &KeptRow| if small.contains(row) && !big.contains(row) { new } else { id };
            linked.assign(id, to, &both)?;
        }
        Ok(Ok((
            format!("记录 {id} 已拆开，拆出的部分为记录 {new}，今后不再合并"),
            format!("record {id} was taken apart; what was split off is record {new} and stays apart"),
        )))
    }

    /// The id of what is split off: its own from before it was merged, if it is just that record; else a new one.
    fn id_of_split(&mut self, id: RecordId, small: &[Part]) -> Result<RecordId, StageError> {
        if let Some(first) = small.first()
            && small.iter().all(|part| part.unit == first.unit)
            && self.decided.redirect(first.unit).is_some()
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

    /// Former records that went into what is split off answer with it from now on.
    fn follow(
        &mut self,
        id: RecordId,
        new: RecordId,
        small: &[Part],
        big: &[Part],
    ) -> Result<(), StageError> {
        self.decided.set_redirect(new, None)?;
        let former: BTreeSet<RecordId> = small.iter().map(|part| part.unit).collect();
        for unit in former.into_iter().filter(|unit| big.iter().all(|part| part.unit != *unit)) {
            if unit != id && unit != new && self.decided.redirect(unit).is_some() {
                self.decided.set_redirect(unit, Some(new))?;
                let record = Record { values: vec![None; self.fields.len()], ..Record::default() };
                self.made.push(Made { id: unit, record, by: "split", into: Some(new) });
            }
        }
        Ok(())
    }

    /// Makes a record anew from its parts.
    fn rebuild(&mut self, id: RecordId, parts: &[Part], by: &'static str) -> Result<(), StageError> {
        let revision = self.records.get(id)?.revision + 1;
        let order = parts.first().map_or(0, |part| part.row.order);
        let values = vec![None; self.fields.len()];
        let mut record = Record { revision, order, values, parted: true, ..Record::default() };
        for (at, part) in parts.iter().enumerate() {
            merge_row(&mut record, &self.fields, part, &parts[..at], self.tolerance, |_, _| {}, |_| {});
        }
        record.tidy();
        self.records.set(id, record.clone());
        self.records.keep(id, &mut Vec::new())?;
        self.made.push(Made { id, record, by, into: None });
        Ok(())
    }

    /// The parts as rows.
    fn known(&self, parts: &[Part]) -> Result<Vec<Known>, StageError> {
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
                _ if at == self.row_column => Arc::new(Int64Array::from_iter_values(1..=count as i64)),
                _ if at == self.sheet_column => Arc::new(StringArray::from(vec![""; count])),
                _ => new_null_array(self.input.field(at).data_type(), count),
            })
        };
        let columns = (0..self.input.fields.len()).map(column).collect::<Result<Vec<_>, _>>()?;
        // A required column may be missing in a part: the schema only names the columns here.
        let fields = self.input.fields.iter().map(|field| field.as_ref().clone().with_nullable(true));
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns)?)
    }

    /// The records that decisions changed, each as it is at the end.
    pub(crate) fn give_made(&mut self) -> Result<Outcome, StageError> {
        let mut made: Vec<Made> = Vec::new();
        for one in std::mem::take(&mut self.made) {
            made.retain(|known| known.id != one.id);
            made.push(one);
        }
        let records: Vec<&Record> = made.iter().map(|made| &made.record).collect();
        let mut columns = self.batch(&records)?.columns().to_vec();
        columns.push(Arc::new(StringArray::from_iter_values(made.iter().map(|made| made.id.to_string()))));
        columns.push(Arc::new(Int64Array::from_iter_values(records.iter().map(|record| record.revision))));
        columns.push(Arc::new(self.all_origins(&records)?));
        columns.push(Arc::new(StringArray::from_iter_values(made.iter().map(|made| made.by))));
        let into = made.iter().map(|made| made.into.map(|into| into.to_string()));
        columns.push(Arc::new(into.collect::<StringArray>()));
        let batch = RecordBatch::try_new(self.output.clone(), columns)?;
        Ok(Outcome { batch, findings: Findings(Vec::<Finding>::new()) })
    }
}

/// Where a part is from, as far as people name it.
pub(crate) struct PartOf<'a> {
    pub(crate) unit: String,
    /// The records that it was in and that were merged into this one, the last first.
    pub(crate) former: Vec<String>,
    pub(crate) sender: &'a str,
    pub(crate) file: &'a str,
    pub(crate) delivery: &'a str,
}

impl PartOf<'_> {
    /// Whether it is from a sender, a file, a delivery (or the beginning of its id), or a former record.
    fn is_from(&self, source: &str) -> bool {
        let delivery = source.len() >= 6 && self.delivery.starts_with(source);
        delivery
            || self.former.iter().any(|id| id == source)
            || [&*self.unit, self.sender, self.file].contains(&source)
    }

    /// What it joined the record with: the record that it came with, else its own unit.
    fn joined(&self) -> &str {
        self.former.first().unwrap_or(&self.unit)
    }
}

/// The former records that brought the part of this hash.
pub(crate) fn brought(hash: u64, former: &[Former]) -> Vec<String> {
    former.iter().filter(|former| former.hashes.contains(&hash)).map(|former| former.id.to_string()).collect()
}

fn origins<'a>(parts: &'a [Part], former: &[Former]) -> Vec<PartOf<'a>> {
    let origin = |part: &'a Part| {
        let source = part.row.places.first().map(|place| &*place.source);
        PartOf {
            unit: part.unit.to_string(),
            former: brought(part.hash(), former),
            sender: source.map_or("", |source| &source.sender),
            file: source.map_or("", |source| &source.file),
            delivery: source.map_or("", |source| &source.delivery),
        }
    };
    parts.iter().map(origin).collect()
}

/// Which parts are to be split off.
pub(crate) fn choose(parts: &[PartOf<'_>], id: &str, source: Option<&str>) -> Result<Vec<bool>, Refusal> {
    let Some(source) = source else { return choose_joined(parts, id) };
    let chosen: Vec<bool> = parts.iter().map(|part| part.is_from(source)).collect();
    match (chosen.contains(&true), chosen.contains(&false)) {
        (true, true) => Ok(chosen),
        (false, _) => Err((
            format!("记录 {id} 没有来自“{source}”的内容"),
            format!("nothing in record {id} came from `{source}`"),
        )),
        (true, false) => Err((
            format!("记录 {id} 的全部内容都来自“{source}”，无可拆分"),
            format!("all of record {id} came from `{source}`: there is nothing to split off"),
        )),
    }
}

/// What joined by likeness or by a decision, if that is one thing.
fn choose_joined(parts: &[PartOf<'_>], id: &str) -> Result<Vec<bool>, Refusal> {
    let joined: BTreeSet<&str> = parts.iter().map(PartOf::joined).filter(|unit| *unit != id).collect();
    match joined.len() {
        0 => Err((
            format!("记录 {id} 不是按相似或人工决定合并的，请用 --source 指明拆出哪个来源"),
            format!(
                "nothing joined record {id} by likeness or decision; say with --source what to split off"
            ),
        )),
        1 if parts.iter().any(|part| part.joined() == id) => {
            Ok(parts.iter().map(|part| part.joined() != id).collect())
        }
        _ => {
            let names: Vec<&str> = joined.into_iter().collect();
            Err((
                format!("记录 {id} 由多项合并而成，请用 --source 指明拆出哪一项：{}", names.join("、")),
                format!("several joined record {id}; say with --source which: {}", names.join(", ")),
            ))
        }
    }
}
