//! What there is: the built-in plugins in one list, loaded ones beside them, the kinds of source and sink.
//!
//! Adding a built-in stage is one line in [`builtin`]. No other file of the daemon names a plugin.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use huiliu_abi::{LoadError, PluginOrigin, StageFactory, load_folder};
use huiliu_formats::read::FormatOptions;
use huiliu_pipeline::config::{Node, from_node};
use huiliu_pipeline::diagnostic::Diagnostic;
use huiliu_pipeline::plan::{self, Plan, StageOpener};
use jiff::tz::TimeZone;

use crate::sinks::{self, SinkConfig};
use crate::sources;
use crate::sources::folder::FolderSource;
use crate::sources::schedule::ScheduleSource;

/// What the merging stage keeps of records, for people who review them.
pub(crate) mod records {
    pub(crate) use huiliu_dedup::inspect::{
        Inspect, Line, PartStory, Question, Said, Why, may_split, side_by_side,
    };
    pub(crate) use huiliu_dedup::{Decision, Word};
}

/// The plugins that are linked in. They have no privilege: each is also built as a shared library.
fn builtin() -> Vec<StageFactory> {
    [
        huiliu_validate::plugin(),
        huiliu_dedup::plugin(),
        huiliu_commitment::plugin(),
        huiliu_score::plugin(),
        huiliu_derive::plugin(),
        huiliu_classify::plugin(),
    ]
    .concat()
}

/// Stages, sources and sinks at hand.
pub(crate) struct Catalog {
    stages: Vec<StageFactory>,
    refused: Vec<String>,
}

impl Catalog {
    /// The built-in stages (unless left out) and those of a plugin folder. A library that cannot be
    /// loaded, or brings a stage of a name that is taken, is refused with its reason; the others are there.
    pub(crate) fn new(plugins: Option<&Path>, with_builtin: bool) -> Self {
        let stages = if with_builtin { builtin() } else { Vec::new() };
        let mut catalog = Self { stages, refused: Vec::new() };
        let (loaded, errors) = plugins.map(load_folder).unwrap_or_default();
        catalog.refused.extend(errors.iter().map(with_cause));
        for stage in loaded {
            catalog.add(stage);
        }
        for reason in &catalog.refused {
            tracing::error!(reason, "plugin refused");
        }
        catalog
    }

    fn add(&mut self, stage: StageFactory) {
        match self.stages.iter().find(|known| known.info.name == stage.info.name) {
            None => self.stages.push(stage),
            Some(known) => self.refused.push(format!(
                "stage `{}` of `{}` is refused: one of that name is there already ({})",
                stage.info.name, stage.origin, known.origin
            )),
        }
    }

    /// All stages, by name.
    pub(crate) fn stages(&self) -> Vec<&StageFactory> {
        let mut stages: Vec<_> = self.stages.iter().collect();
        stages.sort_by(|a, b| a.info.name.cmp(&b.info.name));
        stages
    }

    /// Why libraries or stages were refused.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Whether a stage is linked in.
    pub(crate) fn is_builtin(stage: &StageFactory) -> bool {
        stage.origin == PluginOrigin::Builtin
    }
}

impl plan::Catalog for Catalog {
    fn stage(&self, name: &str) -> Option<StageOpener> {
        let factory = self.stages.iter().find(|stage| stage.info.name == name)?.clone();
        Some(Arc::new(move |options, input, host| factory.open(options, input, host)))
    }

    fn stage_names(&self) -> Vec<String> {
        self.stages.iter().map(|stage| stage.info.name.clone()).collect()
    }

    fn source_kinds(&self) -> Vec<String> {
        sources::KINDS.map(str::to_owned).to_vec()
    }

    fn check_source(&self, kind: &str, options: &Node) -> Result<(), Vec<Diagnostic>> {
        // Of the pipeline's own time zone is spoken elsewhere.
        source(kind, options, "UTC").map(drop)
    }

    fn check_format(&self, options: &Node) -> Result<(), Vec<Diagnostic>> {
        from_node::<FormatOptions>(options).map(drop)
    }

    fn sink_kinds(&self) -> Vec<String> {
        sinks::KINDS.map(str::to_owned).to_vec()
    }

    fn check_sink(&self, kind: &str, options: &Node, schema: &SchemaRef) -> Result<(), Vec<Diagnostic>> {
        SinkConfig::parse(kind, options, schema).map(drop)
    }

    fn check_timezone(&self, name: &str) -> Result<(), String> {
        time_zone(name).map(drop)
    }
}

/// An error with what the system said.
fn with_cause(error: &LoadError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// A source's configuration, checked.
pub(crate) enum SourceConfig {
    Folder(Box<FolderSource>),
    Schedule(Box<ScheduleSource>),
}

/// A source of a kind, read and checked, in a pipeline whose time zone is `timezone`.
///
/// # Errors
/// Everything that is wrong, with its place.
pub(crate) fn source(kind: &str, options: &Node, timezone: &str) -> Result<SourceConfig, Vec<Diagnostic>> {
    match kind {
        "folder" => folder_source(options).map(|source| SourceConfig::Folder(Box::new(source))),
        "schedule" => {
            ScheduleSource::parse(options, timezone).map(|source| SourceConfig::Schedule(Box::new(source)))
        }
        _ => Err(vec![options.problem(format!("there is no source `{kind}`"))]),
    }
}

/// The folder that a pipeline watches; `None` if its source is of another kind.
pub(crate) fn watched_folder(plan: &Plan) -> Option<FolderSource> {
    (plan.source.0 == "folder").then(|| folder_source(&plan.source.1).ok()).flatten()
}

/// The schedule of a pipeline; `None` if its source is of another kind.
pub(crate) fn schedule_of(plan: &Plan) -> Option<ScheduleSource> {
    let read = || ScheduleSource::parse(&plan.source.1, &plan.timezone).ok();
    (plan.source.0 == "schedule").then(read).flatten()
}

/// A folder source, read and checked.
fn folder_source(options: &Node) -> Result<FolderSource, Vec<Diagnostic>> {
    let source: FolderSource = from_node(options)?;
    source.check().map_err(|(key, why)| vec![Diagnostic::new(&options.locate(key, false), why)])?;
    Ok(source)
}

/// A time zone by its IANA name.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("there is no time zone `{name}`; names are such as Asia/Shanghai or UTC"))
}
