//! From a pipeline file to a plan: everything that can be checked before data flows, checked.
//!
//! [`plan`] reads the file, asks the [`Catalog`] about sources, formats and sinks, and opens every stage
//! with the schema that the one before it answers with. A [`Plan`] that exists is a plan that was checked.
//!
//! All mistakes are told at once, each where it stands. After a stage that could not be opened nobody
//! knows which columns there are, so what follows is checked against the columns before it, and missing
//! columns are not complained of.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use huiliu_stage::{EXTRA, Host, Opened, Problem, ROW, RecordSchema, SHEET, StageError};

use crate::config::{Choice, Draft, Files, Language, Node, Receipts, Table};
use crate::diagnostic::{Diagnostic, Span, suggestion, tidy};
use crate::expression::Functions;
use crate::labels::Labels;

/// How a complaint about a missing column begins, in `huiliu_stage::column_index` and in expressions.
const MISSING_COLUMN: &str = "there is no column `";

/// Opens a stage: options as JSON text, input schema, host.
pub type StageOpener =
    Arc<dyn Fn(&str, SchemaRef, Arc<dyn Host>) -> Result<Opened, StageError> + Send + Sync>;

/// The stages, sources, sinks and formats at hand. The daemon has one; the engine knows none by name.
pub trait Catalog {
    /// The stage that YAML calls `name`.
    fn stage(&self, name: &str) -> Option<StageOpener>;

    /// All stages at hand.
    fn stage_names(&self) -> Vec<String>;

    /// All kinds of source.
    fn source_kinds(&self) -> Vec<String>;

    /// Checks the options of a source of a known kind, without touching what they name.
    fn check_source(&self, kind: &str, options: &Node) -> Result<(), Vec<Diagnostic>>;

    /// Checks what stands under `format:`.
    fn check_format(&self, options: &Node) -> Result<(), Vec<Diagnostic>>;

    /// All kinds of sink.
    fn sink_kinds(&self) -> Vec<String>;

    /// Checks the options of a sink of a known kind, without touching what they name. `schema` is what
    /// reaches it.
    fn check_sink(&self, kind: &str, options: &Node, schema: &SchemaRef) -> Result<(), Vec<Diagnostic>>;

    /// Checks the name of a time zone; the engine knows none.
    ///
    /// # Errors
    /// Says what is wrong with it.
    fn check_timezone(&self, name: &str) -> Result<(), String>;
}

/// For whom a host is needed while planning.
#[derive(Clone, Copy, Debug)]
pub struct StagePlace<'a> {
    /// Name of the pipeline.
    pub pipeline: &'a str,
    /// Name of the stage in it.
    pub stage: &'a str,
    /// The pipeline's time zone.
    pub timezone: &'a str,
    /// The reference tables that the pipeline declares.
    pub tables: &'a BTreeMap<String, Table>,
}

/// A stage that was opened once and can be opened again.
#[derive(Clone)]
pub struct PlannedStage {
    /// Name, unique in the pipeline; state and refused rows carry it.
    pub name: String,
    /// The word in YAML.
    pub kind: String,
    /// Options as JSON; may hold secrets.
    pub options: String,
    /// Opens it.
    pub opener: StageOpener,
    /// What it is given.
    pub input: SchemaRef,
    /// What it gives.
    pub output: SchemaRef,
}

impl PlannedStage {
    /// Opens a fresh stage.
    ///
    /// # Errors
    /// What the stage says, or that it answers otherwise than when it was planned.
    pub fn open(&self, host: Arc<dyn Host>) -> Result<Opened, StageError> {
        let opened = (self.opener)(&self.options, self.input.clone(), host)?;
        if opened.output != self.output {
            let message = format!("stage `{}` gives other columns now than when it was planned", self.name);
            return Err(StageError::new(message));
        }
        Ok(opened)
    }
}

/// Without the options, which may hold secrets.
impl fmt::Debug for PlannedStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedStage")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A sink that was checked.
#[derive(Clone, Debug)]
pub struct PlannedSink {
    /// Name, unique in the pipeline; its progress is kept under it.
    pub name: String,
    /// The word in YAML.
    pub kind: String,
    /// Its options, without `name`.
    pub options: Node,
}

/// A checked pipeline.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the pipeline.
    pub name: String,
    /// The pipeline file.
    pub path: PathBuf,
    /// The fields of the records.
    pub record: Arc<RecordSchema>,
    /// Language of receipts and findings.
    pub language: Language,
    /// IANA name of the time zone of dates and working days.
    pub timezone: String,
    /// Kind and options of the source.
    pub source: (String, Node),
    /// How deliveries are read.
    pub format: Option<Node>,
    /// In the order in which a batch goes through them.
    pub stages: Vec<PlannedStage>,
    /// In the order of the file.
    pub sinks: Vec<PlannedSink>,
    /// What reaches the sinks.
    pub output: SchemaRef,
    /// What the sender is answered.
    pub receipts: Receipts,
    /// Reference tables by name.
    pub tables: BTreeMap<String, Table>,
    /// The functions that its expressions may call, where they depend on its tables; else those of the daemon.
    pub functions: Option<Arc<Functions>>,
    /// Other codes and weights of findings.
    pub labels: Labels,
}

/// Plans a pipeline file.
///
/// Gives a plan and no diagnostics, or no plan and every mistake, in the order of the file. `hosts` makes
/// the host that a stage is opened with; it needs no state.
pub fn plan(
    path: &Path,
    files: &dyn Files,
    env: &dyn Fn(&str) -> Option<String>,
    catalog: &dyn Catalog,
    hosts: &dyn Fn(&StagePlace<'_>) -> Arc<dyn Host>,
) -> (Option<Plan>, Vec<Diagnostic>) {
    let (draft, problems) = Draft::read(path, files, env);
    let Some(draft) = draft else { return (None, tidy(problems)) };
    let certain = draft.record_whole;
    let mut planner = Planner { catalog, hosts, problems, schema: draft.record.to_arrow(), certain };
    planner.surroundings(&draft);
    let stages = draft.stages.iter().filter_map(|stage| planner.stage(&draft, stage)).collect();
    let sinks = draft.sinks.iter().map(|sink| planner.sink(sink)).collect();
    let (problems, output) = (tidy(planner.problems), planner.schema);
    let (true, Some(source)) = (problems.is_empty(), draft.source) else { return (None, problems) };
    let plan = Plan {
        name: draft.name,
        path: path.to_owned(),
        record: Arc::new(draft.record),
        language: draft.language,
        timezone: draft.timezone,
        source: (source.kind, source.options),
        format: draft.format,
        stages,
        sinks,
        output,
        receipts: draft.receipts,
        tables: draft.tables,
        functions: None,
        labels: draft.labels,
    };
    (Some(plan), problems)
}

struct Planner<'a> {
    catalog: &'a dyn Catalog,
    hosts: &'a dyn Fn(&StagePlace<'_>) -> Arc<dyn Host>,
    problems: Vec<Diagnostic>,
    /// What the last stage gives.
    schema: SchemaRef,
    /// Whether it is known what the last stage gives.
    certain: bool,
}

impl Planner<'_> {
    /// Source, format and time zone.
    fn surroundings(&mut self, draft: &Draft) {
        if let Some(span) = &draft.timezone_span
            && let Err(message) = self.catalog.check_timezone(&draft.timezone)
        {
            self.problems.push(Diagnostic::new(span, message));
        }
        if let Some(source) = &draft.source {
            let kinds = self.catalog.source_kinds();
            if self.knows("source", source, &kinds)
                && let Err(found) = self.catalog.check_source(&source.kind, &source.options)
            {
                self.problems.extend(found);
            }
        }
        if let Some(Err(found)) = draft.format.as_ref().map(|format| self.catalog.check_format(format)) {
            self.problems.extend(found);
        }
    }

    fn knows(&mut self, what: &str, choice: &Choice, kinds: &[String]) -> bool {
        let known = kinds.contains(&choice.kind);
        if !known {
            let mut kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
            kinds.sort_unstable();
            let message = format!("there is no {what} `{}`", choice.kind);
            let help = suggestion(&choice.kind, kinds.iter().copied());
            self.problems.push(Diagnostic::new(&choice.kind_span, message).with_maybe_help(help));
        }
        known
    }

    fn stage(&mut self, draft: &Draft, stage: &Choice) -> Option<PlannedStage> {
        let Some(opener) = self.catalog.stage(&stage.kind) else {
            let names = self.catalog.stage_names();
            self.knows("stage", stage, &names);
            self.certain = false;
            return None;
        };
        let (timezone, tables) = (&*draft.timezone, &draft.tables);
        let host = (self.hosts)(&StagePlace { pipeline: &draft.name, stage: &stage.name, timezone, tables });
        let options = stage.options.to_json().to_string();
        let input = self.schema.clone();
        match opener(&options, input.clone(), host) {
            Ok(opened) => {
                self.output(stage, &opened.output);
                self.schema = opened.output.clone();
                let (name, kind) = (stage.name.clone(), stage.kind.clone());
                Some(PlannedStage { name, kind, options, opener, input, output: opened.output })
            }
            Err(error) => {
                for problem in &error.problems {
                    self.complain(stage, problem);
                }
                self.certain = false;
                None
            }
        }
    }

    /// A stage's complaint about its options, at the option it speaks of.
    fn complain(&mut self, stage: &Choice, problem: &Problem) {
        if !self.certain && problem.message.contains(MISSING_COLUMN) {
            return;
        }
        let (message, help, to_key) = reword(&stage.options.without_secrets(&problem.message));
        let span = match &*problem.path {
            "" => stage.kind_span.clone(),
            path => narrow(stage.options.locate(path, to_key), &message),
        };
        let message =
            if problem.path.is_empty() { format!("stage `{}`: {message}", stage.name) } else { message };
        self.problems.push(Diagnostic::new(&span, message).with_maybe_help(help));
    }

    /// Checks what a stage promises to give.
    fn output(&mut self, stage: &Choice, schema: &Schema) {
        let mut names = HashSet::new();
        let mut wrong = Vec::new();
        for field in &schema.fields {
            if !names.insert(field.name()) {
                wrong.push(format!("gives two columns named `{}`", field.name()));
            }
            if !is_flat(field.data_type()) {
                wrong.push(format!(
                    "gives column `{}` of type {}, which records cannot have",
                    field.name(),
                    field.data_type()
                ));
            }
        }
        for (name, kind) in [(SHEET, DataType::Utf8), (ROW, DataType::Int64), (EXTRA, DataType::Utf8)] {
            if !schema.fields.iter().any(|field| field.name() == name && *field.data_type() == kind) {
                wrong.push(format!("does not give the column `{name}` ({kind}) on, which every batch has"));
            }
        }
        self.certain &= wrong.is_empty();
        for text in wrong {
            self.problems.push(Diagnostic::new(&stage.kind_span, format!("stage `{}` {text}", stage.name)));
        }
    }

    fn sink(&mut self, sink: &Choice) -> PlannedSink {
        let kinds = self.catalog.sink_kinds();
        if self.knows("sink", sink, &kinds)
            && let Err(found) = self.catalog.check_sink(&sink.kind, &sink.options, &self.schema)
        {
            let certain = self.certain;
            self.problems
                .extend(found.into_iter().filter(|p| certain || !p.message.contains(MISSING_COLUMN)));
        }
        PlannedSink { name: sink.name.clone(), kind: sink.kind.clone(), options: sink.options.clone() }
    }
}

/// Whether a column of a record may have this type.
pub fn is_flat(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) => true,
        DataType::Boolean | DataType::Date32 => true,
        DataType::Timestamp(TimeUnit::Millisecond, Some(zone)) => &**zone == "UTC",
        DataType::List(item) => *item.data_type() == DataType::Utf8,
        _ => false,
    }
}

/// The first place, within an expression or a query, of the name that a message begins by missing.
pub fn narrow(mut span: Span, message: &str) -> Span {
    let mut quoted = message.split('`');
    let (Some("there is no column " | "there is no function " | "there is no register "), Some(name)) =
        (quoted.next(), quoted.next())
    else {
        return span;
    };
    let text = span.source.text.get(span.start..span.end).unwrap_or_default();
    let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = text.match_indices(name).map(|(at, _)| (at, at + name.len())).find(|&(start, end)| {
        !joined(text[..start].chars().next_back()) && !joined(text[end..].chars().next())
    });
    if let Some((start, end)) = found {
        (span.start, span.end) = (span.start + start, span.start + end);
    }
    span
}

/// A stage's message in the words of the other diagnostics, the help taken out of it, and whether it
/// speaks of a key rather than of its value.
fn reword(message: &str) -> (String, Option<String>, bool) {
    if let Some((message, help)) = message.rsplit_once("; did you mean ") {
        return (message.to_owned(), Some(format!("did you mean {help}")), false);
    }
    // serde: "unknown field `x`, expected one of `a`, `b`".
    let mut quoted = message.split('`').skip(1).step_by(2);
    let words = |quoted: std::iter::StepBy<std::iter::Skip<std::str::Split<'_, char>>>, word: &str| {
        suggestion(word, quoted.collect::<Vec<_>>().iter().copied())
    };
    match (message.split_once(" `").map(|(start, _)| start), quoted.next()) {
        (Some("unknown field"), Some(word)) => {
            (format!("unknown key `{word}`"), words(quoted.clone(), word), true)
        }
        (Some("unknown variant"), Some(word)) => {
            (format!("`{word}` is not known here"), words(quoted.clone(), word), false)
        }
        (Some("missing field"), Some(word)) => (format!("the key `{word}` is missing"), None, false),
        _ => match message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
            Some((found, "a string")) => {
                let help =
                    (found != "null" && !found.starts_with(['m', 's'])).then(|| "put it in quotes".into());
                (format!("a text is needed here, not {found}"), help, false)
            }
            Some((found, wanted)) => (format!("{wanted} is needed here, not {found}"), None, false),
            None => (message.to_owned(), None, false),
        },
    }
}

#[cfg(test)]
mod tests;
