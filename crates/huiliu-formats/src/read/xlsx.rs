//! Workbooks in Office Open XML, through calamine's stream of cells.
//!
//! The archive is checked before calamine sees it, and calamine is never asked for a range: a sheet with one far
//! cell would make it claim memory for all cells between. One sheet at a time is held, as one text and the
//! places in it, bounded by [`Limits`]. A panic in calamine becomes an error of the delivery.
//!
//! Absent: hidden rows, fill-down of merged cells, formulas without a cached value, percent formats.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use zip::ZipArchive;

use super::chunk::{Chunk, Span};
use super::error::ReadError;
use super::header::{Grid, SEARCH_ROWS};
use super::options::Limits;

/// Most parts of an archive.
const MOST_PARTS: usize = 10_000;
/// Most bytes of one sheet's texts; places are 31 bits wide.
const MOST_TEXT: usize = 1 << 30;

/// An open workbook and the sheet that is being read.
pub(super) struct XlsxSource {
    workbook: Xlsx<BufReader<File>>,
    limits: Limits,
    /// Name, visible.
    sheets: Vec<(String, bool)>,
    text: String,
    /// Row number, column, text; in order of rows.
    cells: Vec<(u32, u32, Span)>,
    next: usize,
    /// Cells of sheets that were read through.
    done: u64,
}

impl XlsxSource {
    /// Opens a workbook whose archive promises to stay within the limits.
    pub(super) fn open(file: File, limits: &Limits) -> Result<Self, ReadError> {
        check_archive(file.try_clone().map_err(|e| ReadError::io(&e))?, limits)?;
        let workbook = guarded(|| Xlsx::new(BufReader::new(file)).map_err(|e| ReadError::damaged(&e)))?;
        let sheets = workbook
            .sheets_metadata()
            .iter()
            .map(|s| (s.name.clone(), s.visible == SheetVisible::Visible && s.typ == SheetType::WorkSheet))
            .collect();
        Ok(Self {
            workbook,
            limits: limits.clone(),
            sheets,
            text: String::new(),
            cells: Vec::new(),
            next: 0,
            done: 0,
        })
    }

    /// Names of all sheets in their order, and whether each is a visible sheet of cells.
    pub(super) fn sheets(&self) -> &[(String, bool)] {
        &self.sheets
    }

    /// The first rows of a sheet, for the search of its header.
    pub(super) fn first_rows(&mut self, sheet: &str) -> Result<Grid, ReadError> {
        let mut grid = Grid::new();
        let most_columns = self.limits.max_columns;
        self.each_cell(sheet, &mut |row, column, text| {
            if grid.last().is_none_or(|(number, _)| *number != row) {
                if grid.len() >= SEARCH_ROWS + 3 {
                    return Ok(false);
                }
                grid.push((row, Vec::new()));
            }
            if let Some((_, cells)) = grid.last_mut()
                && (column as usize) < most_columns
            {
                cells.resize(cells.len().max(column as usize + 1), String::new());
                cells[column as usize] = text.to_owned();
            }
            Ok(true)
        })?;
        Ok(grid)
    }

    /// Takes in a sheet from row `first` on.
    pub(super) fn load(&mut self, sheet: &str, first: u32) -> Result<(), ReadError> {
        self.done += self.cells.len() as u64;
        let (mut text, mut cells) = (std::mem::take(&mut self.text), std::mem::take(&mut self.cells));
        text.clear();
        cells.clear();
        let (limit, mut ordered) = (self.limits.max_sheet_cells, true);
        self.each_cell(sheet, &mut |row, column, value| {
            if row < first {
                return Ok(true);
            }
            if cells.len() >= limit {
                return Err(ReadError::too_large(
                    "工作表的单元格数",
                    "the number of cells of a sheet",
                    limit as u64,
                ));
            }
            if text.len() + value.len() > MOST_TEXT {
                return Err(ReadError::too_large("工作表的文字量", "the text of a sheet", MOST_TEXT as u64));
            }
            let start = text.len();
            text.push_str(value);
            ordered &= cells.last().is_none_or(|&(r, c, _)| (r, c) < (row, column));
            cells.push((row, column, Span::new(start, text.len())));
            Ok(true)
        })?;
        if !ordered {
            cells.sort_by_key(|&(row, column, _)| (row, column));
        }
        (self.text, self.cells, self.next) = (text, cells, 0);
        Ok(())
    }

    /// Fills the (cleared) chunk with at most `most` rows and gives their text; `None` at the sheet's end.
    pub(super) fn fill(&mut self, chunk: &mut Chunk, most: usize) -> Option<&str> {
        while let Some(&(number, ..)) = self.cells.get(self.next) {
            if chunk.rows() == most {
                break;
            }
            let row = chunk.cells.len();
            chunk.cells.resize(row + chunk.width, Span::default());
            while let Some(&(_, column, span)) = self.cells.get(self.next).filter(|cell| cell.0 == number) {
                self.next += 1;
                if (column as usize) < chunk.width {
                    chunk.cells[row + column as usize] = span;
                } else {
                    chunk.surplus.push((number, column, span));
                }
            }
            chunk.numbers.push(number);
        }
        (chunk.rows() > 0).then_some(&self.text)
    }

    /// Calls `each` with row number, column and text of the cells that hold something, until it says `false`.
    fn each_cell(
        &mut self,
        sheet: &str,
        each: &mut dyn FnMut(u32, u32, &str) -> Result<bool, ReadError>,
    ) -> Result<(), ReadError> {
        let workbook = &mut self.workbook;
        guarded(|| {
            let mut reader = workbook.worksheet_cells_reader(sheet).map_err(|e| ReadError::damaged(&e))?;
            let mut text = String::new();
            while let Some(cell) = reader.next_cell().map_err(|e| ReadError::damaged(&e))? {
                let (row, column) = cell.get_position();
                text.clear();
                write_cell(&mut text, cell.get_value());
                if !text.trim().is_empty() && !each(row.saturating_add(1), column, &text)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// A cell's value as text; the readers of values take it from there.
fn write_cell(text: &mut String, value: &DataRef<'_>) {
    match value {
        DataRef::Empty => {}
        DataRef::String(string) | DataRef::DateTimeIso(string) | DataRef::DurationIso(string) => {
            text.push_str(string)
        }
        DataRef::SharedString(string) => text.push_str(string),
        DataRef::Int(int) => text.push_str(itoa::Buffer::new().format(*int)),
        DataRef::Float(float) => write_float(text, *float),
        DataRef::Bool(bool) => text.push_str(if *bool { "true" } else { "false" }),
        DataRef::DateTime(time) if time.is_datetime() && time.as_f64() >= 1.0 => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            // Writing to a String cannot fail.
            let _ = write!(text, "{year:04}-{month:02}-{day:02}");
            if (hour, minute, second) != (0, 0, 0) {
                let _ = write!(text, " {hour:02}:{minute:02}:{second:02}");
            }
        }
        DataRef::DateTime(time) => write_float(text, time.as_f64()),
        DataRef::Error(error) => text.push_str(&error.to_string()),
    }
}

/// The shortest text that is this number, without an exponent where one is not needed.
fn write_float(text: &mut String, float: f64) {
    if float.fract() == 0.0 && float.abs() < 1e15 {
        text.push_str(itoa::Buffer::new().format(float as i64));
    } else {
        text.push_str(zmij::Buffer::new().format(float));
    }
}

/// Runs calamine; a panic of it (a damaged file may find one) is the file's fault, not ours.
fn guarded<T>(run: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(ReadError::damaged(&"its parts contradict each other")))
}

/// Refuses archives that would unpack to more than the limits allow, or that are no workbook.
fn check_archive(file: File, limits: &Limits) -> Result<(), ReadError> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| ReadError::damaged(&e))?;
    if archive.len() > MOST_PARTS {
        return Err(ReadError::too_large("压缩包内文件数", "the number of parts", MOST_PARTS as u64));
    }
    let (mut total, mut workbook, mut other) = (0_u64, false, None);
    for index in 0..archive.len() {
        let mut part = archive.by_index_raw(index).map_err(|e| ReadError::damaged(&e))?;
        let name = part.name().map_err(|e| ReadError::damaged(&e))?.to_lowercase();
        total = total.saturating_add(part.size());
        if part.encrypted() {
            return Err(ReadError::encrypted());
        }
        workbook |= name == "xl/workbook.xml";
        other = other.or(match name.as_str() {
            "word/document.xml" => Some(("Word 文档", "a text document")),
            "ppt/presentation.xml" => Some(("演示文稿", "a presentation")),
            "xl/workbook.bin" => Some(("二进制工作簿（xlsb）", "a binary workbook (xlsb)")),
            "content.xml" => Some(("OpenDocument 文件", "an OpenDocument file")),
            _ => None,
        });
        // Sheets are read as a stream and counted; all other parts are held whole, so their size is proved.
        if !name.starts_with("xl/worksheets/") && !name.starts_with("xl/media/") {
            drop(part);
            part = archive.by_index(index).map_err(|e| ReadError::damaged(&e))?;
            let bound = limits.max_unpacked_bytes.min(1 << 30);
            let size = std::io::copy(&mut part.by_ref().take(bound + 1), &mut std::io::sink());
            if size.map_err(|e| ReadError::damaged(&e))? > bound {
                return Err(ReadError::too_large("解压后的大小", "a part's unpacked size", bound));
            }
        }
    }
    if total > limits.max_unpacked_bytes {
        return Err(ReadError::too_large("解压后的大小", "the unpacked size", limits.max_unpacked_bytes));
    }
    match (workbook, other) {
        (true, _) => Ok(()),
        (false, Some((zh, en))) => Err(ReadError::wrong_type(zh, en)),
        (false, None) => Err(ReadError::wrong_type("压缩包", "an archive")),
    }
}
