//! JSON Lines: one file for each delivery, one line for each record.

use std::io::Write;
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use huiliu_formats::write::JsonLinesEncoder;
use huiliu_pipeline::ports::{Batches, LedgerEntry, Sink, SinkError, Stream};
use serde::Deserialize;

use super::file::{WholeFile, delivery_file, failed};
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

    pub(super) fn open(self, place: &Place<'_>) -> JsonlFiles {
        let folder = place.data.join(&self.path);
        JsonlFiles { folder, schema: self.take.schema(&place.output), config: self, buffer: Vec::new() }
    }
}

/// The open sink.
pub(crate) struct JsonlFiles {
    folder: PathBuf,
    schema: SchemaRef,
    config: JsonlSink,
    buffer: Vec<u8>,
}

impl Sink for JsonlFiles {
    fn stream(&self) -> Stream {
        self.config.take.stream()
    }

    fn deliver(&mut self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<(), SinkError> {
        let mut batches = batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let path = delivery_file(&self.folder, entry, "jsonl");
        let wrong = |error: &dyn std::fmt::Display| failed(&path, error);
        let mut encoder = JsonLinesEncoder::new(&self.schema, self.config.columns.as_deref())
            .map_err(|error| wrong(&error))?;
        let mut file = WholeFile::create(&path).map_err(|error| wrong(&error))?;
        for batch in batches {
            let batch = batch.map_err(|error| wrong(&error))?;
            self.buffer.clear();
            encoder.encode(&batch, &mut self.buffer).map_err(|error| wrong(&error))?;
            file.write_all(&self.buffer).map_err(|error| wrong(&error))?;
        }
        // A large delivery's buffer is not kept for the small ones after it.
        self.buffer = Vec::new();
        file.finish().map_err(|error| wrong(&error))
    }
}
