//! Carrying out what people decide: two records become one, stay two, or one becomes two again; a value is set by hand
//! ([`pin`](crate::pin)).
//!
//! A decision is a delivery without rows ([`DECISIONS`](huiliu_stage::DECISIONS)): so it is committed, delivered to
//! every sink and undone by a crash like anything else. The records it changes come out at its end. A record that was
//! merged into another comes out once more, with its last values and the name of that other one.
//!
//! How records are put together and taken apart is in [`regroup`](crate::regroup).

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use huiliu_stage::{Findings, Outcome, Severity, StageError};

use crate::decided::{Decision, Word};
use crate::former;
use crate::merge::Merge;
use crate::merged::Merged;
use crate::part::Part;
use crate::queue;
use crate::records::RecordId;
use crate::regroup::DECISION;
use crate::report;
use crate::why;

/// Why a decision cannot be carried out, in both languages.
pub(crate) type Refusal = (String, String);

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
        match decision.word {
            Word::Unmerge => return self.unmerge(id, decision.source.as_deref()),
            Word::Pin | Word::Release => return self.by_hand(id, decision),
            Word::Accept | Word::Reject => {}
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
        let (stays, goes) = if stays { (a, b) } else { (b, a) };
        let overruled = self.decided.let_meet(stays, goes)?;
        for known in self.put_together(goes, stays, DECISION)? {
            self.decided.bind(known.signature, stays)?;
        }
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
                self.decided.bind(known.signature, id)?;
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
        let mut parts = self.parts_of(id)?;
        if let Some(back) = source.and_then(RecordId::parse) {
            self.sort_by_likeness((id, back), &mut parts)?;
        }
        let origins = origins(&parts, id);
        let chosen = match choose(&origins, &id.to_string(), source) {
            Ok(chosen) => chosen,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let joined = origins.iter().zip(&chosen).find(|(_, chosen)| **chosen).map(|(part, _)| part.joined());
        let was_merged = |former: &RecordId| *former != id && self.decided.now(*former) == id;
        let back = source.or(joined).and_then(RecordId::parse).filter(was_merged);
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
        if back.is_none() {
            small.iter_mut().filter(|part| part.unit == id).for_each(|part| part.unit = new);
        }
        let (of_small, of_big) = self.take_apart(id, new, (small, big), ("split", back.is_some()))?;
        for (known, to) in of_small.iter().map(|k| (k, new)).chain(of_big.iter().map(|k| (k, id))) {
            self.decided.bind(known.signature, to)?;
        }
        self.decided.keep_apart(id, new)?;
        queue::answered(&*self.host, id, new)?;
        Ok(Ok((
            format!("记录 {id} 已拆开，拆出的部分为记录 {new}，今后不再合并"),
            format!("record {id} was taken apart; what was split off is record {new} and stays apart"),
        )))
    }
}

impl Merge {
    /// What likeness brought since a record that is to come back was merged into this one, for being like a row of that
    /// record, belongs to it, and so does what came by its keys.
    fn sort_by_likeness(
        &self,
        (id, back): (RecordId, RecordId),
        parts: &mut [Part],
    ) -> Result<(), StageError> {
        let former = parts.iter().find_map(|part| part.was_in(back));
        let (Some(former), Some(linked)) = (former, &self.linked) else { return Ok(()) };
        let (merged, likest) = (Merged::get(&*self.host, (back, id))?, why::likest(&*self.host, id)?);
        let (mut rows, mut alike) = (merged.rows, BTreeSet::new());
        for (row, with) in likest.into_iter().filter(|(row, _)| *row >= merged.known) {
            if rows.contains(&with) {
                rows.insert(row);
                alike.insert(linked.kept(row)?);
            }
        }
        let mut units = BTreeSet::new();
        for (part, known) in parts.iter().zip(self.known(parts)?) {
            let row = (part.sender().to_owned(), known.compared);
            if part.row.order > former.at && part.by == "likeness" && alike.contains(&row) {
                units.insert(part.unit);
            }
        }
        let was_here = parts.iter().filter(|part| part.row.order <= former.at);
        was_here.for_each(|part| {
            units.remove(&part.unit);
        });
        former::belongs(parts, former, &units);
        Ok(())
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

/// Where the parts of a record are from.
fn origins<'a>(parts: &'a [Part], id: RecordId) -> Vec<PartOf<'a>> {
    let origin = |part: &'a Part| {
        let source = part.source();
        PartOf {
            unit: part.unit.to_string(),
            former: brought(part),
            sender: source.map_or("", |source| &source.sender),
            file: source.map_or("", |source| &source.file),
            delivery: source.map_or("", |source| &source.delivery),
        }
    };
    as_named(parts.iter().map(origin).collect(), &id.to_string())
}

/// What is of the unit of a merged record and did not come with it was here before: it is this record's own.
pub(crate) fn as_named<'a>(mut parts: Vec<PartOf<'a>>, id: &str) -> Vec<PartOf<'a>> {
    let merged: BTreeSet<String> = parts.iter().flat_map(|part| part.former.iter().cloned()).collect();
    for part in &mut parts {
        if merged.contains(&part.unit) && !part.former.contains(&part.unit) {
            part.unit = id.to_owned();
        }
    }
    parts
}

/// The former records that brought a part, the last merged first.
pub(crate) fn brought(part: &Part) -> Vec<String> {
    part.former.iter().flatten().rev().map(|former| former.id.to_string()).collect()
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
