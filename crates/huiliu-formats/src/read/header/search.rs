//! The search for the rows that are the header: which of the first ones, and how many of them.

use std::cmp::Reverse;

use super::assign::assign;
use super::names::{Names, Rank};
use super::{
    Column, Grid, Layout, NEIGHBOUR, SEARCH_ROWS, above, fuzzy, is_serial, paths, tidy, units, values,
};
use crate::read::merged::{Merged, MergedRows};

/// Most rows of one header.
pub(in crate::read) const MOST_HEADER_ROWS: usize = 3;

/// Finds the header and gives each column its field. `row` is its number if the caller knows it.
/// `None` if no row names enough fields.
pub(in crate::read) fn find(grid: &Grid, merged: &Merged, names: &Names, row: Option<u32>) -> Option<Layout> {
    let merged = &merged.over(grid.iter().map(|(number, _)| *number));
    // A header does not end in the middle of a merged cell, unless the sheet leaves no other.
    search(grid, merged, names, row, true).or_else(|| search(grid, merged, names, row, false))
}

/// What rows are worth as a header, and the columns that they give.
type Candidate = ((usize, Reverse<usize>), Layout);

fn search(grid: &Grid, merged: &MergedRows, names: &Names, row: Option<u32>, whole: bool) -> Option<Layout> {
    // What a row is worth in which every cell firmly names a field: no other can be worth more.
    let perfect = (2 * grid.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0), Reverse(1));
    let mut candidates: Vec<Candidate> = Vec::new();
    for start in 0..grid.len().min(SEARCH_ROWS) {
        if row.is_some_and(|row| grid[start].0 != row) || whole && row.is_none() && parts(grid, start) {
            continue;
        }
        let mut best: Option<Candidate> = None;
        let (mut most_named, mut above) = ((0, 0), 0);
        for height in 1..=MOST_HEADER_ROWS.min(grid.len() - start) {
            if whole && cuts(grid, merged, start, height) {
                continue;
            }
            let layout = lay_out(&grid[start..start + height], merged, names);
            let score = score(&layout).max(std::mem::take(&mut above));
            if whole && parts(grid, start + height) {
                // What is parted is a header by its parents, whatever its children are called.
                above = score;
                continue;
            }
            let worth = (score, Reverse(height));
            // The row that the caller named is the header's first, whatever it is worth.
            // Of rows that are worth the same, those that give more columns a field, or a name.
            let named =
                (layout.claimed(), layout.columns.iter().filter(|column| !column.header.is_empty()).count());
            let better = |(most, _): &Candidate| (worth.0, named, worth.1) > (most.0, most_named, most.1);
            if (score > 0 || row.is_some()) && best.as_ref().is_none_or(better) {
                (best, most_named) = (Some((worth, layout)), named);
            }
        }
        candidates.extend(best);
        if candidates.last().is_some_and(|(worth, _)| *worth == perfect) {
            break;
        }
    }
    let mut layout = choose(grid, candidates)?;
    units::below(grid, &mut layout);
    units::numbers_below(grid, &mut layout);
    values::decide(grid, &mut layout, names);
    units::doubt(&mut layout, names);
    units::of_rows(grid, &mut layout);
    fuzzy::suggest(&mut layout, names);
    layout.note_serials();
    layout.unit = units::of_sheet(grid, &layout);
    units::unclear(grid, &mut layout);
    units::unsaid(grid, &mut layout, names);
    units::unused(&mut layout, names);
    units::of_areas(grid, &mut layout, names);
    layout.titles = above(grid, &layout).map(|cell| cell.trim().chars().take(200).collect()).collect();
    Some(layout)
}

/// The header of the first table: the candidate that is worth most, unless rows stand between it and one above that is
/// a header without doubt. Among equals the first and lowest is taken: titles say nothing.
fn choose(grid: &Grid, mut candidates: Vec<Candidate>) -> Option<Layout> {
    let most = candidates.iter().map(|(worth, _)| *worth).max()?;
    let best = candidates.iter().position(|(worth, _)| *worth == most)?;
    let first = candidates.get(best)?.1.header_rows.first().copied()?;
    let is_above = |(_, layout): &Candidate| {
        let last = layout.header_rows.last().copied().unwrap_or(0);
        let columns = layout.columns.iter().filter(|column| !column.header.is_empty()).count();
        let is_row = |cells: &[String]| {
            let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
            filled >= 2 && filled * 2 >= columns
        };
        let between =
            grid.iter().filter(|(number, cells)| *number > last && *number < first && is_row(cells)).count();
        (is_certain(layout) && between > 0) || (is_small(layout) && between > 1)
    };
    let above = candidates.iter().take(best).position(is_above);
    Some(candidates.swap_remove(above.unwrap_or(best)).1)
}

/// Whether most columns firmly name a field; serial numbers need not.
fn is_certain(layout: &Layout) -> bool {
    let named = layout.columns.iter().filter(|c| !c.header.is_empty() && !is_serial(&c.header)).count();
    let strong = layout.columns.iter().filter(is_firm).count();
    strong >= 3 && strong * 3 > named * 2
}

/// Whether both columns of a narrow table firmly name a field.
fn is_small(layout: &Layout) -> bool {
    let named = layout.columns.iter().filter(|column| !column.header.is_empty()).count();
    named == 2 && layout.columns.iter().filter(is_firm).count() == 2
}

fn is_firm(column: &&Column) -> bool {
    column.field.is_some() && ![Rank::Weak.as_str(), NEIGHBOUR].contains(&column.how)
}

/// Whether a header of these rows would cut a merged cell. Blank rows below belong to it.
fn cuts(grid: &Grid, merged: &MergedRows, start: usize, height: usize) -> bool {
    let number = |at: usize| grid.get(at).map(|(number, _)| *number);
    let Some(first) = number(start) else { return false };
    let last = number(start + height).map_or(u32::MAX - 1, |next| next - 1);
    merged.cut_by(first, last.max(first), MOST_HEADER_ROWS)
}

/// Whether the row at `at` parts what the row above it names, as where merged cells became blanks: its words, no values,
/// stand below names with blanks beside them and below those blanks, and nothing below the first name.
fn parts(grid: &Grid, at: usize) -> bool {
    let (Some((_, row)), Some((_, above))) = (grid.get(at), at.checked_sub(1).and_then(|at| grid.get(at)))
    else {
        return false;
    };
    let blank = |cells: &[String], column: usize| cells.get(column).is_none_or(|cell| cell.trim().is_empty());
    let filled: Vec<usize> = (0..row.len()).filter(|&column| !blank(row, column)).collect();
    let named = |column: usize| column < above.len() && !blank(above, column);
    // Blank cells at the end of a row are not kept.
    let spanned = |column: usize| !named(column) || !named(column + 1) && !blank(row, column + 1);
    let year = |column: &usize| matches!(row[*column].trim().parse(), Ok(1990..=2100_u16));
    let years = filled.iter().all(year);
    let word = |column: &usize| {
        let text = tidy(&row[*column]);
        if years {
            return true;
        }
        !text.trim_end_matches('年').chars().all(|c| c.is_ascii_digit() || ".,-/%".contains(c))
            || text.ends_with('年')
    };
    filled.len() > 1
        && !filled.contains(&0)
        && filled.iter().any(|&column| !named(column))
        && filled.iter().all(|&column| spanned(column))
        && filled.iter().all(word)
}

/// How well rows do as a header; 0 if they are none.
fn score(layout: &Layout) -> usize {
    if has_title(layout) {
        return 0;
    }
    // What is another's for sure is understood as well.
    let others = layout.columns.iter().filter(|column| column.of_another).count();
    let strong = layout.columns.iter().filter(is_firm).count() + others;
    // Serial numbers need no field.
    let is_name = |column: &&Column| {
        !column.header.is_empty()
            && (column.field.is_some() || !column.path.last().is_some_and(|leaf| is_serial(leaf)))
    };
    let (claimed, named) = (layout.claimed() + others, layout.columns.iter().filter(is_name).count());
    // One name alone may stand in a title; two, or little but names, is a header.
    let most = strong >= 1 && claimed >= 2 && claimed * 2 > named;
    if strong >= 2 || most || (claimed > 0 && claimed == named) { claimed + strong } else { 0 }
}

/// Whether the first row of a header is one text over all columns: the title of the table.
fn has_title(layout: &Layout) -> bool {
    const FEWEST: usize = 3;
    let mut paths = layout.columns.iter().map(|column| &column.path).filter(|path| !path.is_empty());
    let Some(title) = paths.next().filter(|path| path.len() > 1).and_then(|path| path.first()) else {
        return false;
    };
    layout.columns.len() >= FEWEST && paths.all(|path| path.len() > 1 && path.first() == Some(title))
}

fn lay_out(rows: &[(u32, Vec<String>)], merged: &MergedRows, names: &Names) -> Layout {
    let mut layout = Layout {
        columns: columns_below(rows, merged).collect(),
        header_rows: rows.iter().map(|(number, _)| *number).collect(),
        ..Layout::default()
    };
    beside(&mut layout);
    assign(&mut layout, names);
    for column in layout.columns.iter_mut().filter(|column| column.field.is_none() && column.path.len() > 1) {
        column.of_another = !names.of_another(&column.path).is_empty();
    }
    layout
}

/// Notes a table that stands beside the first one: behind a column without a header, one of its first headers comes again. Nothing
/// of it is read, since its rows are of other things.
fn beside(layout: &mut Layout) {
    let headers: Vec<String> = layout.columns.iter().map(|column| tidy(&column.header)).collect();
    let comes_again = |gap: usize| {
        let (left, right) = headers.split_at(gap);
        // 序号 or what a row is about; other words may come twice in one table.
        let about = left.iter().filter(|header| !header.is_empty()).take(2);
        about.into_iter().any(|header| right.contains(header))
    };
    let gap = (1..headers.len()).find(|at| headers[*at].is_empty() && comes_again(*at));
    let first = gap.and_then(|gap| (gap..headers.len()).find(|at| !headers[*at].is_empty()));
    layout.side = first.map(|first| (first, headers.len() - 1));
    for column in layout.columns.iter_mut().skip(first.unwrap_or(headers.len())) {
        column.claims = Some(Vec::new());
    }
}

/// The header of each column in words, from the rows of a header.
pub(in crate::read) fn joined(rows: &[(u32, Vec<String>)], merged: &MergedRows) -> Vec<String> {
    columns_below(rows, merged).map(|column| column.header).collect()
}

/// The columns that rows of a header make, up to the last one that has a text.
fn columns_below(rows: &[(u32, Vec<String>)], merged: &MergedRows) -> impl Iterator<Item = Column> {
    let mut paths = paths::paths(rows, merged);
    let width = paths.iter().rposition(|path| !path.is_empty()).map_or(0, |at| at + 1);
    paths.truncate(width);
    paths.into_iter().map(Column::new)
}
