//! A stage, its opening and its outcome.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::de::DeserializeOwned;

use crate::{Findings, Host, StageError};

/// What a stage gives back: a batch of its output schema, and its findings.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Rows of the planned output schema; may be empty.
    pub batch: RecordBatch,
    /// What was found on the way.
    pub findings: Findings,
}

impl From<RecordBatch> for Outcome {
    fn from(batch: RecordBatch) -> Self {
        Self { batch, findings: Findings::none() }
    }
}

/// One step of a pipeline: a batch in, an outcome back.
///
/// A stage is used by one thread at a time, though not always by the same one. It lives through
/// many deliveries; it may cache state between them, since it is closed and opened anew after a
/// delivery that failed.
pub trait Stage: Send {
    /// Handles one batch. Every input row (named by its `_row`) comes out again, or has a finding
    /// that refuses it (severity error) or says what became of it ([`crate::Fate`]); the engine
    /// checks this and names the stage if not. Rows with an error finding may come out as well:
    /// the engine takes them out.
    ///
    /// An error means that no row was handled: the delivery is taken back as a whole, and tried
    /// again or set aside with the error's text.
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError>;

    /// Called once after the last batch of a delivery. A stage that held rows back (with a
    /// finding of fate merged or dropped, since they were not in that batch's output) or that
    /// counts over the whole delivery answers here.
    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        Ok(None)
    }
}

/// What `huiliu stages` tells of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageInfo {
    /// The word in YAML.
    pub name: String,
    /// One line: what it does.
    pub summary: String,
    /// JSON Schema of its options.
    pub options: serde_json::Value,
}

/// A stage ready to run and the shape of what it will give.
pub struct Opened {
    /// The stage.
    pub stage: Box<dyn Stage>,
    /// The schema of every batch it gives.
    pub output: SchemaRef,
}

/// How a stage comes into being; `huiliu_abi::export_plugin!` needs nothing else.
pub trait OpenStage: Stage + Sized + 'static {
    /// The word in YAML.
    const NAME: &'static str;
    /// One line: what it does.
    const SUMMARY: &'static str;
    /// JSON Schema of the options, as text.
    const OPTION_SCHEMA: &'static str;
    /// The options as they stand in YAML. Deny unknown fields.
    type Options: DeserializeOwned;

    /// Checks options and input schema before any data flows, and answers with the output schema.
    ///
    /// Refuse here whatever can be refused here: this error is read by the person who writes the
    /// pipeline, the other kind by whoever is on call. Input columns not needed are passed on.
    fn open(
        options: Self::Options,
        input: SchemaRef,
        host: Arc<dyn Host>,
    ) -> Result<(Self, SchemaRef), StageError>;

    /// Name, summary and option schema.
    fn info() -> StageInfo {
        StageInfo {
            name: Self::NAME.to_owned(),
            summary: Self::SUMMARY.to_owned(),
            options: serde_json::from_str(Self::OPTION_SCHEMA)
                .unwrap_or_else(|error| serde_json::json!({ "broken": error.to_string() })),
        }
    }

    /// Opens from the JSON of the options; a mistake in them is told with its path.
    fn open_json(json: &str, input: SchemaRef, host: Arc<dyn Host>) -> Result<Opened, StageError> {
        let options = &mut serde_json::Deserializer::from_str(json);
        let options = serde_path_to_error::deserialize(options).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            // serde_json appends its own line and column, which mean nothing to the reader of YAML.
            let message = error.into_inner().to_string();
            let message = message.rsplit_once(" at line ").map_or(&*message, |(text, _)| text);
            StageError::at(path, message)
        })?;
        let (stage, output) = Self::open(options, input, host)?;
        Ok(Opened { stage: Box::new(stage), output })
    }
}
