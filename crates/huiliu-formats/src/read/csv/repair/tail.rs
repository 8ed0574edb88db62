//! Whether a line that is too short lacks its last cells, or a line break tore it from the next one.
//!
//! Many programs leave out the empty cells at the end of a row. Two such rows may together have just as many cells as
//! the table; what their cells look like tells whether the second one is a row of its own.

use super::super::lex::{Cell, Record};
use super::super::shape::Profile;

/// How much better a line must fit as a row of its own, where such rows are not known, or as the rest of the one before,
/// where they are.
const MARGIN: f64 = 0.4;
/// What a cell may cost on the average more than the likeliest of its column.
const AT_HOME: f64 = 1.0;

/// How much more some cells cost in these columns than the likeliest ones.
pub(in crate::read::csv) fn misfit(cells: &[Cell<'_>], columns: &[Profile]) -> f64 {
    cells.iter().zip(columns).map(|(cell, column)| column.cost(&cell.text) - column.usual()).sum()
}

/// Whether a line of so many cells, too few, is a row that lacks its last ones and the `next` line another row.
pub(super) fn lacks_tail(left: usize, next: &Record<'_>, columns: &[Profile], ragged: bool) -> bool {
    let (width, right) = (columns.len(), next.cells.len());
    if left >= width || right > width || next.is_blank() || columns.iter().any(Profile::is_name) {
        return false;
    }
    let own = misfit(&next.cells, columns);
    let home = own < AT_HOME * right as f64;
    let known =
        next.cells.first().is_some_and(|first| columns[0].cost(&first.text) < columns[0].usual() + AT_HOME);
    let rest = match left + right {
        whole if whole == width => misfit(&next.cells, &columns[left..]),
        // The line break stands within a cell.
        whole if whole == width + 1 => misfit(&next.cells[1..], &columns[left..]),
        _ => return ragged && known && home,
    };
    known && if ragged { own < rest + MARGIN } else { home && own + MARGIN < rest }
}
