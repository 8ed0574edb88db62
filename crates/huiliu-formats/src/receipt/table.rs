//! Rows of what was sent, for the page: those with findings first, then as many others as there is room for.
//!
//! The file is read once more, as it stands, without a record schema; what cannot be read again is left out of the
//! page, which lists every finding anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use huiliu_stage::{Finding, Origin, ROW, row_number, sheet_ordinal};

use super::ReceiptData;
use super::marks::clean;
use crate::read::{ReadOptions, open_raw};
use crate::report::SheetReport;

/// Most rows shown, of all sheets together.
const MAX_ROWS: usize = 1_000;
/// Most columns shown.
const MAX_COLUMNS: usize = 100;
/// Most characters of a cell.
const MAX_CHARS: usize = 200;

/// A sheet, or a file that has none.
pub(super) struct Table<'a> {
    /// Its name; empty where there is one table only.
    pub(super) name: &'a str,
    /// The headers as sent.
    pub(super) headers: Vec<String>,
    /// In the order of the file.
    pub(super) rows: Vec<Row<'a>>,
    /// Whether rows were left out.
    pub(super) more: bool,
}

/// A row as sent.
pub(super) struct Row<'a> {
    /// As the sender counts.
    pub(super) number: u32,
    /// Findings about the row as a whole, or about a field that it has no cell for.
    pub(super) findings: Vec<&'a Finding>,
    /// The texts of the cells, each with the findings about it.
    pub(super) cells: Vec<(String, Vec<&'a Finding>)>,
}

/// The findings of one sheet by row.
type ByRow<'a> = BTreeMap<i64, Vec<&'a Finding>>;

/// The tables of what lies at `source`; none of a file that was not understood.
pub(super) fn tables<'a>(data: &'a ReceiptData, source: &Path) -> Vec<Table<'a>> {
    let mut room = MAX_ROWS;
    let mut tables = Vec::new();
    for (ordinal, report) in (0_u32..).zip(&data.report.sheets) {
        if report.columns.is_empty() {
            continue;
        }
        let place =
            data.sheets.iter().position(|name| *name == report.name).and_then(|at| u32::try_from(at).ok());
        let mut findings = ByRow::new();
        for finding in &data.findings {
            if let Some(id) = finding.row.filter(|id| sheet_ordinal(*id) == place.unwrap_or(ordinal)) {
                findings.entry(i64::from(row_number(id))).or_default().push(finding);
            }
        }
        // What was read once without harm is read in another way here; a reader that panics costs the table only.
        let read = catch_unwind(AssertUnwindSafe(|| table(data, report, findings, source, room)));
        if let Ok(Some(table)) = read {
            room -= table.rows.len().min(room);
            tables.push(table);
        }
    }
    tables
}

fn table<'a>(
    data: &ReceiptData,
    report: &'a SheetReport,
    mut findings: ByRow<'a>,
    source: &Path,
    room: usize,
) -> Option<Table<'a>> {
    let mut options = ReadOptions::default();
    options.format.sheet = Some(report.name.clone()).filter(|name| !name.is_empty());
    if data.report.format != "jsonl" {
        options.format.header_row = report.header_rows.last().copied();
    }
    let bad: BTreeSet<i64> = findings.keys().copied().take(room).collect();
    let last_bad = bad.last().copied().unwrap_or(0);
    // So many rows without findings have room beside those with.
    let mut others = room - bad.len();
    let mut table =
        Table { name: &report.name, headers: Vec::new(), rows: Vec::new(), more: findings.len() > room };
    for read in open_raw(source, &options).ok()? {
        let batch = read.ok()?.batch;
        let columns = Columns::of(&batch, report);
        if columns.names.len() > table.headers.len() {
            table.headers.clone_from(&columns.names);
        }
        let ids = batch.column_by_name(ROW)?.as_primitive_opt::<arrow::datatypes::Int64Type>()?;
        for at in 0..batch.num_rows() {
            let number = row_number(ids.value(at));
            let found = match bad.contains(&i64::from(number)) {
                true => findings.remove(&i64::from(number)).unwrap_or_default(),
                false if others > 0 => {
                    others -= 1;
                    Vec::new()
                }
                false => {
                    table.more = true;
                    if i64::from(number) > last_bad {
                        return Some(table);
                    }
                    continue;
                }
            };
            table.rows.push(columns.row(number, at, found));
        }
    }
    Some(table)
}

/// The columns of a batch that were sent, and the field that each was read as.
struct Columns<'b> {
    names: Vec<String>,
    texts: Vec<&'b StringArray>,
    fields: Vec<Option<&'b str>>,
}

impl<'b> Columns<'b> {
    fn of(batch: &'b RecordBatch, report: &'b SheetReport) -> Self {
        let origin = Origin::of(batch);
        let mut columns = Self { names: Vec::new(), texts: Vec::new(), fields: Vec::new() };
        let sent = batch.schema_ref().fields.iter().zip(batch.columns());
        for (field, column) in sent.filter(|(field, _)| !field.name().starts_with('_')).take(MAX_COLUMNS) {
            let Some(texts) = column.as_string_opt::<i32>() else { continue };
            let index = origin.columns.get(field.name());
            let by_name = report.columns.iter().find(|column| column.header == *field.name());
            let told = by_name.or_else(|| report.columns.iter().find(|column| Some(&column.index) == index));
            columns.names.push(field.name().clone());
            columns.texts.push(texts);
            columns.fields.push(told.and_then(|column| column.field.as_deref()));
        }
        columns
    }

    fn row<'a>(&self, number: u32, at: usize, findings: Vec<&'a Finding>) -> Row<'a> {
        let text = |texts: &StringArray| if texts.is_null(at) { "" } else { texts.value(at) }.to_owned();
        let mut cells: Vec<_> =
            self.texts.iter().map(|texts| (clean(&text(texts), MAX_CHARS), Vec::new())).collect();
        let mut rest = Vec::new();
        for finding in findings {
            let column =
                finding.field.as_deref().and_then(|field| self.fields.iter().position(|f| *f == Some(field)));
            match column.and_then(|column| cells.get_mut(column)) {
                Some((_, about)) => about.push(finding),
                None => rest.push(finding),
            }
        }
        Row { number, findings: rest, cells }
    }
}
