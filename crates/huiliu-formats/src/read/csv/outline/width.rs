//! How many columns a table has: as many as most of its rows have cells, or its header names.

use super::super::lex::{Cell, Record};
use super::super::repair::names_columns;
use super::super::shape::{Kind, Profile, is_sentence, kind};
use super::header::{Height, height};
use super::{Line, columns};

/// The width that most rows have, or that of an earlier run of rows which is a table of its own, or that of the header if
/// most rows end before its last columns.
pub(super) fn width_of_first_table(lines: &[Line<'_>]) -> usize {
    let filled: Vec<&Line<'_>> = lines.iter().filter(|line| !line.empty).collect();
    let widths: Vec<usize> = filled.iter().map(|line| line.record.cells.len()).collect();
    let count = |width: usize| widths.iter().filter(|&&w| w == width).count();
    let mut kinds = widths.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let weight = |width: usize| count(width) * count(width) * (width.min(20) + if width > 1 { 4 } else { 0 });
    let Some(mode) = kinds.iter().copied().max_by_key(|&w| (weight(w), w)) else { return 1 };
    let begins = widths.iter().position(|&w| w == mode).unwrap_or(0);
    // An earlier table: several rows of another width, most of what stands before, and no small part of all.
    let earlier = kinds.iter().copied().filter(|&w| w > 1 && w != mode).find(|&width| {
        // Titles with delimiters behind them are no rows.
        let row = |line: &&&Line<'_>| line.record.cells.len() == width && line.record.filled() > 1;
        let before = filled[..begins].iter().filter(row).count();
        let pairs = filled[..begins].iter().all(|line| line.record.filled() <= 2);
        before >= 3
            && before * 5 >= begins * 4
            && before * 6 >= count(mode)
            && !(pairs && count(mode) >= before && are_keys(&filled[..begins], count(mode)))
    });
    earlier.or_else(|| width_of_header(lines, mode)).or_else(|| width_of_names(lines, mode)).unwrap_or(mode)
}

/// Most lines of a key and its value each that may look like a table with a header: the first value is a word.
const MOST_KEYS: usize = 4;

/// Whether rows of two cells are words about a table of `behind` rows rather than a table: `Operator, M. Lee`; or
/// numbers of many more rows, each with a name of its own: `ncols 4`.
fn are_keys(lines: &[&Line<'_>], behind: usize) -> bool {
    let column = |at: usize| lines.iter().filter_map(move |line| line.record.cells.get(at));
    let value = |line: &&Line<'_>| line.record.cells.get(1).is_some_and(|cell| kind(&cell.text).is_value());
    let valued = column(0).any(|cell| kind(&cell.text).is_value());
    let mut names: Vec<&str> = column(0).map(|cell| cell.text.as_ref()).collect();
    names.sort_unstable();
    let own_names = || names.windows(2).all(|two| two[0] != two[1]);
    let short = || lines.len() <= MOST_KEYS.min(behind);
    let fits = match lines.iter().filter(|line| !value(line)).count() {
        0 => own_names() && lines.len() * 3 <= behind,
        // A word above all numbers names their column, unless a whole table stands behind so few of them.
        1 => own_names() && (value(&lines[0]) || short() || lines.len() * 3 <= behind),
        _ => true,
    };
    !valued && fits
}

/// What a cell of a row costs on the average where it is at home.
const AT_HOME: f64 = 1.5;

/// The width of the first line of several cells if its names stand above the columns of all rows, most of which are of
/// width `mode`, and of some that are as wide as itself: the last columns were left out where they are empty.
fn width_of_header(lines: &[Line<'_>], mode: usize) -> Option<usize> {
    let at = lines.iter().position(|line| line.record.cells.len() > 1)?;
    let (header, rows) = lines[at..].split_first()?;
    let width = header.record.cells.len();
    let name = |text: &str| !text.trim().is_empty() && !kind(text).is_value();
    let named = !header.record.odd && header.record.cells.iter().all(|cell| name(&cell.text));
    if mode < 2 || width <= mode || !named {
        return None;
    }
    let rows = &rows[..rows.iter().take_while(|line| !line.gap && !line.empty).count()];
    let wide = || rows.iter().filter(|line| line.record.cells.len() == width);
    let ragged = rows.iter().all(|line| (mode..=width).contains(&line.record.cells.len()));
    let columns = columns(mode, rows);
    let header = &header.record;
    let typed = columns.iter().any(|column| column.values() > 0.6) || are_plain_names(header, &columns);
    let cells = || wide().flat_map(|line| line.record.cells.iter().zip(&columns));
    let cost: f64 = cells().map(|(cell, column)| column.cost(&cell.text)).sum();
    let fits = ragged && typed && wide().count() > 0 && cost < AT_HOME * cells().count() as f64;
    fits.then_some(width)
}

/// Whether a line's cells are different words, which need no delimiter within them, and are no texts of these columns.
fn are_plain_names(header: &Record<'_>, columns: &[Profile]) -> bool {
    let mut names: Vec<&str> = header.cells.iter().map(|cell| cell.text.as_ref()).collect();
    let plain = |name: &&str| kind(name) == Kind::Word && name.chars().all(|c| c.is_alphabetic() || c == '_');
    let known = |name: &&str| columns.iter().any(|column| column.knows(name));
    let words = names.iter().all(plain) && !names.iter().any(known);
    names.sort_unstable();
    words && names.windows(2).all(|two| two[0] != two[1])
}

/// Whether most names of a header, the last one too, are words that name columns everywhere: no halves of a name.
fn are_known(header: &Record<'_>) -> bool {
    let known = |cell: &Cell<'_>| names_columns(&cell.text);
    let count = header.cells.iter().filter(|cell| known(cell)).count();
    header.cells.last().is_some_and(known) && count * 2 > header.cells.len()
}

/// The width of the first line of several cells if it names two columns more than any row has: the last ones are empty
/// everywhere and were left out. A single name too many may be one that a delimiter cuts, unless all are plain words.
fn width_of_names(lines: &[Line<'_>], mode: usize) -> Option<usize> {
    let at = lines.iter().position(|line| line.record.cells.len() > 1)?;
    let (header, rows) = lines[at..].split_first()?;
    let width = header.record.cells.len();
    let mut names: Vec<&str> = header.record.cells.iter().map(|cell| cell.text.as_ref()).collect();
    let name = |text: &&str| {
        matches!(kind(text), Kind::Word | Kind::Text | Kind::Code)
            && !text.starts_with(' ')
            && !is_sentence(text)
    };
    let named = !header.record.odd && names.iter().all(name);
    names.sort_unstable();
    let own = names.windows(2).all(|two| two[0] != two[1]);
    let there = rows.iter().take_while(|line| !line.gap && !line.empty);
    let rows = &rows[..there.count()];
    let full = rows.iter().filter(|line| line.record.cells.len() == mode).count();
    let less = rows.iter().all(|line| line.record.cells.len() <= mode);
    let even = rows.len() >= LEAST_ROWS && less && full * 5 >= rows.len() * 4;
    // What is twice as wide has its first row behind it, with the values of that.
    let glued = || width + 1 >= 2 * mode && columns(mode, rows).iter().all(|column| column.values() < 0.6);
    let header = &header.record;
    let one_more = || width == mode + 1 && are_plain_names(header, &columns(mode, rows)) && are_known(header);
    let wider = mode > 1 && (width > mode + 1 && !glued() || one_more());
    let fits = wider && named && own && even && height(rows, mode) == Height::Sure(0);
    fits.then_some(width)
}

/// Rows that tell whether all lack the last cells.
const LEAST_ROWS: usize = 3;
