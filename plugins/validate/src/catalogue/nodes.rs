//! V01: what a report of a node must hold (domain.md section 4).
//!
//! A row reports a node when `when` is true of it, or else when the day of the node is filled in. Contents are asked for
//! in columns that the sender's table has; `whole: true` asks for all of them, for forms that are made for one node.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::HashSet;
use huiliu_stage::{Findings, Formula, Host, Problem, StageError, Text, column_index};
use serde::Deserialize;

use super::{CatalogueOptions, Check, Sight};
use crate::constraints::missing;
use crate::options::Options;
use crate::tell::{Kind, Note};

/// A node and what its report must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeOptions {
    /// What people call it.
    pub label: String,
    /// SQL that is true for a row that reports it.
    pub when: String,
    /// Fields that must be filled in; `a|b`: one of them.
    pub contents: Vec<String>,
    /// Whether fields are asked for whose columns the table lacks.
    #[serde(default)]
    pub whole: bool,
}

/// The profile of all nodes.
pub(super) struct Nodes(Vec<Node>);

struct Node {
    label: String,
    when: Formula,
    contents: Vec<Content>,
    whole: bool,
}

struct Content {
    /// Names and places of the fields of which one is enough.
    either: Vec<(String, usize)>,
    note: Note,
}

impl Nodes {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
        host: &dyn Host,
        problems: &mut Vec<Problem>,
    ) -> Option<Box<dyn Check>> {
        let mut all = Vec::new();
        for (at, node) in own.nodes.iter().enumerate() {
            let mut wrong = |key: &str, message| {
                problems.push(Problem { path: format!("catalogue.nodes[{at}].{key}"), message })
            };
            let when = match Formula::compile(host, &node.when, schema) {
                Ok(when) if when.data_type() == DataType::Boolean => Some(when),
                Ok(_) => {
                    wrong("when", "a condition (true or false) is needed".to_owned());
                    None
                }
                Err(error) => {
                    wrong("when", error.to_string());
                    None
                }
            };
            let mut contents = Vec::new();
            for (number, content) in node.contents.iter().enumerate() {
                let found: Result<Vec<_>, StageError> = content
                    .split('|')
                    .map(|name| {
                        column_index(schema, name.trim()).map(|column| (name.trim().to_owned(), column))
                    })
                    .collect();
                match found {
                    Err(error) => wrong(&format!("contents[{number}]"), error.to_string()),
                    Ok(either) => {
                        let note = either
                            .first()
                            .and_then(|(_, c)| Note::new(options, schema.field(*c), Kind::Content));
                        contents.extend(note.map(|note| Content { either, note }));
                    }
                }
            }
            all.extend(when.map(|when| Node {
                label: node.label.clone(),
                when,
                contents,
                whole: node.whole,
            }));
        }
        (!all.is_empty()).then(|| Box::new(Self(all)) as Box<dyn Check>)
    }
}

impl Check for Nodes {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        self.0.iter().try_for_each(|node| node.judge(sight, findings))
    }
}

impl Node {
    fn judge(&self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let values = self.when.evaluate(sight.batch)?.values;
        let Some(claims) = values.as_boolean_opt() else { return Ok(()) };
        let claims: HashSet<usize> =
            (0..claims.len()).filter(|&at| claims.is_valid(at) && claims.value(at)).collect();
        if claims.is_empty() {
            return Ok(());
        }
        for content in &self.contents {
            // Of fields of which one is enough the first is the usual one: without its column the others may mean anything.
            if !self.whole && !content.either.first().is_some_and(|(name, _)| sight.sent(name)) {
                continue;
            }
            let mut lacking = claims.clone();
            for (_, column) in &content.either {
                let empty: HashSet<usize> = missing(sight.batch.column(*column)).into_iter().collect();
                lacking.retain(|at| empty.contains(at));
            }
            let mut lacking: Vec<usize> = lacking.into_iter().collect();
            lacking.sort_unstable();
            for row in lacking.into_iter().map(|at| sight.rows[at]) {
                if !content.either.iter().any(|(name, _)| sight.cells.has(name, row)) {
                    findings.push(content.note.about(row, self.text(&content.note.title)));
                }
            }
        }
        Ok(())
    }

    fn text(&self, title: &str) -> Text {
        let label = &self.label;
        Text::new(
            format!("填报“{label}”节点时{title}不能为空，请补填"),
            format!("a report of the node {label} needs {title}; please fill it in"),
        )
    }
}
