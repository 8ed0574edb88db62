//! What a text must show before it is read in another way than RFC 4180 says.
//!
//! [`sniff`](super::sniff) finds what is likely. An apostrophe around one cell, a colon in a path or a `#` before a note
//! is likely as well where nothing else stands in a file; taken for a quote or a delimiter it would alter a file that
//! is as it should be. So another quote counts only if the table needs it or whole columns stand in it, and a
//! delimiter only if it cuts.

use super::lex::{Cell, Form, Record, record};
use super::long::in_order;
use super::sniff::Known;

/// Text that is looked at.
const LOOKED_AT: usize = 64 << 10;
/// Cells that tell that a column stands in quotes.
const CELLS: usize = 3;

/// The form as far as the text proves it.
pub(super) fn proven(all: &str, form: Form, known: &Known, whole: bool) -> Form {
    let end = (0..=all.len().min(LOOKED_AT)).rev().find(|&at| all.is_char_boundary(at)).unwrap_or(0);
    let sample = &all[..end];
    let mut form = form;
    let weak =
        form.delimiter.trim_start().starts_with([':', '#', '&', '*']) || form.delimiter.trim().is_empty();
    if known.delimiter.is_none() && weak && form.delimiter != "\t" && !cuts(sample, &form) {
        form.delimiter = ",".to_owned();
    }
    if known.delimiter.is_none() && is_doubled(&records(sample, &form), &form) {
        form.delimiter = form.delimiter.repeat(2);
    }
    if known.quote.is_none()
        && let Some(quote) = form.quote.filter(|&quote| quote != b'"')
    {
        let plain = Form { quote: Some(b'"'), escape: known.escape.flatten(), ..form.clone() };
        let needed = is_needed(sample, &form, &plain, quote);
        // A cell may be longer than what is looked at.
        let long = || !is_even(&records(sample, &plain)) && in_order(all, whole, &form, 1).is_some();
        if !needed && !long() {
            return plain;
        }
    }
    form
}

/// Whether a delimiter parts cells: some rows have several with something in them, and it stands in no path or address.
fn cuts(sample: &str, form: &Form) -> bool {
    let records = records(sample, form);
    let parted = records.iter().filter(|record| record.filled() > 1).count();
    let paths = form.delimiter.trim_start().starts_with(':') && {
        let places = || sample.match_indices(':').map(|(at, _)| &sample[at + 1..]);
        let path = |rest: &&str| rest.starts_with('\\') || rest.starts_with("//");
        places().filter(path).count() * 2 > places().count()
    };
    // Blanks stand in the cells of any table; those between cells stand in most rows.
    let least =
        if form.delimiter.trim().is_empty() { records.len() / 2 + 1 } else { records.len().div_ceil(10) };
    parted >= least && parted > 0 && !paths
}

/// Delimiters that stand for an empty cell where two of them follow each other.
const SINGLES: [&str; 2] = [",", "\t"];

/// Whether such a delimiter is that of a form that was told by itself: [`proven`] says so only of a whole file.
pub(super) fn is_pair(delimiter: &str) -> bool {
    SINGLES.iter().any(|single| delimiter == single.repeat(2))
}

/// Whether all delimiters stand in pairs: every second column is empty from the header on, and all others have a name.
/// One empty column in commas may be meant to part two others; people who press the tab key twice do so to set columns.
fn is_doubled(records: &[Record<'_>], form: &Form) -> bool {
    let width = records.first().map_or(0, |header| header.cells.len());
    let least = if form.delimiter == "\t" { 3 } else { 5 };
    let pair = |cells: &[Cell<'_>]| cells.len() == width && cells.iter().skip(1).step_by(2).all(is_nothing);
    SINGLES.contains(&form.delimiter.as_str())
        && width >= least
        && width % 2 == 1
        && records.len() > 1
        && records.iter().all(|record| pair(&record.cells))
        && records[0].cells.iter().step_by(2).all(|cell| !cell.text.trim().is_empty())
}

fn is_nothing(cell: &Cell<'_>) -> bool {
    cell.text.is_empty() && !cell.quoted
}

/// Whether the text makes a better table with this quote than without it, or is written in it throughout.
fn is_needed(sample: &str, form: &Form, plain: &Form, quote: u8) -> bool {
    let (with, without) = (records(sample, form), records(sample, plain));
    sound(&with) > sound(&without)
        || is_throughout(&with)
        || without.iter().any(|row| has_doubled(row, quote))
}

/// Whether all rows are of one width and nothing about them is odd.
fn is_even(records: &[Record<'_>]) -> bool {
    let same = records.windows(2).all(|two| two[0].cells.len() == two[1].cells.len());
    same && records.iter().all(|record| !record.odd)
}

/// Rows that have the width of most, without anything odd.
fn sound(records: &[Record<'_>]) -> usize {
    let mut widths: Vec<usize> =
        records.iter().filter(|record| !record.odd).map(|record| record.cells.len()).collect();
    widths.sort_unstable();
    widths.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0)
}

/// Whether nearly all cells stand in quotes, or nearly all of some column.
fn is_throughout(records: &[Record<'_>]) -> bool {
    let share = |quoted: usize, filled: usize| filled > 0 && quoted * 10 >= filled * 8;
    let width = records.iter().map(|record| record.cells.len()).max().unwrap_or(0);
    let mut counts = vec![(0, 0); width];
    let (mut quoted, mut filled) = (0, 0);
    for (row, record) in records.iter().enumerate() {
        for (cell, (of_quoted, of_filled)) in record.cells.iter().zip(&mut counts) {
            let (in_quotes, there) =
                (usize::from(cell.quoted), usize::from(cell.quoted || !cell.text.is_empty()));
            (quoted, filled) = (quoted + in_quotes, filled + there);
            if row > 0 {
                (*of_quoted, *of_filled) = (*of_quoted + in_quotes, *of_filled + there);
            }
        }
    }
    share(quoted, filled)
        || counts.into_iter().any(|(quoted, filled)| quoted >= CELLS && share(quoted, filled))
}

/// Whether a cell stands in the quote and has it doubled within, which none does by chance.
fn has_doubled(record: &Record<'_>, quote: u8) -> bool {
    let (mark, pair) = (char::from(quote), char::from(quote).to_string().repeat(2));
    let inner = |text: &str| {
        let inner = text.strip_prefix(mark)?.strip_suffix(mark)?;
        Some(inner.contains(&pair) && !inner.replace(&pair, "").contains(mark))
    };
    record.cells.iter().any(|cell| !cell.quoted && inner(&cell.text) == Some(true))
}

fn records<'a>(sample: &'a str, form: &Form) -> Vec<Record<'a>> {
    let (mut all, mut at, mut longest) = (Vec::new(), 0, LOOKED_AT);
    while at < sample.len() {
        let record = record(sample, at, form, longest);
        // Unclosed quotes everywhere must not make every row look through the whole sample.
        longest = if record.odd { (longest / 2).max(256) } else { longest };
        at = record.next.max(at + 1);
        if !record.is_blank() {
            all.push(record);
        }
    }
    all
}
