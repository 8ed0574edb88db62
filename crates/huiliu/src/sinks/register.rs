//! The register in the embedded store: unified records with their history.

use huiliu_pipeline::ports::Sink;
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
    pub(super) fn open(self, place: &Place<'_>) -> Box<dyn Sink> {
        let options = RegisterOptions {
            register: self.register.unwrap_or_else(|| place.pipeline.to_owned()),
            id: self.id,
            origins: self.origins,
            matched: self.matched,
        };
        Box::new(place.store.register_sink(place.pipeline, place.name, options))
    }
}
