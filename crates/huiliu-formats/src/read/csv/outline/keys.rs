//! Keys and their values above a table, padded to its width: `Operator,M. Lee,,`.

use super::super::shape::{Kind, kind};
use super::header::{Height, height};
use super::start::MOST_PREAMBLE;
use super::{Line, columns};

/// Columns whose texts come again that show a row to be none of the table's.
const TELLING: usize = 2;

/// Whether a row as wide as the table is a key and its value, nothing behind them: `Operator,M. Lee,,`. There are several, or
/// it is marked as one, or stands apart from what follows, or right above the names of all columns.
pub(super) fn is_key(lines: &[Line<'_>], at: usize, width: usize) -> bool {
    let near = |other: Option<usize>| {
        other.and_then(|other| lines.get(other)).is_some_and(|line| is_pair(line, width))
    };
    let line = &lines[at];
    let marked = line.record.cells.first().is_some_and(|cell| cell.text.trim_end().ends_with([':', '：']));
    let apart = lines.get(at + 1).is_some_and(|next| next.gap || next.empty);
    // A key may have several values: `Period:,01/01/2021,31/01/2021`.
    let whole = width > 2 && line.record.cells.len() == width && marked && apart;
    // Of three cells one may be empty in any row.
    let wide = width > 3 && (near(at.checked_sub(1)) || near(Some(at + 1)) || apart);
    let alone = || width > 3 && stands_above_names(&lines[at + 1..], width);
    whole || is_pair(line, width) && (marked || wide || alone())
}

/// Whether the first two cells of a row are filled and no other.
fn is_pair(line: &Line<'_>, width: usize) -> bool {
    let cells = &line.record.cells;
    let named = cells.first().is_some_and(|cell| matches!(kind(&cell.text), Kind::Word | Kind::Text));
    width > 2 && cells.len() == width && named && line.record.filled() == 2 && !cells[1].text.is_empty()
}

/// Whether the first of these rows names every column, as the evidence of those below says, or groups of columns that the
/// second one names. A row of groups above names would leave out, rather than name, what these are complete without.
pub(super) fn stands_above_names(table: &[Line<'_>], width: usize) -> bool {
    let groups = table.first().is_some_and(|line| {
        let cells = &line.record.cells;
        let reaches = || cells.iter().skip(2).any(|cell| !cell.text.trim().is_empty());
        cells.len() == width && !line.gap && !line.empty && line.record.filled() < width && reaches()
    });
    let table = &table[usize::from(groups)..];
    table.first().is_some_and(|names| !names.gap && is_named(names, width))
        && match height(table, width) {
            Height::Sure(rows) => rows > 0,
            Height::Likely => differs(table, width),
        }
}

/// Whether all cells of a row could be names of columns.
fn is_named(line: &Line<'_>, width: usize) -> bool {
    let name = |text: &str| matches!(kind(text), Kind::Word | Kind::Text | Kind::Code);
    line.record.cells.len() == width && line.record.cells.iter().all(|cell| name(&cell.text))
}

/// Whether the first of these rows is none of their words: where the columns' texts come again and again, its own never do.
pub(super) fn differs(table: &[Line<'_>], width: usize) -> bool {
    let Some((first, rows)) = table.split_first() else { return false };
    let columns = columns(width, rows);
    let telling = columns.iter().filter(|column| column.repeats()).count();
    let known = first.record.cells.iter().zip(&columns).any(|(cell, column)| column.knows(&cell.text));
    telling >= TELLING && !known
}

/// The first row behind several keys and titles and a blank line or a row of nothing, if that names the columns of more rows
/// than there are keys, or is the first of such rows, and most of these fill the columns that no key does.
pub(super) fn behind_keys(lines: &[Line<'_>], first: usize, width: usize) -> usize {
    let title = |line: &Line<'_>| line.record.cells.len() == width && line.record.filled() == 1;
    let key = |line: &&Line<'_>| line.empty || is_pair(line, width) || title(line);
    let behind = first + lines[first..].iter().take_while(key).count();
    let above = &lines[first..behind];
    let keys = above.iter().filter(|line| is_pair(line, width)).count();
    let Some(names) = lines.get(behind).filter(|_| (2..=MOST_PREAMBLE).contains(&keys)) else { return first };
    let rest = &lines[behind + 1..];
    let rows = &rest[..rest.iter().take_while(|line| !line.gap && !line.empty).count()];
    let columns = columns(width, rows);
    let filled = columns.iter().skip(2).all(|column| column.share_filled() > 0.5);
    let apart = names.gap || above.iter().any(|line| line.gap || line.empty);
    // A key is none of the values that all rows begin with.
    let valued = || width > 3 && columns[0].values() > 0.9 && columns[0].share_filled() > 0.9;
    let headed = || match height(&lines[behind..], width) {
        Height::Sure(0) => valued(),
        _ => is_named(names, width),
    };
    match apart && rows.len() >= keys && filled && headed() {
        true => behind,
        false => first,
    }
}
