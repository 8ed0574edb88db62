//! A YAML document as a tree in which every key and value knows its place in the file.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Span};

/// A value of a configuration file and where it stands.
#[derive(Clone)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
    /// For a text with something put in for `${…}`: the text as it was written. Shown instead of the value.
    pub(crate) written: Option<Arc<str>>,
}

/// What a [`Node`] can be.
#[derive(Clone)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The entries of a mapping; nothing counts as an empty one.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null => Some(&[]),
            _ => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let Value::Map(entries) = &mut self.value else { return None };
        entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// A diagnostic about this value. Secrets under it are taken out of the message.
    pub fn problem(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(&self.span, self.without_secrets(&message.into()))
    }

    /// An empty mapping that stands at `span`.
    pub fn empty(span: &Span) -> Self {
        Self { span: span.clone(), value: Value::Map(Vec::new()), written: None }
    }

    /// As JSON, secrets included: for a stage, not for people.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Str(text) => text.as_str().into(),
            Value::Seq(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|e| (e.key.clone(), e.value.to_json())).collect())
            }
        }
    }

    /// Where a path such as `rules[0].check` leads: the span of the value (or, if `to_key`, of its key),
    /// or of the last step that exists.
    pub fn locate(&self, path: &str, to_key: bool) -> Span {
        let (mut at, mut span, mut rest) = (self, &self.span, path);
        while !rest.is_empty() {
            let Some((next, next_span, tail)) = at.step(rest) else { break };
            rest = tail.strip_prefix('.').unwrap_or(tail);
            span = if rest.is_empty() && to_key { next_span } else { &next.span };
            at = next;
        }
        span.clone()
    }

    /// Follows the first step of a path. Keys may hold dots: the longest key that fits is taken.
    fn step<'a, 'p>(&'a self, path: &'p str) -> Option<(&'a Node, &'a Span, &'p str)> {
        match &self.value {
            Value::Map(entries) => entries
                .iter()
                .filter_map(|entry| {
                    let tail = path.strip_prefix(&*entry.key)?;
                    let ends = tail.is_empty() || tail.starts_with(['.', '[']);
                    ends.then_some((&entry.value, &entry.key_span, tail))
                })
                .min_by_key(|(_, _, tail)| tail.len()),
            Value::Seq(items) => {
                let (index, tail) = path.strip_prefix('[')?.split_once(']')?;
                let item = items.get(index.parse::<usize>().ok()?)?;
                Some((item, &item.span, tail))
            }
            _ => None,
        }
    }

    /// Puts what was written in the place of secrets in a text made from this node.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.each(&mut |node| {
            let (Value::Str(secret), Some(written)) = (&node.value, &node.written) else { return };
            if secret.is_empty() {
                return;
            }
            let escaped = format!("{secret:?}");
            for form in [&escaped[1..escaped.len() - 1], secret] {
                text = text.replace(form, written);
            }
        });
        text
    }

    fn each(&self, visit: &mut impl FnMut(&Node)) {
        visit(self);
        match &self.value {
            Value::Seq(items) => items.iter().for_each(|item| item.each(visit)),
            Value::Map(entries) => entries.iter().for_each(|entry| entry.value.each(visit)),
            _ => {}
        }
    }

    /// What it is, for a message: "the text `abc`". Never a secret.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Int(value) => format!("the number `{value}`"),
            Value::Float(value) => format!("the number `{value}`"),
            Value::Str(text) => {
                let text = self.written.as_deref().unwrap_or(text);
                let short: String = text.chars().take(40).collect();
                format!("the text `{short}{}`", if short.len() < text.len() { "…" } else { "" })
            }
            Value::Seq(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
        }
    }
}

/// As it was written: secrets are not shown.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) => value.fmt(f),
            Value::Float(value) => value.fmt(f),
            Value::Str(text) => fmt::Debug::fmt(self.written.as_deref().unwrap_or(text), f),
            Value::Seq(items) => f.debug_list().entries(items).finish(),
            Value::Map(entries) => f.debug_map().entries(entries.iter().map(|e| (&e.key, &e.value))).finish(),
        }
    }
}
