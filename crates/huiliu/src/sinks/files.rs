//! Sinks that write one file for each delivery: what they have in common.
//!
//! A format says how a file is begun ([`FileSink::new`] takes a function for it) and how batches go into it ([`Rows`]). Here is
//! the rest: a delivery without rows leaves no file, any other one file of a name of its own, which appears whole.

use std::io::Write;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use huiliu_pipeline::ports::{Batches, LedgerEntry, Sink, SinkError, Stream};

use super::file::{WholeFile, delivery_file, failed};
use super::{Place, Take};

/// The rows of one delivery on their way into a file.
pub(super) trait Rows {
    /// Adds a batch.
    fn add(&mut self, batch: &RecordBatch) -> Result<(), String>;

    /// Ends the file's content.
    fn end(self: Box<Self>) -> Result<WholeFile, String>;
}

type Begin = Box<dyn Fn(WholeFile) -> Result<Box<dyn Rows>, String> + Send>;

/// The open sink.
pub(crate) struct FileSink {
    folder: PathBuf,
    extension: &'static str,
    take: Take,
    begin: Begin,
}

impl FileSink {
    /// A sink that writes files with this extension below `path`.
    pub(super) fn new(
        place: &Place<'_>,
        path: &str,
        extension: &'static str,
        take: Take,
        begin: impl Fn(WholeFile) -> Result<Box<dyn Rows>, String> + Send + 'static,
    ) -> Self {
        Self { folder: place.data.join(path), extension, take, begin: Box::new(begin) }
    }
}

impl Sink for FileSink {
    fn stream(&self) -> Stream {
        self.take.stream()
    }

    fn deliver(&mut self, entry: &LedgerEntry, batches: Batches<'_>) -> Result<(), SinkError> {
        let mut batches = batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let path = delivery_file(&self.folder, entry, self.extension);
        let wrong = |error: &dyn std::fmt::Display| failed(&path, error);
        let file = WholeFile::create(&path).map_err(|error| wrong(&error))?;
        let mut rows = (self.begin)(file).map_err(|why| wrong(&why))?;
        for batch in batches {
            let batch = batch.map_err(|error| wrong(&error))?;
            rows.add(&batch).map_err(|why| wrong(&why))?;
        }
        rows.end().map_err(|why| wrong(&why))?.finish().map_err(|error| wrong(&error))
    }
}

/// Rows as bytes, one batch after the other. `encode` puts a batch behind what is in the buffer.
pub(super) struct Encoded<E> {
    file: WholeFile,
    buffer: Vec<u8>,
    encode: E,
}

impl<E: FnMut(&RecordBatch, &mut Vec<u8>) -> Result<(), String>> Encoded<E> {
    /// Begins with `head`.
    pub(super) fn new(file: WholeFile, head: Vec<u8>, encode: E) -> Self {
        Self { file, buffer: head, encode }
    }
}

impl<E: FnMut(&RecordBatch, &mut Vec<u8>) -> Result<(), String>> Rows for Encoded<E> {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), String> {
        (self.encode)(batch, &mut self.buffer)?;
        self.file.write_all(&self.buffer).map_err(|error| error.to_string())?;
        self.buffer.clear();
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<WholeFile, String> {
        Ok(self.file)
    }
}
