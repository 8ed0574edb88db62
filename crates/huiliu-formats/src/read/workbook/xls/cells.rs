//! One sheet of an old workbook: where its cells stand, in order of rows, and what is hidden or merged.

use super::super::merges::Merge;
use super::globals::{BEGIN, END, begins};
use super::records::{half, records};
use crate::read::error::ReadError;

/// Most merged ranges and hidden ranges that are kept.
const MOST_RANGES: usize = 1 << 18;

/// What stands at a cell's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A double.
    Number,
    /// A number in 4 bytes.
    Short,
    /// The index of a shared text.
    Shared,
    /// A record that holds row, column, style and the text.
    Text,
    /// A record that holds the text that a formula gave.
    Result,
    Boolean,
    Error,
    /// A formula that gave an empty text, or none yet.
    Nothing,
}

/// A cell and where in the stream its value stands; right before a number stands its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 0, as the column.
    pub(super) row: u16,
    pub(super) column: u16,
    pub(super) at: u32,
    pub(super) kind: Kind,
    pub(super) is_formula: bool,
}

#[derive(Debug, Default)]
pub(super) struct OldSheet {
    pub(super) cells: Vec<Place>,
    hidden_rows: Vec<u16>,
    pub(super) hidden_columns: Vec<(u32, u32)>,
    pub(super) merges: Vec<Merge>,
    formulas: usize,
    /// Formulas that have no result but an empty text.
    blank: usize,
}

impl OldSheet {
    /// Looks through the records of the sheet that begins at a place.
    pub(super) fn read(stream: &[u8], from: usize, new: bool, most_cells: usize) -> Result<Self, ReadError> {
        if !begins(stream, from) {
            return Err(ReadError::damaged(&"a sheet is not where the workbook says"));
        }
        let (mut sheet, mut depth) = (Self::default(), 0_u32);
        for (at, kind, data) in records(stream, from) {
            match kind {
                BEGIN => depth += 1,
                END if depth <= 1 => break,
                END => depth -= 1,
                // Charts stand within sheets and have cells of their own.
                _ if depth == 1 => sheet.take(at, kind, data, new),
                _ => {}
            }
            if sheet.cells.len() > most_cells {
                return Err(ReadError::too_large(
                    "工作表的单元格数",
                    "the number of cells of a sheet",
                    most_cells as u64,
                ));
            }
        }
        sheet.tidy();
        Ok(sheet)
    }

    fn take(&mut self, at: usize, kind: u16, data: &[u8], new: bool) {
        match kind {
            0x0203 => self.put(at + 10, Kind::Number, data),
            0x027e => self.put(at + 10, Kind::Short, data),
            0x00fd if new => self.put(at + 10, Kind::Shared, data),
            0x0204 | 0x00d6 => self.put(at, Kind::Text, data),
            // A byte behind the value says whether it is an error.
            0x0205 => match data.get(7) {
                Some(0) => self.put(at + 10, Kind::Boolean, data),
                _ => self.put(at + 10, Kind::Error, data),
            },
            0x0006 => self.formula(at, data),
            0x0207 => {
                if let Some(cell) = self.cells.last_mut().filter(|cell| cell.is_formula) {
                    (cell.kind, cell.at) = (Kind::Result, u32::try_from(at).unwrap_or(u32::MAX));
                }
            }
            0x00bd => self.side_by_side(at, data),
            0x0208 if half(data, 12).is_some_and(|flags| flags & 0x20 != 0) => {
                self.hidden_rows.extend(half(data, 0));
            }
            0x007d if half(data, 8).is_some_and(|flags| flags & 1 != 0) => {
                if let (Some(first), Some(last)) = (half(data, 0), half(data, 2))
                    && first <= last
                    && self.hidden_columns.len() < MOST_RANGES
                {
                    self.hidden_columns.push((u32::from(first), u32::from(last)));
                }
            }
            0x00e5 => self.merge(data),
            _ => {}
        }
    }

    fn put(&mut self, at: usize, kind: Kind, data: &[u8]) {
        let (Some(row), Some(column)) = (half(data, 0), half(data, 2)) else { return };
        self.push(row, column, at, kind);
    }

    fn push(&mut self, row: u16, column: u16, at: usize, kind: Kind) {
        // The container is smaller than that.
        let Ok(at) = u32::try_from(at) else { return };
        self.cells.push(Place { row, column, at, kind, is_formula: false });
    }

    /// A formula has its result in place of a number, or a mark of what it is instead.
    fn formula(&mut self, at: usize, data: &[u8]) {
        let (kind, offset) = match data.get(6..14) {
            Some([kind, .., 0xff, 0xff]) => match kind {
                // The text stands in the next record.
                0 | 3 => (Kind::Nothing, 6),
                1 => (Kind::Boolean, 8),
                _ => (Kind::Error, 8),
            },
            Some(_) => (Kind::Number, 6),
            None => return,
        };
        self.put(at + 4 + offset, kind, data);
        if let Some(cell) = self.cells.last_mut() {
            cell.is_formula = true;
        }
        self.formulas += 1;
        self.blank += usize::from(data.get(6) == Some(&3) && kind == Kind::Nothing);
    }

    /// Numbers side by side: row, first column, style and number of each, last column.
    fn side_by_side(&mut self, at: usize, data: &[u8]) {
        let (Some(row), Some(first)) = (half(data, 0), half(data, 2)) else { return };
        let pieces = data.len().saturating_sub(6) / 6;
        for (column, piece) in (first..=u16::MAX).zip(0..pieces) {
            self.push(row, column, at + 4 + 4 + piece * 6 + 2, Kind::Short);
        }
    }

    fn merge(&mut self, data: &[u8]) {
        let count = half(data, 0).map_or(0, usize::from);
        for range in data.get(2..).unwrap_or_default().chunks_exact(8).take(count) {
            let at = |of: usize| half(range, of).map(u32::from).unwrap_or(0);
            let (first_row, last_row, first_column, last_column) = (at(0), at(2), at(4), at(6));
            if first_row <= last_row && first_column <= last_column && self.merges.len() < MOST_RANGES {
                self.merges.push(Merge {
                    first_row: first_row + 1,
                    last_row: last_row + 1,
                    first_column,
                    last_column,
                });
            }
        }
    }

    fn tidy(&mut self) {
        let place = |cell: &Place| (cell.row, cell.column);
        if !self.cells.is_sorted_by_key(place) {
            self.cells.sort_by_key(place);
        }
        // Of a cell that is there twice the last one counts, as in the programs that show it.
        self.cells.dedup_by(|later, kept| {
            let same = place(later) == place(kept);
            if same {
                *kept = *later;
            }
            same
        });
        self.hidden_rows.sort_unstable();
        self.hidden_columns.sort_unstable();
    }

    /// Whether the row (from 0) is hidden.
    pub(super) fn hides(&self, row: u16) -> bool {
        self.hidden_rows.binary_search(&row).is_ok()
    }

    /// Whether no formula of the sheet has a result: then whoever wrote the file left them to the program that opens it.
    pub(super) fn is_uncomputed(&self) -> bool {
        self.formulas > 0 && self.blank == self.formulas
    }
}
