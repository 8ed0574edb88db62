//! JSON Lines: one file for each delivery, one line for each record.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_formats::write::JsonLinesEncoder;
use serde::Deserialize;

use super::files::{Encoded, FileSink};
use super::{Place, Take, check_path};

/// Writes JSON Lines: `- jsonl: {path: out/projects}`.
///
/// Each delivery is one file, `{file name}.{delivery id}.jsonl`, which appears whole. A delivery without
/// rows leaves no file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsonlSink {
    /// Folder, below the data folder.
    pub(crate) path: String,

    /// Columns to write; by default all but the engine's.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,

    /// `records`, or `rejects` for the rows in quarantine.
    #[serde(default)]
    pub(crate) take: Take,
}

impl JsonlSink {
    pub(super) fn check(&self, output: &SchemaRef) -> Result<(), (&'static str, String)> {
        check_path(&self.path)?;
        JsonLinesEncoder::new(&self.take.schema(output), self.columns.as_deref())
            .map(drop)
            .map_err(|error| ("columns", error.to_string()))
    }

    pub(super) fn open(self, place: &Place<'_>) -> FileSink {
        let schema = self.take.schema(&place.output);
        FileSink::new(place, &self.path.clone(), "jsonl", self.take, move |file| {
            let mut encoder =
                JsonLinesEncoder::new(&schema, self.columns.as_deref()).map_err(|error| error.to_string())?;
            let encode = move |batch: &RecordBatch, to: &mut Vec<u8>| {
                encoder.encode(batch, to).map_err(|error| error.to_string())
            };
            Ok(Box::new(Encoded::new(file, Vec::new(), encode)))
        })
    }
}
