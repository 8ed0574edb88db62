//! What stands above the header: titles, and the numbers of rows that they declare.

use super::words::{counted, ends_counted};
use crate::read::checks::Total;
use crate::read::header::{Grid, Layout, tidy};

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
