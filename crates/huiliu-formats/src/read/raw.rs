//! Reading without a record schema: the header's texts become the columns, all of them text.

use std::collections::HashSet;

use huiliu_stage::{EXTRA, Field, ROW, RecordSchema, SHEET, column_letters};

use super::header::{Grid, Layout, Names, SEARCH_ROWS};

/// A record with one text field per header, under names that are not taken yet.
pub(super) fn record(headers: &[String]) -> (RecordSchema, Names) {
    let mut taken: HashSet<String> = [SHEET, ROW, EXTRA].map(str::to_owned).into();
    let mut fields = Vec::with_capacity(headers.len());
    for (index, header) in headers.iter().enumerate() {
        let shown = header.split_whitespace().collect::<Vec<_>>().join(" ");
        let base = if shown.is_empty() { column_letters(index) } else { shown };
        let mut name = base.clone();
        let mut count = 1;
        while !taken.insert(name.clone()) {
            count += 1;
            name = format!("{base} ({count})");
        }
        fields.push(Field { name, ..Field::default() });
    }
    let record = RecordSchema { record: String::new(), label: String::new(), fields };
    let names = Names::new(&record, false);
    (record, names)
}

/// The header is the row the caller names, else the first that is nearly as wide as the table and holds no numbers.
pub(super) fn lay_out(grid: &Grid, row: Option<u32>) -> Option<((RecordSchema, Names), Layout)> {
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.trim().is_empty()).count();
    let searched = &grid[..grid.len().min(SEARCH_ROWS)];
    let widest = searched.iter().map(|(_, cells)| filled(cells)).max()?;
    let fits = |cells: &[String]| {
        filled(cells) * 10 >= widest * 6 && !cells.iter().any(|cell| cell.trim().parse::<f64>().is_ok())
    };
    let found = match row {
        Some(row) => searched.iter().find(|(number, _)| *number == row),
        None => searched
            .iter()
            .find(|(_, cells)| fits(cells))
            .or(searched.iter().find(|(_, cells)| filled(cells) > 0)),
    };
    let (number, cells) = found?;
    let known = record(cells);
    Some((known, Layout::plain(*number, cells)))
}
