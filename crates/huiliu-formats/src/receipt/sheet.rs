//! One copied sheet: rows come in from top to bottom, are merged with the marks and written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use huiliu_stage::Finding;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::ReceiptData;
use super::marks::{Kind, Looks, SheetMarks, clean, heaviest, note, width};

/// Rows of a worksheet.
pub(super) const MAX_ROWS: u32 = 1_048_576;
/// Columns of a worksheet.
pub(super) const MAX_COLUMNS: u16 = 16_384;
/// A cell holds 32 767 UTF-16 units.
const MAX_CELL_CHARS: usize = 16_000;

/// Columns are made as wide as their texts in these rows, within bounds, in digits.
const WIDTH_ROWS: u32 = 500;
const NARROWEST: usize = 8;
const WIDEST: usize = 42;

/// What may still be copied of rows without findings.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) rows: u64,
    pub(super) cells: u64,
}

/// The value of a cell.
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(f64, Kind),
    Boolean(bool),
}

/// The cells of a row by column.
pub(super) type Row<'a> = BTreeMap<u16, Value<'a>>;

/// A sheet while it is copied.
pub(super) struct SheetCopy<'a> {
    pub(super) worksheet: Worksheet,
    pub(super) data: &'a ReceiptData,
    pub(super) looks: &'a Looks,
    pub(super) marks: &'a SheetMarks<'a>,
    /// Number of the last row of the header, which is always copied with what stands above it.
    pub(super) header: u32,
    pub(super) budget: Budget,
    /// Rows up to this number are written.
    pub(super) done: u32,
    /// Whether rows were left out.
    pub(super) excerpt: bool,
    /// How wide the texts of each column are, from the header on.
    pub(super) widths: BTreeMap<u16, usize>,
}

impl SheetCopy<'_> {
    /// Takes the row `number` (1 is the first); rows come in ascending order. Says whether to go on.
    pub(super) fn row(&mut self, number: u32, cells: &Row<'_>) -> Result<bool, XlsxError> {
        self.marked_until(number)?;
        if number <= self.done || number > MAX_ROWS {
            self.excerpt = true;
            return Ok(number <= self.done);
        }
        let marks = self.marks.get(&number);
        let wanted = cells.len() as u64;
        if marks.is_none() && number > self.header {
            if self.budget.rows == 0 || self.budget.cells < wanted {
                return Ok(self.pass_over(number, cells.is_empty()));
            }
            self.budget.rows -= 1;
            self.budget.cells -= wanted;
        }
        self.write(number, cells, marks)?;
        Ok(true)
    }

    /// Whether the row `number` is of no interest, so that its cells need not even be gathered.
    pub(super) fn passes_over(&self, number: u32) -> bool {
        self.budget.rows == 0 && number > self.header && !self.marks.contains_key(&number)
    }

    /// Leaves the row `number` out. Says whether to go on.
    pub(super) fn pass_over(&mut self, number: u32, blank: bool) -> bool {
        self.excerpt |= !blank;
        // From here on only rows with findings are of interest.
        self.budget = Budget { rows: 0, cells: 0 };
        self.marks.range(number..).next().is_some()
    }

    /// Ends the sheet: marks on rows that never came are set all the same.
    pub(super) fn finish(&mut self) -> Result<(), XlsxError> {
        self.marked_until(MAX_ROWS + 1)?;
        for (&column, &width) in &self.widths {
            let width = (width + 2).clamp(NARROWEST, WIDEST);
            self.worksheet.set_column_width(column, width as f64)?;
        }
        if self.excerpt {
            // What was left out is not shown as if it had been blank.
            self.worksheet.hide_unused_rows(true);
        }
        Ok(())
    }

    /// Writes the marked rows before `number` that have no cells of their own.
    fn marked_until(&mut self, number: u32) -> Result<(), XlsxError> {
        let all = self.marks;
        for (&row, marks) in all.range(self.done + 1..number.max(self.done + 1)) {
            self.write(row, &Row::new(), Some(marks))?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        number: u32,
        cells: &Row<'_>,
        marks: Option<&BTreeMap<u16, Vec<&Finding>>>,
    ) -> Result<(), XlsxError> {
        let row = number - 1;
        self.done = number;
        for (&column, value) in cells {
            if let (Value::Text(text), true) = (value, (self.header..WIDTH_ROWS).contains(&number)) {
                let widest = self.widths.entry(column).or_default();
                *widest = width(text).max(*widest);
            }
            let findings = marks.and_then(|marks| marks.get(&column));
            self.value(row, column, value, findings.and_then(|findings| heaviest(findings)))?;
        }
        for (&column, findings) in marks.into_iter().flatten() {
            if column >= MAX_COLUMNS {
                continue;
            }
            let look = self.looks.of(Kind::General, heaviest(findings));
            if let Some(look) = look.filter(|_| !cells.contains_key(&column)) {
                self.worksheet.write_blank(row, column, look)?;
            }
            self.worksheet.insert_note(row, column, &note(self.data, findings))?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        row: u32,
        column: u16,
        value: &Value<'_>,
        mark: Option<huiliu_stage::Severity>,
    ) -> Result<(), XlsxError> {
        let kind = if let Value::Number(_, kind) = value { *kind } else { Kind::General };
        let sheet = &mut self.worksheet;
        match (value, self.looks.of(kind, mark)) {
            (Value::Text(text), look) => {
                let text = match text.len() < MAX_CELL_CHARS && !text.contains(['\u{fffe}', '\u{ffff}']) {
                    true => Cow::Borrowed(text.as_ref()),
                    false => Cow::Owned(clean(text, MAX_CELL_CHARS)),
                };
                match look {
                    Some(look) => sheet.write_string_with_format(row, column, text, look)?,
                    None => sheet.write_string(row, column, text)?,
                }
            }
            (Value::Number(number, _), Some(look)) => {
                sheet.write_number_with_format(row, column, *number, look)?
            }
            (Value::Number(number, _), None) => sheet.write_number(row, column, *number)?,
            (Value::Boolean(yes), Some(look)) => sheet.write_boolean_with_format(row, column, *yes, look)?,
            (Value::Boolean(yes), None) => sheet.write_boolean(row, column, *yes)?,
        };
        Ok(())
    }
}
