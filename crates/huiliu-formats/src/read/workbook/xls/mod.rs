//! Workbooks of the old format (`.xls`, WPS `.et`): a stream of records in an OLE2 container.
//!
//! Excel 95 to 2003 wrote it and WPS still does. The stream is held whole, and of a sheet the places of its cells; sizes that
//! the file claims are believed nowhere, so nothing is asked of the machine that the file itself does not fill. What all sheets
//! share is in [`globals`], one sheet in [`cells`], texts that go on in further records in [`records`].

mod cells;
mod globals;
mod records;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::os::unix::fs::FileExt;

use self::cells::{Kind, OldSheet, Place};
use self::globals::Globals;
use self::records::{Long, text_of};
pub(super) use self::records::{half, word};
use super::compound;
use super::merges::Merge;
use super::number;
use super::sheet::Row;
use super::styles::Shown;
use crate::read::chunk::Span;
use crate::read::error::ReadError;
use crate::read::options::Limits;

/// A workbook of the old format and the sheet of it that is being read.
pub(super) struct Xls {
    stream: Vec<u8>,
    globals: Globals,
    /// The sheet that was taken in last, by its place among all.
    sheet: (usize, OldSheet),
    next: usize,
    /// Columns whose numbers without a format are days of 1904.
    dates: Vec<u32>,
    /// Most bytes of a row's texts.
    most_text: usize,
    most_cells: usize,
}

/// Opens a workbook of the old format; `None` if the file is no OLE2 container.
pub(super) fn recognize(file: &File, limits: &Limits) -> Result<Option<Xls>, ReadError> {
    let mut head = [0; 8];
    let count = file.read_at(&mut head, 0).map_err(|e| ReadError::io(&e))?;
    if head.get(..count) != Some(compound::MAGIC) {
        return Ok(None);
    }
    Ok(Some(Xls::of(compound::check(file)?, limits)))
}

impl Xls {
    fn of(stream: Vec<u8>, limits: &Limits) -> Self {
        let globals = Globals::read(&stream);
        let most_text = limits.max_row_bytes;
        let most_cells = limits.max_sheet_cells;
        let sheet = (usize::MAX, OldSheet::default());
        Self { stream, globals, sheet, next: 0, dates: Vec::new(), most_text, most_cells }
    }

    /// Names of all sheets, and whether each is a visible sheet of cells.
    pub(super) fn sheets(&self) -> Vec<(String, bool)> {
        self.globals.sheets.iter().map(|sheet| (sheet.name.clone(), sheet.visible)).collect()
    }

    /// Says which columns hold days; see [`XlsxSource::expect_dates`](super::XlsxSource::expect_dates).
    pub(super) fn expect_dates(&mut self, columns: Vec<u32>) {
        self.dates = if self.globals.date1904 { columns } else { Vec::new() };
    }

    /// Begins a sheet.
    pub(super) fn start(&mut self, name: &str) -> Result<(), ReadError> {
        self.next = 0;
        let found = self.globals.sheets.iter().position(|sheet| sheet.name == name);
        let Some((at, sheet)) = found.and_then(|at| Some((at, self.globals.sheets.get(at)?))) else {
            self.sheet = (usize::MAX, OldSheet::default());
            return Ok(());
        };
        if self.sheet.0 != at {
            let read = OldSheet::read(&self.stream, sheet.at as usize, self.globals.new, self.most_cells)?;
            self.sheet = (at, read);
        }
        Ok(())
    }

    /// Hidden columns of the sheet that is being read, first and last of each range.
    pub(super) fn hidden_columns(&self) -> &[(u32, u32)] {
        &self.sheet.1.hidden_columns
    }

    /// The merged ranges of a sheet.
    pub(super) fn merges(&mut self, name: &str) -> Result<Vec<Merge>, ReadError> {
        self.start(name)?;
        Ok(self.sheet.1.merges.clone())
    }

    /// The next row of the sheet that is being read.
    pub(super) fn next_row(&mut self, row: &mut Row, text: &mut String) -> Result<bool, ReadError> {
        let Some(number) = self.sheet.1.cells.get(self.next).map(|cell| cell.row) else { return Ok(false) };
        row.clear(u32::from(number) + 1);
        row.hidden = self.sheet.1.hides(number);
        let from = text.len();
        while let Some(&cell) = self.sheet.1.cells.get(self.next).filter(|cell| cell.row == number) {
            self.next += 1;
            let (start, column) = (text.len(), u32::from(cell.column));
            let failed = self.write(cell, text);
            if cell.is_formula {
                row.formulas += 1;
                if self.sheet.1.is_uncomputed() {
                    row.uncomputed.push(column);
                }
            }
            if failed.is_none() {
                row.lost.push(column);
            }
            if text.get(start..).is_none_or(|text| text.trim().is_empty()) {
                text.truncate(start);
                continue;
            }
            if text.len() - from > self.most_text {
                return Err(ReadError::too_large(
                    "一行的文字量（字节）",
                    "the texts of a row in bytes",
                    self.most_text as u64,
                ));
            }
            let place = (column, Span::new(start, text.len()));
            if failed == Some(true) { row.errors.push(place) } else { row.cells.push(place) }
        }
        Ok(true)
    }

    /// Adds a cell's text; gives whether it is that of an error, `None` if it names a text that is not there.
    fn write(&self, cell: Place, text: &mut String) -> Option<bool> {
        let at = cell.at as usize;
        match cell.kind {
            Kind::Number => {
                let bytes = self.stream.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
                self.write_number(cell, bytes.map_or(0.0, f64::from_le_bytes), text);
            }
            Kind::Short => self.write_number(cell, short(word(&self.stream, at).unwrap_or(0)), text),
            Kind::Shared => {
                let index = word(&self.stream, at).and_then(|index| usize::try_from(index).ok());
                text.push_str(self.globals.shared(index?)?);
            }
            Kind::Text => {
                // Behind row, column and style of a label.
                let mut long = Long::at(&self.stream, at)?;
                long.skip(6);
                text_of(&mut long, self.globals.new, self.globals.encoding(), text);
            }
            Kind::Result => {
                let mut long = Long::at(&self.stream, at)?;
                text_of(&mut long, self.globals.new, self.globals.encoding(), text);
            }
            Kind::Boolean => text.push_str(match self.stream.get(at) {
                Some(0) | None => "false",
                Some(_) => "true",
            }),
            Kind::Error => {
                text.push_str(error(self.stream.get(at).copied().unwrap_or(0)));
                return Some(true);
            }
            Kind::Nothing => {}
        }
        Some(false)
    }

    /// A number as its format shows it.
    fn write_number(&self, cell: Place, value: f64, text: &mut String) {
        let styles = &self.globals.styles;
        // The style stands right before the value.
        let style = (cell.at as usize).checked_sub(2).and_then(|at| half(&self.stream, at)).unwrap_or(0);
        let shown = match styles.chosen(styles.get(u32::from(style)), value) {
            Shown::Plain if self.dates.contains(&u32::from(cell.column)) => Shown::Serial,
            shown => shown,
        };
        if shown == Shown::Plain {
            return number::write_plain(text, value);
        }
        let mut raw = String::new();
        number::write_plain(&mut raw, value);
        number::write(text, &raw, shown, self.globals.date1904);
    }
}

/// A number in 4 bytes: the upper half of a double or a whole number, perhaps of hundredths.
fn short(raw: u32) -> f64 {
    let value = match raw & 2 {
        0 => f64::from_bits(u64::from(raw & !3) << 32),
        _ => f64::from(raw.cast_signed() >> 2),
    };
    if raw & 1 == 1 { value / 100.0 } else { value }
}

/// How a failed formula is shown.
fn error(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        _ => "#N/A",
    }
}
