//! What stands above the header: titles, the numbers of rows that they declare, and rows that may be another table's.

use huiliu_stage::{Finding, Severity, Text};

use super::words::{counted, ends_counted, is_numeric};
use crate::read::checks::Total;
use crate::read::header::{Grid, Layout, tidy};

/// Rows above the header that are no titles: so many have several cells and numbers among them.
const TABLE_ABOVE: usize = 2;

/// Tells of rows above the header that look like a table's, which is not read.
pub(super) fn table_above(grid: &Grid, layout: &Layout) -> Option<Finding> {
    let first = layout.header_rows.first().copied().unwrap_or(0);
    let is_row = |cells: &[String]| {
        let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        filled.clone().count() > 1 && filled.any(is_numeric)
    };
    let rows = grid.iter().take_while(|(number, _)| *number < first).filter(|(_, cells)| is_row(cells));
    let count = rows.count();
    let text = Text::new(
        format!(
            "表头（第{first}行）上方有{count}行像是另一张表的数据，没有读取；请把每张表放在单独的工作表或文件中"
        ),
        format!(
            "{count} rows above the header in row {first} look like those of another table and were not read; put each table into a sheet or file of its own"
        ),
    );
    (count >= TABLE_ABOVE).then(|| Finding::new(None, Severity::Error, "second-table", text))
}

/// The titles above the header, and the numbers of rows that they declare.
pub(super) fn above(grid: &Grid, layout: &Layout) -> (Vec<String>, Vec<Total>) {
    let first = layout.header_rows.first().copied().unwrap_or(0);
    let (mut titles, mut declared) = (Vec::new(), Vec::new());
    for (number, cells) in grid.iter().take_while(|(number, _)| *number < first) {
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()) {
            titles.push(cell.trim().to_owned());
            let word = tidy(cell);
            if let (_, Some(count)) = counted(&word)
                && ends_counted(&word)
            {
                let label = cell.trim().to_owned();
                let declares = Some(count);
                declared.push(Total {
                    number: *number,
                    column,
                    label,
                    declared: declares,
                    ..Total::default()
                });
            }
        }
    }
    (titles, declared)
}
