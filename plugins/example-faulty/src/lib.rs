//! A plugin that misbehaves, for tests of what keeps it in check. Not to be installed.
//!
//! `- panics: {when: process}` panics in its second batch, or when it is opened, finished or closed;
//! `- loses: {}` drops the last row of every batch and says nothing.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{Host, OpenStage, Outcome, Stage, StageError};
use serde::Deserialize;

/// When to panic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// While it is opened.
    Open,
    /// In its second batch.
    #[default]
    Process,
    /// In `finish`.
    Finish,
    /// When it is closed.
    Close,
}

/// What stands in YAML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default)]
    when: When,
}

/// Passes everything on until it panics.
#[derive(Debug)]
pub struct Panics {
    when: When,
    batches: usize,
}

impl OpenStage for Panics {
    const NAME: &'static str = "panics";
    const SUMMARY: &'static str = "passes everything on until it panics";
    const OPTION_SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false,
        "properties": {"when": {"enum": ["open", "process", "finish", "close"]}}}"#;
    type Options = Options;

    fn open(options: Options, input: SchemaRef, _: Arc<dyn Host>) -> Result<(Self, SchemaRef), StageError> {
        assert!(options.when != When::Open, "the faulty stage was opened");
        Ok((Self { when: options.when, batches: 0 }, input))
    }
}

impl Stage for Panics {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        self.batches += 1;
        assert!(self.when != When::Process || self.batches < 2, "batch {} was too much", self.batches);
        Ok(batch.into())
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        assert!(self.when != When::Finish, "the end was too much");
        Ok(None)
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        assert!(self.when != When::Close, "the faulty stage was closed");
    }
}

/// Takes no options.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// Loses a row of every batch.
#[derive(Debug)]
pub struct Loses;

impl OpenStage for Loses {
    const NAME: &'static str = "loses";
    const SUMMARY: &'static str = "drops the last row of every batch and says nothing";
    const OPTION_SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false}"#;
    type Options = NoOptions;

    fn open(_: NoOptions, input: SchemaRef, _: Arc<dyn Host>) -> Result<(Self, SchemaRef), StageError> {
        Ok((Self, input))
    }
}

impl Stage for Loses {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        Ok(batch.slice(0, batch.num_rows().saturating_sub(1)).into())
    }
}

huiliu_abi::export_plugin!([Panics, Loses]);
