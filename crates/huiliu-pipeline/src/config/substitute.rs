//! `${env:NAME}` and `${file:PATH}` in texts.
//!
//! Done after parsing and in values only, so what is put in can never become a key, a list or another
//! `${…}`. What was put in is a secret: the node remembers what was written, and shows that. `$${env:`
//! stands for `${env:` itself; any other `${` is left alone (SQL and regular expressions have uses for it).

use std::path::Path;

use super::Files;
use super::node::{Node, Value};
use crate::diagnostic::Diagnostic;

const MAX_BYTES: usize = 1 << 20;

/// Where what is put in comes from.
pub(super) struct Substitutes<'a> {
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    pub(super) files: &'a dyn Files,
    /// Folder that paths are relative to.
    pub(super) folder: &'a Path,
}

impl Substitutes<'_> {
    /// Fills in every text under a node; what cannot be filled in is told and left as written.
    pub(super) fn fill(&self, node: &mut Node, problems: &mut Vec<Diagnostic>) {
        match &mut node.value {
            Value::Str(text) if text.contains("${env:") || text.contains("${file:") => {
                match self.expand(text) {
                    Ok(Some(filled)) => {
                        let written = std::mem::replace(text, filled);
                        node.written = Some(written.into());
                    }
                    Ok(None) => *text = text.replace("$${", "${"),
                    Err(message) => problems.push(Diagnostic::new(&node.span, message).ruling_out_the_rest()),
                }
            }
            Value::Seq(items) => items.iter_mut().for_each(|item| self.fill(item, problems)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| self.fill(&mut entry.value, problems)),
            _ => {}
        }
    }

    /// `None` if there was nothing to fill in.
    fn expand(&self, text: &str) -> Result<Option<String>, String> {
        let (mut out, mut rest, mut filled) = (String::new(), text, false);
        while let Some(at) = rest.find("${") {
            let (before, tail) = rest.split_at(at);
            let Some(kind) = ["${env:", "${file:"].into_iter().find(|kind| tail.starts_with(kind)) else {
                out += before;
                out += "${";
                rest = &tail[2..];
                continue;
            };
            if let Some(before) = before.strip_suffix('$') {
                out += before;
                out += kind;
                rest = &tail[kind.len()..];
                continue;
            }
            let Some((name, after)) = tail[kind.len()..].split_once('}') else {
                return Err(format!("`{kind}` lacks its closing brace"));
            };
            out += before;
            out += &if kind == "${env:" { self.variable(name)? } else { self.file(name)? };
            (rest, filled) = (after, true);
        }
        out += rest;
        Ok(filled.then_some(out))
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        (self.env)(name).ok_or_else(|| format!("the environment variable `{name}` is not set"))
    }

    /// A file's text without the line break at its end.
    fn file(&self, name: &str) -> Result<String, String> {
        let path = self.folder.join(name);
        let text =
            self.files.read(&path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        if text.len() > MAX_BYTES {
            return Err(format!("`{}` is too large to be put in here", path.display()));
        }
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}
