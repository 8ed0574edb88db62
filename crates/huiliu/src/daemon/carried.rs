//! Files that belong to rows which come back out of quarantine.
//!
//! A retried row is a line of a delivery of its own. When it was first sent, files came with it; `quarantine retry` writes
//! into its line which row that was, and here the files are linked to the line as they were to the row.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use huiliu_pipeline::ports::{Evidence, StoreError};
use huiliu_pipeline::run::{ReadStop, Reader};
use huiliu_stage::{EVIDENCE, Outcome};
use huiliu_store::SqliteStore;
use serde::{Deserialize, Serialize};

/// Key of a retried line that names the row it was.
pub(crate) const KEY: &str = "_evidence";

/// The row that a retried line was when files came with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Was {
    /// Its delivery.
    pub(crate) delivery: String,
    /// Its `_row`.
    pub(crate) row: i64,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_evidence")]
    was: Option<Was>,
}

/// The files of the lines of a retried file. A line that cannot be read is told by whoever reads rows.
///
/// # Errors
/// The file or the store cannot be read.
pub(crate) fn of_file(path: &Path, store: &SqliteStore) -> Result<Vec<Evidence>, StoreError> {
    let failed =
        |error: std::io::Error| StoreError::Failed(format!("cannot read `{}`: {error}", path.display()));
    let mut found = Vec::new();
    let mut known: HashMap<String, Vec<Evidence>> = HashMap::new();
    for (number, line) in (1_i64..).zip(BufReader::new(File::open(path).map_err(failed)?).lines()) {
        let line = line.map_err(failed)?;
        let was = serde_json::from_str::<Line>(&line).ok().and_then(|line| line.was);
        let Some(was) = was else { continue };
        if !known.contains_key(&was.delivery) {
            known.insert(was.delivery.clone(), store.evidence(&was.delivery)?);
        }
        let files = known.get(&was.delivery).into_iter().flatten().filter(|file| file.row == Some(was.row));
        found.extend(files.map(|file| Evidence { row: Some(number), record: None, ..file.clone() }));
    }
    Ok(found)
}

/// A reader whose rows have these files besides its own.
pub(crate) struct Carrying {
    inner: Box<dyn Reader>,
    evidence: Vec<Evidence>,
}

impl Carrying {
    pub(crate) fn new(inner: Box<dyn Reader>, evidence: Vec<Evidence>) -> Self {
        Self { inner, evidence }
    }

    /// Tells the engine which rows have files.
    fn mark(&self, mut outcome: Outcome) -> Outcome {
        if self.evidence.is_empty() {
            return outcome;
        }
        let rows: Vec<i64> = self.evidence.iter().filter_map(|file| file.row).collect();
        let mut schema = outcome.batch.schema().as_ref().clone();
        schema.metadata.insert(EVIDENCE.to_owned(), serde_json::to_string(&rows).unwrap_or_default());
        // The same columns under the same fields: this cannot fail.
        if let Ok(batch) = outcome.batch.clone().with_schema(Arc::new(schema)) {
            outcome.batch = batch;
        }
        outcome
    }
}

impl Reader for Carrying {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        let next = self.inner.next()?;
        Some(next.map(|outcome| self.mark(outcome)))
    }

    fn sheets(&self) -> Vec<String> {
        self.inner.sheets()
    }

    fn report(&self) -> serde_json::Value {
        self.inner.report()
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut all = self.inner.evidence();
        all.extend(self.evidence.iter().cloned());
        all
    }
}
