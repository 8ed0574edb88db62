//! Headers that lack the name of their first column, which names the rows: R writes such, with or without quotes.

use super::lex::{Cell, Form, Record};
use super::shape::{Profile, kind};

/// Whether a header is one. That another name were missing is less likely where all are in quotes but the values below are
/// not, where they are counted, or where blanks part cells and all but the names of rows are values.
pub(super) fn lacks_name_of_rows(record: &Record<'_>, form: &Form, columns: &[Profile]) -> bool {
    let Some((first, others)) = columns.split_first() else { return false };
    let name = |cell: &Cell<'_>| !cell.text.trim().is_empty();
    let filled = others.last().is_some_and(|column| column.share_filled() > 0.0);
    if record.cells.len() != others.len()
        || record.odd
        || !filled
        || !record.cells.iter().all(name)
        || !first.names_rows()
    {
        return false;
    }
    if record.cells.iter().all(|cell| cell.quoted) && first.is_quoted() {
        return others.iter().any(|column| column.values() > 0.6 && column.quoted() < 0.5);
    }
    let plain = record.cells.iter().all(|cell| !cell.quoted && !kind(&cell.text).is_value());
    let blank = form.delimiter.trim().is_empty();
    let valued = others.len() > 1 && others.iter().all(|column| column.values() > 0.6);
    plain && (are_counted(record) || blank && valued)
}

/// Whether names are one word each and the numbers from one on: `x1 x2 x3`.
fn are_counted(record: &Record<'_>) -> bool {
    let stem = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let Some(first) = record.cells.first().map(|cell| stem(&cell.text)) else { return false };
    let mut cells = record.cells.iter().zip(1_usize..);
    record.cells.len() > 1
        && !first.is_empty()
        && cells
            .all(|(cell, number)| cell.text.strip_prefix(&first).and_then(|n| n.parse().ok()) == Some(number))
}
