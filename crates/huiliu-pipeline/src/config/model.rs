//! A pipeline file, read as far as it can be understood without knowing stages, sources and sinks.
//!
//! The keys are the fields of [`Draft`]. What belongs to a stage, a source or a sink stays a [`Node`]; the
//! one who knows it reads it with [`from_node`](super::from_node).

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use huiliu_stage::RecordSchema;
use serde::Deserialize;

use super::keys::Keys;
use super::node::{Node, Value};
use super::profile::Profiles;
use super::record::read_record;
use super::typed::from_node;
use super::{Files, read};
use crate::diagnostic::{Diagnostic, Span};
use crate::labels::Labels;

/// A pipeline file.
///
/// What is wrong in it was told when it was read and has its default here.
#[derive(Debug)]
pub struct Draft {
    /// `pipeline:` the pipeline's name: lower-case letters, digits, `_` and `-`. State, ledger and output
    /// belong to the name, not to the file.
    pub name: String,
    /// `record:` the record schema: a path relative to the pipeline file, or the schema itself.
    pub record: RecordSchema,
    /// Whether all of the record schema could be read.
    pub record_whole: bool,
    /// `language:` of receipts and findings, `zh` (default) or `en`.
    pub language: Language,
    /// `timezone:` of dates and working days, an IANA name; default `Asia/Shanghai`.
    pub timezone: String,
    /// Where `timezone:` stands, if it is there.
    pub timezone_span: Option<Span>,
    /// `source:` where deliveries come from: a mapping with one key, the kind.
    pub source: Option<Choice>,
    /// `format:` how deliveries are read, if it cannot be left to the reader.
    pub format: Option<Node>,
    /// `stages:` a list; each entry is `kind: options`, or `{use: kind, name: …, with: options}`. Stages have
    /// different names: state and refused rows carry the name, which is the kind unless it is given.
    pub stages: Vec<Choice>,
    /// `sinks:` a list; each entry is `kind: options`. The option `name` is the engine's: the sink's progress is
    /// kept under it. It defaults to the kind, then `kind-2`, `kind-3` …
    pub sinks: Vec<Choice>,
    /// `receipts:` what the sender is answered.
    pub receipts: Receipts,
    /// `tables:` reference tables by name, each `{csv: path}` or `{query: SELECT …}`.
    pub tables: BTreeMap<String, Table>,
    /// `findings:` other codes and weights of findings, by their code.
    pub labels: Labels,
}

/// One of several kinds, with its options: a source, a stage, a sink.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Name, unique among its like.
    pub name: String,
    /// The kind.
    pub kind: String,
    /// Where the kind stands.
    pub kind_span: Span,
    /// The options; an empty mapping if there are none.
    pub options: Node,
}

/// The language of receipts and findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// Chinese.
    #[default]
    #[serde(rename = "zh")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The word in YAML, as `huiliu_stage::Text::in_language` takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }
}

/// What the sender of a delivery is answered. `receipts: json` is short for `{xlsx: false}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receipts {
    /// How many findings are shown, at most; all are counted. Default 1000.
    pub findings: usize,
    /// Whether what was sent is sent back as XLSX with the bad cells marked. Default true.
    pub xlsx: bool,
    /// Whether a JSON receipt is written. Default true.
    pub json: bool,
    /// Where receipts go, such as `outbox/{department}`; the source has a default.
    pub path: Option<PathBuf>,
}

impl Default for Receipts {
    fn default() -> Self {
        Self { findings: 1000, xlsx: true, json: true, path: None }
    }
}

/// A reference table: of a file, or of what a query to the register gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The CSV file it is read from, relative to the pipeline file; empty for a table by `query`.
    #[serde(default)]
    pub csv: PathBuf,
    /// `SELECT` over registers, asked anew whenever a stage asks for the table.
    #[serde(default)]
    pub query: Option<String>,
    /// Whether it is empty while none of the pipelines at hand fills a register that the query asks; else that is a
    /// mistake.
    #[serde(default)]
    pub optional: bool,
    /// Where the table stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

const KEYS: &[&str] = &[
    "pipeline", "record", "language", "timezone", "source", "format", "stages", "sinks", "receipts",
    "tables", "findings",
];

impl Draft {
    /// Reads a pipeline file and its record schema.
    ///
    /// The draft is `None` only if the file is not a mapping; else every mistake is told, and what is left
    /// is there to be checked further.
    pub fn read(
        path: &Path,
        files: &dyn Files,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> (Option<Self>, Vec<Diagnostic>) {
        let (node, mut problems) = read(path, files, env);
        let Some(mut node) = node else { return (None, problems) };
        if let Some(stages) = node.get_mut("stages") {
            let folder = path.parent().unwrap_or(Path::new(""));
            Profiles { files, env }.fill(stages, folder, &mut problems);
        }
        let mut keys = Keys::of(&node, KEYS, &mut problems);
        if node.entries().is_none() {
            return (None, problems);
        }
        let name = keys.needed("pipeline").map(|node| name_of(node, keys.problems)).unwrap_or_default();
        let language = keys.typed("language", Language::default());
        let timezone = keys.typed("timezone", "Asia/Shanghai".to_owned());
        let timezone_span = keys.node("timezone").map(|node| node.span.clone());
        let format = keys.node("format").cloned();
        let source = keys.needed("source").and_then(|node| choice(node, "source", keys.problems));
        let record = keys.needed("record").map(|node| record(node, path, files, env, keys.problems));
        let (record, record_whole) = record.unwrap_or_default();
        let stages = keys.node("stages").map(|node| stages(node, keys.problems)).unwrap_or_default();
        let sinks = keys.needed("sinks").map(|node| sinks(node, keys.problems)).unwrap_or_default();
        let receipts = keys.node("receipts").map(|node| receipts(node, keys.problems)).unwrap_or_default();
        let tables = keys.node("tables").map(|node| tables(node, path, keys.problems)).unwrap_or_default();
        let labels = keys.typed("findings", Labels::default());
        let draft = Self {
            name,
            record,
            record_whole,
            language,
            timezone,
            timezone_span,
            source,
            format,
            stages,
            sinks,
            receipts,
            tables,
            labels,
        };
        (Some(draft), problems)
    }
}

/// A path in a pipeline file is relative to the file.
fn beside(pipeline: &Path, path: &Path) -> PathBuf {
    pipeline.parent().unwrap_or(Path::new("")).join(path)
}

/// A name that state or files are kept under.
fn name_of(node: &Node, problems: &mut Vec<Diagnostic>) -> String {
    match from_node::<String>(node) {
        Err(found) => problems.extend(found),
        Ok(name) => {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
            if (1..=64).contains(&name.len()) && name.chars().all(fits) {
                return name;
            }
            let rule = "a name has 1 to 64 lower-case letters, digits, `_` or `-`";
            problems.push(node.problem(format!("`{name}` cannot be used as a name: {rule}")));
        }
    }
    String::new()
}

/// The record schema, and whether it is whole.
fn record(
    node: &Node,
    pipeline: &Path,
    files: &dyn Files,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Diagnostic>,
) -> (RecordSchema, bool) {
    let (schema, found) = match &node.value {
        Value::Map(_) => read_record(node),
        Value::Str(file) => {
            let path = beside(pipeline, Path::new(file));
            // A file that is not there is a mistake of the one who names it.
            let text = match files.read(&path) {
                Ok(text) => text,
                Err(error) => {
                    problems.push(node.problem(format!("cannot read `{}`: {error}", path.display())));
                    return Default::default();
                }
            };
            let (tree, mut found) = read(&path, &once(path.clone(), text, files), env);
            let schema = tree.map(|tree| {
                let (schema, more) = read_record(&tree);
                found.extend(more);
                schema
            });
            (schema.unwrap_or_default(), found)
        }
        _ => {
            let message = format!("a path or a record schema is needed here, this is {}", node.describe());
            (RecordSchema::default(), vec![node.problem(message)])
        }
    };
    let whole = found.is_empty();
    problems.extend(found);
    (schema, whole)
}

/// The files, with the text of one of them at hand already.
fn once(path: PathBuf, text: String, files: &dyn Files) -> impl Files {
    move |asked: &Path| if asked == path { Ok(text.clone()) } else { files.read(asked) }
}

/// `kind: options`, `kind` alone.
fn choice(node: &Node, what: &str, problems: &mut Vec<Diagnostic>) -> Option<Choice> {
    let make = |kind: &str, span: &Span, options: Node| Choice {
        name: kind.to_owned(),
        kind: kind.to_owned(),
        kind_span: span.clone(),
        options,
    };
    match &node.value {
        Value::Str(kind) => Some(make(kind, &node.span, Node::empty(&node.span))),
        Value::Map(entries) if entries.len() == 1 => {
            let entry = &entries[0];
            let options = match entry.value.value {
                Value::Null => Node::empty(&entry.key_span),
                _ => entry.value.clone(),
            };
            Some(make(&entry.key, &entry.key_span, options))
        }
        Value::Map(entries) if entries.len() > 1 => {
            let second = &entries[1];
            let message =
                format!("a {what} is a mapping with one key, its kind; `{}` is a second one", second.key);
            let help = format!("indent it further if it is an option of `{}`", entries[0].key);
            problems.push(Diagnostic::new(&second.key_span, message).with_help(help));
            None
        }
        _ => {
            let message =
                format!("a {what} is a mapping with one key, its kind; this is {}", node.describe());
            problems.push(node.problem(message));
            None
        }
    }
}

fn list<'a>(node: &'a Node, what: &str, problems: &mut Vec<Diagnostic>) -> &'a [Node] {
    match &node.value {
        Value::Seq(items) => items,
        _ => {
            problems
                .push(node.problem(format!("a list of {what} is needed here, this is {}", node.describe())));
            &[]
        }
    }
}

fn stages(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Choice> {
    let mut names = HashSet::new();
    let mut all = Vec::new();
    for item in list(node, "stages", problems) {
        let stage = match item.get("use") {
            Some(_) => long_stage(item, problems),
            None => choice(item, "stage", problems),
        };
        let Some(stage) = stage else { continue };
        if !stage.name.is_empty() && !names.insert(stage.name.clone()) {
            let message =
                format!("two stages are named `{}`: state and refused rows carry the name", stage.name);
            let help = format!("give one a name: `{{use: {}, name: …, with: {{…}}}}`", stage.kind);
            problems.push(Diagnostic::new(&stage.kind_span, message).with_help(help));
        }
        all.push(stage);
    }
    all
}

/// `{use: kind, name: …, with: options}`.
fn long_stage(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Choice> {
    let mut keys = Keys::of(node, &["use", "name", "with"], problems);
    let used = keys.needed("use")?;
    let kind = keys.typed("use", String::new());
    let options = keys.node("with").cloned().unwrap_or_else(|| Node::empty(&used.span));
    let name = keys.node("name").map(|node| name_of(node, keys.problems));
    let (name, kind_span) = (name.unwrap_or_else(|| kind.clone()), used.span.clone());
    (!kind.is_empty()).then_some(Choice { name, kind, kind_span, options })
}

fn sinks(node: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Choice> {
    let mut all: Vec<Choice> = Vec::new();
    let items = list(node, "sinks", problems);
    if items.is_empty() && matches!(node.value, Value::Seq(_)) {
        problems.push(node.problem("a pipeline without a sink keeps nothing"));
    }
    let mut unnamed = Vec::new();
    for item in items {
        let Some(mut sink) = choice(item, "sink", problems) else { continue };
        let mut named = None;
        if let Value::Map(entries) = &mut sink.options.value
            && let Some(at) = entries.iter().position(|entry| entry.key == "name")
        {
            named = Some(entries.remove(at).value);
        }
        match named {
            None => unnamed.push(all.len()),
            Some(node) => {
                sink.name = name_of(&node, problems);
                if !sink.name.is_empty() && all.iter().any(|other| other.name == sink.name) {
                    let message = format!(
                        "two sinks are named `{}`: each keeps its progress under its name",
                        sink.name
                    );
                    problems.push(node.problem(message));
                }
            }
        }
        all.push(sink);
    }
    number(&mut all, &unnamed);
    all
}

/// Names the sinks that have no name of their own: the kind, `kind-2`, `kind-3` …
fn number(sinks: &mut [Choice], unnamed: &[usize]) {
    let mut taken: HashSet<String> = sinks
        .iter()
        .enumerate()
        .filter(|(at, _)| !unnamed.contains(at))
        .map(|(_, sink)| sink.name.clone())
        .collect();
    for &at in unnamed {
        let kind = sinks[at].kind.clone();
        let names = std::iter::once(kind.clone()).chain((2..).map(|n| format!("{kind}-{n}")));
        if let Some(name) = names.into_iter().find(|name| !taken.contains(name)) {
            taken.insert(name.clone());
            sinks[at].name = name;
        }
    }
}

fn receipts(node: &Node, problems: &mut Vec<Diagnostic>) -> Receipts {
    if let Some(word) = node.as_str() {
        if word != "json" {
            let message = format!("`{word}` is not known here: `json`, or a mapping");
            problems.push(node.problem(message).with_help("`json` stands for the JSON receipt alone"));
        }
        return Receipts { xlsx: false, ..Receipts::default() };
    }
    from_node(node).unwrap_or_else(|found| {
        problems.extend(found);
        Receipts::default()
    })
}

fn tables(node: &Node, pipeline: &Path, problems: &mut Vec<Diagnostic>) -> BTreeMap<String, Table> {
    let Some(entries) = node.entries() else {
        problems.push(node.problem(format!("a mapping is needed here, this is {}", node.describe())));
        return BTreeMap::new();
    };
    let mut all = BTreeMap::new();
    for entry in entries {
        match from_node::<Table>(&entry.value) {
            Ok(table) if table.query.is_some() != table.csv.as_os_str().is_empty() => {
                let help = "write `{csv: FILE}` or `{query: SELECT …}`";
                let text = "a table comes from a file or from a query, one of the two";
                problems.push(entry.value.problem(text).with_help(help));
            }
            Ok(table) if table.optional && table.query.is_none() => {
                let text = "only a table by `query` can be `optional`: a file is there or not";
                problems.push(entry.value.problem(text));
            }
            Ok(table) => {
                let csv = if table.query.is_some() { PathBuf::new() } else { beside(pipeline, &table.csv) };
                let span = Some(entry.value.span.clone());
                all.insert(
                    entry.key.clone(),
                    Table { csv, query: table.query, optional: table.optional, span },
                );
            }
            Err(found) => problems.extend(found),
        }
    }
    all
}
