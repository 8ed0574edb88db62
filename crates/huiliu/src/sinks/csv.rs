//! CSV: one file for each delivery, safe to open in a spreadsheet program.

use std::io::Write;
use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use huiliu_formats::write::{CsvEncoder, CsvHeader, CsvOptions};
use huiliu_pipeline::ports::{Batches, LedgerEntry, Sink, SinkError, Stream};
use serde::Deserialize;

use super::file::{WholeFile, delivery_file, failed};
use super::{Place, Take, check_path};

/// Writes CSV: `- csv: {path: out/csv, bom: true, labels: true}`.
///
/// Each delivery is one file, `{file name}.{delivery id}.csv`, which appears whole. A text that begins
/// like a formula (`=`, `+`, `-`, `@`) gets an apostrophe in front, so that no spreadsheet program runs it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CsvSink {
    /// Folder, below the data folder.
    pub(crate) path: String,

    /// Columns to write; by default all but the engine's.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,

    /// Begin with a byte order mark, so that Excel reads the file as UTF-8.
    #[serde(default)]
    pub(crate) bom: bool,

    /// Head the columns with their labels (总投资) in place of their names.
    #[serde(default)]
    pub(crate) labels: bool,

    /// Put an apostrophe in front of texts that begin like a formula.
    #[serde(default = "yes")]
    pub(crate) formula_guard: bool,

    /// `records`, or `rejects` for the rows in quarantine.
    #[serde(default)]
    pub(crate) take: Take,
}

fn yes() -> bool {
    true
}

impl CsvSink {
    fn options(&self) -> CsvOptions {
        let header = if self.labels { CsvHeader::Labels } else { CsvHeader::Names };
        CsvOptions { bom: self.bom, header, formula_guard: self.formula_guard }
    }

    fn encoder(&self, schema: &SchemaRef) -> Result<CsvEncoder, String> {
        CsvEncoder::new(schema, self.columns.as_deref(), self.options()).map_err(|error| error.to_string())
    }

    pub(super) fn check(&self, output: &SchemaRef) -> Result<(), (&'static str, String)> {
        check_path(&self.path)?;
        self.encoder(&self.take.schema(output)).map(drop).map_err(|why| ("columns", why))
    }

    pub(super) fn open(self, place: &Place<'_>) -> CsvFiles {
        let folder = place.data.join(&self.path);
        CsvFiles { folder, schema: self.take.schema(&place.output), config: self }
    }
}

/// The open sink.
pub(crate) struct CsvFiles {
    folder: PathBuf,
    schema: SchemaRef,
    config: CsvSink,
}

impl Sink for CsvFiles {
    fn stream(&self) -> Stream {
        self.config.take.stream()
    }

    fn deliver(&mut self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<(), SinkError> {
        let mut batches = batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let path = delivery_file(&self.folder, entry, "csv");
        let wrong = |error: &dyn std::fmt::Display| failed(&path, error);
        let mut encoder = self.config.encoder(&self.schema).map_err(|why| wrong(&why))?;
        let mut file = WholeFile::create(&path).map_err(|error| wrong(&error))?;
        let mut buffer = Vec::new();
        encoder.begin(&mut buffer);
        for batch in batches {
            let batch = batch.map_err(|error| wrong(&error))?;
            encoder.encode(&batch, &mut buffer).map_err(|error| wrong(&error))?;
            file.write_all(&buffer).map_err(|error| wrong(&error))?;
            buffer.clear();
        }
        file.finish().map_err(|error| wrong(&error))
    }
}
