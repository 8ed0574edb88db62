//! What was sent, copied into the receipt's workbook at the same addresses.
//!
//! Cells are read as a stream and written row by row to a temporary file, so that neither a large sheet
//! nor one with a single far cell needs memory. Texts go in as texts: nothing a sender writes becomes a
//! formula. Beyond the limits only headers and rows with findings are copied, the rows between hidden.
//! Start at [`copy`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, open_workbook};
use encoding_rs::{Encoding, UTF_8};
use rust_xlsxwriter::{IgnoreError, Workbook, Worksheet, XlsxError};

use super::ReceiptData;
use super::marks::{Kind, Looks, SheetMarks, marks};
use super::sheet::{Budget, MAX_COLUMNS, MAX_ROWS, Row, SheetCopy, Value};
use super::split::{Cells, Splitter};
use super::workbook::{CopyLimits, has_sheets};
use crate::read::{ReadError, Shown};

/// A header further down than this is not frozen, and what stands above it is data like any other.
const MAX_HEADER_ROW: u32 = 50;
/// Days between the epochs of 1900 and 1904.
const EPOCH_1904: f64 = 1462.0;

/// What came of copying.
#[derive(Default)]
pub(super) struct Copied {
    /// The sheets, in the order of the source.
    pub(super) worksheets: Vec<Worksheet>,
    /// Ordinal of a sheet -> its name in the receipt's workbook.
    pub(super) names: BTreeMap<usize, String>,
    /// Whether rows without findings were left out.
    pub(super) excerpt: bool,
    /// Why not all could be read.
    pub(super) broke_off: Option<String>,
    /// Why a workbook did not come back as it was, but made anew from its values.
    pub(super) made_anew: Option<String>,
}

/// Copies what was sent, if it is a kind that has cells and was understood.
///
/// # Errors
/// Only when the receipt cannot be written. A source that cannot be read is told in the result.
pub(super) fn copy(
    data: &ReceiptData,
    source: &Path,
    limits: &CopyLimits,
    workbook: &mut Workbook,
    summary: &str,
) -> Result<Copied, XlsxError> {
    let (marks, looks, none) = (marks(data), Looks::new(), SheetMarks::new());
    let copied = Copied::default();
    let names = vec![summary.to_lowercase()];
    let budget = budget(data, limits);
    let mut copier =
        Copier { data, workbook, marks: &marks, none: &none, looks: &looks, budget, names, copied };
    // A file that was refused unread may be anything, a bomb too: it is not opened again.
    if data.report.sheets.iter().any(|sheet| !sheet.columns.is_empty()) {
        match data.report.format.as_str() {
            "xlsx" | "xlsm" => copier.xlsx(source, limits)?,
            "csv" => copier.csv(source)?,
            kind if has_sheets(kind) => copier.shown(source, limits)?,
            _ => {}
        }
    }
    Ok(copier.copied)
}

/// A file known to be too large is not copied half: then there are rows with findings only.
fn budget(data: &ReceiptData, limits: &CopyLimits) -> Budget {
    let (mut rows, mut cells) = (0_u64, 0_u64);
    for sheet in &data.report.sheets {
        rows = rows.saturating_add(sheet.rows);
        cells = cells.saturating_add(sheet.rows.saturating_mul(sheet.columns.len() as u64));
    }
    match rows > limits.max_rows || cells > limits.max_cells {
        true => Budget { rows: 0, cells: 0 },
        false => Budget { rows: limits.max_rows, cells: limits.max_cells },
    }
}

/// Why a source was not read to its end.
enum Stop {
    /// The source is at fault: the receipt goes on without the rest of it.
    Source(String),
    /// The receipt cannot be written.
    Receipt(XlsxError),
}

impl From<XlsxError> for Stop {
    fn from(error: XlsxError) -> Self {
        Self::Receipt(error)
    }
}

impl From<calamine::XlsxError> for Stop {
    fn from(error: calamine::XlsxError) -> Self {
        Self::Source(error.to_string())
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Source(error.to_string())
    }
}

impl From<zip::result::ZipError> for Stop {
    fn from(error: zip::result::ZipError) -> Self {
        Self::Source(error.to_string())
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Source(error.to_string())
    }
}

struct Copier<'a> {
    data: &'a ReceiptData,
    workbook: &'a mut Workbook,
    marks: &'a BTreeMap<usize, SheetMarks<'a>>,
    none: &'a SheetMarks<'a>,
    looks: &'a Looks,
    budget: Budget,
    /// Names taken, in lower case.
    names: Vec<String>,
    copied: Copied,
}

impl<'a> Copier<'a> {
    fn xlsx(&mut self, source: &Path, limits: &CopyLimits) -> Result<(), XlsxError> {
        let mut xlsx = match open_xlsx(source, limits) {
            Ok(xlsx) => xlsx,
            Err(stop) => return self.source_failed(stop),
        };
        for sheet in xlsx.sheets_metadata().to_vec() {
            if sheet.typ != SheetType::WorkSheet {
                continue;
            }
            let ordinal = self.data.sheets.iter().position(|name| *name == sheet.name);
            let mut copy = self.begin(ordinal, &sheet.name)?;
            if sheet.visible != SheetVisible::Visible && copy.marks.is_empty() {
                copy.worksheet.set_hidden(true);
            }
            let read = copy_cells(&mut xlsx, &sheet.name, &mut copy);
            self.end(copy, read)?;
        }
        Ok(())
    }

    /// A workbook of another kind, as it is shown.
    fn shown(&mut self, source: &Path, limits: &CopyLimits) -> Result<(), XlsxError> {
        let mut book = match Shown::open(source, &self.data.report.encoding, &limits.reading) {
            Ok(book) => book,
            Err(error) => return self.source_failed(error.into()),
        };
        for (name, visible) in book.sheets() {
            let ordinal = self.data.sheets.iter().position(|sheet| *sheet == name);
            let read = ordinal.and_then(|ordinal| self.data.sheet_report(ordinal));
            // Of a page the tables that were read; the others are menus.
            if !book.hides_sheets() && read.is_none_or(|sheet| sheet.columns.is_empty()) {
                continue;
            }
            let mut copy = self.begin(ordinal, &name)?;
            if !visible && book.hides_sheets() && copy.marks.is_empty() {
                copy.worksheet.set_hidden(true);
            }
            let read = copy_shown(&mut book, &name, &mut copy);
            self.end(copy, read)?;
        }
        Ok(())
    }

    fn csv(&mut self, source: &Path) -> Result<(), XlsxError> {
        let mut copy = self.begin(Some(0), self.data.language.pick("报送内容", "what was sent"))?;
        // Codes and long numbers are texts here as they are in the file; that is no mistake.
        let (last_row, last_column) = (MAX_ROWS - 1, MAX_COLUMNS - 1);
        copy.worksheet.ignore_error_range(0, 0, last_row, last_column, IgnoreError::NumberStoredAsText)?;
        let read = copy_lines(self.data, source, &mut copy);
        self.end(copy, read)
    }

    fn begin(&mut self, ordinal: Option<usize>, name: &str) -> Result<SheetCopy<'a>, XlsxError> {
        let mut worksheet = self.workbook.new_worksheet_with_constant_memory()?;
        let name = free_name(name, &mut self.names);
        worksheet.set_name(&name)?;
        let report = ordinal.and_then(|ordinal| self.data.sheet_report(ordinal));
        let header = report.and_then(|report| report.header_rows.iter().copied().max());
        let header = header.filter(|&row| row <= MAX_HEADER_ROW).unwrap_or(0);
        if header > 0 {
            worksheet.set_freeze_panes(header, 0)?;
        }
        if let Some(last) = report.and_then(|report| report.columns.iter().map(|column| column.index).max()) {
            let last = u16::try_from(last).map_or(MAX_COLUMNS - 1, |last| last.min(MAX_COLUMNS - 1));
            worksheet.set_column_range_width(0, last, 16)?;
        }
        let marks = ordinal.and_then(|ordinal| self.marks.get(&ordinal)).unwrap_or(self.none);
        if let Some(ordinal) = ordinal {
            self.copied.names.insert(ordinal, name);
        }
        let (data, looks, budget) = (self.data, self.looks, self.budget);
        Ok(SheetCopy {
            worksheet,
            data,
            looks,
            marks,
            header,
            budget,
            done: 0,
            excerpt: false,
            widths: BTreeMap::new(),
        })
    }

    fn end(&mut self, mut copy: SheetCopy<'a>, read: Result<(), Stop>) -> Result<(), XlsxError> {
        copy.finish()?;
        self.budget = copy.budget;
        self.copied.excerpt |= copy.excerpt;
        self.copied.worksheets.push(copy.worksheet);
        read.or_else(|stop| self.source_failed(stop))
    }

    fn source_failed(&mut self, stop: Stop) -> Result<(), XlsxError> {
        match stop {
            Stop::Receipt(error) => Err(error),
            Stop::Source(why) => {
                self.copied.broke_off.get_or_insert(why);
                Ok(())
            }
        }
    }
}

/// Opens a workbook whose shared texts, which have to be held in memory, are not too many.
fn open_xlsx(source: &Path, limits: &CopyLimits) -> Result<Xlsx<BufReader<File>>, Stop> {
    let mut archive = zip::ZipArchive::new(BufReader::new(File::open(source)?))?;
    let texts = archive.by_name("xl/sharedStrings.xml").map_or(0, |entry| entry.size());
    if texts > limits.max_text_bytes {
        return Err(Stop::Source(format!("its texts take {texts} bytes")));
    }
    Ok(open_workbook(source)?)
}

fn copy_cells(xlsx: &mut Xlsx<BufReader<File>>, name: &str, copy: &mut SheetCopy<'_>) -> Result<(), Stop> {
    let shift = if xlsx.has_1904_epoch() { EPOCH_1904 } else { 0.0 };
    let mut reader = xlsx.worksheet_cells_reader(name)?;
    let (mut at, mut cells) = (0, Row::new());
    while let Some(cell) = reader.next_cell()? {
        let (row, column) = cell.get_position();
        if row != at {
            if !cells.is_empty() && !copy.row(at + 1, &cells)? {
                return Ok(());
            }
            cells.clear();
            at = row;
        }
        let column = u16::try_from(column).ok().filter(|&column| column < MAX_COLUMNS);
        if let (Some(column), Some(value)) = (column, value(cell.get_value(), shift)) {
            cells.insert(column, value);
        }
    }
    if !cells.is_empty() {
        copy.row(at + 1, &cells)?;
    }
    Ok(())
}

fn value<'a>(cell: &DataRef<'a>, shift: f64) -> Option<Value<'a>> {
    let text = |text: String| Some(Value::Text(text.into()));
    match cell {
        DataRef::Empty => None,
        DataRef::Int(number) => Some(Value::Number(*number as f64, Kind::General)),
        DataRef::Float(number) => Some(Value::Number(*number, Kind::General)),
        DataRef::Bool(yes) => Some(Value::Boolean(*yes)),
        DataRef::SharedString(shared) => Some(Value::Text((*shared).into())),
        DataRef::String(own) | DataRef::DateTimeIso(own) | DataRef::DurationIso(own) => text(own.clone()),
        DataRef::Error(error) => text(error.to_string()),
        DataRef::DateTime(time) if time.is_duration() => Some(Value::Number(time.as_f64(), Kind::Duration)),
        DataRef::DateTime(time) => {
            let kind = if time.as_f64().fract() == 0.0 { Kind::Day } else { Kind::Time };
            Some(Value::Number(time.as_f64() + shift, kind))
        }
    }
}

fn copy_shown(book: &mut Shown, name: &str, copy: &mut SheetCopy<'_>) -> Result<(), Stop> {
    // Codes are texts here as they are there; that is no mistake.
    let (last_row, last_column) = (MAX_ROWS - 1, MAX_COLUMNS - 1);
    copy.worksheet.ignore_error_range(0, 0, last_row, last_column, IgnoreError::NumberStoredAsText)?;
    book.rows(name, |number, cells| {
        if copy.passes_over(number) {
            return Ok(copy.pass_over(number, cells.next().is_none()));
        }
        let cell = |(column, text)| {
            let column = u16::try_from(column).ok().filter(|&column| column < MAX_COLUMNS)?;
            Some((column, as_shown(text)))
        };
        Ok(copy.row(number, &cells.filter_map(cell).collect())?)
    })
}

/// A number, if it is one that is shown alike.
fn as_shown(text: &str) -> Value<'_> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match text.parse::<f64>() {
        Ok(number) if digits <= 15 && number.to_string() == text => Value::Number(number, Kind::General),
        _ => Value::Text(text.into()),
    }
}

fn copy_lines(data: &ReceiptData, source: &Path, copy: &mut SheetCopy<'_>) -> Result<(), Stop> {
    let encoding = Encoding::for_label(data.report.encoding.as_bytes()).unwrap_or(UTF_8);
    let delimiter = data.report.delimiter.as_deref().unwrap_or(",");
    let mut number = 0;
    let mut row = |cells: &Cells| {
        number += 1;
        if copy.passes_over(number) {
            return Ok(copy.pass_over(number, cells.is_blank()));
        }
        let cells: Row<'_> = (0..MAX_COLUMNS)
            .zip(cells.iter())
            .filter(|(_, text)| !text.is_empty())
            .map(|(column, text)| (column, Value::Text(text)))
            .collect();
        copy.row(number, &cells)
    };
    let mut file = File::open(source)?;
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut splitter = None;
    let (mut bytes, mut text) = (vec![0; 64 * 1024], String::new());
    loop {
        let read = file.read(&mut bytes)?;
        text.clear();
        text.reserve(decoder.max_utf8_buffer_length(read).unwrap_or(4 * read + 16));
        // There is room for all of it.
        let _ = decoder.decode_to_string(&bytes[..read], &mut text, read == 0);
        let splitter = splitter.get_or_insert_with(|| Splitter::new(delimiter, &text));
        if !splitter.feed(&text, &mut row)? {
            return Ok(());
        }
        if read == 0 {
            return Ok(splitter.finish(&mut row)?);
        }
    }
}

/// A name that a worksheet may have and no other one has yet.
pub(super) fn free_name(wanted: &str, taken: &mut Vec<String>) -> String {
    let fit = |c: char| if c.is_control() || "[]:*?/\\'".contains(c) { '_' } else { c };
    let base: String = wanted.chars().take(24).map(fit).collect();
    let base = if base.trim().is_empty() { "sheet".to_owned() } else { base };
    let mut name = match wanted.encode_utf16().count() <= 31 && !wanted.trim().is_empty() {
        true => wanted.chars().map(fit).collect(),
        false => base.clone(),
    };
    let mut count = 1;
    while taken.contains(&name.to_lowercase()) {
        count += 1;
        name = format!("{} ({count})", base.chars().take(12).collect::<String>());
    }
    taken.push(name.to_lowercase());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sheets_are_made_to_fit_and_kept_apart() {
        let mut taken = vec!["回执".to_owned()];
        let long = "长".repeat(40);
        let table = [
            ("项目", "项目"),
            ("项目", "项目 (2)"),
            ("回执", "回执 (2)"),
            ("A/B'", "A_B_"),
            ("", "sheet"),
            (&long, &long[..3 * 24]),
        ];
        for (wanted, expected) in table {
            assert_eq!(free_name(wanted, &mut taken), expected);
        }
    }
}
