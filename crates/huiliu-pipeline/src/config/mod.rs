//! Configuration files: from YAML to checked values, with the place of every mistake.
//!
//! [`read`] turns a file into a tree of [`Node`]s that know where they stand; [`from_node`] turns a part of
//! the tree into a Rust type and tells all mistakes in it. [`Draft`] is a pipeline file and
//! [`read_record`] a record schema, each read as far as it can be understood without the stages, which
//! [`plan`](crate::plan::plan) adds.
//!
//! Nothing here opens a file or looks at the environment: both come in through [`Files`] and a closure.
//! What `${env:…}` and `${file:…}` put in is secret and is shown as it was written, never as it is.

mod keys;
mod model;
mod node;
mod parse;
mod profile;
mod record;
mod substitute;
mod typed;

use std::path::Path;
use std::sync::Arc;

pub use model::{Choice, Draft, Language, Receipts, Table};
pub use node::{Entry, Node, Value};
pub use parse::MAX_BYTES;
pub use record::{check_record, read_record};
pub use typed::from_node;

use crate::diagnostic::{Diagnostic, Source};

/// How the text of a file is had; a closure will do.
pub trait Files {
    /// The text of a file.
    fn read(&self, path: &Path) -> std::io::Result<String>;
}

impl<F: Fn(&Path) -> std::io::Result<String>> Files for F {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        self(path)
    }
}

/// Reads a configuration file into a tree, `${…}` filled in.
///
/// # Errors
/// The file cannot be read or is not YAML, or something to be filled in is not there. In the latter case
/// the tree is given as well: the rest of it can still be checked.
pub fn read(
    path: &Path,
    files: &dyn Files,
    env: &dyn Fn(&str) -> Option<String>,
) -> (Option<Node>, Vec<Diagnostic>) {
    let mut text = match files.read(path) {
        Ok(text) => text,
        Err(error) => return (None, vec![Diagnostic::in_file(path, format!("cannot be read: {error}"))]),
    };
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    let source = Arc::new(Source { path: path.to_owned(), text });
    let mut node = match parse::parse(&source) {
        Ok(node) => node,
        Err(problem) => return (None, vec![problem]),
    };
    let mut problems = Vec::new();
    let folder = path.parent().unwrap_or(Path::new(""));
    substitute::Substitutes { env, files, folder }.fill(&mut node, &mut problems);
    (Some(node), problems)
}
