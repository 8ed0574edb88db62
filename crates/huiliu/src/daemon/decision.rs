//! People's decisions about records, on their way to the stage that keeps those records.
//!
//! A decision is a delivery of its own: a small file in the daemon's own folder for retries, that becomes a batch without
//! rows and goes in at the stage it is for. So it takes the one way everything takes: it is committed with the state it
//! changes, every sink gets the records it changes, the ledger remembers it, and a crash undoes or repeats it as a whole.
//! Nobody but the daemon's owner can write into that folder, so no department can decide.
//!
//! What a decision says is the stage's affair; here it is JSON.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_pipeline::run::{ReadStop, Reader};
use huiliu_stage::{DECISIONS, Finding, Findings, Origin, Outcome, Severity, Text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identify::delivery_id;
use crate::sinks::WholeFile;
use crate::sources::RETRY;
use crate::sources::folder::place::{Names, Template};

/// How the names of such files begin.
const PREFIX: &str = "decision-";

/// Who such deliveries are from, in the ledger and in the names of folders.
const SENDER: &str = "review";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    decisions: Vec<Value>,
    /// Parts one decision from the same one taken again later.
    after: u64,
}

/// Sends a decision to a stage. `after` is the number of decisions that the stage has carried out.
///
/// # Errors
/// The file cannot be written; then nothing was sent.
pub(crate) fn send(
    data: &Path,
    pipeline: &str,
    stage: &str,
    decision: &impl Serialize,
    after: u64,
) -> anyhow::Result<PathBuf> {
    let names: Names = [("pipeline", pipeline), ("stage", stage), ("sender", SENDER)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let folder = data.join(Template::parse(RETRY).map_err(anyhow::Error::msg)?.fill(&names, ""));
    let content =
        serde_json::to_string(&Content { decisions: vec![serde_json::to_value(decision)?], after })?;
    let path = folder.join(format!("{PREFIX}{}.jsonl", delivery_id(pipeline, stage, &content)));
    let write = || -> std::io::Result<()> {
        let mut file = WholeFile::create(&path)?;
        writeln!(file, "{content}")?;
        file.finish()
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

/// Whether a file in the folder for retries is a decision.
pub(crate) fn is_decision(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

/// Reads such a file: one batch without rows.
pub(crate) struct DecisionReader {
    next: Option<Result<Outcome, ReadStop>>,
}

impl DecisionReader {
    /// For a stage with this input; `None` if there is no such stage.
    ///
    /// # Errors
    /// The file cannot be read just now.
    pub(crate) fn open(path: &Path, schema: Option<&SchemaRef>, origin: &Origin) -> std::io::Result<Self> {
        let content = std::fs::read_to_string(path)?;
        let batch = schema.ok_or_else(|| "no stage of the pipeline keeps these records".to_owned()).and_then(
            |schema| {
                let content: Content = serde_json::from_str(&content).map_err(|error| error.to_string())?;
                let mut schema = origin.mark(schema);
                let decisions = Value::Array(content.decisions).to_string();
                schema.metadata.insert(DECISIONS.to_owned(), decisions);
                Ok(RecordBatch::new_empty(Arc::new(schema)))
            },
        );
        let next = match batch {
            Ok(batch) => Ok(Outcome { batch, findings: Findings::none() }),
            Err(why) => {
                let text = Text::new(
                    format!("这项决定无法执行：{why}"),
                    format!("the decision cannot be carried out: {why}"),
                );
                let why = Finding::new(None, Severity::Error, "decision-refused", text);
                Err(ReadStop::Refuse(Box::new(why)))
            }
        };
        Ok(Self { next: Some(next) })
    }
}

impl Reader for DecisionReader {
    fn next(&mut self) -> Option<Result<Outcome, ReadStop>> {
        self.next.take()
    }

    fn sheets(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn report(&self) -> Value {
        serde_json::json!({ "format": "jsonl", "sheets": [] })
    }
}
