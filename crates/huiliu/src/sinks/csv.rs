//! CSV: one file for each delivery, safe to open in a spreadsheet program.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_formats::write::{CsvEncoder, CsvHeader, CsvOptions};
use serde::Deserialize;

use super::files::{Encoded, FileSink};
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

    pub(super) fn open(self, place: &Place<'_>) -> FileSink {
        let schema = self.take.schema(&place.output);
        FileSink::new(place, &self.path.clone(), "csv", self.take, move |file| {
            let mut encoder = self.encoder(&schema)?;
            let mut head = Vec::new();
            encoder.begin(&mut head);
            let encode = move |batch: &RecordBatch, to: &mut Vec<u8>| {
                encoder.encode(batch, to).map_err(|error| error.to_string())
            };
            Ok(Box::new(Encoded::new(file, head, encode)))
        })
    }
}
