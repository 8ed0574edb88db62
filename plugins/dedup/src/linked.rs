//! Likeness inside `keep: merge`: what no key recognises is asked of the linkage.
//!
//! | state key | value |
//! |---|---|
//! | `n/` + number (4 bytes) | a row the linkage knows: see [`kept`] |
//! | `n#` | how many rows that are (4 bytes), the sum of hashes of all of them (8 bytes), and 1 |
//! | `n@` | after how many rows the linkage learnt, and when it weighed last (4 bytes each) |
//! | `n*` | the weights it learnt last: see [`Learnt`](crate::link::online::Learnt) |
//!
//! Why a row was taken for its record, or kept apart, is kept beside the record ([`why`](crate::why)).
//!
//! Rows of a batch that no key recognises are known before the first of them is asked for ([`Linked::plan`]), so that
//! the linkage sees the whole batch. Rows that a key recognises are told to it when the batch has gone through.
//!
//! The linkage lies in memory and is built from the state: on the first batch, and whenever what is in memory
//! is not what the state says, as after a delivery that failed.

mod names;
mod taking_up;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use huiliu_stage::{Finding, Host, StageError};
use serde_json::json;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::chunks;
use crate::decided::Decided;
use crate::kept::{self, KeptRow, Values};
use crate::link::change::Change;
use crate::link::online::{Answer, Found, Things};
use crate::link::{Config, Linker, Row, explain};
use crate::queue;
use crate::records::RecordId;
use crate::report;
use crate::ties::{Bonds, Knows};
use crate::why::Reasons;
pub(crate) use names::Names;

const ROWS: &[u8] = b"n/";
const COUNT: &[u8] = b"n#";
const POINTS: &[u8] = b"n@";
const LEARNT: &[u8] = b"n*";
/// The place of a reason why a known row belongs to another record than before.
const REVISED: u8 = 9;
/// Rows that are taken up again together.
const BLOCK: usize = 4_096;

/// The linkage of one stage.
pub(crate) struct Linked {
    host: Arc<dyn Host>,
    config: Config,
    linker: Linker,
    things: Things,
    names: Names,
    /// What each row says, hashed, so that the same row again costs nothing.
    contents: Vec<u64>,
    count: u32,
    /// Of the hashes of all kept rows.
    sum: u64,
    reasons: Reasons,
    /// Chunks that are written.
    chunks: u32,
    /// When it was learnt what the state has.
    learnt_at: Option<u32>,
    /// What is in memory is not in the state: the delivery failed in between.
    open: bool,
    source: String,
    /// Rows of this batch that the linkage has taken in, and which are not asked for yet.
    planned: VecDeque<Planned>,
    /// Rows of this batch that were recognised in another way.
    others: Vec<(RecordId, Values)>,
}

struct Planned {
    row: u32,
    at: usize,
    values: Values,
}

/// What the linkage says of a row.
pub(crate) struct Said {
    /// The row's number in the linkage.
    row: u32,
    values: Values,
    answer: Answer,
}

impl Linked {
    pub(crate) fn new(host: Arc<dyn Host>, config: Config) -> Self {
        Self {
            linker: Linker::new(config.clone(), config.threads()),
            things: Things::default(),
            names: Names::default(),
            contents: Vec::new(),
            count: 0,
            sum: 0,
            reasons: Reasons::default(),
            chunks: 0,
            learnt_at: None,
            open: false,
            source: String::new(),
            planned: VecDeque::new(),
            others: Vec::new(),
            host,
            config,
        }
    }

    /// Before a batch: brings memory in line with the state.
    pub(crate) fn begin(&mut self, source: &str) -> Result<(), StageError> {
        source.clone_into(&mut self.source);
        self.reasons.begin();
        let kept = self.host.state_get(COUNT)?.unwrap_or_default();
        if !self.open && (kept == self.stamp() || kept.is_empty() && self.count == 0) {
            return Ok(());
        }
        let chunks = chunks::count(&*self.host)?;
        if chunks > 0 && !self.take_up(&kept, chunks)? {
            chunks::say_useless(&*self.host);
        } else if chunks > 0 {
            return Ok(());
        }
        match self.take_up(&kept, 0)? {
            true => Ok(()),
            false => Err(StageError::new("the kept rows of the linkage are not those that were counted")),
        }
    }

    /// How many rows are known.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The numbers of the rows of a record, in the order of arrival.
    pub(crate) fn rows_of(&self, id: RecordId) -> Vec<u32> {
        self.names.thing(id).map(|thing| self.things.records_of(thing).to_vec()).unwrap_or_default()
    }

    /// Says anew to which record each row of one record belongs, and adds `more` rows.
    pub(crate) fn assign(
        &mut self,
        of: RecordId,
        to: impl Fn(u32, &KeptRow) -> RecordId,
        more: &[(RecordId, KeptRow)],
    ) -> Result<(), StageError> {
        let rows = self.rows_of(of);
        let mut groups: BTreeMap<RecordId, Vec<u32>> = BTreeMap::new();
        for row in rows {
            let kept = self.host.state_get(&row_key(row))?.ok_or_else(broken)?;
            let (_, known) = kept::decode(&kept).ok_or_else(broken)?;
            let now = to(row, &known);
            groups.entry(now).or_default().push(row);
            if now == of {
                continue;
            }
            let is = kept::of_record(&kept, now).ok_or_else(broken)?;
            self.host.state_put(&row_key(row), &is)?;
            self.sum = self.sum.wrapping_sub(hash(row, &kept)).wrapping_add(hash(row, &is));
            let content = content(now, &known.0, &known.1);
            self.contents[row as usize] = content;
            // Also where a chunk is still to be written: one of before may have been here.
            if row < self.count / chunks::ROWS * chunks::ROWS {
                chunks::moved(&*self.host, row, (now, content))?;
            }
        }
        self.regroup(of, groups);
        for (id, (source, values)) in more {
            let thing = self.names.thing_or(*id, self.linker.len() as u32);
            self.things.add(&mut self.linker, &row_of(values, source), thing);
            self.put(&kept::encode(*id, source, values))?;
        }
        if self.count > 0 {
            self.host.state_put(COUNT, &self.stamp())?;
        }
        Ok(())
    }

    /// What was one thing is several, or part of others. A thing has the number of its first row, so that it is the same
    /// when it is built from the rows.
    fn regroup(&mut self, of: RecordId, groups: BTreeMap<RecordId, Vec<u32>>) {
        let mut now: Vec<(RecordId, Vec<u32>)> = Vec::new();
        let mut gone = vec![of];
        for (id, mut rows) in groups {
            if id != of {
                rows.extend(self.rows_of(id));
                gone.push(id);
            }
            rows.sort_unstable();
            now.push((id, rows));
        }
        for thing in gone.into_iter().filter_map(|id| self.names.remove(id)) {
            self.things.forget(thing);
        }
        for (id, rows) in now {
            let Some(&first) = rows.first() else { continue };
            let thing = self.names.thing_or(id, first);
            rows.into_iter().for_each(|row| self.things.belongs(row, thing));
        }
    }

    fn stamp(&self) -> Vec<u8> {
        [self.count.to_be_bytes().as_slice(), &self.sum.to_be_bytes(), &[1]].concat()
    }

    /// Notes a row that is kept, and what it says.
    fn note(&mut self, kept: &[u8], content: u64) {
        self.sum = self.sum.wrapping_add(hash(self.count, kept));
        self.contents.push(content);
        self.count += 1;
    }

    /// Takes in all rows of a batch that no key recognises, each with its place in the batch. Gives what is to be changed
    /// of what is known before they are asked for.
    pub(crate) fn plan(
        &mut self,
        rows: Vec<(usize, Values)>,
        knows: &mut dyn Knows,
    ) -> Result<Vec<Change>, StageError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.open = true;
        let taken: Vec<Row<'_>> = rows.iter().map(|(_, values)| row_of(values, &self.source)).collect();
        let row = |number| kept_row(&*self.host, number);
        let mut bonds = Bonds { names: &self.names, row, knows, failed: None };
        let from = self.things.take_all(&mut self.linker, &taken, &mut bonds);
        if let Some(error) = bonds.failed {
            return Err(error);
        }
        let planned = (from..).zip(rows).map(|(row, (at, values))| Planned { row, at, values });
        self.planned = planned.collect();
        Ok(self.things.changes_to_make())
    }

    /// The record that a known row belongs to.
    pub(crate) fn record_of(&self, row: u32) -> Option<RecordId> {
        self.names.record(self.things.of(row)?)
    }

    /// The pair that speaks most for a change, or most against what was: the row that goes, and the one it is like.
    pub(crate) fn reason(&self, change: &Change) -> Option<(u32, Found)> {
        self.things.reason(&self.linker, change)
    }

    /// What was found, in words.
    pub(crate) fn in_words(&self, found: &Found) -> (String, String) {
        explain::text(&self.linker, found.pattern, found.bits)
    }

    /// Keeps why a known row belongs to another record now. Where it was taken out of one and is in no other, people are
    /// asked.
    pub(crate) fn note_change(
        &mut self,
        (id, other): (RecordId, RecordId),
        row: u32,
        (word, found): (&str, &Found),
        decided: &Decided,
    ) -> Result<(), StageError> {
        let host = &*self.host;
        self.reasons.note(host, &self.linker, (id, row, REVISED), (word, other, found))?;
        // Of two partners the better one was taken: that is no question.
        let config = self.linker.config();
        let asks = word == "review" && !config.one_to_one && found.bits >= config.review;
        if asks && !decided.are_apart(id, other) {
            let (_, values) = self.kept(row)?;
            let why = self.why(word, (id, other), found, &values)?;
            queue::ask(&*self.host, id, other, &why)?;
        }
        Ok(())
    }

    /// What a row is that no key recognised.
    pub(crate) fn ask(&mut self, at: usize) -> Result<Said, StageError> {
        let planned = self.planned.pop_front().filter(|planned| planned.at == at);
        let Planned { row, values, .. } =
            planned.ok_or_else(|| StageError::new("likeness was asked of a row that was not planned"))?;
        Ok(Said { row, values, answer: self.things.answer(&self.linker, row) })
    }

    /// The record that a row belongs to, if the linkage is sure.
    pub(crate) fn matched(&self, said: &Said) -> Option<RecordId> {
        match &said.answer {
            Answer::Match(found) => self.names.record(found.thing),
            _ => None,
        }
    }

    /// Keeps a row of a record that a key or a person recognised.
    pub(crate) fn keep_known(&mut self, id: RecordId, values: Values) {
        self.others.push((id, values));
    }

    /// Keeps a row of a record that was asked for, with why it is there, and tells the sender.
    pub(crate) fn keep_asked(
        &mut self,
        id: RecordId,
        said: Said,
        decided: &Decided,
        (row_id, findings): (i64, &mut Vec<Finding>),
    ) -> Result<(), StageError> {
        let Said { row, values, answer } = said;
        let kept = kept::encode(id, &self.source, &values);
        let thing = self.names.thing_or(id, row);
        self.things.belongs(row, thing);
        let (word, all) = match answer {
            Answer::Match(found) => ("match", vec![found]),
            Answer::Review(all) => ("review", self.not_decided(id, decided, all)),
            Answer::New(Some(found)) => ("apart", vec![found]),
            Answer::New(None) => ("new", Vec::new()),
        };
        for (at, found) in all.iter().enumerate() {
            self.tell((id, &values), (word, at as u8), found, row_id, findings)?;
        }
        self.put(&kept)
    }

    /// A row that is kept; nothing of one that cannot be read.
    pub(crate) fn kept(&self, number: u32) -> Result<KeptRow, StageError> {
        kept_row(&*self.host, number)
    }

    /// After a batch: keeps what was recognised without likeness, and says how far the state goes.
    pub(crate) fn end(&mut self) -> Result<(), StageError> {
        for (id, values) in std::mem::take(&mut self.others) {
            let kept = kept::encode(id, &self.source, &values);
            let content = xxh3_64(&kept);
            if self.rows_of(id).iter().any(|row| self.contents.get(*row as usize) == Some(&content)) {
                continue;
            }
            self.open = true;
            let thing = self.names.thing_or(id, self.linker.len() as u32);
            let row = row_of(&values, &self.source);
            self.things.add(&mut self.linker, &row, thing);
            self.put(&kept)?;
        }
        if !self.planned.is_empty() {
            return Err(StageError::new("a row that was planned was not asked of likeness"));
        }
        if self.open {
            self.write_chunks()?;
            self.host.state_put(COUNT, &self.stamp())?;
            self.host.state_put(POINTS, &self.things.points().bytes())?;
            if self.things.learnt_at() != self.learnt_at
                && let Some(learnt) = self.things.learnt(&self.linker)
            {
                self.host.state_put(LEARNT, &learnt.bytes())?;
                self.learnt_at = Some(learnt.at());
            }
            self.open = false;
        }
        Ok(())
    }

    fn put(&mut self, kept: &[u8]) -> Result<(), StageError> {
        self.host.state_put(&row_key(self.count), kept)?;
        self.note(kept, xxh3_64(kept));
        Ok(())
    }

    /// Without things that a person said to be others.
    fn not_decided(&self, id: RecordId, decided: &Decided, mut all: Vec<Found>) -> Vec<Found> {
        let other = |found: &Found| self.names.record(found.thing);
        all.retain(|found| other(found).is_none_or(|other| !decided.are_apart(id, other)));
        all
    }

    /// Writes down why, queues what a person must judge, and tells the sender.
    fn tell(
        &mut self,
        (id, values): (RecordId, &[Option<String>]),
        (word, at): (&str, u8),
        found: &Found,
        row_id: i64,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        let Some(other) = self.names.record(found.thing) else { return Ok(()) };
        let (zh, en) = explain::text(&self.linker, found.pattern, found.bits);
        let (host, row) = (&*self.host, (id, self.count, at));
        self.reasons.note(host, &self.linker, row, (word, other, found))?;
        if word == "review" {
            let why = self.why(word, (id, other), found, values)?;
            queue::ask(&*self.host, id, other, &why)?;
        }
        findings.push(report::linked(row_id, word, id, other, &zh, &en));
        Ok(())
    }

    /// The whole comparison, for the review queue.
    fn why(
        &self,
        word: &str,
        (id, other): (RecordId, RecordId),
        found: &Found,
        values: &[Option<String>],
    ) -> Result<serde_json::Value, StageError> {
        let (with_source, with) = self.kept(found.record)?;
        let fields = self.config.fields.iter().map(|field| field.field.clone());
        let values = fields.zip(values).enumerate().map(|(at, (field, value))| {
            json!({"field": field, "row": value, "with": with.get(at).cloned().flatten()})
        });
        let values: Vec<_> = values.collect();

        let lines: Vec<_> = explain::lines(&self.linker, found.pattern)
            .into_iter()
            .map(|line| {
                json!({"field": line.field, "zh": line.zh, "en": line.en, "bits": (line.bits * 10.0).round() / 10.0,
                    "counts": line.counts, "veto": line.veto})
            })
            .collect();
        Ok(json!({"answer": word, "record": id.to_string(), "other": other.to_string(), "bits": found.bits,
            "next": found.next, "merge": self.linker.config().merge(), "sender": self.source,
            "with_sender": with_source, "values": values, "lines": lines}))
    }
}

fn row_of<'a>(values: &'a [Option<String>], source: &'a str) -> Row<'a> {
    Row { values: values.iter().map(Option::as_deref).collect(), source }
}

fn kept_row(host: &dyn Host, number: u32) -> Result<KeptRow, StageError> {
    let kept = host.state_get(&row_key(number))?;
    Ok(kept.and_then(|kept| kept::decode(&kept)).map(|(_, row)| row).unwrap_or_default())
}

/// Where a row is kept.
pub(crate) fn row_key(number: u32) -> Vec<u8> {
    [ROWS, number.to_be_bytes().as_slice()].concat()
}

fn hash(number: u32, kept: &[u8]) -> u64 {
    xxh3_64_with_seed(kept, u64::from(number))
}

/// The same for rows that say the same of one record.
fn content(id: RecordId, source: &str, values: &[Option<String>]) -> u64 {
    xxh3_64(&kept::encode(id, source, values))
}

fn broken() -> StageError {
    StageError::new("a kept row of the linkage cannot be read")
}
