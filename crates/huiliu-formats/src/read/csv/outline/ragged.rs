//! Whether rows of a table end before their last cells where these are empty.
//!
//! A row that a line break tore is a rare accident, and leaves two lines that complete each other. Where no small part of
//! the lines is short, and what stands beside them does not complete them, their last cells were left out.

use super::super::repair::misfit;
use super::super::shape::{Kind, Profile, kind};
use super::Line;

/// Short lines that are enough, and of how many lines one must be such.
const LEAST: usize = 2;
const ONE_OF: usize = 10;
/// What a cell may cost on the average more than the likeliest of its column.
const AT_HOME: f64 = 1.0;

/// Whether some of these rows, of so many columns, lack their last cells.
pub(super) fn is_ragged(rows: &[Line<'_>], columns: &[Profile]) -> bool {
    let width = columns.len();
    if width < 2 {
        return false;
    }
    let short = |line: &Line<'_>| !line.empty && !line.record.odd && line.record.cells.len() < width;
    let home = |line: &&Line<'_>| {
        let cells = &line.record.cells;
        misfit(cells, columns) < AT_HOME * cells.len() as f64
    };
    let alone = rows
        .chunk_by(|one, two| short(one) && short(two) && !two.gap)
        .filter(|run| short(&run[0]) && !completes(run, width))
        .flat_map(|run| run.iter().filter(home))
        .count();
    alone >= LEAST && alone * ONE_OF >= rows.len() || rows.iter().any(short) && are_numbered(rows)
}

/// Whether two lines together have the cells of a row, or one more since the line break stands within a cell.
fn completes(run: &[Line<'_>], width: usize) -> bool {
    let [one, two] = run else { return false };
    let both = one.record.cells.len() + two.record.cells.len();
    both == width || both == width + 1
}

/// Whether each line begins with a number that is one more than that of the line before: none of them is half a row.
fn are_numbered(rows: &[Line<'_>]) -> bool {
    let number = |line: &Line<'_>| -> Option<u64> {
        let first = line.record.cells.first()?.text.trim();
        (kind(first) == Kind::Integer).then(|| first.parse().ok())?
    };
    let next = |two: &[Line<'_>]| Some(number(&two[0])?.checked_add(1)? == number(&two[1])?);
    rows.len() > LEAST && rows.windows(2).all(|two| next(two) == Some(true))
}
