//! From a file to typed batches, with every value's cell kept.
//!
//! [`open`] tells the kind of file by its first bytes, finds the header and names the columns; the
//! [`Reading`] it gives is an iterator of batches. A format (`csv`, `workbook`, `keyed`) turns bytes into a
//! [`chunk`](chunk::Chunk), places of cells in a text; `rows` takes out what is no data; `build` makes typed columns of
//! the rest, one cell at a time through `value`. Each cell that cannot be read becomes a null and a finding.
//!
//! Memory does not grow with a text file; of a workbook the texts that its cells share are held. Nothing here decides what becomes of
//! a bad row: that is the engine's business. To follow one cell, start at `build::Assembler::take`.

mod ahead;
mod build;
mod bundle;
#[cfg(test)]
mod chance;
mod checks;
mod chunk;
mod csv;
mod error;
mod header;
mod keyed;
mod kind;
mod merged;
mod named;
mod options;
pub(crate) mod package;
mod plan;
mod raw;
mod rows;
#[cfg(test)]
mod sheet_tests;
mod shown;
#[cfg(test)]
mod shown_tests;
mod single;
#[cfg(test)]
mod tests;
mod text;
mod unshown;
mod value;
mod workbook;
mod year;

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use huiliu_stage::{FieldType, Finding, Findings, Outcome, RecordSchema};

pub(crate) use bundle::Unpacker;
pub use bundle::{Attachment, Evidence, KeepAttachment, Link, Relinker, wrong_type};
pub use error::ReadError;
pub use options::{FormatKind, FormatOptions, Hidden, Limits, ReadOptions};
pub(crate) use shown::Shown;
pub use single::value_of;

use self::ahead::{Ahead, Feed, Rows};
use self::build::{Assembler, Unit};
use self::bundle::BundleSource;
use self::chunk::Chunk;
use self::csv::{CsvSource, TableSource};
use self::header::{Layout, Names};
use self::keyed::KeyedSource;
use self::merged::Merged;
use self::rows::RowKinds;
use self::workbook::XlsxSource;
use crate::report::{ReadReport, SheetReport};

/// Most rows of a chunk: their cells and texts stay in the processor's cache.
const CHUNK_ROWS: usize = 2048;
/// Most cells of a chunk, for sheets as wide as they can be.
const CHUNK_CELLS: usize = 1 << 20;

/// Bytes of a chunk's text after which a batch ends, however few its rows are.
const BATCH_TEXT: usize = 8 << 20;

/// Opens a file whose columns are named by a record schema.
///
/// # Errors
/// The file cannot be read, is no table, or has no header that the record schema knows.
pub fn open(path: &Path, record: &RecordSchema, options: &ReadOptions) -> Result<Reading, ReadError> {
    plan::reading(path, Some(known(record, options)), options)
}

/// A record schema with all the names of its fields.
fn known(record: &RecordSchema, options: &ReadOptions) -> (RecordSchema, Names) {
    let names = Names::new(record, options.format.dictionary).confirm(record, &options.mapping);
    (record.clone(), names)
}

/// Opens a file without a record schema: every column is text and is named by its header. Of a workbook the first
/// sheet with cells is read, or the one that the options name.
///
/// # Errors
/// The file cannot be read or is no table.
pub fn open_raw(path: &Path, options: &ReadOptions) -> Result<Reading, ReadError> {
    plan::reading(path, None, options)
}

enum Source {
    Csv(Box<CsvSource>),
    Table(Box<TableSource>),
    Xlsx(Box<XlsxSource>),
    Keyed(Box<KeyedSource>),
    Bundle(Box<BundleSource>),
    /// What was a text file is read by two threads.
    Ahead(Box<Ahead>),
    /// It is on its way from one of these to another.
    Gone,
}

/// Most rows of the next chunk of a batch that has `rows` and may have `batch_rows`.
fn most_rows(batch_rows: usize, rows: usize, width: usize) -> usize {
    batch_rows.max(1).saturating_sub(rows).min(CHUNK_ROWS).min(CHUNK_CELLS / width.max(1)).max(1)
}

/// A sheet that has a header.
struct Sheet {
    name: String,
    ordinal: u32,
    layout: Layout,
    kinds: Option<RowKinds>,
    /// Its place in the report.
    at: usize,
    findings: Vec<Finding>,
    /// Whether its merged cells are looked at behind its rows.
    merges_unseen: bool,
}

/// A file that is being read: an iterator of batches with their findings.
///
/// A batch never spans two sheets. The iterator ends after the first error.
pub struct Reading {
    source: Source,
    record: RecordSchema,
    names: Arc<Names>,
    options: ReadOptions,
    schema: SchemaRef,
    sheet_names: Vec<String>,
    /// Rows of the header as sent, if columns are named by them.
    header: Option<Vec<Vec<String>>>,
    report: ReadReport,
    /// Sheets still to be read, the next one last.
    waiting: Vec<Sheet>,
    current: Option<(Sheet, Assembler)>,
    chunk: Chunk,
    total: u64,
    /// Findings that belong to no sheet that is read, told with the first batch.
    general: Vec<Finding>,
    /// Bytes still to be read from which on another thread may help, once a batch was given.
    worth: Option<u64>,
    given: bool,
    over: bool,
}

impl Reading {
    /// The schema of the batches; each batch's own also carries the origin of its columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Names of the sheets by their ordinal; one empty name for a file without sheets.
    pub fn sheets(&self) -> Vec<String> {
        match &self.source {
            Source::Bundle(source) => source.report().sheets.iter().map(|sheet| sheet.name.clone()).collect(),
            _ => self.sheet_names.clone(),
        }
    }

    /// The attachments of a package and the rows that they belong to; complete after the last batch. `None` for a
    /// file that is no package.
    pub fn evidence(&self) -> Option<&Evidence> {
        match &self.source {
            Source::Bundle(source) => Some(source.evidence()),
            _ => None,
        }
    }

    /// How the file was understood. Complete, with all counts of rows, after the last batch.
    pub fn report(&self) -> &ReadReport {
        match &self.source {
            Source::Bundle(source) => source.report(),
            _ => &self.report,
        }
    }

    /// The header of a text table that is read without a record schema, as sent: no row, one or several; no row for a
    /// sheet without a header. `None` for other files, whose columns are named by the schema.
    pub fn header(&self) -> Option<&[Vec<String>]> {
        self.header.as_deref()
    }

    /// Bytes read and bytes there are. For workbooks a guess by sheets.
    pub fn progress(&self) -> (u64, u64) {
        let done = match &self.source {
            Source::Csv(source) => source.done(),
            Source::Table(source) => source.done(),
            Source::Keyed(source) => source.done(),
            Source::Ahead(source) => source.done,
            Source::Gone => 0,
            Source::Bundle(_) if self.over => self.total,
            Source::Bundle(source) => source.done(),
            Source::Xlsx(_) if self.over => self.total,
            Source::Xlsx(_) => {
                let sheets = self.report.sheets.len().max(1) as u64;
                self.total / sheets * (sheets - (self.waiting.len() as u64).min(sheets))
            }
        };
        (done.min(self.total), self.total)
    }

    fn next_batch(&mut self) -> Result<Option<Outcome>, ReadError> {
        if let Source::Bundle(source) = &mut self.source {
            return source.next();
        }
        self.share();
        if let Source::Ahead(source) = &mut self.source {
            let before = source.rows;
            let next = source.next()?;
            self.report.sheets[source.at].rows += source.rows - before;
            self.report.repaired = source.repaired;
            if next.is_some() {
                return Ok(next);
            }
        }
        loop {
            if self.current.is_none() && !self.next_sheet()? {
                let last = std::mem::take(&mut self.general);
                return Ok((!last.is_empty()).then(|| Outcome {
                    batch: RecordBatch::new_empty(self.schema.clone()),
                    findings: Findings(last),
                }));
            }
            let Some((sheet, assembler)) = &mut self.current else { continue };
            let width = sheet.layout.columns.len();
            let most = most_rows(self.options.batch_rows, assembler.rows(), width);
            self.chunk.clear(width);
            let text = match &mut self.source {
                Source::Csv(source) => {
                    // Complete before the call that finds nothing more.
                    self.report.repaired = source.repaired();
                    source.fill(&mut self.chunk, most)?
                }
                Source::Table(source) => {
                    let more = source.fill(&mut self.chunk, most)?;
                    self.report.repaired = source.repaired();
                    more.then_some("")
                }
                Source::Xlsx(source) => source.fill(&mut self.chunk, most)?,
                Source::Keyed(source) => {
                    source.fill(&mut self.chunk, most, &mut sheet.layout, &self.names)?
                }
                Source::Bundle(_) | Source::Ahead(_) | Source::Gone => None,
            };
            let Some(text) = text else {
                if let Some(kinds) = &mut sheet.kinds {
                    kinds.finish(assembler);
                }
                if let (Source::Xlsx(source), true) = (&mut self.source, sheet.merges_unseen) {
                    let merged = Merged::new(source.merges_behind(&sheet.name)?);
                    let untaken = rows::untaken(&self.record, &sheet.layout, &merged, sheet.ordinal);
                    untaken.into_iter().for_each(|finding| assembler.find(finding));
                }
                let ended = assembler.rows() > 0 || assembler.has_findings();
                let outcome = if ended { Some(assembler.finish()?) } else { None };
                self.current = None;
                match outcome {
                    Some(outcome) => return Ok(Some(outcome)),
                    None => continue,
                }
            };
            if let Some(kinds) = &mut sheet.kinds {
                kinds.filter(&mut self.chunk, text, &self.names);
            }
            self.report.sheets[sheet.at].rows += self.chunk.rows() as u64;
            let from = assembler.rows();
            assembler.take(&mut self.chunk, text);
            // Cells may share a text that is written once in the file.
            let long = text.len() >= BATCH_TEXT;
            if let Some(kinds) = &mut sheet.kinds {
                kinds.check(assembler, from);
            }
            let widened = sheet.layout.columns.len() > width;
            let mut outcome = None;
            if assembler.rows() >= self.options.batch_rows || ((widened || long) && assembler.rows() > 0) {
                outcome = Some(assembler.finish()?);
            }
            if widened {
                assembler.lay_out(&sheet.layout);
                let fields: Vec<String> = self.record.fields.iter().map(|f| f.name.clone()).collect();
                let rows = self.report.sheets[sheet.at].rows;
                self.report.sheets[sheet.at] =
                    SheetReport { rows, ..sheet.layout.report(&sheet.name, &fields) };
            }
            if outcome.is_some() {
                return Ok(outcome);
            }
        }
    }

    /// Lets another thread help with what follows, if that is worth it.
    fn share(&mut self) {
        let left = self.total.saturating_sub(self.progress().0);
        let worth = self.given && self.worth.is_some_and(|worth| left >= worth);
        if !worth || !matches!(&self.current, Some((_, assembler)) if assembler.rows() == 0) {
            return;
        }
        let rows = match std::mem::replace(&mut self.source, Source::Gone) {
            Source::Csv(source) => Rows::Csv(source),
            Source::Table(source) => Rows::Table(source),
            other => {
                self.source = other;
                return;
            }
        };
        let Some((mut sheet, mut assembler)) = self.current.take() else { return };
        let checks = sheet.kinds.as_mut().map(RowKinds::take_checks);
        let size = (sheet.layout.columns.len(), self.options.batch_rows);
        let feed = Feed::new(rows, sheet.kinds, Arc::clone(&self.names), &mut assembler, size);
        self.source = Source::Ahead(Box::new(Ahead::start(feed, &assembler, checks, sheet.at)));
    }

    /// Goes on to the next sheet; `false` if there is none.
    fn next_sheet(&mut self) -> Result<bool, ReadError> {
        let Some(mut sheet) = self.waiting.pop() else { return Ok(false) };
        let last = sheet.layout.header_rows.last().copied().unwrap_or(0);
        match &mut self.source {
            Source::Csv(source) => source.skip_to(last)?,
            Source::Xlsx(source) => {
                source.expect_dates(dates(&sheet.layout, &self.record));
                source.load(&sheet.name, last + 1)?;
            }
            Source::Table(source) => source.skip_to(last),
            Source::Keyed(_) | Source::Bundle(_) | Source::Ahead(_) | Source::Gone => {}
        }
        let today = year::day_of(&sheet.layout, &sheet.name, &self.options.origin.file, self.options.today);
        let options = ReadOptions { today, ..self.options.clone() };
        let mut assembler = Assembler::new(&self.record, &options, &sheet.name, sheet.ordinal);
        if let Source::Keyed(source) = &self.source {
            assembler.speak_of(if source.has_lines() { Unit::Lines } else { Unit::Records });
        }
        assembler.lay_out(&sheet.layout);
        for finding in self.general.drain(..).chain(sheet.findings.drain(..)) {
            assembler.find(finding);
        }
        self.current = Some((sheet, assembler));
        Ok(true)
    }
}

/// The columns of a sheet that hold days.
fn dates(layout: &Layout, record: &RecordSchema) -> Vec<u32> {
    let kind = |field: usize| record.fields.get(field).map(|field| field.kind);
    let columns = layout.columns.iter().enumerate();
    let dated = columns.filter(|(_, column)| {
        matches!(column.field.and_then(kind), Some(FieldType::Date | FieldType::Timestamp))
    });
    dated.filter_map(|(column, _)| u32::try_from(column).ok()).collect()
}

impl Iterator for Reading {
    type Item = Result<Outcome, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_batch().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        self.given = true;
        next
    }
}
