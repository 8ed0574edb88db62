//! What people decided, as far as rows that come must obey it.
//!
//! | state key | value |
//! |---|---|
//! | `d#` | how many decisions were taken (4 bytes), and the hash of the last (8 bytes) |
//! | `d/` + number (4 bytes) | the decision as JSON, what came of it, and the hash of the one before: never changed |
//! | `m/` + id (10 bytes) | the id of the record that this one was merged into |
//! | `x/` + id + id (20 bytes) | two records that a person keeps apart: the number of the decision. What either is merged into is apart too |
//! | `s/` + signature (16 bytes) | the record that rows like this one of the same sender belong to, whatever else says |
//!
//! Where nobody decided anything, a batch costs one look-up.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use huiliu_stage::{Host, StageError};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::merge::Merge;
use crate::recognise::Row;
use crate::records::RecordId;

const COUNT: &[u8] = b"d#";

/// What a person says about records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What is to be done.
    pub word: Word,
    /// The id of a record.
    pub record: String,
    /// The id of the other record; not with `unmerge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// With `unmerge`: what is to be split off: a sender, a file, a delivery or a former record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// With `pin` and `release`: the field that is meant, by its name or title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// With `pin`: its value, as text: numbers in the field's unit, days as `2026-03-01`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Who decided.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

impl Decision {
    /// To be filled in.
    pub fn new(word: Word, record: &str) -> Self {
        let record = record.to_owned();
        let (other, source, field, value) = (None, None, None, None);
        let (by, why) = (String::new(), String::new());
        Self { word, record, other, source, field, value, by, why, at_ms: 0 }
    }
}

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// The two are one.
    Accept,
    /// The two are two.
    Reject,
    /// One record is two.
    Unmerge,
    /// A field of the record has this value, whatever is sent.
    Pin,
    /// It has what was sent of it again.
    Release,
}

/// The decisions so far.
pub(crate) struct Decided {
    host: Arc<dyn Host>,
    count: u32,
    last: u64,
    redirects: HashMap<RecordId, RecordId>,
    /// Pairs that a person keeps apart, as they were named then.
    apart: BTreeSet<(RecordId, RecordId)>,
    /// The same by what each is now.
    others: HashMap<RecordId, Vec<RecordId>>,
    /// Whether the state was read; records are also put together where nobody decided anything.
    known: bool,
}

impl Decided {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self {
            host,
            count: 0,
            last: 0,
            redirects: HashMap::new(),
            apart: BTreeSet::new(),
            others: HashMap::new(),
            known: false,
        }
    }

    /// Before a batch: brings memory in line with the state.
    pub(crate) fn begin(&mut self) -> Result<(), StageError> {
        let kept = self.host.state_get(COUNT)?.unwrap_or_default();
        let (count, last) = kept.split_first_chunk::<4>().map_or((0, 0), |(count, last)| {
            (u32::from_be_bytes(*count), last.try_into().map_or(0, u64::from_be_bytes))
        });
        if (count, last) == (self.count, self.last) && self.known {
            return Ok(());
        }
        self.known = true;
        (self.count, self.last) = (count, last);
        self.redirects.clear();
        let redirects = &mut self.redirects;
        self.host.state_scan(b"m/", &mut |key, value| {
            let gone = key.get(2..).and_then(|id| id.try_into().ok()).map(RecordId::from_bytes);
            let into = value.try_into().ok().map(RecordId::from_bytes);
            redirects.extend(gone.zip(into));
            true
        })?;
        self.apart.clear();
        let apart = &mut self.apart;
        self.host.state_scan(b"x/", &mut |key, _| {
            apart.extend(pair_of(key));
            true
        })?;
        self.index();
        Ok(())
    }

    /// Finds out what the pairs that are kept apart are now.
    fn index(&mut self) {
        self.others.clear();
        for &(one, other) in &self.apart {
            let (one, other) = (self.now(one), self.now(other));
            self.others.entry(one).or_default().push(other);
            self.others.entry(other).or_default().push(one);
        }
    }

    /// Whether nobody decided anything yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The record that this one is now.
    pub(crate) fn now(&self, id: RecordId) -> RecordId {
        let mut now = id;
        // No chain is longer than the number of its links, should it ever be a ring.
        for _ in 0..=self.redirects.len() {
            match self.redirects.get(&now) {
                Some(into) => now = *into,
                None => return now,
            }
        }
        now
    }

    /// The record that a record was merged into itself, if it was.
    pub(crate) fn redirect(&self, id: RecordId) -> Option<RecordId> {
        self.redirects.get(&id).copied()
    }

    /// Lets a record answer with another one, or for itself again.
    pub(crate) fn set_redirect(&mut self, id: RecordId, into: Option<RecordId>) -> Result<(), StageError> {
        let key = [b"m/".as_slice(), &id.bytes()].concat();
        match into {
            Some(into) => {
                self.redirects.insert(id, into);
                self.host.state_put(&key, &into.bytes())?;
            }
            None => {
                self.redirects.remove(&id);
                self.host.state_delete(&key)?;
            }
        }
        self.index();
        Ok(())
    }

    /// Writes a decision down, with what came of it in Chinese and English; of one that was refused, why.
    pub(crate) fn log(
        &mut self,
        decision: &Decision,
        (zh, en): (&str, &str),
        refused: bool,
    ) -> Result<(), StageError> {
        let before = format!("{:016x}", self.last);
        let mut entry =
            serde_json::json!({"decision": decision, "came": en, "came_zh": zh, "before": before});
        if refused {
            entry["refused"] = true.into();
        }
        let entry = entry.to_string();
        self.host.state_put(&[b"d/".as_slice(), &self.count.to_be_bytes()].concat(), entry.as_bytes())?;
        self.count += 1;
        self.last = xxh3_64_with_seed(entry.as_bytes(), self.last);
        let stamp = [self.count.to_be_bytes().as_slice(), &self.last.to_be_bytes()].concat();
        Ok(self.host.state_put(COUNT, &stamp)?)
    }

    /// Says that two records are two.
    pub(crate) fn keep_apart(&mut self, a: RecordId, b: RecordId) -> Result<(), StageError> {
        self.apart.insert(if a < b { (a, b) } else { (b, a) });
        self.index();
        Ok(self.host.state_put(&pair_key(b"x/", a, b), &self.count.to_be_bytes())?)
    }

    /// Takes back that two records are two, also where that was said of records which are part of them now. Tells
    /// whether it was said.
    pub(crate) fn let_meet(&mut self, a: RecordId, b: RecordId) -> Result<bool, StageError> {
        let between = |&(one, other): &(RecordId, RecordId)| {
            let now = (self.now(one), self.now(other));
            now == (a, b) || now == (b, a)
        };
        let said: Vec<_> = self.apart.iter().copied().filter(between).collect();
        for (one, other) in &said {
            self.apart.remove(&(*one, *other));
            self.host.state_delete(&pair_key(b"x/", *one, *other))?;
        }
        self.index();
        Ok(!said.is_empty())
    }

    /// Whether a person said that two records are two, of them or of what was merged into them.
    pub(crate) fn are_apart(&self, a: RecordId, b: RecordId) -> bool {
        self.others.get(&a).is_some_and(|others| others.contains(&b))
    }

    /// The record that a person has bound rows of a signature to, as it was named then.
    pub(crate) fn bound_to(&self, signature: u128) -> Result<Option<RecordId>, StageError> {
        if self.is_empty() {
            return Ok(None);
        }
        let kept = self.host.state_get(&binding_key(signature))?;
        Ok(kept.and_then(|kept| kept.try_into().ok()).map(RecordId::from_bytes))
    }

    /// Binds rows of a signature to a record.
    pub(crate) fn bind(&self, signature: u128, id: RecordId) -> Result<(), StageError> {
        Ok(self.host.state_put(&binding_key(signature), &id.bytes())?)
    }
}

impl Merge {
    /// The record that a person has bound rows like this one to.
    pub(crate) fn bound(&self, row: &Row<'_>) -> Result<Option<RecordId>, StageError> {
        if self.decided.is_empty() {
            return Ok(None);
        }
        Ok(self.decided.bound_to(self.signature(row))?.map(|id| self.decided.now(id)))
    }

    /// What stays the same when a sender sends a row about the same thing again: its keys and the values that are
    /// compared. The whole content, if there are none.
    pub(crate) fn signature(&self, row: &Row<'_>) -> u128 {
        let compared = row.compared(&self.recogniser.compared);
        let named = compared.iter().any(Option::is_some) || row.keys.iter().any(|(rule, _)| rule.is_some());
        let mut bytes = row.sender.as_bytes().to_vec();
        bytes.push(0);
        for (_, key) in row.keys.iter().filter(|(rule, _)| rule.is_some() || !named) {
            bytes.extend_from_slice(&key.to_le_bytes());
        }
        for text in &compared {
            bytes.push(u8::from(text.is_some()));
            bytes.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
            bytes.push(0);
        }
        xxh3_128(&bytes)
    }
}

/// Two ids in one order, behind a prefix.
pub(crate) fn pair_key(prefix: &[u8], a: RecordId, b: RecordId) -> Vec<u8> {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    [prefix, first.bytes().as_slice(), &second.bytes()].concat()
}

/// The two ids in a key that [`pair_key`] made with a prefix of two bytes.
pub(crate) fn pair_of(key: &[u8]) -> Option<(RecordId, RecordId)> {
    let (first, second) = key.get(2..)?.split_first_chunk::<10>()?;
    Some((RecordId::from_bytes(*first), RecordId::from_bytes(second.try_into().ok()?)))
}

fn binding_key(signature: u128) -> Vec<u8> {
    [b"s/", signature.to_be_bytes().as_slice()].concat()
}
