//! Merged cells among the data rows: titles across the table, and values whose other rows stay empty.

use huiliu_stage::{Finding, RecordSchema, Severity, Text, cell_address, row_id};

use crate::read::header::Layout;
use crate::read::merged::Merged;

/// Fewest columns of a cell across the table.
const FEWEST_COLUMNS: usize = 3;
/// Most addresses in one message.
const SHOWN: usize = 8;

/// Rows whose first cell is merged over more than half of the table, ascending.
pub(super) fn wide(merged: &Merged, layout: &Layout) -> Vec<u32> {
    let columns = layout.columns.len();
    let mut rows: Vec<u32> = merged
        .ranges()
        .iter()
        .filter(|range| range.first_row == range.last_row && range.first_column <= 1)
        .filter(|range| {
            let width = range.columns() as usize;
            width >= FEWEST_COLUMNS && width * 2 > columns
        })
        .map(|range| range.first_row)
        .collect();
    rows.dedup();
    rows
}

/// Tells of cells that are merged over several rows in columns that are not filled down: all but the first row of such
/// a cell have no value.
pub(in crate::read) fn untaken(
    record: &RecordSchema,
    layout: &Layout,
    merged: &Merged,
    sheet: u32,
) -> Vec<Finding> {
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let mut findings = Vec::new();
    for (column, field) in layout.columns.iter().enumerate().filter_map(|(at, c)| Some((at, c.field?))) {
        let Some(field) = record.fields.get(field).filter(|field| !field.fill_down) else { continue };
        let mut shown: Vec<String> = Vec::new();
        let (mut count, mut first) = (0_usize, None);
        for range in
            merged.down(column, last).filter(|r| r.columns() <= 2 && r.first_column as usize == column)
        {
            count += 1;
            first = first.or(Some(row_id(sheet, range.first_row)));
            if shown.len() < SHOWN {
                let (from, to) =
                    (cell_address(column, range.first_row), cell_address(column, range.last_row));
                shown.push(format!("{from}:{to}"));
            }
        }
        if count == 0 {
            continue;
        }
        let places = shown.join("、") + if count > shown.len() { "…" } else { "" };
        let title = field.title();
        let text = Text::new(
            format!(
                "“{title}”有合并单元格（{places}），只有首行有值，其余行按空白读取；如各行相同，请取消合并后逐行填写"
            ),
            format!(
                "{title} has merged cells ({places}): their value is that of the first row only, the other rows are empty; undo the merge and write it in each row"
            ),
        );
        let finding = Finding::new(first, Severity::Warning, "merged-cells", text);
        findings.push(finding.with_field(field.name.as_str()));
    }
    findings
}
