//! Parquet: one file for each delivery.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_formats::write::{ParquetCodec, ParquetOptions, ParquetWriter};
use serde::Deserialize;

use super::file::WholeFile;
use super::files::{FileSink, Rows};
use super::{Place, Take, check_path};

/// Writes Parquet: `- parquet: {path: out/parquet, compression: zstd}`.
///
/// Each delivery is one file, `{file name}.{delivery id}.parquet`, which appears whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParquetSink {
    /// Folder, below the data folder.
    pub(crate) path: String,

    /// Columns to write; by default all but the engine's.
    #[serde(default)]
    pub(crate) columns: Option<Vec<String>>,

    /// `zstd`, `snappy` (less work, larger files) or `none`.
    #[serde(default)]
    pub(crate) compression: Compression,

    /// `records`, or `rejects` for the rows in quarantine.
    #[serde(default)]
    pub(crate) take: Take,
}

/// How pages are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    #[default]
    Zstd,
    Snappy,
    None,
}

impl ParquetSink {
    fn options(&self) -> ParquetOptions {
        let codec = match self.compression {
            Compression::Zstd => ParquetCodec::Zstd,
            Compression::Snappy => ParquetCodec::Snappy,
            Compression::None => ParquetCodec::None,
        };
        ParquetOptions { codec, ..ParquetOptions::default() }
    }

    pub(super) fn check(&self, output: &SchemaRef) -> Result<(), (&'static str, String)> {
        check_path(&self.path)?;
        let schema = self.take.schema(output);
        ParquetWriter::new(Vec::new(), &schema, self.columns.as_deref(), self.options())
            .map(drop)
            .map_err(|error| ("columns", error.to_string()))
    }

    pub(super) fn open(self, place: &Place<'_>) -> FileSink {
        let schema = self.take.schema(&place.output);
        FileSink::new(place, &self.path.clone(), "parquet", self.take, move |file| {
            let writer = ParquetWriter::new(file, &schema, self.columns.as_deref(), self.options());
            Ok(Box::new(Groups(writer.map_err(|error| error.to_string())?)))
        })
    }
}

/// Rows on their way into row groups.
struct Groups(ParquetWriter<WholeFile>);

impl Rows for Groups {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), String> {
        self.0.write(batch).map_err(|error| error.to_string())
    }

    fn end(self: Box<Self>) -> Result<WholeFile, String> {
        self.0.finish().map_err(|error| error.to_string())
    }
}
