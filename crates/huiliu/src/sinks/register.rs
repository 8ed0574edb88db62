//! The register in the embedded store: unified records with their history.

use arrow::datatypes::SchemaRef;
use huiliu_pipeline::ports::Sink;
use huiliu_stage::column_index;
use huiliu_store::RegisterOptions;
use serde::Deserialize;

use super::Place;

/// Keeps unified records, every earlier version of them, and where each value came from:
/// `- register: {register: projects}`.
///
/// Exactly once: the records of a delivery and the sink's position are one transaction.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterSinkConfig {
    /// Name of the register; by default the pipeline's. Pipelines that use one name fill one register.
    #[serde(default)]
    pub(crate) register: Option<String>,

    /// Column with the id of the record.
    #[serde(default = "default_id")]
    pub(crate) id: String,

    /// Column with the origin of each value.
    #[serde(default = "default_origins")]
    pub(crate) origins: String,

    /// Column that says why a row was taken for this record.
    #[serde(default = "default_matched")]
    pub(crate) matched: String,

    /// Only these columns are written, into records that are there; no record is made. For a pipeline that knows but
    /// a part of the records of another one's register.
    #[serde(default)]
    pub(crate) only: Vec<String>,
}

fn default_id() -> String {
    "record_id".to_owned()
}

fn default_origins() -> String {
    "origins".to_owned()
}

fn default_matched() -> String {
    "matched_by".to_owned()
}

impl RegisterSinkConfig {
    /// The key that is wrong, and why.
    pub(super) fn check(&self, output: &SchemaRef) -> Result<(), (&'static str, String)> {
        if self.only.is_empty() {
            return Ok(());
        }
        let mut needed = self.only.iter().map(|name| ("only", name)).chain([("id", &self.id)]);
        match needed.find_map(|(key, name)| Some((key, column_index(output, name).err()?))) {
            None => Ok(()),
            Some((key, error)) => Err((key, error.to_string())),
        }
    }

    /// The register that it fills, in a pipeline of this name.
    pub(crate) fn name(&self, pipeline: &str) -> String {
        self.register.clone().unwrap_or_else(|| pipeline.to_owned())
    }

    pub(super) fn open(self, place: &Place<'_>) -> Box<dyn Sink> {
        let options = RegisterOptions {
            register: self.name(place.pipeline),
            id: self.id,
            origins: self.origins,
            matched: self.matched,
            only: self.only,
        };
        Box::new(place.store.register_sink(place.pipeline, place.name, options))
    }
}
