//! V13: evidence that came in a package: empty files, and files that another project has used (by their hash).
//!
//! Which files a row came with rides on the batch ([`EVIDENCE_FILES`]).

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use huiliu_stage::{EVIDENCE_FILES, Host, StageError};

use super::text::Found;

/// The files of the rows of a batch: name, length, hash.
#[derive(Default)]
pub(super) struct Files(BTreeMap<i64, Vec<(String, u64, String)>>);

impl Files {
    pub(super) fn of(batch: &RecordBatch) -> Result<Self, StageError> {
        match batch.schema_ref().metadata.get(EVIDENCE_FILES) {
            None => Ok(Self::default()),
            Some(text) => serde_json::from_str(text).map(Self).map_err(|error| {
                StageError::new(format!("metadata `{EVIDENCE_FILES}` of the batch is broken: {error}"))
            }),
        }
    }

    /// What is wrong with the files of a row of the project `key`.
    pub(super) fn judge(&self, host: &dyn Host, row: i64, key: &str) -> Result<Vec<Found>, StageError> {
        let mut found = Vec::new();
        for (file, bytes, hash) in self.0.get(&row).into_iter().flatten() {
            if *bytes == 0 {
                found.push(Found::Empty { file: file.clone() });
            } else if let Some((other, name)) = user(host, hash)?.filter(|(other, _)| other != key) {
                let other = if name.is_empty() { other } else { name };
                found.push(Found::Reused { file: file.clone(), other });
            }
        }
        Ok(found)
    }

    /// Remembers that the project used the row's files.
    pub(super) fn keep(&self, host: &dyn Host, row: i64, key: &str, name: &str) -> Result<(), StageError> {
        for (_, bytes, hash) in self.0.get(&row).into_iter().flatten() {
            if *bytes > 0 && !hash.is_empty() && user(host, hash)?.is_none() {
                host.state_put(format!("e/{hash}").as_bytes(), format!("{key}\n{name}").as_bytes())?;
            }
        }
        Ok(())
    }
}

/// The project that used a file first, and its name.
fn user(host: &dyn Host, hash: &str) -> Result<Option<(String, String)>, StageError> {
    if hash.is_empty() {
        return Ok(None);
    }
    let Some(bytes) = host.state_get(format!("e/{hash}").as_bytes())? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let (key, name) = text.split_once('\n').unwrap_or((&text, ""));
    Ok(Some((key.to_owned(), name.to_owned())))
}
