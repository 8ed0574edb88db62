//! Where a second table of words alone begins, of the same width as the first one: no values show what its header is.

use super::super::shape::{Kind, Profile, kind};
use super::header::{is_nothing, lacks_digits, looks_like_header};
use super::{Line, columns};

/// Least rows of either table, its header not counted.
const LEAST: usize = 2;
/// Share of its cells that a column must fill to show that its words come again.
const LEAST_FILLED: f64 = 0.75;

/// Whether the row at `at`, which stands behind a blank line or a row of nothing, is the header of another table than the one
/// that begins at `first`: no word of what follows is one of the first table's, though those come again and again there.
pub(super) fn begins_another(lines: &[Line<'_>], first: usize, at: usize, width: usize) -> bool {
    let Some(own) = rows_before(lines, first, at) else { return false };
    let rest = &lines[at + 1..];
    let rows = &rest[..rest.iter().take_while(|line| !line.gap && !line.empty).count()];
    let own_rows = own.iter().filter(|line| line.record.cells.len() == width && line.record.filled() > 1);
    let named = [first, at].iter().all(|at| are_names(&lines[*at], width));
    if width < 2 || rows.len() < LEAST || !named || own_rows.count() < LEAST {
        return false;
    }
    let columns = columns(width, own);
    let repeats = columns.iter().any(|column| column.repeats() && column.share_filled() > LEAST_FILLED);
    let below = self::columns(width, rows);
    let bare = columns.iter().chain(&below).all(|column| column.digits() == 0.0);
    if !repeats || !bare || !lacks_digits(&lines[at]) {
        return false;
    }
    // A word that comes again below it names no column.
    let again = knows(&below, &lines[at]);
    !again && !lines[at..=at + rows.len()].iter().any(|line| knows(&columns, line))
}

/// Whether rows of words alone stand behind rows that have values in some column.
pub(super) fn begins_words(own: &[Line<'_>], behind: &[Line<'_>], width: usize) -> bool {
    let block = behind[..behind.len().min(LEAST + 2)].iter().enumerate();
    let rows = block.take_while(|(at, line)| *at == 0 || !line.gap && !line.empty).map(|(_, line)| line);
    let columns = columns(width, own);
    let words = |line: &Line<'_>| are_names(line, width) && looks_like_header(&line.record, &columns);
    own.len() > LEAST && rows.clone().count() > LEAST && rows.clone().all(words)
}

/// Whether the row at `at` is a title right above the names of another table, as one stands above the table that begins at
/// `first`.
pub(super) fn is_next_title(lines: &[Line<'_>], first: usize, at: usize, width: usize) -> bool {
    let Some(above) = first.checked_sub(1).map(|above| &lines[above]) else { return false };
    let title = |line: &Line<'_>| {
        let text = line.record.cells.first().map_or(Kind::Empty, |cell| kind(&cell.text));
        line.record.filled() == 1 && matches!(text, Kind::Word | Kind::Text | Kind::Code)
    };
    let alike = lines[at].record.cells.len() == above.record.cells.len() && title(above) && title(&lines[at]);
    let [names, row, ..] = &lines[at + 1..] else { return false };
    let named = are_names(&lines[first], width) && are_names(names, width) && !lines[first].gap && !names.gap;
    let own = rows_before(lines, first, at).filter(|_| alike && named);
    row.record.cells.len() == width
        && row.record.filled() > 1
        && own.is_some_and(|own| !knows(&columns(width, own), names))
}

/// The rows of the table that begins at `first`, up to the blank line or row of nothing before `at`; nothing if there was
/// another such before.
fn rows_before<'l, 't>(lines: &'l [Line<'t>], first: usize, at: usize) -> Option<&'l [Line<'t>]> {
    let last = if lines[at - 1].empty { at - 1 } else { at };
    let rows = lines.get(first + 1..last)?;
    rows.iter().all(|line| !line.gap && !line.empty).then_some(rows)
}

/// Whether a cell of a row was seen in its column.
fn knows(columns: &[Profile], line: &Line<'_>) -> bool {
    let mut cells = line.record.cells.iter().zip(columns);
    cells.any(|(cell, column)| !cell.text.trim().is_empty() && column.knows(&cell.text))
}

/// Whether all cells of a row could be names of columns, each of its own.
fn are_names(line: &Line<'_>, width: usize) -> bool {
    let cells = &line.record.cells;
    let mut names: Vec<&str> = cells.iter().map(|cell| cell.text.trim()).collect();
    names.sort_unstable();
    let name = |text: &&str| matches!(kind(text), Kind::Word | Kind::Text | Kind::Code) && !is_nothing(text);
    cells.len() == width && names.iter().all(name) && names.windows(2).all(|two| two[0] != two[1])
}
