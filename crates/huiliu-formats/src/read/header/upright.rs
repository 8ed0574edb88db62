//! Sheets whose names of fields stand beside the values and not above them.
//!
//! A form of one project (项目基本情况表) and a table turned on its side have rows that look like headers: two labels
//! and two values beside them. Read as tables they would give rows of nonsense, so they are told for what they are.

use huiliu_stage::Text;

use super::Grid;
use super::names::Names;
use super::{Layout, firm};

/// Fewest labels below one another.
const FEWEST: usize = 3;

/// Says what a sheet is if its labels stand below one another; `layout` is the header that was found in it.
pub(in crate::read) fn upright(grid: &Grid, names: &Names, layout: Option<&Layout>) -> Option<Text> {
    let width = grid.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let label = |cells: &[String], column: usize| cells.get(column).is_some_and(|cell| names.knows(cell));
    let labels = |column: usize| grid.iter().filter(|(_, cells)| label(cells, column)).count();
    let (most, column) = (0..width).map(|column| (labels(column), column)).max_by_key(|&(n, c)| (n, !c))?;
    let beside = layout.map_or(0, |layout| layout.columns.iter().filter(firm).count());
    if most < FEWEST || most <= beside {
        return None;
    }
    let rows = grid.iter().filter(|(_, cells)| label(cells, column));
    // In a table on its side every label is followed by the values of several projects.
    let several = rows.filter(|(_, cells)| {
        let values = (column + 1..cells.len()).filter(|&c| !cells[c].trim().is_empty());
        values.clone().count() >= 2 && !values.into_iter().any(|c| label(cells, c))
    });
    let several = several.count() * 2 > most;
    Some(if several {
        Text::new(
            "的项目名称等列名竖排在左侧，每列是一个项目；请转置成一行一个项目、列名在上方的表",
            "has its field names in a column at the left and a project in each column; turn it, so that each row is a project and the names stand above",
        )
    } else {
        Text::new(
            "是一个项目的情况表（名称在左、内容在右），不是清单；请改用一行一个项目、列名在上方的表报送",
            "is a form of one project, with labels beside the values, and no list; send a table with one row for each project and the names above",
        )
    })
}
