//! Where a finding is, in the words of the sender: sheet, row, cell.

use huiliu_stage::{Finding, cell_address, row_number, sheet_ordinal};

use super::ReceiptData;
use crate::report::SheetReport;

/// The place of a finding about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// Ordinal of the sheet.
    pub(super) sheet: usize,
    /// Name of the sheet; empty for a file without sheets.
    pub(super) name: &'a str,
    /// The row as the sender counts: 1 is the first.
    pub(super) row: u32,
    /// The column, if the finding is about a field that was read from one.
    pub(super) column: Option<usize>,
}

impl Place<'_> {
    /// Such as `C5`; `None` for the row as a whole.
    pub(super) fn cell(&self) -> Option<String> {
        self.column.map(|column| cell_address(column, self.row))
    }
}

impl ReceiptData {
    /// Whether the file has cells with addresses; JSON and XML have only records.
    pub(super) fn has_cells(&self) -> bool {
        !is_records(&self.report.format)
    }

    /// Whether a sheet of a package is a file of records.
    fn holds_records(&self, sheet: &str) -> bool {
        self.report.files.iter().any(|file| file.name == sheet && is_records(&file.format))
    }

    /// What the reader said about a sheet.
    pub(super) fn sheet_report(&self, ordinal: usize) -> Option<&SheetReport> {
        let by_name = self.sheets.get(ordinal).and_then(|name| {
            let mut same = self.report.sheets.iter().filter(|sheet| sheet.name == *name);
            same.next()
        });
        // A file without sheets need not list its one nameless sheet.
        by_name.or_else(|| self.report.sheets.get(ordinal).filter(|_| self.sheets.is_empty()))
    }

    /// The place of a finding; `None` for one about the delivery as a whole.
    pub(super) fn place(&self, finding: &Finding) -> Option<Place<'_>> {
        let id = finding.row?;
        let sheet = sheet_ordinal(id) as usize;
        let report = self.sheet_report(sheet);
        let column = finding.field.as_deref().filter(|_| self.has_cells()).and_then(|field| {
            let report = report.filter(|report| !self.holds_records(&report.name));
            let mut columns = report?.columns.iter();
            columns.find(|column| column.field.as_deref() == Some(field)).map(|column| column.index)
        });
        let name = self.sheets.get(sheet).or(report.map(|report| &report.name));
        Some(Place { sheet, name: name.map_or("", String::as_str), row: row_number(id), column })
    }

    /// The first column of the table on a sheet.
    pub(super) fn first_column(&self, sheet: usize) -> usize {
        let columns = self.sheet_report(sheet).map(|report| report.columns.iter());
        columns.and_then(|columns| columns.map(|column| column.index).min()).unwrap_or(0)
    }
}

fn is_records(format: &str) -> bool {
    ["jsonl", "json", "xml"].contains(&format)
}
