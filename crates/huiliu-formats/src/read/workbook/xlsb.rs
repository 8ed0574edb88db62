//! Binary workbooks (`.xlsb`), through calamine.
//!
//! Nothing reaches calamine before its size was checked and its records were walked ([`proof`]), and a panic of it becomes an error of the delivery. One
//! sheet at a time is held, as one text and the places in it. Calamine does not say how a number is shown, so that a
//! percentage and a code look like any number; [`Bare`] tells where that may matter.

mod proof;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufReader, Read, sink};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsb};

use super::number;
use super::sheet::Row;
use crate::read::chunk::Span;
use crate::read::error::ReadError;
use crate::read::package::Package;

/// Most bytes of one sheet's texts.
const MOST_TEXT: usize = 128 << 20;
/// Most cells of one sheet.
const MOST_CELLS: usize = 8_000_000;
/// Largest part of a binary workbook that is held whole.
const MOST_PART: u64 = 64 << 20;

/// The last rows of a column with numbers that may be shown as something else; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::read) struct Bare {
    /// With a number between 0 and 2, which may be shown as a percentage.
    pub(in crate::read) share: u32,
    /// With a whole number, which may be shown with zeros in front.
    pub(in crate::read) whole: u32,
}

/// A workbook that calamine reads.
pub(super) struct Binary {
    book: Box<Xlsb<BufReader<File>>>,
    text: String,
    /// Row number, column, text, whether it is an error; in order of rows.
    cells: Vec<(u32, u32, Span, bool)>,
    next: usize,
    bare: BTreeMap<u32, Bare>,
}

/// Opens a package that holds a binary workbook; `None` if it holds none.
pub(super) fn recognize(file: &File, package: &Package) -> Result<Option<Binary>, ReadError> {
    if package.find("xl/workbook.bin").is_none() {
        return Ok(None);
    }
    prove(package)?;
    let reader = BufReader::new(file.try_clone().map_err(|e| ReadError::io(&e))?);
    let book = guarded(|| Xlsb::new(reader).map_err(|e| ReadError::damaged(&e)))?;
    let (text, cells, bare) = (String::new(), Vec::new(), BTreeMap::new());
    Ok(Some(Binary { book: Box::new(book), text, cells, next: 0, bare }))
}

/// Reads the parts of a binary workbook once, since calamine believes their declared sizes.
fn prove(package: &Package) -> Result<(), ReadError> {
    for name in package.names().filter(|name| name.ends_with(".bin") || name.ends_with(".rels")) {
        let held = !name.to_lowercase().contains("worksheets/");
        if held && package.size(name).is_some_and(|size| size > MOST_PART) {
            return Err(ReadError::too_large("工作簿的文字量（字节）", "a part's unpacked size", MOST_PART));
        }
        let Some(mut entry) = package.entry(name)? else { continue };
        if has_records(name) {
            proof::prove(entry)?;
        } else {
            std::io::copy(&mut entry.by_ref(), &mut sink()).map_err(|e| ReadError::damaged(&e))?;
        }
    }
    Ok(())
}

/// Whether calamine takes the part for records; others may hold pictures or settings of a printer.
fn has_records(name: &str) -> bool {
    let name = name.to_lowercase().replace('\\', "/");
    let known = ["xl/workbook.bin", "xl/sharedstrings.bin", "xl/styles.bin"];
    known.contains(&name.as_str()) || (name.starts_with("xl/worksheets/") && name.ends_with(".bin"))
}

impl Binary {
    pub(super) fn sheets(&self) -> Vec<(String, bool)> {
        let shown = |s: &calamine::Sheet| s.visible == SheetVisible::Visible && s.typ == SheetType::WorkSheet;
        self.book.sheets_metadata().iter().map(|sheet| (sheet.name.clone(), shown(sheet))).collect()
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
        let mut put = |row: u32, column: u32, value: &DataRef<'_>| {
            let start = text.len();
            write_value(&mut text, value);
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
            note_number(&mut bare, row.saturating_add(1), column, value);
            let span = Span::new(start, text.len());
            cells.push((row.saturating_add(1), column, span, matches!(value, DataRef::Error(_))));
            Ok(())
        };
        guarded(|| {
            let mut reader = self.book.worksheet_cells_reader(sheet).map_err(|e| ReadError::damaged(&e))?;
            while let Some(cell) = reader.next_cell().map_err(|e| ReadError::damaged(&e))? {
                let (row, column) = cell.get_position();
                put(row, column, cell.get_value())?;
            }
            Ok(())
        })?;
        cells.sort_by_key(|&(row, column, ..)| (row, column));
        cells.dedup_by_key(|&mut (row, column, ..)| (row, column));
        (self.text, self.cells, self.bare) = (text, cells, bare);
        Ok(())
    }

    /// The next row of the sheet that was taken in.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> bool {
        let Some(&(number, ..)) = self.cells.get(self.next) else { return false };
        row.clear(number);
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
