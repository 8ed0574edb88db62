//! Cells that are null because the reader could not make sense of them.
//!
//! The reader has told of them already, so their emptiness is nobody's fault a second time. The engine
//! names them in the metadata of the batch's schema, under [`UNREADABLE`].

use std::collections::{HashMap, HashSet};

use arrow::array::RecordBatch;
use huiliu_stage::{StageError, UNREADABLE};

/// The cells that could not be read.
#[derive(Debug, Default)]
pub(crate) struct Unreadable(HashMap<String, HashSet<i64>>);

impl Unreadable {
    /// Those of a batch.
    pub(crate) fn of(batch: &RecordBatch) -> Result<Self, StageError> {
        match batch.schema_ref().metadata.get(UNREADABLE) {
            None => Ok(Self::default()),
            Some(text) => serde_json::from_str(text).map(Self).map_err(|error| {
                StageError::new(format!("metadata `{UNREADABLE}` of the batch is broken: {error}"))
            }),
        }
    }

    /// Whether all cells of the batch could be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this cell could not be read.
    pub(crate) fn has(&self, field: &str, row: i64) -> bool {
        self.0.get(field).is_some_and(|rows| rows.contains(&row))
    }
}
