//! Files in which whole lines stand in quotes, as if each were one cell: `"1,""Li, Bo"",3.5"`.
//!
//! A list of one column may look so as well. It is a table only if what stands in the quotes has the same number of
//! cells throughout, the header too, and no blanks behind its commas as a sentence has.

use std::borrow::Cow;

use super::super::lex::{self, line, record};
use super::super::shape::{Kind, kind};
use super::super::sniff::Known;
use super::super::table::LONGEST_CELL;
use super::{by_the_book, is_there};

/// What the cells in a wrapped line may be parted by.
const DELIMITERS: [&str; 4] = [",", ";", "\t", "|"];
/// Rows that are looked at, and the least number that tells anything.
const LOOKED_AT: usize = 200;
const LEAST: usize = 3;
/// Cells of a row that tell without a header.
const WIDE: usize = 4;

/// The text of a line with the quotes around it taken off, if it has them, and where the line ends.
fn inner(text: &str, from: usize) -> (Option<Cow<'_, str>>, lex::Record<'_>) {
    let mut record = record(text, from, &by_the_book(","), LONGEST_CELL);
    let others = record.cells.iter().skip(1).all(|cell| !cell.quoted && cell.text.is_empty());
    let alone = others && !record.odd && record.cells.first().is_some_and(|cell| cell.quoted);
    let found = (alone && !record.cells.is_empty()).then(|| record.cells.swap_remove(0).text);
    (found, record)
}

/// Whether all lines of a sample, or all but the first, are wrapped rows of one table.
pub(super) fn is_wrapped(sample: &str, known: &Known, whole: bool) -> bool {
    let (mut rows, mut at, mut bare) = (Vec::new(), 0, 0);
    while at < sample.len() && rows.len() < LOOKED_AT {
        let (found, record) = inner(sample, at);
        if !is_there(sample, record.next, whole) {
            break;
        }
        match found {
            Some(text) => rows.push(text),
            None if record.is_blank() => {}
            None => {
                bare += usize::from(!rows.is_empty());
                let (end, _) = line(sample, at, &by_the_book(","));
                rows.push(Cow::Borrowed(&sample[at..end]));
            }
        }
        at = record.next.max(at + 1);
    }
    // Every twentieth line may have lost its quotes.
    if rows.len() < LEAST || bare * 20 > rows.len() {
        return false;
    }
    match &known.delimiter {
        Some(delimiter) => is_table(&rows, delimiter),
        None => DELIMITERS.iter().any(|delimiter| is_table(&rows, delimiter)),
    }
}

/// Whether rows make a table when they are cut by the delimiter.
fn is_table(rows: &[Cow<'_, str>], delimiter: &str) -> bool {
    let form = by_the_book(delimiter);
    let cut: Vec<lex::Record<'_>> = rows.iter().map(|row| record(row, 0, &form, LONGEST_CELL)).collect();
    let Some((header, body)) = cut.split_first() else { return false };
    let width = header.cells.len();
    let like = body.iter().filter(|row| row.cells.len() == width && !row.odd).count();
    if width < 2 || header.odd || like * 20 < body.len() * 19 {
        return false;
    }
    let spaced = |row: &lex::Record<'_>| row.cells.iter().skip(1).all(|cell| cell.text.starts_with(' '));
    let names = header.cells.iter().all(|cell| {
        matches!(kind(&cell.text), Kind::Word | Kind::Text | Kind::Code) && !cell.text.starts_with(' ')
    });
    let amounts = rows.iter().filter(|row| kind(row) == Kind::Amount).count();
    !body.iter().all(spaced) && amounts * 2 < rows.len() && (names || width >= WIDE)
}

/// Writes lines without the quotes around them; see [`Rewrite::write`](super::Rewrite::write).
pub(super) fn write(text: &str, over: bool, into: &mut String) -> usize {
    let mut at = 0;
    while at < text.len() {
        let (found, record) = inner(text, at);
        // A quote that is not closed yet may be soon.
        let open = record.open.is_some() && !over && text.len() - at < LONGEST_CELL;
        if open || !is_there(text, record.next, over) {
            break;
        }
        match found {
            Some(inner) => {
                into.push_str(&inner);
                into.push_str(&text[record.end..record.next]);
            }
            None => into.push_str(&text[at..record.next]),
        }
        at = record.next.max(at + 1);
    }
    at
}
