//! Reading a mapping key by key, so that a mistake under one key does not hide those under the others.

use serde::de::DeserializeOwned;

use super::node::Node;
use super::typed::from_node;
use crate::diagnostic::{Diagnostic, suggestion, was_mistyped};

/// A mapping being read.
pub(super) struct Keys<'a, 'p> {
    pub(super) node: &'a Node,
    pub(super) problems: &'p mut Vec<Diagnostic>,
}

impl<'a, 'p> Keys<'a, 'p> {
    /// Checks that `node` is a mapping with none but these keys.
    pub(super) fn of(node: &'a Node, known: &[&str], problems: &'p mut Vec<Diagnostic>) -> Self {
        match node.entries() {
            None => {
                problems.push(node.problem(format!("a mapping is needed here, this is {}", node.describe())))
            }
            Some(entries) => {
                for entry in entries.iter().filter(|entry| !known.contains(&&*entry.key)) {
                    let help = suggestion(&entry.key, known.iter().copied());
                    let message = format!("unknown key `{}`", entry.key);
                    problems.push(Diagnostic::new(&entry.key_span, message).with_maybe_help(help));
                }
            }
        }
        Self { node, problems }
    }

    /// The value under a key, if it is there and not null.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|node| !matches!(node.value, super::Value::Null))
    }

    /// The value under a key that must be there.
    pub(super) fn needed(&mut self, key: &str) -> Option<&'a Node> {
        let found = self.node(key);
        if found.is_none() && self.node.entries().is_some() && !was_mistyped(key, self.problems) {
            let at = self.node.get(key).unwrap_or(self.node);
            self.problems.push(at.problem(format!("the key `{key}` is missing or empty")));
        }
        found
    }

    /// A typed value; the default when the key is absent or wrong.
    pub(super) fn typed<T: DeserializeOwned>(&mut self, key: &str, default: T) -> T {
        let Some(node) = self.node(key) else { return default };
        match from_node(node) {
            Ok(value) => value,
            Err(found) => {
                self.problems.extend(found);
                default
            }
        }
    }
}
