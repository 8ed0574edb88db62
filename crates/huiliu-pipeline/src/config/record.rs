//! The record schema: a file of its own, or written into the pipeline file.
//!
//! Every field is read by itself, so one wrong field does not hide the others; then what no type can say
//! is checked: names, bounds, patterns, and headers that two fields lay claim to.

use std::collections::HashMap;

use huiliu_stage::{Field, FieldType, RecordSchema};

use super::keys::Keys;
use super::node::{Node, Value};
use super::typed::from_node;
use crate::diagnostic::{Diagnostic, Span};

/// Reads a record schema; with mistakes, what is left of it, so that what uses it can still be checked.
pub fn read_record(node: &Node) -> (RecordSchema, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let mut keys = Keys::of(node, &["record", "label", "fields"], &mut problems);
    let mut schema = RecordSchema::default();
    if keys.needed("record").is_some() {
        schema.record = keys.typed("record", String::new());
    }
    schema.label = keys.typed("label", String::new());
    let mut read = Vec::new();
    if let Some(fields) = keys.needed("fields") {
        match &fields.value {
            Value::Seq(items) if items.is_empty() => {
                problems.push(fields.problem("a record has at least one field"))
            }
            Value::Seq(items) => {
                for item in items {
                    match from_node::<Field>(item) {
                        Ok(field) => read.push((field, item)),
                        Err(found) => problems.extend(found),
                    }
                }
            }
            _ => problems.push(
                fields.problem(format!("a list of fields is needed here, this is {}", fields.describe())),
            ),
        }
    }
    check(&read, &mut problems);
    schema.fields = read.into_iter().map(|(field, _)| field).collect();
    (schema, problems)
}

/// Reads a record schema.
///
/// # Errors
/// Every mistake in it.
pub fn check_record(node: &Node) -> Result<RecordSchema, Vec<Diagnostic>> {
    let (schema, problems) = read_record(node);
    if problems.is_empty() { Ok(schema) } else { Err(problems) }
}

fn check(fields: &[(Field, &Node)], problems: &mut Vec<Diagnostic>) {
    let mut names: HashMap<&str, &Node> = HashMap::new();
    // Header -> the field that it names.
    let mut headers: HashMap<&str, &str> = HashMap::new();
    for (field, node) in fields {
        let mut say = |at: &Span, message: String| problems.push(Diagnostic::new(at, message));
        let name_at = node.locate("name", false);
        if !is_column_name(&field.name) {
            let rule =
                "begins with a letter; lower-case letters, digits and `_` follow; at most 63 characters";
            say(&name_at, format!("`{}` is not a field name: it {rule}", field.name));
        }
        if names.insert(&field.name, node).is_some() {
            say(&name_at, format!("two fields are named `{}`", field.name));
            continue;
        }
        check_bounds(field, node, &mut say);
        if let Some(pattern) = &field.pattern
            && let Err(error) = regex::Regex::new(pattern)
        {
            let cause = error.to_string();
            let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ");
            say(&node.locate("pattern", false), format!("`pattern` is not a regular expression: {cause}"));
        }
        let aliases = field.aliases.iter().enumerate().map(|(i, alias)| (&**alias, format!("aliases[{i}]")));
        let own = [(&*field.name, "name".to_owned()), (&*field.label, "label".to_owned())];
        for (header, path) in own.into_iter().chain(aliases).filter(|(header, _)| !header.trim().is_empty()) {
            match headers.insert(header.trim(), &field.name) {
                Some(other) if other != field.name => {
                    let message = format!("the header `{header}` names field `{other}` already");
                    say(&node.locate(&path, false), message);
                }
                _ => {}
            }
        }
    }
}

fn check_bounds(field: &Field, node: &Node, say: &mut impl FnMut(&Span, String)) {
    use FieldType::{Boolean, Date, Integer, List, Money, Number, Text, Timestamp};
    let numeric = matches!(field.kind, Integer | Number | Money);
    let textual = matches!(field.kind, Text | List);
    let kind = match field.kind {
        Text => "text",
        Integer => "integer",
        Number => "number",
        Money => "money",
        Date => "date",
        Boolean => "boolean",
        List => "list",
        Timestamp => "timestamp",
    };
    let set = [
        ("min", field.min.is_some(), numeric),
        ("max", field.max.is_some(), numeric),
        ("min_length", field.min_length.is_some(), textual),
        ("max_length", field.max_length.is_some(), textual),
        ("pattern", field.pattern.is_some(), textual),
        ("enum", !field.values.is_empty(), textual),
    ];
    for (key, is_set, fits) in set {
        if is_set && !fits {
            say(&node.locate(key, true), format!("`{key}` means nothing for a field of type `{kind}`"));
        }
    }
    if let (Some(min), Some(max)) = (field.min, field.max)
        && min > max
    {
        say(
            &node.locate("min", false),
            format!("`min` ({min}) is greater than `max` ({max}): no value can pass"),
        );
    }
    if let (Some(min), Some(max)) = (field.min_length, field.max_length)
        && min > max
    {
        let message = format!("`min_length` ({min}) is greater than `max_length` ({max}): no value can pass");
        say(&node.locate("min_length", false), message);
    }
}

fn is_column_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 63
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
