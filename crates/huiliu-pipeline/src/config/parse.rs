//! From the text of a YAML file to a [`Node`] tree.
//!
//! Size, depth, number of nodes and what aliases unfold to are bounded before anything is built.
//! `yes`, `no`, `on`, `007` and `1_000` are texts, as in YAML 1.2.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::{Spanned, alias_limits, budget, options};

use super::node::{Entry, Node, Value};
use crate::diagnostic::{Diagnostic, Source, Span};

/// Largest configuration file.
pub const MAX_BYTES: usize = 1 << 20;
const MAX_DEPTH: usize = 48;
const MAX_NODES: usize = 100_000;
const TOO_DEEP: &str = "this is nested too deeply";
const TOO_MANY_ALIASES: &str = "the aliases (`*name`) of this file unfold to too much";

/// Parses one YAML document.
pub(super) fn parse(source: &Arc<Source>) -> Result<Node, Diagnostic> {
    let text = &source.text;
    let whole = Span { source: source.clone(), start: 0, end: 0 };
    if text.len() > MAX_BYTES {
        let message =
            format!("the file is larger than {MAX_BYTES} bytes, the most a configuration file may have");
        return Err(Diagnostic::new(&whole, message));
    }
    let limits = options! {
        budget: budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: MAX_NODES,
            max_recorded_anchor_bytes: 4 * MAX_BYTES,
        },
        alias_limits: alias_limits! { max_total_replayed_events: MAX_NODES },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        emit_comments: false,
        with_snippet: false,
    };
    match serde_yaml::from_str_with_options::<Raw>(text, limits) {
        Ok(raw) => Ok(raw.place(source)),
        Err(error) => Err(explain(&error, whole)),
    }
}

/// A parser's error in our words, at its place.
fn explain(error: &serde_yaml::Error, whole: Span) -> Diagnostic {
    use serde_yaml::Error;
    let mut error = error.without_snippet();
    while let Error::AliasError { error: inner, .. } = error {
        error = inner.without_snippet();
    }
    let mut span = whole;
    if let Some(place) = error.location() {
        (span.start, span.end) = bytes(&place);
        if place.span().byte_offset().is_none() {
            span.start = offset_of(&span.source.text, place.line(), place.column());
            span.end = span.start;
        }
    }
    let text = &span.source.text;
    let before = text.get(..span.start).unwrap_or(text);
    let indent = text[before.rfind('\n').map_or(0, |i| i + 1)..].lines().next().unwrap_or_default();
    let tab = indent[..indent.len() - indent.trim_start().len()].contains('\t');
    match error {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            Diagnostic::new(&span, format!("the key `{key}` stands here twice"))
        }
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Diagnostic::new(&span, TOO_MANY_ALIASES),
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => Diagnostic::new(&span, TOO_DEEP),
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
                Diagnostic::new(&span, format!("the file has more than {MAX_NODES} values"))
            }
            _ => Diagnostic::new(&span, TOO_MANY_ALIASES),
        },
        Error::MultipleDocuments { .. } => {
            Diagnostic::new(&span, "a configuration file holds one document only")
        }
        _ if tab => {
            Diagnostic::new(&span, "this line is indented with a tab").with_help("indent with spaces")
        }
        other => {
            let text = other.to_string();
            let text = text.rsplit_once(" at line ").map_or(&*text, |(message, _)| message);
            match text.contains("recursion limit") {
                true => Diagnostic::new(&span, TOO_DEEP),
                false => Diagnostic::new(&span, format!("this is not YAML: {text}")),
            }
        }
    }
}

fn bytes(place: &serde_yaml::Location) -> (usize, usize) {
    let span = place.span();
    let start = span.byte_offset().unwrap_or_default() as usize;
    (start, start + span.byte_len().unwrap_or_default() as usize)
}

/// Byte offset of a line and column, both from 1.
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let mut start = 0;
    for _ in 1..line {
        start = text[start..].find('\n').map_or(text.len(), |i| start + i + 1);
    }
    let skip = usize::try_from(column.saturating_sub(1)).unwrap_or_default();
    text[start..].char_indices().nth(skip).map_or(text.len(), |(i, _)| start + i)
}

/// A node as the parser gives it, before it knows its file.
struct Raw {
    start: usize,
    end: usize,
    value: RawValue,
}

enum RawValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(String),
    Seq(Vec<Raw>),
    Map(Vec<(Spanned<String>, Raw)>),
}

impl Raw {
    fn place(self, source: &Arc<Source>) -> Node {
        let (start, mut end) = (self.start, self.end);
        let value = match self.value {
            RawValue::Null => Value::Null,
            RawValue::Bool(value) => Value::Bool(value),
            RawValue::Int(value) => Value::Int(value),
            RawValue::Float(value) => Value::Float(value),
            RawValue::Str(text) => Value::Str(text),
            RawValue::Seq(items) => Value::Seq(items.into_iter().map(|item| item.place(source)).collect()),
            RawValue::Map(entries) => {
                let place = |(key, value): (Spanned<String>, Raw)| {
                    let (start, end) = bytes(&key.defined);
                    let key_span = Span { source: source.clone(), start, end };
                    Entry { key: key.value, key_span, value: value.place(source) }
                };
                Value::Map(entries.into_iter().map(place).collect())
            }
        };
        // The parser knows where a collection begins, but not where it ends.
        match &value {
            Value::Seq(items) => end = items.iter().map(|item| item.span.end).fold(end, usize::max),
            Value::Map(entries) => {
                end = entries.iter().map(|entry| entry.value.span.end).fold(end, usize::max)
            }
            _ => {}
        }
        Node { span: Span { source: source.clone(), start, end }, value, written: None }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<RawValue>::deserialize(deserializer)?;
        let (start, end) = bytes(&spanned.defined);
        Ok(Self { start, end, value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Int(value))
    }

    /// A number too large to be kept exactly is a text, like other long strings of digits.
    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(i64::try_from(value).map_or_else(|_| RawValue::Str(value.to_string()), RawValue::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawValue, E> {
        Ok(RawValue::Str(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawValue, E> {
        Ok(RawValue::Str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(RawValue::Seq(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value::<Raw>()?;
            if entries.len() >= MAX_NODES {
                return Err(A::Error::custom("too many keys"));
            }
            entries.push((key, value));
        }
        Ok(RawValue::Map(entries))
    }
}
