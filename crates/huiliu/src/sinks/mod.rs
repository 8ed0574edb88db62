//! Where records go. One file a kind, one variant in [`SinkConfig`].

mod csv;
mod file;
mod files;
mod jsonl;
mod parquet;
pub(crate) mod register;

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use huiliu_pipeline::config::{Node, from_node};
use huiliu_pipeline::diagnostic::Diagnostic;
use huiliu_pipeline::ports::{Sink, Stream, rejects_schema};
use huiliu_store::SqliteStore;
use serde::Deserialize;

pub(crate) use file::{WholeFile, named, sync_folder};

/// The kinds of sink.
pub(crate) const KINDS: [&str; 4] = ["register", "jsonl", "csv", "parquet"];

/// A sink's configuration, checked.
pub(crate) enum SinkConfig {
    Register(register::RegisterSinkConfig),
    Jsonl(jsonl::JsonlSink),
    Csv(csv::CsvSink),
    Parquet(parquet::ParquetSink),
}

/// Which rows a sink takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Take {
    /// The rows that passed every stage.
    #[default]
    Records,
    /// The rows that went to quarantine: sheet, row, stage, values, reasons, findings.
    Rejects,
}

impl Take {
    pub(crate) fn stream(self) -> Stream {
        match self {
            Self::Records => Stream::Records,
            Self::Rejects => Stream::Rejects,
        }
    }

    /// The schema of what is taken, where `output` is that of the last stage.
    pub(crate) fn schema(self, output: &SchemaRef) -> SchemaRef {
        match self {
            Self::Records => Arc::clone(output),
            Self::Rejects => rejects_schema(),
        }
    }
}

/// What a sink is opened with.
pub(crate) struct Place<'a> {
    /// The data folder.
    pub(crate) data: &'a Path,
    /// The embedded store.
    pub(crate) store: &'a Arc<SqliteStore>,
    /// Name of the pipeline.
    pub(crate) pipeline: &'a str,
    /// Name of the sink in it.
    pub(crate) name: &'a str,
    /// What the last stage gives.
    pub(crate) output: SchemaRef,
}

impl SinkConfig {
    /// Reads and checks the options of a sink of `kind` (one of [`KINDS`]).
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub(crate) fn parse(kind: &str, options: &Node, output: &SchemaRef) -> Result<Self, Vec<Diagnostic>> {
        let config = match kind {
            "register" => Self::Register(from_node(options)?),
            "jsonl" => Self::Jsonl(from_node(options)?),
            "csv" => Self::Csv(from_node(options)?),
            "parquet" => Self::Parquet(from_node(options)?),
            _ => return Err(vec![options.problem(format!("there is no sink `{kind}`"))]),
        };
        config.check(output).map_err(|(key, why)| vec![Diagnostic::new(&options.locate(key, false), why)])?;
        Ok(config)
    }

    /// The key that is wrong, and why.
    fn check(&self, output: &SchemaRef) -> Result<(), (&'static str, String)> {
        match self {
            Self::Register(sink) => sink.check(output),
            Self::Jsonl(sink) => sink.check(output),
            Self::Csv(sink) => sink.check(output),
            Self::Parquet(sink) => sink.check(output),
        }
    }

    /// Opens the sink.
    pub(crate) fn open(self, place: &Place<'_>) -> Box<dyn Sink> {
        match self {
            Self::Register(sink) => sink.open(place),
            Self::Jsonl(sink) => Box::new(sink.open(place)),
            Self::Csv(sink) => Box::new(sink.open(place)),
            Self::Parquet(sink) => Box::new(sink.open(place)),
        }
    }
}

/// Checks a path below the data folder.
fn check_path(path: &str) -> Result<(), (&'static str, String)> {
    use std::path::Component;
    let inside = Path::new(path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    if path.is_empty() || !inside {
        return Err(("path", format!("`{path}` must be a folder below the data folder, without `..`")));
    }
    Ok(())
}
