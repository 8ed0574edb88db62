//! Units that stand apart from the headers: above the table, and in a row of their own below it.

use super::{Grid, Layout, above, names};
use crate::read::value::Unit;

/// `单位：万元` above the table.
pub(super) fn of_sheet(grid: &Grid, layout: &Layout) -> Option<Unit> {
    above(grid, layout).filter_map(|cell| names::declared_unit(cell)).find(Unit::is_money)
}

/// A row of nothing but units below the header belongs to it.
pub(super) fn below(grid: &Grid, layout: &mut Layout) {
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let Some((number, cells)) = grid.iter().find(|(number, _)| *number > last) else { return };
    let filled = cells.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let units: Option<Vec<(usize, Unit)>> =
        filled.map(|(column, cell)| Some((column, names::unit_alone(cell)?))).collect();
    let Some(units) = units.filter(|units| !units.is_empty()) else { return };
    layout.header_rows.push(*number);
    for (column, unit) in units {
        if let Some(column) = layout.columns.get_mut(column) {
            column.unit = Some(unit);
        }
    }
}
