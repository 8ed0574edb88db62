//! Parquet: one file for each delivery.

use std::path::PathBuf;

use arrow::datatypes::SchemaRef;
use huiliu_formats::write::{ParquetCodec, ParquetOptions, ParquetWriter};
use huiliu_pipeline::ports::{Batches, LedgerEntry, Sink, SinkError, Stream};
use serde::Deserialize;

use super::file::{WholeFile, delivery_file, failed};
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

    pub(super) fn open(self, place: &Place<'_>) -> ParquetFiles {
        let folder = place.data.join(&self.path);
        ParquetFiles { folder, schema: self.take.schema(&place.output), config: self }
    }
}

/// The open sink.
pub(crate) struct ParquetFiles {
    folder: PathBuf,
    schema: SchemaRef,
    config: ParquetSink,
}

impl Sink for ParquetFiles {
    fn stream(&self) -> Stream {
        self.config.take.stream()
    }

    fn deliver(&mut self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<(), SinkError> {
        let mut batches = batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let path = delivery_file(&self.folder, entry, "parquet");
        let wrong = |error: &dyn std::fmt::Display| failed(&path, error);
        let file = WholeFile::create(&path).map_err(|error| wrong(&error))?;
        let mut writer =
            ParquetWriter::new(file, &self.schema, self.config.columns.as_deref(), self.config.options())
                .map_err(|error| wrong(&error))?;
        for batch in batches {
            let batch = batch.map_err(|error| wrong(&error))?;
            writer.write(&batch).map_err(|error| wrong(&error))?;
        }
        let file = writer.finish().map_err(|error| wrong(&error))?;
        file.finish().map_err(|error| wrong(&error))
    }
}
