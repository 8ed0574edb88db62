//! What is worked out about a file before its rows are read: its kind, and by that ([`text`], [`workbook`], [`records`])
//! encoding, dialect, header of each sheet.

mod records;
mod tell;
mod text;
mod workbook;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use huiliu_stage::{Finding, RecordSchema};

use super::bundle::{self, BundleSource};
use super::chunk::Chunk;
use super::error::ReadError;
use super::header::{self, Grid, Layout, Names};
use super::merged::Merged;
use super::options::{FormatKind, ReadOptions};
use super::package::Package;
use super::rows::RowKinds;
use super::{Reading, Sheet, Source, ahead, kind, named, raw};
use crate::report::ReadReport;

/// Bytes looked at to tell a file's kind. The directory of an OLE2 container, which says whether it is
/// encrypted, usually stands within them.
pub(super) const HEAD: u64 = 64 << 10;

/// Opens a file; `known` is the record schema and its names, if there is one.
pub(super) fn reading(
    path: &Path,
    known: Option<(RecordSchema, Names)>,
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    let file = File::open(path).map_err(|e| ReadError::io(&e))?;
    let total = file.metadata().map_err(|e| ReadError::io(&e))?.len();
    let mut reading = of_file(file, total, known, options)?;
    // What a package holds is told of each file in it; the package itself is one.
    let format = if matches!(reading.source, Source::Bundle(_)) { "zip" } else { &*reading.report.format };
    let told = named::otherwise(&options.origin.file, format);
    match &mut reading.source {
        Source::Bundle(source) => source.findings.extend(told),
        _ => reading.general.extend(told),
    }
    Ok(reading)
}

/// Reads an open file of `total` bytes from its start.
pub(super) fn of_file(
    mut file: File,
    total: u64,
    known: Option<(RecordSchema, Names)>,
    options: &ReadOptions,
) -> Result<Reading, ReadError> {
    if total > options.limits.max_bytes {
        return Err(ReadError::too_large(
            "文件大小（字节）",
            "the file's size in bytes",
            options.limits.max_bytes,
        ));
    }
    file.rewind().map_err(|e| ReadError::io(&e))?;
    let mut head = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut head).map_err(|e| ReadError::io(&e))?;
    let kind = match options.format.kind {
        Some(_) if head.is_empty() => return Err(ReadError::empty()),
        Some(kind) => kind,
        None => kind::tell(&head)?,
    };
    let mut plan = Plan {
        known,
        options,
        report: ReadReport { format: kind.as_str().to_owned(), ..ReadReport::default() },
        sheets: Vec::new(),
        general: Vec::new(),
        total,
    };
    file.rewind().map_err(|e| ReadError::io(&e))?;
    if kind == FormatKind::Zip || (kind == FormatKind::Xlsx && head.starts_with(b"PK")) {
        // Office documents are packages as well; what is in it tells.
        match bundle::recognize(&file, options)? {
            Some(package) => return plan.bundle(package),
            None => plan.report.format = FormatKind::Xlsx.as_str().to_owned(),
        }
    }
    match kind {
        FormatKind::Xlsx | FormatKind::Zip => plan.workbook(file, &head),
        FormatKind::Csv => plan.text(file),
        FormatKind::Json | FormatKind::Jsonl | FormatKind::Xml => plan.records(file, kind),
    }
}

/// What is worked out about a file before its rows are read.
struct Plan<'a> {
    known: Option<(RecordSchema, Names)>,
    options: &'a ReadOptions,
    report: ReadReport,
    sheets: Vec<Sheet>,
    general: Vec<Finding>,
    total: u64,
}

impl Plan<'_> {
    /// A package of tables and attachments.
    fn bundle(&mut self, package: Package) -> Result<Reading, ReadError> {
        let record = self.known.as_ref().map(|(record, _)| record.clone());
        let source = BundleSource::open(package, record, self.options)?;
        let known = self.known.take().unwrap_or_else(|| raw::record(&[]));
        let schema = source.schema();
        self.known = Some(known);
        let mut reading = self.reading(Source::Bundle(Box::new(source)), Vec::new())?;
        reading.schema = schema;
        Ok(reading)
    }

    /// Whether a sheet is a form and no table. Whoever says which row the header is knows better.
    fn is_form(&self, grid: &Grid) -> bool {
        let stated = self.options.format.header_row.is_some();
        !stated && self.known.as_ref().is_some_and(|(_, names)| header::is_form(grid, names))
    }

    /// Plans a sheet if it has a header.
    fn find_header(&mut self, name: String, ordinal: u32, grid: &Grid, merged: &Merged) -> bool {
        let row = self.options.format.header_row;
        match &self.known {
            Some((record, names)) => {
                let Some(layout) = header::find(grid, merged, names, row) else { return false };
                let kinds = RowKinds::new(record, &layout, (grid, merged), (&name, ordinal));
                self.add_sheet(name, ordinal, layout, Some(kinds));
            }
            None => {
                let Some((known, layout)) = raw::lay_out(grid, merged, row) else { return false };
                self.known = Some(known);
                self.add_sheet(name, ordinal, layout, None);
            }
        }
        true
    }

    fn add_sheet(&mut self, name: String, ordinal: u32, layout: Layout, kinds: Option<RowKinds>) {
        let fields = self.fields();
        let known = self.known.iter().flat_map(|(record, _)| &record.fields);
        let titles: Vec<String> = known.map(|field| field.title().to_owned()).collect();
        let findings = header::findings(&name, &layout, &fields, &titles);
        self.report.sheets.push(layout.report(&name, &fields));
        self.sheets.push(Sheet {
            name,
            ordinal,
            layout,
            kinds,
            at: self.report.sheets.len() - 1,
            findings,
            merges_unseen: false,
        });
    }

    fn fields(&self) -> Vec<String> {
        self.known.iter().flat_map(|(record, _)| &record.fields).map(|field| field.name.clone()).collect()
    }

    fn no_header(&self) -> ReadError {
        let titles = self.known.iter().flat_map(|(record, _)| &record.fields).map(|f| f.title().to_owned());
        ReadError::no_header(&titles.collect::<Vec<_>>())
    }

    fn reading(&mut self, source: Source, sheet_names: Vec<String>) -> Result<Reading, ReadError> {
        let Some((record, names)) = self.known.take() else { return Err(ReadError::empty()) };
        let schema = self.options.origin.mark(&record.to_arrow());
        let mut waiting = std::mem::take(&mut self.sheets);
        waiting.reverse();
        Ok(Reading {
            source,
            record,
            names: Arc::new(names),
            options: self.options.clone(),
            schema: schema.into(),
            sheet_names,
            header: None,
            report: std::mem::take(&mut self.report),
            waiting,
            current: None,
            chunk: Chunk::default(),
            total: self.total,
            general: std::mem::take(&mut self.general),
            worth: (self.options.threads > 1 && ahead::may_help()).then_some(ahead::WORTH),
            given: false,
            over: false,
        })
    }
}
