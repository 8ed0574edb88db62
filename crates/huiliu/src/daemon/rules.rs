//! The version of a pipeline's rules: a short name that differs as soon as a threshold, weight or list does.
//!
//! It is a hash of what decides about rows: the record schema, the stages with their options, `findings:`, what a schedule
//! asks, which queries fill tables, and the contents of the reference files under `tables:`. The ledger keeps it with each
//! delivery, so every revision of a record knows by which rules it was made (`shared/domain.md`, 4.1: rule version).
//!
//! Absent: how a file is laid out (comments, blanks), where sources and sinks are, and what a query to the register gives,
//! which is data. The version of the program is no part of it either: the ledger of one program is read by the next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use blake3::{Hash, Hasher};
use huiliu_pipeline::plan::Plan;

use crate::catalog;

/// Hex digits of a version: enough to tell a few thousand apart, short enough to be read out.
const DIGITS: usize = 12;

/// The rules of one pipeline.
pub(crate) struct Rules {
    /// Everything but the files.
    plan: Hasher,
    /// Reference files by their table's name.
    files: BTreeMap<String, PathBuf>,
    read: Mutex<BTreeMap<PathBuf, Known>>,
}

/// A file's content as it was when the file last changed.
#[derive(Clone, Copy)]
struct Known {
    changed: SystemTime,
    bytes: u64,
    hash: Hash,
}

impl Rules {
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut hasher = Hasher::new();
        part(&mut hasher, "record", &format!("{:?}", plan.record));
        part(&mut hasher, "findings", &format!("{:?}", plan.labels));
        for stage in &plan.stages {
            part(&mut hasher, &stage.kind, &stage.name);
            part(&mut hasher, "options", &stage.options);
        }
        if let Some(schedule) = catalog::schedule_of(plan) {
            part(&mut hasher, "query", &schedule.query);
        }
        let mut files = BTreeMap::new();
        for (name, table) in &plan.tables {
            match &table.query {
                Some(query) => part(&mut hasher, name, query),
                None => drop(files.insert(name.clone(), table.csv.clone())),
            }
        }
        Self { plan: hasher, files, read: Mutex::default() }
    }

    /// The version that holds now. A file that cannot be read counts as none: the stage that needs it says so.
    pub(crate) fn version(&self) -> String {
        let mut hasher = self.plan.clone();
        for (name, path) in &self.files {
            let content = self.content(path).map(|hash| hash.to_hex().to_string()).unwrap_or_default();
            part(&mut hasher, name, &content);
        }
        hasher.finalize().to_hex().chars().take(DIGITS).collect()
    }

    /// Hash of a file's content, read only when the file has changed.
    fn content(&self, path: &Path) -> std::io::Result<Hash> {
        let meta = std::fs::metadata(path)?;
        let (changed, bytes) = (meta.modified()?, meta.len());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(path).filter(|known| known.changed == changed && known.bytes == bytes) {
            return Ok(known.hash);
        }
        let hash = blake3::hash(&std::fs::read(path)?);
        read.insert(path.to_owned(), Known { changed, bytes, hash });
        Ok(hash)
    }
}

/// Adds a part so that no two rows of parts give the same bytes.
fn part(hasher: &mut Hasher, name: &str, text: &str) {
    for text in [name, text] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
}
