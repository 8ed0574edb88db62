//! Likeness inside `keep: merge`: what no key recognises is asked of the linkage.
//!
//! | state key | value |
//! |---|---|
//! | `n/` + number (4 bytes) | a row the linkage knows: the id of its record (10 bytes), then its source and values as JSON |
//! | `n#` | how many rows that are (4 bytes), and a hash over all of them (8 bytes) |
//! | `w/` + id + number + place (15 bytes) | why a row was taken for its record, or kept apart, as JSON |
//!
//! The linkage lies in memory and is built from the state: on the first batch, and whenever what is in memory
//! is not what the state says, as after a delivery that failed.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use huiliu_stage::{Finding, Host, StageError};
use serde_json::json;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::decided::Decided;
use crate::link::online::{Answer, Found, Things};
use crate::link::{Config, Linker, Row, explain};
use crate::queue;
use crate::records::RecordId;
use crate::report;

const ROWS: &[u8] = b"n/";
const COUNT: &[u8] = b"n#";

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
    /// A row was asked for and not kept: the delivery failed in between.
    open: bool,
    source: String,
}

/// A row as it is kept: who sent it, and the values that are compared.
pub(crate) type KeptRow = (String, Vec<Option<String>>);

/// What the linkage says of a row.
pub(crate) struct Said {
    /// The row's number in the linkage.
    row: u32,
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
        let row = Row { values: values.iter().map(Option::as_deref).collect(), source: &source };
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

    /// What a row is that no key recognised.
    pub(crate) fn ask(&mut self, values: &[Option<String>]) -> Said {
        self.open = true;
        let row = Row { values: values.iter().map(Option::as_deref).collect(), source: &self.source };
        let (row, answer) = self.things.ask(&mut self.linker, &row);
        Said { row, answer }
    }

    /// The record that a row belongs to, if the linkage is sure.
    pub(crate) fn matched(&self, said: &Said) -> Option<RecordId> {
        match &said.answer {
            Answer::Match(found) => self.ids.get(found.thing as usize).copied(),
            _ => None,
        }
    }

    /// Keeps a row of a record that a key or a person recognised.
    pub(crate) fn keep_known(&mut self, id: RecordId, values: &[Option<String>]) -> Result<(), StageError> {
        let kept = self.content(id, values)?;
        if self.contents.contains(&xxh3_64(&kept)) {
            return Ok(());
        }
        self.open = true;
        let thing = self.thing(id);
        let row = Row { values: values.iter().map(Option::as_deref).collect(), source: &self.source };
        self.things.restore(&mut self.linker, &row, thing);
        self.put(&kept)
    }

    /// Keeps a row of a record that was asked for, with why it is there, and tells the sender.
    pub(crate) fn keep_asked(
        &mut self,
        id: RecordId,
        values: &[Option<String>],
        said: Said,
        decided: &Decided,
        (row_id, findings): (i64, &mut Vec<Finding>),
    ) -> Result<(), StageError> {
        let kept = self.content(id, values)?;
        let thing = self.thing(id);
        self.things.belongs(said.row, thing);
        let (word, all) = match said.answer {
            Answer::Match(found) => ("match", vec![found]),
            Answer::Review(all) => ("review", self.not_decided(id, decided, all)),
            Answer::New(Some(found)) => ("apart", vec![found]),
            Answer::New(None) => ("new", Vec::new()),
        };
        for (at, found) in all.iter().enumerate() {
            self.tell((id, values), (word, at as u8), found, row_id, findings)?;
        }
        self.put(&kept)
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
        self.host.state_put(COUNT, &self.stamp())?;
        self.open = false;
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
        let with = self.host.state_get(&[ROWS, found.record.to_be_bytes().as_slice()].concat())?;
        let with = with.and_then(|kept| serde_json::from_slice(kept.get(10..)?).ok());
        let (with_source, with): (String, Vec<Option<String>>) = with.unwrap_or_default();
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
