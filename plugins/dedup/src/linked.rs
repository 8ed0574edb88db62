//! Likeness inside `keep: merge`: what no key recognises is asked of the linkage.
//!
//! | state key | value |
//! |---|---|
//! | `n/` + number (4 bytes) | a row the linkage knows: the id of its record (10 bytes), then its source and values as JSON |
//! | `n#` | how many rows that are (4 bytes), and a hash over all of them (8 bytes) |
//! | `n@` | after how many rows the linkage learnt, and when it weighed last (4 bytes each) |
//! | `w/` + id + number + place (15 bytes) | why a row was taken for its record, or kept apart, as JSON |
//!
//! Rows of a batch that no key recognises are known before the first of them is asked for ([`Linked::plan`]), so that
//! the linkage sees the whole batch. Rows that a key recognises are told to it when the batch has gone through.
//!
//! The linkage lies in memory and is built from the state: on the first batch, and whenever what is in memory
//! is not what the state says, as after a delivery that failed.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use huiliu_stage::{Finding, Host, StageError};
use serde_json::json;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::decided::Decided;
use crate::link::online::{Answer, Found, Met, Points, Things};
use crate::link::{Config, Linker, Row, explain};
use crate::queue;
use crate::records::RecordId;
use crate::report;

const ROWS: &[u8] = b"n/";
const COUNT: &[u8] = b"n#";
const POINTS: &[u8] = b"n@";

/// The linkage of one stage.
pub(crate) struct Linked {
    host: Arc<dyn Host>,
    config: Config,
    linker: Linker,
    things: Things,
    ids: Vec<RecordId>,
    numbers: HashMap<RecordId, u32>,
    /// Contents of rows that are known, so that the same row again costs nothing.
    contents: HashSet<u64>,
    count: u32,
    chain: u64,
    /// What is in memory is not in the state: the delivery failed in between.
    open: bool,
    source: String,
    /// Rows of this batch that the linkage has taken in, and which are not asked for yet.
    planned: VecDeque<Planned>,
    /// Rows of this batch that were recognised in another way.
    others: Vec<(RecordId, Values)>,
}

/// The values of a row that are compared.
pub(crate) type Values = Vec<Option<String>>;

struct Planned {
    row: u32,
    at: usize,
    values: Values,
}

/// A row as it is kept: who sent it, and the values that are compared.
pub(crate) type KeptRow = (String, Values);

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
            linker: Linker::new(config.clone(), 1),
            things: Things::default(),
            ids: Vec::new(),
            numbers: HashMap::new(),
            contents: HashSet::new(),
            count: 0,
            chain: 0,
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
        let kept = self.host.state_get(COUNT)?.unwrap_or_default();
        if !self.open && (kept == self.stamp() || kept.is_empty() && self.count == 0) {
            return Ok(());
        }
        *self = Self {
            source: std::mem::take(&mut self.source),
            ..Self::new(self.host.clone(), self.config.clone())
        };
        let mut rows = Vec::new();
        self.host.state_scan(ROWS, &mut |_, value| {
            rows.push(value.to_vec());
            true
        })?;
        let points = self.host.state_get(POINTS)?.and_then(|points| Points::from_bytes(&points));
        self.things = Things::following(points);
        for row in rows {
            self.restore(&row).ok_or_else(|| StageError::new("a kept row of the linkage cannot be read"))?;
        }
        if self.stamp() != kept && self.count > 0 {
            return Err(StageError::new("the kept rows of the linkage are not those that were counted"));
        }
        Ok(())
    }

    fn restore(&mut self, kept: &[u8]) -> Option<()> {
        let (id, content) = kept.split_first_chunk::<10>()?;
        let (source, values): (String, Vec<Option<String>>) = serde_json::from_slice(content).ok()?;
        let row = row_of(&values, &source);
        let thing = self.thing(RecordId::from_bytes(*id));
        self.things.restore(&mut self.linker, &row, thing);
        self.note(kept);
        Some(())
    }

    /// Says anew to which record each known row belongs, and adds `more` rows. Memory is built anew with the next batch.
    pub(crate) fn assign(
        &mut self,
        to: impl Fn(RecordId, &KeptRow) -> RecordId,
        more: &[(RecordId, KeptRow)],
    ) -> Result<(), StageError> {
        let broken = || StageError::new("a kept row of the linkage cannot be read");
        let (mut chain, mut count, mut changed) = (0, 0u32, Vec::new());
        let mut readable = true;
        self.host.state_scan(ROWS, &mut |key, kept| {
            let known = kept.split_first_chunk::<10>();
            let row = known.and_then(|(id, row)| Some((*id, row, serde_json::from_slice(row).ok()?)));
            let Some((id, content, row)) = row else {
                readable = false;
                return false;
            };
            let now = to(RecordId::from_bytes(id), &row);
            let is = [now.bytes().as_slice(), content].concat();
            chain = xxh3_64_with_seed(&is, chain);
            count += 1;
            if is != kept {
                changed.push((key.to_vec(), is));
            }
            true
        })?;
        if !readable {
            return Err(broken());
        }
        for (key, kept) in changed {
            self.host.state_put(&key, &kept)?;
        }
        for (id, row) in more {
            let content = serde_json::to_vec(row).map_err(|error| StageError::new(error.to_string()))?;
            let kept = [id.bytes().as_slice(), &content].concat();
            self.host.state_put(&[ROWS, count.to_be_bytes().as_slice()].concat(), &kept)?;
            chain = xxh3_64_with_seed(&kept, chain);
            count += 1;
        }
        self.open = true;
        let stamp = [count.to_be_bytes().as_slice(), &u64::to_be_bytes(chain)].concat();
        if count > 0 {
            self.host.state_put(COUNT, &stamp)?;
        }
        Ok(())
    }

    fn stamp(&self) -> Vec<u8> {
        [self.count.to_be_bytes().as_slice(), &self.chain.to_be_bytes()].concat()
    }

    fn note(&mut self, kept: &[u8]) {
        self.count += 1;
        self.chain = xxh3_64_with_seed(kept, self.chain);
        self.contents.insert(xxh3_64(kept));
    }

    fn thing(&mut self, id: RecordId) -> u32 {
        *self.numbers.entry(id).or_insert_with(|| {
            self.ids.push(id);
            self.ids.len() as u32 - 1
        })
    }

    /// Takes in all rows of a batch that no key recognises, each with its place in the batch.
    pub(crate) fn plan(&mut self, rows: Vec<(usize, Values)>) {
        if rows.is_empty() {
            return;
        }
        self.open = true;
        let taken: Vec<Row<'_>> = rows.iter().map(|(_, values)| row_of(values, &self.source)).collect();
        let from = self.things.take_all(&mut self.linker, &taken);
        let planned = (from..).zip(rows).map(|(row, (at, values))| Planned { row, at, values });
        self.planned = planned.collect();
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
            Answer::Match(found) => self.ids.get(found.thing as usize).copied(),
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
        let kept = self.content(id, &values)?;
        let thing = self.thing(id);
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
        self.ask_who_met(id, (row, &values), decided, (row_id, findings))?;
        self.put(&kept)
    }

    /// Known records that a row shows to be the one it joined: what is known is not put together without a person.
    fn ask_who_met(
        &self,
        id: RecordId,
        (row, values): (u32, &[Option<String>]),
        decided: &Decided,
        (row_id, findings): (i64, &mut Vec<Finding>),
    ) -> Result<(), StageError> {
        let mut asked = HashSet::new();
        while let Some(Met { record, other: found, .. }) = self.things.met(&self.linker, row, &asked) {
            asked.insert(found.thing);
            let Some(&other) = self.ids.get(found.thing as usize) else { continue };
            if decided.are_apart(id, other) {
                continue;
            }
            let of_known = if record == row { None } else { Some(self.kept(record)?.1) };
            let why = self.why("review", (id, other), &found, of_known.as_deref().unwrap_or(values))?;
            if queue::ask(&*self.host, id, other, &why)? {
                let (zh, en) = explain::text(&self.linker, found.pattern, found.bits);
                findings.push(report::met(row_id, id, other, &zh, &en));
            }
        }
        Ok(())
    }

    /// A row that is kept; nothing of one that cannot be read.
    fn kept(&self, number: u32) -> Result<KeptRow, StageError> {
        let kept = self.host.state_get(&[ROWS, number.to_be_bytes().as_slice()].concat())?;
        Ok(kept.and_then(|kept| serde_json::from_slice(kept.get(10..)?).ok()).unwrap_or_default())
    }

    /// After a batch: keeps what was recognised without likeness, and says how far the state goes.
    pub(crate) fn end(&mut self) -> Result<(), StageError> {
        for (id, values) in std::mem::take(&mut self.others) {
            let kept = self.content(id, &values)?;
            if self.contents.contains(&xxh3_64(&kept)) {
                continue;
            }
            self.open = true;
            let thing = self.thing(id);
            let row = row_of(&values, &self.source);
            self.things.add(&mut self.linker, &row, thing);
            self.put(&kept)?;
        }
        if !self.planned.is_empty() {
            return Err(StageError::new("a row that was planned was not asked of likeness"));
        }
        if self.open {
            self.host.state_put(COUNT, &self.stamp())?;
            self.host.state_put(POINTS, &self.things.points().bytes())?;
            self.open = false;
        }
        Ok(())
    }

    /// A row as it is kept.
    fn content(&self, id: RecordId, values: &[Option<String>]) -> Result<Vec<u8>, StageError> {
        let content =
            serde_json::to_vec(&(&self.source, values)).map_err(|e| StageError::new(e.to_string()))?;
        Ok([id.bytes().as_slice(), &content].concat())
    }

    fn put(&mut self, kept: &[u8]) -> Result<(), StageError> {
        self.host.state_put(&[ROWS, self.count.to_be_bytes().as_slice()].concat(), kept)?;
        self.note(kept);
        Ok(())
    }

    /// Without things that a person said to be others.
    fn not_decided(&self, id: RecordId, decided: &Decided, mut all: Vec<Found>) -> Vec<Found> {
        let other = |found: &Found| self.ids.get(found.thing as usize);
        all.retain(|found| other(found).is_none_or(|&other| !decided.are_apart(id, other)));
        all
    }

    /// Writes down why, queues what a person must judge, and tells the sender.
    fn tell(
        &self,
        (id, values): (RecordId, &[Option<String>]),
        (word, at): (&str, u8),
        found: &Found,
        row_id: i64,
        findings: &mut Vec<Finding>,
    ) -> Result<(), StageError> {
        let Some(&other) = self.ids.get(found.thing as usize) else { return Ok(()) };
        let (zh, en) = explain::text(&self.linker, found.pattern, found.bits);
        let why = self.why(word, (id, other), found, values)?;
        let key = [b"w/".as_slice(), &id.bytes(), &self.count.to_be_bytes(), &[at]].concat();
        self.host.state_put(&key, why.to_string().as_bytes())?;
        if word == "review" {
            queue::ask(&*self.host, id, other, &why)?;
        }
        findings.push(report::linked(row_id, word, id, other, &zh, &en));
        Ok(())
    }

    /// The whole comparison, for the review queue and for `explain`.
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
