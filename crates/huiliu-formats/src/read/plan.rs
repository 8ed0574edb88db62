//! What is worked out about a file before its rows are read: kind, encoding, dialect, header of each sheet.

mod tell;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use huiliu_stage::{Finding, RecordSchema, Severity};

use self::tell::{form, guessed, hidden, is_too_wide, mixed, passed_over, unusual_line_end, without_column};
use super::bundle::{self, BundleSource};
use super::chunk::Chunk;
use super::csv::{CsvSource, TableSource};
use super::error::ReadError;
use super::header::{self, Grid, Layout, Names};
use super::keyed::json::lines::LineRecords;
use super::keyed::json::{self, JsonRecords};
use super::keyed::xml::{self, XmlRecords};
use super::keyed::{KeyedSource, Pieces};
use super::merged::Merged;
use super::options::{FormatKind, ReadOptions};
use super::package::Package;
use super::rows::RowKinds;
use super::text::{Charset, TextReader, Told};
use super::workbook::{Bare, XlsxSource};
use super::{Reading, Sheet, Source, ahead, kind, named, raw, text, unshown};
use crate::report::{ReadReport, SheetReport};

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
    fn text(&mut self, mut file: File) -> Result<Reading, ReadError> {
        let told = text::encoding_of(&mut file, self.options)?;
        self.expect_text(&told)?;
        let most = self.options.limits.max_columns;
        if is_too_wide(&told.sample, most) {
            return Err(ReadError::too_large("列数", "the number of columns", most as u64));
        }
        file.rewind().map_err(|e| ReadError::io(&e))?;
        self.take_encoding(&told);
        let names = vec![String::new()];
        if self.known.is_none() && self.options.format.header_row.is_none() {
            return self.table(TableSource::open(file, told.charset, self.options)?, names);
        }
        let again = file.try_clone().map_err(|e| ReadError::io(&e))?;
        let (source, grid) = match CsvSource::open(file, told.charset, self.options)? {
            Some((source, grid)) => (Source::Csv(Box::new(source)), grid),
            None => {
                (&again).rewind().map_err(|e| ReadError::io(&e))?;
                let (source, grid) = TableSource::open_for_search(again, told.charset, self.options)?;
                (Source::Table(Box::new(source)), grid)
            }
        };
        if grid.is_empty() {
            return Err(ReadError::empty());
        }
        if self.is_form(&grid) {
            let text = form("");
            return Err(ReadError::new(text.zh, text.en));
        }
        let found = self.find_header(String::new(), 0, &grid, &Merged::default());
        let rows = self.sheets.first().map(|sheet| sheet.layout.header_rows.as_slice()).unwrap_or_default();
        let cut = match &source {
            Source::Csv(source) => Some(source.dialect()),
            Source::Table(source) => Some(source.dialect()),
            _ => None,
        };
        if let Some(cut) = cut {
            let (cut, dialect) = ((cut.0.to_owned(), cut.1, cut.2), raw::dialect(cut, rows));
            self.tell_dialect(cut, dialect);
        }
        if let Source::Table(source) = &source {
            self.tell_line_end(source.line_end());
        }
        if !found {
            let delimiter = self.report.delimiter.as_deref().unwrap_or_default();
            return Err(self.no_header().read_as(&self.report.encoding, delimiter));
        }
        self.reading(source, names)
    }

    /// Refuses what is no text.
    fn expect_text(&self, told: &Told) -> Result<(), ReadError> {
        match kind::is_binary(&told.sample, told.charset, self.options.format.kind.is_some()) {
            false => Ok(()),
            true if kind::ends_in_zeros(&told.sample, told.charset) => Err(ReadError::unfilled()),
            true => Err(ReadError::wrong_type("无法识别的文件", "a file of no known kind")),
        }
    }

    /// Says in which encoding the file is read.
    fn take_encoding(&mut self, told: &Told) {
        self.report.encoding = told.charset.name();
        self.report.encoding_by = told.how.as_str().to_owned();
        if told.is_wild_guess() {
            self.general.push(guessed(&told.charset.name()));
        }
        if let Charset::Mixed(_) = told.charset {
            self.general.push(mixed(&told.charset.name(), text::other_lines(&told.sample)));
        }
    }

    fn tell_dialect(&mut self, form: (String, Option<char>, Option<char>), words: String) {
        let (delimiter, quote, escape) = form;
        self.report.delimiter = Some(delimiter);
        (self.report.quote, self.report.escape, self.report.dialect) = (quote, escape, words);
        self.tell_left_out();
    }

    /// Says which lines were left out because the options say so.
    fn tell_left_out(&mut self) {
        let format = &self.options.format;
        match format.skip {
            0 => {}
            1 => self.report.dialect.push_str(", first line skipped"),
            lines => self.report.dialect.push_str(&format!(", first {lines} lines skipped")),
        }
        if let Some(comment) = format.comment.as_deref().filter(|comment| !comment.is_empty()) {
            self.report.dialect.push_str(&format!(", comments '{comment}'"));
        }
    }

    /// Says what ends the rows where that is neither of the usual line ends.
    fn tell_line_end(&mut self, line_end: Option<&str>) {
        let Some(line_end) = line_end.filter(|end| !["\n", "\r", "\r\n"].contains(end)) else { return };
        let name = raw::name_of_line_end(line_end);
        self.report.dialect.push_str(&format!(", line end {name}"));
        if self.options.format.newline.is_none() {
            self.general.push(unusual_line_end(&name));
        }
    }

    /// JSON, JSON Lines or XML: records of named values.
    fn records(&mut self, mut file: File, kind: FormatKind) -> Result<Reading, ReadError> {
        let told = match kind {
            FormatKind::Xml => text::encoding_of_markup(&mut file, self.options)?,
            _ => text::encoding_of(&mut file, self.options)?,
        };
        self.expect_text(&told)?;
        self.take_encoding(&told);
        let longest = self.options.limits.max_row_bytes;
        let names = self.known.as_ref().map(|(_, names)| names);
        let reader = |file: &mut File| -> Result<TextReader, ReadError> {
            file.rewind().map_err(|e| ReadError::io(&e))?;
            Ok(TextReader::new(file.try_clone().map_err(|e| ReadError::io(&e))?, told.charset))
        };
        let pieces = match kind {
            FormatKind::Jsonl => Pieces::Lines(LineRecords::open(reader(&mut file)?, longest)),
            FormatKind::Json => {
                let table = json::survey(reader(&mut file)?, longest, names)?;
                self.general.extend(json::others(&table));
                Pieces::Json(Box::new(JsonRecords::open(reader(&mut file)?, longest, &table)?))
            }
            _ => {
                let table = xml::survey(reader(&mut file)?, longest, names)?;
                let units = self.known.is_some();
                Pieces::Xml(Box::new(XmlRecords::open(reader(&mut file)?, longest, table, units)))
            }
        };
        let mut source = KeyedSource::new(pieces);
        let found = source.first_names()?;
        // Lines that are all broken are told one by one.
        if found.is_empty() && (source.is_empty() || !source.has_lines()) {
            return Err(source.no_record());
        }
        let mut layout = Layout::default();
        let (record, names) = self.known.take().unwrap_or_else(|| raw::record(&found));
        source.lay_out(&found, &mut layout, &names);
        self.known = Some((record, names));
        self.add_sheet(String::new(), 0, layout, None);
        self.sheets.iter_mut().flat_map(|sheet| &mut sheet.findings).for_each(without_column);
        self.reading(Source::Keyed(Box::new(source)), vec![String::new()])
    }

    /// A text table without a record schema: what its header says, if it has one, names the columns.
    fn table(&mut self, source: TableSource, names: Vec<String>) -> Result<Reading, ReadError> {
        let headers = raw::headers(source.header(), source.width());
        if source.width() == 0 {
            return Err(ReadError::empty());
        }
        let (delimiter, quote, escape) = source.dialect();
        let dialect = raw::dialect(source.dialect(), source.header_rows());
        self.tell_dialect((delimiter.to_owned(), quote, escape), dialect);
        self.tell_line_end(source.line_end());
        self.known = Some(raw::as_written(&headers));
        let layout = Layout::plain(source.header_rows().to_vec(), &headers);
        self.add_sheet(String::new(), 0, layout, None);
        let header = Some(source.header().to_vec());
        Ok(Reading { header, ..self.reading(Source::Table(Box::new(source)), names)? })
    }

    fn workbook(&mut self, file: File, head: &[u8]) -> Result<Reading, ReadError> {
        let (source, told) = XlsxSource::open_any(file, head, self.options)?;
        let mut source = source.with_hidden(self.options.format.hidden);
        if let Some(told) = told {
            self.report.encoding = told.charset.name();
            self.report.encoding_by = told.how.as_str().to_owned();
        }
        self.report.format = source.format().to_owned();
        let all = source.sheets().to_vec();
        let wanted = self.options.format.sheet.as_deref();
        if let Some(wanted) = wanted
            && !all.iter().any(|(name, _)| name == wanted)
        {
            let there = all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("、");
            return Err(ReadError::new(
                format!("没有名为“{wanted}”的工作表；有：{there}"),
                format!("there is no sheet `{wanted}`; there are: {there}"),
            ));
        }
        // Pages have tables for menus and layout, which nobody wants to hear of.
        let largest = source.largest().map(str::to_owned).filter(|_| wanted.is_none());
        let mut empty = true;
        for (ordinal, (name, visible)) in all.iter().enumerate() {
            // What is wrong with a sheet that nobody sees harms nobody.
            let holds = |rows: Result<Grid, ReadError>| rows.is_ok_and(|rows| !rows.is_empty());
            if wanted.is_none() && !visible && source.hides_sheets() && holds(source.first_rows(name)) {
                self.general.push(hidden(name));
            }
            let skip = wanted.map_or(!visible, |wanted| wanted != name);
            // Without a record schema one sheet gives the columns.
            if skip || (self.known.is_some() && self.is_raw()) {
                continue;
            }
            if self.known.is_none() && largest.as_ref().is_some_and(|largest| largest != name) {
                continue;
            }
            let grid = source.first_rows(name)?;
            if grid.is_empty() {
                continue;
            }
            empty = false;
            let wanted_merges = self.wants_merges(&grid);
            let merged = match wanted_merges {
                true => Merged::new(source.merges(name)?),
                false => Merged::default(),
            };
            let form = self.is_form(&grid).then(|| form(name));
            let found = form.is_none() && self.find_header(name.clone(), ordinal as u32, &grid, &merged);
            if let Some(sheet) = self.sheets.last_mut().filter(|_| found && !wanted_merges) {
                sheet.merges_unseen = self.known.is_some() && sheet.kinds.is_some();
            }
            if found && let Some(bare) = source.bare() {
                self.tell_bare(bare);
            }
            if !found {
                if largest.is_some() {
                    continue;
                }
                self.general.push(match form {
                    Some(text) => Finding::new(None, Severity::Error, "sheet", text),
                    None => passed_over(name),
                });
                self.report.sheets.push(SheetReport { name: name.clone(), ..SheetReport::default() });
            }
        }
        if empty {
            if let Some(Finding { message, .. }) = self.general.first() {
                return Err(ReadError::new(message.zh.clone(), message.en.clone()));
            }
            return Err(ReadError::new(
                "工作簿里没有内容；请检查后重新上传",
                "the workbook holds nothing; check it and send it again",
            ));
        }
        if self.sheets.is_empty() {
            // Without a sheet to read the findings are told by nobody, and a form is the better reason.
            let form = self.general.iter().find(|finding| finding.severity == Severity::Error);
            if let Some(finding) = form {
                return Err(ReadError::new(finding.message.zh.clone(), finding.message.en.clone()));
            }
            return Err(self.no_header());
        }
        let headless = self.is_raw() && self.sheets.iter().all(|sheet| sheet.layout.header_rows.is_empty());
        let names = all.into_iter().map(|(name, _)| name).collect();
        let reading = self.reading(Source::Xlsx(Box::new(source)), names)?;
        Ok(Reading { header: headless.then(Vec::new), ..reading })
    }

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

    fn is_raw(&self) -> bool {
        self.sheets.iter().any(|sheet| sheet.kinds.is_none())
    }

    /// Whether merged cells may matter. To find them costs a look through the whole sheet, which one that fills every
    /// cell of its first rows need not pay for.
    fn wants_merges(&self, grid: &Grid) -> bool {
        let width = grid.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let full = |cells: &[String]| cells.len() == width && cells.iter().all(|cell| !cell.is_empty());
        let down = self.known.iter().any(|(record, _)| record.fields.iter().any(|field| field.fill_down));
        down || !grid.iter().all(|(_, cells)| full(cells))
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

    /// Says which columns of the sheet that was added last may have been shown in another way than they are read.
    fn tell_bare(&mut self, bare: &BTreeMap<u32, Bare>) {
        if let (Some(sheet), Some((record, _))) = (self.sheets.last_mut(), &self.known) {
            sheet.findings.extend(unshown::findings(&sheet.name, &sheet.layout, record, bare));
        }
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
