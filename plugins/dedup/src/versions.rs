//! What a sender's file named before, so that a correction which leaves something out does not do so unnoticed.
//!
//! | state key | value |
//! |---|---|
//! | `f/` + hash of sender and file name (16 bytes) | the ids (10 bytes each) of the records that the last delivery of this file named |
//!
//! A file with more records than [`MOST`] is not remembered: such files come from programs.

use std::sync::Arc;

use hashbrown::HashSet;
use huiliu_stage::{Host, StageError};
use xxhash_rust::xxh3::xxh3_128;

use crate::entity::Source;
use crate::records::RecordId;

/// Most records of a file that are remembered.
const MOST: usize = 20_000;

/// The records that the delivery at hand has named so far.
pub(crate) struct Versions {
    host: Arc<dyn Host>,
    /// The state key of the file at hand; `None` before its first row, and of what has no name.
    file: Option<Vec<u8>>,
    named: HashSet<RecordId>,
    /// The same in the order of the file.
    order: Vec<RecordId>,
    too_many: bool,
}

impl Versions {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { host, file: None, named: HashSet::new(), order: Vec::new(), too_many: false }
    }

    /// Notes the records that rows of a file belong to.
    pub(crate) fn note(&mut self, source: &Source, ids: impl Iterator<Item = RecordId>) {
        if source.file.is_empty() {
            return;
        }
        if self.file.is_none() {
            let named = [source.sender.as_bytes(), b"\0", source.file.as_bytes()].concat();
            self.file = Some([b"f/", xxh3_128(&named).to_be_bytes().as_slice()].concat());
        }
        if !self.too_many {
            let named = &mut self.named;
            self.order.extend(ids.filter(|id| named.insert(*id)));
            self.too_many = self.order.len() > MOST;
        }
    }

    /// Ends the delivery: keeps what it named, and gives the records that the one before it named and it did not.
    /// `now` says what became of a record that is merged into another since.
    pub(crate) fn finish(&mut self, now: impl Fn(RecordId) -> RecordId) -> Result<Vec<RecordId>, StageError> {
        let (named, order) = (std::mem::take(&mut self.named), std::mem::take(&mut self.order));
        let too_many = std::mem::take(&mut self.too_many);
        let Some(key) = self.file.take() else { return Ok(Vec::new()) };
        let before = self.host.state_get(&key)?;
        if too_many {
            if before.is_some() {
                self.host.state_delete(&key)?;
            }
            return Ok(Vec::new());
        }
        let kept: Vec<u8> = order.iter().flat_map(|id| id.bytes()).collect();
        let before = before.unwrap_or_default();
        if kept != before {
            self.host.state_put(&key, &kept)?;
        }
        let (before, []) = before.as_chunks::<10>() else {
            return Err(StageError::new("the kept list of a file's records cannot be read"));
        };
        let mut gone: Vec<RecordId> = before.iter().map(|id| now(RecordId::from_bytes(*id))).collect();
        let mut told = HashSet::new();
        gone.retain(|id| !named.contains(id) && told.insert(*id));
        Ok(gone)
    }
}
