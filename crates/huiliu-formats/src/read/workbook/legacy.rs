//! Workbooks of other kinds (`.xls`, WPS `.et`, `.xlsb`), through calamine.
//!
//! Nothing reaches calamine before its size was checked, and a panic of it becomes an error of the delivery. One
//! sheet at a time is held, as one text and the places in it. Calamine does not say how a number is shown, so that a
//! percentage and a code look like any number: of `.xls` and `.et` [`biff`](super::biff) tells, of `.xlsb` [`Bare`] tells
//! where that may matter.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufReader, Read, sink};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xls, Xlsb};

use super::biff::Look;
use super::compound;
use super::merges::Merge;
use super::number;
use super::sheet::Row;
use super::styles::Shown;
use crate::read::chunk::Span;
use crate::read::error::ReadError;
use crate::read::options::Limits;
use crate::read::package::Package;

/// Most bytes of one sheet's texts.
const MOST_TEXT: usize = 128 << 20;
/// Most cells of one sheet.
const MOST_CELLS: usize = 8_000_000;
/// Largest part of a binary workbook that is held whole.
const MOST_PART: u64 = 96 << 20;

/// The last rows of a column with numbers that may be shown as something else; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::read) struct Bare {
    /// With a number between 0 and 2, which may be shown as a percentage.
    pub(in crate::read) share: u32,
    /// With a whole number, which may be shown with zeros in front.
    pub(in crate::read) whole: u32,
}

enum Book {
    Xls(Box<Xls<BufReader<File>>>),
    Xlsb(Box<Xlsb<BufReader<File>>>),
}

/// A workbook that calamine reads.
pub(super) struct Legacy {
    book: Book,
    text: String,
    /// Row number, column, text, whether it is an error; in order of rows.
    cells: Vec<(u32, u32, Span, bool)>,
    next: usize,
    bare: BTreeMap<u32, Bare>,
    /// How the cells of an `.xls` are shown.
    look: Option<Look>,
    /// Ordinal of the sheet that was taken in.
    sheet: usize,
    /// Columns whose numbers without a format are days of 1904.
    dates: Vec<u32>,
}

/// Opens a workbook that is not in Office Open XML; `None` if it may be.
pub(super) fn recognize(file: &File, limits: &Limits) -> Result<Option<Legacy>, ReadError> {
    let mut head = [0; 8];
    let count = file.read_at(&mut head, 0).map_err(|e| ReadError::io(&e))?;
    let again = || file.try_clone().map_err(|e| ReadError::io(&e));
    if head.get(..count) == Some(compound::MAGIC) {
        let look = Look::read(&compound::check(file)?);
        let reader = BufReader::new(again()?);
        let book = guarded(|| Xls::new(reader).map_err(|e| ReadError::damaged(&e)))?;
        return Ok(Some(Legacy::new(Book::Xls(Box::new(book)), Some(look))));
    }
    let package = Package::open(again()?, limits)?;
    if package.find("xl/workbook.bin").is_none() {
        return Ok(None);
    }
    prove(&package)?;
    let reader = BufReader::new(again()?);
    let book = guarded(|| Xlsb::new(reader).map_err(|e| ReadError::damaged(&e)))?;
    Ok(Some(Legacy::new(Book::Xlsb(Box::new(book)), None)))
}

/// Reads the parts of a binary workbook once, since calamine believes their declared sizes.
fn prove(package: &Package) -> Result<(), ReadError> {
    for name in package.names().filter(|name| name.ends_with(".bin") || name.ends_with(".rels")) {
        let held = !name.to_lowercase().contains("worksheets/");
        if held && package.size(name).is_some_and(|size| size > MOST_PART) {
            return Err(ReadError::too_large("工作簿的文字量（字节）", "a part's unpacked size", MOST_PART));
        }
        if let Some(mut entry) = package.entry(name)? {
            std::io::copy(&mut entry.by_ref(), &mut sink()).map_err(|e| ReadError::damaged(&e))?;
        }
    }
    Ok(())
}

impl Legacy {
    fn new(book: Book, look: Option<Look>) -> Self {
        Self {
            book,
            text: String::new(),
            cells: Vec::new(),
            next: 0,
            bare: BTreeMap::new(),
            look,
            sheet: 0,
            dates: Vec::new(),
        }
    }

    /// Whether the workbook says how its cells are shown and which are hidden.
    pub(super) fn has_look(&self) -> bool {
        self.look.is_some()
    }

    /// Says which columns hold days; see [`XlsxSource::expect_dates`](super::XlsxSource::expect_dates).
    pub(super) fn expect_dates(&mut self, columns: Vec<u32>) {
        let counted = self.look.as_ref().is_some_and(|look| look.date1904);
        self.dates = if counted { columns } else { Vec::new() };
    }

    pub(super) fn hidden_columns(&self) -> &[(u32, u32)] {
        let sheet = self.look.as_ref().and_then(|look| look.sheet(self.sheet));
        sheet.map_or(&[], |sheet| &sheet.hidden_columns)
    }

    pub(super) fn format(&self) -> &'static str {
        match &self.book {
            Book::Xls(_) => "xls",
            Book::Xlsb(_) => "xlsb",
        }
    }

    pub(super) fn sheets(&self) -> Vec<(String, bool)> {
        let sheets = match &self.book {
            Book::Xls(book) => book.sheets_metadata(),
            Book::Xlsb(book) => book.sheets_metadata(),
        };
        let shown = |s: &calamine::Sheet| s.visible == SheetVisible::Visible && s.typ == SheetType::WorkSheet;
        sheets.iter().map(|sheet| (sheet.name.clone(), shown(sheet))).collect()
    }

    /// Takes in a sheet.
    pub(super) fn start(&mut self, sheet: &str, most_cells: usize) -> Result<(), ReadError> {
        let (mut text, mut cells) = (std::mem::take(&mut self.text), std::mem::take(&mut self.cells));
        text.clear();
        cells.clear();
        self.next = 0;
        let mut bare = std::mem::take(&mut self.bare);
        bare.clear();
        let most_cells = most_cells.min(MOST_CELLS);
        self.sheet = self.sheets().iter().position(|(name, _)| name == sheet).unwrap_or(usize::MAX);
        let (look, ordinal, dates) = (self.look.as_ref(), self.sheet, &self.dates);
        let mut put = |row: u32, column: u32, value: &DataRef<'_>| {
            let start = text.len();
            match look.and_then(|look| write_shown(look, (ordinal, row, column), dates, value)) {
                Some(shown) => text.push_str(&shown),
                None => write_value(&mut text, value),
            }
            if text.get(start..).is_none_or(|text| text.trim().is_empty()) {
                text.truncate(start);
                return Ok(());
            }
            if cells.len() >= most_cells || text.len() > MOST_TEXT {
                return Err(ReadError::too_large(
                    "工作表的单元格数",
                    "the number of cells of a sheet",
                    most_cells as u64,
                ));
            }
            if look.is_none() {
                note_number(&mut bare, row.saturating_add(1), column, value);
            }
            let span = Span::new(start, text.len());
            cells.push((row.saturating_add(1), column, span, matches!(value, DataRef::Error(_))));
            Ok(())
        };
        match &mut self.book {
            Book::Xls(book) => guarded(|| {
                let range = book.worksheet_range(sheet).map_err(|e| ReadError::damaged(&e))?;
                let (top, left) = range.start().unwrap_or_default();
                for (row, column, value) in range.used_cells() {
                    put(row as u32 + top, column as u32 + left, &borrowed(value))?;
                }
                Ok(())
            })?,
            Book::Xlsb(book) => guarded(|| {
                let mut reader = book.worksheet_cells_reader(sheet).map_err(|e| ReadError::damaged(&e))?;
                while let Some(cell) = reader.next_cell().map_err(|e| ReadError::damaged(&e))? {
                    let (row, column) = cell.get_position();
                    put(row, column, cell.get_value())?;
                }
                Ok(())
            })?,
        }
        cells.sort_by_key(|&(row, column, ..)| (row, column));
        cells.dedup_by_key(|&mut (row, column, ..)| (row, column));
        (self.text, self.cells, self.bare) = (text, cells, bare);
        Ok(())
    }

    /// The next row of the sheet that was taken in.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> bool {
        let Some(&(number, ..)) = self.cells.get(self.next) else { return false };
        row.clear(number);
        let sheet = self.look.as_ref().and_then(|look| look.sheet(self.sheet));
        row.hidden = sheet.is_some_and(|sheet| sheet.hides(number));
        while let Some(&(_, column, span, failed)) = self.cells.get(self.next).filter(|c| c.0 == number) {
            self.next += 1;
            let start = text.len();
            text.push_str(span.of(&self.text));
            let place = (column, Span::new(start, text.len()));
            if failed { row.errors.push(place) } else { row.cells.push(place) }
        }
        true
    }

    /// What may be shown as something else, by column, in the sheet that was taken in.
    pub(super) fn bare(&self) -> &BTreeMap<u32, Bare> {
        &self.bare
    }

    pub(super) fn merges(&self, sheet: &str) -> Vec<Merge> {
        let Book::Xls(book) = &self.book else { return Vec::new() };
        let merges = book.merge_cells_by_sheet_name(sheet).unwrap_or_default();
        let merge = |range: &calamine::Dimensions| Merge {
            first_row: range.start.0.saturating_add(1),
            last_row: range.end.0.saturating_add(1),
            first_column: range.start.1,
            last_column: range.end.1,
        };
        merges.iter().map(merge).collect()
    }
}

/// Takes note of a number whose format is not known.
fn note_number(bare: &mut BTreeMap<u32, Bare>, row: u32, column: u32, value: &DataRef<'_>) {
    let number = match value {
        DataRef::Int(int) => *int as f64,
        DataRef::Float(float) => *float,
        _ => return,
    };
    let (share, whole) = (number.abs() > 0.0 && number.abs() <= 2.0, number >= 0.0 && number.fract() == 0.0);
    if share || whole {
        let of = bare.entry(column).or_default();
        of.share = if share { of.share.max(row) } else { of.share };
        of.whole = if whole { of.whole.max(row) } else { of.whole };
    }
}

/// A number as its format shows it, in the terms of [`number::write`]; `None` if it is shown as it is, or is none.
fn write_shown(
    look: &Look,
    (sheet, row, column): (usize, u32, u32),
    dates: &[u32],
    value: &DataRef<'_>,
) -> Option<String> {
    let number = match value {
        DataRef::Int(int) => *int as f64,
        DataRef::Float(float) => *float,
        DataRef::DateTime(time) => time.as_f64(),
        _ => return None,
    };
    let shown = match look.shown(sheet, row, column, number) {
        Shown::Plain if dates.contains(&column) => Shown::Serial,
        Shown::Plain => return None,
        shown => shown,
    };
    let (mut raw, mut text) = (String::new(), String::new());
    number::write_plain(&mut raw, number);
    number::write(&mut text, &raw, shown, look.date1904);
    Some(text)
}

fn borrowed(value: &Data) -> DataRef<'_> {
    match value {
        Data::Int(int) => DataRef::Int(*int),
        Data::Float(float) => DataRef::Float(*float),
        Data::String(string) => DataRef::SharedString(string),
        Data::Bool(flag) => DataRef::Bool(*flag),
        Data::DateTime(time) => DataRef::DateTime(*time),
        Data::DateTimeIso(text) | Data::DurationIso(text) => DataRef::SharedString(text),
        Data::Error(error) => DataRef::Error(error.clone()),
        Data::Empty => DataRef::Empty,
    }
}

/// A cell's value as text; the readers of values take it from there.
fn write_value(text: &mut String, value: &DataRef<'_>) {
    match value {
        DataRef::Empty => {}
        DataRef::String(string) | DataRef::DateTimeIso(string) | DataRef::DurationIso(string) => {
            text.push_str(string);
        }
        DataRef::SharedString(string) => text.push_str(string),
        DataRef::Int(int) => text.push_str(itoa::Buffer::new().format(*int)),
        DataRef::Float(float) => number::write_plain(text, *float),
        DataRef::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        DataRef::DateTime(time) => write_time(text, time),
        DataRef::Error(error) => text.push_str(&error.to_string()),
    }
}

fn write_time(text: &mut String, time: &ExcelDateTime) {
    let serial = time.as_f64();
    if !time.is_datetime() || !(1.0..2_958_466.0).contains(&serial) {
        return number::write_plain(text, serial);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    // Writing to a String cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) != (0, 0, 0) {
        let _ = write!(text, " {hour:02}:{minute:02}:{second:02}");
    }
}

/// Runs calamine; a panic of it (a damaged file may find one) is the file's fault, not ours.
fn guarded<T>(run: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(ReadError::damaged(&"its parts contradict each other")))
}
