//! Links rows to the files of a package that was read before: rows that come back, with cells that may have been mended.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use huiliu_stage::{Finding, ROW, RecordSchema};

use super::Link;
use super::link::Linker;
use crate::read::options::FormatOptions;

/// The files of a package by their names.
pub struct Relinker(Linker);

impl Relinker {
    /// For the files with these paths.
    pub fn new<'a>(
        options: &FormatOptions,
        record: Option<&RecordSchema>,
        paths: impl Iterator<Item = &'a str>,
    ) -> Self {
        let paths: Vec<&str> = paths.collect();
        let attachments = !paths.is_empty();
        Self(Linker::new(options, record, paths.into_iter(), attachments))
    }

    /// Links the row at a place of a batch and adds what is to be said about it, as when it was read first.
    pub fn link(&mut self, batch: &RecordBatch, at: usize, findings: &mut Vec<Finding>) -> Vec<Link> {
        let rows = batch.column_by_name(ROW).and_then(|rows| rows.as_primitive_opt::<Int64Type>());
        let Some(rows) = rows.filter(|_| at < batch.num_rows()) else { return Vec::new() };
        let before = self.0.links().len();
        self.0.link_row(batch, at, rows.value(at), findings);
        self.0.links().get(before..).unwrap_or_default().to_vec()
    }

    /// The place of the only file that a name leads to.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.0.only(name)
    }
}
